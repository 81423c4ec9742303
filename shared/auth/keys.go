package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	minKey      = 32 // bytes: the size of an HMAC-SHA256 (RFC 7518, 3.2)
	minDistinct = 8  // different bytes in a secret that was drawn, not typed
)

// samples are found in secrets that nobody has chosen yet.
var samples = []string{
	"change-me", "changeme", "change_me", "replace-me", "replaceme", "your-secret", "yoursecret",
	"sample", "example", "default", "password", "insecure", "secret", "0123456789", "1234567890", "abcdefgh",
}

// signingKey is one HS256 key with the name that tokens give it.
type signingKey struct {
	id     string
	secret []byte
}

func newKey(secret string) (signingKey, error) {
	if len(secret) < minKey {
		return signingKey{}, fmt.Errorf("it has %d bytes, and %d are needed", len(secret), minKey)
	}
	if err := refuseSample(secret, minDistinct, strings.Contains); err != nil {
		return signingKey{}, err
	}
	name := hmac.New(sha256.New, []byte(secret))
	name.Write([]byte("name of a token key"))
	return signingKey{id: hex.EncodeToString(name.Sum(nil)[:8]), secret: []byte(secret)}, nil
}

// refuseSample refuses what was plainly typed or copied from a manual: what has
// a sample in it, or fewer different characters than least.
func refuseSample(secret string, least int, has func(text, sample string) bool) error {
	lower := strings.ToLower(secret)
	for _, sample := range samples {
		if has(lower, sample) {
			return errors.New("it is a sample value")
		}
	}
	distinct := map[byte]bool{}
	for i := range len(secret) {
		distinct[secret[i]] = true
	}
	if len(distinct) < least {
		return fmt.Errorf("it has only %d different characters", len(distinct))
	}
	return nil
}

// keys are the live ones: current signs, both verify.
type keys struct {
	current  signingKey
	previous signingKey // zero when there is none
}

func newKeys(secrets map[string]string) (keys, error) {
	current, err := newKey(secrets["current"])
	if err != nil {
		return keys{}, fmt.Errorf("the current token secret is refused: %w", err)
	}
	if secrets["previous"] == "" {
		return keys{current: current}, nil
	}
	previous, err := newKey(secrets["previous"])
	if err != nil {
		return keys{}, fmt.Errorf("the previous token secret is refused: %w", err)
	}
	return keys{current: current, previous: previous}, nil
}

func (k keys) find(id string) (signingKey, bool) {
	switch id {
	case "":
		return signingKey{}, false
	case k.current.id:
		return k.current, true
	case k.previous.id:
		return k.previous, true
	}
	return signingKey{}, false
}
