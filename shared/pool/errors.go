package pool

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts the failures that somebody decides upon: a handler by status, a
// worker by whether to try again. A failure without a Kind is a fault of ours.
type Kind string

// The kinds, with the HTTP status that shared/web gives them.
const (
	Invalid         Kind = "invalid"          // 400: the request breaks a rule; Field names where
	Unauthenticated Kind = "unauthenticated"  // 401: no token, or one that is no longer good
	Forbidden       Kind = "forbidden"        // 403: the role may not do this at all
	NotFound        Kind = "not_found"        // 404: absent, or somebody else's
	Conflict        Kind = "conflict"         // 409: true once, but not in the present state
	TooLarge        Kind = "too_large"        // 413: above a stated limit
	Unsupported     Kind = "unsupported_type" // 415: the body is not JSON
	TooMany         Kind = "too_many"         // 429: above a rate or quota; RetryAfter says when
	Unavailable     Kind = "unavailable"      // 503: something we depend on is down; try again
)

// Error is a failure meant for the person or program that made the request.
type Error struct {
	Kind       Kind
	Field      string        // path of the offending property, such as "template.trust" or "items[3].args"; "" when none
	Message    string        // a sentence without secrets and without other people's data
	RetryAfter time.Duration // for TooMany and Unavailable; 0 = unstated
	Cause      error         // for the log only, never shown
}

func (e *Error) Error() string {
	text := string(e.Kind) + ": " + e.Message
	if e.Field != "" {
		text = string(e.Kind) + " (" + e.Field + "): " + e.Message
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// Refuse makes an Error of a kind about a field ("" for none).
func Refuse(kind Kind, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Down makes the Error for a dependency that could not be reached or did not
// answer in time. The same request may succeed later.
func Down(what string, cause error) *Error {
	return &Error{Kind: Unavailable, Message: what + " is not reachable just now, try again", RetryAfter: 2 * time.Second, Cause: cause}
}

// KindOf gives the kind of err, or "" when nobody is meant to decide by it.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
