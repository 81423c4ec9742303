package beat

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/wire"
)

// A worker with a wallet proves at each registration that it acts for it, and does
// not register without: the pool would take it for one that has none.
func TestWalletIsProvenAtEachRegistration(t *testing.T) {
	proofs := []string{"", "0x1", "0x2"}
	s := beginWith(t, func(context.Context) (*wire.Wallet, error) {
		proof := proofs[0]
		proofs = proofs[1:]
		if proof == "" {
			return nil, errors.New("the pool's name is not known")
		}
		return &wire.Wallet{Address: "0xa", Signature: proof}, nil
	})
	s.waits(time.Second / 2) // without a call
	for _, proof := range []string{"0x1", "0x2"} {
		s.passes(90 * time.Second)
		s.call("POST /session", "").answer <- reply{status: 200, body: wire.Session{Token: "account"}}
		got := s.call("POST /workers", "account")
		if diff := cmp.Diff(map[string]any{"address": "0xa", "signature": proof}, got.body["wallet"]); diff != "" {
			t.Error(diff)
		}
		got.answer <- reply{status: 201, body: wire.Registered{Worker: 7, Token: "token-" + proof, ExpiresIn: 100}}
		s.beats("token-"+proof, fine(30))
		s.waits(30 * time.Second)
	}
	s.ends()
	if !strings.Contains(s.log.String(), "the pool's name is not known") {
		t.Errorf("nothing is told of the first try:\n%s", s.log)
	}
}
