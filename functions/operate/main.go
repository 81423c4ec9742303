// Command operate is the function behind what operators and worker owners do with workers, and operators with accounts.
package main

import (
	"context"
	"os"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/operate"
	"workerpool/shared/queue"
	"workerpool/shared/secret"
	"workerpool/shared/store"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
)

func main() { entry.Main(run) }

func run(ctx context.Context) error {
	e := env.Reader{}
	database := store.Config{Host: e.String("DBHOST"), Name: e.String("DBNAME")}
	user, name := e.String("DBSECRET"), e.String("POOLNAME")
	tokens := auth.Config{Issuer: e.String("JWTETHISSUER"), Pool: name, SecretID: e.String("TOKENSECRET"), Now: time.Now}
	bell := queue.Config{URL: e.String("QUEUEURL"), Now: time.Now}
	level, deals := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR"), e.Bool("BLOCKCHAINETHENABLED", false)
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "operate"); err != nil {
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
	tokens.Secrets = secrets
	issuer, err := auth.NewTokens(ctx, tokens)
	if err != nil {
		return err
	}
	ringer, err := queue.Open(ctx, bell)
	if err != nil {
		return err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "operate", Now: time.Now})
	flow := operate.Config{Books: books, Accounts: books, Bell: ringer}
	if deals {
		flow.Errands = books
	}
	entry.HTTP(web.CountUnavailable(auth.Middleware(issuer, auth.NewRevoked(books, time.Now), operate.New(flow).Handler()), meter.DependencyFailed))
	return nil
}
