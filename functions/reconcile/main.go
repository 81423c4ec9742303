// Command reconcile is the function behind the minute tick.
package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"workerpool/shared/chain/lane"
	"workerpool/shared/cid"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/ethsig"
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
	level, deals := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR"), e.Bool("BLOCKCHAINETHENABLED", false)
	c := e.If(deals)
	chain := lane.Config{
		Node: c.String("ETHNODE"), Hub: c.String("IEXECHUBCONTRACT"), Pool: c.String("WORKERPOOLADDRESS"), RLC: c.String("RLCCONTRACT"), ChainID: c.Int("CHAINID", 42161, 1, 1<<53),
		Secret: c.String("WALLETSECRET"), KmsKey: c.Optional("WALLETKMSKEY"), MaxGasPrice: c.Int("MAXGASPRICE", 10, 0, 1_000_000),
		LogRange: c.Int("CHAINLOGRANGE", 1_000, 1, 100_000), Final: c.Choice("CHAINFINALITY", "finalized", "finalized", "safe", "latest"),
	}
	poll, start := c.Seconds("CHAINPOLL", 10, 1, 60), c.Int("CHAINSTARTBLOCK", 0, 0, 1<<53)
	if err := errors.Join(e.Err(), chain.Faults(deals)); err != nil {
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
	config := reconcile.Config{Books: books, Bell: ringer, Meter: meter, Now: time.Now}
	if deals {
		config.Chain = func(ctx context.Context) (*reconcile.Deals, error) {
			client, sender, err := lane.Open(ctx, chain, secrets)
			return &reconcile.Deals{
				Books: books, Chain: client, Sender: sender, TaskID: ethsig.TaskID, Results: cid.Results, Seed: rand.Uint64, Poll: poll, Start: uint64(start),
				Range: uint64(chain.LogRange), Overlap: lane.Overlap, Wait: lane.Wait,
			}, err
		}
	}
	entry.Schedule(reconcile.New(config))
	return nil
}
