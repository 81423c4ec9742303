// Package esm plays Lambda's event source mapping of SQS: it polls a queue, hands
// batches to a function and deletes what the function has handled. It owns the
// batch rules of the service, the failure rules above all; it must not interpret a
// message. Filters and the cut of a batch at 6 MB are not played.
package esm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"workerpool/infra/local/lambda"
)

const (
	receiveMost  = 10               // messages per call of the API
	longPoll     = 20 * time.Second // longest wait of a receive
	pollers      = 5                // what the service begins with when nothing limits it
	retryReceive = time.Second      // after a receive that failed
)

// Queue is what a poller needs of the SQS client.
type Queue interface {
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
}

// Config of a Poller.
type Config struct {
	Queue          Queue
	QueueURL       string
	QueueARN       string
	Region         string
	Visibility     time.Duration // of the queue
	Function       string
	Timeout        time.Duration // of the function
	BatchSize      int
	Window         time.Duration // how long a batch may gather
	MaxConcurrency int           // batches at work at once; 0 = not limited by the source
	ReportFailures bool          // ReportBatchItemFailures
	Invoke         func(ctx context.Context, function string, event []byte) (lambda.Result, error)
	Log            *slog.Logger
}

// Poller polls until it is closed.
type Poller struct {
	config Config
	stop   context.CancelFunc
	wait   sync.WaitGroup
}

// Start begins to poll. What Lambda would refuse is an error.
func Start(c Config) (*Poller, error) {
	switch {
	case c.Visibility < c.Timeout:
		return nil, fmt.Errorf("the visibility timeout of %s (%s) is shorter than the timeout of %s (%s): Lambda refuses that",
			c.QueueARN, c.Visibility, c.Function, c.Timeout)
	case c.BatchSize < 1 || c.BatchSize > 10_000:
		return nil, fmt.Errorf("a batch size of %d for %s: it is 1 to 10000", c.BatchSize, c.Function)
	case c.BatchSize > receiveMost && c.Window < time.Second:
		return nil, fmt.Errorf("a batch size of %d for %s needs a batching window of 1 s or more", c.BatchSize, c.Function)
	case c.Window > 300*time.Second:
		return nil, fmt.Errorf("a batching window of %s for %s: it is at most 300 s", c.Window, c.Function)
	case c.MaxConcurrency != 0 && (c.MaxConcurrency < 2 || c.MaxConcurrency > 1000):
		return nil, fmt.Errorf("a maximum concurrency of %d for %s: it is 2 to 1000", c.MaxConcurrency, c.Function)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Poller{config: c, stop: stop}
	n := c.MaxConcurrency
	if n == 0 {
		n = pollers
	}
	for range n {
		p.wait.Go(func() { p.poll(ctx) })
	}
	return p, nil
}

// Close stops polling. Batches at work are given up and come again after the
// visibility timeout, as after a crash.
func (p *Poller) Close() {
	p.stop()
	p.wait.Wait()
}

func (p *Poller) poll(ctx context.Context) {
	for ctx.Err() == nil {
		batch, err := p.gather(ctx)
		if err != nil && ctx.Err() == nil {
			p.config.Log.WarnContext(ctx, "polling a queue", "queue", p.config.QueueARN, "error", err)
		}
		if len(batch) > 0 {
			if err := p.handle(ctx, batch); err != nil && ctx.Err() == nil {
				p.config.Log.ErrorContext(ctx, "a batch failed", "function", p.config.Function, "messages", len(batch), "error", err)
			}
			continue
		}
		if err != nil {
			pause(ctx, retryReceive)
		}
	}
}

// gather receives up to BatchSize messages; after the first one it waits for more
// for as long as the window is. What came before an error is kept.
func (p *Poller) gather(ctx context.Context) ([]types.Message, error) {
	var batch []types.Message
	wait := longPoll
	var closes time.Time
	for {
		out, err := p.config.Queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:                    aws.String(p.config.QueueURL),
			MaxNumberOfMessages:         int32(min(receiveMost, p.config.BatchSize-len(batch))),
			WaitTimeSeconds:             int32(wait / time.Second),
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
			MessageAttributeNames:       []string{"All"},
		})
		if err != nil {
			return batch, fmt.Errorf("receiving: %w", err)
		}
		batch = append(batch, out.Messages...)
		if len(batch) == 0 || len(batch) >= p.config.BatchSize || p.config.Window == 0 {
			return batch, nil
		}
		if closes.IsZero() {
			closes = time.Now().Add(p.config.Window)
		}
		left := time.Until(closes)
		if left <= 0 {
			return batch, nil
		}
		// A receive waits whole seconds, one at least: else this would spin.
		wait = min(longPoll, max(time.Second, left.Truncate(time.Second)))
	}
}

