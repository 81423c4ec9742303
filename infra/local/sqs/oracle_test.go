//go:build oracle

package sqs_test

import (
	"strings"
	"testing"
	"time"

	"workerpool/test/oracle"
)

// TestOracle runs the suite against moto's server too.
func TestOracle(t *testing.T) {
	moto := "http://" + oracle.Start(t, "moto_server", func(host, port string) []string { return []string{"-H", host, "-p", port} })
	oracle.Run(t, conformance.list(), standIn, oracle.Side[endpoint]{
		Name: "moto",
		Open: func(_ testing.TB, name string) endpoint {
			return endpoint{
				url: moto, prefix: prefix(name),
				almost: func(d time.Duration) { time.Sleep(d / 3) },
				rest:   func(d time.Duration) { time.Sleep(d - d/3 + 100*time.Millisecond) },
				parked: func() { time.Sleep(200 * time.Millisecond) },
			}
		},
		Known: ofMoto,
	})
}

// prefix gives each case queues of its own.
func prefix(name string) string {
	letters := func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}
	return strings.Map(letters, strings.ToLower(name)) + "_"
}

// ofMoto is what moto 5.2.5 does otherwise than AWS. Where AWS's pages leave it
// open, what was seen of AWS stands for them.
var ofMoto = oracle.Known([][3]string{
	{"wrong attributes of a queue", "unknown name: taken", "SetQueueAttributes, InvalidAttributeName: the specified attribute doesn't exist"},
	{"wrong attributes of a queue", "VisibilityTimeout 43201: taken", "SetQueueAttributes, VisibilityTimeout: an integer from 0 to 43,200"},
	{"wrong attributes of a queue", "VisibilityTimeout -1: taken", "SetQueueAttributes, VisibilityTimeout: an integer from 0 to 43,200"},
	{"wrong attributes of a queue", "VisibilityTimeout x: operation error SQS: SetQueueAttributes, https response error StatusCode: 500", "SetQueueAttributes, InvalidAttributeValue: a queue attribute value is invalid"},
	{"wrong attributes of a queue", "MessageRetentionPeriod 59: taken", "SetQueueAttributes, MessageRetentionPeriod: an integer from 60 to 1,209,600"},
	{"wrong attributes of a queue", "MessageRetentionPeriod 1209601: taken", "SetQueueAttributes, MessageRetentionPeriod: an integer from 60 to 1,209,600"},
	{"wrong attributes of a queue", "DelaySeconds 901: taken", "SetQueueAttributes, DelaySeconds: an integer from 0 to 900"},
	{"wrong attributes of a queue", "MaximumMessageSize 1023: taken", "SetQueueAttributes, MaximumMessageSize: an integer from 1,024 to 1,048,576"},
	{"wrong attributes of a queue", "MaximumMessageSize 1048577: taken", "SetQueueAttributes, MaximumMessageSize: an integer from 1,024 to 1,048,576"},
	{"wrong attributes of a queue", "ReceiveMessageWaitTimeSeconds 21: taken", "SetQueueAttributes, ReceiveMessageWaitTimeSeconds: an integer from 0 to 20"},
	{"wrong attributes of a queue", "attributes after refused changes", "SetQueueAttributes, InvalidAttributeValue: what is refused is not set"},
	{"a receipt of an earlier receive", "visible, in flight, delayed: [0 0 0]", "DeleteMessage: with an old ReceiptHandle the request will succeed, but the message might not be deleted"},
	{"a receipt after its time", "visibility after its time: taken", "ChangeMessageVisibility, MessageNotInflight: the specified message isn't in flight"},
	{"a receipt after the delete", "code ReceiptHandleIsInvalid", "seen of AWS (aws-sdk-net issue 1927): InvalidParameterValue, message does not exist or is not available for visibility timeout change"},
	{"dead letters", `source of the dead letter ""`, "ReceiveMessage, MessageSystemAttributeNames: DeadLetterQueueSourceArn is among All"},
	{"dead letters moved back", "StatusCode: 500", "StartMessageMoveTask: moves messages from a dead-letter queue to their source queue"},
	{"move from no dead-letter queue", "out of nobody's dead-letter queue: operation error SQS: StartMessageMoveTask, https response error StatusCode: 500", "StartMessageMoveTask, SourceArn: only ARNs of dead-letter queues are accepted"},
	{"move from no dead-letter queue", "out of no queue: operation error SQS: StartMessageMoveTask, https response error StatusCode: 500", "StartMessageMoveTask, ResourceNotFoundException: one or more specified resources don't exist"},
	{"size of a message", "a byte more in two-byte letters: taken", "SendMessage, MessageBody: the maximum size is 1 MiB or 1,048,576 bytes (not characters)"},
	{"size of a message", "a byte more with attributes: taken", "Developer Guide, message metadata: name, type and value are part of the message size restriction"},
	{"characters of a message", "a bell: taken", "SendMessage: characters outside the allowed set are answered with InvalidMessageContents"},
	{"characters of a message", "U+FFFE: taken", "SendMessage: characters are allowed up to #xFFFD and from #x10000"},
	{"characters of a message", "U+FFFF: taken", "SendMessage: characters are allowed up to #xFFFD and from #x10000"},
	{"characters of a message", "an empty body: taken", "SendMessage, MessageBody: the minimum size is one character"},
	{"attributes of a message", "eleven: taken", "Developer Guide, message metadata: each message can have up to 10 attributes"},
	{"attributes of a message", "an empty value: taken", "MessageAttributeValue: name, type, value and the message body must not be empty or null"},
	{"attributes of a message", "a value of another: taken", "MessageAttributeValue, BinaryValue: binary type attributes can store any binary data (a Binary has no StringValue)"},
	{"a batch of sends fails in part", "sent 3, refused 0", "SendMessage: characters outside the allowed set are answered with InvalidMessageContents"},
	{"a batch of sends fails in part", `"bell \a" "c"], want`, "SendMessageBatch, Failed: an entry that is not sent is not in the queue"},
})
