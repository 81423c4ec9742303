package esm

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"workerpool/infra/local/lambda"
	local "workerpool/infra/local/sqs"
)

// clock lets visibility pass by hand; long polls of the stand-in follow it too.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	wait map[chan time.Time]time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) At(t time.Time) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.wait[ch] = t
	c.fire()
	return ch
}

func (c *clock) fire() {
	for ch, t := range c.wait {
		if !t.After(c.now) {
			ch <- c.now
			delete(c.wait, ch)
		}
	}
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.fire()
}

// stage is a queue of the stand-in, its client and a function that the test plays.
type stage struct {
	*testing.T
	clock   *clock
	api     *sqs.Client
	url     string
	batches chan events.SQSEvent // each call of the function
	answers chan outcome         // what the test answers it
	deleted chan struct{}        // each finished delete
}

type outcome struct {
	result lambda.Result
	err    error
}

func open(t *testing.T) *stage {
	t.Helper()
	c := &clock{now: time.Unix(1_800_000_000, 0), wait: map[chan time.Time]time.Time{}}
	server := httptest.NewServer(local.New(local.Config{Now: c.Now, At: c.At}))
	t.Cleanup(server.Close)
	s := &stage{T: t, clock: c, batches: make(chan events.SQSEvent), answers: make(chan outcome), deleted: make(chan struct{}, 100)}
	s.api = sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), Retryer: aws.NopRetryer{},
	})
	out, err := s.api.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String("rings"), Attributes: map[string]string{"VisibilityTimeout": "60"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.url = aws.ToString(out.QueueUrl)
	return s
}

func (s *stage) config() Config {
	return Config{
		Queue: watched{s}, QueueURL: s.url, QueueARN: "arn:aws:sqs:us-east-1:000000000000:rings", Region: "us-east-1",
		Visibility: time.Minute, Function: "dispatch", Timeout: 10 * time.Second, BatchSize: 10, ReportFailures: true,
		MaxConcurrency: 2,
		Invoke: func(ctx context.Context, function string, event []byte) (lambda.Result, error) {
			var e events.SQSEvent
			if err := json.Unmarshal(event, &e); err != nil || function != "dispatch" {
				s.Errorf("invoked %s with %s: %v", function, event, err)
			}
			select {
			case s.batches <- e:
			case <-ctx.Done():
				return lambda.Result{}, ctx.Err()
			}
			select {
			case o := <-s.answers:
				return o.result, o.err
			case <-ctx.Done():
				return lambda.Result{}, ctx.Err()
			}
		},
		Log: slog.New(slog.NewTextHandler(s.Output(), nil)),
	}
}

// watched tells when a delete is through.
type watched struct{ *stage }

func (w watched) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	return w.api.ReceiveMessage(ctx, in, o...)
}

func (w watched) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	out, err := w.api.DeleteMessageBatch(ctx, in, o...)
	w.deleted <- struct{}{}
	return out, err
}

func (s *stage) poll(c Config) {
	s.Helper()
	p, err := Start(c)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(p.Close)
}

func (s *stage) send(bodies ...string) {
	s.Helper()
	for _, body := range bodies {
		if _, err := s.api.SendMessage(s.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(s.url), MessageBody: aws.String(body)}); err != nil {
			s.Fatal(err)
		}
	}
}

// bodies of a batch.
func bodies(e events.SQSEvent) []string {
	var out []string
	for _, r := range e.Records {
		out = append(out, r.Body)
	}
	return out
}

// left is how many messages the queue holds, visible or not.
func (s *stage) left() string {
	s.Helper()
	out, err := s.api.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: aws.String(s.url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		s.Fatal(err)
	}
	return out.Attributes["ApproximateNumberOfMessages"] + "+" + out.Attributes["ApproximateNumberOfMessagesNotVisible"]
}

