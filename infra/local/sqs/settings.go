package sqs

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"
)

// settings are a queue's attributes: raw as they were set, beside them the
// values that steer this stand-in.
type settings struct {
	raw map[string]string

	visibility, delay, retention, wait time.Duration
	maxSize                            int
	redrive                            redrive
}

// redrive names the queue for what was received too often; the zero value means
// there is none.
type redrive struct {
	queue       string
	maxReceives int
}

// numbers are the numeric attributes with their limits.
var numbers = map[string]struct{ def, low, high int }{
	"VisibilityTimeout":             {30, 0, 43200},
	"DelaySeconds":                  {0, 0, 900},
	"MessageRetentionPeriod":        {345600, 60, 1209600},
	"MaximumMessageSize":            {maxMessage, 1024, maxMessage},
	"ReceiveMessageWaitTimeSeconds": {0, 0, 20},
}

// kept are the attributes that are stored and answered but steer nothing here.
var kept = map[string]bool{"Policy": true, "RedriveAllowPolicy": true, "KmsMasterKeyId": true,
	"KmsDataKeyReusePeriodSeconds": true, "SqsManagedSseEnabled": true}

func defaults() settings {
	raw := map[string]string{"SqsManagedSseEnabled": "true"}
	values := map[string]int{}
	for name, n := range numbers {
		raw[name], values[name] = strconv.Itoa(n.def), n.def
	}
	return settings{raw: raw}.withNumbers(values)
}

func (s settings) withNumbers(values map[string]int) settings {
	seconds := func(name string) time.Duration { return time.Duration(values[name]) * time.Second }
	s.visibility, s.delay = seconds("VisibilityTimeout"), seconds("DelaySeconds")
	s.retention, s.wait = seconds("MessageRetentionPeriod"), seconds("ReceiveMessageWaitTimeSeconds")
	s.maxSize = values["MaximumMessageSize"]
	return s
}

// with is s with some attributes set; s stays as it is. exists tells whether the
// queue of an ARN exists.
func (s settings) with(set map[string]string, exists func(name string) bool) (settings, error) {
	s.raw = maps.Clone(s.raw)
	for name, value := range set {
		_, numeric := numbers[name]
		switch {
		case name == "RedrivePolicy":
			r, err := parseRedrive(value)
			if err != nil {
				return s, err
			}
			if r.queue != "" && !exists(r.queue) {
				return s, invalid(name, value, "Dead letter target does not exist.")
			}
			s.redrive = r
		case !numeric && !kept[name]:
			return s, refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		s.raw[name] = value
		if value == "" {
			delete(s.raw, name)
		}
	}
	values := map[string]int{}
	for name, limits := range numbers {
		n, err := strconv.Atoi(s.raw[name])
		if err != nil || n < limits.low || n > limits.high {
			return s, refuse("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
		values[name] = n
	}
	return s.withNumbers(values), nil
}

func parseRedrive(value string) (redrive, error) {
	if value == "" {
		return redrive{}, nil
	}
	var p struct {
		DeadLetterTargetArn string
		MaxReceiveCount     any
	}
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return redrive{}, invalid("RedrivePolicy", value, "not JSON.")
	}
	var most int
	switch n := p.MaxReceiveCount.(type) { // both are in use
	case float64:
		most = int(n)
	case string:
		most, _ = strconv.Atoi(n)
	}
	if most < 1 || most > 1000 {
		return redrive{}, invalid("RedrivePolicy", value, "maxReceiveCount must be 1 to 1000.")
	}
	name, err := queueOfARN(p.DeadLetterTargetArn)
	return redrive{queue: name, maxReceives: most}, err
}

func queueOfARN(arn string) (string, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[2] != "sqs" || parts[5] == "" {
		return "", refuse("InvalidParameterValue", "%q is not the ARN of a queue.", arn)
	}
	return parts[5], nil
}

func invalid(parameter string, value any, reason string) *fault {
	return refuse("InvalidParameterValue", "Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}
