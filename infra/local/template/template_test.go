package template

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, overrides map[string]string) *Template {
	t.Helper()
	got, err := Read("testdata/template.yaml", overrides)
	if err != nil {
		t.Fatal(err)
	}
	got.Bind(map[string]string{
		"Database.Outputs.Endpoint": "127.0.0.1", "Database.Outputs.Port": "3306", "DispatchQueue": "http://queue",
	})
	return got
}

func TestFunctions(t *testing.T) {
	got, err := read(t, map[string]string{"Password": "x", "HeartbeatBusy": "1"}).Functions()
	if err != nil {
		t.Fatal(err)
	}
	global := map[string]string{"LOGGERLEVEL": "INFO", "POOLNAME": "demo"}
	want := []Function{
		{
			ID: "DispatchFunction", Name: "demo-dispatch", Handler: "bootstrap", MemoryMB: 128, Timeout: 30 * time.Second, Concurrency: 2,
			Environment: global,
			Sources: []Source{{
				QueueARN: "arn:aws:sqs:us-east-1:000000000000:workerpool-local-DispatchQueue", BatchSize: 5,
				Window: time.Second, MaxConcurrency: 2, ReportFailures: true,
			}},
		},
		{
			ID: "ReconcileFunction", Name: "workerpool-local-ReconcileFunction", Handler: "bootstrap", MemoryMB: 128,
			Timeout: 10 * time.Second, Concurrency: -1, Environment: global,
			Schedules: []Schedule{{Event: "Tick", Interval: time.Minute, Input: `{"dry_run":true}`}},
		},
		{
			ID: "SubmitFunction", Name: "workerpool-local-SubmitFunction", Handler: "bootstrap", MemoryMB: 128,
			Timeout: 10 * time.Second, Concurrency: -1,
			Environment: map[string]string{
				"LOGGERLEVEL": "DEBUG", "POOLNAME": "demo", "DBHOST": "127.0.0.1:3306", "HEARTBEATBUSY": "1",
				"QUEUEURL": "http://queue", "BUCKET": "workerpool-local-bucket",
				"TOKENSECRET": "arn:aws:secretsmanager:us-east-1:000000000000:secret:demo/token",
				"SUBNET":      "b", "JOINED": "demo-x", "LITERAL": "${kept} mine us-east-1", "LAST": "c", "ON": "true",
			},
			Routes: []Route{{Method: "DELETE", Path: "/works/{id}"}, {Method: "POST", Path: "/works"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}

func TestQueuesFollowTheirConditions(t *testing.T) {
	dead := "arn:aws:sqs:us-east-1:000000000000:dead"
	want := []Queue{
		{
			ID: "DispatchDeadLetters", Name: "dead", ARN: dead, Visibility: 30 * time.Second,
			Attributes: map[string]string{"MessageRetentionPeriod": "1209600"},
		},
		{
			ID: "DispatchQueue", Name: "workerpool-local-DispatchQueue", Visibility: 3 * time.Minute,
			ARN: "arn:aws:sqs:us-east-1:000000000000:workerpool-local-DispatchQueue", DeadLetterARN: dead, MaxReceiveCount: 5,
			Attributes: map[string]string{
				"VisibilityTimeout": "180", "RedrivePolicy": `{"deadLetterTargetArn":"` + dead + `","maxReceiveCount":5}`,
			},
		},
	}
	got, err := read(t, map[string]string{"Password": "x"}).Queues()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	prod, err := read(t, map[string]string{"Password": "x", "Stage": "prod"}).Queues()
	if err != nil || len(prod) != 3 {
		t.Errorf("in prod: %d queues, %v; want the conditional one too", len(prod), err)
	}
}

func TestConditions(t *testing.T) {
	tmpl := read(t, map[string]string{"Password": "x"})
	for name, want := range map[string]bool{"Prod": false, "NotProd": true, "Both": false, "Either": true} {
		if got, err := tmpl.condition(name); err != nil || got != want {
			t.Errorf("%s = %v, %v; want %v", name, got, err, want)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	if _, err := Read("testdata/template.yaml", nil); err == nil || !strings.Contains(err.Error(), "Password") {
		t.Errorf("parameter without value: %v", err)
	}
	if _, err := Read("testdata/template.yaml", map[string]string{"Password": "x", "Pasword": "y"}); err == nil || !strings.Contains(err.Error(), "Pasword") {
		t.Errorf("misspelt parameter: %v", err)
	}
	if _, err := Read("testdata/template.yaml", map[string]string{"Password": "x", "Stage": "test"}); err == nil || !strings.Contains(err.Error(), "dev, prod") {
		t.Errorf("value that is not allowed: %v", err)
	}
	for name, c := range map[string]struct{ environment, want string }{
		"unbound output":   {"!GetAtt Nested.Outputs.X", "Nested.Outputs.X"},
		"unknown name":     {"!Ref Nothing", "Nothing"},
		"unknown function": {"!Base64 [x]", "Base64"},
		"circle":           {"!If [Circle, a, b]", "depends on itself"},
		"open reference":   {`!Sub "${A"`, "not closed"},
		"index":            {"!Select [3, [a]]", "no item 3"},
		"map":              {"!FindInMap [M, a, b]", "M.a.b"},
		"list":             {"[a]", "not a text"},
	} {
		text := "Conditions: {Circle: !Not [!Condition Circle]}\n" +
			"Resources: {Nested: {Type: 'AWS::CloudFormation::Stack'}, F: {Type: 'AWS::Serverless::Function', Properties: {Environment: {Variables: {V: " +
			strings.ReplaceAll(c.environment, `"${A"`, "'${A'") + "}}}}}\n"
		tmpl, err := parse([]byte(text), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := tmpl.Functions(); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "function F") {
			t.Errorf("%s: %v, want it to name the function and %q", name, err, c.want)
		}
	}
	for _, expression := range []string{"cron(0 * * * ? *)", "rate(0 minutes)", "rate(1 week)", "1 minute"} {
		if d, err := rate(expression); err == nil {
			t.Errorf("%s = %s, want an error", expression, d)
		}
	}
}
