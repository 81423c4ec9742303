//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"workerpool/cmd/worker/chainside"
	"workerpool/cmd/worker/ledger"
	"workerpool/shared/chain"
	"workerpool/shared/client"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// wallet is what an owner decides of works of deals. Without a file none are taken.
type wallet struct {
	file         string // V3 keystore
	passwordFile string
	node         string
	hub          pool.Address
	pool         pool.Address
	gasPrice     *big.Int // wei for a unit of gas at most; nil = whatever it costs
	minPrice     pool.NRLC
	maxStake     pool.NRLC

	key *ethsig.Key // nil = no wallet
}

func (w *wallet) settings() []setting {
	return []setting{
		{name: "wallet", usage: "take works of deals as well and contribute with the wallet in `FILE`, a keystore of version 3; none when empty", read: text(&w.file, false)},
		{name: "wallet-password-file", usage: "`FILE` with the wallet's password", read: text(&w.passwordFile, false)},
		{name: "node", usage: "`URL` of a node of the chain (JSON-RPC)", read: text(&w.node, false)},
		{name: "hub", usage: "`ADDRESS` of iExec's hub on the chain", read: onChain(&w.hub)},
		{name: "pool-address", usage: "`ADDRESS` of the pool on the chain: no other pool's deals are worked for", read: onChain(&w.pool)},
		{name: "max-gas-price", usage: "`GWEI` that a unit of gas may cost; contributions and reveals wait while it is more, any when empty", read: gwei(&w.gasPrice)},
		{name: "min-price", usage: "`NRLC` that a deal pays for a task, at least", text: "0", read: nrlc(&w.minPrice)},
		{name: "max-stake", usage: "`NRLC` that a contribution may lock, at most; 0 = any", text: "0", read: nrlc(&w.maxStake)},
	}
}

