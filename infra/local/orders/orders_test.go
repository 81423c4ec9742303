package orders

import (
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

var bigs = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

var workerpoolOrder = ethsig.WorkerpoolOrder{
	Workerpool: pool.Address{0xAB, 19: 1}, Price: 1_000_000_007, Volume: 3, Tag: pool.Hash{31: 1}, Category: 4, Trust: 5,
	AppRestrict: pool.Address{2}, DatasetRestrict: pool.Address{3}, RequesterRestrict: pool.Address{4}, Salt: pool.Hash{5},
}

// TestFile holds a file to the words of iExec's client
// (signedWorkerpoolorderSchema in common/utils/validator.js of npm iexec 8.24.0).
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "order.json")
	order := OfWorkerpool(workerpoolOrder, [65]byte{7, 64: 28})
	if err := Write(file, 31337, Workerpool, order); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	zeros := func(n int) string { return strings.Repeat("0", n) }
	want := map[string]map[string]map[string]any{"31337": {"workerpoolorder": {
		"workerpool": "0xab" + zeros(36) + "01", "workerpoolprice": "1000000007", "volume": "3", "tag": "0x" + zeros(62) + "01", "category": "4", "trust": "5",
		"apprestrict": "0x02" + zeros(38), "datasetrestrict": "0x03" + zeros(38), "requesterrestrict": "0x04" + zeros(38),
		"salt": "0x05" + zeros(62), "sign": "0x07" + zeros(126) + "1c",
	}}}
	lower := got["31337"]["workerpoolorder"]
	for name, value := range lower {
		lower[name] = strings.ToLower(value.(string)) // addresses have a checksum in their case
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}

	var back poco.IexecLibOrdersV5WorkerpoolOrder
	if err := Read(file, 31337, Workerpool, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order, back, bigs); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		file  string
		chain uint64
		kind  string
	}{{file + "x", 31337, Workerpool}, {file, 1, Workerpool}, {file, 31337, App}} {
		if err := Read(c.file, c.chain, c.kind, &back); !errors.Is(err, ErrNone) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestDamagedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "order.json")
	order := OfWorkerpool(workerpoolOrder, [65]byte{})
	if err := Write(file, 1, Workerpool, order); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{`"1000000007"`, `"-1"`, "workerpoolprice"}, {`"1000000007"`, `"1.5"`, "workerpoolprice"},
		{`"salt": "0x05`, `"salt": "0x`, "salt"}, {`"sign": "0x00`, `"sign": "0xzz`, "sign"}, {"{", "[", "order.json"},
	} {
		if err := os.WriteFile(file, []byte(strings.Replace(string(good), c[0], c[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		var back poco.IexecLibOrdersV5WorkerpoolOrder
		if err := Read(file, 1, Workerpool, &back); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s in the place of %s: %v", c[1], c[0], err)
		}
	}
}
