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

// Receiver is one of them on a chain.
type Receiver struct {
	At    pool.Address
	words abi.ABI
}

// Pack gives the data of a call.
func (r Receiver) Pack(method string, args ...any) ([]byte, error) {
	return r.words.Pack(method, args...)
}

// Unpack reads the first value of the answer to a call.
func (r Receiver) Unpack(method string, answer []byte) (any, error) {
	out, err := r.words.Unpack(method, answer)
	if err != nil {
		return nil, err
	}
	return out[0], nil
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
	return Receiver{At: done[0].Contract, words: files[name].abi}, nil
}
