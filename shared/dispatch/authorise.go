package dispatch

import (
	"context"
	"fmt"
	"log/slog"

	"workerpool/shared/telemetry"
)

// words is how many authorisations are signed in one go.
const words = 100

// authorise gives the pool's word to workers that run works of deals. It is
// signed outside of any transaction, since a key may be far away, and stored
// before anybody hears of it; what is not wanted by then is thrown away. What is
// missed here is done after the next ring.
func (d *Dispatch) authorise(ctx context.Context) error {
	for !d.late(ctx) {
		asked, err := d.Words.Unauthorised(ctx, words)
		if err != nil || len(asked) == 0 {
			return err
		}
		for i, a := range asked {
			if asked[i].Signature, err = d.Signer.Authorise(ctx, a.Wallet, a.Task); err != nil {
				return fmt.Errorf("signing an authorisation: %w", err)
			}
		}
		given, err := d.Words.Authorise(ctx, asked, trace(ctx))
		if err != nil {
			return err
		}
		if given > 0 {
			slog.InfoContext(ctx, "authorised", telemetry.KeyCount, given)
			d.count(ctx, telemetry.N(telemetry.AuthorisationsGiven, given))
		}
		if given < words {
			return nil // the rest is not wanted, or not yet
		}
	}
	return nil
}
