// Package auth owns who somebody is: bearer tokens (JWT, HS256 only), which of them
// are revoked, and the hashes of passwords. It must not decide what a caller may do, and must not
// keep accounts.
package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"workerpool/shared/pool"
)

const (
	// Lifetime is how long a token is good.
	Lifetime = time.Hour
	// leeway is how far the clocks of two functions may be apart.
	leeway   = 10 * time.Second
	maxToken = 4 << 10 // bytes
	maxLogin = 254     // bytes
	// chainOff ends the audience of a pool without a chain: its tokens are good
	// for no pool of the same name on one.
	chainOff = "/off"
)

// Secrets gives the token secrets by the names "current" and "previous".
type Secrets interface {
	Get(ctx context.Context, id string) (map[string]string, error)
	Refresh(ctx context.Context, id string) (map[string]string, error)
}

// Config is what Tokens need.
type Config struct {
	Issuer   string // claim iss
	Pool     string // its name
	Secrets  Secrets
	SecretID string // where Secrets has them
	Now      func() time.Time
}

// Tokens issues tokens and verifies them.
type Tokens struct {
	config   Config
	audience string
	parser   *jwt.Parser
}

// claims is what a token says.
type claims struct {
	jwt.RegisteredClaims
	Role   pool.Role     `json:"role"`
	Login  string        `json:"login"`
	Worker pool.WorkerID `json:"worker,omitempty"`
	// Generation is the account's when the token was made; a token made before there
	// were any has none, and is of the first.
	Generation int `json:"gen"`
}

// NewTokens makes Tokens. It fails when a secret is missing, too short or a
// sample: such a deployment must not start.
func NewTokens(ctx context.Context, c Config) (*Tokens, error) {
	if c.Issuer == "" || c.Pool == "" {
		return nil, errors.New("making tokens: issuer and pool are needed")
	}
	t := &Tokens{config: c, audience: c.Pool + chainOff, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(c.Issuer),
		jwt.WithAudience(c.Pool+chainOff),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(c.Now),
		jwt.WithStrictDecoding(),
	)}
	if _, err := t.live(ctx, c.Secrets.Get); err != nil {
		return nil, fmt.Errorf("making tokens: %w", err)
	}
	return t, nil
}

// Issue makes a token for the caller, good for Lifetime from now. The error is
// pool.Unavailable when the secrets cannot be had.
func (t *Tokens) Issue(ctx context.Context, caller pool.Caller) (string, error) {
	live, err := t.live(ctx, t.config.Secrets.Get)
	if err != nil {
		return "", fmt.Errorf("issuing a token: %w", err)
	}
	now := t.config.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: t.config.Issuer, Audience: jwt.ClaimStrings{t.audience},
			Subject:  strconv.FormatInt(int64(caller.Account), 10),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(Lifetime)), ID: rand.Text(),
		},
		Role: caller.Role, Login: caller.Login, Worker: caller.Worker, Generation: caller.Generation,
	})
	token.Header["kid"] = live.current.id
	text, err := token.SignedString(live.current.secret)
	if err != nil {
		return "", fmt.Errorf("issuing a token: %w", err)
	}
	return text, nil
}

// Verify gives the caller a token was issued for. The error is
// pool.Unauthenticated for any token that is not good now, without saying to
// the caller why, and pool.Unavailable when the secrets cannot be had.
func (t *Tokens) Verify(ctx context.Context, token string) (pool.Caller, error) {
	if len(token) > maxToken {
		return pool.Caller{}, refuseToken(errors.New("it is too long"))
	}
	var said claims
	_, err := t.parser.ParseWithClaims(token, &said, func(token *jwt.Token) (any, error) {
		return t.keyOf(ctx, token)
	})
	if pool.KindOf(err) == pool.Unavailable {
		return pool.Caller{}, fmt.Errorf("verifying a token: %w", err)
	}
	if err != nil {
		return pool.Caller{}, refuseToken(err)
	}
	caller, err := t.callerOf(said)
	if err != nil {
		return pool.Caller{}, refuseToken(err)
	}
	return caller, nil
}

// keyOf finds the key that a token's header names. Whatever else the header
// offers (jku, x5u, jwk) is not looked at. An unknown name may belong to a
// secret newer than the ones at hand, so those are asked for once more.
func (t *Tokens) keyOf(ctx context.Context, token *jwt.Token) ([]byte, error) {
	if _, ok := token.Header["crit"]; ok {
		return nil, errors.New("its header demands extensions")
	}
	id, _ := token.Header["kid"].(string)
	for _, ask := range []func(context.Context, string) (map[string]string, error){t.config.Secrets.Get, t.config.Secrets.Refresh} {
		live, err := t.live(ctx, ask)
		if err != nil {
			return nil, err
		}
		if key, ok := live.find(id); ok {
			return key.secret, nil
		}
	}
	return nil, errors.New("its key is not known")
}

func (t *Tokens) live(ctx context.Context, ask func(context.Context, string) (map[string]string, error)) (keys, error) {
	secrets, err := ask(ctx, t.config.SecretID)
	if err != nil {
		return keys{}, fmt.Errorf("getting the token secrets: %w", err)
	}
	live, err := newKeys(secrets)
	if err != nil {
		return keys{}, pool.Down("the token check", err)
	}
	return live, nil
}

// callerOf checks what the library does not know of.
func (t *Tokens) callerOf(said claims) (pool.Caller, error) {
	account, err := strconv.ParseInt(said.Subject, 10, 64)
	if err != nil || account <= 0 || said.Subject != strconv.FormatInt(account, 10) {
		return pool.Caller{}, errors.New("its subject is no account id")
	}
	if said.IssuedAt == nil || said.ID == "" {
		return pool.Caller{}, errors.New("it lacks iat or jti")
	}
	if said.ExpiresAt.Sub(said.IssuedAt.Time) > Lifetime {
		return pool.Caller{}, errors.New("it lives too long")
	}
	if !slices.Contains(pool.Roles, said.Role) {
		return pool.Caller{}, errors.New("its role is not known")
	}
	if said.Login == "" || len(said.Login) > maxLogin {
		return pool.Caller{}, errors.New("its login is missing or too long")
	}
	if said.Worker < 0 || (said.Worker > 0 && said.Role != pool.RoleWorker) {
		return pool.Caller{}, errors.New("its worker is not one of a worker account")
	}
	if said.Generation < 0 {
		return pool.Caller{}, errors.New("its generation is below the first")
	}
	return pool.Caller{Account: pool.AccountID(account), Role: said.Role, Login: said.Login, Worker: said.Worker, Generation: said.Generation}, nil
}

func refuseToken(why error) error {
	return &pool.Error{
		Kind: pool.Unauthenticated, Message: "the token is not good, or no longer",
		Cause: fmt.Errorf("verifying a token: %w", why),
	}
}
