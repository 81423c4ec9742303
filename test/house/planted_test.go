package house

import (
	"strings"
	"testing"
)

// change gives the real template with one place changed, so that a violation is
// planted among all that is right.
func change(t *testing.T, text, from, to string) string {
	t.Helper()
	if !strings.Contains(text, from) {
		t.Fatalf("the template has no %q to change", from)
	}
	return strings.Replace(text, from, to, 1)
}

func TestTemplateRefused(t *testing.T) {
	text := read(t, "template.yaml")
	for name, c := range map[string]struct {
		check    func(node) []string
		from, to string
		why      string
	}{
		"log group of another": {checkFunctions, "LogGroup: !Ref SubmitLogs", "LogGroup: !Ref QueryLogs", "SubmitFunction: its log group is"},
		"lines for ever":       {checkFunctions, "-submit\n      RetentionInDays: !Ref LogRetentionDays", "-submit", "SubmitLogs keeps its lines for ever"},
		"role of another":      {checkFunctions, "Role: !GetAtt SubmitRole.Arn", "Role: !GetAtt QueryRole.Arn", "SubmitFunction: Role is"},
		"another name":         {checkFunctions, "FunctionName: !Sub ${AWS::StackName}-submit", "FunctionName: submitter", "SubmitFunction: FunctionName is"},
		"unbounded":            {checkFunctions, "      ReservedConcurrentExecutions: !If [ReservesConcurrency, 9, !Ref AWS::NoValue]\n", "", "HeartbeatFunction: anyone may call it"},
		"always reserved":      {checkFunctions, "!If [ReservesConcurrency, 9, !Ref AWS::NoValue]", "9", "HeartbeatFunction: anyone may call it"},
		"longer than the API":  {checkFunctions, "Timeout: 15\n      MemorySize: 512", "Timeout: 30\n      MemorySize: 512", "SubmitFunction: its timeout of 30 s"},
		"any action":           {checkRights, "Action: [s3:PutObject, s3:GetObject], Resource: !Sub \"${Bucket.Arn}/inputs/*\"", "Action: \"s3:*\", Resource: !Sub \"${Bucket.Arn}/inputs/*\"", "SubmitRole allows the action s3:*"},
		"any resource":         {checkRights, "Action: sqs:SendMessage, Resource: !GetAtt DispatchQueue.Arn", "Action: sqs:SendMessage, Resource: \"*\"", "SubmitRole allows the resource \"*\""},
		"whole bucket":         {checkRights, "${Bucket.Arn}/results/*", "${Bucket.Arn}/*", "HeartbeatRole allows the resource"},
		"another's secret":     {checkRights, "Resource: [!Ref DatabaseUserSecret, !Ref WalletSecret]", "Resource: [!Ref DatabaseUserSecret, !Ref WalletSecret, !Ref TokenSecret]", "DispatchRole: secret !Ref TokenSecret is in the role"},
		"attach and more":      {checkRights, "- ec2:DescribeSubnets", "- ec2:RunInstances", "NetworkInterfaces allows ec2:RunInstances"},
		"managed policy":       {checkRights, "ManagedPolicyArns: [!Ref NetworkInterfaces]", "ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]", "SubmitRole has the managed policies"},
		"ring without right":   {checkRights, "          DISPATCHLEASE: !Ref DispatchLease", "          QUEUEURL: !Ref DispatchQueue", "DispatchRole: QUEUEURL and the right to send"},
		"bucket without right": {checkRights, "          DISPATCHLEASE: !Ref DispatchLease", "          BUCKET: !Ref Bucket", "DispatchRole: BUCKET and the right to read"},
		"seen too early":       {checkEvents, "VisibilityTimeout: 180", "VisibilityTimeout: 179", "less than six times"},
		"all or nothing":       {checkEvents, "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "ReportBatchItemFailures is missing"},
		"unbounded source":     {checkEvents, "            ScalingConfig: {MaximumConcurrency: 2}\n", "", "MaximumConcurrency is 0"},
		"dead letters go":      {checkEvents, "MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 3600", "dead letters are kept for 3600 s"},
		"given up at once":     {checkEvents, "maxReceiveCount: 5", "maxReceiveCount: 1", "gives up after 1"},
		"lost metrics":         {checkFunctions, "ApplicationLogLevel: DEBUG", "ApplicationLogLevel: WARN", "Globals: functions must log JSON"},
		"name of one stack":    {checkEvents, "  Name: !Sub ${AWS::StackName}-reconcile", "  Name: tick", "its name is \"tick\""},
		"unasked again":        {checkGate, "      WalletKmsKey: !Ref WalletKmsKey\n      ChainFinality", "      ChainFinality", "StartCheck: value !Ref WalletKmsKey is in CheckFunction"},
		"another is asked":     {checkGate, "ServiceToken: !GetAtt CheckFunction.Arn", "ServiceToken: !GetAtt MigrateFunction.Arn", "StartCheck does not ask CheckFunction"},
		"asked without chain":  {checkGate, "    Condition: ServesDeals\n", "", "StartCheck has not the condition ServesDeals"},
		"not waited for":       {checkGate, "-reconcile\n      Tags: {Chain: !If [ServesDeals, !Ref StartCheck, none]}", "-reconcile", "ReconcileFunction does not wait for StartCheck"},
		"ticks pile up":        {checkEvents, "            RetryPolicy: {MaximumRetryAttempts: 0, ", "            RetryPolicy: {MaximumRetryAttempts: 3, ", "ReconcileFunction.Tick: a tick that failed"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := change(t, text, c.from, c.to)
			if name == "any action" || name == "whole bucket" {
				// The right to read goes with it, which is a second complaint.
				found := c.check(parseYAML(t, "planted", changed))
				if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), c.why) {
					t.Errorf("complaints are %q, and should speak of %q", found, c.why)
				}
				return
			}
			refuse(t, c.check(parseYAML(t, "planted", changed)), c.why)
		})
	}
}