func TestHandledMessagesAreDeletedAndFailedOnesComeAgain(t *testing.T) {
	s := open(t)
	s.send("a", "b", "c")
	s.poll(s.config())
	first := <-s.batches
	if diff := cmp.Diff([]string{"a", "b", "c"}, bodies(first)); diff != "" {
		t.Fatalf("first batch (-want +got):\n%s", diff)
	}
	r := first.Records[1]
	if r.EventSource != "aws:sqs" || r.EventSourceARN != "arn:aws:sqs:us-east-1:000000000000:rings" || r.AWSRegion != "us-east-1" ||
		r.Attributes["ApproximateReceiveCount"] != "1" || r.Md5OfBody == "" || r.ReceiptHandle == "" {
		t.Errorf("record %+v", r)
	}
	s.answers <- outcome{result: lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"` + r.MessageId + `"}]}`)}}
	<-s.deleted
	if got := s.left(); got != "0+1" {
		t.Errorf("left in the queue after one of three failed: %s (visible+in flight), want 0+1", got)
	}
	s.clock.advance(time.Minute)
	again := <-s.batches
	if got := bodies(again); len(got) != 1 || got[0] != "b" || again.Records[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("after the visibility timeout: %v, want b as received twice", again.Records)
	}
	s.answers <- outcome{result: lambda.Result{Payload: []byte(`{"batchItemFailures":[]}`)}}
	<-s.deleted
	if got := s.left(); got != "0+0" {
		t.Errorf("left at the end: %s, want nothing", got)
	}
}

func TestWhatFailsTheWholeBatch(t *testing.T) {
	for name, o := range map[string]outcome{
		"the function failed":  {result: lambda.Result{Failed: true, Payload: []byte(`{}`)}},
		"it was not run":       {err: lambda.ErrThrottled},
		"unknown identifier":   {result: lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"nobody"}]}`)}},
		"empty identifier":     {result: lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":""}]}`)}},
		"null identifier":      {result: lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":null}]}`)}},
		"misspelt key":         {result: lambda.Result{Payload: []byte(`{"batchItemFailures":[{"id":"x"}]}`)}},
		"an answer of no form": {result: lambda.Result{Payload: []byte(`{"batchItemFailures":3}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.send("a", "b")
			p := &Poller{config: s.config()}
			batch, err := p.gather(t.Context())
			if err != nil || len(batch) != 2 {
				t.Fatalf("gathered %d messages, %v", len(batch), err)
			}
			failure := make(chan error, 1)
			go func() { failure <- p.handle(t.Context(), batch) }()
			<-s.batches
			s.answers <- o
			if err := <-failure; err == nil {
				t.Error("no error")
			}
			if got := s.left(); got != "0+2" {
				t.Errorf("left in the queue: %s (visible+in flight), want 0+2", got)
			}
		})
	}
}

func TestWhatIsSuccessForTheWholeBatch(t *testing.T) {
	for _, payload := range []string{``, `null`, `{}`, `{"batchItemFailures":null}`} {
		s := open(t)
		s.send("a", "b")
		s.poll(s.config())
		<-s.batches
		s.answers <- outcome{result: lambda.Result{Payload: []byte(payload)}}
		<-s.deleted
		if got := s.left(); got != "0+0" {
			t.Errorf("%q: left in the queue %s, want nothing", payload, got)
		}
	}
	// Without ReportBatchItemFailures the answer does not matter.
	s := open(t)
	s.send("a")
	c := s.config()
	c.ReportFailures = false
	s.poll(c)
	<-s.batches
	s.answers <- outcome{result: lambda.Result{Payload: []byte(`{"batchItemFailures":[{"itemIdentifier":"nobody"}]}`)}}
	<-s.deleted
	if got := s.left(); got != "0+0" {
		t.Errorf("not reporting: left in the queue %s, want nothing", got)
	}
}

func TestBatchSizeAndConcurrencyAreLimits(t *testing.T) {
	s := open(t)
	s.send("a", "b", "c", "d", "e", "f", "g")
	c := s.config()
	c.BatchSize = 3
	s.poll(c)
	one, two := <-s.batches, <-s.batches
	if len(one.Records) != 3 || len(two.Records) != 3 {
		t.Errorf("batches of %d and %d, want 3 each", len(one.Records), len(two.Records))
	}
	// Both pollers are at work, so the last message stays visible.
	if got := s.left(); got != "1+6" {
		t.Errorf("with two batches at work: %s (visible+in flight), want 1+6", got)
	}
	s.answers <- outcome{err: errors.New("crashed")}
	if got := bodies(<-s.batches); len(got) != 1 {
		t.Errorf("third batch %v, want the one left", got)
	}
}

func TestWindowGathersABatch(t *testing.T) {
	s := open(t)
	c := s.config()
	c.BatchSize, c.Window, c.MaxConcurrency = 3, 300*time.Second, 2
	s.send("a")
	s.poll(c)
	s.send("b")
	s.send("c", "d", "e", "f") // enough to fill both pollers' batches
	if a, b := <-s.batches, <-s.batches; len(a.Records) != 3 || len(b.Records) != 3 {
		t.Errorf("batches of %d and %d, want the window to fill both", len(a.Records), len(b.Records))
	}
}

func TestWhatLambdaRefuses(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"shorter than the timeout": func(c *Config) { c.Visibility = 9 * time.Second },
		"it is 1 to 10000":         func(c *Config) { c.BatchSize = 0 },
		"window of 1 s or more":    func(c *Config) { c.BatchSize = 11 },
		"at most 300 s":            func(c *Config) { c.Window = 301 * time.Second },
		"2 to 1000":                func(c *Config) { c.MaxConcurrency = 1 },
	} {
		c := Config{Visibility: time.Minute, Timeout: 10 * time.Second, BatchSize: 10, Function: "dispatch", QueueARN: "arn"}
		change(&c)
		if p, err := Start(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
			if p != nil {
				p.Close()
			}
		}
	}
}
