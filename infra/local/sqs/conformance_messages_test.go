package sqs_test

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func travelsWhole(d desk) {
	const body = "{\"ring\":1}\t\u00e9\U0001F514"
	sent, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{
		QueueUrl: &d.url, MessageBody: aws.String(body),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"trace": {DataType: aws.String("String"), StringValue: aws.String("abc")},
			"n":     {DataType: aws.String("Number.int"), StringValue: aws.String("42")},
			"raw":   {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")},
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
	if m.Attributes["SenderId"] == "" || !strings.HasPrefix(m.Attributes["AWSTraceHeader"], "Root=1-") {
		d.Errorf("attributes of the service: %v", m.Attributes)
	}
	d.delete(m)
	d.wantCounts(d.url, "0", "0", "0")
}

func delays(d desk) {
	d.send("three")
	if _, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("six"), DelaySeconds: 6}); err != nil {
		d.Fatalf("send with a delay: %v", err)
	}
	d.almost(3 * time.Second)
	d.wantCounts(d.url, "0", "0", "2")
	d.receive()
	d.rest(3 * time.Second)
	d.wantCounts(d.url, "1", "0", "1")
	d.receive("three")
	d.almost(3 * time.Second)
	d.receive()
	d.rest(3 * time.Second)
	d.receive("six")
	_, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String("x"), DelaySeconds: 901})
	d.refused("delay of 901 s", err, "InvalidParameterValue")
}

// letterBox makes a queue for the dead letters of the desk's queue: for what was
// received as often as most says.
func letterBox(d desk, most string) (url, arn string) {
	url = d.create("dead", nil)
	arn = d.attributes(url)["QueueArn"]
	if err := d.set(map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":` + most + `}`}); err != nil {
		d.Fatalf("set the redrive policy: %v", err)
	}
	return url, arn
}

func deadLetters(d desk) {
	dead, _ := letterBox(d, "2")
	id := d.send("poison")
	first := d.receive("poison")[0]
	d.receiveFrom(dead)
	d.almost(time.Second)
	d.rest(time.Second)
	d.receive("poison")
	d.almost(time.Second)
	d.rest(time.Second)
	d.wantCounts(dead, "0", "0", "0") // it goes when it would be received once more
	d.receive()
	d.wantCounts(d.url, "0", "0", "0")
	d.wantCounts(dead, "1", "0", "0")
	letter := d.receiveFrom(dead, "poison")[0]
	if *letter.MessageId != id || letter.Attributes["SentTimestamp"] != first.Attributes["SentTimestamp"] {
		d.Errorf("the dead letter %s of %s is not the message %s of %s", *letter.MessageId, letter.Attributes["SentTimestamp"], id, first.Attributes["SentTimestamp"])
	}
	if n := letter.Attributes["ApproximateReceiveCount"]; n != "3" {
		d.Errorf("receive count of the dead letter %s, want 3", n)
	}
	if source := letter.Attributes["DeadLetterQueueSourceArn"]; source != d.attributes(d.url)["QueueArn"] {
		d.Errorf("source of the dead letter %q", source)
	}
}

func movedBack(d desk) {
	dead, arn := letterBox(d, `"1"`)
	id := d.send("poison")
	d.receive("poison")
	d.almost(time.Second)
	d.rest(time.Second)
	d.receive()
	d.wantCounts(dead, "1", "0", "0")
	if _, err := d.api.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		d.Fatalf("move the dead letters back: %v", err)
	}
	d.wait(func() bool { return d.attributes(dead)["ApproximateNumberOfMessages"] == "0" })
	again := d.receive("poison")[0]
	if *again.MessageId == id {
		d.Errorf("moved back under its old id")
	}
	if n := again.Attributes["ApproximateReceiveCount"]; n != "1" {
		d.Errorf("receive count of what was moved back %s, want 1", n)
	}
}

func moveFromAnother(d desk) {
	arn := d.attributes(d.url)["QueueArn"]
	_, err := d.api.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn})
	d.refused("out of nobody's dead-letter queue", err, "InvalidParameterValue")
	_, err = d.api.StartMessageMoveTask(d.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn + "-none")})
	d.refused("out of no queue", err, "ResourceNotFoundException")
}

type polled struct {
	messages []types.Message
	err      error
}

// startPoll polls the queue in the background, from before it returns on.
func (d desk) startPoll(wait int32) <-chan polled {
	done := make(chan polled, 1)
	go func() {
		m, err := d.poll(d.Context(), d.url, wait)
		done <- polled{m, err}
	}()
	d.parked()
	return done
}

func (d desk) finishPoll(done <-chan polled, bodies ...string) {
	d.Helper()
	r := <-done
	if r.err != nil {
		d.Fatalf("long poll: %v", r.err)
	}
	d.wantBodies(r.messages, bodies...)
}

func (d desk) wantPolling(done <-chan polled) {
	d.Helper()
	select {
	case r := <-done:
		d.Fatalf("a long poll ended early with %v", r)
	default:
	}
}

func emptyPoll(d desk) {
	empty := d.startPoll(3)
	d.almost(3 * time.Second)
	d.wantPolling(empty)
	d.rest(3 * time.Second)
	d.finishPoll(empty)
}

func wokenPoll(d desk) {
	woken := d.startPoll(20)
	d.send("a")
	d.finishPoll(woken, "a")
}

// reappearing: hidden for 3 s, seen by a poll of 20 s.
func reappearing(d desk) {
	d.send("a")
	d.receive("a")
	poll := d.startPoll(20)
	d.almost(3 * time.Second)
	d.wantPolling(poll)
	d.rest(3 * time.Second)
	d.finishPoll(poll, "a")
}

func ownWait(d desk) {
	own := d.startPoll(0) // 0 is not sent, so the queue's own wait time counts
	d.almost(2 * time.Second)
	d.wantPolling(own)
	d.rest(2 * time.Second)
	d.finishPoll(own)
}

func purge(d desk) {
	d.send("a")
	d.receive("a")
	d.send("b")
	if _, err := d.api.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: &d.url}); err != nil {
		d.Fatalf("purge: %v", err)
	}
	d.wantCounts(d.url, "0", "0", "0")
	d.receive()
}
