package sqs_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"workerpool/infra/local/faults"
	local "workerpool/infra/local/sqs"
)

// faulty opens a queue whose stand-in misbehaves by one rule, once.
func faulty(t *testing.T, attributes map[string]string, r faults.Rule) desk {
	t.Helper()
	board := faults.New(faults.Config{Seed: 1})
	d := open(t, ours(t, board), attributes)
	r.Count = 1
	if err := board.Set(1, r); err != nil {
		t.Fatalf("set the rule: %v", err)
	}
	return d
}

func TestDuplicatedSend(t *testing.T) {
	d := faulty(t, nil, faults.Rule{Target: "sqs:SendMessage", Kind: faults.Duplicate})
	d.send("a")
	d.send("b")
	got := d.receive("a", "a", "b")
	if *got[0].MessageId != *got[1].MessageId || *got[0].ReceiptHandle == *got[1].ReceiptHandle {
		t.Errorf("the twins have ids %s and %s, want one id and two receipts", *got[0].MessageId, *got[1].MessageId)
	}
	d.delete(got[0])
	d.wantCounts(d.url, "0", "2", "0")
}

func TestDuplicatedReceive(t *testing.T) {
	d := faulty(t, nil, faults.Rule{Target: "sqs:ReceiveMessage", Kind: faults.Duplicate})
	d.send("a")
	first := d.receive("a")[0]
	second := d.receive("a")[0]
	if *first.MessageId != *second.MessageId || *first.ReceiptHandle == *second.ReceiptHandle {
		t.Errorf("delivered as %v and %v, want one message under two receipts", first, second)
	}
	d.receive()
}

func TestDelayedSend(t *testing.T) {
	d := faulty(t, map[string]string{"DelaySeconds": "1"}, faults.Rule{Target: "sqs:SendMessage", Kind: faults.Delay, DelayMS: 2500})
	d.send("a")
	d.send("b")
	d.advance(3 * time.Second)
	d.receive("b")
	d.advance(500 * time.Millisecond)
	d.receive("a")
}

func TestReorderedReceive(t *testing.T) {
	d := faulty(t, map[string]string{"VisibilityTimeout": "1"}, faults.Rule{Target: "sqs:ReceiveMessage", Kind: faults.Reorder})
	for _, body := range []string{"a", "b", "c"} {
		d.send(body)
	}
	d.receive("c", "b", "a")
	d.advance(time.Second)
	d.receive("a", "b", "c")
}

func TestLost(t *testing.T) {
	t.Run("send", func(t *testing.T) {
		d := faulty(t, nil, faults.Rule{Target: "sqs:SendMessage", Kind: faults.Lose})
		if id := d.send("a"); id == "" {
			t.Error("a lost message was answered without an id")
		}
		d.send("b")
		d.receive("b")
	})
	t.Run("batch", func(t *testing.T) {
		d := faulty(t, nil, faults.Rule{Target: "sqs:SendMessageBatch", Kind: faults.Lose})
		out, err := d.api.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("one"), MessageBody: aws.String("a")}}})
		if err != nil || len(out.Successful) != 1 {
			t.Errorf("a lost batch was answered %v, %v", out, err)
		}
		d.receive()
	})
	t.Run("delete", func(t *testing.T) {
		d := faulty(t, nil, faults.Rule{Target: "sqs:DeleteMessage", Kind: faults.Lose})
		d.send("a")
		m := d.receive("a")[0]
		d.delete(m)
		d.wantCounts(d.url, "0", "1", "0")
		d.delete(m)
		d.wantCounts(d.url, "0", "0", "0")
	})
	t.Run("visibility", func(t *testing.T) {
		d := faulty(t, nil, faults.Rule{Target: "sqs:ChangeMessageVisibility", Kind: faults.Lose})
		d.send("a")
		m := d.receive("a")[0]
		if err := d.hide(m, 0); err != nil {
			t.Errorf("a lost change was answered %v", err)
		}
		d.receive()
	})
}

func TestFailedSend(t *testing.T) {
	for _, c := range []struct {
		name   string
		rule   faults.Rule
		code   string
		stored []string
	}{
		{"fail", faults.Rule{Kind: faults.Fail, Status: 503}, "InternalFailure", nil},
		{"failafter", faults.Rule{Kind: faults.FailAfter}, "InternalFailure", []string{"a"}},
		{"dropped after", faults.Rule{Kind: faults.FailAfter, Drop: true}, "", []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rule.Target = "sqs:SendMessage"
			d := faulty(t, nil, c.rule)
			_, err := d.api.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("a")})
			if c.code != "" {
				d.refused("send", err, c.code)
			}
			if err == nil {
				t.Error("no error")
			}
			d.receive(c.stored...)
		})
	}
}

