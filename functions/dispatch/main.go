// Command dispatch is the function behind the dispatch queue: every ring makes it look again.
package main

import (
	"context"
	"math/rand/v2"
	"os"
	"time"

	"workerpool/shared/dispatch"
	"workerpool/shared/entry"
	"workerpool/shared/env"
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
	e.Only("BLOCKCHAINETHENABLED", "false")
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
	flow := dispatch.New(dispatch.Config{Books: books, Meter: meter, Seed: rand.Uint64, Lease: lease, Now: time.Now})
	entry.Queue(func(ctx context.Context, messages []entry.Message) (failed []entry.Failed) {
		for _, m := range messages {
			if err := dispatch.ParseRing(m.Body); err != nil {
				failed = append(failed, entry.Failed{ID: m.ID, Err: err})
			}
		}
		if len(failed) == len(messages) {
			return failed
		}
		if err := flow.Run(ctx); err != nil {
			failed = nil
			for _, m := range messages {
				failed = append(failed, entry.Failed{ID: m.ID, Err: err})
			}
		}
		return failed
	})
	return nil
}
