package entry

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
)

const (
	maxBody   = 6 << 20 // bytes of a request's body as it is in the event
	maxAnswer = 6 << 20 // bytes of an answer, written as JSON: Lambda's own limit
	maxEscape = 6       // bytes that JSON may make of one
)

type (
	httpEvent  = events.APIGatewayV2HTTPRequest
	httpAnswer = events.APIGatewayV2HTTPResponse
)

// serve adapts a handler to events. The error is always nil: whatever goes
// wrong, the caller gets a problem document with the request id.
func serve(handler http.Handler) func(context.Context, httpEvent) (httpAnswer, error) {
	return func(ctx context.Context, event httpEvent) (httpAnswer, error) {
		ctx, cancel := begin(ctx, event.RequestContext.RequestID)
		defer cancel()
		request, err := requestOf(ctx, event)
		if err != nil {
			return problem(ctx, event, err), nil
		}
		w := &writer{header: http.Header{}}
		err = guard(ctx, func() error {
			handler.ServeHTTP(w, request)
			return nil
		})
		if err != nil {
			return problem(ctx, event, err), nil
		}
		answer := w.answer(ctx)
		if err := fits(answer); err != nil {
			return problem(ctx, event, err), nil
		}
		return answer, nil
	}
}

// fits refuses an answer that Lambda would: of that the caller would learn nothing.
func fits(answer httpAnswer) error {
	if len(answer.Body) < maxAnswer/maxEscape {
		return nil
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if len(text) > maxAnswer {
		return fmt.Errorf("the answer has %d bytes, more than Lambda takes", len(text))
	}
	return nil
}

func problem(ctx context.Context, event httpEvent, err error) httpAnswer {
	about := http.Request{Method: event.RequestContext.HTTP.Method, URL: &url.URL{Path: event.RawPath}}
	w := &writer{header: http.Header{}}
	web.WriteProblem(w, about.WithContext(ctx), err)
	return w.answer(ctx)
}

// requestOf makes the request that an event tells of.
func requestOf(ctx context.Context, event httpEvent) (*http.Request, error) {
	if len(event.Body) > maxBody {
		return nil, pool.Refuse(pool.TooLarge, "", "the body may have %d bytes at most", maxBody)
	}
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return nil, &pool.Error{Kind: pool.Invalid, Message: "the body could not be read", Cause: err}
		}
	}
	request := &http.Request{
		Method: event.RequestContext.HTTP.Method,
		URL:    urlOf(event),
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: headerOf(event),
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Host:       event.RequestContext.DomainName,
		RemoteAddr: net.JoinHostPort(event.RequestContext.HTTP.SourceIP, "0"),
	}
	if !isToken(request.Method) || !strings.HasPrefix(request.URL.Path, "/") {
		return nil, errors.New("the event has no method or no path")
	}
	request.RequestURI = request.URL.RequestURI()
	return request.WithContext(ctx), nil
}

// isToken tells that a method is made of capital letters.
func isToken(method string) bool {
	return method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// urlOf reads the path as encoded, or plainly when it is not: gateways differ.
func urlOf(event httpEvent) *url.URL {
	out := &url.URL{Path: event.RawPath, RawQuery: event.RawQueryString}
	if path, err := url.PathUnescape(event.RawPath); err == nil {
		out.Path, out.RawPath = path, event.RawPath
	}
	return out
}

func headerOf(event httpEvent) http.Header {
	header := http.Header{}
	for name, value := range event.Headers {
		header.Set(name, value)
	}
	if len(event.Cookies) > 0 {
		header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	return header
}

// writer takes a handler's answer.
type writer struct {
	header http.Header
	sent   http.Header // as they were when the status was written
	status int
	body   bytes.Buffer
}

func (w *writer) Header() http.Header { return w.header }

func (w *writer) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *writer) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// answer writes several values of a header as one, joined by commas, and
// cookies apart, as payload 2.0 wants them.
func (w *writer) answer(ctx context.Context) httpAnswer {
	w.WriteHeader(http.StatusOK)
	if id := telemetry.RequestID(ctx); id != "" {
		w.sent.Set("X-Request-Id", id)
	}
	out := httpAnswer{StatusCode: w.status, Headers: map[string]string{}, Cookies: w.sent.Values("Set-Cookie")}
	w.sent.Del("Set-Cookie")
	for name, values := range w.sent {
		out.Headers[name] = strings.Join(values, ", ")
	}
	if text := w.body.Bytes(); utf8.Valid(text) && w.sent.Get("Content-Encoding") == "" {
		out.Body = string(text)
	} else {
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(text), true
	}
	return out
}
