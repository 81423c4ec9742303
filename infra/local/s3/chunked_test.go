package s3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Over TLS the client sends its checksum in a trailer; from a stream it cannot
// do otherwise.
func TestTrailingChecksums(t *testing.T) {
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewTLSServer))
	body := strings.Repeat("0123456789abcdef", 10_000)
	d.put("seekable", body)
	d.wantBody("seekable", body)
	stream := struct{ io.Reader }{strings.NewReader(body)}
	_, err := d.api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("stream"), Body: stream, ContentLength: aws.Int64(int64(len(body))),
		ContentEncoding: aws.String("identity")})
	if err != nil {
		t.Fatalf("put a stream: %v", err)
	}
	d.wantBody("stream", body)
	head, err := d.api.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("stream"), ChecksumMode: "ENABLED"})
	if err != nil || head.ChecksumCRC32 == nil || aws.ToString(head.ContentEncoding) != "identity" || aws.ToInt64(head.ContentLength) != int64(len(body)) {
		t.Errorf("head %+v, %v", head, err)
	}
}

// putRaw signs and sends a body as it is, in the given payload mode.
func (d desk) putRaw(payload, body string, header map[string]string) answer {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), http.MethodPut, d.url+"/"+bucket+"/a", strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	req.Header.Set("X-Amz-Content-Sha256", payload)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	credentials := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local-secret"}
	err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }).
		SignHTTP(d.Context(), credentials, req, payload, "s3", "us-east-1", time.Now())
	if err != nil {
		d.Fatal(err)
	}
	signed := map[string]string{}
	for name := range req.Header {
		signed[name] = req.Header.Get(name)
	}
	return d.do(http.MethodPut, req.URL.String(), signed, strings.NewReader(body))
}

func TestChunkedBodies(t *testing.T) {
	const (
		mode  = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
		whole = "3\r\nabc\r\n2\r\nde\r\n0\r\n"
	)
	right := "x-amz-checksum-sha256:" + sha("abcde") + "\r\n\r\n"
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewServer))
	for _, c := range []struct {
		name, body, length, code string
	}{
		{"chunk cut short", "3\r\nab", "2", "IncompleteBody"},
		{"no end", "3\r\nabc\r\n", "3", "IncompleteBody"},
		{"no trailer", whole, "5", "IncompleteBody"},
		{"fewer bytes than said", whole + right, "6", "IncompleteBody"},
		{"length is no number", "x\r\nabc", "3", "InvalidRequest"},
		{"negative length", "-3\r\nabc", "3", "InvalidRequest"},
		{"bytes behind the chunk", "2\r\nabc\r\n0\r\n\r\n", "3", "InvalidRequest"},
		{"trailer without the announced", whole + "\r\n", "5", "BadDigest"},
		{"wrong trailer", whole + "x-amz-checksum-sha256:" + sha("other") + "\r\n\r\n", "5", "BadDigest"},
	} {
		a := d.putRaw(mode, c.body, map[string]string{"X-Amz-Decoded-Content-Length": c.length, "X-Amz-Trailer": "x-amz-checksum-sha256"})
		if a.status != http.StatusBadRequest || a.code != c.code {
			t.Errorf("%s: %+v, want %s", c.name, a, c.code)
		}
	}
	d.wantAbsent("a")
	a := d.putRaw(mode, whole+right, map[string]string{"X-Amz-Decoded-Content-Length": "5", "X-Amz-Trailer": "x-amz-checksum-sha256"})
	d.wantAnswer("put", a, http.StatusOK, "")
	d.wantBody("a", "abcde")
}

func TestPayloadModes(t *testing.T) {
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewServer))
	const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	d.wantAnswer("put", d.putRaw(emptySHA256, "not empty", nil), http.StatusBadRequest, "XAmzContentSHA256Mismatch")
	d.wantAnswer("put", d.putRaw("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0;\r\n", nil), http.StatusNotImplemented, "NotImplemented")
	d.wantAbsent("a")
	d.wantAnswer("put", d.putRaw("UNSIGNED-PAYLOAD", "anything", nil), http.StatusOK, "")
	d.wantBody("a", "anything")
}
