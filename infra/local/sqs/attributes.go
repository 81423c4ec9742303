package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attribute is a message attribute as it travels.
type attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

func (a attribute) value() []byte {
	if a.StringValue != nil {
		return []byte(*a.StringValue)
	}
	return a.BinaryValue
}

func checkAttributes(all map[string]attribute) error {
	if len(all) > 10 {
		return refuse("InvalidParameterValue", "Number of message attributes [%d] exceeds the allowed maximum [10].", len(all))
	}
	for name, a := range all {
		kind, _, _ := strings.Cut(a.DataType, ".")
		text := kind == "String" || kind == "Number"
		if name == "" || (!text && kind != "Binary") || text != (a.StringValue != nil) || len(a.value()) == 0 {
			return refuse("InvalidParameterValue", "The message attribute %q must have a value of its data type %q.", name, a.DataType)
		}
	}
	return nil
}

// digest is SQS's MD5 over message attributes, empty without any: by name, each
// of name, type, one byte for the way of transport (1 text, 2 binary) and value,
// all but that byte behind a length of four bytes.
func digest(all map[string]attribute) string {
	if len(all) == 0 {
		return ""
	}
	h := md5.New()
	part := func(p []byte) {
		_ = binary.Write(h, binary.BigEndian, uint32(len(p))) // a hash never fails
		h.Write(p)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a := all[name]
		part([]byte(name))
		part([]byte(a.DataType))
		if a.StringValue != nil {
			h.Write([]byte{1})
		} else {
			h.Write([]byte{2})
		}
		part(a.value())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// asked picks the attributes of a message that a receive named: a name, "All",
// ".*", or a prefix with ".*" behind it.
func asked(all map[string]attribute, names []string) map[string]attribute {
	out := map[string]attribute{}
	for name, a := range all {
		for _, want := range names {
			prefix, isPrefix := strings.CutSuffix(want, ".*")
			if want == "All" || want == name || (isPrefix && strings.HasPrefix(name, prefix)) {
				out[name] = a
			}
		}
	}
	return out
}

// systemAttributes are those of m that a receive named.
func systemAttributes(m *message, names []string) map[string]string {
	millis := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	all := map[string]string{
		"SenderId":                         account,
		"SentTimestamp":                    millis(m.sentAt),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": millis(m.firstReceived),
		"AWSTraceHeader":                   m.trace,
		"DeadLetterQueueSourceArn":         m.source,
	}
	maps.DeleteFunc(all, func(name, value string) bool {
		return value == "" || !(slices.Contains(names, "All") || slices.Contains(names, name))
	})
	return all
}

// size is what counts against the limits.
func size(body string, all map[string]attribute) int {
	n := len(body)
	for name, a := range all {
		n += len(name) + len(a.DataType) + len(a.value())
	}
	return n
}

// legible tells whether a body has only the characters SQS takes.
func legible(body string) bool {
	return !strings.ContainsFunc(body, func(r rune) bool {
		return (r < 0x20 && r != '\t' && r != '\n' && r != '\r') || r == 0xFFFE || r == 0xFFFF
	})
}
