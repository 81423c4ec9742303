// Command session is the function behind POST /session.
package main

import (
	"context"
	"fmt"
	"log/slog"
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

func main() {
	if err := run(context.Background()); err != nil {
		slog.Error("not started", telemetry.KeyError, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	e := env.Reader{}
	host, name, dbSecret := e.String("DBHOST"), e.String("DBNAME"), e.String("DBSECRET")
	tokens := auth.Config{Issuer: e.String("JWTETHISSUER"), Pool: e.String("POOLNAME"), SecretID: e.String("TOKENSECRET"), Now: time.Now}
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	e.Only("BLOCKCHAINETHENABLED", "false")
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
	user, err := secrets.Get(ctx, dbSecret)
	if err != nil {
		return fmt.Errorf("reading the database user: %w", err)
	}
	books, err := store.Open(store.Config{Host: host, Name: name, User: user["username"], Password: user["password"]})
	if err != nil {
		return err
	}
	tokens.Secrets = secrets
	issuer, err := auth.NewTokens(ctx, tokens)
	if err != nil {
		return err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: tokens.Pool, Function: "session", Now: time.Now})
	entry.HTTP(session.New(session.Config{Accounts: books, Tokens: issuer, Meter: meter}).Handler())
	return nil
}
