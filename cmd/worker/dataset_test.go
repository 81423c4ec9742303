//go:build linux

package main

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"workerpool/infra/local/chain/tradetest"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// A worker that is killed while it fetches what a deal on the chain names goes on at
// its next start, and its result is of what it fetched: the dataset of the chain's
// checksum and two files.
func TestWorkerFetchesWhatADealNames(t *testing.T) {
	arrived, open := make(chan struct{}, 10), make(chan struct{})
	var asked atomic.Int32 // for the dataset and the first file
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow/b.txt" {
			fmt.Fprint(w, "and ")
			_ = http.NewResponseController(w).Flush()
			arrived <- struct{}{}
			select {
			case <-open:
				fmt.Fprint(w, "files")
			case <-r.Context().Done():
			}
			return
		}
		asked.Add(1)
		fmt.Fprint(w, map[string]string{"/set": "of a dataset ", "/a.txt": "of inputs "}[r.URL.Path])
	}))
	t.Cleanup(s.Close)
	key := tradetest.Key(t, "ann")
	trade := tradetest.New(t, key)
	set := trade.Dataset(s.URL+"/set", sha256.Sum256([]byte("of a dataset ")))
	const script = `cd "$IEXEC_IN"; cat "$IEXEC_DATASET_FILENAME" "$IEXEC_INPUT_FILE_NAME_1" "$IEXEC_INPUT_FILE_NAME_2" >"$IEXEC_OUT/r"`
	deal := trade.MatchOver(set, 1, 1, fmt.Sprintf(`{"iexec_args":%q,"iexec_input_files":["%s/a.txt","%s/slow/b.txt?key=1"]}`, "'"+script+"'", s.URL, s.URL))
	task := trade.Initialize(deal, 0)
	// The run as the pool makes it of the deal that it reads.
	batch, err := wire.FromDeal(deal)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := wire.Spec(batch.Template, nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	b := newBroker(t, trade, key.Address(), wire.Run{
		App: wire.App{Type: "process", Name: "sh"}, Args: spec.Args, Env: spec.Env, Fetch: wire.FromFetches(spec.Fetches), RunLimitS: 300, MaxResult: 1 << 20,
		Task: &wire.Task{ID: task.String(), Deal: deal.ID.String()},
	})
	b.let(wire.DoContinue)
	dir := t.TempDir()
	live := func() *exec.Cmd {
		w, _ := workerAt(t, b.URL, dir, "-private-inputs", "true",
			"-wallet", file(t, "wallet.json", string(sealed)), "-wallet-password-file", file(t, "password", "open sesame"),
			"-node", trade.Chain.URL(), "-hub", trade.At.Hub.String(), "-pool-address", trade.Pool.String())
		return w
	}
	w := live()
	select {
	case <-arrived:
	case <-time.After(60 * time.Second):
		t.Fatalf("the last file is not asked for; the work is %+v", b.latest)
	}
	if err := w.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = w.Wait()
	close(open)
	live()
	r := b.until("reported")
	if sum := sha256.Sum256([]byte("of a dataset of inputs and files")); r.Digest != ethsig.Keccak(sum[:]).String() {
		t.Errorf("%+v", r)
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("the dataset and the first file were asked for %d times, once each is enough", n)
	}
	if deal.DatasetAt != s.URL+"/set" || deal.DatasetSum != pool.Digest(sha256.Sum256([]byte("of a dataset "))) {
		t.Errorf("the chain's door reads %+v", deal)
	}
}
