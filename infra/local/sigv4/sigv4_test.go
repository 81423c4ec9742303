package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// The headers, links and forms of S3 are tested in package s3.
func TestJSONServices(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	right := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "secret"}
	for name, c := range map[string]struct {
		credentials aws.Credentials
		service     string
		change      func(r *http.Request)
		body        string
		code        string
	}{
		"as signed":          {credentials: right},
		"another secret":     {credentials: aws.Credentials{AccessKeyID: "local", SecretAccessKey: "guessed"}, code: "SignatureDoesNotMatch"},
		"an unknown key":     {credentials: aws.Credentials{AccessKeyID: "other", SecretAccessKey: "secret"}, code: "InvalidAccessKeyId"},
		"another service":    {credentials: right, service: "s3", code: "AuthorizationHeaderMalformed"},
		"another body":       {credentials: right, body: `{"QueueUrl":"other"}`, code: "SignatureDoesNotMatch"},
		"another target":     {credentials: right, change: func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.PurgeQueue") }, code: "SignatureDoesNotMatch"},
		"a header more":      {credentials: right, change: func(r *http.Request) { r.Header.Set("X-Amz-More", "1") }, code: "AccessDenied"},
		"not signed":         {credentials: right, change: func(r *http.Request) { r.Header.Del("Authorization") }, code: "AccessDenied"},
		"the key id alone":   {credentials: right, change: func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local") }, code: "AccessDenied"},
		"signed an hour ago": {credentials: right, change: func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260102T020405Z") }, code: "RequestTimeTooSkewed"},
	} {
		t.Run(name, func(t *testing.T) {
			const body = `{"QueueUrl":"mine"}`
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:9/", strings.NewReader(body))
			r.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")
			sum := sha256.Sum256([]byte(body))
			service := c.service
			if service == "" {
				service = "sqs"
			}
			if err := v4.NewSigner().SignHTTP(t.Context(), c.credentials, r, hex.EncodeToString(sum[:]), service, "us-east-1", now); err != nil {
				t.Fatal(err)
			}
			sent := body
			if c.body != "" {
				sent = c.body
				r.ContentLength = int64(len(body)) // the length is signed as well
			}
			if c.change != nil {
				c.change(r)
			}
			err := Verifier{Keys: map[string]string{"local": "secret"}, Region: "us-east-1", Service: "sqs", Now: func() time.Time { return now }}.Check(r, []byte(sent))
			var refused *Error
			if c.code == "" && err != nil || c.code != "" && (!errors.As(err, &refused) || refused.Code != c.code) {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}
