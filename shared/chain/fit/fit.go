// Package fit tells whether a pool's parameters fit the chain: its number, the hub,
// the token, the pool and who owns it. It owns these questions and the words for
// what was found; it reads only. It must not know where parameters come from.
package fit

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/chain"
	"workerpool/shared/chain/poco"
	"workerpool/shared/pool"
)

// Wanted is what the parameters say. What is zero is not asked for, but hub and pool.
type Wanted struct {
	Node    string       // ETHNODE, of which no word is repeated that may be a key
	ChainID uint64       // CHAINID
	Hub     pool.Address // IEXECHUBCONTRACT
	RLC     pool.Address // RLCCONTRACT
	Pool    pool.Address // WORKERPOOLADDRESS
	Wallet  pool.Address // that is to own the pool
}

// Check asks a client's node. The error is Faults, all that were found; it is
// pool.Unavailable when there is no other than that the node could not say.
func Check(ctx context.Context, client *chain.Client, want Wanted) error {
	l := look{Wanted: want, client: client}
	if err := l.all(ctx); err != nil {
		expected := "a node of the chain"
		if want.ChainID != 0 {
			expected = fmt.Sprintf("a node of chain %d", want.ChainID)
		}
		silent := Fault{Parameter: "ETHNODE", Found: discreet(err, want.Node), Expected: expected}
		if pool.KindOf(err) == pool.Unavailable {
			silent.Away = err
		}
		l.faults = append(Faults{silent}, l.faults...)
	}
	return l.faults.Err()
}

// look is one look at the chain.
type look struct {
	Wanted
	client          *chain.Client
	id              uint64 // of the node's chain
	at              pool.Block
	token, registry pool.Address // the hub's; zero while nobody knows
	faults          Faults
}

func (l *look) wrong(parameter, found, expected string) {
	l.faults = append(l.faults, Fault{Parameter: parameter, Found: found, Expected: expected})
}

// all goes on after each fault, as far as the node answers.
func (l *look) all(ctx context.Context) (err error) {
	if l.id, err = l.client.ChainID(ctx); err != nil {
		return err
	}
	if l.ChainID != 0 && l.id != l.ChainID {
		l.wrong("CHAINID", fmt.Sprintf("a node (ETHNODE) of chain %d", l.id), fmt.Sprintf("one of chain %d", l.ChainID))
	}
	head, err := l.client.Head(ctx)
	if err != nil {
		return err
	}
	l.at = head.Block
	found, err := l.hub(ctx)
	if err != nil {
		return err
	}
	switch {
	case found != "":
		l.token, l.registry = pool.Address{}, pool.Address{}
		l.wrong("IEXECHUBCONTRACT", found, fmt.Sprintf("iExec's hub on chain %d", l.id))
	case !l.RLC.IsZero() && l.RLC != l.token:
		l.wrong("RLCCONTRACT", l.RLC.String(), "the hub's token "+l.token.String())
	}
	found, expected, err := l.workerpool(ctx)
	if found != "" {
		l.wrong("WORKERPOOLADDRESS", found, expected)
	}
	return err
}

// view is a question to a contract and who reads its answer.
type view struct {
	to   pool.Address
	name string
	data []byte
	read func(answer []byte) error
}

func into[T any](to *T, unpack func([]byte) (T, error)) func([]byte) error {
	return func(answer []byte) (err error) {
		*to, err = unpack(answer)
		return err
	}
}

// ask asks some views at once. found says of each that got no proper answer what is
// there instead. The error is pool.Unavailable.
func (l *look) ask(ctx context.Context, views []view) (found []string, err error) {
	calls := make([]chain.Call, len(views))
	for i, v := range views {
		calls[i] = chain.Call{To: v.to, Data: v.data}
	}
	answers, err := l.client.Ask(ctx, l.at, calls)
	if err != nil {
		return nil, err
	}
	found = make([]string, len(views))
	for i, v := range views {
		err := answers[i].Err
		if pool.KindOf(err) == pool.Unavailable {
			return nil, err
		}
		if err == nil && len(answers[i].Data) == 0 {
			found[i] = fmt.Sprintf("%s, where nothing answers %s", v.to, v.name)
			continue
		}
		if err == nil {
			err = v.read(answers[i].Data)
		}
		if err != nil {
			found[i] = fmt.Sprintf("%s, a contract that does not answer %s (%s)", v.to, v.name, discreet(err, l.Node))
		}
	}
	return found, nil
}

