package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"sort"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const (
	kindFunction = "AWS::Serverless::Function"
	kindQueue    = "AWS::SQS::Queue"
	kindBucket   = "AWS::S3::Bucket"
	kindSecret   = "AWS::SecretsManager::Secret"
)

// Function is one AWS::Serverless::Function with Globals applied.
type Function struct {
	ID          string // logical id
	Name        string // name in AWS; the logical id behind the stack's name unless stated
	Handler     string
	MemoryMB    int
	Timeout     time.Duration
	Concurrency int // ReservedConcurrentExecutions; -1 = not reserved
	Environment map[string]string
	Routes      []Route
	Sources     []Source
	Schedules   []Schedule
}

// Route is an HttpApi event.
type Route struct {
	Method string // upper case; "ANY" = all
	Path   string // "/works/{id}"; "$default" = all that has no route
}

// Source is an SQS event.
type Source struct {
	QueueARN       string
	BatchSize      int
	Window         time.Duration
	MaxConcurrency int  // 0 = not limited by the source
	ReportFailures bool // FunctionResponseTypes has ReportBatchItemFailures
}

// Schedule is a ScheduleV2 event that is enabled.
type Schedule struct {
	Event    string // its name in the function's Events
	Interval time.Duration
	Input    string // JSON handed to the function; "" = the scheduler's own event
}

// Queue is one AWS::SQS::Queue.
type Queue struct {
	ID              string
	Name            string
	ARN             string
	Attributes      map[string]string // as CreateQueue takes them
	Visibility      time.Duration
	DeadLetterARN   string // "" = none
	MaxReceiveCount int
}

// Named is a resource of which only the name matters.
type Named struct{ ID, Name string }

// Functions are all functions, sorted by logical id, with their environments
// resolved: everything these refer to must have been bound.
func (t *Template) Functions() ([]Function, error) {
	var out []Function
	for _, id := range t.of(kindFunction) {
		f, err := t.function(id)
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", id, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func (t *Template) function(id string) (Function, error) {
	own, err := fields(t.resources[id].properties)
	if err != nil {
		return Function{}, err
	}
	p := properties{t: t, nodes: maps.Clone(t.globals)}
	maps.Copy(p.nodes, own)
	f := Function{
		ID: id, Handler: p.text("Handler", ""), MemoryMB: p.number("MemorySize", 128),
		Timeout:     time.Duration(p.number("Timeout", 3)) * time.Second,
		Concurrency: p.number("ReservedConcurrentExecutions", -1),
		Environment: map[string]string{},
	}
	if f.Name, err = t.name(id, t.resources[id]); err != nil {
		return Function{}, err
	}
	for _, node := range []*yaml.Node{t.globals["Environment"], own["Environment"]} {
		if err := t.addEnvironment(f.Environment, node); err != nil {
			return Function{}, err
		}
	}
	if err := t.addEvents(&f, own["Events"]); err != nil {
		return Function{}, err
	}
	return f, p.err
}

func (t *Template) addEnvironment(to map[string]string, node *yaml.Node) error {
	if node == nil {
		return nil
	}
	value, err := t.eval(node)
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	environment, _ := value.(map[string]any)
	variables, _ := environment["Variables"].(map[string]any)
	for name, value := range variables {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("environment: %s is not a text", name)
		}
		to[name] = text
	}
	return nil
}

func (t *Template) addEvents(f *Function, node *yaml.Node) error {
	if node == nil {
		return nil
	}
	events, err := fields(node)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	names := make([]string, 0, len(events))
	for name := range events {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		event, err := fields(events[name])
		if err != nil {
			return fmt.Errorf("event %s: %w", name, err)
		}
		kind := properties{t: t, nodes: event}
		inner, err := fields(event["Properties"])
		if err != nil {
			return fmt.Errorf("event %s: %w", name, err)
		}
		p := properties{t: t, nodes: inner}
		switch text := kind.text("Type", ""); text {
		case "HttpApi":
			f.Routes = append(f.Routes, Route{Method: strings.ToUpper(p.text("Method", "ANY")), Path: p.text("Path", "$default")})
		case "SQS":
			f.Sources = append(f.Sources, p.source())
		case "ScheduleV2":
			p.addSchedule(f, name)
		default:
			return fmt.Errorf("event %s: the local stack plays no events of type %q", name, text)
		}
		if p.err != nil {
			return fmt.Errorf("event %s: %w", name, p.err)
		}
	}
	return nil
}

func (p *properties) source() Source {
	s := Source{
		QueueARN: p.text("Queue", ""), BatchSize: p.number("BatchSize", 10),
		Window: time.Duration(p.number("MaximumBatchingWindowInSeconds", 0)) * time.Second,
	}
	if scaling, ok := p.value("ScalingConfig").(map[string]any); ok {
		n, err := strconv.Atoi(fmt.Sprint(scaling["MaximumConcurrency"]))
		if err != nil {
			p.fail("ScalingConfig", err)
		}
		s.MaxConcurrency = n
	}
	if types, ok := p.value("FunctionResponseTypes").([]any); ok {
		for _, kind := range types {
			s.ReportFailures = s.ReportFailures || kind == "ReportBatchItemFailures"
		}
	}
	return s
}

