package s3

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// policy is what the signer of an upload form allowed.
type policy struct {
	expiration time.Time
	conditions []condition
	min, max   int64 // bytes of the file
}

type condition struct{ operator, field, value string }

func badPolicy(format string, args ...any) *fault {
	return refuse(http.StatusBadRequest, "InvalidPolicyDocument", "Invalid Policy: "+format, args...)
}

func parsePolicy(text string) (policy, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return policy{}, badPolicy("not base64")
	}
	var document struct {
		Expiration *time.Time
		Conditions *[]any
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		return policy{}, badPolicy("%v", err)
	}
	if document.Expiration == nil || document.Conditions == nil {
		return policy{}, badPolicy("expiration or conditions are missing")
	}
	p := policy{expiration: *document.Expiration, max: maxObject}
	for _, c := range *document.Conditions {
		if err := p.add(c); err != nil {
			return policy{}, err
		}
	}
	return p, nil
}

// add takes {"field":"value"}, ["eq","$field","value"], ["starts-with",...] or
// ["content-length-range",min,max].
func (p *policy) add(c any) error {
	switch c := c.(type) {
	case map[string]any:
		if len(c) != 1 {
			return badPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
		}
		for field, v := range c {
			value, ok := v.(string)
			if !ok {
				return badPolicy("the value of %s is no string", field)
			}
			p.conditions = append(p.conditions, condition{"eq", strings.ToLower(field), value})
		}
		return nil
	case []any:
		if len(c) != 3 {
			break
		}
		operator, _ := c[0].(string)
		operator = strings.ToLower(operator)
		if operator == "content-length-range" {
			var low, high bool
			p.min, low = number(c[1])
			p.max, high = number(c[2])
			if !low || !high {
				return badPolicy("content-length-range needs two numbers")
			}
			return nil
		}
		field, _ := c[1].(string)
		value, text := c[2].(string)
		name, dollar := strings.CutPrefix(field, "$")
		if (operator == "eq" || operator == "starts-with") && dollar && text {
			p.conditions = append(p.conditions, condition{operator, strings.ToLower(name), value})
			return nil
		}
	}
	return badPolicy("condition %v is not understood", c)
}

// number takes a JSON number or, as some signers write, one in quotes.
func number(v any) (int64, bool) {
	switch v := v.(type) {
	case float64:
		return int64(v), v >= 0
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil && n >= 0
	}
	return 0, false
}

// maxFormAge is how long after its signing a form is taken, whatever its policy
// says. AWS's pages do not have it; versitygw and two reports of what AWS did
// (meteor-slingshot issue 80, react-aws-s3 issue 42) do.
const maxFormAge = time.Hour

// allows checks the form of an upload to a bucket, but not the file's length.
func (p policy) allows(form map[string]string, bucket string, now time.Time) error {
	signed, err := time.Parse("20060102T150405Z", form["x-amz-date"])
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidArgument", "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	}
	if !now.Before(p.expiration) || now.Sub(signed) > maxFormAge {
		return denied("Invalid according to Policy: Policy expired.")
	}
	for _, c := range p.conditions {
		value := form[c.field]
		if c.field == "bucket" {
			value = bucket
		}
		if value == c.value || (c.operator == "starts-with" && strings.HasPrefix(value, c.value)) {
			continue
		}
		return denied("Invalid according to Policy: Policy Condition failed: [%q, %q, %q]", c.operator, "$"+c.field, c.value)
	}
	if given, ok := form["bucket"]; ok && given != bucket {
		return denied("Invalid according to Policy: the field bucket is not the bucket of the address")
	}
	// The bucket of the address counts as a field.
	for _, field := range append(slices.Sorted(maps.Keys(form)), "bucket") {
		covered := func(c condition) bool { return c.field == field }
		free := field == "policy" || field == "x-amz-signature" || strings.HasPrefix(field, "x-ignore-")
		if !free && !slices.ContainsFunc(p.conditions, covered) {
			return denied("Invalid according to Policy: Extra input fields: %s", field)
		}
	}
	return nil
}
