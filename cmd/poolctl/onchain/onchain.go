// Package onchain holds the commands of poolctl that act on the chain with the
// wallet of the pool's owner, and those that ask the pool about its side of the
// chain. What spends, commits money or changes books is only told of, unless --yes
// is given. It owns what is typed, asked back and shown; what the chain is told is
// shared/chain/owner's.
package onchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/chain/kms"
	"workerpool/shared/chain/owner"
	"workerpool/shared/client"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// ErrUsage marks what kong cannot see to be wrong.
var ErrUsage = errors.New("wrong usage")

// Console is what the program offers its commands.
type Console interface {
	// Print writes the answer: value as JSON, or what human makes.
	Print(value any, human func(*page.Table)) error
	// Secret gives the first line of a file, else a variable of the environment,
	// else what is typed unseen; the error says how to give it.
	Secret(what, file, variable string) (string, error)
	// Pool gives the pool's client with a token.
	Pool(ctx context.Context) (*client.Client, string, error)
	// Wait pauses, and returns early with ctx's error.
	Wait(ctx context.Context, pause time.Duration) error
}

// Commands are those of "poolctl chain".
type Commands struct {
	Where

	Status        statusCommand   `cmd:"" help:"Show the owner's account: stake, what is at stake, gas, and whether the pool is registered."`
	Register      registerCommand `cmd:"" help:"Register the pool on the chain, and set its policy."`
	Deposit       depositCommand  `cmd:"" help:"Move RLC from the wallet into its account at the hub: stake for deals."`
	Withdraw      withdrawCommand `cmd:"" help:"Move free stake back into the wallet."`
	Order         orderCommand    `cmd:"" help:"Sign a workerpool order into a file that \"iexec order fill\" takes."`
	CancelOrder   cancelCommand   `cmd:"" help:"Call off the workerpool order of a file."`
	Diff          diffCommand     `cmd:"" help:"Let the pool hold its books against the chain, and fail if they differ. For operators of the pool."`
	DryRun        dryRunCommand   `cmd:"" help:"Let the pool tell what its next pass over the chain would store and send. For operators of the pool."`
	Rebuild       rebuildCommand  `cmd:"" help:"Let the pool rebuild its books of deals from the chain. For operators of the pool."`
	KeystoreLight lightCommand    `cmd:"" help:"Encrypt a wallet file again, so that it opens in little time and memory."`
}

// Where says which chain, hub and pool, and by which wallet.
type Where struct {
	Node               string  `help:"URL of an Ethereum node." placeholder:"URL" env:"ETHNODE"`
	Hub                address `help:"The contract of deals and tasks." placeholder:"0x..." env:"IEXECHUBCONTRACT"`
	Workerpool         address `help:"The pool on the chain." placeholder:"0x..." env:"WORKERPOOLADDRESS"`
	Wallet             string  `help:"Wallet file (keystore, version 3) of the pool's owner." placeholder:"FILE" type:"path" env:"WALLETPATH" xor:"key"`
	WalletPasswordFile string  `help:"File whose first line is its password; otherwise it is POOLCTL_WALLET_PASSWORD, or asked for." placeholder:"FILE" type:"path"`
	KMS                string  `name:"kms" help:"Key in AWS KMS in the place of a wallet file." placeholder:"KEY" xor:"key"`
}

// walletPassword is the variable of the environment that may hold it.
const walletPassword = "POOLCTL_WALLET_PASSWORD"

// open looks at the chain.
func (w Where) open(ctx context.Context, t Console) (*owner.Owner, error) {
	if w.Node == "" {
		return nil, fmt.Errorf("%w: name a node by --node URL or ETHNODE", ErrUsage)
	}
	if w.Hub.isZero() {
		return nil, fmt.Errorf("%w: name the hub by --hub 0x... or IEXECHUBCONTRACT", ErrUsage)
	}
	door, err := owner.Open(ctx, owner.Config{URL: w.Node, Hub: pool.Address(w.Hub), Wait: t.Wait})
	if err != nil {
		return nil, fmt.Errorf("--node, --hub: %w", err)
	}
	return door, nil
}

// wallet is the owner's: its address is known before its key is opened.
type wallet struct {
	pool.Address
	sign func() (ethsig.Signer, error)
}

