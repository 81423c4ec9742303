package apigw

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"workerpool/infra/local/template"
)

// event is the payload 2.0 of an HTTP API. It is spelt out here and not taken from
// aws-lambda-go, which writes empty objects where the service writes null or
// nothing.
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"` // milliseconds
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

func requestID() string { return rand.Text()[:15] + "=" }

func newEvent(r *http.Request, routeKey string, variables map[string]string, body []byte, id string, now time.Time) ([]byte, error) {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	prefix, _, _ := strings.Cut(r.Host, ".")
	e := event{
		Version: "2.0", RouteKey: routeKey, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{}, PathParameters: variables,
		RequestContext: requestContext{
			AccountID: template.AccountID, APIID: "local", DomainName: r.Host, DomainPrefix: prefix,
			HTTP:      httpContext{Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent()},
			RequestID: id, RouteKey: routeKey, Stage: "$default",
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			for _, value := range values {
				e.Cookies = append(e.Cookies, strings.Split(value, "; ")...)
			}
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	maps.Copy(e.Headers, map[string]string{
		"host": r.Host, "x-forwarded-for": ip, "x-forwarded-proto": "http", "content-length": fmt.Sprint(len(body)),
	})
	// What cannot be read of a query is left out, as the service does.
	query, _ := url.ParseQuery(r.URL.RawQuery)
	for name, values := range query {
		if e.QueryStringParameters == nil {
			e.QueryStringParameters = map[string]string{}
		}
		e.QueryStringParameters[name] = strings.Join(values, ",")
	}
	if isText(r.Header.Get("Content-Type")) && utf8.Valid(body) {
		e.Body = string(body)
	} else if len(body) > 0 {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding the event: %w", err)
	}
	return encoded, nil
}

// isText tells which content types the service passes on as they are.
func isText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// response is what a function answers.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`

	content []byte
}

// readResponse reads a function's answer. JSON without a statusCode is the body
// of a 200.
func readResponse(payload []byte) (response, error) {
	var given struct {
		StatusCode *int `json:"statusCode"`
	}
	if err := json.Unmarshal(payload, &given); err != nil || given.StatusCode == nil {
		if !json.Valid(payload) {
			return response{}, fmt.Errorf("reading the answer: it is no JSON")
		}
		return response{StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": "application/json"}, content: payload}, nil
	}
	var r response
	if err := json.Unmarshal(payload, &r); err != nil {
		return response{}, fmt.Errorf("reading the answer: %w", err)
	}
	if r.StatusCode < 200 || r.StatusCode > 599 {
		return response{}, fmt.Errorf("reading the answer: %d is no status", r.StatusCode)
	}
	r.content = []byte(r.Body)
	if r.IsBase64Encoded {
		var err error
		if r.content, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return response{}, fmt.Errorf("reading the answer's body: %w", err)
		}
	}
	return r, nil
}

func (r response) write(w http.ResponseWriter) {
	for name, value := range r.Headers {
		w.Header().Set(name, value)
	}
	for _, cookie := range r.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	// The length follows from the content, whatever the function says.
	w.Header().Del("Content-Length")
	w.WriteHeader(r.StatusCode)
	_, _ = w.Write(r.content) // the caller may be gone
}
