//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"workerpool/cmd/worker/ledger"
	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/tradetest"
	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// broker is a pool with one task of a deal for one worker. It instructs by what the
// chain shows, up to what the test lets it.
type broker struct {
	*httptest.Server
	t      *testing.T
	chain  *local.Chain
	door   *chain.Client
	wallet pool.Address
	run    wire.Run
	task   pool.Hash
	word   string // the authorisation

	mu      sync.Mutex
	lets    string // the last instruction that is given
	latest  wire.Report
	uploads int
	seen    chan struct{}
}

func newBroker(t *testing.T, trade *tradetest.Trade, wallet pool.Address, run wire.Run) *broker {
	t.Helper()
	task, err := pool.ParseHash(run.Task.ID)
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{
		t: t, chain: trade.Chain, door: trade.Door(), wallet: wallet, run: run, task: task, word: trade.Authorise(wallet, task),
		lets: wire.DoStart, seen: make(chan struct{}, 1),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pool", func(w http.ResponseWriter, _ *http.Request) { answer(t, w, wire.Pool{Name: "sea", Chain: "on"}) })
	mux.HandleFunc("POST /session", func(w http.ResponseWriter, _ *http.Request) {
		answer(t, w, wire.Session{Token: "account", ExpiresIn: 3600})
	})
	mux.HandleFunc("POST /workers", func(w http.ResponseWriter, r *http.Request) {
		var in wire.Registration
		read(t, r.Body, &in)
		b.recognise(in)
		answer(t, w, wire.Registered{Worker: 1, Token: "worker", ExpiresIn: 3600})
	})
	mux.HandleFunc("POST /workers/1/heartbeat", func(w http.ResponseWriter, r *http.Request) {
		var in wire.Heartbeat
		read(t, r.Body, &in)
		answer(t, w, b.beat(in))
		select {
		case b.seen <- struct{}{}:
		default:
		}
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.uploads++
		w.WriteHeader(http.StatusNoContent)
	})
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

// recognise sees that the worker acts for its wallet.
func (b *broker) recognise(in wire.Registration) {
	key, err := hex.DecodeString(in.Key)
	if err != nil || in.Wallet == nil || in.Wallet.Address != b.wallet.String() {
		b.t.Errorf("registered as %+v with the wallet %+v: %v", in, in.Wallet, err)
		return
	}
	signature, err := hex.DecodeString(strings.TrimPrefix(in.Wallet.Signature, "0x"))
	if err != nil {
		b.t.Error(err)
	}
	text := fmt.Sprintf("I run worker %s of pool sea, key %x", in.Name, sha256.Sum256(key))
	if by, err := ethsig.Recover(ethsig.PersonalHash([]byte(text)), signature); err != nil || by != b.wallet {
		b.t.Errorf("the proof is %s's, %v", by, err)
	}
}

// rank is an instruction's place in the life of a work.
func rank(do string) int {
	return slices.Index([]string{wire.DoStart, wire.DoContinue, wire.DoContribute, wire.DoReveal, wire.DoUpload, wire.DoStop}, do)
}

func (b *broker) beat(in wire.Heartbeat) wire.Beat {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, _, err := in.Parse(1 << 30); err != nil {
		b.t.Error(err)
	}
	b.latest = wire.Report{}
	for _, r := range in.Reports {
		b.latest = r
	}
	do := wire.Instruction{Work: 5, Attempt: 1, Do: b.wanted()}
	if rank(do.Do) > rank(b.lets) {
		do.Do = wire.DoHold
	}
	switch do.Do {
	case wire.DoStart:
		do.Run = &b.run
	case wire.DoContinue, wire.DoContribute:
		do.Authorisation = b.word
	case wire.DoUpload:
		do.Upload = &wire.Link{URL: b.URL + "/upload", Expires: time.Now().Add(time.Hour)}
	}
	return wire.Beat{State: "active", NextHeartbeatS: 1, Instructions: []wire.Instruction{do}}
}

// wanted is what comes next, by what the worker says and the chain shows.
func (b *broker) wanted() string {
	switch b.latest.State {
	case "":
		return wire.DoStart
	case "running":
		return wire.DoContinue
	case "uploaded", "failed", "refused":
		return wire.DoStop
	}
	tasks, err := b.door.Tasks(b.t.Context(), b.chain.Head().Block, []pool.Hash{b.task})
	if err != nil {
		b.t.Error(err)
		return wire.DoHold
	}
	switch c, _ := tasks[0].Of(b.wallet); c.Status {
	case pool.NotContributed:
		return wire.DoContribute
	case pool.Contributed:
		return wire.DoReveal
	}
	return wire.DoUpload
}

// let allows instructions up to one.
func (b *broker) let(do string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lets = do
}

// until waits until the worker reports a state.
func (b *broker) until(state string) wire.Report {
	b.t.Helper()
	late := time.After(60 * time.Second)
	for {
		b.mu.Lock()
		r := b.latest
		b.mu.Unlock()
		if r.State == state {
			return r
		}
		select {
		case <-b.seen:
		case <-late:
			b.t.Fatalf("the work is not %s but %+v", state, r)
		}
	}
}

// A worker that is killed at every step of a deal's work brings it to its end: the
// chain has one contribution and one reveal, by one transaction each.
func TestKilledWorkerKeepsItsPromises(t *testing.T) {
	key := tradetest.Key(t, "ann")
	trade := tradetest.New(t, key)
	deal := trade.Match(1, 1, `'printf 42 >"$IEXEC_OUT/r"'`)
	task := trade.Initialize(deal, 0)
	sealed, err := key.Seal("open sesame")
	if err != nil {
		t.Fatal(err)
	}
	wallet := []string{
		"-wallet", file(t, "wallet.json", string(sealed)), "-wallet-password-file", file(t, "password", "open sesame"),
		"-node", trade.Chain.URL(), "-hub", trade.At.Hub.String(), "-pool-address", trade.Pool.String(), "-max-gas-price", "100",
	}
	b := newBroker(t, trade, key.Address(), wire.Run{
		App: wire.App{Type: "process", Name: "sh"}, Args: []string{`printf 42 >"$IEXEC_OUT/r"`}, RunLimitS: 300, MaxResult: 1 << 20,
		Env:  map[string]string{"IEXEC_BOT_SIZE": "1", "IEXEC_BOT_FIRST_INDEX": "0"},
		Task: &wire.Task{ID: task.String(), Deal: deal.ID.String()},
	})
	dir := t.TempDir()
	var w *exec.Cmd
	live := func() { w, _ = workerAt(t, b.URL, dir, wallet...) }
	die := func() {
		t.Helper()
		if err := w.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = w.Wait()
	}
	live()
	b.until("running")
	die() // it promised, and waits for the pool's word
	b.let(wire.DoContinue)
	live()
	r := b.until("reported")
	if sum := sha256.Sum256([]byte("42")); r.Digest != ethsig.Keccak(sum[:]).String() {
		t.Errorf("%+v", r)
	}
	die() // it reported and did not contribute
	trade.Chain.Pause()
	b.let(wire.DoContribute)
	live()
	b.waits(trade, 1)
	die() // the node has its contribution, no block has
	live()
	b.hears(2) // and does the first time what it was told
	trade.Chain.Resume()
	b.until("contributed")
	die() // it contributed
	trade.Chain.Pause()
	b.let(wire.DoReveal)
	live()
	b.waits(trade, 1)
	die()
	trade.Chain.Drop() // the node forgot the reveal
	live()
	b.hears(2)
	b.waits(trade, 1)
	trade.Chain.Resume()
	b.until("revealed")
	die()
	b.let(wire.DoUpload)
	live()
	b.until("uploaded")
	trade.Finalize(task)
	if purse := trade.Purse(key.Address()); purse.Stake != tradetest.Deposit+tradetest.Price*99/100 || purse.Locked != 0 {
		t.Errorf("not paid: %+v", purse)
	}
	if n := trade.Nonce(key); n != 2 || b.uploads != 1 {
		t.Errorf("%d transactions, %d uploads", n, b.uploads)
	}
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
}

// hears waits for heartbeats that are still to come.
func (b *broker) hears(n int) {
	b.t.Helper()
	for b.drain(); n > 0; n-- {
		select {
		case <-b.seen:
		case <-time.After(60 * time.Second):
			b.t.Fatal("no heartbeat")
		}
	}
}

func (b *broker) drain() {
	select {
	case <-b.seen:
	default:
	}
}

// waits waits until the node has transactions that no block has.
func (b *broker) waits(trade *tradetest.Trade, n int) {
	b.t.Helper()
	for late := time.Now().Add(60 * time.Second); trade.Chain.Waiting() != n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			b.t.Fatalf("%d transactions wait, want %d; the work is %+v", trade.Chain.Waiting(), n, b.latest)
		}
	}
}

