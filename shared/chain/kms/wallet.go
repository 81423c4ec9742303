package kms

import (
	"context"

	"workerpool/shared/ethsig"
)

// Secrets gives a secret's values by its id.
type Secrets interface {
	Get(ctx context.Context, id string) (map[string]string, error)
}

// Wallet opens the pool's wallet: the KMS key of an ARN, or, without one, what the
// secret of that id holds (see ethsig.OpenWallet). The secret is not asked for
// when there is a key.
func Wallet(ctx context.Context, key string, secrets Secrets, id string) (ethsig.Signer, error) {
	if key != "" {
		return Open(ctx, Config{Key: key})
	}
	values, err := secrets.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return ethsig.OpenWallet(values)
}
