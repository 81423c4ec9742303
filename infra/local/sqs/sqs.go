// Package sqs is a development stand-in of Amazon SQS: standard queues behind
// the JSON protocol of the AWS clients, kept in memory. Rings are best effort
// and the minute tick repairs a lost one, so queues do not survive a restart.
//
// It owns what our code can notice of SQS: visibility, receipt handles, delays,
// receive counts, dead letters, retention, limits and errors. It must not be
// deployed: it checks no policy, knows no FIFO queue, and does
// not enforce the quotas of SQS (messages in flight, one purge a minute).
package sqs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"workerpool/infra/local/faults"
	"workerpool/infra/local/sigv4"
)

const (
	defaultRegion = "us-east-1"
	account       = "000000000000"
	// maxRequest bounds a request: 1 MiB of messages in which JSON may have
	// escaped every byte as \u00XX.
	maxRequest = 8 << 20
)

// Config holds what Queues need; every field may be left out.
type Config struct {
	Region string // of the ARNs; default us-east-1
	// Keys has the secret of each access key; nil = anyone may call, signed or not.
	Keys   map[string]string
	Faults *faults.Board    // default: no faults
	Now    func() time.Time // default time.Now
	// At answers a channel that fires when the clock of Now has reached a time,
	// at once if it is past. Default: the system clock.
	At func(time.Time) <-chan time.Time
}

// Queues is the stand-in: an http.Handler safe for concurrent use. A long poll
// returns when its request's context ends.
type Queues struct {
	region   string
	verifier *sigv4.Verifier // nil = nothing is checked
	faults   *faults.Board
	now      func() time.Time
	at       func(time.Time) <-chan time.Time

	mu     sync.Mutex
	byName map[string]*queue
}

// New makes the stand-in without queues and declares its fault targets: one
// "sqs:<Operation>" per operation.
func New(c Config) *Queues {
	s := &Queues{region: c.Region, faults: c.Faults, now: c.Now, at: c.At, byName: map[string]*queue{}}
	if s.region == "" {
		s.region = defaultRegion
	}
	if c.Keys != nil {
		s.verifier = &sigv4.Verifier{Keys: c.Keys, Region: s.region, Service: "sqs"}
	}
	if s.faults == nil {
		s.faults = faults.New(faults.Config{})
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.at == nil {
		s.at = func(t time.Time) <-chan time.Time { return time.After(time.Until(t)) }
	}
	for name := range operations {
		s.faults.Declare(ownFaults[name], target(name))
	}
	return s
}

func target(operation string) string { return "sqs:" + operation }

// ownFaults are the kinds with a meaning of their own: a batch call is hit as a
// whole. A duplicated send stores the message twice under one id, a duplicated
// receive leaves what it delivers visible.
var ownFaults = map[string][]faults.Kind{
	"SendMessage":                  {faults.Duplicate, faults.Delay, faults.Lose},
	"SendMessageBatch":             {faults.Duplicate, faults.Delay, faults.Lose},
	"ReceiveMessage":               {faults.Duplicate, faults.Reorder},
	"DeleteMessage":                {faults.Lose},
	"DeleteMessageBatch":           {faults.Lose},
	"ChangeMessageVisibility":      {faults.Lose},
	"ChangeMessageVisibilityBatch": {faults.Lose},
}

// call is what an operation knows of its request beside the input.
type call struct {
	ctx   context.Context
	base  string // scheme and host the caller used, for queue URLs
	fault faults.Fault
}

type operation func(s *Queues, c call, body []byte) (any, error)

// typed makes an operation of a method on decoded input.
func typed[In, Out any](do func(*Queues, call, In) (Out, error)) operation {
	return func(s *Queues, c call, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, refuse("SerializationException", "the request is not the JSON of this operation: %v", err)
		}
		return do(s, c, in)
	}
}

var operations = map[string]operation{
	"CreateQueue":                  typed((*Queues).createQueue),
	"GetQueueUrl":                  typed((*Queues).getQueueURL),
	"ListQueues":                   typed((*Queues).listQueues),
	"GetQueueAttributes":           typed((*Queues).getQueueAttributes),
	"SetQueueAttributes":           typed((*Queues).setQueueAttributes),
	"PurgeQueue":                   typed((*Queues).purgeQueue),
	"StartMessageMoveTask":         typed((*Queues).startMessageMoveTask),
	"SendMessage":                  typed((*Queues).sendMessage),
	"SendMessageBatch":             typed((*Queues).sendMessageBatch),
	"ReceiveMessage":               typed((*Queues).receiveMessage),
	"DeleteMessage":                typed((*Queues).deleteMessage),
	"DeleteMessageBatch":           typed((*Queues).deleteMessageBatch),
	"ChangeMessageVisibility":      typed((*Queues).changeMessageVisibility),
	"ChangeMessageVisibilityBatch": typed((*Queues).changeMessageVisibilityBatch),
}

// ServeHTTP carries out one call of the JSON protocol, whatever its path.
func (s *Queues) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	do, known := operations[name]
	if r.Method != http.MethodPost || !ours || !known {
		answer(w, nil, refuse("UnknownOperationException", "%s with target %q is no operation of this stand-in",
			r.Method, r.Header.Get("X-Amz-Target")))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		answer(w, nil, refuse("SerializationException", "read the request: %v", err))
		return
	}
	if s.verifier != nil {
		if err := s.verifier.Check(r, body); err != nil {
			answer(w, nil, err)
			return
		}
	}
	c := call{ctx: r.Context(), base: "http://" + r.Host}
	if r.TLS != nil {
		c.base = "https://" + r.Host
	}
	s.faults.Serve(w, r, target(name), func(w http.ResponseWriter, f faults.Fault) {
		c.fault = f
		out, err := do(s, c, body)
		answer(w, out, err)
	}, func(w http.ResponseWriter, status int) {
		answer(w, nil, &fault{code: "InternalFailure", message: "a fault was switched on", status: status})
	})
}

func answer(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Requestid", rand.Text())
	status := http.StatusOK
	if err != nil {
		var f *fault
		var unsigned *sigv4.Error
		if errors.As(err, &unsigned) {
			f = &fault{code: unsigned.Code, message: unsigned.Message, status: unsigned.Status}
		} else if !errors.As(err, &f) {
			f = &fault{code: "InternalFailure", message: err.Error(), status: http.StatusInternalServerError}
		}
		status = f.status
		w.Header().Set("X-Amzn-Query-Error", f.queryError())
		out = map[string]string{"__type": "com.amazonaws.sqs#" + f.code, "message": f.message}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the caller may be gone; there is nobody to tell
}

// fault is an error of the protocol.
type fault struct {
	code    string // the JSON protocol's type
	message string
	status  int
}

func (f *fault) Error() string { return f.code + ": " + f.message }

// renamed are the types whose code had a prefix, or another name, in the query
// protocol; clients still see that code.
var (
	prefixed = []string{"BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId",
		"MessageNotInflight", "TooManyEntriesInBatchRequest", "UnsupportedOperation"}
	renamed = map[string]string{"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue", "QueueNameExists": "QueueAlreadyExists"}
)

func (f *fault) queryError() string {
	code, blame := f.code, "Sender"
	if slices.Contains(prefixed, code) {
		code = "AWS.SimpleQueueService." + code
	} else if other, ok := renamed[code]; ok {
		code = other
	}
	if f.status >= http.StatusInternalServerError {
		blame = "Receiver"
	}
	return code + ";" + blame
}

func refuse(code, format string, args ...any) *fault {
	return &fault{code: code, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}
