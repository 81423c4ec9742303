package ethsig_test

import (
	"strings"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func TestOpenWallet(t *testing.T) {
	t.Parallel()
	const raw = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
	plain, err := ethsig.OpenWallet(map[string]string{"key": "0x" + raw})
	if err != nil {
		t.Fatal(err)
	}
	file, err := plain.Seal("secret")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := ethsig.OpenWallet(map[string]string{"keystore": string(file), "password": "secret"})
	if err != nil || sealed.Address() != plain.Address() {
		t.Errorf("%v, %v", sealed, err)
	}
	for _, test := range []struct {
		values map[string]string
		says   string
	}{
		{nil, "neither"},
		{map[string]string{"keystore": "", "key": ""}, "neither"},
		{map[string]string{"keystore": string(file), "key": raw}, "both"},
		{map[string]string{"key": "hello"}, "not hexadecimal"},
		{map[string]string{"keystore": string(file), "password": "wrong"}, "password"},
	} {
		if _, err := ethsig.OpenWallet(test.values); err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), raw) {
			t.Errorf("%v, want %q", err, test.says)
		}
	}
}

func TestWordAndSigned(t *testing.T) {
	t.Parallel()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	wallet, task := pool.Address{1}, pool.Hash{2}
	word, err := ethsig.Word{Signer: key}.Authorise(t.Context(), wallet, task)
	if err != nil {
		t.Fatal(err)
	}
	if by, err := ethsig.Recover(ethsig.AuthorisationHash(wallet, task, pool.Address{}), word[:]); err != nil || by != key.Address() {
		t.Errorf("%v, %v", by, err)
	}
	text := pool.WalletProof("demo", "w", pool.Digest{3})
	signature, err := key.Sign(t.Context(), ethsig.PersonalHash([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	if by, err := ethsig.Signed(text, signature[:]); err != nil || by != key.Address() {
		t.Errorf("%v, %v", by, err)
	}
	if by, err := ethsig.Signed(text+" ", signature[:]); err == nil && by == key.Address() {
		t.Error("another text is signed too")
	}
}
