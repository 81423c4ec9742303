package house

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// node is a place in a YAML document. Short-form tags stay visible: !Ref X is the
// text "!Ref X", !GetAtt X.Y is "!GetAtt X.Y", which is all that comparing needs.
type node struct{ *yaml.Node }

func parseYAML(t *testing.T, name, text string) node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("parsing %s: %v", name, err)
	}
	if len(document.Content) == 0 {
		return node{}
	}
	return node{document.Content[0]}
}

// at follows keys and gives an empty node where there is nothing.
func (n node) at(keys ...string) node {
	for _, key := range keys {
		n = n.fields()[key]
	}
	return n
}

func (n node) fields() map[string]node {
	out := map[string]node{}
	if n.Node != nil && n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			out[n.Content[i].Value] = node{n.Content[i+1]}
		}
	}
	return out
}

func (n node) keys() []string {
	var out []string
	for key := range n.fields() {
		out = append(out, key)
	}
	return sorted(out)
}

// items are the entries of a list; a lone value is a list of one.
func (n node) items() []node {
	if n.Node == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return []node{n}
	}
	out := make([]node, 0, len(n.Content))
	for _, item := range n.Content {
		out = append(out, node{item})
	}
	return out
}

// text is a scalar with its tag in front, if it has one of CloudFormation.
func (n node) text() string {
	if n.Node == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return n.Tag + " " + n.Value
	}
	return n.Value
}

func (n node) texts() []string {
	var out []string
	for _, item := range n.items() {
		out = append(out, item.text())
	}
	return out
}

// number is a whole number, 0 when it is none.
func (n node) number() int {
	value, err := strconv.Atoi(n.text())
	if err != nil {
		return 0
	}
	return value
}

// reserved is the number in !If [ReservesConcurrency, number, !Ref AWS::NoValue], the
// one form in which all functions reserve; else 0.
func (n node) reserved() int {
	items := n.items()
	if len(items) != 3 || n.Tag != "!If" || items[0].text() != "ReservesConcurrency" || items[2].text() != "!Ref AWS::NoValue" {
		return 0
	}
	return items[1].number()
}

