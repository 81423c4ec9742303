// Command check is the function that a deployment asks whether the chain is as the
// parameters say, before anything that trades on it is set up. What is wrong stops
// the deployment, so nothing that the parameters say ends the function: it answers.
package main

import (
	"context"
	"os"
	"time"

	"workerpool/shared/chain/lane"
	"workerpool/shared/entry"
	"workerpool/shared/env"
	"workerpool/shared/secret"
	"workerpool/shared/telemetry"
)

// limit is how long the chain may take to answer: CloudFormation is told in time.
const limit = 30 * time.Second

func main() { entry.Main(run) }

func run(context.Context) error {
	e := env.Reader{}
	level := e.Choice("LOGGERLEVEL", "INFO", "DEBUG", "INFO", "WARN", "ERROR")
	deals := e.Bool("BLOCKCHAINETHENABLED", false)
	c := e.If(deals)
	chain := lane.Config{
		Node: c.Optional("ETHNODE"), Hub: c.Optional("IEXECHUBCONTRACT"), Pool: c.Optional("WORKERPOOLADDRESS"), RLC: c.Optional("RLCCONTRACT"),
		ChainID: c.Int("CHAINID", 42161, 1, 1<<53), Final: c.Choice("CHAINFINALITY", "finalized", "finalized", "safe", "latest"),
		Secret: c.Optional("WALLETSECRET"), KmsKey: c.Optional("WALLETKMSKEY"),
	}
	unread := e.Err()
	if err := telemetry.Setup(os.Stdout, level, "check"); err != nil {
		return err
	}
	entry.Gate(func(ctx context.Context) error {
		if unread != nil || !deals {
			return unread
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		secrets, err := secret.Open(ctx, secret.Config{Now: time.Now}) // anew: one that was mended counts at once
		if err != nil {
			return err
		}
		return lane.Check(ctx, chain, secrets)
	})
	return nil
}
