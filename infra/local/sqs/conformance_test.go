package sqs_test

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// TestConformance is what any stand-in of SQS must do; each case gets an
// endpoint without queues.
func TestConformance(t *testing.T) {
	conform(t, func(t *testing.T) endpoint { return ours(t, nil) })
}

func conform(t *testing.T, start func(t *testing.T) endpoint) {
	cases := []struct {
		name       string
		attributes map[string]string
		check      func(desk)
	}{
		{"queues by name", nil, queuesByName},
		{"a message travels whole", nil, travelsWhole},
		{"visibility and receive counts", map[string]string{"VisibilityTimeout": "10"}, visibility},
		{"stale receipts", map[string]string{"VisibilityTimeout": "10"}, staleReceipts},
		{"changed visibility", map[string]string{"VisibilityTimeout": "10"}, changedVisibility},
		{"delays", map[string]string{"DelaySeconds": "5"}, delays},
		{"dead letters", map[string]string{"VisibilityTimeout": "10"}, deadLetters},
		{"long polling", map[string]string{"VisibilityTimeout": "8"}, longPolling},
		{"retention", map[string]string{"MessageRetentionPeriod": "60"}, retention},
		{"purge", nil, purge},
		{"limits of a message", nil, messageLimits},
		{"limits of a receive", nil, receiveLimits},
		{"limits of a batch", nil, batchLimits},
		{"a batch fails in part", map[string]string{"VisibilityTimeout": "10"}, batchInPart},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(open(t, start(t), c.attributes)) })
	}
}

func queuesByName(d desk) {
	if again := d.create("rings", map[string]string{"VisibilityTimeout": "30"}); again != d.url {
		d.Errorf("created again: %s, want %s", again, d.url)
	}
	_, err := d.api.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: aws.String("rings"), Attributes: map[string]string{"VisibilityTimeout": "31"}})
	wantCode(d.T, err, "QueueAlreadyExists")
	_, err = d.api.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: aws.String("a b")})
	wantCode(d.T, err, "InvalidParameterValue")

	got, err := d.api.GetQueueUrl(d.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("rings")})
	if err != nil || *got.QueueUrl != d.url {
		d.Errorf("url by name: %v, %v; want %s", got, err, d.url)
	}
	_, err = d.api.GetQueueUrl(d.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
	wantCode(d.T, err, "AWS.SimpleQueueService.NonExistentQueue")
	var typed *types.QueueDoesNotExist
	var response *awshttp.ResponseError
	if !errors.As(err, &typed) || !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusBadRequest {
		d.Errorf("error %v is no QueueDoesNotExist with status 400", err)
	}

	other := d.create("bells", nil)
	list, err := d.api.ListQueues(d.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(list.QueueUrls) != 2 {
		d.Errorf("list: %v, %v; want two queues", list, err)
	}
	list, err = d.api.ListQueues(d.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("be")})
	if err != nil || len(list.QueueUrls) != 1 || list.QueueUrls[0] != other {
		d.Errorf("list of be*: %v, %v; want %s", list, err, other)
	}

	if _, err = d.api.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.url, Attributes: map[string]string{"VisibilityTimeout": "77"}}); err != nil {
		d.Fatalf("set attributes: %v", err)
	}
	if a := d.attributes(d.url); a["VisibilityTimeout"] != "77" || a["QueueArn"] == "" || a["MaximumMessageSize"] != "1048576" {
		d.Errorf("attributes after the change: %v", a)
	}
	_, err = d.api.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.url, Attributes: map[string]string{"Visibility": "77"}})
	wantCode(d.T, err, "InvalidAttributeName")
	_, err = d.api.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.url, Attributes: map[string]string{"VisibilityTimeout": "43201"}})
	wantCode(d.T, err, "InvalidAttributeValue")
}

