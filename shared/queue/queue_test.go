package queue_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"workerpool/infra/local/faults"
	local "workerpool/infra/local/sqs"
	"workerpool/shared/pool"
	"workerpool/shared/queue"
)

// bench is a queue of the local stand-in with its faults.
type bench struct {
	t     *testing.T
	api   *sqs.Client
	url   string
	board *faults.Board
	now   time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, board: faults.New(faults.Config{}), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(local.New(local.Config{Faults: b.board}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_SQS", server.URL)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	loaded, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.api = sqs.NewFromConfig(loaded)
	out, err := b.api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("rings")})
	if err != nil {
		t.Fatal(err)
	}
	b.url = *out.QueueUrl
	return b
}

func (b *bench) open(fault queue.Fault) *queue.Queue {
	b.t.Helper()
	q, err := queue.Open(b.t.Context(), queue.Config{URL: b.url, Now: func() time.Time { return b.now }, Fault: fault})
	if err != nil {
		b.t.Fatal(err)
	}
	return q
}

// heard takes all rings out of the queue and counts them.
func (b *bench) heard() int {
	b.t.Helper()
	count := 0
	for {
		out, err := b.api.ReceiveMessage(b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &b.url, MaxNumberOfMessages: 10})
		if err != nil {
			b.t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return count
		}
		for _, m := range out.Messages {
			if *m.Body != `{"ring":1}` {
				b.t.Errorf("body %s", *m.Body)
			}
			count++
		}
	}
}

func TestRing(t *testing.T) {
	b := newBench(t)
	q := b.open(nil)
	for range 2 {
		if err := q.Ring(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.heard(); n != 2 {
		t.Errorf("%d rings heard, want 2", n)
	}
}

func TestRingSoonRingsOncePerSecond(t *testing.T) {
	b := newBench(t)
	q := b.open(nil)
	for _, step := range []struct {
		after time.Duration
		rings int
	}{{0, 1}, {0, 0}, {999 * time.Millisecond, 0}, {time.Millisecond, 1}, {time.Hour, 1}, {-2 * time.Hour, 1}, {0, 0}} {
		b.now = b.now.Add(step.after)
		if err := q.RingSoon(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := b.heard(); n != step.rings {
			t.Errorf("%s later: %d rings, want %d", step.after, n, step.rings)
		}
	}
}

func TestQueueOutOfReach(t *testing.T) {
	b := newBench(t)
	if err := b.board.Set(1, faults.Rule{Target: "sqs:SendMessage", Kind: faults.Fail, Probability: 1, Status: 400}); err != nil {
		t.Fatal(err)
	}
	if err := b.open(nil).Ring(t.Context()); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.open(nil).Ring(ctx); pool.KindOf(err) != pool.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if n := b.heard(); n != 0 {
		t.Errorf("%d rings heard, want none", n)
	}
}

func TestFaults(t *testing.T) {
	b := newBench(t)
	broken := errors.New("cut")
	for half, rings := range map[bool]int{false: 0, true: 1} {
		q := b.open(func(operation string, done bool) error {
			if operation == "SendMessage" && done == half {
				return broken
			}
			return nil
		})
		if err := q.Ring(t.Context()); !errors.Is(err, broken) || pool.KindOf(err) != pool.Unavailable {
			t.Errorf("done %v: %v", half, err)
		}
		if n := b.heard(); n != rings {
			t.Errorf("done %v: %d rings heard, want %d", half, n, rings)
		}
	}
}
