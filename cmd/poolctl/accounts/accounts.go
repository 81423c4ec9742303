// Package accounts is the part of poolctl that makes, shows and steers accounts. It
// owns what a person types and reads of them; the rules are the pool's.
package accounts

import (
	"context"
	"fmt"
	"strings"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Console is what the program offers.
type Console interface {
	// Print writes the answer: value as JSON, or what human makes.
	Print(value any, human func(*page.Table)) error
	// Pool gives the pool's client with a token.
	Pool(ctx context.Context) (*client.Client, string, error)
	// NewPassword gives the first line of a file; without one what is typed unseen,
	// twice the same.
	NewPassword(login, file string) (string, error)
	// Password gives the session's login and its present password.
	Password() (login, password string, err error)
	// Enter makes what the pool gave the session, to be renewed from a password file
	// ("" = by asking), and tells of it.
	Enter(got wire.Session, passwordFile string) error
}

// Commands are those of "poolctl account".
type Commands struct {
	Create   createCommand   `cmd:"" help:"Make an account with a password, or of a wallet."`
	List     listCommand     `cmd:"" help:"List accounts."`
	Show     showCommand     `cmd:"" help:"Show an account."`
	Disable  disableCommand  `cmd:"" help:"Let an account in no more and end its tokens; undone by enable."`
	Enable   enableCommand   `cmd:"" help:"Let an account in again."`
	Password passwordCommand `cmd:"" help:"Change a password and end the tokens of before; your own when no account is named."`
	Revoke   revokeCommand   `cmd:"" help:"End all tokens of an account; it may log in again."`
}

// newPassword is where a new password comes from: never from the command line,
// which others on the machine can read.
type newPassword struct {
	NewPasswordFile string `help:"File whose first line is the new password; otherwise it is asked for." placeholder:"FILE" type:"path"`
}

type createCommand struct {
	Login       string `arg:"" help:"Its login; the address of a wallet makes an account without a password."`
	Role        string `required:"" enum:"requester,worker,operator" help:"requester, worker or operator."`
	UID         string `name:"uid" help:"An id of your choice, by which it is found as uid:ID as well." placeholder:"ID"`
	newPassword `embed:""`
}

// Run makes an account.
func (c createCommand) Run(ctx context.Context, p Console) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	account := wire.NewAccount{Login: c.Login, Role: c.Role, UID: c.UID}
	if !pool.IsWallet(strings.ToLower(c.Login)) {
		if account.Password, err = p.NewPassword(c.Login, c.NewPasswordFile); err != nil {
			return err
		}
	}
	made, err := to.CreateAccount(ctx, token, account)
	if err != nil {
		return fmt.Errorf("making account %s: %w", c.Login, err)
	}
	return show(p, made)
}

type listCommand struct{}

// Run lists all pages of accounts.
func (listCommand) Run(ctx context.Context, p Console) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	all := wire.Accounts{Accounts: []wire.Account{}}
	for account, err := range to.AllAccounts(ctx, token) {
		if err != nil {
			return fmt.Errorf("listing accounts: %w", err)
		}
		all.Accounts = append(all.Accounts, account)
	}
	return p.Print(all, func(t *page.Table) {
		t.Row("ACCOUNT", "LOGIN", "UID", "ROLE", "STATE", "LOGS IN BY", "CREATED")
		for _, a := range all.Accounts {
			t.Row(a.ID, a.Login, a.UID, a.Role, state(a), way(a), page.Day(a.CreatedAt))
		}
	})
}

// name is how an account is named.
type name struct {
	Account string `arg:"" help:"Its login, or uid: and its uid."`
}

type showCommand struct {
	name `embed:""`
}

// Run shows an account.
func (c showCommand) Run(ctx context.Context, p Console) error {
	return on(ctx, p, "asking for", c.Account, func(to *client.Client, token string) (wire.Account, error) { return to.Account(ctx, token, c.Account) })
}

type disableCommand struct {
	name `embed:""`
}

// Run disables an account.
func (c disableCommand) Run(ctx context.Context, p Console) error {
	return change(ctx, p, "disabling", c.Account, wire.ChangeAccount{Disabled: new(true)})
}

type enableCommand struct {
	name `embed:""`
}

// Run enables an account.
func (c enableCommand) Run(ctx context.Context, p Console) error {
	return change(ctx, p, "enabling", c.Account, wire.ChangeAccount{Disabled: new(false)})
}

type revokeCommand struct {
	name `embed:""`
}

// Run ends all tokens of an account.
func (c revokeCommand) Run(ctx context.Context, p Console) error {
	return on(ctx, p, "revoking", c.Account, func(to *client.Client, token string) (wire.Account, error) {
		return to.RevokeAccount(ctx, token, c.Account)
	})
}

type passwordCommand struct {
	Account     string `arg:"" optional:"" help:"Its login, or uid: and its uid; left out it is your own."`
	newPassword `embed:""`
}

// Run gives an account a new password; its own, the caller goes on in a new session.
func (c passwordCommand) Run(ctx context.Context, p Console) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	if c.Account != "" {
		password, err := p.NewPassword(c.Account, c.NewPasswordFile)
		if err != nil {
			return err
		}
		return change(ctx, p, "changing the password of", c.Account, wire.ChangeAccount{Password: password})
	}
	login, present, err := p.Password()
	if err != nil {
		return err
	}
	password, err := p.NewPassword(login, c.NewPasswordFile)
	if err != nil {
		return err
	}
	got, err := to.ChangePassword(ctx, token, wire.ChangePassword{Password: present, New: password})
	if err != nil {
		return fmt.Errorf("changing the password of %s: %w", login, err)
	}
	return p.Enter(got, c.NewPasswordFile)
}

func change(ctx context.Context, p Console, doing, name string, change wire.ChangeAccount) error {
	return on(ctx, p, doing, name, func(to *client.Client, token string) (wire.Account, error) {
		return to.ChangeAccount(ctx, token, name, change)
	})
}

func on(ctx context.Context, p Console, doing, name string, do func(to *client.Client, token string) (wire.Account, error)) error {
	to, token, err := p.Pool(ctx)
	if err != nil {
		return err
	}
	account, err := do(to, token)
	if err != nil {
		return fmt.Errorf("%s account %s: %w", doing, name, err)
	}
	return show(p, account)
}

func show(p Console, a wire.Account) error {
	return p.Print(a, func(t *page.Table) {
		t.Row("account", a.ID)
		t.Row("login", a.Login)
		if a.UID != "" {
			t.Row("uid", a.UID)
		}
		t.Row("role", a.Role)
		t.Row("state", state(a))
		t.Row("logs in by", way(a))
		if a.Shared {
			t.Row("shared", "each of its workers counts as an owner")
		}
		t.Row("created", page.Day(a.CreatedAt))
		if a.RevokedAt != nil {
			t.Row("tokens ended", page.Day(*a.RevokedAt))
		}
	})
}

func state(a wire.Account) string {
	if a.Disabled {
		return "disabled"
	}
	return "enabled"
}

func way(a wire.Account) string {
	if a.Wallet {
		return "wallet"
	}
	return "password"
}