func travelsWhole(d desk) {
	const body = "{\"ring\":1}\t\u00e9\U0001F514"
	sent, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{
		QueueUrl: &d.url, MessageBody: aws.String(body),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"trace": {DataType: aws.String("String"), StringValue: aws.String("abc")},
			"n":     {DataType: aws.String("Number.int"), StringValue: aws.String("42")},
			"raw":   {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		},
	})
	if err != nil {
		d.Fatalf("send: %v", err)
	}
	// Computed once with another program after the published description.
	const attributesMD5 = "2e9c9107ee838af70c7b2c40b392e542"
	if got := aws.ToString(sent.MD5OfMessageAttributes); got != attributesMD5 {
		d.Errorf("MD5 of the attributes sent is %s, want %s", got, attributesMD5)
	}
	m := d.receive(body)[0] // the client itself compares the MD5 of the body
	if *m.MessageId != *sent.MessageId || *m.MD5OfBody != *sent.MD5OfMessageBody || aws.ToString(m.MD5OfMessageAttributes) != attributesMD5 {
		d.Errorf("received %v, sent %v", m, sent)
	}
	if m.MessageAttributes["raw"].BinaryValue[1] != 255 || *m.MessageAttributes["n"].StringValue != "42" {
		d.Errorf("message attributes: %v", m.MessageAttributes)
	}
	for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if millis, err := strconv.ParseInt(m.Attributes[name], 10, 64); err != nil || time.UnixMilli(millis).Year() < 2020 {
			d.Errorf("%s is %q, want milliseconds since 1970", name, m.Attributes[name])
		}
	}
	d.delete(m)
	d.wantCounts(d.url, "0", "0", "0")
}

func visibility(d desk) {
	id := d.send("a")
	first := d.receive("a")[0]
	d.receive()
	d.wantCounts(d.url, "0", "1", "0")
	d.advance(9 * time.Second)
	d.receive()
	d.advance(time.Second)
	second := d.receive("a")[0]
	if *second.MessageId != id || *second.ReceiptHandle == *first.ReceiptHandle {
		d.Errorf("received again as %s with %s, want %s with a new receipt", *second.MessageId, *second.ReceiptHandle, id)
	}
	for want, m := range map[string]types.Message{"1": first, "2": second} {
		if got := m.Attributes["ApproximateReceiveCount"]; got != want {
			d.Errorf("receive count %s, want %s", got, want)
		}
	}
	if first.Attributes["ApproximateFirstReceiveTimestamp"] != second.Attributes["ApproximateFirstReceiveTimestamp"] {
		d.Error("the time of the first receive moved")
	}
	d.delete(second)
	d.advance(10 * time.Second)
	d.receive()
}

func staleReceipts(d desk) {
	d.send("a")
	stale := d.receive("a")[0]
	d.advance(10 * time.Second)
	current := d.receive("a")[0]
	d.delete(stale) // succeeds, deletes nothing
	d.wantCounts(d.url, "0", "1", "0")
	wantCode(d.T, d.hide(stale, 60), "InvalidParameterValue")

	d.advance(10 * time.Second)
	d.wantCounts(d.url, "1", "0", "0")
	wantCode(d.T, d.hide(current, 60), "AWS.SimpleQueueService.MessageNotInflight")
	d.delete(current) // late, but nobody has received it since
	d.wantCounts(d.url, "0", "0", "0")
	d.delete(current) // once more
	wantCode(d.T, d.hide(current, 60), "InvalidParameterValue")

	_, err := d.api.DeleteMessage(d.Context(), &sqs.DeleteMessageInput{QueueUrl: &d.url, ReceiptHandle: aws.String("no receipt")})
	wantCode(d.T, err, "ReceiptHandleIsInvalid")
}

func changedVisibility(d desk) {
	d.send("a")
	m := d.receive("a")[0]
	if err := d.hide(m, 20); err != nil {
		d.Fatalf("hide for longer: %v", err)
	}
	d.advance(19 * time.Second)
	d.receive()
	d.advance(time.Second)
	m = d.receive("a")[0]
	if err := d.hide(m, 0); err != nil {
		d.Fatalf("show again: %v", err)
	}
	m = d.receive("a")[0]
	wantCode(d.T, d.hide(m, 43201), "InvalidParameterValue")
}