func TestKeepingRefused(t *testing.T) {
	template, database := read(t, "template.yaml"), read(t, "infra/database.yaml")
	bad := change(t, template, "BlockPublicPolicy: true", "BlockPublicPolicy: false")
	bad = change(t, bad, "Prefix: inputs/", "Prefix: input/")
	bad = change(t, bad, "VersioningConfiguration: {Status: Enabled}", "VersioningConfiguration: {Status: Suspended}")
	worse := change(t, database, "StorageEncrypted: true", "StorageEncrypted: false")
	worse = change(t, worse, "      ManageMasterUserPassword: true", "      MasterUserPassword: sesame")
	worse = change(t, worse, "DeletionPolicy: Snapshot", "DeletionPolicy: Delete")
	refuse(t, checkKeeping(parseYAML(t, "planted", bad), parseYAML(t, "planted", worse)),
		"Bucket keeps no older versions", "Bucket may be made public: BlockPublicPolicy",
		"Instance can go without a snapshot", "Instance has a password",
		"Instance: ManageMasterUserPassword is \"\"", "Instance: StorageEncrypted is \"false\"",
		"prefix input/ is in what expires", "prefix inputs/ is in what the roles use")
}

func TestConnectionsRefused(t *testing.T) {
	template := parseYAML(t, "planted", `
Globals: {Function: {Environment: {Variables: {DBHOST: x}}}}
Resources:
  AFunction:
    Type: AWS::Serverless::Function
    Properties: {ReservedConcurrentExecutions: !If [ReservesConcurrency, 10, !Ref AWS::NoValue]}
  BFunction:
    Type: AWS::Serverless::Function
    Properties: {Events: {Ring: {Type: SQS, Properties: {ScalingConfig: {MaximumConcurrency: 2}}}}}
  CFunction:
    Type: AWS::Serverless::Function
`)
	database := func(most string) node {
		return parseYAML(t, "planted", "Resources: {P: {Type: AWS::RDS::DBParameterGroup, Properties: {Parameters: {max_connections: \""+most+"\"}}}}")
	}
	refuse(t, checkConnections(template, database("40"), 2), "c may run any number of times")
	refuse(t, checkConnections(template, database("39"), 2), "c may run any number of times", "hold 24 connections (a 20 + b 4 + c 0), more than 60 % of 39")
	refuse(t, checkConnections(template, parseYAML(t, "planted", "{}"), 2), "sets no max_connections")
}