// hub asks whether the contract is the hub that this pool speaks to.
func (l *look) hub(ctx context.Context) (found string, err error) {
	if l.Hub.IsZero() {
		return "nothing", nil
	}
	var domain poco.IexecLibOrdersV5EIP712Domain
	var ratios [3]*big.Int
	hub := poco.NewHub()
	views := []view{
		{l.Hub, "domain", hub.PackDomain(), into(&domain, hub.UnpackDomain)},
		{l.Hub, "token", hub.PackToken(), into((*common.Address)(&l.token), hub.UnpackToken)},
		{l.Hub, "workerpoolregistry", hub.PackWorkerpoolregistry(), into((*common.Address)(&l.registry), hub.UnpackWorkerpoolregistry)},
		{l.Hub, "contribution_deadline_ratio", hub.PackContributionDeadlineRatio(), into(&ratios[0], hub.UnpackContributionDeadlineRatio)},
		{l.Hub, "reveal_deadline_ratio", hub.PackRevealDeadlineRatio(), into(&ratios[1], hub.UnpackRevealDeadlineRatio)},
		{l.Hub, "final_deadline_ratio", hub.PackFinalDeadlineRatio(), into(&ratios[2], hub.UnpackFinalDeadlineRatio)},
	}
	silent, err := l.ask(ctx, views)
	if err != nil {
		return "", err
	}
	for _, found := range silent {
		if found != "" {
			return found, nil
		}
	}
	if domain.Name != "iExecODB" || pool.Address(domain.VerifyingContract) != l.Hub || !domain.ChainId.IsUint64() || domain.ChainId.Uint64() != l.id {
		return fmt.Sprintf("%s, which says that it is %q at %s of chain %s", l.Hub, domain.Name, pool.Address(domain.VerifyingContract), domain.ChainId), nil
	}
	for i, ratio := range []int64{pool.ContributeFor, pool.RevealFor, pool.FinalAfter} {
		if ratios[i].Cmp(big.NewInt(ratio)) != 0 {
			return fmt.Sprintf("%s with a %s of %s, and this pool knows %d only", l.Hub, views[3+i].name, ratios[i], ratio), nil
		}
	}
	return "", nil
}

// workerpool asks whether the pool is one, and whose.
func (l *look) workerpool(ctx context.Context) (found, expected string, err error) {
	if l.Pool.IsZero() {
		return "nothing", "the address of a workerpool", nil
	}
	var registered bool
	var owner common.Address
	entries, contract := poco.NewWorkerpoolRegistry(), poco.NewWorkerpool()
	silent, err := l.ask(ctx, []view{
		{l.Pool, "owner", contract.PackOwner(), into(&owner, contract.UnpackOwner)},
		{l.registry, "isRegistered", entries.PackIsRegistered(common.Address(l.Pool)), into(&registered, entries.UnpackIsRegistered)},
	})
	if err != nil {
		return "", "", err
	}
	expected = "a workerpool of the hub's registry " + l.registry.String()
	if l.registry.IsZero() {
		expected, registered = "a workerpool", true // nobody knows better
	}
	switch {
	case silent[0] != "":
		return silent[0], expected, nil
	case !registered:
		return l.Pool.String() + ", which is not in it", expected, nil
	case !l.Wallet.IsZero() && pool.Address(owner) != l.Wallet:
		return fmt.Sprintf("%s, owned by %s", l.Pool, pool.Address(owner)), "one owned by the pool's wallet " + l.Wallet.String(), nil
	}
	return "", "", nil
}
