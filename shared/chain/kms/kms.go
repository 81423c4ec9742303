// Package kms is the door to a wallet's key in AWS KMS, which signs and never
// gives the key out. It owns the translation between the service's form of keys
// and signatures and the chain's. It must not decide what is signed.
package kms

import (
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const timeout = 3 * time.Second // of one call with its retries

// Config is what a Signer needs.
type Config struct {
	Key string // its id, ARN or alias ("alias/..."); of the specification ECC_SECG_P256K1, to sign
}

// Signer is the wallet of a key. It implements ethsig.Signer.
type Signer struct {
	client  *kms.Client
	key     string
	address pool.Address
}

// Open asks for the public key; region, credentials and endpoint come from the
// standard AWS variables. The error is pool.Unavailable when the service cannot
// be reached, else it names what is wrong with the key.
func Open(ctx context.Context, c Config) (*Signer, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the key: %w", err)
	}
	client := kms.NewFromConfig(loaded)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(c.Key)})
	if err != nil {
		return nil, failed(fmt.Errorf("getting the public key of %s: %w", c.Key, err))
	}
	if out.KeySpec != types.KeySpecEccSecgP256k1 || out.KeyUsage != types.KeyUsageTypeSignVerify {
		return nil, fmt.Errorf("key %s is of %s to %s, wanted is %s to %s",
			c.Key, out.KeySpec, out.KeyUsage, types.KeySpecEccSecgP256k1, types.KeyUsageTypeSignVerify)
	}
	var info struct { // RFC 5280, SubjectPublicKeyInfo; crypto/x509 does not know the curve
		Algorithm pkix.AlgorithmIdentifier
		Point     asn1.BitString
	}
	if rest, err := asn1.Unmarshal(out.PublicKey, &info); err != nil || len(rest) != 0 {
		return nil, fmt.Errorf("the public key of %s is not in the form of X.509: %v", c.Key, err)
	}
	address, err := ethsig.AddressOf(info.Point.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", c.Key, err)
	}
	return &Signer{client: client, key: c.Key, address: address}, nil
}

// Address implements ethsig.Signer.
func (s *Signer) Address() pool.Address { return s.address }

// Sign implements ethsig.Signer. The error is pool.Unavailable when the service
// cannot be reached or has no time.
func (s *Signer) Sign(ctx context.Context, digest [32]byte) ([65]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := s.client.Sign(ctx, &kms.SignInput{
		KeyId: aws.String(s.key), Message: digest[:], MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256, // names the length; the digest is the chain's
	})
	if err != nil {
		return [65]byte{}, failed(fmt.Errorf("signing by %s: %w", s.key, err))
	}
	var pair struct{ R, S *big.Int } // RFC 3279, Ecdsa-Sig-Value
	if rest, err := asn1.Unmarshal(out.Signature, &pair); err != nil || len(rest) != 0 {
		return [65]byte{}, fmt.Errorf("the signature by %s is not two numbers in DER: %v", s.key, err)
	}
	signature, err := ethsig.Complete(digest, pair.R, pair.S, s.address)
	if err != nil {
		return [65]byte{}, fmt.Errorf("signing by %s: %w", s.key, err)
	}
	return signature, nil
}

// failed tells a service that is away or has no time from one that refuses.
func failed(err error) error {
	var answer *awshttp.ResponseError
	throttle := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
	if errors.As(err, &answer) && answer.HTTPStatusCode() < http.StatusInternalServerError && throttle.IsErrorThrottle(err) != aws.TrueTernary {
		return err
	}
	return pool.Down("the key service", err)
}
