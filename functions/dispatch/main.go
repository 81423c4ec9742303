// Command dispatch is the function behind the dispatch queue: every ring makes it look again.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"workerpool/shared/chain/kms"
	"workerpool/shared/dispatch"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/ethsig"
	"workerpool/shared/secret"
	"workerpool/shared/store"
	"workerpool/shared/telemetry"
)

func main() { entry.Main(run) }

func run(ctx context.Context) error {
	e := env.Reader{}
	database := store.Config{Host: e.String("DBHOST"), Name: e.String("DBNAME")}
	user, name := e.String("DBSECRET"), e.String("POOLNAME")
	lease := e.Choice("DISPATCHLEASE", "on", "on", "off") == "on"
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	deals, wallet, kmsKey := e.Bool("BLOCKCHAINETHENABLED", false), e.String("WALLETSECRET"), e.Optional("WALLETKMSKEY")
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "dispatch"); err != nil {
		return err
	}
	secrets, err := secret.Open(ctx, secret.Config{Now: time.Now})
	if err != nil {
		return err
	}
	database.Credentials = secrets.User(user)
	books, err := store.Open(database)
	if err != nil {
		return err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "dispatch", Now: time.Now})
	config := dispatch.Config{Books: books, Meter: meter, Seed: rand.Uint64, Lease: lease, Now: time.Now}
	if deals {
		key, err := kms.Wallet(ctx, kmsKey, secrets, wallet)
		if err != nil {
			return fmt.Errorf("opening the pool's wallet (WALLETSECRET, WALLETKMSKEY): %w", err)
		}
		config.Words, config.Signer = books, ethsig.Word{Signer: key}
	}
	entry.Rings(dispatch.ParseRing, dispatch.New(config).Run)
	return nil
}
