// Command query is the function behind all that is read: works, batches, results and the pool at a glance.
package main

import (
	"context"
	"net/http"
	"os"
	"strings"
	"time"

	"workerpool/docs"
	"workerpool/shared/auth"
	"workerpool/shared/blob"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/query"
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
	files := blob.Config{Bucket: e.String("BUCKET"), PathStyle: e.Bool("S3PATHSTYLE", false)}
	maxFile, deals := e.Bytes("MAXFILESIZE", 500<<20), e.Bool("BLOCKCHAINETHENABLED", false)
	c := e.If(deals)
	address := c.String("WORKERPOOLADDRESS")
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "query"); err != nil {
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
	bucket, err := blob.Open(ctx, files)
	if err != nil {
		return err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "query", Now: time.Now})
	config := query.Config{Books: books, Reasons: books, Archives: books, Files: bucket, Pool: name, MaxFile: maxFile, OpenAPI: docs.OpenAPI, Now: time.Now}
	if deals {
		config.Chain = strings.ToLower(address)
	}
	flow := query.New(config)
	revoked := auth.NewRevoked(books, time.Now)
	known := func(private http.Handler) http.Handler { return auth.Middleware(issuer, revoked, private) }
	entry.HTTP(web.CountUnavailable(flow.Handler(known), meter.DependencyFailed))
	return nil
}
