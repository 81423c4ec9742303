package ethsig

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"workerpool/shared/pool"
)

// OpenWallet makes a key of a secret's values: a V3 keystore under "keystore" with
// its "password", or a raw "key" of 64 hexadecimal characters for networks of play
// money.
func OpenWallet(values map[string]string) (*Key, error) {
	file, raw := values["keystore"], values["key"]
	switch {
	case file != "" && raw != "":
		return nil, errors.New(`the wallet's secret has both "keystore" and "key": keep one`)
	case file != "":
		return OpenKeystore([]byte(file), values["password"])
	case raw != "":
		bytes, err := hex.DecodeString(strings.TrimPrefix(raw, "0x"))
		if err != nil {
			return nil, errors.New(`the wallet's secret has a "key" that is not hexadecimal`)
		}
		return NewKey(bytes)
	}
	return nil, errors.New(`the wallet's secret has neither "keystore" (with "password") nor "key"`)
}

// Word gives a pool's word with its key.
type Word struct{ Signer Signer }

// Authorise signs that a wallet may contribute to a task, outside of any enclave.
func (w Word) Authorise(ctx context.Context, wallet pool.Address, task pool.Hash) ([65]byte, error) {
	signature, err := w.Signer.Sign(ctx, AuthorisationHash(wallet, task, pool.Address{}))
	if err != nil {
		return signature, fmt.Errorf("authorising %s: %w", wallet, err)
	}
	return signature, nil
}

// Signed gives the account that signed a text by personal_sign.
func Signed(text string, signature []byte) (pool.Address, error) {
	return Recover(PersonalHash([]byte(text)), signature)
}