// function is one AWS::Serverless::Function, with what Globals give to all.
type function struct {
	name        string // "submit" of SubmitFunction
	properties  node
	buildMethod string
	timeout     int               // seconds
	reserved    int               // concurrency under ReserveConcurrency; 0 = not reserved
	environment map[string]string // as written
	routes      []string          // "POST /works"
	events      map[string]node
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// resources of a kind, by logical id.
func resources(template node, kind string) map[string]node {
	out := map[string]node{}
	for id, r := range template.at("Resources").fields() {
		if r.at("Type").text() == kind {
			out[id] = r
		}
	}
	return out
}

// functionsOf gives the functions of the template by name.
func functionsOf(template node) map[string]function {
	globals := template.at("Globals", "Function")
	out := map[string]function{}
	for id, r := range resources(template, "AWS::Serverless::Function") {
		p := r.at("Properties")
		f := function{
			name: strings.ToLower(strings.TrimSuffix(id, "Function")), properties: p,
			buildMethod: r.at("Metadata", "BuildMethod").text(),
			timeout:     p.at("Timeout").number(), reserved: p.at("ReservedConcurrentExecutions").reserved(),
			environment: map[string]string{}, events: p.at("Events").fields(),
		}
		if f.timeout == 0 {
			f.timeout = globals.at("Timeout").number()
		}
		for _, from := range []node{globals, p} {
			for name, value := range from.at("Environment", "Variables").fields() {
				f.environment[name] = value.text()
			}
		}
		for _, event := range f.events {
			if event.at("Type").text() == "HttpApi" {
				f.routes = append(f.routes, event.at("Properties", "Method").text()+" "+event.at("Properties", "Path").text())
			}
		}
		slices.Sort(f.routes)
		out[f.name] = f
	}
	return out
}

// checkFunctions complains about functions that are not set up as all are: one
// name everywhere, a log group that ends, a role of their own.
func checkFunctions(template node) []string {
	var out []string
	all := template.at("Resources").fields()
	for name, f := range functionsOf(template) {
		id := title(name) + "Function"
		complain := func(format string, args ...any) { out = append(out, id+": "+fmt.Sprintf(format, args...)) }
		for key, want := range map[string]string{
			"FunctionName": "!Sub ${AWS::StackName}-" + name,
			"Role":         "!GetAtt " + title(name) + "Role.Arn",
		} {
			if got := f.properties.at(key).text(); got != want {
				complain("%s is %q and should be %q", key, got, want)
			}
		}
		if f.buildMethod != "makefile" {
			complain("its BuildMethod is not makefile")
		}
		logs := title(name) + "Logs"
		if got := f.properties.at("LoggingConfig", "LogGroup").text(); got != "!Ref "+logs {
			complain("its log group is %q and should be !Ref %s", got, logs)
		}
		if got := all[logs].at("Properties", "LogGroupName").text(); got != "!Sub /aws/lambda/${AWS::StackName}-"+name {
			complain("the name of %s is %q, another function's or none", logs, got)
		}
		if all[title(name)+"Role"].at("Type").text() != "AWS::IAM::Role" {
			complain("it has no role %sRole", title(name))
		}
		if len(f.routes) > 0 && f.timeout >= 30 {
			complain("its timeout of %d s is above the 30 s that the HTTP API waits", f.timeout)
		}
		if len(f.routes) > 0 && f.reserved == 0 {
			complain("anyone may call it and its concurrency cannot be bounded")
		}
	}
	if logging := template.at("Globals", "Function", "LoggingConfig"); logging.at("LogFormat").text() != "JSON" || logging.at("ApplicationLogLevel").text() != "DEBUG" {
		out = append(out, "Globals: functions must log JSON, and Lambda must not drop lines that carry metrics (ApplicationLogLevel)")
	}
	for id, group := range resources(template, "AWS::Logs::LogGroup") {
		if group.at("Properties", "RetentionInDays").text() == "" {
			out = append(out, id+" keeps its lines for ever: RetentionInDays is missing")
		}
	}
	return sorted(out)
}

// attachment is the policy that may say "*": EC2 knows nothing narrower.
const attachment = "NetworkInterfaces"

var (
	attaching = regexp.MustCompile(`^ec2:(Create|Delete|Describe)NetworkInterfaces?$|^ec2:DescribeSubnets$|^ec2:(Una|A)ssignPrivateIpAddresses$`)
	inBucket  = regexp.MustCompile(`^!Sub \$\{Bucket\.Arn\}/(inputs|results)/\*$`)
)

// checkRights complains about "*" and about rights and environments that differ:
// who is told a queue, a bucket or a secret may use it, and nobody else.
func checkRights(template node) []string {
	var out []string
	for id, policy := range resources(template, "AWS::IAM::ManagedPolicy") {
		for _, statement := range policy.at("Properties", "PolicyDocument", "Statement").items() {
			for _, action := range statement.at("Action").texts() {
				if id != attachment || !attaching.MatchString(action) {
					out = append(out, id+" allows "+action+"; the only policy for all is "+attachment)
				}
			}
		}
	}
	for id, role := range resources(template, "AWS::IAM::Role") {
		if got := role.at("Properties", "ManagedPolicyArns").texts(); !slices.Equal(got, []string{"!Ref " + attachment}) {
			out = append(out, fmt.Sprintf("%s has the managed policies %q, only %s is allowed", id, got, attachment))
		}
		for _, statement := range statements(role) {
			for _, action := range statement.at("Action").texts() {
				if strings.Contains(action, "*") {
					out = append(out, id+" allows the action "+action)
				}
			}
			for _, resource := range statement.at("Resource").texts() {
				if resource == "" || strings.Contains(resource, "*") && !inBucket.MatchString(resource) {
					out = append(out, fmt.Sprintf("%s allows the resource %q", id, resource))
				}
			}
		}
	}
	for name, f := range functionsOf(template) {
		role := template.at("Resources", title(name)+"Role")
		if f.properties.at("Policies").Node != nil {
			out = append(out, title(name)+"Function has Policies beside its role")
		}
		var secrets []string
		for key, value := range f.environment {
			if strings.HasSuffix(key, "SECRET") {
				secrets = append(secrets, value)
			}
		}
		who := title(name) + "Role"
		out = append(out, differ(who+": secret", "the environment", "the role", secrets, allowed(role, "secretsmanager:GetSecretValue"))...)
		if (f.environment["QUEUEURL"] != "") != (len(allowed(role, "sqs:SendMessage")) > 0) {
			out = append(out, who+": QUEUEURL and the right to send do not go together")
		}
		if (f.environment["BUCKET"] != "") != (len(allowed(role, "s3:GetObject")) > 0) {
			out = append(out, who+": BUCKET and the right to read do not go together")
		}
	}
	return sorted(out)
}

func statements(role node) []node {
	var out []node
	for _, policy := range role.at("Properties", "Policies").items() {
		out = append(out, policy.at("PolicyDocument", "Statement").items()...)
	}
	return out
}

// allowed are the resources on which a role may do an action.
func allowed(role node, action string) []string {
	var out []string
	for _, statement := range statements(role) {
		if slices.Contains(statement.at("Action").texts(), action) {
			out = append(out, statement.at("Resource").texts()...)
		}
	}
	return sorted(out)
}

// checkEvents complains about queues and schedules that would lose or repeat.
func checkEvents(template node) []string {
	var out []string
	queues := resources(template, "AWS::SQS::Queue")
	for name, f := range functionsOf(template) {
		for event, e := range f.events {
			p := e.at("Properties")
			complain := func(format string, args ...any) {
				out = append(out, title(name)+"Function."+event+": "+fmt.Sprintf(format, args...))
			}
			switch e.at("Type").text() {
			case "SQS":
				id := strings.TrimSuffix(strings.TrimPrefix(p.at("Queue").text(), "!GetAtt "), ".Arn")
				queue := queues[id].at("Properties")
				if seen := queue.at("VisibilityTimeout").number(); seen < 6*f.timeout {
					complain("%s hides a message for %d s, less than six times the timeout of %d s", id, seen, f.timeout)
				}
				if !slices.Contains(p.at("FunctionResponseTypes").texts(), "ReportBatchItemFailures") {
					complain("one bad message would fail its whole batch: ReportBatchItemFailures is missing")
				}
				if most := p.at("ScalingConfig", "MaximumConcurrency").number(); most == 0 || f.reserved != 0 && f.reserved < most {
					complain("MaximumConcurrency is %d with %d reserved: refused messages would end among the dead letters", most, f.reserved)
				}
				if n := queue.at("RedrivePolicy", "maxReceiveCount").number(); n < 5 {
					complain("%s gives up after %d tries, at least 5 are wanted", id, n)
				}
				letters := strings.TrimSuffix(strings.TrimPrefix(queue.at("RedrivePolicy", "deadLetterTargetArn").text(), "!GetAtt "), ".Arn")
				dead := queues[letters].at("Properties", "MessageRetentionPeriod").number()
				if dead < 14*24*3600 || dead <= queue.at("MessageRetentionPeriod").number() {
					complain("dead letters are kept for %d s: that is less than 14 days or not longer than in %s", dead, id)
				}
			case "ScheduleV2":
				if got := p.at("Name").text(); got != "!Sub ${AWS::StackName}-"+name {
					complain("its name is %q: two stacks of one account would want the same", got)
				}
				if p.at("RetryPolicy", "MaximumRetryAttempts").text() != "0" || f.properties.at("EventInvokeConfig", "MaximumRetryAttempts").text() != "0" {
					complain("a tick that failed is tried again although the next one comes: MaximumRetryAttempts must be 0, twice")
				}
				if f.reserved != 1 {
					complain("ticks may overlap: ReservedConcurrentExecutions must be 1")
				}
			case "HttpApi":
				if p.at("ApiId").text() != "!Ref Api" {
					complain("the route belongs to another API than Api")
				}
			}
		}
	}
	return sorted(out)
}

// checkKeeping complains about a bucket or a database that others could read or
// that could be lost.
func checkKeeping(template, database node) []string {
	var out []string
	for id, r := range resources(template, "AWS::S3::Bucket") {
		p := r.at("Properties")
		for _, key := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if p.at("PublicAccessBlockConfiguration", key).text() != "true" {
				out = append(out, id+" may be made public: "+key+" is not true")
			}
		}
		if p.at("BucketEncryption", "ServerSideEncryptionConfiguration").Node == nil {
			out = append(out, id+" is not encrypted")
		}
		if p.at("VersioningConfiguration", "Status").text() != "Enabled" {
			out = append(out, id+" keeps no older versions")
		}
		if r.at("DeletionPolicy").text() != "Retain" {
			out = append(out, id+" goes with the stack")
		}
		var expiring []string
		for _, rule := range p.at("LifecycleConfiguration", "Rules").items() {
			if rule.at("ExpirationInDays").text() != "" {
				expiring = append(expiring, rule.at("Prefix").text())
			}
		}
		out = append(out, differ("prefix", "what expires in "+id, "what the roles use", expiring, []string{"inputs/", "results/"})...)
	}
	for id, r := range resources(database, "AWS::RDS::DBInstance") {
		p := r.at("Properties")
		for key, want := range map[string]string{"StorageEncrypted": "true", "PubliclyAccessible": "false", "ManageMasterUserPassword": "true"} {
			if got := p.at(key).text(); got != want {
				out = append(out, fmt.Sprintf("%s: %s is %q and should be %s", id, key, got, want))
			}
		}
		if p.at("MasterUserPassword").Node != nil {
			out = append(out, id+" has a password in the template")
		}
		if r.at("DeletionPolicy").text() != "Snapshot" || r.at("UpdateReplacePolicy").text() != "Snapshot" {
			out = append(out, id+" can go without a snapshot")
		}
	}
	return sorted(out)
}

func readTemplate(t *testing.T) node { return parseYAML(t, "template.yaml", read(t, "template.yaml")) }
func readDatabase(t *testing.T) node {
	return parseYAML(t, "infra/database.yaml", read(t, "infra/database.yaml"))
}

func TestFunctions(t *testing.T) { accept(t, checkFunctions(readTemplate(t))) }
func TestRights(t *testing.T)    { accept(t, checkRights(readTemplate(t))) }
func TestEvents(t *testing.T)    { accept(t, checkEvents(readTemplate(t))) }
func TestKeeping(t *testing.T)   { accept(t, checkKeeping(readTemplate(t), readDatabase(t))) }
