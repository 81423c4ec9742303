package s3_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"workerpool/infra/local/faults"
	local "workerpool/infra/local/s3"
)

func TestObjectsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	d := open(t, ours(t, dir, nil, httptest.NewServer))
	_, err := d.api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/a"), Body: strings.NewReader("by pool"), Metadata: map[string]string{"work": "7"}})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	interrupted := filepath.Join(dir, bucket, "incoming", "half")
	if err := os.WriteFile(interrupted, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	d = open(t, ours(t, dir, nil, httptest.NewServer))
	d.wantBody("works/7/a", "by pool")
	head, err := d.api.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/a")})
	if err != nil || head.Metadata["work"] != "7" {
		t.Errorf("head after the restart: %+v, %v", head, err)
	}
	if _, err := os.Stat(interrupted); !os.IsNotExist(err) {
		t.Errorf("the interrupted upload is still there: %v", err)
	}

	// Somebody puts another file in its place: nothing old may be told of it.
	path := filepath.Join(dir, bucket, "objects", "works", "7", "a")
	if err := os.WriteFile(path, []byte("by hand"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	d.wantBody("works/7/a", "by hand")
	head, err = d.api.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/a")})
	if err != nil || head.Metadata["work"] != "" || aws.ToString(head.ETag) != `"7d909037a76176adb749eda313187060"` {
		t.Errorf("head of the file put by hand: %+v, %v", head, err)
	}
}

// files lists what lies in a folder of the bucket.
func files(t *testing.T, dir, folder string) []string {
	t.Helper()
	var names []string
	err := filepath.Walk(filepath.Join(dir, bucket, folder), func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestInterruptedUploadLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ended := make(chan struct{}, 1)
	d := open(t, ours(t, dir, nil, func(h http.Handler) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			if r.Method == http.MethodPut {
				ended <- struct{}{}
			}
		}))
	}))
	d.put("a", "old")
	<-ended
	link, err := d.sign.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(link.URL, d.url)
	host := strings.TrimPrefix(d.url, "http://")
	if _, err := io.WriteString(conn, "PUT "+path+" HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 100\r\n\r\nhalf of it"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(answer, []byte("IncompleteBody")) {
		t.Errorf("answer %s, %v; want IncompleteBody", answer, err)
	}
	conn.Close()
	<-ended
	d.wantBody("a", "old")
	if left := files(t, dir, "incoming"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRefusedUploadLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	d := open(t, ours(t, dir, nil, httptest.NewServer))
	f := d.newForm("a", []any{[]any{"content-length-range", 3, 10}, []any{"starts-with", "$x-amz-checksum-sha256", ""}}, map[string]string{"x-amz-checksum-sha256": sha("right")})
	for code, file := range map[string]string{"BadDigest": "wrong", "EntityTooLarge": strings.Repeat("x", 11), "EntityTooSmall": "x"} {
		d.wantAnswer("post", d.post(f, file), http.StatusBadRequest, code)
	}
	if left := append(files(t, dir, "incoming"), files(t, dir, "objects")...); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDiskFailureLeavesTheOldObject(t *testing.T) {
	dir := t.TempDir()
	d := open(t, ours(t, dir, nil, httptest.NewServer))
	d.put("a", "old")
	incoming := filepath.Join(dir, bucket, "incoming")
	if err := os.Remove(incoming); err != nil {
		t.Fatal(err)
	}
	_, err := d.api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader("new")})
	d.refused("call", err, "InternalError")
	d.wantBody("a", "old")
}

func TestFolderAndObjectOfOneName(t *testing.T) {
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewServer))
	d.put("a/b", "x")
	d.put("c", "y")
	for _, key := range []string{"a", "c/d"} {
		_, err := d.api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("new")})
		d.refused("call", err, "NotImplemented")
	}
	d.wantBody("a/b", "x")
	d.wantBody("c", "y")
	if _, err := d.api.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a/b")}); err != nil {
		t.Fatalf("delete: %v", err)
	}
	d.put("a", "now it can")
	d.wantBody("a", "now it can")
}

// The client cleans dots out of its paths, so these go by hand.
func TestKeysStayInTheBucket(t *testing.T) {
	dir := t.TempDir()
	d := open(t, ours(t, dir, nil, httptest.NewServer))
	keys := []string{"../../escaped", "q/..", ".", "a//b", "/lead", "trail/", "a/../b", "%2e%2e/x", "nul\x00"}
	for _, key := range keys {
		f := d.newForm("placeholder", []any{[]any{"starts-with", "$key", ""}}, map[string]string{"key": key})
		d.wantAnswer("post", d.post(f, "body of "+key), http.StatusNoContent, "")
	}
	var got int
	for _, path := range files(t, dir, "objects") {
		got++
		if rel, err := filepath.Rel(filepath.Join(dir, bucket, "objects"), path); err != nil || strings.HasPrefix(rel, "..") {
			t.Errorf("%s is outside of the bucket", path)
		}
	}
	if got != len(keys) {
		t.Errorf("%d objects in the bucket, want %d", got, len(keys))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("beside the two buckets: %v, %v", entries, err)
	}
	for _, key := range []string{strings.Repeat("k", 1025), strings.Repeat("k", 256)} {
		f := d.newForm("placeholder", []any{[]any{"starts-with", "$key", ""}}, map[string]string{"key": key})
		d.wantAnswer("post", d.post(f, "x"), http.StatusBadRequest, "KeyTooLongError")
	}
}

