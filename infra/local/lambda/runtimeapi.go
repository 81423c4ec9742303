package lambda

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"workerpool/infra/local/template"
)

// runtimeAPI is what the process of a sandbox talks to:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (s *sandbox) runtimeAPI() http.Handler {
	// Only the process's one loop calls, but a broken one may call twice at once.
	var mu sync.Mutex
	var current *invocation
	take := func(id string) *invocation {
		mu.Lock()
		defer mu.Unlock()
		if current == nil || current.id != id {
			return nil
		}
		call := current
		current = nil
		return call
	}
	answer := func(w http.ResponseWriter, r *http.Request, failed bool) {
		body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload+1))
		if err != nil {
			apiError(w, http.StatusBadRequest, "InvalidRequest", "the answer could not be read")
			return
		}
		call := take(r.PathValue("id"))
		if call == nil {
			apiError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
			return
		}
		if len(body) > MaxPayload {
			call.answer <- failure(call, "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).")
			apiError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes).")
			return
		}
		call.answer <- Result{RequestID: call.id, Payload: body, Failed: failed}
		accepted(w)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case call := <-s.next:
			call.deadline = time.Now().Add(call.timeout)
			mu.Lock()
			current = call
			mu.Unlock()
			f := s.pool.function
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", call.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn",
				"arn:aws:lambda:"+template.Region+":"+template.AccountID+":function:"+f.Name)
			w.Header().Set("Lambda-Runtime-Trace-Id", "Root=1-"+strconv.FormatInt(time.Now().Unix(), 16)+"-"+
				strings.ReplaceAll(call.id, "-", "")[:24]+";Sampled=0")
			_, _ = w.Write(call.event) // a process that is gone is seen by its end
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { answer(w, r, false) })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { answer(w, r, true) })
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, MaxPayload))
		if err != nil {
			apiError(w, http.StatusBadRequest, "InvalidRequest", "the error could not be read")
			return
		}
		select {
		case s.initErr <- body:
		default: // told before
		}
		accepted(w)
	})
	return mux
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`) // the process may be gone; nothing to tell it then
}

func apiError(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"errorType":"`+kind+`","errorMessage":"`+text+`"}`) // as above
}

// output writes whole lines of several processes to one writer.
type output struct {
	mu sync.Mutex
	to io.Writer
}

func (o *output) line(name, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// What a function prints is not worth failing a call for.
	_, _ = io.WriteString(o.to, name+" | "+text+"\n")
}

// lines cuts what one process writes into lines; os/exec calls it from one
// goroutine.
type lines struct {
	output *output
	name   string
	rest   []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, after, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.output.line(l.name, string(line))
		l.rest = after
	}
}

// flush writes what came without an end of line.
func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.output.line(l.name, string(l.rest))
	}
}
