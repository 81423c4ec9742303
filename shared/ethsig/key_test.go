package ethsig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"workerpool/shared/ethsig"
)

const (
	// quick opens at once without a password; its key is another's published one.
	quick = `{"address":"45dea0fb0bba44f4fcf290bba71fd57d7117cbb8","crypto":{"cipher":"aes-128-ctr","ciphertext":"b87781948a1befd247bff51ef4063f716cf6c2d3481163e9a8f42e1f9bb74145","cipherparams":{"iv":"dc4926b48a105133d2f16b96833abf1e"},"kdf":"scrypt","kdfparams":{"dklen":32,"n":2,"p":1,"r":8,"salt":"004244bbdc51cadda545b1cfa43cff9ed2ae88e08c61f1479dbb45410722f8f0"},"mac":"39990c1684557447940d4c69e06b1b82b2aceacb43f284df65c956daf3046b85"},"id":"ce541d8d-c79b-40f8-9f8c-20f59616faba","version":3}`

	// Of the definition of Web3 Secret Storage.
	scrypt  = `{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},"ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt","kdfparams":{"dklen":32,"n":262144,"r":1,"p":8,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},"mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}`
	pbkdf2  = `{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}`
	private = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
)

func TestKeystore(t *testing.T) {
	const named = "0x45dea0fb0bba44f4fcf290bba71fd57d7117cbb8"
	defined := key(t, private).Address().String()
	for name, c := range map[string]struct{ file, password, want string }{
		"scrypt":              {scrypt, "testpassword", defined},
		"pbkdf2":              {pbkdf2, "testpassword", defined},
		"light":               {seal(t, pbkdf2, "testpassword"), "testpassword", defined},
		"light, of light":     {seal(t, seal(t, quick, ""), ""), "", named},
		"Crypto with a big C": {strings.Replace(quick, `"crypto"`, `"Crypto"`, 1), "", named},
		"address with 0x":     {strings.Replace(quick, `"45dea0`, `"0x45dea0`, 1), "", named},
		"address in big hex":  {strings.Replace(quick, `45dea0fb0bba44f4f`, `45DEA0FB0BBA44F4F`, 1), "", named},
		"no address":          {strings.Replace(quick, `"address"`, `"other"`, 1), "", named},
		"what others add too": {strings.Replace(quick, `{"address"`, `{"x-ethers":{"client":"ethers.js"},"address"`, 1), "", named},
	} {
		opened, err := ethsig.OpenKeystore([]byte(c.file), c.password)
		if err != nil || opened.Address().String() != c.want {
			t.Errorf("%s: %v, %v; want %s", name, opened, err, c.want)
		}
	}
}

func seal(t *testing.T, file, password string) string {
	t.Helper()
	out, err := ethsig.Light([]byte(file), password)
	if err != nil {
		t.Fatal(err)
	}
	var sealed struct {
		Version int
		Crypto  struct{ KDFParams struct{ N, R, P int } }
	}
	if err := json.Unmarshal(out, &sealed); err != nil {
		t.Fatal(err)
	}
	if p := sealed.Crypto.KDFParams; sealed.Version != 3 || p.N != 4096 || p.R != 8 || p.P != 6 {
		t.Errorf("sealed with version %d and %+v", sealed.Version, p)
	}
	return string(out)
}

// TestKeystoreRefused tells a wrong password from a file that no password opens.
func TestKeystoreRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, password, why string }{
		"wrong password":     {quick, "bar", "the password does not open the keystore"},
		"changed ciphertext": {strings.Replace(quick, "b877", "b878", 1), "", "the password does not open the keystore"},
		"empty":              {"", "", "broken"},
		"cut":                {quick[:200], "", "broken"},
		"an array":           {"[]", "", "broken"},
		"no crypto":          {`{"id":"ce541d8d-c79b-40f8-9f8c-20f59616faba","version":3}`, "", "broken: cipher not supported"},
		"version 4":          {strings.Replace(quick, `"version":3`, `"version":4`, 1), "", "broken: version not supported"},
		"another cipher":     {strings.Replace(quick, "aes-128-ctr", "aes-256-gcm", 1), "", "broken: cipher not supported"},
		"no kdf parameters":  {strings.Replace(quick, `"kdfparams"`, `"other"`, 1), "", "broken"},
		"n is a text":        {strings.Replace(quick, `"n":2`, `"n":"2"`, 1), "", "broken"},
		"a short key":        {strings.Replace(quick, `"dklen":32`, `"dklen":-8`, 1), "", "broken"},
		"another's name":     {strings.Replace(quick, "45dea0fb", "55dea0fb", 1), "", "named for 0x55dea0fb"},
	} {
		opened, err := ethsig.OpenKeystore([]byte(c.file), c.password)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, %v; want %q", name, opened, err, c.why)
		}
		if wrong := strings.Contains(c.why, "password"); errors.Is(err, ethsig.ErrPassword) != wrong {
			t.Errorf("%s: is ErrPassword %v, want %v", name, !wrong, wrong)
		}
		if _, err := ethsig.Light([]byte(c.file), c.password); err == nil {
			t.Errorf("%s: sealed anew", name)
		}
	}
}

// TestKeystoreMangled changes a good file anywhere: never a panic, never another key.
func TestKeystoreMangled(t *testing.T) {
	want, err := ethsig.OpenKeystore([]byte(quick), "")
	if err != nil {
		t.Fatal(err)
	}
	// The address stays: what is encrypted is not under the MAC in whole, the name tells.
	// The parameters of scrypt stay: a file may ask for more work than there is memory.
	first := strings.Index(quick, `"crypto"`)
	from := strings.Index(quick, `"kdfparams"`)
	until := from + strings.Index(quick[from:], `"salt"`)
	rapid.Check(t, func(t *rapid.T) {
		file := []byte(quick)
		for range rapid.IntRange(1, 3).Draw(t, "changes") {
			if at := rapid.IntRange(first, len(file)-1).Draw(t, "at"); at < from || at >= until {
				file[at] = rapid.SampledFrom([]byte(`0123456789abcdef{}[]",:xn`)).Draw(t, "byte")
			}
		}
		if opened, err := ethsig.OpenKeystore(file, ""); err == nil && opened.Address() != want.Address() {
			t.Fatalf("%s opens as %v", file, opened)
		}
	})
}

func TestKey(t *testing.T) {
	for name, raw := range map[string][]byte{"empty": nil, "31 bytes": make([]byte, 31), "zero": make([]byte, 32), "the order and more": []byte(strings.Repeat("\xff", 32))} {
		if k, err := ethsig.NewKey(raw); err == nil {
			t.Errorf("%s: %v", name, k)
		}
	}
	k, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := k.Sign(context.Background(), [32]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	if from, err := ethsig.Recover([32]byte{7}, signature[:]); err != nil || from != k.Address() {
		t.Errorf("a new key: recovered %s, %v", from, err)
	}
}

// TestKeyIsNotShown prints and logs a key in all ways.
func TestKeyIsNotShown(t *testing.T) {
	k := key(t, private)
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("opened", "key", k)
	shown, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	all := logged.String() + string(shown) + fmt.Sprintf("%v %+v %#v %s %x %q", k, k, k, k, k, k)
	decimal := new(big.Int).SetBytes(raw(t, private)).String()
	if strings.Contains(strings.ToLower(all), private[:16]) || strings.Contains(all, decimal[:16]) {
		t.Errorf("the key is shown: %s", all)
	}
	if !strings.Contains(all, k.Address().String()) {
		t.Errorf("the address is not shown: %s", all)
	}
}
