//go:build linux

package outside

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
)

// Error is a file that could not be fetched. Its text is for whoever made the deal:
// it holds no address, name or path that this machine has found out.
type Error struct {
	Reason  string
	Lasting bool  // the same call will fail again
	Cause   error // for the worker's owner; nil = the reason says it all
}

func (e *Error) Error() string { return e.Reason }

// Unwrap gives the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// Cause gives what an owner may know of an error of Fetch.
func Cause(err error) error {
	var fault *Error
	if errors.As(err, &fault) {
		return cause(fault)
	}
	return err
}

func cause(e *Error) error {
	if e.Cause == nil {
		return e
	}
	return e.Cause
}

var (
	errSilent  = errors.New("nothing comes")
	errPrivate = errors.New("no public address")
)

// fault makes the error of a call that broke off, unless it is the caller who gave
// up.
func (f *Fetcher) fault(ctx, timed context.Context, err error) error {
	var known *Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &known):
		return known
	case errors.Is(err, errPrivate):
		return &Error{Reason: "its host's address is not a public one, and this worker goes to no others", Lasting: true, Cause: err}
	case errors.As(err, &name) && name.IsNotFound:
		return &Error{Reason: "there is no host of that name", Lasting: true, Cause: err}
	case errors.As(err, &name):
		return &Error{Reason: "its host's name cannot be looked up", Cause: err}
	case errors.As(err, &certificate):
		return &Error{Reason: "its host has no good certificate", Lasting: true, Cause: err}
	case errors.Is(context.Cause(timed), errSilent):
		return &Error{Reason: fmt.Sprintf("its host says nothing for %v", f.Patience), Cause: err}
	}
	return &Error{Reason: "its host does not answer, or breaks off", Cause: err}
}

// refused makes the error of an answer that is not the file.
func refused(status int) error {
	lasting := status < http.StatusInternalServerError
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		lasting = false
	}
	return &Error{Reason: fmt.Sprintf("its host answers %d %s", status, http.StatusText(status)), Lasting: lasting}
}

func tooLarge(most int64) error {
	return &Error{Reason: fmt.Sprintf("it has more than the %d bytes that this worker has left for the files of one run", most), Lasting: true}
}

// unwritten makes the error of a disk, without the file's path.
func unwritten(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("it cannot be stored: %w", err)
}
