package contracts

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"workerpool/infra/local/chain"
	"workerpool/shared/pool"
)

// Contracts of iExec's own tests that take results called back (ERC-1154,
// receiveResult): one keeps what it is called with and the gas that it had, the
// other uses up all the gas there is.
const (
	Keeping = "TestClient"
	Wasting = "GasWasterClient"
)

// Receiver is one of them on a chain, with the words of its ABI.
type Receiver struct {
	At  pool.Address
	ABI abi.ABI
}

// NewReceiver puts one on the chain.
func NewReceiver(ctx context.Context, by *chain.Account, name string) (Receiver, error) {
	files, err := read([]string{name})
	if err != nil {
		return Receiver{}, err
	}
	done, err := by.Do(ctx, chain.Call{Data: files[name].code, Gas: gas})
	if err != nil {
		return Receiver{}, fmt.Errorf("deploying %s: %w", name, err)
	}
	return Receiver{At: done[0].Contract, ABI: files[name].abi}, nil
}
