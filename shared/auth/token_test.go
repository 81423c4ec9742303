package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
)

const (
	keyA = "kG7u!x2Qm9Zr4Tw8Lp1Vb6Nc3Yd5Hs0Ej"
	keyB = "Rw3+Jf8Kc1Xn6Bq9Mz4Uh7Pt2Ga5Dv0Sy"
	keyC = "Fp5-Ve2Lk9Ho4Iu7Cx1Wn8Ty3Rb6Mq0Za"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// vault is a set of secrets in which the cached value may be behind.
type vault struct {
	cached, fresh map[string]string
	err           error
	refreshed     int
}

func (v *vault) Get(context.Context, string) (map[string]string, error) { return v.cached, v.err }

func (v *vault) Refresh(context.Context, string) (map[string]string, error) {
	v.refreshed++
	if v.fresh != nil {
		v.cached = v.fresh
	}
	return v.cached, v.err
}

func with(current, previous string) *vault {
	return &vault{cached: map[string]string{"current": current, "previous": previous}}
}

func tokens(t *testing.T, v *vault, now *time.Time) *auth.Tokens {
	t.Helper()
	made, err := auth.NewTokens(context.Background(), auth.Config{
		Issuer: "pool.test", Pool: "demo", Secrets: v, SecretID: "token", Now: func() time.Time { return *now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

var alice = pool.Caller{Account: 12, Role: pool.RoleWorker, Login: "alice", Worker: 7, Generation: 3}

func issue(t *testing.T, made *auth.Tokens) string {
	t.Helper()
	token, err := made.Issue(context.Background(), alice)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestIssuedTokenIsVerified(t *testing.T) {
	now := start
	made := tokens(t, with(keyA, ""), &now)
	token := issue(t, made)
	if got, err := made.Verify(context.Background(), token); err != nil || got != alice {
		t.Errorf("got %+v, %v", got, err)
	}
	header, said := open(t, token)
	if header["alg"] != "HS256" || header["kid"] == "" || strings.Contains(header["kid"].(string), keyA[:4]) {
		t.Errorf("header %v", header)
	}
	for name, want := range map[string]any{
		"iss": "pool.test", "sub": "12", "role": "worker", "login": "alice", "worker": 7.0, "gen": 3.0,
		"iat": float64(start.Unix()), "nbf": float64(start.Unix()), "exp": float64(start.Add(time.Hour).Unix()),
	} {
		if said[name] != want {
			t.Errorf("claim %s is %v, want %v", name, said[name], want)
		}
	}
	if aud, _ := said["aud"].([]any); len(aud) != 1 || aud[0] != "demo/off" {
		t.Errorf("claim aud is %v", said["aud"])
	}
	if _, other := open(t, issue(t, made)); other["jti"] == said["jti"] {
		t.Error("two tokens have one jti")
	}
}

func TestTokenIsGoodForItsTimeOnly(t *testing.T) {
	now := start
	made := tokens(t, with(keyA, ""), &now)
	token := issue(t, made)
	for _, test := range []struct {
		after time.Duration
		good  bool
	}{
		{-11 * time.Second, false}, {-9 * time.Second, true}, {0, true},
		{time.Hour + 9*time.Second, true}, {time.Hour + 11*time.Second, false},
	} {
		now = start.Add(test.after)
		if _, err := made.Verify(context.Background(), token); (err == nil) != test.good {
			t.Errorf("%s after: %v", test.after, err)
		}
	}
}

func TestRotation(t *testing.T) {
	now, ctx := start, context.Background()
	old := issue(t, tokens(t, with(keyA, ""), &now))
	turned := with(keyB, keyA)
	made := tokens(t, turned, &now)
	if _, err := made.Verify(ctx, old); err != nil {
		t.Errorf("a token of the previous secret: %v", err)
	}
	fresh := issue(t, made)

	behind := with(keyA, "")
	behind.fresh = turned.cached
	if _, err := tokens(t, behind, &now).Verify(ctx, fresh); err != nil || behind.refreshed != 1 {
		t.Errorf("a token newer than the cached secret: %v after %d refreshes", err, behind.refreshed)
	}
	if _, err := tokens(t, with(keyC, keyB), &now).Verify(ctx, old); pool.KindOf(err) != pool.Unauthenticated {
		t.Errorf("a token of a withdrawn secret: %v", err)
	}
}

func TestSecretsOutOfReach(t *testing.T) {
	now, ctx := start, context.Background()
	v := with(keyA, "")
	made := tokens(t, v, &now)
	token := issue(t, made)
	v.err = pool.Down("the secrets", errors.New("timeout"))
	if _, err := made.Verify(ctx, token); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("verify: %v", err)
	}
	if _, err := made.Issue(ctx, alice); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("issue: %v", err)
	}
	v.err, v.cached = nil, map[string]string{"current": "short"}
	if _, err := made.Verify(ctx, token); pool.KindOf(err) != pool.Unavailable {
		t.Errorf("verify with a spoiled secret: %v", err)
	}
}

func TestBadSecretsStopTheStart(t *testing.T) {
	bad := map[string][2]string{
		"missing":         {"", ""},
		"31 bytes":        {keyA[:31], ""},
		"one character":   {strings.Repeat("a", 64), ""},
		"few characters":  {strings.Repeat("abcdefg", 9), ""},
		"sample":          {"Change-Me" + keyA, ""},
		"sample inside":   {"my-secret-of-this-pool-1-3-5-7-9-xyz", ""},
		"digits":          {"0123456789abcdefghijklmnopqrstuvwxyz", ""},
		"previous short":  {keyA, "short"},
		"previous sample": {keyA, "changeme" + keyB},
	}
	for name, secrets := range bad {
		_, err := auth.NewTokens(context.Background(), auth.Config{
			Issuer: "i", Pool: "a", Secrets: with(secrets[0], secrets[1]), Now: time.Now,
		})
		if err == nil || strings.Contains(err.Error(), keyA) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []auth.Config{{Issuer: "", Pool: "a"}, {Issuer: "i", Pool: ""}} {
		c.Secrets, c.Now = with(keyA, ""), time.Now
		if _, err := auth.NewTokens(context.Background(), c); err == nil {
			t.Errorf("made with %q, %q", c.Issuer, c.Pool)
		}
	}
}

// TestForgeries follows RFC 8725: each token differs from a good one in one
// thing, and none is taken.
func TestForgeries(t *testing.T) {
	now, ctx := start, context.Background()
	made := tokens(t, with(keyA, keyB), &now)
	good := issue(t, made)
	header, said := open(t, good)
	if _, err := made.Verify(ctx, seal(t, header, said, keyA)); err != nil {
		t.Fatalf("the forger's tools do not work: %v", err)
	}
	parts := strings.Split(good, ".")
	forged := map[string]string{
		"empty":                "",
		"no token":             "Bearer",
		"two parts":            parts[0] + "." + parts[1],
		"four parts":           good + ".x",
		"no signature":         parts[0] + "." + parts[1] + ".",
		"padded":               good + "=",
		"other secret":         seal(t, header, said, keyC),
		"previous, other name": seal(t, header, said, keyB),
		"longer than 4 KiB":    seal(t, header, change(said, "jti", strings.Repeat("a", 4<<10)), keyA),
		"unsigned":             unsigned(t, change(header, "alg", "none"), said),
		"none, upper case":     unsigned(t, change(header, "alg", "NONE"), said),
		"none with signature":  seal(t, change(header, "alg", "none"), said, keyA),
		"mixed case":           seal(t, change(header, "alg", "Hs256"), said, keyA),
		"lower case":           seal(t, change(header, "alg", "hs256"), said, keyA),
		"HS512":                sealWith(t, jwt.SigningMethodHS512, []byte(keyA), header, said),
		"HS384":                sealWith(t, jwt.SigningMethodHS384, []byte(keyA), header, said),
		"RS256":                sealWith(t, jwt.SigningMethodRS256, rsaKey(t), header, said),
		"PS256":                sealWith(t, jwt.SigningMethodPS256, rsaKey(t), header, said),
		"RS256 by name only":   seal(t, change(header, "alg", "RS256"), said, keyA),
		"no alg":               seal(t, change(header, "alg", nil), said, keyA),
		"alg is a list":        seal(t, change(header, "alg", []string{"HS256"}), said, keyA),
		"no kid":               seal(t, change(header, "kid", nil), said, keyA),
		"empty kid":            seal(t, change(header, "kid", ""), said, keyA),
		"unknown kid":          seal(t, change(header, "kid", "../../dev/null"), said, keyA),
		"kid is a number":      seal(t, change(header, "kid", 0), said, keyA),
		"crit":                 seal(t, change(header, "crit", []string{"exp"}), said, keyA),
		"jku of the forger":    seal(t, change(header, "jku", "http://127.0.0.1:1/keys"), said, keyC),
		"x5u of the forger":    seal(t, change(header, "x5u", "http://127.0.0.1:1/keys"), said, keyC),
		"key in the header": seal(t, change(header, "jwk", map[string]string{
			"kty": "oct", "k": base64.RawURLEncoding.EncodeToString([]byte(keyC)),
		}), said, keyC),
		"other issuer":        seal(t, header, change(said, "iss", "other.test"), keyA),
		"other audience":      seal(t, header, change(said, "aud", "demo/1"), keyA),
		"audience of another": seal(t, header, change(said, "aud", []string{"other/off"}), keyA),
		"lives two hours":     seal(t, header, change(said, "exp", start.Add(2*time.Hour).Unix()), keyA),
		"expired":             seal(t, header, change(said, "exp", start.Add(-time.Minute).Unix()), keyA),
		"not yet valid":       seal(t, header, change(said, "nbf", start.Add(time.Minute).Unix()), keyA),
		"issued tomorrow":     seal(t, header, change(said, "iat", start.Add(time.Minute).Unix()), keyA),
		"exp is a text":       seal(t, header, change(said, "exp", "never"), keyA),
		"account 0":           seal(t, header, change(said, "sub", "0"), keyA),
		"account -1":          seal(t, header, change(said, "sub", "-1"), keyA),
		"account 012":         seal(t, header, change(said, "sub", "012"), keyA),
		"account is a name":   seal(t, header, change(said, "sub", "alice"), keyA),
		"unknown role":        seal(t, header, change(said, "role", "root"), keyA),
		"role in other case":  seal(t, header, change(said, "role", "Operator"), keyA),
		"generation -1":       seal(t, header, change(said, "gen", -1), keyA),
		"generation as text":  seal(t, header, change(said, "gen", "3"), keyA),
		"worker -1":           seal(t, header, change(said, "worker", -1), keyA),
		"worker of operator":  seal(t, header, change(said, "role", "operator"), keyA),
		"endless login":       seal(t, header, change(said, "login", strings.Repeat("a", 255)), keyA),
	}
	for _, name := range []string{"iss", "aud", "sub", "role", "login", "iat", "nbf", "exp", "jti"} {
		forged["without "+name] = seal(t, header, change(said, name, nil), keyA)
	}
	body := []byte(parts[1])
	body[3] ^= 1
	forged["changed claims"] = parts[0] + "." + string(body) + "." + parts[2]

	for name, token := range forged {
		caller, err := made.Verify(ctx, token)
		if pool.KindOf(err) != pool.Unauthenticated || caller != (pool.Caller{}) {
			t.Errorf("%s: got %+v, %v", name, caller, err)
		}
		var told *pool.Error
		if errors.As(err, &told) && told.Message != "the token is not good, or no longer" {
			t.Errorf("%s: the answer explains: %s", name, told.Message)
		}
	}
}

func open(t *testing.T, token string) (header, said map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	for i, into := range []*map[string]any{&header, &said} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, said
}

func change(of map[string]any, name string, value any) map[string]any {
	out := maps.Clone(of)
	out[name] = value
	if value == nil {
		delete(out, name)
	}
	return out
}

func unsigned(t *testing.T, header, said map[string]any) string {
	t.Helper()
	var parts []string
	for _, part := range []any{header, said} {
		text, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	return strings.Join(parts, ".") + "."
}

func seal(t *testing.T, header, said map[string]any, key string) string {
	t.Helper()
	text := unsigned(t, header, said)
	sum := hmac.New(sha256.New, []byte(key))
	sum.Write([]byte(strings.TrimSuffix(text, ".")))
	return text + base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

func sealWith(t *testing.T, method jwt.SigningMethod, key any, header, said map[string]any) string {
	t.Helper()
	text := unsigned(t, change(header, "alg", method.Alg()), said)
	signature, err := method.Sign(strings.TrimSuffix(text, "."), key)
	if err != nil {
		t.Fatal(err)
	}
	return text + base64.RawURLEncoding.EncodeToString(signature)
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
