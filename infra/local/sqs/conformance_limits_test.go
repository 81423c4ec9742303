package sqs_test

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const limit = 1 << 20 // of a message and of a batch, in bytes

func (d desk) trySend(body string, attributes map[string]types.MessageAttributeValue) error {
	_, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: &body, MessageAttributes: attributes})
	return err
}

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func messageSize(d desk) {
	if err := d.trySend(strings.Repeat("x", limit), nil); err != nil {
		d.Errorf("a message of 1 MiB: %v", err)
	}
	d.refused("a byte more", d.trySend(strings.Repeat("x", limit+1), nil), "InvalidParameterValue")
	d.refused("a byte more in two-byte letters", d.trySend(strings.Repeat("\u00e9", limit/2)+"x", nil), "InvalidParameterValue")
	// Attributes count too: name, type and value.
	trace := map[string]types.MessageAttributeValue{"trace": text("abc")}
	if err := d.trySend(strings.Repeat("x", limit-14), trace); err != nil {
		d.Errorf("1 MiB with attributes: %v", err)
	}
	d.refused("a byte more with attributes", d.trySend(strings.Repeat("x", limit-13), trace), "InvalidParameterValue")
	if err := d.set(map[string]string{"MaximumMessageSize": "1024"}); err != nil {
		d.Fatalf("set the limit: %v", err)
	}
	d.refused("more than the queue's own limit", d.trySend(strings.Repeat("x", 1025), nil), "InvalidParameterValue")
}

func messageText(d desk) {
	const allowed = "\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff"
	d.send(allowed)
	d.receive(allowed)
	for what, body := range map[string]string{"a bell": "bell \a", "U+FFFE": "x\ufffe", "U+FFFF": "x\uffff"} {
		d.refused(what, d.trySend(body, nil), "InvalidMessageContents")
	}
	d.refused("an empty body", d.trySend("", nil), "MissingParameter")
}

func messageAttributes(d desk) {
	many := map[string]types.MessageAttributeValue{}
	for i := range 11 {
		many[fmt.Sprint("a", i)] = text("x")
	}
	for what, attributes := range map[string]map[string]types.MessageAttributeValue{
		"eleven":             many,
		"an empty value":     {"a": text("")},
		"an unknown type":    {"a": {DataType: aws.String("Text"), StringValue: aws.String("x")}},
		"a value of another": {"a": {DataType: aws.String("Binary"), StringValue: aws.String("x")}},
	} {
		d.refused(what, d.trySend("x", attributes), "InvalidParameterValue")
	}
	delete(many, "a10")
	if err := d.trySend("ten", many); err != nil {
		d.Errorf("ten attributes: %v", err)
	}
}

func receiveLimits(d desk) {
	for what, in := range map[string]sqs.ReceiveMessageInput{
		"11 messages": {MaxNumberOfMessages: 11}, "-1 messages": {MaxNumberOfMessages: -1},
		"a wait of 21 s": {WaitTimeSeconds: 21}, "12 hours hidden": {VisibilityTimeout: 43201},
	} {
		in.QueueUrl = &d.url
		_, err := d.api.ReceiveMessage(d.Context(), &in)
		d.refused(what, err, "InvalidParameterValue")
	}
}

func plainReceive(d desk) {
	for range 3 {
		if err := d.trySend("a", map[string]types.MessageAttributeValue{"n": text("x")}); err != nil {
			d.Fatalf("send: %v", err)
		}
	}
	out, err := d.api.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: &d.url})
	if err != nil || len(out.Messages) != 1 {
		d.Fatalf("received %v, %v; want one message", out, err)
	}
	if m := out.Messages[0]; len(m.MessageAttributes) != 0 || m.MD5OfMessageAttributes != nil {
		d.Errorf("received attributes %v with MD5 %q", m.MessageAttributes, aws.ToString(m.MD5OfMessageAttributes))
	}
	if m := out.Messages[0]; len(m.Attributes) != 0 {
		d.Errorf("received attributes of the service %v", m.Attributes)
	}
}

func entries(n int) []types.SendMessageBatchRequestEntry {
	var all []types.SendMessageBatchRequestEntry
	for i := range n {
		all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(string(rune('a' + i))), MessageBody: aws.String("x")})
	}
	return all
}

func batchLimits(d desk) {
	same, named, long := entries(2), entries(1), entries(2)
	same[1].Id, named[0].Id = same[0].Id, aws.String("a b")
	long[0].MessageBody = aws.String(strings.Repeat("x", limit))
	for code, batch := range map[string][]types.SendMessageBatchRequestEntry{
		"EmptyBatchRequest":            {},
		"TooManyEntriesInBatchRequest": entries(11),
		"BatchEntryIdsNotDistinct":     same,
		"InvalidBatchEntryId":          named,
		"BatchRequestTooLong":          long,
	} {
		_, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: batch})
		d.refused(code, err, "AWS.SimpleQueueService."+code)
	}
	d.wantCounts(d.url, "0", "0", "0")
	out, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: entries(10)})
	if err != nil || len(out.Successful) != 10 {
		d.Errorf("batch of ten: %v, %v", out, err)
	}
}

func sendInPart(d desk) {
	sent, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("one"), MessageBody: aws.String("a")},
		{Id: aws.String("two"), MessageBody: aws.String("bell \a")},
		{Id: aws.String("three"), MessageBody: aws.String("c")},
	}})
	if err != nil || len(sent.Successful) != 2 || len(sent.Failed) != 1 ||
		*sent.Failed[0].Id != "two" || *sent.Failed[0].Code != "InvalidMessageContents" || !sent.Failed[0].SenderFault {
		d.Errorf("sent %d, refused %d, %v; want only the second refused", len(sent.Successful), len(sent.Failed), err)
	}
	d.receive("a", "c")
}

func sendDelayedInPart(d desk) {
	sent, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("one"), MessageBody: aws.String("a")},
		{Id: aws.String("two"), MessageBody: aws.String("b"), DelaySeconds: 901},
	}})
	if err != nil || len(sent.Successful) != 1 || len(sent.Failed) != 1 || *sent.Failed[0].Id != "two" || *sent.Failed[0].Code != "InvalidParameterValue" {
		d.Errorf("sent %+v, %v; want only the second refused", sent, err)
	}
}
