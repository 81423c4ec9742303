// Package ethsig owns the cryptography of the chain: hashes, signatures, ids and
// orders of iExec's PoCo, and the keys that sign. It computes only: it reaches
// neither a network nor a file, and must not decide what is worth a signature.
package ethsig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/ethereum/go-ethereum/crypto"

	"workerpool/shared/pool"
)

// Keccak is the chain's hash of the parts, one after the other.
func Keccak(parts ...[]byte) pool.Hash { return pool.Hash(crypto.Keccak256Hash(parts...)) }

// PersonalHash is what a wallet signs when asked to sign a message by
// personal_sign (EIP-191, version 0x45).
func PersonalHash(message []byte) pool.Hash {
	return Keccak([]byte("\x19Ethereum Signed Message:\n"+strconv.Itoa(len(message))), message)
}

// Recover gives the account that signed. It takes what the hub takes: 65 bytes
// r, s, v with v 27 or 28, or the 64 bytes of EIP-2098; s in the lower half.
func Recover(hash [32]byte, signature []byte) (pool.Address, error) {
	var plain [crypto.SignatureLength]byte // with v 0 or 1
	switch len(signature) {
	case 64:
		copy(plain[:], signature)
		plain[32] &= 0x7f
		plain[64] = signature[32] >> 7
	case 65:
		copy(plain[:], signature)
		if plain[64] != 27 && plain[64] != 28 {
			return pool.Address{}, fmt.Errorf("the signature ends in %d, wanted is 27 or 28", plain[64])
		}
		plain[64] -= 27
	default:
		return pool.Address{}, fmt.Errorf("a signature has 65 or 64 bytes, this has %d", len(signature))
	}
	if s := plain[32:64]; string(s) > string(halfOrder[:]) {
		return pool.Address{}, errors.New("the signature's s is in the upper half, so it is not the only one for what it signs")
	}
	key, err := crypto.SigToPub(hash[:], plain[:])
	if err != nil {
		return pool.Address{}, fmt.Errorf("not a signature: %w", err)
	}
	return pool.Address(crypto.PubkeyToAddress(*key)), nil
}

// halfOrder is half the order of secp256k1, rounded down. Of the two signatures
// (r, s) and (r, n-s) the chain takes the one with s up to it (EIP-2).
var halfOrder = func() (half [32]byte) {
	new(big.Int).Rsh(crypto.S256().Params().N, 1).FillBytes(half[:])
	return half
}()

// AuthorisationHash is what the pool signs to let a worker contribute to a task,
// and what the worker's answer is checked against: personal_sign over
// keccak(worker, task, enclave); no enclave = the zero address
// (IexecPoco2Facet.contribute of PoCo v6).
func AuthorisationHash(worker pool.Address, task pool.Hash, enclave pool.Address) pool.Hash {
	inner := Keccak(worker[:], task[:], enclave[:])
	return PersonalHash(inner[:])
}

// TaskID is the id of a deal's task by its index in the request order.
func TaskID(deal pool.Hash, index int) pool.Hash {
	at := number(uint64(index))
	return Keccak(deal[:], at[:])
}

// DealID is the id of the deal that a request order makes when consumed of its
// volume was dealt before.
func DealID(requestOrder pool.Hash, consumed uint64) pool.Hash {
	before := number(consumed)
	return Keccak(requestOrder[:], before[:])
}

// ResultHash is what a worker contributes: it commits to the digest, bound to the
// task, and does not tell it.
func ResultHash(task pool.Hash, digest pool.Digest) pool.Hash { return Keccak(task[:], digest[:]) }

// ResultSeal shows at the reveal that the worker knew the digest when it
// contributed, and did not copy another's hash.
func ResultSeal(worker pool.Address, task pool.Hash, digest pool.Digest) pool.Hash {
	return Keccak(worker[:], task[:], digest[:])
}

// number is a word of the chain's ABI.
func number(n uint64) (word [32]byte) {
	binary.BigEndian.PutUint64(word[24:], n)
	return word
}
