// Command heartbeat is the function behind what workers call: registration and heartbeats.
package main

import (
	"context"
	"math/rand/v2"
	"os"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/blob"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/ethsig"
	"workerpool/shared/heartbeat"
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
	files := blob.Config{Bucket: e.String("BUCKET"), PathStyle: e.Bool("S3PATHSTYLE", false)}
	maxFile := e.Bytes("MAXFILESIZE", 500<<20)
	busy, idle, budget := e.Seconds("HEARTBEATBUSY", 5, 1, 60), e.Seconds("HEARTBEATIDLE", 30, 1, 60), e.Int("HEARTBEAT_CALLS_PER_S", 20, 1, 100_000)
	level, deals := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR"), e.Bool("BLOCKCHAINETHENABLED", false)
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "heartbeat"); err != nil {
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
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "heartbeat", Now: time.Now})
	flow := heartbeat.New(heartbeat.Config{
		Books: books, Files: bucket, Bell: ringer, Tokens: issuer, Meter: meter, Seed: rand.Uint64, Busy: busy, Idle: idle, Budget: budget, MaxFile: maxFile, Pool: name,
		Deals: deals, Recover: ethsig.Signed, Keccak: ethsig.Keccak,
	})
	entry.HTTP(web.CountUnavailable(auth.Middleware(issuer, auth.NewRevoked(books, time.Now), flow.Handler()), meter.DependencyFailed))
	return nil
}
