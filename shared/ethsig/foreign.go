package ethsig

import (
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"

	"workerpool/shared/pool"
)

// AddressOf gives the account of a public key: a point of the curve as 65 bytes,
// uncompressed.
func AddressOf(point []byte) (pool.Address, error) {
	key, err := crypto.UnmarshalPubkey(point)
	if err != nil {
		return pool.Address{}, errors.New("not a public key of secp256k1")
	}
	return pool.Address(crypto.PubkeyToAddress(*key)), nil
}

// Complete makes a signature of the numbers r and s that a key service gives:
// it takes s to the lower half of the order and finds v. The error says that
// they are not a signature of the digest by that account.
func Complete(digest [32]byte, r, s *big.Int, by pool.Address) ([65]byte, error) {
	n := crypto.S256().Params().N
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return [65]byte{}, errors.New("r or s is no number of the curve")
	}
	var out [65]byte
	r.FillBytes(out[:32])
	s.FillBytes(out[32:64])
	if string(out[32:64]) > string(halfOrder[:]) {
		new(big.Int).Sub(n, s).FillBytes(out[32:64])
	}
	for _, v := range []byte{27, 28} {
		out[64] = v
		if from, err := Recover(digest, out[:]); err == nil && from == by {
			return out, nil
		}
	}
	return [65]byte{}, errors.New("r and s are not the signature of " + by.String())
}
