package ethsig

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"

	"workerpool/shared/pool"
)

// Signer holds an account's key somewhere and signs with it.
type Signer interface {
	// Sign signs a digest: r, s in the lower half, v 27 or 28.
	Sign(ctx context.Context, digest [32]byte) ([65]byte, error)
	Address() pool.Address
}

// Key is a key in this process's memory. What is printed or logged of it is its
// address.
type Key struct {
	private *ecdsa.PrivateKey
	address pool.Address
}

// NewKey takes the 32 bytes of a private key.
func NewKey(raw []byte) (*Key, error) {
	private, err := crypto.ToECDSA(raw)
	if err != nil {
		return nil, errors.New("not a private key: wanted are 32 bytes, not zero and below the curve's order") // the cause may quote it
	}
	return newKey(private), nil
}

// GenerateKey makes a new account.
func GenerateKey() (*Key, error) {
	private, err := crypto.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	return newKey(private), nil
}

func newKey(private *ecdsa.PrivateKey) *Key {
	return &Key{private: private, address: pool.Address(crypto.PubkeyToAddress(private.PublicKey))}
}

// ErrPassword says that a keystore file does not open with the password.
var ErrPassword = errors.New("the password does not open the keystore")

// OpenKeystore decrypts a keystore file (Web3 Secret Storage, version 3) once: a
// standard one takes a second and a quarter of a gigabyte, which is given back.
// The error is ErrPassword when the password is wrong (or the encrypted key was
// changed: the two look alike), else it says how the file is broken.
func OpenKeystore(file []byte, password string) (*Key, error) {
	defer debug.FreeOSMemory()
	key, err := decrypt(file, password)
	if errors.Is(err, keystore.ErrDecrypt) {
		return nil, ErrPassword
	}
	if err != nil {
		return nil, fmt.Errorf("the keystore is broken: %w", err)
	}
	var says struct{ Address string }
	if err := json.Unmarshal(file, &says); err != nil {
		return nil, fmt.Errorf("the keystore is broken: %w", err)
	}
	opened := newKey(key.PrivateKey)
	if claimed := strings.TrimPrefix(strings.ToLower(says.Address), "0x"); claimed != "" && "0x"+claimed != opened.address.String() {
		return nil, fmt.Errorf("the keystore is broken: it is named for 0x%s and holds the key of %s", claimed, opened.address)
	}
	return opened, nil
}

// decrypt takes care that a malformed file is an error: the library asserts the
// types and lengths of what it finds.
func decrypt(file []byte, password string) (key *keystore.Key, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%v", broken)
		}
	}()
	return keystore.DecryptKey(file, password)
}

// Seal encrypts the key as a keystore file by geth's light parameters, which open
// in a tenth of a second and 11 megabytes; so the password must be a long one.
func (k *Key) Seal(password string) ([]byte, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("naming a keystore: %w", err)
	}
	sealed, err := keystore.EncryptKey(&keystore.Key{Id: id, Address: crypto.PubkeyToAddress(k.private.PublicKey), PrivateKey: k.private},
		password, keystore.LightScryptN, keystore.LightScryptP)
	if err != nil {
		return nil, fmt.Errorf("encrypting a keystore: %w", err)
	}
	return sealed, nil
}

// Light encrypts a keystore file again as Seal does, under the same password.
func Light(file []byte, password string) ([]byte, error) {
	key, err := OpenKeystore(file, password)
	if err != nil {
		return nil, err
	}
	return key.Seal(password)
}

// Sign implements Signer.
func (k *Key) Sign(_ context.Context, digest [32]byte) ([65]byte, error) {
	signature, err := crypto.Sign(digest[:], k.private)
	if err != nil {
		return [65]byte{}, fmt.Errorf("signing: %w", err)
	}
	signature[64] += 27
	return [65]byte(signature), nil
}

// Address implements Signer.
func (k *Key) Address() pool.Address { return k.address }

// String implements fmt.Stringer.
func (k *Key) String() string { return "the key of " + k.address.String() }

// GoString implements fmt.GoStringer.
func (k *Key) GoString() string { return k.String() }

// MarshalText implements encoding.TextMarshaler, which logs and JSON use.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
