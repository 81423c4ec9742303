package sqs_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"workerpool/infra/local/esm"
	"workerpool/infra/local/lambda"
	"workerpool/shared/queue"
	"workerpool/test/oracle"
)

// wait returns when something has come to be that nothing announces.
func (d desk) wait(is func() bool) {
	d.Helper()
	for range 500 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	d.Fatalf("it has not come to be in 10 s")
}

// ring lets the pool's own door send.
func ring(d desk) {
	var q *queue.Queue
	var err error
	oracle.Environment(map[string]string{
		"AWS_ENDPOINT_URL_SQS": d.endpoint.url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
	}, func() { q, err = queue.Open(d.Context(), queue.Config{URL: d.url, Now: time.Now}) })
	if err != nil {
		d.Fatalf("open the door: %v", err)
	}
	if err := q.Ring(d.Context()); err != nil {
		d.Errorf("ring: %v", err)
	}
	d.delete(d.receive(`{"ring":1}`)[0])
}

// poller lets the poller of the local pool work the queue: of three messages the
// function reports one as failed, which comes again.
func poller(d desk) {
	batches, closed := make(chan events.SQSEvent), make(chan struct{})
	for _, body := range []string{"a", "b", "c"} {
		d.send(body)
	}
	p, err := esm.Start(esm.Config{
		Queue: d.api, QueueURL: d.url, QueueARN: d.attributes(d.url)["QueueArn"], Region: "us-east-1", Visibility: 3 * time.Second,
		Function: "dispatch", Timeout: time.Second, BatchSize: 10, MaxConcurrency: 2, ReportFailures: true, Log: slog.New(slog.DiscardHandler),
		Invoke: func(ctx context.Context, _ string, event []byte) (lambda.Result, error) {
			var e events.SQSEvent
			if err := json.Unmarshal(event, &e); err != nil {
				return lambda.Result{}, err
			}
			select {
			case batches <- e:
			case <-closed:
			}
			answer := events.SQSEventResponse{}
			for _, r := range e.Records {
				if r.Body == "b" && r.Attributes["ApproximateReceiveCount"] == "1" {
					answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: r.MessageId})
				}
			}
			payload, err := json.Marshal(answer)
			return lambda.Result{Payload: payload}, err
		},
	})
	if err != nil {
		d.Fatalf("start: %v", err)
	}
	defer p.Close()
	defer close(closed)
	if first := <-batches; len(first.Records) != 3 || first.Records[1].Body != "b" {
		d.Fatalf("first batch %+v, want three", first)
	}
	hidden := func(n string) func() bool {
		return func() bool {
			a := d.attributes(d.url)
			return a["ApproximateNumberOfMessages"] == "0" && a["ApproximateNumberOfMessagesNotVisible"] == n
		}
	}
	d.wait(hidden("1")) // the two that were handled are deleted
	d.almost(3 * time.Second)
	d.rest(3 * time.Second)
	if second := <-batches; len(second.Records) != 1 || second.Records[0].Body != "b" || second.Records[0].Attributes["ApproximateReceiveCount"] != "2" {
		d.Errorf("second batch %+v, want b again", second)
	}
	d.wait(hidden("0"))
}
