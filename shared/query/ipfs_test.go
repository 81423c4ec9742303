package query_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"workerpool/shared/cid"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
)

// sold brings a work of a deal as far as its archive in the bucket.
func (b bench) sold(archive string) (int64, pool.Digest) {
	b.Helper()
	work, file := b.Submit(b.ann, 1, 0).FirstWork, pool.Digest(sha256.Sum256([]byte(archive)))
	b.done(work, archive)
	b.Books.Exec(b.T, "UPDATE batch SET origin = 'deal' WHERE id = ?", int64(pool.WorkID(work).Batch()))
	b.Books.Exec(b.T, "UPDATE work SET file = ? WHERE id = ?", file[:], work)
	return work, file
}

func (b bench) archive(id string) pooltest.Answer {
	b.Helper()
	return b.get(pooltest.Someone{}, "/ipfs/%s", id)
}

// Anybody who knows the content id of what a deal bought is led to its bytes.
func TestArchive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work, file := b.sold("an archive")
	for range 2 {
		answer := b.archive(cid.Of(file))
		if answer.Status != http.StatusFound || len(answer.Body) > 0 {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		if got := b.Fetch(answer.Header.Get("Location")); got != "an archive" {
			t.Errorf("the link leads to %q", got)
		}
		if got := answer.Header.Get("Cache-Control"); got != "public, max-age=300" {
			t.Errorf("Cache-Control: %s", got)
		}
	}
	// The same archive of a later work: the bucket keeps it for longer.
	later, _ := b.sold("an archive")
	if got := b.archive(cid.Of(file)).Header.Get("Location"); !strings.Contains(got, fmt.Sprint("/", later, "/")) {
		t.Errorf("beside work %d there is %d, and the link leads to %s", work, later, got)
	}
	b.Files.Fail("PresignGetObject", false)
	if answer := b.archive(cid.Of(file)); answer.Status != http.StatusServiceUnavailable {
		t.Errorf("without a bucket: status %d", answer.Status)
	}
	b.Wire.CutBefore(1)
	answer := b.archive(cid.Of(file))
	b.Wire.Reset()
	if answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("without a database: %d %s", answer.Status, answer.Body)
	}
}

// What is no archive of a deal is not there, whatever the pool has, and nothing is
// asked of the database for what cannot be one.
func TestNoArchive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	work := b.Submit(b.ann, 1, 0).FirstWork
	b.done(work, "private bytes")
	private := pool.Digest(sha256.Sum256([]byte("private bytes")))
	_, file := b.sold("an archive")
	without, absent := b.sold("not uploaded")
	b.Books.Exec(t, "UPDATE work SET file = NULL WHERE id = ?", without)
	refused := func(name, id string) {
		t.Helper()
		if answer := b.archive(id); answer.Status != http.StatusNotFound || answer.Problem.Code != "not_found" || answer.Header.Get("Location") != "" ||
			answer.Header.Get("Cache-Control") != "no-store" || bytes.Contains(answer.Body, []byte(fmt.Sprint(work))) {
			t.Errorf("%s: %d %v %s", name, answer.Status, answer.Header, answer.Body)
		}
	}
	for name, file := range map[string]pool.Digest{"a result of a requester": private, "a result not uploaded": absent, "nobody's": {1}, "no digest": {}} {
		refused(name, cid.Of(file))
	}
	// Even when a work that is not of a deal has its file noted.
	b.Books.Exec(t, "UPDATE work SET file = ? WHERE id = ?", private[:], work)
	refused("a result of a requester with its file", cid.Of(private))
	b.Wire.Reset()
	for name, id := range map[string]string{
		"version 0": "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", "a digest": file.String(), "a work": fmt.Sprint(work),
		"an escape": "%2e%2e", "another alphabet": "bafy%00", "a long one": strings.Repeat("b", 4000),
	} {
		refused(name, id)
	}
	if trips := b.Wire.Trips(); trips != 0 {
		t.Errorf("what is no content id made %d round trips", trips)
	}
}