// Settings that do not fit the chain end the start; a node that is away does not.
func TestWhatTheChainSaysOfTheSettings(t *testing.T) {
	trade := tradetest.New(t)
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	nobody := tradetest.Key(t, "nobody").Address()
	for name, c := range map[string]struct {
		node      string
		hub, pool pool.Address
		want      string // of the error; "" = none
		told      string // in the log
	}{
		"all is well":     {trade.Chain.URL(), trade.At.Hub, trade.Pool, "", "works of deals are taken"},
		"node away":       {away.URL, trade.At.Hub, trade.Pool, "", "the chain is not seen: works of deals are refused until it is"},
		"no hub":          {trade.Chain.URL(), nobody, trade.Pool, "-hub: " + nobody.String() + " is not iExec's hub on the chain of -node", ""},
		"another for hub": {trade.Chain.URL(), trade.At.RLC, trade.Pool, "-hub: " + trade.At.RLC.String() + " is not iExec's hub on the chain of -node", ""},
		"no pool":         {trade.Chain.URL(), trade.At.Hub, nobody, "-pool-address: " + nobody.String() + " is not a pool on the chain of -node", ""},
	} {
		t.Run(name, func(t *testing.T) {
			books, err := ledger.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			w := wallet{node: c.node, hub: c.hub, pool: c.pool, key: tradetest.Key(t, "ann")}
			account, err := w.account(books, slog.New(slog.NewTextHandler(&log, nil)))
			if (account == nil) != (err != nil) || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if !strings.Contains(log.String(), c.told) {
				t.Errorf("told %s", log.String())
			}
		})
	}
}
