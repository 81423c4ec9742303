package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/infra/local/faults"
	local "workerpool/infra/local/s3"
	"workerpool/shared/blob"
	"workerpool/shared/pool"
)

const key = "inputs/7/0/scene one+ü.blend"

// bench is a bucket of the local stand-in, whose clock may be ahead.
type bench struct {
	*testing.T
	board *faults.Board
	ahead time.Duration
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, board: faults.New(faults.Config{})}
	s3, err := local.New(local.Config{
		Dir: t.TempDir(), Buckets: []string{"files"}, Keys: map[string]string{"local": "local-secret"}, Faults: b.board,
		Now: func() time.Time { return time.Now().Add(b.ahead) },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s3)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_S3", server.URL)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local-secret")
	return b
}

func (b *bench) open(fault blob.Fault) *blob.Bucket {
	b.Helper()
	bucket, err := blob.Open(b.Context(), blob.Config{Bucket: "files", PathStyle: true, Fault: fault})
	if err != nil {
		b.Fatal(err)
	}
	return bucket
}

func (b *bench) form(bucket *blob.Bucket, content string) pool.Link {
	b.Helper()
	form, err := bucket.PresignPost(b.Context(), pool.Upload{
		Key: key, Digest: sha256.Sum256([]byte(content)), Size: int64(len(content)), ContentType: "application/x-tar", Life: time.Hour,
	})
	if err != nil {
		b.Fatal(err)
	}
	return form
}

