package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
)

// console is what the program offers the commands that act on the chain.
type console struct{ *poolctl }

// Print implements onchain.Console.
func (c console) Print(value any, human func(*page.Table)) error {
	return c.print(value, human)
}

// Secret implements onchain.Console.
func (c console) Secret(what, file, variable string) (string, error) {
	if file != "" {
		return firstLine(file)
	}
	if secret := c.world.env(variable); secret != "" {
		return secret, nil
	}
	if c.world.readPassword == nil {
		return "", fmt.Errorf("%w: give it, or %s: there is no terminal to ask on", errUsage, variable)
	}
	fmt.Fprintf(c.world.errs, "%s: ", what)
	secret, err := c.world.readPassword()
	fmt.Fprintln(c.world.errs)
	if err != nil {
		return "", fmt.Errorf("reading what was typed: %w", err)
	}
	if secret == "" {
		return "", errors.New("nothing was typed")
	}
	return secret, nil
}

// Pool implements onchain.Console.
func (c console) Pool(ctx context.Context) (*client.Client, string, error) {
	token, err := c.token(ctx)
	return c.client, token, err
}

// Wait implements onchain.Console.
func (c console) Wait(ctx context.Context, pause time.Duration) error {
	return c.world.wait(ctx, pause)
}