// A client that retries, as ours do, sends twice when only the answer failed.
func TestRetryAfterFailAfterSendsTwice(t *testing.T) {
	d := faulty(t, nil, faults.Rule{Target: "sqs:SendMessage", Kind: faults.FailAfter})
	atOnce := retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	_, err := d.api.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("a")},
		func(o *sqs.Options) {
			o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.Backoff = atOnce })
		})
	if err != nil {
		t.Fatalf("send with retries: %v", err)
	}
	d.receive("a", "a")
}

func TestLongPollEndsWithItsCaller(t *testing.T) {
	c := newClock()
	queues := local.New(local.Config{Now: c.Now, At: c.At})
	ended := make(chan string, 10)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queues.ServeHTTP(w, r)
		ended <- r.Header.Get("X-Amz-Target")
	}))
	defer h.Close()
	d := open(t, endpoint{url: h.URL, advance: c.Advance, parked: c.parked}, nil)
	<-ended
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := d.poll(ctx, d.url, 20)
		gone <- err
	}()
	d.parked()
	cancel()
	if err := <-gone; err == nil {
		t.Error("a cancelled poll ended without an error")
	}
	if got := <-ended; got != "AmazonSQS.ReceiveMessage" {
		t.Errorf("%s ended, want the receive", got)
	}
	d.send("a")
	d.receive("a") // not swallowed by the poll that is gone
}

// Handles and queues of another process must not touch what is here.
func TestReceiptOfAnotherLife(t *testing.T) {
	before := open(t, ours(t, nil), nil)
	before.send("a")
	old := before.receive("a")[0]
	d := open(t, ours(t, nil), nil)
	d.send("b")
	d.receive("b")
	d.delete(old)
	d.wantCounts(d.url, "0", "1", "0")
}

func TestNotTheProtocol(t *testing.T) {
	h := httptest.NewServer(local.New(local.Config{}))
	defer h.Close()
	for _, c := range []struct{ target, body, want string }{
		{"AmazonSQS.DeleteQueue", "{}", "UnknownOperationException"},
		{"SendMessage", "{}", "UnknownOperationException"},
		{"AmazonSQS.SendMessage", "Action=SendMessage", "SerializationException"},
		{"AmazonSQS.SendMessage", "{}", "MissingParameter"},
		{"AmazonSQS.SendMessage", `{"QueueUrl":"` + strings.Repeat("x", 8<<20), "SerializationException"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Target", c.target)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "#"+c.want) {
			t.Errorf("%s: %d %s %v, want 400 %s", c.target, resp.StatusCode, body, err, c.want)
		}
	}
}

func TestOnlyWhoHasTheKeyMayAsk(t *testing.T) {
	h := httptest.NewServer(local.New(local.Config{Keys: map[string]string{"local": "local"}}))
	defer h.Close()
	d := open(t, endpoint{url: h.URL}, nil)
	d.send("a")
	stranger := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: &h.URL, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("local", "guessed", "")})
	_, err := stranger.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("b")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "SignatureDoesNotMatch" {
		t.Errorf("with a guessed secret: %v", err)
	}
}

// The least retention is a minute, so this is of the stand-in's own time only.
func TestRetention(t *testing.T) {
	d := open(t, ours(t, nil), map[string]string{"MessageRetentionPeriod": "60"})
	d.send("old")
	d.advance(59 * time.Second)
	d.send("new")
	d.wantCounts(d.url, "2", "0", "0")
	d.advance(time.Second)
	d.receive("new")
}

// AWS does not say what an old receipt does to the visibility of what another has
// received since; nothing is what no caller can be hurt by.
func TestStaleReceiptHidesNothing(t *testing.T) {
	d := open(t, ours(t, nil), map[string]string{"VisibilityTimeout": "10"})
	d.send("a")
	stale := d.receive("a")[0]
	d.advance(10 * time.Second)
	d.receive("a")
	d.refused("visibility by the old receipt", d.hide(stale, 60), "InvalidParameterValue")
	d.advance(10 * time.Second)
	d.receive("a")
}