// upload posts a form as a browser would and gives the status.
func (b *bench) upload(form pool.Link, content string) int {
	b.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range form.Fields {
		if err := w.WriteField(name, value); err != nil {
			b.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "x")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	answer, err := http.Post(form.URL, w.FormDataContentType(), &body)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

func (b *bench) wantHead(bucket *blob.Bucket, want pool.Object, found bool) {
	b.Helper()
	got, there, err := bucket.Head(b.Context(), key)
	if err != nil || there != found {
		b.Fatalf("found %v, %v", there, err)
	}
	// S3 tells the second an object was stored in.
	if found && (got.Age < -time.Second || got.Age > time.Minute) {
		b.Errorf("the age of an object stored just now is %v", got.Age)
	}
	got.Age = 0
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
}

func TestUploadAndHead(t *testing.T) {
	for _, content := range []string{"some bytes", ""} {
		b := newBench(t)
		bucket := b.open(nil)
		b.wantHead(bucket, pool.Object{}, false)
		form := b.form(bucket, content)
		if status := b.upload(form, content); status != http.StatusNoContent {
			t.Fatalf("upload: %d", status)
		}
		b.wantHead(bucket, pool.Object{Size: int64(len(content)), Digest: sha256.Sum256([]byte(content))}, true)
		if status := b.upload(form, content); status != http.StatusNoContent {
			t.Errorf("the same upload again: %d", status)
		}
	}
}

func TestFormLetsNothingElseIn(t *testing.T) {
	b := newBench(t)
	bucket := b.open(nil)
	const content = "some bytes"
	good := b.form(bucket, content)
	other := sha256.Sum256([]byte("some bytez"))
	changed := func(name, value string) pool.Link {
		form := pool.Link{URL: good.URL, Fields: maps.Clone(good.Fields)}
		form.Fields[name] = value
		if value == "" {
			delete(form.Fields, name)
		}
		return form
	}
	tests := map[string]struct {
		form    pool.Link
		content string
	}{
		"a byte less":          {good, "some byte"},
		"a byte more":          {good, "some bytes!"},
		"other bytes":          {good, "some bytez"},
		"other bytes, digest":  {changed("x-amz-checksum-sha256", base64.StdEncoding.EncodeToString(other[:])), "some bytez"},
		"no digest":            {changed("x-amz-checksum-sha256", ""), "some bytez"},
		"other algorithm":      {changed("x-amz-checksum-algorithm", "CRC32"), content},
		"other key":            {changed("key", "inputs/8/0/scene"), content},
		"other type":           {changed("Content-Type", "text/html"), content},
		"readable by everyone": {changed("acl", "public-read"), content},
		"other policy":         {changed("policy", base64.StdEncoding.EncodeToString([]byte(`{"expiration":"2999-01-01T00:00:00Z","conditions":[]}`))), content},
	}
	for name, test := range tests {
		if status := b.upload(test.form, test.content); status < 400 || status >= 500 {
			t.Errorf("%s: %d", name, status)
		}
	}
	b.ahead = time.Hour + time.Minute
	if status := b.upload(good, content); status != http.StatusForbidden {
		t.Errorf("after its life: %d", status)
	}
	b.ahead = 0
	b.wantHead(bucket, pool.Object{}, false)
}

// TestPolicy looks at the policy itself, lest the stand-in be more lenient than S3.
func TestPolicy(t *testing.T) {
	b := newBench(t)
	form := b.form(b.open(nil), "some bytes")
	raw, err := base64.StdEncoding.DecodeString(form.Fields["policy"])
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		Expiration time.Time `json:"expiration"`
		Conditions []any     `json:"conditions"`
	}
	if err := json.Unmarshal(raw, &policy); err != nil {
		t.Fatal(err)
	}
	if life := time.Until(policy.Expiration); life < 59*time.Minute || life > time.Hour {
		t.Errorf("expires in %s", life)
	}
	allowed := map[string]any{}
	for _, c := range policy.Conditions {
		switch c := c.(type) {
		case map[string]any:
			maps.Copy(allowed, c)
		case []any:
			allowed[c[0].(string)] = c[1:]
		}
	}
	sum := sha256.Sum256([]byte("some bytes"))
	want := map[string]any{
		"bucket": "files", "key": key, "content-length-range": []any{10.0, 10.0}, "Content-Type": "application/x-tar",
		"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": base64.StdEncoding.EncodeToString(sum[:]),
		"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": form.Fields["X-Amz-Date"], "X-Amz-Credential": form.Fields["X-Amz-Credential"],
	}
	if diff := cmp.Diff(want, allowed); diff != "" {
		t.Error(diff)
	}
	for name := range form.Fields { // S3 refuses a field that the policy does not know
		if _, ok := allowed[name]; !ok && name != "policy" && name != "X-Amz-Signature" {
			t.Errorf("field %s is not in the policy", name)
		}
	}
}

func TestReadLink(t *testing.T) {
	b := newBench(t)
	bucket := b.open(nil)
	if status := b.upload(b.form(bucket, "some bytes"), "some bytes"); status != http.StatusNoContent {
		t.Fatalf("upload: %d", status)
	}
	link, err := bucket.PresignGet(t.Context(), key, "re/sult \"ü\"\n.tar")
	if err != nil {
		t.Fatal(err)
	}
	answer, body := get(t, link.URL)
	if answer.StatusCode != http.StatusOK || body != "some bytes" {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	for name, want := range map[string]string{
		"Content-Disposition": "attachment; filename*=utf-8''re_sult%20_%C3%BC__.tar",
		"Content-Type":        "application/octet-stream",
		"Cache-Control":       "private, no-store",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if answer, _ := get(t, strings.Replace(link.URL, "inputs/7", "inputs/8", 1)); answer.StatusCode != http.StatusForbidden {
		t.Errorf("other key: %d", answer.StatusCode)
	}
	parsed, err := url.Parse(link.URL)
	if err != nil || parsed.Query().Get("X-Amz-Expires") != "900" {
		t.Errorf("life of %s: %v", link, err)
	}
	b.ahead = 16 * time.Minute
	if answer, _ := get(t, link.URL); answer.StatusCode != http.StatusForbidden {
		t.Errorf("after its life: %d", answer.StatusCode)
	}
}

func get(t *testing.T, link string) (*http.Response, string) {
	t.Helper()
	answer, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestHostStyle(t *testing.T) {
	newBench(t)
	t.Setenv("AWS_ENDPOINT_URL_S3", "")
	t.Setenv("AWS_REGION", "eu-west-1")
	bucket, err := blob.Open(t.Context(), blob.Config{Bucket: "files"})
	if err != nil {
		t.Fatal(err)
	}
	form, err := bucket.PresignPost(t.Context(), pool.Upload{Key: "k", Life: time.Hour})
	if err != nil || form.URL != "https://files.s3.eu-west-1.amazonaws.com" {
		t.Errorf("%s, %v", form.URL, err)
	}
}

func TestBucketOutOfReach(t *testing.T) {
	b := newBench(t)
	if err := b.board.Set(1, faults.Rule{Target: "s3:HeadObject", Kind: faults.Fail, Probability: 1, Status: 403}); err != nil {
		t.Fatal(err)
	}
	if _, found, err := b.open(nil).Head(t.Context(), key); pool.KindOf(err) != pool.Unavailable || found {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestFaults(t *testing.T) {
	b := newBench(t)
	broken := errors.New("cut")
	for _, half := range []bool{false, true} {
		bucket := b.open(func(_ string, done bool) error {
			if done == half {
				return broken
			}
			return nil
		})
		if _, found, err := bucket.Head(context.Background(), key); !half && (!errors.Is(err, broken) || found) {
			t.Errorf("head: %v", err)
		}
		_, postErr := bucket.PresignPost(t.Context(), pool.Upload{Key: key, Life: time.Hour})
		_, getErr := bucket.PresignGet(t.Context(), key, "x")
		for _, err := range []error{postErr, getErr} { // a link is made here: it cannot happen and fail
			if half == (pool.KindOf(err) == pool.Unavailable) {
				t.Errorf("done %v: %v", half, err)
			}
		}
	}
	plain := b.open(nil)
	if status := b.upload(b.form(plain, "x"), "x"); status != http.StatusNoContent {
		t.Fatalf("upload: %d", status)
	}
	late := b.open(func(operation string, done bool) error {
		if operation == "HeadObject" && done {
			return broken
		}
		return nil
	})
	if _, found, err := late.Head(t.Context(), key); !errors.Is(err, broken) || found {
		t.Errorf("head that failed late: found %v, %v", found, err)
	}
}
