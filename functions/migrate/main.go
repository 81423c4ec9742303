// Command migrate is the function that a deployment invokes: it brings the
// database to this release's schema and makes the bootstrap accounts.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/secret"
	"workerpool/shared/store"
	"workerpool/shared/store/migrate"
	"workerpool/shared/telemetry"
)

func main() { entry.Main(run) }

type order struct {
	Action string `json:"action"`
}

func run(ctx context.Context) error {
	e := env.Reader{}
	host, name := e.String("DBHOST"), e.String("DBNAME")
	admin, user, bootstrap := e.String("DBSECRET"), e.String("DBUSERSECRET"), e.String("BOOTSTRAPSECRET")
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "migrate"); err != nil {
		return err
	}
	secrets, err := secret.Open(ctx, secret.Config{Now: time.Now})
	if err != nil {
		return err
	}
	books, err := store.Open(store.Config{Host: host, Name: name, Credentials: secrets.User(user)})
	if err != nil {
		return err
	}
	entry.Direct(func(ctx context.Context, in order) (migrate.Result, error) {
		if in.Action != "up" {
			return migrate.Result{}, fmt.Errorf("action %q: only \"up\" is known", in.Action)
		}
		return migrate.Deploy(ctx, migrate.Deployment{
			Host: host, Name: name, Admin: secrets.User(admin), User: secrets.User(user), Accounts: books,
			Bootstrap: func(ctx context.Context) (map[string]string, error) { return secrets.Get(ctx, bootstrap) },
			Hash:      auth.HashPassword, Check: auth.CheckPassword,
		})
	})
	return nil
}
