package auth_test

import (
	"strings"
	"testing"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
)

const goodPassword = "seven owls in a garden"

func TestPassword(t *testing.T) {
	phc, err := auth.HashPassword(goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(phc, "owls") {
		t.Errorf("hash %s", phc)
	}
	for password, want := range map[string]bool{
		goodPassword: true, "": false, "Seven owls in a garden": false, goodPassword + " ": false, goodPassword + "\x00": false,
		strings.Repeat("x", 1<<20): false,
	} {
		if got, err := auth.CheckPassword(phc, password); err != nil || got != want {
			t.Errorf("%.30q: %v, %v", password, got, err)
		}
	}
	if again, _ := auth.HashPassword(goodPassword); again == phc {
		t.Error("two hashes have one salt")
	}
}

// The hash of "password" with salt "somesalt" that the argon2 reference gives
// for these costs: what other programs wrote can be read.
func TestPasswordOfTheReference(t *testing.T) {
	const phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, err := auth.CheckPassword(phc, "password"); err != nil || !ok {
		t.Errorf("got %v, %v", ok, err)
	}
}

func TestPasswordsRefused(t *testing.T) {
	for _, password := range []string{
		"", "elevenchars", strings.Repeat("x", 1025), "aaaaaaaaaaaaaaaa", "changeme12345", "Password-of-mine-99", "123412341234",
	} {
		if _, err := auth.HashPassword(password); pool.KindOf(err) != pool.Invalid {
			t.Errorf("%.20q: %v", password, err)
		}
	}
	for _, password := range []string{"twelve chars", strings.Repeat("seven owls", 102)} {
		if _, err := auth.HashPassword(password); err != nil {
			t.Errorf("%.20q: %v", password, err)
		}
	}
}

func TestDamagedHashes(t *testing.T) {
	const tail = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, phc := range []string{
		"", "plain", "$2a$10$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=256,t=2,p=1" + tail, "$argon2id$v=16$m=256,t=2,p=1" + tail,
		"$argon2id$v=19$m=4194304,t=2,p=1" + tail, "$argon2id$v=19$m=256,t=99,p=1" + tail, "$argon2id$v=19$m=256,t=0,p=1" + tail,
		"$argon2id$v=19$m=256,t=2,p=0" + tail, "$argon2id$v=19$m=256,t=2,p=9" + tail, "$argon2id$v=19$m=256,t=2,p=1,x=1" + tail,
		"$argon2id$v=19$t=2,m=256,p=1" + tail, "$argon2id$v=19$m=256,t=2,p=1$!$!", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$!",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65", "$argon2id$v=19$m=256,t=2,p=1$c29t$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
	} {
		if ok, err := auth.CheckPassword(phc, "password"); err == nil || ok {
			t.Errorf("%s: %v, %v", phc, ok, err)
		}
	}
}

// TestNobodyCostsAsMuch compares the fastest of some runs, which other work on
// the machine disturbs least; without the hashing the two differ a thousandfold.
func TestNobodyCostsAsMuch(t *testing.T) {
	phc, err := auth.HashPassword(goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	real := fastest(func() { _, _ = auth.CheckPassword(phc, "a wrong password") })
	nobody := fastest(func() { auth.CheckNobody("a wrong password") })
	if nobody < real/3 || nobody > real*3 {
		t.Errorf("an unknown login takes %s, a known one %s", nobody, real)
	}
}

func fastest(run func()) time.Duration {
	best := time.Hour
	for range 5 {
		began := time.Now()
		run()
		best = min(best, time.Since(began))
	}
	return best
}