func delays(d desk) {
	d.send("five")
	if _, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("nine"), DelaySeconds: 9}); err != nil {
		d.Fatalf("send with a delay: %v", err)
	}
	d.wantCounts(d.url, "0", "0", "2")
	d.receive()
	d.advance(5 * time.Second)
	d.wantCounts(d.url, "1", "0", "1")
	d.receive("five")
	d.advance(4 * time.Second)
	d.receive("nine")
	_, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("x"), DelaySeconds: 901})
	wantCode(d.T, err, "InvalidParameterValue")
}

func deadLetters(d desk) {
	dead := d.create("dead", nil)
	arn := d.attributes(dead)["QueueArn"]
	move := func() error {
		_, err := d.api.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn})
		return err
	}
	if move() == nil {
		d.Error("messages were moved out of a queue that is nobody's dead-letter queue")
	}
	policy := map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":2}`}
	if _, err := d.api.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.url, Attributes: policy}); err != nil {
		d.Fatalf("set the redrive policy: %v", err)
	}
	id := d.send("poison")
	for range 2 {
		d.receive("poison")
		d.receiveFrom(dead)
		d.advance(10 * time.Second)
	}
	d.receive()
	d.wantCounts(d.url, "0", "0", "0")
	d.wantCounts(dead, "1", "0", "0")
	if err := move(); err != nil {
		d.Fatalf("move the dead letters back: %v", err)
	}
	d.wantCounts(dead, "0", "0", "0")
	d.send("next")
	again := d.receive("poison", "next")[0]
	if n := again.Attributes["ApproximateReceiveCount"]; *again.MessageId == id || n != "1" {
		d.Errorf("moved back with id %s and receive count %s, want a new message", *again.MessageId, n)
	}
	d.advance(10 * time.Second)
	d.receive("poison", "next")
	d.advance(10 * time.Second)
	d.receive()
	if letter := d.receiveFrom(dead, "poison", "next")[0]; letter.Attributes["DeadLetterQueueSourceArn"] != d.attributes(d.url)["QueueArn"] {
		d.Errorf("the source of a dead letter is %q", letter.Attributes["DeadLetterQueueSourceArn"])
	}
}

func longPolling(d desk) {
	type result struct {
		messages []types.Message
		err      error
	}
	poll := func(wait int32) <-chan result {
		done := make(chan result, 1)
		go func() {
			m, err := d.poll(d.Context(), d.url, wait)
			done <- result{m, err}
		}()
		d.parked()
		return done
	}
	finish := func(done <-chan result, bodies ...string) {
		d.Helper()
		r := <-done
		if r.err != nil {
			d.Fatalf("long poll: %v", r.err)
		}
		d.wantBodies(r.messages, bodies...)
	}

	empty := poll(10)
	d.advance(9 * time.Second)
	select {
	case r := <-empty:
		d.Fatalf("a long poll of 10 s ended early with %v", r)
	default:
	}
	d.advance(time.Second)
	finish(empty)

	woken := poll(20)
	d.send("a")
	finish(woken, "a")

	// Hidden for 8 s: the poll must see it reappear within its 20 s.
	reappearing := poll(20)
	d.advance(8 * time.Second)
	finish(reappearing, "a")

	if _, err := d.api.SetQueueAttributes(d.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &d.url, Attributes: map[string]string{"ReceiveMessageWaitTimeSeconds": "3"}}); err != nil {
		d.Fatalf("set the wait time: %v", err)
	}
	ownWait := poll(0) // 0 is not sent, so the queue's own wait time counts
	d.advance(3 * time.Second)
	finish(ownWait)
}

func retention(d desk) {
	d.send("old")
	d.advance(59 * time.Second)
	d.send("new")
	d.wantCounts(d.url, "2", "0", "0")
	d.advance(time.Second)
	d.receive("new")
}

func purge(d desk) {
	d.send("a")
	d.send("b")
	if _, err := d.api.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: &d.url}); err != nil {
		d.Fatalf("purge: %v", err)
	}
	d.receive()
}