// wallet finds the wallet that the flags name.
func (w Where) wallet(ctx context.Context, t Console) (wallet, error) {
	switch {
	case w.KMS != "":
		key, err := kms.Open(ctx, kms.Config{Key: w.KMS})
		if err != nil {
			return wallet{}, fmt.Errorf("--kms: %w", err)
		}
		return wallet{Address: key.Address(), sign: func() (ethsig.Signer, error) { return key, nil }}, nil
	case w.Wallet == "":
		return wallet{}, fmt.Errorf("%w: name the wallet by --wallet FILE, WALLETPATH or --kms KEY", ErrUsage)
	}
	file, err := os.ReadFile(w.Wallet)
	if err != nil {
		return wallet{}, fmt.Errorf("--wallet: %w", err)
	}
	open := func() (ethsig.Signer, error) { return w.unlock(t, file) }
	var says struct{ Address string }
	if err := json.Unmarshal(file, &says); err != nil {
		return wallet{}, fmt.Errorf("--wallet: %s is no wallet file: %w", w.Wallet, err)
	}
	if named, err := pool.ParseAddress("0x" + strings.TrimPrefix(says.Address, "0x")); err == nil {
		return wallet{Address: named, sign: open}, nil // the key must fit it
	}
	key, err := open()
	if err != nil {
		return wallet{}, err
	}
	return wallet{Address: key.Address(), sign: func() (ethsig.Signer, error) { return key, nil }}, nil
}

// unlock opens a wallet file.
func (w Where) unlock(t Console, file []byte) (*ethsig.Key, error) {
	password, err := t.Secret("Password of "+w.Wallet, w.WalletPasswordFile, walletPassword)
	if err != nil {
		return nil, fmt.Errorf("--wallet-password-file: %w", err)
	}
	key, err := ethsig.OpenKeystore(file, password)
	if err != nil {
		return nil, fmt.Errorf("--wallet: %s: %w", w.Wallet, err)
	}
	return key, nil
}

// ours looks at the pool and sees that it is the wallet's.
func (w Where) ours(ctx context.Context, door *owner.Owner, by pool.Address) (owner.Workerpool, error) {
	if w.Workerpool.isZero() {
		return owner.Workerpool{}, fmt.Errorf("%w: name the pool by --workerpool 0x... or WORKERPOOLADDRESS", ErrUsage)
	}
	seen, err := door.Workerpool(ctx, pool.Address(w.Workerpool))
	if err != nil {
		return seen, err
	}
	if !seen.Registered {
		return seen, fmt.Errorf("--workerpool: no pool is registered at %s on chain %d: \"poolctl chain register\" makes one", seen.Address, door.Domain().ChainID)
	}
	if seen.Owner != by {
		return seen, fmt.Errorf("--workerpool: %s belongs to %s, the wallet is %s", seen.Address, seen.Owner, by)
	}
	return seen, nil
}

// yes lets a command do what it tells of.
type yes struct {
	Yes bool `help:"Do it. Without, it is only told what would be done."`
}

// deed is what a command does or would do, as JSON.
type deed struct {
	Does        string `json:"does"`
	Done        bool   `json:"done"`
	Wallet      string `json:"wallet"`
	Chain       uint64 `json:"chain"`
	To          string `json:"to"`
	GasLimit    uint64 `json:"gas_limit"`
	MostFee     string `json:"most_fee"`
	Transaction string `json:"transaction,omitempty"`
	Block       uint64 `json:"block,omitempty"`
	Gas         int64  `json:"gas,omitempty"`
}

// carry sends a step if it may, and tells of it.
func (y yes) carry(ctx context.Context, door *owner.Owner, by wallet, does string, step *owner.Step) (deed, error) {
	d := deed{
		Does: does, Wallet: by.String(), Chain: door.Domain().ChainID, To: step.To.String(), GasLimit: step.Gas, MostFee: eth(step.Fee),
	}
	if !y.Yes {
		return d, nil
	}
	key, err := by.sign()
	if err != nil {
		return d, err
	}
	done, err := door.Send(ctx, key, step)
	if err != nil {
		return d, fmt.Errorf("%s: %w", does, err)
	}
	d.Done, d.Transaction, d.Block, d.Gas = true, done.Hash.String(), done.Block, done.Gas
	return d, nil
}

// show writes a deed for a person.
func (d deed) show(p *page.Table) {
	if d.Done {
		p.Line("done: %s", d.Does)
		p.Row("transaction", d.Transaction)
		p.Row("block", d.Block)
		p.Row("gas", d.Gas)
		return
	}
	p.Line("would %s", d.Does)
	p.Row("wallet", d.Wallet)
	p.Row("chain", d.Chain)
	p.Row("contract", d.To)
	p.Row("gas", fmt.Sprintf("%d at most, %s at most", d.GasLimit, d.MostFee))
	p.Line("nothing was sent: --yes does it")
}
