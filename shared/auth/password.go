package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"workerpool/shared/pool"
)

// The cost of a hash: the second recommendation of OWASP, which leaves room in
// a function of 256 MB. A hash carries its own cost, so this may be raised.
const (
	hashMemory  = 19 << 10 // KiB
	hashTime    = 2
	hashThreads = 1
	hashSalt    = 16 // bytes
	hashKey     = 32 // bytes

	minPassword  = 12   // bytes
	maxPassword  = 1024 // bytes
	minDifferent = 5    // characters
)

// costLimit bounds what a stored hash may ask for, lest a damaged row stop the function.
var costLimit = cost{memory: 64 << 10, time: 8, threads: 4}

type cost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

type hash struct {
	cost
	salt, key []byte
}

// nobody is the hash of no password: the last 32 bytes are not the output of
// any, but cost as much to compare with.
var nobody = hash{
	cost: cost{hashMemory, hashTime, hashThreads},
	salt: []byte("0123456789abcdef"), key: make([]byte, hashKey),
}

// HashPassword gives the PHC string of a password with a new salt. Passwords of
// less than 12 or more than 1,024 bytes and sample values are pool.Invalid.
func HashPassword(password string) (string, error) {
	if len(password) < minPassword || len(password) > maxPassword {
		return "", pool.Refuse(pool.Invalid, "password", "a password has %d to %d bytes", minPassword, maxPassword)
	}
	if err := refuseSample(password, minDifferent, strings.HasPrefix); err != nil {
		return "", &pool.Error{Kind: pool.Invalid, Field: "password", Message: "the password is a sample or too simple", Cause: err}
	}
	h := hash{cost: cost{hashMemory, hashTime, hashThreads}, salt: make([]byte, hashSalt)}
	_, _ = rand.Read(h.salt) // never fails: it ends the program instead
	h.key = h.derive(password)
	return h.String(), nil
}

// CheckPassword tells whether the password is the one that was hashed, in a
// time that does not depend on the answer. The error is that of a damaged hash.
func CheckPassword(phc, password string) (bool, error) {
	h, err := parseHash(phc)
	if err != nil {
		return false, fmt.Errorf("reading a password hash: %w", err)
	}
	return h.matches(password), nil
}

// CheckNobody takes as long as CheckPassword, for a login that does not exist:
// the time of the answer must not tell who has an account.
func CheckNobody(password string) { nobody.matches(password) }

func (h hash) matches(password string) bool {
	if len(password) > maxPassword {
		password = "" // never hashed, so it matches nothing, and costs no more
	}
	return subtle.ConstantTimeCompare(h.derive(password), h.key) == 1
}

func (h hash) derive(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, hashKey)
}

func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, h.memory, h.time, h.threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

func parseHash(phc string) (hash, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hash{}, errors.New("it is not an argon2id hash")
	}
	var h hash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return hash{}, fmt.Errorf("reading its cost: %w", err)
	}
	if h.time < 1 || h.threads < 1 || h.memory > costLimit.memory || h.time > costLimit.time || h.threads > costLimit.threads {
		return hash{}, errors.New("its cost is out of bounds")
	}
	var err error
	if h.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil {
		return hash{}, fmt.Errorf("reading its salt: %w", err)
	}
	if h.key, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil {
		return hash{}, fmt.Errorf("reading its key: %w", err)
	}
	if len(h.salt) < 8 || len(h.key) != hashKey || h.String() != phc {
		return hash{}, errors.New("it is not written as it should be")
	}
	return h, nil
}
