package sqs_test

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func messageLimits(d desk) {
	const limit = 1 << 20
	d.send(strings.Repeat("x", limit))
	for code, body := range map[string]string{
		"InvalidParameterValue":  strings.Repeat("x", limit+1),
		"InvalidMessageContents": "bell \a",
		"MissingParameter":       "",
	} {
		_, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: &d.url, MessageBody: aws.String(body)})
		wantCode(d.T, err, code)
	}
	// Attributes count too.
	_, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{
		QueueUrl: &d.url, MessageBody: aws.String(strings.Repeat("x", limit-10)),
		MessageAttributes: map[string]types.MessageAttributeValue{"trace": {DataType: aws.String("String"), StringValue: aws.String("abc")}},
	})
	wantCode(d.T, err, "InvalidParameterValue")
	d.wantCounts(d.url, "1", "0", "0")
}

func receiveLimits(d desk) {
	for _, in := range []sqs.ReceiveMessageInput{
		{MaxNumberOfMessages: 11}, {WaitTimeSeconds: 21}, {VisibilityTimeout: 43201}, {MaxNumberOfMessages: -1},
	} {
		in.QueueUrl = &d.url
		_, err := d.api.ReceiveMessage(d.Context(), &in)
		wantCode(d.T, err, "InvalidParameterValue")
	}
	for range 3 {
		d.send("a")
	}
	out, err := d.api.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: &d.url})
	if err != nil || len(out.Messages) != 1 || len(out.Messages[0].Attributes) != 0 {
		d.Errorf("received %v, %v; want one message without attributes", out, err)
	}
}

func batchLimits(d desk) {
	entries := func(n int) []types.SendMessageBatchRequestEntry {
		var all []types.SendMessageBatchRequestEntry
		for i := range n {
			all = append(all, types.SendMessageBatchRequestEntry{Id: aws.String(string(rune('a' + i))), MessageBody: aws.String("x")})
		}
		return all
	}
	same, named, long := entries(2), entries(1), entries(2)
	same[1].Id, named[0].Id = same[0].Id, aws.String("a b")
	long[0].MessageBody = aws.String(strings.Repeat("x", 1<<20))
	for code, batch := range map[string][]types.SendMessageBatchRequestEntry{
		"EmptyBatchRequest":            {},
		"TooManyEntriesInBatchRequest": entries(11),
		"BatchEntryIdsNotDistinct":     same,
		"InvalidBatchEntryId":          named,
		"BatchRequestTooLong":          long,
	} {
		_, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: batch})
		wantCode(d.T, err, "AWS.SimpleQueueService."+code)
	}
	d.wantCounts(d.url, "0", "0", "0")
	out, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: entries(10)})
	if err != nil || len(out.Successful) != 10 {
		d.Errorf("batch of ten: %v, %v", out, err)
	}
}

func batchInPart(d desk) {
	sent, err := d.api.SendMessageBatch(d.Context(), &sqs.SendMessageBatchInput{QueueUrl: &d.url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("one"), MessageBody: aws.String("a")},
		{Id: aws.String("two"), MessageBody: aws.String("bell \a")},
		{Id: aws.String("three"), MessageBody: aws.String("c")},
	}})
	if err != nil || len(sent.Successful) != 2 || len(sent.Failed) != 1 ||
		*sent.Failed[0].Id != "two" || *sent.Failed[0].Code != "InvalidMessageContents" || !sent.Failed[0].SenderFault {
		d.Fatalf("sent %+v, %v; want only the second refused", sent, err)
	}
	got := d.receive("a", "c")
	bad := aws.String("no receipt")
	hidden, err := d.api.ChangeMessageVisibilityBatch(d.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &d.url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("one"), ReceiptHandle: got[0].ReceiptHandle, VisibilityTimeout: 30},
		{Id: aws.String("two"), ReceiptHandle: bad, VisibilityTimeout: 30},
	}})
	if err != nil || len(hidden.Successful) != 1 || len(hidden.Failed) != 1 || *hidden.Failed[0].Id != "two" {
		d.Errorf("hidden %+v, %v; want only the second refused", hidden, err)
	}
	d.advance(10 * time.Second)
	got = append(d.receive("c"), got[0])
	deleted, err := d.api.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &d.url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("one"), ReceiptHandle: got[0].ReceiptHandle},
		{Id: aws.String("two"), ReceiptHandle: bad},
		{Id: aws.String("three"), ReceiptHandle: got[1].ReceiptHandle},
	}})
	if err != nil || len(deleted.Successful) != 2 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		d.Errorf("deleted %+v, %v; want only the second refused", deleted, err)
	}
	d.wantCounts(d.url, "0", "0", "0")
}
