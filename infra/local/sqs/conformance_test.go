package sqs_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"workerpool/test/oracle"
)

const noQueue = "AWS.SimpleQueueService.NonExistentQueue"

var brief = map[string]string{"VisibilityTimeout": "3"} // how long a case waits where time is real

// conformance is what any implementation of SQS must do; each case has a queue.
var conformance = cases{
	{"a queue made again", nil, madeAgain},
	{"names of queues", nil, names},
	{"a queue by its name", nil, byName},
	{"lists of queues", nil, lists},
	{"attributes of a queue", nil, attributes},
	{"wrong attributes of a queue", nil, wrongAttributes},
	{"no such queue", nil, noSuchQueue},
	{"a message travels whole", nil, travelsWhole},
	{"visibility and receive counts", brief, visibility},
	{"a receipt of an earlier receive", brief, staleReceipt},
	{"a receipt after its time", brief, lateReceipt},
	{"a receipt after the delete", brief, spentReceipt},
	{"no receipt", nil, noReceipt},
	{"visibility changed", brief, changedVisibility},
	{"visibility of one receive", nil, visibilityOfReceive},
	{"delays", map[string]string{"DelaySeconds": "3"}, delays},
	{"dead letters", map[string]string{"VisibilityTimeout": "1"}, deadLetters},
	{"dead letters moved back", map[string]string{"VisibilityTimeout": "1"}, movedBack},
	{"move from no dead-letter queue", nil, moveFromAnother},
	{"a long poll without a message", nil, emptyPoll},
	{"a long poll and a send", nil, wokenPoll},
	{"a long poll and a hidden message", brief, reappearing},
	{"a queue's own wait", map[string]string{"ReceiveMessageWaitTimeSeconds": "2"}, ownWait},
	{"purge", nil, purge},
	{"size of a message", nil, messageSize},
	{"characters of a message", nil, messageText},
	{"attributes of a message", nil, messageAttributes},
	{"limits of a receive", nil, receiveLimits},
	{"a receive that asks for nothing", nil, plainReceive},
	{"limits of a batch", nil, batchLimits},
	{"a batch of sends fails in part", nil, sendInPart},
	{"a batch of sends with a wrong delay", nil, sendDelayedInPart},
	{"a batch of changes fails in part", brief, hideInPart},
	{"a batch of deletes fails in part", nil, deleteInPart},
	{"the pool's ring", nil, ring},
	{"Lambda's poller", brief, poller},
}

type cases []struct {
	name       string
	attributes map[string]string // of the queue
	check      func(desk)
}

func (all cases) list() []oracle.Case[endpoint] {
	var out []oracle.Case[endpoint]
	for _, c := range all {
		out = append(out, oracle.Case[endpoint]{Name: c.name, Check: func(t testing.TB, e endpoint) { c.check(open(t, e, c.attributes)) }})
	}
	return out
}

var standIn = oracle.Side[endpoint]{Name: "ours", Open: func(t testing.TB, _ string) endpoint { return ours(t, nil) }}

func TestConformance(t *testing.T) { oracle.Run(t, conformance.list(), standIn) }

func madeAgain(d desk) {
	if again := d.create("rings", map[string]string{"VisibilityTimeout": "30"}); again != d.url {
		d.Errorf("created again: %s, want %s", again, d.url)
	}
	_, err := d.api.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: aws.String(d.prefix + "rings"), Attributes: map[string]string{"VisibilityTimeout": "31"}})
	d.refused("created otherwise", err, "QueueAlreadyExists")
}

func names(d desk) {
	for what, name := range map[string]string{"a space": "a b", "a dot": "a.b", "81 letters": strings.Repeat("a", 81)} {
		_, err := d.api.CreateQueue(d.Context(), &sqs.CreateQueueInput{QueueName: &name})
		d.refused(what, err, "InvalidParameterValue")
	}
}

func byName(d desk) {
	got, err := d.api.GetQueueUrl(d.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(d.prefix + "rings")})
	if err != nil || *got.QueueUrl != d.url {
		d.Errorf("url by name: %v, %v; want %s", got, err, d.url)
	}
	_, err = d.api.GetQueueUrl(d.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(d.prefix + "none")})
	d.refused("a name of none", err, noQueue)
	var typed *types.QueueDoesNotExist
	var response *awshttp.ResponseError
	if !errors.As(err, &typed) || !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusBadRequest {
		d.Errorf("error %v is no QueueDoesNotExist with status 400", err)
	}
}

