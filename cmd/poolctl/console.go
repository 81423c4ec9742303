package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// console is what the program offers the commands that have a package of their own.
type console struct{ *poolctl }

// Print implements the Console of onchain, accounts and explain.
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

// Pool implements the Console of onchain, accounts and explain.
func (c console) Pool(ctx context.Context) (*client.Client, string, error) {
	token, err := c.token(ctx)
	return c.client, token, err
}

// Wait implements onchain.Console.
func (c console) Wait(ctx context.Context, pause time.Duration) error {
	return c.world.wait(ctx, pause)
}

// NewPassword implements accounts.Console.
func (c console) NewPassword(login, file string) (string, error) {
	c.warnInTheClear()
	if file != "" {
		password, err := firstLine(file)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errUsage, err)
		}
		return password, nil
	}
	const instead = "--new-password-file"
	first, err := c.ask("New password of "+login, instead)
	if err != nil {
		return "", err
	}
	second, err := c.ask("The same again", instead)
	if err == nil && first != second {
		err = fmt.Errorf("%w: the two passwords differ", errUsage)
	}
	return first, err
}

// Password implements accounts.Console.
func (c console) Password() (login, password string, err error) {
	password, err = c.password()
	return c.session.Login, password, err
}

// Enter implements accounts.Console.
func (c console) Enter(got wire.Session, passwordFile string) error {
	c.session.PasswordFile = passwordFile // the one of before opens nothing any more
	if err := c.enter(got); err != nil {
		return err
	}
	return c.printSession()
}

// password gives the password of the session's login, and asks for it when it is not known.
func (p *poolctl) password() (string, error) {
	password, err := p.knownPassword()
	if err != nil || password != "" {
		return password, err
	}
	return p.ask("Password of "+p.session.Login+" at "+p.session.Pool, "--password-file or POOLCTL_PASSWORD")
}

// ask asks for a password on the terminal; otherwise says what to give it by.
func (p *poolctl) ask(what, instead string) (string, error) {
	if p.world.readPassword == nil {
		return "", fmt.Errorf("%w: give the password by %s: there is no terminal to ask on", errUsage, instead)
	}
	fmt.Fprintf(p.world.errs, "%s: ", what)
	password, err := p.world.readPassword()
	fmt.Fprintln(p.world.errs)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return password, nil
}