func (p *properties) addSchedule(f *Function, name string) {
	if p.text("State", "ENABLED") == "DISABLED" {
		return
	}
	interval, err := rate(p.text("ScheduleExpression", ""))
	if err != nil {
		p.fail("ScheduleExpression", err)
	}
	f.Schedules = append(f.Schedules, Schedule{Event: name, Interval: interval, Input: p.text("Input", "")})
}

// rate reads "rate(5 minutes)".
func rate(expression string) (time.Duration, error) {
	var n int
	var unit string
	inner, found := strings.CutPrefix(strings.TrimSuffix(expression, ")"), "rate(")
	if _, err := fmt.Sscanf(inner, "%d %s", &n, &unit); !found || err != nil || n <= 0 {
		return 0, fmt.Errorf("the local stack plays rate(...) only, not %q", expression)
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	length, ok := units[strings.TrimSuffix(unit, "s")]
	if !ok {
		return 0, fmt.Errorf("%q is no unit of a rate", unit)
	}
	return time.Duration(n) * length, nil
}

// Queues are all queues, sorted by logical id.
func (t *Template) Queues() ([]Queue, error) {
	var out []Queue
	for _, id := range t.of(kindQueue) {
		q, err := t.queue(id)
		if err != nil {
			return nil, fmt.Errorf("queue %s: %w", id, err)
		}
		out = append(out, q)
	}
	return out, nil
}

func (t *Template) queue(id string) (Queue, error) {
	nodes, err := fields(t.resources[id].properties)
	if err != nil {
		return Queue{}, err
	}
	p := properties{t: t, nodes: nodes}
	q := Queue{ID: id, Attributes: map[string]string{}}
	if q.Name, err = t.name(id, t.resources[id]); err != nil {
		return Queue{}, err
	}
	if q.ARN, err = t.reference(id, "Arn"); err != nil {
		return Queue{}, err
	}
	for _, name := range []string{"VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "MaximumMessageSize"} {
		if value := p.text(name, ""); value != "" {
			q.Attributes[name] = value
		}
	}
	q.Visibility = time.Duration(p.number("VisibilityTimeout", 30)) * time.Second
	if redrive, ok := p.value("RedrivePolicy").(map[string]any); ok {
		q.DeadLetterARN, _ = redrive["deadLetterTargetArn"].(string)
		q.MaxReceiveCount, err = strconv.Atoi(fmt.Sprint(redrive["maxReceiveCount"]))
		if err != nil || q.DeadLetterARN == "" {
			return Queue{}, fmt.Errorf("RedrivePolicy needs deadLetterTargetArn and maxReceiveCount")
		}
		policy, err := json.Marshal(map[string]any{"deadLetterTargetArn": q.DeadLetterARN, "maxReceiveCount": q.MaxReceiveCount})
		if err != nil {
			return Queue{}, fmt.Errorf("RedrivePolicy: %w", err)
		}
		q.Attributes["RedrivePolicy"] = string(policy)
	}
	return q, p.err
}

// Buckets are all buckets, sorted by logical id.
func (t *Template) Buckets() ([]Named, error) { return t.named(kindBucket) }

// Secrets are all secrets, sorted by logical id.
func (t *Template) Secrets() ([]Named, error) { return t.named(kindSecret) }

func (t *Template) named(kind string) ([]Named, error) {
	var out []Named
	for _, id := range t.of(kind) {
		name, err := t.name(id, t.resources[id])
		if err != nil {
			return nil, err
		}
		out = append(out, Named{ID: id, Name: name})
	}
	return out, nil
}

// Reference gives what !Ref (attribute "") or !GetAtt of a resource mean here.
func (t *Template) Reference(id, attribute string) (string, error) { return t.reference(id, attribute) }

// properties reads entries of a mapping and keeps the first error.
type properties struct {
	t     *Template
	nodes map[string]*yaml.Node
	err   error
}

func (p *properties) fail(name string, err error) {
	if p.err == nil {
		p.err = fmt.Errorf("%s: %w", name, err)
	}
}

// value is the resolved entry, nil when there is none.
func (p *properties) value(name string) any {
	node, ok := p.nodes[name]
	if !ok {
		return nil
	}
	value, err := p.t.eval(node)
	if err != nil {
		p.fail(name, err)
		return nil
	}
	if isAbsent(value) {
		return nil
	}
	return value
}

func (p *properties) text(name, otherwise string) string {
	value := p.value(name)
	if value == nil {
		return otherwise
	}
	text, ok := value.(string)
	if !ok {
		p.fail(name, fmt.Errorf("a text is wanted"))
	}
	return text
}

func (p *properties) number(name string, otherwise int) int {
	text := p.text(name, "")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		p.fail(name, fmt.Errorf("a whole number is wanted: %w", err))
	}
	return n
}
