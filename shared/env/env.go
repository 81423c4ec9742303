// Package env is the only reader of the process environment. It owns how a
// parameter is written ("500M", "true", seconds) and reports every fault of a
// deployment at once. It must not know what a parameter is for, and must never
// repeat the value of a parameter that could be a secret.
//
// Names are given as string literals, so that a test can list what a function
// reads and compare it with what the template sets.
package env

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reader reads parameters and keeps their faults until Err. The zero value
// reads the process environment. Empty counts as not set.
type Reader struct {
	lookup func(name string) (string, bool)
	faults []error
}

// From makes a Reader of fixed values, for tests.
func From(values map[string]string) *Reader {
	return &Reader{lookup: func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}}
}

// If gives a reader of parameters that have a meaning only when on holds: otherwise
// their faults are not.
func (r *Reader) If(on bool) *Reader {
	if on {
		return r
	}
	return &Reader{lookup: r.lookup}
}

// Err gives all faults met so far, in the order of reading; nil when there are none.
func (r *Reader) Err() error {
	if len(r.faults) == 0 {
		return nil
	}
	return fmt.Errorf("the environment has %d faults:\n%w", len(r.faults), errors.Join(r.faults...))
}

// String reads a required text.
func (r *Reader) String(name string) string {
	value, ok := r.get(name)
	if !ok {
		r.fault(name, "is not set")
		return ""
	}
	if strings.TrimSpace(value) != value {
		r.fault(name, "starts or ends with white space")
	}
	return value
}

// Int reads a whole number from least to most; fallback when not set.
func (r *Reader) Int(name string, fallback, least, most int) int {
	value, ok := r.get(name)
	if !ok {
		return fallback
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		r.fault(name, "is %q, not a whole number from %d to %d", value, least, most)
		return fallback
	}
	return n
}

// Seconds reads a duration written as a whole number of seconds from least to
// most; fallback, in seconds too, when not set.
func (r *Reader) Seconds(name string, fallback, least, most int) time.Duration {
	return time.Duration(r.Int(name, fallback, least, most)) * time.Second
}

// Bool reads "true" or "false"; fallback when not set.
func (r *Reader) Bool(name string, fallback bool) bool {
	value, ok := r.get(name)
	if !ok {
		return fallback
	}
	switch value {
	case "true":
		return true
	case "false":
		return false
	}
	r.fault(name, "is %q, neither true nor false", value)
	return fallback
}

// Bytes reads a positive size: a number of bytes, or a number with the suffix
// K, M or G for 2^10, 2^20 or 2^30 bytes; fallback, in bytes, when not set.
func (r *Reader) Bytes(name string, fallback int64) int64 {
	value, ok := r.get(name)
	if !ok {
		return fallback
	}
	number, unit := value, int64(1)
	switch value[len(value)-1] {
	case 'K':
		number, unit = value[:len(value)-1], 1<<10
	case 'M':
		number, unit = value[:len(value)-1], 1<<20
	case 'G':
		number, unit = value[:len(value)-1], 1<<30
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/unit {
		r.fault(name, "is %q, not a size: give a number of bytes, or one with K, M or G", value)
		return fallback
	}
	return n * unit
}

// Choice reads one of the options, written exactly so; fallback when not set.
func (r *Reader) Choice(name, fallback string, options ...string) string {
	value, ok := r.get(name)
	if !ok {
		return fallback
	}
	if !slices.Contains(options, value) {
		r.fault(name, "is %q, not one of %s", value, strings.Join(options, ", "))
		return fallback
	}
	return value
}

// Optional reads a text that may be missing.
func (r *Reader) Optional(name string) string {
	value, _ := r.get(name)
	return value
}

func (r *Reader) get(name string) (string, bool) {
	lookup := r.lookup
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, ok := lookup(name)
	return value, ok && value != ""
}

func (r *Reader) fault(name, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s "+format, append([]any{name}, args...)...))
}
