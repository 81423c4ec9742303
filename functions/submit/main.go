// Command submit is the function behind what requesters bring: works, inputs and cancellations.
package main

import (
	"context"
	"os"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/blob"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/queue"
	"workerpool/shared/secret"
	"workerpool/shared/store"
	"workerpool/shared/submit"
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
	files := blob.Config{Bucket: e.String("BUCKET"), PathStyle: e.Bool("S3PATHSTYLE", false)}
	maxFile := e.Bytes("MAXFILESIZE", 500<<20)
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "submit"); err != nil {
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
	bucket, err := blob.Open(ctx, files)
	if err != nil {
		return err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "submit", Now: time.Now})
	flow := submit.New(submit.Config{Books: books, Files: bucket, Bell: ringer, Meter: meter, MaxFile: maxFile})
	entry.HTTP(web.CountUnavailable(auth.Middleware(issuer, auth.NewRevoked(books, time.Now), flow.Handler()), meter.DependencyFailed))
	return nil
}
