// Package sigv4 checks the signatures (version 4) of AWS's clients for the
// stand-ins: those of headers, of links, and of a signed text. It owns the
// protocol's arithmetic and its refusals; it must not know what is asked for.
package sigv4

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Algorithm is the only one there is.
const Algorithm = "AWS4-HMAC-SHA256"

// PayloadHeader holds the hash of a body sent to S3, or what stands for it.
const PayloadHeader = "X-Amz-Content-Sha256"

const (
	amzTime         = "20060102T150405Z"
	maxSkew         = 15 * time.Minute
	maxExpires      = 7 * 24 * time.Hour
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// Verifier knows the keys of one service. It is safe for concurrent use.
type Verifier struct {
	Keys    map[string]string // secret of each access key
	Region  string
	Service string           // "s3", "sqs", ...
	Now     func() time.Time // nil = time.Now
}

// Error is a refusal in the words of S3; other services have other codes for it.
type Error struct {
	Status        int
	Code, Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(status int, code, format string, args ...any) error {
	return &Error{status, code, fmt.Sprintf(format, args...)}
}

func denied(format string, args ...any) error {
	return refuse(http.StatusForbidden, "AccessDenied", format, args...)
}

// signature is what a request says about how it was signed.
type signature struct {
	credential, date, signed, value string
	payload                         string // the hash, or one of the constants above
	expires                         time.Duration
	presigned                       bool
}

// Check checks a request of a JSON service, whose body was read, by its header.
func (v Verifier) Check(r *http.Request, body []byte) error {
	s, err := readHeader(r)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	s.payload = hex.EncodeToString(sum[:])
	return v.check(r, s)
}

// CheckFile checks a request of S3, by its header or its query; whether the body
// is as its header says is left to who reads it. Of a link the x-amz-* parameters
// then count as headers, as in S3.
func (v Verifier) CheckFile(r *http.Request) error {
	s, err := readSignature(r)
	if err != nil {
		return err
	}
	if err := v.check(r, s); err != nil {
		return err
	}
	if s.presigned {
		promote(r)
	}
	return nil
}

func (v Verifier) check(r *http.Request, s signature) error {
	if err := v.checkTime(s); err != nil {
		return err
	}
	names := strings.Split(s.signed, ";")
	if err := coversAll(r, names); err != nil {
		return err
	}
	return v.CheckText(s.credential, s.value, stringToSign(s, canonicalRequest(r, names, s.payload)))
}

func readSignature(r *http.Request) (signature, error) {
	q := r.URL.Query()
	if q.Get("X-Amz-Signature") != "" {
		seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
		if err != nil || seconds < 1 || seconds > int(maxExpires/time.Second) || q.Get("X-Amz-Algorithm") != Algorithm {
			return signature{}, refuse(http.StatusBadRequest, "AuthorizationQueryParametersError",
				"X-Amz-Expires must be 1 to 604800 seconds and X-Amz-Algorithm %s", Algorithm)
		}
		return signature{
			credential: q.Get("X-Amz-Credential"), date: q.Get("X-Amz-Date"), signed: q.Get("X-Amz-SignedHeaders"),
			value: q.Get("X-Amz-Signature"), payload: cmp.Or(q.Get(PayloadHeader), r.Header.Get(PayloadHeader), unsignedPayload),
			expires: time.Duration(seconds) * time.Second, presigned: true,
		}, nil
	}
	s, err := readHeader(r)
	if err == nil && s.payload == "" {
		err = refuse(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	}
	return s, err
}

func readHeader(r *http.Request) (signature, error) {
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), Algorithm+" ")
	if !ok {
		return signature{}, denied("Access Denied")
	}
	s := signature{date: r.Header.Get("X-Amz-Date"), payload: r.Header.Get(PayloadHeader)}
	for part := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			s.credential = value
		case "SignedHeaders":
			s.signed = value
		case "Signature":
			s.value = value
		}
	}
	return s, nil
}

func (v Verifier) checkTime(s signature) error {
	signed, err := time.Parse(amzTime, s.date)
	if err != nil {
		return denied("AWS authentication requires a valid Date or x-amz-date header")
	}
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	age := now().Sub(signed)
	switch {
	case s.presigned && age < -maxSkew:
		return denied("Request is not yet valid")
	case s.presigned && age > s.expires:
		return denied("Request has expired")
	case !s.presigned && age.Abs() > maxSkew:
		return refuse(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	return nil
}

// coversAll refuses headers that steer a service but could have been added by anybody.
func coversAll(r *http.Request, names []string) error {
	if !slices.Contains(names, "host") {
		return denied("There were headers present in the request which were not signed: host")
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(names, name) {
			return denied("There were headers present in the request which were not signed: %s", name)
		}
	}
	return nil
}

// CheckText compares the signature of a text under the key of a credential,
// "<access key>/<day>/<region>/<service>/aws4_request".
func (v Verifier) CheckText(credential, value, text string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[3] != v.Service || scope[4] != "aws4_request" || scope[2] != v.Region {
		return refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The credential %q must be <access key>/<day>/%s/%s/aws4_request", credential, v.Region, v.Service)
	}
	secret, known := v.Keys[scope[0]]
	if !known {
		return refuse(http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
	}
	key := []byte("AWS4" + secret)
	for _, part := range append(scope[1:], text) {
		key = mac(key, part)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(value)) {
		return refuse(http.StatusForbidden, "SignatureDoesNotMatch",
			"The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func stringToSign(s signature, canonical string) string {
	_, scope, _ := strings.Cut(s.credential, "/")
	sum := sha256.Sum256([]byte(canonical))
	return strings.Join([]string{Algorithm, s.date, scope, hex.EncodeToString(sum[:])}, "\n")
}

func canonicalRequest(r *http.Request, names []string, payload string) string {
	var query []string
	for name, values := range r.URL.Query() {
		for _, v := range values {
			if name != "X-Amz-Signature" {
				query = append(query, Escape(name, "")+"="+Escape(v, ""))
			}
		}
	}
	slices.Sort(query)
	var headers strings.Builder
	for _, name := range names {
		values := r.Header.Values(name)
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		var folded []string
		for _, v := range values {
			folded = append(folded, strings.Join(strings.Fields(v), " "))
		}
		headers.WriteString(name + ":" + strings.Join(folded, ",") + "\n")
	}
	return strings.Join([]string{r.Method, Escape(r.URL.Path, "/"), strings.Join(query, "&"), headers.String(), strings.Join(names, ";"), payload}, "\n")
}

// Escape is the percent-encoding of signatures: all but letters, digits, -._~
// and the characters of keep.
func Escape(s, keep string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

func promote(r *http.Request) {
	for name, values := range r.URL.Query() {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && r.Header.Get(name) == "" {
			r.Header.Set(name, values[0])
		}
	}
}
