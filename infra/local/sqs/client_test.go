package sqs_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"workerpool/infra/local/faults"
	local "workerpool/infra/local/sqs"
)

// endpoint is an implementation of SQS under test.
type endpoint struct {
	url     string
	prefix  string              // of the names of its queues, where others have queues too
	advance func(time.Duration) // lets its time pass
	almost  func(time.Duration) // lets a part of it pass
	rest    func(time.Duration) // lets the rest of it pass, after almost
	parked  func()              // returns when a long poll has begun to wait
}

// ours starts the stand-in with a clock of its own.
func ours(t testing.TB, board *faults.Board) endpoint {
	t.Helper()
	c := newClock()
	h := httptest.NewServer(local.New(local.Config{Faults: board, Now: c.Now, At: c.At}))
	t.Cleanup(h.Close)
	return endpoint{
		url: h.URL, advance: c.Advance, parked: c.parked,
		almost: func(d time.Duration) { c.Advance(d - time.Millisecond) },
		rest:   func(time.Duration) { c.Advance(time.Millisecond) },
	}
}

// desk is the real client of AWS with one queue of an endpoint.
type desk struct {
	testing.TB
	endpoint
	api *sqs.Client
	url string // of the queue
}

func open(t testing.TB, e endpoint, attributes map[string]string) desk {
	t.Helper()
	d := desk{TB: t, endpoint: e, api: sqs.New(sqs.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(e.url),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		Retryer:      aws.NopRetryer{},
	})}
	d.url = d.create("rings", attributes)
	return d
}

func (d desk) create(name string, attributes map[string]string) string {
	d.Helper()
	out, err := d.api.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: aws.String(d.prefix + name), Attributes: attributes})
	if err != nil {
		d.Fatalf("create queue %s: %v", name, err)
	}
	return *out.QueueUrl
}

// set changes attributes of the queue.
func (d desk) set(attributes map[string]string) error {
	_, err := d.api.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.url, Attributes: attributes})
	return err
}

func (d desk) send(body string) string {
	d.Helper()
	out, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String(body)})
	if err != nil {
		d.Fatalf("send: %v", err)
	}
	return *out.MessageId
}

// poll receives up to ten messages of a queue, waiting at most so many seconds.
func (d desk) poll(ctx context.Context, url string, wait int32) ([]types.Message, error) {
	out, err := d.api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// receive polls the queue without waiting and wants exactly these bodies.
func (d desk) receive(bodies ...string) []types.Message {
	d.Helper()
	return d.receiveFrom(d.url, bodies...)
}

func (d desk) receiveFrom(url string, bodies ...string) []types.Message {
	d.Helper()
	got, err := d.poll(d.Context(), url, 0)
	if err != nil {
		d.Fatalf("receive: %v", err)
	}
	d.wantBodies(got, bodies...)
	return got
}

func (d desk) wantBodies(got []types.Message, bodies ...string) {
	d.Helper()
	var have []string
	for _, m := range got {
		have = append(have, *m.Body)
	}
	if len(have) != len(bodies) {
		d.Fatalf("received %q, want %q", have, bodies)
	}
	for i := range bodies {
		if have[i] != bodies[i] {
			d.Fatalf("received %q, want %q", have, bodies)
		}
	}
}

func (d desk) delete(m types.Message) {
	d.Helper()
	if err := d.remove(*m.ReceiptHandle); err != nil {
		d.Fatalf("delete: %v", err)
	}
}

// remove is delete for a receipt that may be refused.
func (d desk) remove(receipt string) error {
	_, err := d.api.DeleteMessage(d.Context(), &sqs.DeleteMessageInput{QueueUrl: &d.url, ReceiptHandle: &receipt})
	return err
}

func (d desk) hide(m types.Message, seconds int32) error {
	_, err := d.api.ChangeMessageVisibility(d.Context(), &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &d.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: seconds})
	return err
}

func (d desk) attributes(url string) map[string]string {
	d.Helper()
	out, err := d.api.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		d.Fatalf("get attributes: %v", err)
	}
	return out.Attributes
}

// wantCounts compares visible, in flight and delayed messages.
func (d desk) wantCounts(url, visible, inFlight, delayed string) {
	d.Helper()
	a := d.attributes(url)
	got := [3]string{a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], a["ApproximateNumberOfMessagesDelayed"]}
	if want := [3]string{visible, inFlight, delayed}; got != want {
		d.Errorf("visible, in flight, delayed: %v, want %v", got, want)
	}
}

// refused compares the code a caller of the SDK decides by.
func (d desk) refused(what string, err error, code string) {
	d.Helper()
	var api smithy.APIError
	switch {
	case err == nil:
		d.Errorf("%s: taken, want code %s", what, code)
	case !errors.As(err, &api):
		d.Errorf("%s: %v, want code %s", what, err, code)
	case api.ErrorCode() != code:
		d.Errorf("%s: code %s (%s), want code %s", what, api.ErrorCode(), api.ErrorMessage(), code)
	}
}