func lists(d desk) {
	other := d.create("bells", nil)
	for prefix, want := range map[string][]string{"": {other, d.url}, "be": {other}, "none": nil} {
		list, err := d.api.ListQueues(d.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String(d.prefix + prefix)})
		if err != nil {
			d.Fatalf("list: %v", err)
		}
		slices.Sort(list.QueueUrls) // no order is promised
		if !slices.Equal(list.QueueUrls, want) {
			d.Errorf("list of %s*: %v, want %v", prefix, list.QueueUrls, want)
		}
	}
}

func attributes(d desk) {
	if a := d.attributes(d.url); a["VisibilityTimeout"] != "30" || a["MessageRetentionPeriod"] != "345600" ||
		a["DelaySeconds"] != "0" || a["ReceiveMessageWaitTimeSeconds"] != "0" || a["SqsManagedSseEnabled"] != "true" || a["QueueArn"] == "" {
		d.Errorf("attributes of a new queue: %v", a)
	}
	if size := d.attributes(d.url)["MaximumMessageSize"]; size != "1048576" {
		d.Errorf("a new queue takes messages of %s bytes, want 1048576", size)
	}
	if err := d.set(map[string]string{"VisibilityTimeout": "77"}); err != nil {
		d.Fatalf("set attributes: %v", err)
	}
	if a := d.attributes(d.url); a["VisibilityTimeout"] != "77" || a["MessageRetentionPeriod"] != "345600" {
		d.Errorf("attributes after the change: %v", a)
	}
	out, err := d.api.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &d.url, AttributeNames: []types.QueueAttributeName{"DelaySeconds", "RedrivePolicy"}})
	if err != nil || len(out.Attributes) != 1 || out.Attributes["DelaySeconds"] != "0" {
		d.Errorf("asked for two attributes, one of them not set: %v, %v", out, err)
	}
	_, err = d.api.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &d.url, AttributeNames: []types.QueueAttributeName{"Visibility"}})
	d.refused("asked for an unknown attribute", err, "InvalidAttributeName")
}

func wrongAttributes(d desk) {
	d.refused("unknown name", d.set(map[string]string{"Visibility": "77"}), "InvalidAttributeName")
	for name, values := range map[string][]string{
		"VisibilityTimeout": {"43201", "-1", "x"}, "MessageRetentionPeriod": {"59", "1209601"}, "DelaySeconds": {"901"},
		"MaximumMessageSize": {"1023", "1048577"}, "ReceiveMessageWaitTimeSeconds": {"21"},
	} {
		for _, value := range values {
			d.refused(name+" "+value, d.set(map[string]string{name: value}), "InvalidAttributeValue")
		}
	}
	none := `{"deadLetterTargetArn":"` + d.attributes(d.url)["QueueArn"] + `-none","maxReceiveCount":2}`
	if d.set(map[string]string{"RedrivePolicy": none}) == nil {
		d.Errorf("dead letters to no queue: taken")
	}
	if a := d.attributes(d.url); a["DelaySeconds"] != "0" || a["RedrivePolicy"] != "" {
		d.Errorf("attributes after refused changes: %v", a)
	}
}

// noSuchQueue is what a pool hears whose queue was deleted.
func noSuchQueue(d desk) {
	url, receipt := aws.String(d.url+"-none"), aws.String("r")
	_, err := d.api.SendMessage(d.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("x")})
	d.refused("send", err, noQueue)
	_, err = d.api.ReceiveMessage(d.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
	d.refused("receive", err, noQueue)
	_, err = d.api.DeleteMessage(d.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: receipt})
	d.refused("delete", err, noQueue)
	_, err = d.api.DeleteMessageBatch(d.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{{Id: receipt, ReceiptHandle: receipt}}})
	d.refused("batch of deletes", err, noQueue)
	_, err = d.api.ChangeMessageVisibility(d.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: receipt})
	d.refused("change of visibility", err, noQueue)
	_, err = d.api.GetQueueAttributes(d.Context(), &sqs.GetQueueAttributesInput{QueueUrl: url})
	d.refused("attributes", err, noQueue)
	_, err = d.api.PurgeQueue(d.Context(), &sqs.PurgeQueueInput{QueueUrl: url})
	d.refused("purge", err, noQueue)
}
