package ethsig_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func raw(t testing.TB, text string) []byte {
	t.Helper()
	out, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hash(t testing.TB, text string) pool.Hash {
	t.Helper()
	h, err := pool.ParseHash(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func address(t testing.TB, text string) pool.Address {
	t.Helper()
	a, err := pool.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func key(t testing.TB, text string) *ethsig.Key {
	t.Helper()
	k, err := ethsig.NewKey(raw(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func fill(b byte) pool.Hash { return pool.Hash(bytes.Repeat([]byte{b}, 32)) }

// TestAuthorisation holds the vectors of iExec's scheduler and worker.
func TestAuthorisation(t *testing.T) {
	task := ethsig.TaskID(fill(0x11), 7)
	if want := "0xea2cda56caceff556aeeb2756e2c1a820445b6413765d79997510293af0f2e35"; task.String() != want {
		t.Errorf("task id %s, want %s", task, want)
	}
	worker := address(t, "0x1a69b2eb604db8eba185df03ea4f5288dcbbd248")
	inner := hash(t, "0x8e0cc1ea0ed7df791f87afac606f717b4a08c448702fa01f9f7b939355667074")
	asked := ethsig.AuthorisationHash(worker, task, pool.Address{})
	if asked != ethsig.PersonalHash(inner[:]) {
		t.Errorf("authorisation hash %s, want personal_sign's of %s", asked, inner)
	}
	signer := key(t, "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
	signature, err := signer.Sign(context.Background(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a6cb738936a72f0358ac139811ec27379e966a8fe0f23a8032aebcfa93b1568d7df6a0c7426c777234c8c22c12af412cc847d78a4c2e799086ce5f313334dfba1c"; hex.EncodeToString(signature[:]) != want {
		t.Errorf("signature %x, want %s", signature, want)
	}
	if from, err := ethsig.Recover(asked, signature[:]); err != nil || from != signer.Address() {
		t.Errorf("recovered %s, %v; want %s", from, err, signer.Address())
	}
}

// TestIDs spells out what the hashes are made of.
func TestIDs(t *testing.T) {
	worker := address(t, "0x1a69b2eb604db8eba185df03ea4f5288dcbbd248")
	task, digest := fill(0x22), pool.Digest(fill(0x33))
	index := make([]byte, 32)
	big.NewInt(1<<40 + 9).FillBytes(index)
	for name, c := range map[string]struct {
		got  pool.Hash
		made []byte
	}{
		"task id":     {ethsig.TaskID(task, 1<<40+9), append(task[:], index...)},
		"deal id":     {ethsig.DealID(task, 1<<40+9), append(task[:], index...)},
		"result hash": {ethsig.ResultHash(task, digest), append(task[:], digest[:]...)},
		"result seal": {ethsig.ResultSeal(worker, task, digest), append(append(worker[:], task[:]...), digest[:]...)},
	} {
		if want := pool.Hash(crypto.Keccak256Hash(c.made)); c.got != want {
			t.Errorf("%s: %s, want %s", name, c.got, want)
		}
	}
	if got, want := ethsig.Keccak().String(), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"; got != want {
		t.Errorf("keccak of nothing %s, want %s", got, want)
	}
	if got, want := ethsig.PersonalHash([]byte("hello")).String(), "0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750"; got != want {
		t.Errorf("personal hash of hello %s, want %s", got, want)
	}
}

func TestRecover(t *testing.T) {
	signer := key(t, "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
	n := crypto.S256().Params().N
	rapid.Check(t, func(t *rapid.T) {
		digest := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
		signature, err := signer.Sign(context.Background(), digest)
		if err != nil {
			t.Fatal(err)
		}
		compact := bytes.Clone(signature[:64]) // EIP-2098
		compact[32] |= (signature[64] - 27) << 7
		for _, form := range [][]byte{signature[:], compact} {
			if from, err := ethsig.Recover(digest, form); err != nil || from != signer.Address() {
				t.Fatalf("recovered %s, %v of %x", from, err, form)
			}
		}
		other := digest
		other[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
		if from, err := ethsig.Recover(other, signature[:]); err == nil && from == signer.Address() {
			t.Fatalf("one signature for two digests: %x and %x", digest, other)
		}
		// The twin (r, n-s) recovers by arithmetic; the chain refuses it.
		twin := bytes.Clone(signature[:])
		new(big.Int).Sub(n, new(big.Int).SetBytes(signature[32:64])).FillBytes(twin[32:64])
		twin[64] = 27 + 28 - signature[64]
		if from, err := crypto.SigToPub(digest[:], append(twin[:64:64], twin[64]-27)); err != nil || pool.Address(crypto.PubkeyToAddress(*from)) != signer.Address() {
			t.Fatalf("the twin is none: %v", err)
		}
		if _, err := ethsig.Recover(digest, twin); err == nil || !strings.Contains(err.Error(), "upper half") {
			t.Fatalf("a high s: %v", err)
		}
	})
	good, err := signer.Sign(context.Background(), [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		signature []byte
		why       string
	}{
		"empty":       {nil, "65 or 64 bytes, this has 0"},
		"66 bytes":    {append(good[:], 0), "65 or 64 bytes, this has 66"},
		"v of 0":      {append(good[:64:64], 0), "ends in 0"},
		"v of 29":     {append(good[:64:64], 29), "ends in 29"},
		"r and s = 0": {append(make([]byte, 64), 27), "not a signature"},
		"r too large": {append(append(bytes.Repeat([]byte{0xff}, 32), good[32:64]...), 27), "not a signature"},
	} {
		if _, err := ethsig.Recover([32]byte{1}, c.signature); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
}
