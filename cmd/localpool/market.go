package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"workerpool/infra/local/crew"
	"workerpool/infra/local/mint"
)

// liar is the worker that lies: one of those here, or the demonstration's that joins
// for a while. It has a wallet in any case.
const liar = "demo-liar"

// walletSecret is the template's secret with the pool's wallet.
const walletSecret = "WalletSecret"

// market is the chain with those who trade on it; nil = the pool serves no deals.
type market struct {
	folder mint.Folder
	mint   *mint.Mint
}

// chainAddrFree looks whether the chain can be served, before anything is made. The
// node takes no listener.
func (o options) chainAddrFree() error {
	if !o.chain {
		return nil
	}
	probe, err := listen(o.chainAddr, "CHAINADDR")
	if err != nil {
		return err
	}
	return probe.Close()
}

// openMarket starts the chain, when one is wanted, and puts the pool's wallet among
// the secrets.
func openMarket(ctx context.Context, o options, s *state) (*market, error) {
	if !o.chain {
		return nil, nil
	}
	folder := mint.Folder(filepath.Join(o.dir, "chain"))
	// The books hold the deals of the chain that was there, and no other has them.
	if _, err := folder.Place(); errors.Is(err, mint.ErrNone) && s.secrets[walletSecret] != "" {
		return nil, fmt.Errorf("%w, and the pool in %s has served deals: make clean-local forgets these as well", err, o.dir)
	}
	m, err := mint.Start(ctx, mint.Config{Folder: folder, Addr: o.chainAddr, Workers: append(o.crew(), liar)})
	if err != nil {
		return nil, err
	}
	out := &market{folder: folder, mint: m}
	wallet, err := folder.Wallet(mint.PoolOwner)
	if err == nil {
		s.secrets[walletSecret], err = wallet.Secret()
	}
	if err != nil {
		_ = out.close() // the wallet's error counts
		return nil, err
	}
	return out, nil
}

func (m *market) close() error {
	if m == nil {
		return nil
	}
	return m.mint.Close()
}

// parameters of the template that make the pool serve deals. The newest block of
// this chain does not change, and is looked at as often as is allowed.
func (m *market) parameters() map[string]string {
	if m == nil {
		return map[string]string{"BlockchainEthEnabled": "false"}
	}
	at := m.mint.Place
	return map[string]string{
		"BlockchainEthEnabled": "true", "WorkerpoolAddress": at.Workerpool.String(), "EthNode": at.Node,
		"ChainId": strconv.FormatUint(at.ID, 10), "IexecHubContract": at.Hub.String(), "RlcContract": at.RLC.String(),
		"WayOut": "nat", "ChainPoll": "1", "ChainFinality": "latest",
	}
}

// tickEvery is how often a pool without deals looks for one; 0 = as the template
// says, once a minute, which is long to watch.
func (m *market) tickEvery() time.Duration {
	if m == nil {
		return 0
	}
	return 5 * time.Second
}

// wallet is what a worker needs to take works of deals; nil = nothing.
func (m *market) wallet(name string) (*crew.Wallet, error) {
	if m == nil {
		return nil, nil
	}
	w, err := m.folder.Wallet(name)
	at := m.mint.Place
	return &crew.Wallet{File: w.File, PasswordFile: w.PasswordFile, Node: at.Node, Hub: at.Hub, Pool: at.Workerpool}, err
}

// tell says where one can buy.
func (m *market) tell(out io.Writer) {
	if m == nil {
		fmt.Fprintf(out, "no chain: %s=false\n", chainSwitch)
		return
	}
	at := m.mint.Place
	fmt.Fprintf(out, "chain %d: %s\n  hub    %s\n  pool   %s\n  app    %s (%s)\n  orders %s\n         %s\n",
		at.ID, at.Node, at.Hub, at.Workerpool, at.App, mint.AppProgram, m.folder.Order(), m.folder.AppOrder())
}
