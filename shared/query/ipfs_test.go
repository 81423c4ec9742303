package query_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"workerpool/shared/cid"
	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// seller is a bench that serves deals, with a worker that has a wallet.
type seller struct {
	bench
	wallet pool.Address
	attic  pooltest.Worker
}

func newSeller(t *testing.T) *seller {
	t.Helper()
	w := pooltest.NewWithDeals(t)
	t.Cleanup(w.Check)
	crowd := w.SharedAccount("crowd")
	return &seller{bench: bench{World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), one: w.Worker(crowd, "one", 8)}, wallet: pool.Address{0xaa}}
}

// reported brings a work of a deal to where its archive is to be uploaded.
func (s *seller) reported(archive string) (work int64, link *wire.Link) {
	s.Helper()
	if s.attic.ID == 0 {
		s.attic = s.Worker(s.SharedAccount("house"), "attic", 4)
		s.Books.Exec(s.T, "UPDATE worker SET wallet = ? WHERE id = ?", s.wallet[:], s.attic.ID)
	}
	work = int64(s.Books.AddDeal(s.T, 1, 1)[0])
	var id []byte
	if err := s.Books.SQL.QueryRow("SELECT task_id FROM task WHERE work_id = ?", work).Scan(&id); err != nil {
		s.Fatal(err)
	}
	s.Dispatch()
	s.says(work, "running", "")
	word := pool.Contribution{Wallet: s.wallet, Status: pool.Contributed, Hash: pool.Hash{0xcc}, Weight: 2}
	seen := pool.Task{ID: pool.Hash(id), Status: pool.TaskActive}
	s.Books.See(s.T, seen)
	s.Dispatch() // which gives the pool's word
	s.says(work, "reported", archive)
	seen.Contributions = []pool.Contribution{word}
	seen.Status, seen.Consensus, seen.Winners = pool.TaskRevealing, word.Hash, 1
	s.Books.See(s.T, seen)
	s.says(work, "contributed", archive)
	word.Status = pool.Proved
	seen.Contributions, seen.Reveals, seen.Digest = []pool.Contribution{word}, 1, pool.Digest{31: 0xd1}
	s.Books.See(s.T, seen)
	for _, i := range s.says(work, "revealed", archive).Instructions {
		if i.Work == work {
			link = i.Upload
		}
	}
	if link == nil {
		s.Fatalf("work %d is not to be uploaded", work)
	}
	return work, link
}

func (s *seller) says(work int64, state, archive string) wire.Beat {
	s.Helper()
	r := pooltest.Says(work, 1, state, archive)
	if r.SHA256 != "" {
		r.Digest = "0x" + strings.Repeat("0", 62) + "d1"
	}
	return s.Beat(s.attic, r)
}

// sold brings a work of a deal as far as its archive in the bucket.
func (s *seller) sold(archive string) (int64, pool.Digest) {
	s.Helper()
	work, link := s.reported(archive)
	if status := s.Upload(link, archive); status >= 300 {
		s.Fatalf("upload: status %d", status)
	}
	s.says(work, "uploaded", archive)
	return work, sha256.Sum256([]byte(archive))
}

func (b bench) archive(id string) pooltest.Answer {
	b.Helper()
	return b.get(pooltest.Someone{}, "/ipfs/%s", id)
}

// named checks a link to a deal's archive: where it lies and what it is saved as.
func (s *seller) named(link string, work int64, as string) {
	s.Helper()
	u, err := url.Parse(link)
	if err != nil {
		s.Fatal(err)
	}
	if !strings.Contains(u.Path, fmt.Sprintf("/results/%d/", work)) || !strings.HasSuffix(u.Path, ".zip") || !strings.HasSuffix(u.Query().Get("response-content-disposition"), "="+as) {
		s.Errorf("the link of work %d, saved as %s: %s", work, as, link)
	}
}

// Its requester is led there by the work, too, before the chain's last word.
func TestResultOfADeal(t *testing.T) {
	t.Parallel()
	b := newSeller(t)
	work, _ := b.sold("an archive")
	stored, _ := b.Work(work)
	buyer := pooltest.Someone{Token: b.Token(b.Tokens, pool.Caller{Account: stored.Requester, Role: pool.RoleRequester, Login: "buyer"})}
	var out wire.Result
	b.get(buyer, "/works/%d/result", work).Into(b.World, &out)
	b.named(out.URL, work, fmt.Sprintf("work-%d.zip", work))
	if got := b.Fetch(out.URL); got != "an archive" || out.SHA256 == "" {
		t.Errorf("%q, %+v", got, out)
	}
}

// Anybody who knows the content id of what a deal bought is led to its bytes.
func TestArchive(t *testing.T) {
	t.Parallel()
	b := newSeller(t)
	work, file := b.sold("an archive")
	for range 2 {
		answer := b.archive(cid.Of(file))
		if answer.Status != http.StatusFound || len(answer.Body) > 0 {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		if got := b.Fetch(answer.Header.Get("Location")); got != "an archive" {
			t.Errorf("the link leads to %q", got)
		}
		b.named(answer.Header.Get("Location"), work, cid.Of(file)+".zip")
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
	b := newSeller(t)
	work := b.Submit(b.ann, 1, 0).FirstWork
	b.done(work, "private bytes")
	private := pool.Digest(sha256.Sum256([]byte("private bytes")))
	_, file := b.sold("an archive")
	b.reported("not uploaded")
	absent := pool.Digest(sha256.Sum256([]byte("not uploaded")))
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
	// Even were its file noted.
	b.Books.Exec(t, "UPDATE work SET file = ? WHERE id = ?", private[:], work)
	refused("a result of a requester with its file", cid.Of(private))
	b.Books.Exec(t, "UPDATE work SET file = NULL WHERE id = ?", work)
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
