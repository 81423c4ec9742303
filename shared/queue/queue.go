// Package queue is the door to the dispatch queue. It owns the ring: the
// message that says "look again". A ring carries no state, so one too many does
// no harm, and a lost one is repaired by the minute tick.
package queue

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"workerpool/shared/pool"
)

const (
	ringBody = `{"ring":1}`
	timeout  = 2 * time.Second // of one ring with its retries: whoever rings has its own answer to give
	pause    = time.Second     // between two rings of RingSoon
)

// Fault lets a test disturb a call: it is asked before the call (done false: it
// did not happen) and after it succeeded (done true: it happened but failed).
type Fault func(operation string, done bool) error

// Config is what a Queue needs.
type Config struct {
	URL   string
	Now   func() time.Time
	Fault Fault // nil outside tests
}

// Queue rings the dispatcher. It may be used by several goroutines at once.
type Queue struct {
	client *sqs.Client
	config Config

	mu   sync.Mutex
	bell throttle
}

// Open makes a Queue; region, credentials and endpoint come from the standard
// AWS variables. Nothing is sent yet.
func Open(ctx context.Context, c Config) (*Queue, error) {
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the dispatch queue: %w", err)
	}
	return &Queue{client: sqs.NewFromConfig(aws), config: c, bell: throttle{pause: pause}}, nil
}

// Ring asks the dispatcher to look again. The error is pool.Unavailable; the
// ring may have been heard all the same.
func (q *Queue) Ring(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := q.disturb("SendMessage", false); err != nil {
		return pool.Down("the dispatch queue", err)
	}
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(q.config.URL), MessageBody: aws.String(ringBody)})
	if err != nil {
		return pool.Down("the dispatch queue", fmt.Errorf("ringing: %w", err))
	}
	if err := q.disturb("SendMessage", true); err != nil {
		return pool.Down("the dispatch queue", err)
	}
	return nil
}

// RingSoon is Ring for those who come often: of the calls within one second,
// the first rings and the others are content with that.
func (q *Queue) RingSoon(ctx context.Context) error {
	q.mu.Lock()
	free := q.bell.take(q.config.Now())
	q.mu.Unlock()
	if !free {
		return nil
	}
	return q.Ring(ctx)
}

func (q *Queue) disturb(operation string, done bool) error {
	if q.config.Fault == nil {
		return nil
	}
	return q.config.Fault(operation, done)
}

// throttle lets one through per pause.
type throttle struct {
	pause time.Duration
	last  time.Time
}

// take tells whether one may pass now, and remembers that it did. A clock that
// was set back does not keep it shut.
func (t *throttle) take(now time.Time) bool {
	since := now.Sub(t.last)
	if !t.last.IsZero() && since >= 0 && since < t.pause {
		return false
	}
	t.last = now
	return true
}
