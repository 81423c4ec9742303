// Package template reads the SAM template (template.yaml) as CloudFormation
// would: parameters, conditions, mappings and the intrinsic functions in short and
// long form. It owns that reading and typed views of the resources the local stack
// plays; it must not start anything or know where a resource runs: the caller
// binds addresses and outputs of nested stacks to logical ids.
package template

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// What the pseudo parameters and the made-up names of resources are built from.
const (
	Region    = "us-east-1"
	AccountID = "000000000000"
	StackName = "workerpool-local"
)

// Template is one template with its parameters decided. Not for concurrent use
// while Bind is called.
type Template struct {
	parameters map[string]any // decided values
	conditions map[string]*yaml.Node
	mappings   map[string]*yaml.Node
	resources  map[string]resource   // those whose condition holds
	globals    map[string]*yaml.Node // Globals.Function
	bound      map[string]string
	deciding   []string // conditions being evaluated, to name a circle instead of overflowing
}

type resource struct {
	kind       string
	properties *yaml.Node // nil = none
}

// Read reads the template at path with overrides for its parameters. Every
// parameter without a default needs one; one that the template does not declare,
// or does not allow, is an error.
func Read(path string, overrides map[string]string) (*Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	t, err := parse(text, overrides)
	if err != nil {
		return nil, fmt.Errorf("reading the template %s: %w", path, err)
	}
	return t, nil
}

func parse(text []byte, overrides map[string]string) (*Template, error) {
	var document struct {
		Parameters map[string]parameter `yaml:"Parameters"`
		Mappings   map[string]yaml.Node `yaml:"Mappings"`
		Conditions map[string]yaml.Node `yaml:"Conditions"`
		Globals    struct {
			Function yaml.Node `yaml:"Function"`
		} `yaml:"Globals"`
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Condition  string    `yaml:"Condition"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	t := &Template{
		conditions: map[string]*yaml.Node{}, mappings: map[string]*yaml.Node{},
		resources: map[string]resource{}, bound: map[string]string{},
	}
	var err error
	if t.parameters, err = decide(document.Parameters, overrides); err != nil {
		return nil, err
	}
	for name, node := range document.Conditions {
		t.conditions[name] = &node
	}
	for name, node := range document.Mappings {
		t.mappings[name] = &node
	}
	if t.globals, err = fields(&document.Globals.Function); err != nil {
		return nil, fmt.Errorf("the globals of functions: %w", err)
	}
	for id, r := range document.Resources {
		if r.Condition != "" {
			holds, err := t.condition(r.Condition)
			if err != nil {
				return nil, fmt.Errorf("resource %s: %w", id, err)
			}
			if !holds {
				continue
			}
		}
		t.resources[id] = resource{kind: r.Type, properties: &r.Properties}
	}
	return t, nil
}

// parameter is one entry of Parameters.
type parameter struct {
	Type          string   `yaml:"Type"`
	Default       *string  `yaml:"Default"`
	AllowedValues []string `yaml:"AllowedValues"`
}

func decide(declared map[string]parameter, overrides map[string]string) (map[string]any, error) {
	for name := range overrides {
		if _, ok := declared[name]; !ok {
			return nil, fmt.Errorf("there is no parameter %s", name)
		}
	}
	decided := map[string]any{
		"AWS::Region": Region, "AWS::AccountId": AccountID, "AWS::StackName": StackName,
		"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": absent{},
		"AWS::StackId": "arn:aws:cloudformation:" + Region + ":" + AccountID + ":stack/" + StackName + "/local",
	}
	for name, p := range declared {
		value, ok := overrides[name]
		if !ok {
			if p.Default == nil {
				return nil, fmt.Errorf("parameter %s has no default and needs a value", name)
			}
			value = *p.Default
		}
		if len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, value) {
			return nil, fmt.Errorf("parameter %s is %q, allowed are %s", name, value, strings.Join(p.AllowedValues, ", "))
		}
		if p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<") {
			list := []any{}
			for item := range strings.SplitSeq(value, ",") {
				list = append(list, strings.TrimSpace(item))
			}
			decided[name] = list
			continue
		}
		decided[name] = value
	}
	return decided, nil
}

// Bind says what references mean: "DispatchQueue" is what !Ref gives,
// "Database.Outputs.Endpoint" what !GetAtt gives. It wins over the made-up names.
func (t *Template) Bind(values map[string]string) {
	for reference, value := range values {
		t.bound[reference] = value
	}
}

// Parameter gives the decided value of a parameter, "" when there is none of that
// name or it is a list.
func (t *Template) Parameter(name string) string {
	value, _ := t.parameters[name].(string)
	return value
}

// of lists the logical ids of a kind of resource, sorted.
func (t *Template) of(kind string) []string {
	var ids []string
	for id, r := range t.resources {
		if r.kind == kind {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// reference gives what !Ref (attribute "") or !GetAtt mean for a resource.
func (t *Template) reference(id, attribute string) (string, error) {
	key := id
	if attribute != "" {
		key += "." + attribute
	}
	if value, ok := t.bound[key]; ok {
		return value, nil
	}
	r, ok := t.resources[id]
	if !ok {
		return "", fmt.Errorf("%s is neither a parameter nor a resource", id)
	}
	name, err := t.name(id, r)
	if err != nil {
		return "", err
	}
	arn := func(service, rest string) string {
		return "arn:aws:" + service + ":" + Region + ":" + AccountID + ":" + rest
	}
	switch {
	case r.kind == kindFunction && attribute == "Arn":
		return arn("lambda", "function:"+name), nil
	case r.kind == kindQueue && attribute == "Arn":
		return arn("sqs", name), nil
	case r.kind == kindBucket && attribute == "Arn":
		return "arn:aws:s3:::" + name, nil
	case r.kind == kindSecret && (attribute == "" || attribute == "Id"):
		return arn("secretsmanager", "secret:"+name), nil
	case (r.kind == kindQueue && attribute == "QueueName") || attribute == "":
		return name, nil
	}
	return "", fmt.Errorf("nothing was bound to %s", key)
}

// nameProperties are where a resource may state its own name.
var nameProperties = map[string]string{kindFunction: "FunctionName", kindQueue: "QueueName", kindBucket: "BucketName", kindSecret: "Name"}

// name is the physical name: the stated one, else made from the stack's.
func (t *Template) name(id string, r resource) (string, error) {
	property, ok := nameProperties[r.kind]
	if !ok {
		return id, nil
	}
	all, err := fields(r.properties)
	if err != nil {
		return "", err
	}
	if node, ok := all[property]; ok {
		value, err := t.eval(node)
		if err != nil {
			return "", fmt.Errorf("%s.%s: %w", id, property, err)
		}
		if stated, ok := value.(string); ok {
			return stated, nil
		}
	}
	if r.kind == kindBucket {
		return StackName + "-" + strings.ToLower(id), nil
	}
	return StackName + "-" + id, nil
}
