package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"workerpool/infra/local/faults"
	local "workerpool/infra/local/s3"
)

const bucket = "pool-files"

// endpoint is an implementation of S3 under test, with two buckets and the access
// key "local" with the secret "local-secret".
type endpoint struct {
	url    string
	http   *http.Client
	bucket string
	other  string // another bucket
}

// ours starts the stand-in on a folder.
func ours(t testing.TB, dir string, board *faults.Board, serve func(http.Handler) *httptest.Server) endpoint {
	t.Helper()
	b, err := local.New(local.Config{
		Dir: dir, Buckets: []string{bucket, "other-files"}, Keys: map[string]string{"local": "local-secret"}, Faults: board,
	})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	h := serve(b)
	t.Cleanup(h.Close)
	return endpoint{url: h.URL, http: h.Client(), bucket: bucket, other: "other-files"}
}

// desk is the real client of AWS at an endpoint.
type desk struct {
	testing.TB
	endpoint
	api  *s3.Client
	sign *s3.PresignClient
}

func open(t testing.TB, e endpoint, change ...func(*s3.Options)) desk {
	o := s3.Options{
		Region: "us-east-1", BaseEndpoint: &e.url, UsePathStyle: true, HTTPClient: e.http, Retryer: aws.NopRetryer{},
		// As a client made from the environment has them.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials:                credentials.NewStaticCredentialsProvider("local", "local-secret", ""),
	}
	api := s3.New(o, change...)
	return desk{TB: t, endpoint: e, api: api, sign: s3.NewPresignClient(api)}
}

// signer signs as one whose clock is off by so much.
type signer struct {
	*v4.Signer
	off time.Duration
}

func newSigner(off time.Duration) signer {
	return signer{v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), off}
}

func (s signer) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, at time.Time, options ...func(*v4.SignerOptions)) error {
	return s.Signer.SignHTTP(ctx, c, r, payload, service, region, at.Add(s.off), options...)
}

func (s signer) PresignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, payload, service, region string, at time.Time, options ...func(*v4.SignerOptions)) (string, http.Header, error) {
	return s.Signer.PresignHTTP(ctx, c, r, payload, service, region, at.Add(s.off), options...)
}

func (d desk) put(key, body string) {
	d.Helper()
	_, err := d.api.PutObject(d.Context(), &s3.PutObjectInput{Bucket: &d.bucket, Key: &key, Body: strings.NewReader(body)})
	if err != nil {
		d.Fatalf("put %q: %v", key, err)
	}
}

func (d desk) get(key string) (string, error) {
	out, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: &d.bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	body, err := io.ReadAll(out.Body)
	return string(body), err
}

func (d desk) wantBody(key, want string) {
	d.Helper()
	if got, err := d.get(key); err != nil || got != want {
		d.Errorf("get %q: %q, %v; want %q", key, got, err, want)
	}
}

func (d desk) wantAbsent(key string) {
	d.Helper()
	_, err := d.get(key)
	d.refused("get "+key, err, "NoSuchKey")
}

// keys lists the bucket.
func (d desk) keys() []string {
	d.Helper()
	out, err := d.api.ListObjectsV2(d.Context(), &s3.ListObjectsV2Input{Bucket: &d.bucket})
	if err != nil {
		d.Fatalf("list: %v", err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

// refused compares the code a caller of the SDK decides by.
func (d desk) refused(what string, err error, code string) {
	d.Helper()
	var api smithy.APIError
	switch {
	case err == nil:
		d.Errorf("%s: done, want code %s", what, code)
	case !errors.As(err, &api):
		d.Errorf("%s: %v, want code %s", what, err, code)
	case api.ErrorCode() != code:
		d.Errorf("%s: code %s (%s), want code %s", what, api.ErrorCode(), api.ErrorMessage(), code)
	}
}

// answer is what came back on a plain HTTP call.
type answer struct {
	status int
	header http.Header
	body   string
	code   string // of an error
}

func (d desk) do(method, url string, header map[string]string, body io.Reader) answer {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), method, url, body)
	if err != nil {
		d.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := d.http.Do(req)
	if err != nil {
		d.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatalf("%s %s: read: %v", method, url, err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	var e struct{ Code string }
	if xml.Unmarshal(text, &e) == nil {
		a.code = e.Code
	}
	return a
}

func (d desk) wantAnswer(what string, a answer, status int, code string) {
	d.Helper()
	if a.status != status || a.code != code {
		d.Errorf("%s: answer %d %s (%s), want %d %s", what, a.status, a.code, a.body, status, code)
	}
}

// form is a signed upload form.
type form struct {
	url    string
	fields map[string]string
}

// newForm signs a form for a key: good for ten minutes, with these conditions
// beside the client's own, and these fields.
func (d desk) newForm(key string, conditions []any, fields map[string]string) form {
	d.Helper()
	return d.newFormFor(10*time.Minute, key, conditions, fields)
}

func (d desk) newFormFor(life time.Duration, key string, conditions []any, fields map[string]string) form {
	d.Helper()
	out, err := d.sign.PresignPostObject(d.Context(), &s3.PutObjectInput{Bucket: &d.bucket, Key: &key},
		func(o *s3.PresignPostOptions) { o.Expires, o.Conditions = life, conditions })
	if err != nil {
		d.Fatalf("sign a form: %v", err)
	}
	maps.Copy(out.Values, fields)
	return form{out.URL, out.Values}
}

// post sends a form with a file.
func (d desk) post(f form, file string) answer {
	d.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(f.fields)) {
		if err := w.WriteField(name, f.fields[name]); err != nil {
			d.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "result.tar")
	if err != nil {
		d.Fatal(err)
	}
	if _, err := io.WriteString(part, file); err != nil {
		d.Fatal(err)
	}
	if err := w.Close(); err != nil {
		d.Fatal(err)
	}
	return d.do(http.MethodPost, f.url, map[string]string{"Content-Type": w.FormDataContentType()}, &body)
}

func sha(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}
