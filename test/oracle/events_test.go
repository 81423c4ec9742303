//go:build oracle

package oracle_test

import (
	"context"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"workerpool/infra/local/apigw"
	"workerpool/infra/local/esm"
	"workerpool/infra/local/lambda"
	"workerpool/infra/local/schedule"
	"workerpool/test/oracle"
)

// TestOracle compares what the stand-ins give to functions with the samples of
// the SAM CLI, field by field.
func TestOracle(t *testing.T) {
	for name, c := range map[string]struct {
		sample string // arguments of sam local generate-event
		ours   func(*testing.T) []byte
		free   []string
		known  map[string]string // difference and reason
	}{
		"HTTP API": {"apigateway http-api-proxy", httpEvent,
			[]string{".headers", ".queryStringParameters", ".pathParameters"}, map[string]string{
				".requestContext.authentication: in the sample only": "only with mutual TLS",
				".requestContext.authorizer: in the sample only":     "only with an authorizer; the functions check tokens themselves",
				".stageVariables: in the sample only":                "only where a stage has some; template.yaml has none",
			}},
		"SQS": {"sqs receive-message", queueEvent, []string{".Records[].attributes"}, map[string]string{
			".Records[].md5OfMessageAttributes: here only": "aws-lambda-go writes it always, AWS with message attributes only",
		}},
		"schedule": {"cloudwatch scheduled-event", scheduledEvent, nil, map[string]string{
			".detail: object in the sample, string here": `the sample is of an EventBridge rule; EventBridge Scheduler sends the text "{}"`,
			".version: here only":                        "in AWS's event structure (EventBridge User Guide), not in the sample",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sam", append([]string{"local", "generate-event"}, strings.Fields(c.sample)...)...)
			cmd.Env = append(cmd.Environ(), "SAM_CLI_TELEMETRY=0")
			sample, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", cmd, err)
			}
			got, err := oracle.Shape(sample, c.ours(t), c.free...)
			if want := slices.Sorted(maps.Keys(c.known)); err != nil || !slices.Equal(got, want) {
				t.Errorf("differences %q, %v; known are %q", got, err, want)
			}
		})
	}
}

// keeper is a function that keeps its event.
type keeper chan []byte

func (k keeper) invoke(_ context.Context, _ string, event []byte) (lambda.Result, error) {
	k <- event
	return lambda.Result{Payload: []byte("{}")}, nil
}

func httpEvent(t *testing.T) []byte {
	k := make(keeper, 1)
	front, err := apigw.New(apigw.Config{
		Routes: []apigw.Route{{Method: "POST", Path: "/works/{id}", Function: "submit"}}, Invoke: k.invoke, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/works/7?a=1&a=2", strings.NewReader("x"))
	r.Header.Set("Cookie", "a=1; b=2")
	front.ServeHTTP(httptest.NewRecorder(), r)
	return <-k
}

// inbox has one message.
type inbox chan types.Message

func (q inbox) ReceiveMessage(ctx context.Context, _ *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	select {
	case m := <-q:
		return &sqs.ReceiveMessageOutput{Messages: []types.Message{m}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (inbox) DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	return &sqs.DeleteMessageBatchOutput{}, nil
}

func queueEvent(t *testing.T) []byte {
	q, k := make(inbox, 1), make(keeper, 1)
	q <- types.Message{
		MessageId: aws.String("id"), ReceiptHandle: aws.String("receipt"), Body: aws.String("{}"), MD5OfBody: aws.String("md5"),
		Attributes: map[string]string{"ApproximateReceiveCount": "1"},
	}
	p, err := esm.Start(esm.Config{
		Queue: q, QueueARN: "arn:aws:sqs:us-east-1:000000000000:rings", Region: "us-east-1", Visibility: time.Minute, Timeout: time.Second,
		Function: "dispatch", BatchSize: 10, Invoke: k.invoke, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return <-k
}

func scheduledEvent(t *testing.T) []byte {
	k := make(keeper, 1)
	s := schedule.Start(schedule.Config{Name: "Tick", Function: "reconcile", Invoke: k.invoke, Log: slog.New(slog.DiscardHandler)})
	defer s.Close()
	if err := s.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	return <-k
}
