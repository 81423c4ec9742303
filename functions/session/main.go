// Command session is the function behind POST /session and what is below it: logging in.
package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/secret"
	"workerpool/shared/session"
	"workerpool/shared/store"
	"workerpool/shared/telemetry"
)

func main() { entry.Main(run) }

func run(ctx context.Context) error {
	e := env.Reader{}
	database := store.Config{Host: e.String("DBHOST"), Name: e.String("DBNAME")}
	user, name := e.String("DBSECRET"), e.String("POOLNAME")
	tokens := auth.Config{Issuer: e.String("JWTETHISSUER"), Pool: name, SecretID: e.String("TOKENSECRET"), Now: time.Now}
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "session"); err != nil {
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
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "session", Now: time.Now})
	revoked := auth.NewRevoked(books, time.Now)
	known := func(next http.Handler) http.Handler { return auth.Middleware(issuer, revoked, next) }
	entry.HTTP(session.New(session.Config{Accounts: books, Tokens: issuer, Meter: meter}).Handler(known))
	return nil
}
