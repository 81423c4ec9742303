package entry

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"workerpool/shared/telemetry"
)

// Message is one message of a queue.
type Message struct {
	ID       string
	Body     string
	Receives int // times it was delivered, this time included; 0 = not said
}

// Failed is a message that must be delivered again, and why.
type Failed struct {
	ID  string
	Err error
}

// together makes one look of the messages that parse lets pass.
func together(parse func(body string) error, look func(ctx context.Context) error) func(context.Context, []Message) []Failed {
	return func(ctx context.Context, messages []Message) (failed []Failed) {
		for _, m := range messages {
			if err := parse(m.Body); err != nil {
				failed = append(failed, Failed{ID: m.ID, Err: err})
			}
		}
		if len(failed) == len(messages) {
			return failed
		}
		if err := look(ctx); err != nil {
			failed = nil
			for _, m := range messages {
				failed = append(failed, Failed{ID: m.ID, Err: err})
			}
		}
		return failed
	}
}

// receive adapts a function to events. The error is always nil: it would stand
// for the whole event, as does an id that the event does not have.
func receive(take func(context.Context, []Message) []Failed) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		ctx, cancel := begin(ctx, "")
		defer cancel()
		messages := make([]Message, len(event.Records))
		receives := map[string]int{}
		for i, r := range event.Records {
			count, _ := strconv.Atoi(r.Attributes["ApproximateReceiveCount"]) // absent is 0
			messages[i] = Message{ID: r.MessageId, Body: r.Body, Receives: count}
			receives[r.MessageId] = count
		}
		var failed []Failed
		err := guard(ctx, func() error {
			failed = take(ctx, messages)
			return nil
		})
		if err != nil {
			failed = nil
			for _, m := range messages {
				failed = append(failed, Failed{ID: m.ID, Err: err})
			}
		}
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, f := range failed {
			slog.ErrorContext(ctx, "message failed",
				telemetry.KeyMessage, f.ID, telemetry.KeyAttempt, receives[f.ID], telemetry.KeyError, f.Err)
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: f.ID})
		}
		return out, nil
	}
}