// complete opens the wallet, when there is one, and tells what is missing.
func (w *wallet) complete() error {
	given := map[string]bool{
		"wallet": w.file != "", "wallet-password-file": w.passwordFile != "", "node": w.node != "", "hub": !w.hub.IsZero(), "pool-address": !w.pool.IsZero(),
	}
	var first string
	var faults []error
	for _, s := range w.settings()[:len(given)] {
		if given[s.name] {
			first = cmp.Or(first, s.name)
		} else {
			faults = append(faults, fmt.Errorf("-%s: must be set", s.name))
		}
	}
	if first == "" {
		return nil
	}
	for i, fault := range faults {
		faults[i] = fmt.Errorf("%w as -%s is", fault, first)
	}
	if w.node != "" {
		if _, err := chain.Open(chain.Config{URL: w.node}); err != nil {
			faults = append(faults, fmt.Errorf("-node: %w", err))
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return w.open()
}

func (w *wallet) open() error {
	keystore, err := os.ReadFile(w.file)
	if err != nil {
		return fmt.Errorf("-wallet: %w", err)
	}
	password, err := os.ReadFile(w.passwordFile)
	if err != nil {
		return fmt.Errorf("-wallet-password-file: %w", err)
	}
	w.key, err = ethsig.OpenKeystore(keystore, strings.TrimRight(string(password), "\r\n"))
	switch {
	case errors.Is(err, ethsig.ErrPassword):
		return fmt.Errorf("-wallet-password-file: %w in %s", err, w.file)
	case err != nil:
		return fmt.Errorf("-wallet: %s: %w", w.file, err)
	}
	return nil
}

// lookTime is how long the chain may take to be looked at when the worker starts.
const lookTime = 20 * time.Second

// account gives the wallet's account on the chain; nil without a wallet. A node
// that does not answer is no fault of the settings: works of deals are refused
// until it does.
func (w *wallet) account(books *ledger.Ledger, log *slog.Logger) (*chainside.Account, error) {
	if w.key == nil {
		return nil, nil
	}
	node, err := chain.Open(chain.Config{URL: w.node, Hub: w.hub, Pool: w.pool})
	if err != nil {
		return nil, fmt.Errorf("-node: %w", err)
	}
	switch err := w.look(node, log); {
	case pool.KindOf(err) == pool.Unavailable:
		log.Warn("the chain is not seen: works of deals are refused until it is", "error", err)
	case err != nil:
		return nil, err
	}
	sent, err := books.Sent(w.hub.String(), w.key.Address().String())
	if err != nil {
		return nil, err
	}
	return chainside.New(chainside.Config{
		Wallet: w.key.Address(), Node: node, Hub: node, Sender: chain.NewSender(chain.SenderConfig{Chain: node, Signer: w.key, MaxGasPrice: w.gasPrice}),
		Sent: sent, MinPrice: w.minPrice, MaxStake: w.maxStake, Now: time.Now, After: time.After, Log: log,
	})
}

// look sees that hub and pool are what they are said to be, and tells the owner
// what the wallet has.
func (w *wallet) look(node *chain.Client, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	head, err := node.Head(ctx)
	if err != nil {
		return fmt.Errorf("-node: %w", err)
	}
	purse, err := node.Purse(ctx, head.Block, w.key.Address())
	if err != nil {
		return wrong(err, "-hub: %s is not iExec's hub on the chain of -node", w.hub)
	}
	if _, err := node.Owner(ctx, head.Block); err != nil {
		return wrong(err, "-pool-address: %s is not a pool on the chain of -node", w.pool)
	}
	log.Info("works of deals are taken", "wallet", w.key.Address(), "stake_nrlc", purse.Stake, "locked_nrlc", purse.Locked, "gas_wei", purse.Gas, "score", purse.Score)
	return nil
}

// wrong blames a setting, unless the node could not say.
func wrong(err error, format string, of ...any) error {
	if pool.KindOf(err) == pool.Unavailable {
		return err
	}
	return fmt.Errorf(format+": %w", append(of, err)...)
}

// prove gives what shows a pool that the worker of this name and key acts for the
// wallet; nil without a wallet.
func (w *wallet) prove(caller *client.Client, name, key string) func(context.Context) (*wire.Wallet, error) {
	if w.key == nil {
		return nil
	}
	return func(ctx context.Context) (*wire.Wallet, error) {
		secret, err := pool.ParseDigest(key)
		if err != nil {
			return nil, fmt.Errorf("reading the worker's key: %w", err)
		}
		to, err := caller.Pool(ctx)
		if err != nil {
			return nil, fmt.Errorf("asking for the pool's name: %w", err)
		}
		signature, err := chainside.Proof(ctx, w.key, pool.WalletProof(to.Name, name, secret))
		return &wire.Wallet{Address: w.key.Address().String(), Signature: signature}, err
	}
}

// show prints what is set. A node's URL often holds a key.
func (w *wallet) show(line func(name string, value any)) {
	line("wallet", w.file)
	line("wallet-password-file", w.passwordFile)
	if at, err := url.Parse(w.node); err == nil && (at.User != nil || strings.Trim(at.Path, "/") != "" || at.RawQuery != "") {
		line("# node", at.Scheme+"://"+at.Host+"/***")
	} else {
		line("node", w.node)
	}
	for _, a := range []struct {
		name string
		is   pool.Address
	}{{"hub", w.hub}, {"pool-address", w.pool}} {
		value := a.is.String()
		if a.is.IsZero() {
			value = ""
		}
		line(a.name, value)
	}
	price := ""
	if w.gasPrice != nil {
		price = strings.TrimRight(strings.TrimRight(new(big.Rat).SetFrac(w.gasPrice, big.NewInt(weiPerGwei)).FloatString(gweiDigits), "0"), ".")
	}
	line("max-gas-price", price)
	line("min-price", int64(w.minPrice))
	line("max-stake", int64(w.maxStake))
}

const (
	gweiDigits = 9
	weiPerGwei = 1_000_000_000
)

// onChain reads an address; nothing is none.
func onChain(to *pool.Address) func([]string) error {
	return func(v []string) (err error) {
		if v[0] == "" {
			*to = pool.Address{}
			return nil
		}
		*to, err = pool.ParseAddress(v[0])
		return err
	}
}

// gwei reads an amount of wei that is written in gwei, with digits after a point.
func gwei(to **big.Int) func([]string) error {
	return func(v []string) error {
		if *to = nil; v[0] == "" {
			return nil
		}
		wei, ok := new(big.Rat).SetString(v[0])
		if ok {
			wei.Mul(wei, big.NewRat(weiPerGwei, 1))
		}
		if !ok || strings.ContainsAny(v[0], "/eEpPxX_") || wei.Sign() <= 0 || !wei.IsInt() {
			return fmt.Errorf("want a number of gwei such as 0.05, not %q", v[0])
		}
		*to = wei.Num()
		return nil
	}
}

func nrlc(to *pool.NRLC) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("want a number of nRLC, not %q", v[0])
		}
		*to = pool.NRLC(n)
		return nil
	}
}
