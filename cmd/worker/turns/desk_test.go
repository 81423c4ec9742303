//go:build linux

package turns

import (
	"archive/zip"
	"context"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"workerpool/cmd/worker/chainside"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// desk is an account on a chain that does as a test says. Each Contribute and
// Reveal is told in asked and waits for its answer.
type desk struct {
	weighed chan struct{} // closed: offers are answered at once
	reason  string        // why no offer is taken
	offer   chainside.Offer
	word    string // the authorisation that is good
	asked   chan string
	answers chan error

	mu   sync.Mutex
	said []chainside.Promise
}

func newDesk() *desk {
	d := &desk{
		weighed: make(chan struct{}), word: "0xabcd", asked: make(chan string, 10), answers: make(chan error, 10),
		offer: chainside.Offer{Owner: pool.Address{7}, Stake: 30, Free: 1000, Coins: big.NewInt(0), Price: big.NewInt(0)},
	}
	close(d.weighed)
	return d
}

func (d *desk) Weigh(ctx context.Context, run wire.Run) (chainside.Offer, string) {
	select {
	case <-d.weighed:
	case <-ctx.Done():
		return chainside.Offer{}, ctx.Err().Error()
	}
	return d.offer, d.reason
}

func (d *desk) Authorised(p chainside.Promise) error {
	if p.Authorisation != d.word || p.Owner != (pool.Address{7}).String() || p.Task != "0xf00d" {
		return fmt.Errorf("%q is not the owner's", p.Authorisation)
	}
	return nil
}

func (d *desk) say(ctx context.Context, what string, p chainside.Promise) error {
	d.mu.Lock()
	d.said = append(d.said, p)
	d.mu.Unlock()
	d.asked <- what
	select {
	case err := <-d.answers:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *desk) Contribute(ctx context.Context, p chainside.Promise) error {
	return d.say(ctx, "contribute", p)
}
func (d *desk) Reveal(ctx context.Context, p chainside.Promise) error { return d.say(ctx, "reveal", p) }

// wantZip compares the names in a zip.
func wantZip(t *testing.T, path, want string) {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var names []string
	for _, f := range archive.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s holds %s, want %s", path, got, want)
	}
}
