package sqs_test

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func visibility(d desk) {
	id := d.send("a")
	first := d.receive("a")[0]
	d.receive()
	d.wantCounts(d.url, "0", "1", "0")
	d.almost(3 * time.Second)
	d.receive()
	d.rest(3 * time.Second)
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
		d.Errorf("the time of the first receive moved")
	}
	d.delete(second)
	d.almost(3 * time.Second)
	d.rest(3 * time.Second)
	d.receive()
}

// staleReceipt: who has an old receipt does not delete what another has received since.
func staleReceipt(d desk) {
	d.send("a")
	stale := d.receive("a")[0]
	d.almost(3 * time.Second)
	d.rest(3 * time.Second)
	current := d.receive("a")[0]
	if err := d.remove(*stale.ReceiptHandle); err != nil {
		d.Errorf("delete by the old receipt: %v, want success", err)
	}
	d.wantCounts(d.url, "0", "1", "0")
	d.delete(current)
	d.wantCounts(d.url, "0", "0", "0")
}

// lateReceipt: nobody has received it since.
func lateReceipt(d desk) {
	d.send("a")
	late := d.receive("a")[0]
	d.almost(3 * time.Second)
	d.rest(3 * time.Second)
	d.wantCounts(d.url, "1", "0", "0")
	d.refused("visibility after its time", d.hide(late, 60), "AWS.SimpleQueueService.MessageNotInflight")
	d.delete(late)
	d.wantCounts(d.url, "0", "0", "0")
}

func spentReceipt(d desk) {
	d.send("a")
	spent := d.receive("a")[0]
	d.delete(spent)
	if err := d.remove(*spent.ReceiptHandle); err != nil {
		d.Errorf("deleted once more: %v, want success", err)
	}
	d.refused("visibility of what was deleted", d.hide(spent, 60), "InvalidParameterValue")
}

func noReceipt(d desk) {
	d.refused("delete", d.remove("no receipt"), "ReceiptHandleIsInvalid")
	d.refused("visibility", d.hide(types.Message{ReceiptHandle: aws.String("no receipt")}, 60), "ReceiptHandleIsInvalid")
}

func changedVisibility(d desk) {
	d.send("a")
	m := d.receive("a")[0]
	if err := d.hide(m, 6); err != nil {
		d.Fatalf("hide for longer: %v", err)
	}
	d.almost(6 * time.Second)
	d.receive()
	d.rest(6 * time.Second)
	m = d.receive("a")[0]
	if err := d.hide(m, 0); err != nil {
		d.Fatalf("show again: %v", err)
	}
	m = d.receive("a")[0]
	d.refused("visibility of more than 12 hours", d.hide(m, 43201), "InvalidParameterValue")
}

// visibilityOfReceive: the time a receive asks for goes before the queue's, 0 too.
func visibilityOfReceive(d desk) {
	d.send("a")
	for range 2 {
		got, err := d.api.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: &d.url, VisibilityTimeout: 2})
		if err != nil {
			d.Fatalf("receive: %v", err)
		}
		d.wantBodies(got.Messages, "a")
		d.receive()
		d.almost(2 * time.Second)
		d.receive()
		d.rest(2 * time.Second)
	}
	d.receive("a")
}

func hideInPart(d desk) {
	d.send("a")
	m := d.receive("a")[0]
	hidden, err := d.api.ChangeMessageVisibilityBatch(d.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &d.url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: aws.String("one"), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 30},
		{Id: aws.String("two"), ReceiptHandle: aws.String("no receipt"), VisibilityTimeout: 30},
	}})
	if err != nil || len(hidden.Successful) != 1 || len(hidden.Failed) != 1 || *hidden.Failed[0].Id != "two" || *hidden.Failed[0].Code != "ReceiptHandleIsInvalid" {
		d.Errorf("hidden %+v, %v; want only the second refused", hidden, err)
	}
	d.almost(3 * time.Second)
	d.rest(3 * time.Second)
	d.receive()
}

func deleteInPart(d desk) {
	d.send("a")
	d.send("b")
	got := d.receive("a", "b")
	deleted, err := d.api.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &d.url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("one"), ReceiptHandle: got[0].ReceiptHandle},
		{Id: aws.String("two"), ReceiptHandle: aws.String("no receipt")},
		{Id: aws.String("three"), ReceiptHandle: got[1].ReceiptHandle},
	}})
	if err != nil || len(deleted.Successful) != 2 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" || !deleted.Failed[0].SenderFault {
		d.Errorf("deleted %+v, %v; want only the second refused", deleted, err)
	}
	d.wantCounts(d.url, "0", "0", "0")
}