func TestMemoryDoesNotGrowWithTheBody(t *testing.T) {
	const size = 64 << 20
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewServer))
	put, err := d.sign.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("big")})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, put.URL, io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = size
	resp, err := d.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("put: %s", resp.Status)
	}
	out, err := d.api.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("big")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if n, err := io.Copy(io.Discard, out.Body); err != nil || n != size {
		t.Errorf("got %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d MiB in and out allocated %d KiB", size>>20, used>>10)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestOneOfManyWritersWinsWhole(t *testing.T) {
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewServer))
	d.put("a", strings.Repeat("z", 5000))
	var wg sync.WaitGroup
	for _, letter := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			for range 20 {
				_, err := d.api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Body: strings.NewReader(strings.Repeat(letter, 5000))})
				if err != nil {
					t.Errorf("put: %v", err)
				}
				body, err := d.get("a") // the client compares the checksum
				if err != nil || len(body) != 5000 || strings.Trim(body, body[:1]) != "" {
					t.Errorf("got %d bytes, not of one writer, %v", len(body), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNotImplementedIsSaid(t *testing.T) {
	d := open(t, ours(t, t.TempDir(), nil, httptest.NewServer))
	d.put("a", "x")
	_, err := d.api.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String(bucket), Key: aws.String("b"), CopySource: aws.String(bucket + "/a")})
	d.refused("call", err, "NotImplemented")
	_, err = d.api.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: aws.String("b")})
	d.refused("call", err, "NotImplemented")
	_, err = d.api.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Delimiter: aws.String("/")})
	d.refused("call", err, "NotImplemented")
	for _, in := range []s3.PutObjectInput{{IfNoneMatch: aws.String("*")}, {ChecksumAlgorithm: "SHA512"}} {
		in.Bucket, in.Key, in.Body = aws.String(bucket), aws.String("b"), strings.NewReader("x")
		_, err = d.api.PutObject(t.Context(), &in)
		d.refused("call", err, "NotImplemented")
	}
	_, err = d.api.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	d.refused("call", err, "NotImplemented")
}

func TestBadBucketNames(t *testing.T) {
	for _, name := range []string{"", "..", "a/b", "Upper"} {
		if _, err := local.New(local.Config{Dir: t.TempDir(), Buckets: []string{name}}); err == nil {
			t.Errorf("bucket %q was made", name)
		}
	}
}

func TestFaults(t *testing.T) {
	board := faults.New(faults.Config{})
	d := open(t, ours(t, t.TempDir(), board, httptest.NewServer))
	once := func(target string, kind faults.Kind) {
		t.Helper()
		if err := board.Set(1, faults.Rule{Target: target, Kind: kind, Count: 1}); err != nil {
			t.Fatal(err)
		}
	}
	put := func(key string) error {
		_, err := d.api.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader("x")})
		return err
	}

	once("s3:PutObject", faults.Lose)
	if err := put("lost"); err != nil {
		t.Errorf("a lost put was answered %v", err)
	}
	d.wantAbsent("lost")
	once("s3:PutObject", faults.Fail)
	d.refused("call", put("failed"), "InternalError")
	d.wantAbsent("failed")
	once("s3:PutObject", faults.FailAfter)
	d.refused("call", put("done"), "InternalError")
	d.wantBody("done", "x")

	once("s3:PostObject", faults.Lose)
	d.wantAnswer("post", d.post(d.newForm("lost", nil, nil), "x"), http.StatusNoContent, "")
	d.wantAbsent("lost")
	once("s3:PostObject", faults.FailAfter)
	d.wantAnswer("post", d.post(d.newForm("posted", nil, nil), "x"), http.StatusInternalServerError, "InternalError")
	d.wantBody("posted", "x")

	once("s3:DeleteObject", faults.Lose)
	if _, err := d.api.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("done")}); err != nil {
		t.Errorf("a lost delete was answered %v", err)
	}
	d.wantBody("done", "x")
	once("s3:HeadObject", faults.Fail)
	if _, err := d.api.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("done")}); err == nil {
		t.Error("a failing head succeeded")
	}
	once("s3:GetObject", faults.Fail)
	_, err := d.get("done")
	d.refused("call", err, "InternalError")
}
