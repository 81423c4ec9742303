// Command reconcile is the function behind the minute tick.
package main

import (
	"context"
	"os"
	"time"

	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/queue"
	"workerpool/shared/reconcile"
	"workerpool/shared/secret"
	"workerpool/shared/store"
	"workerpool/shared/telemetry"
)

func main() { entry.Main(run) }

func run(ctx context.Context) error {
	e := env.Reader{}
	database := store.Config{Host: e.String("DBHOST"), Name: e.String("DBNAME")}
	user, name := e.String("DBSECRET"), e.String("POOLNAME")
	bell := queue.Config{URL: e.String("QUEUEURL"), Now: time.Now}
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	if err := e.Err(); err != nil {
		return err
	}
	if err := telemetry.Setup(os.Stdout, level, "reconcile"); err != nil {
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
	ringer, err := queue.Open(ctx, bell)
	if err != nil {
		return err
	}
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: os.Stdout, Pool: name, Function: "reconcile", Now: time.Now})
	entry.Schedule(reconcile.New(reconcile.Config{Books: books, Bell: ringer, Meter: meter, Now: time.Now}).Tick)
	return nil
}
