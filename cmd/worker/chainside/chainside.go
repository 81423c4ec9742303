//go:build linux

// Package chainside is a worker's account on the chain: what it looks at before it
// promises anything, whether the pool's word is good, and its contributions and
// reveals. It owns the account's lane of transactions; it must not run works or
// decide when the pool is told.
package chainside

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Node reads the chain; *chain.Client does. It gives deals of the own pool alone.
type Node interface {
	Head(ctx context.Context) (pool.Head, error)
	Deals(ctx context.Context, at pool.Block, ids []pool.Hash) ([]pool.Deal, error)
	Tasks(ctx context.Context, at pool.Block, ids []pool.Hash) ([]pool.Task, error)
	Purse(ctx context.Context, at pool.Block, wallet pool.Address) (chain.Purse, error)
}

// Hub writes down calls; *chain.Client does.
type Hub interface {
	Contribute(task, hash, seal pool.Hash, authorisation []byte) chain.Call
	Reveal(task pool.Hash, digest pool.Digest) chain.Call
}

// Sender signs and sends for the wallet; *chain.Sender does.
type Sender interface {
	Nonce(ctx context.Context, at pool.Block) (uint64, error)
	Price(ctx context.Context) (*big.Int, error)
	ComposeCall(ctx context.Context, b pool.Broadcast, call chain.Call) (pool.Broadcast, error)
	Send(ctx context.Context, raw []byte) error
	Receipts(ctx context.Context, hashes []pool.Hash) ([]pool.Receipt, error)
}

// Sent keeps what is sent until it is known what became of it; *ledger.Sent does.
type Sent interface {
	Load() ([]ledger.Sending, error)
	Save([]ledger.Sending) error
}

// Config is what an Account needs. All of it is required but the bounds.
type Config struct {
	Wallet   pool.Address
	Node     Node
	Hub      Hub
	Sender   Sender
	Sent     Sent
	MinPrice pool.NRLC // least that the pool gets for a task it takes works of
	MaxStake pool.NRLC // most that a contribution may lock; 0 = any
	Now      func() time.Time
	After    func(d time.Duration) <-chan time.Time
	Log      *slog.Logger
}

// Account is a wallet that contributes. It is safe for concurrent use.
type Account struct {
	Config
	lane *lane
}

// New makes an Account with what it had sent in an earlier life. Run tends it.
func New(c Config) (*Account, error) {
	lane, err := newLane(c)
	if err != nil {
		return nil, err
	}
	return &Account{Config: c, lane: lane}, nil
}

// Run brings what is sent into a block, until ctx ends.
func (a *Account) Run(ctx context.Context) { a.lane.run(ctx) }

// Promise is a turn at a deal's work, in the words of the pool.
type Promise struct {
	Deal          string
	Task          string
	Owner         string // of the pool when the deal was made
	Authorisation string // "" = not yet given
	Digest        string // of the result; "" before there is one
}

// HopelessError says that a contribution cannot be made any more.
type HopelessError struct{ Reason string }

func (e *HopelessError) Error() string { return e.Reason }

func hopeless(format string, of ...any) error { return &HopelessError{fmt.Sprintf(format, of...)} }

// Authorised tells what is wrong with the pool's word that this account may
// contribute; nil = it is good.
func (a *Account) Authorised(p Promise) error {
	_, err := a.read(p)
	return err
}

// promise is a Promise whose authorisation is good.
type promise struct {
	deal, task    pool.Hash
	authorisation []byte
}

func (a *Account) read(p Promise) (out promise, err error) {
	if out.deal, err = pool.ParseHash(p.Deal); err != nil {
		return out, fmt.Errorf("the deal's id: %w", err)
	}
	if out.task, err = pool.ParseHash(p.Task); err != nil {
		return out, fmt.Errorf("the task's id: %w", err)
	}
	owner, err := pool.ParseAddress(p.Owner)
	if err != nil {
		return out, fmt.Errorf("the pool's owner: %w", err)
	}
	digits, ok := strings.CutPrefix(p.Authorisation, "0x")
	if out.authorisation, err = hex.DecodeString(digits); err != nil || !ok {
		return out, errors.New("it is not written as 0x and hexadecimal characters")
	}
	signer, err := ethsig.Recover(ethsig.AuthorisationHash(a.Wallet, out.task, pool.Address{}), out.authorisation)
	if err != nil {
		return out, err
	}
	if signer != owner {
		return out, fmt.Errorf("it is not the word of the pool's owner %s that %s may contribute to task %s", owner, a.Wallet, out.task)
	}
	return out, nil
}

// Proof is the word of a wallet's key that a worker acts for it: personal_sign of
// pool.WalletProof.
func Proof(ctx context.Context, signer ethsig.Signer, text string) (string, error) {
	signature, err := signer.Sign(ctx, ethsig.PersonalHash([]byte(text)))
	if err != nil {
		return "", fmt.Errorf("signing for the wallet: %w", err)
	}
	return "0x" + hex.EncodeToString(signature[:]), nil
}
