package onchain

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

func sample() ethsig.WorkerpoolOrder {
	return ethsig.WorkerpoolOrder{
		Workerpool: pool.Address{1, 0xab}, Price: 1_000_000_001, Volume: 12, Tag: pool.Hash{30: 1}, Category: 2, Trust: 3,
		AppRestrict: pool.Address{2}, DatasetRestrict: pool.Address{3}, RequesterRestrict: pool.Address{4}, Salt: pool.Hash{5},
	}
}

// An order comes back from its file, beside the orders of others.
func TestOrdersFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "orders.json")
	if _, found, err := take(file, 31337); err != nil || found {
		t.Fatalf("in a file that is not there: %v, %v", found, err)
	}
	const others = `{"134":{"workerpoolorder":{"salt":"0x1"}},"31337":{"apporder":{"app":"0xAb","appprice":0}}}`
	if err := os.WriteFile(file, []byte(others), 0o600); err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 65)
	signature[64] = 27
	if err := put(file, 31337, toSigned(sample(), signature)); err != nil {
		t.Fatal(err)
	}
	got, found, err := take(file, 31337)
	if err != nil || !found || !reflect.DeepEqual(got, keptOrder{sample(), signature}) {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var before, after map[string]map[string]any
	if json.Unmarshal([]byte(others), &before) != nil || json.Unmarshal(text, &after) != nil {
		t.Fatalf("%s", text)
	}
	delete(after["31337"], ofWorkerpool)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the orders of others: %v, they were %v", after, before)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("beside the file there is %v, %v", left, err)
	}
}

func TestOrdersFileRefused(t *testing.T) {
	good, err := json.Marshal(toSigned(sample(), make([]byte, 65)))
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, fresh string) string {
		changed := strings.Replace(string(good), old, fresh, 1)
		if changed == string(good) {
			t.Fatalf("no %q in %s", old, good)
		}
		return `{"1":{"workerpoolorder":` + changed + `}}`
	}
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":        {"{", "no file of orders"},
		"a bare order":   {string(good), "no file of orders"},
		"a list":         {`{"1":{"workerpoolorder":[]}}`, "workerpoolorder for chain 1"},
		"a short salt":   {change(`"salt":"0x05`, `"salt":"0x`), "salt: 0x and 64"},
		"no pool":        {change(`"workerpool":"0x01`, `"workerpool":"pool.eth`), "workerpool: 0x and 40"},
		"a signed price": {change(`"1000000001"`, `"-1"`), `workerpoolprice: a whole number is wanted, here "-1"`},
		"a large volume": {change(`"12"`, `"9223372036854775808"`), "volume: a whole number"},
		"no signature":   {change(`"sign":"0x00`, `"sign":"0x0`), "sign: "},
	} {
		file := filepath.Join(t.TempDir(), "orders.json")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if order, found, err := take(file, 1); err == nil || found || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, %v, want %q", name, order, found, err, c.want)
		}
	}
}