// handle runs the function on a batch and deletes what it has handled.
func (p *Poller) handle(ctx context.Context, batch []types.Message) error {
	event, err := p.event(batch)
	if err != nil {
		return err
	}
	result, err := p.config.Invoke(ctx, p.config.Function, event)
	if err != nil {
		return err
	}
	if result.Failed {
		return fmt.Errorf("the function failed: %s", result.Payload)
	}
	failed := map[string]bool{}
	if p.config.ReportFailures {
		if failed, err = failures(result.Payload, batch); err != nil {
			return err
		}
	}
	if len(failed) > 0 {
		p.config.Log.WarnContext(ctx, "some messages of a batch failed", "function", p.config.Function,
			"messages", len(batch), "failed", len(failed))
	}
	return p.remove(ctx, batch, failed)
}

func (p *Poller) event(batch []types.Message) ([]byte, error) {
	var e events.SQSEvent
	for _, m := range batch {
		record := events.SQSMessage{
			MessageId: aws.ToString(m.MessageId), ReceiptHandle: aws.ToString(m.ReceiptHandle),
			Body: aws.ToString(m.Body), Md5OfBody: aws.ToString(m.MD5OfBody),
			Md5OfMessageAttributes: aws.ToString(m.MD5OfMessageAttributes),
			Attributes:             m.Attributes, MessageAttributes: map[string]events.SQSMessageAttribute{},
			EventSource: "aws:sqs", EventSourceARN: p.config.QueueARN, AWSRegion: p.config.Region,
		}
		for name, a := range m.MessageAttributes {
			record.MessageAttributes[name] = events.SQSMessageAttribute{
				StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType),
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
		e.Records = append(e.Records, record)
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding the event: %w", err)
	}
	return encoded, nil
}

// failures reads which messages the function reports as failed. Nothing, null, {}
// and an empty list mean success; an answer that cannot be read, an item without
// an identifier or one that names no message of the batch fail the whole batch.
func failures(payload []byte, batch []types.Message) (map[string]bool, error) {
	failed := map[string]bool{}
	if len(payload) == 0 {
		return failed, nil
	}
	var answer struct {
		Items []struct {
			ID *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return nil, fmt.Errorf("reading which messages failed: %w", err)
	}
	known := map[string]bool{}
	for _, m := range batch {
		known[aws.ToString(m.MessageId)] = true
	}
	for _, item := range answer.Items {
		if item.ID == nil || *item.ID == "" {
			return nil, errors.New("the function reported a failed message without itemIdentifier")
		}
		if !known[*item.ID] {
			return nil, fmt.Errorf("the function reported %q as failed, which is not in the batch", *item.ID)
		}
		failed[*item.ID] = true
	}
	return failed, nil
}

func (p *Poller) remove(ctx context.Context, batch []types.Message, failed map[string]bool) error {
	var entries []types.DeleteMessageBatchRequestEntry
	for i, m := range batch {
		if !failed[aws.ToString(m.MessageId)] {
			entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
		}
	}
	for len(entries) > 0 {
		n := min(receiveMost, len(entries))
		out, err := p.config.Queue.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(p.config.QueueURL), Entries: entries[:n]})
		if err != nil {
			return fmt.Errorf("deleting handled messages: %w", err)
		}
		if len(out.Failed) > 0 {
			return fmt.Errorf("deleting handled messages: %d were refused, the first as %s", len(out.Failed), aws.ToString(out.Failed[0].Code))
		}
		entries = entries[n:]
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
