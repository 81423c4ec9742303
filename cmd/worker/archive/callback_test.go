package archive

import (
	"encoding/hex"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// TestCallbackDigest: the digest of one number, as every contract has it.
func TestCallbackDigest(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	lay(t, out, []file{{"computed.json", `{"callback-data":"0x` + strings.Repeat("0", 63) + `1"}`, 0o644}})
	digest, _, err := Digest(out, true)
	if want := "b10e2d527612073b26eecdfd717e6a320cf44b4afac2b0732d9fcbe2b7fa0cf6"; err != nil || digest.String() != want {
		t.Errorf("%s, %v; want %s", digest, err, want)
	}
}

// TestCallback reads what a program wants its result called back with.
func TestCallback(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("7f", pool.MaxCallback)
	for name, c := range map[string]struct{ computed, want, fault string }{
		"bytes":          {computed: `{"callback-data":"0x00aBff"}`, want: "00abff"},
		"beside a path":  {computed: `{"deterministic-output-path":"/none","callback-data":"0x01"}`, want: "01"},
		"most":           {computed: `{"callback-data":"0x` + most + `"}`, want: most},
		"too many":       {computed: `{"callback-data":"0x` + most + `00"}`, fault: "has 4097 bytes, a result is called back with 4096 at most"},
		"none":           {computed: `{"deterministic-output-path":"/iexec_out/x"}`, fault: `there is no "callback-data" in a computed.json`},
		"null":           {computed: `{"callback-data":null}`, fault: `there is no "callback-data"`},
		"no file":        {fault: `there is no "callback-data"`},
		"empty":          {computed: `{"callback-data":"0x"}`, fault: "is empty"},
		"nothing":        {computed: `{"callback-data":""}`, fault: "is not 0x and hexadecimal digits"},
		"no prefix":      {computed: `{"callback-data":"00ab"}`, fault: "is not 0x and hexadecimal digits"},
		"half a byte":    {computed: `{"callback-data":"0x0"}`, fault: "is not 0x and hexadecimal digits"},
		"no digits":      {computed: `{"callback-data":"0xzz"}`, fault: "is not 0x and hexadecimal digits"},
		"a number":       {computed: `{"callback-data":12}`, fault: "reading computed.json"},
		"no JSON":        {computed: `0x00`, fault: "reading computed.json"},
		"more than read": {computed: `{"callback-data":"0x` + strings.Repeat("0", 70_000) + `"}`, fault: "at most 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			if c.computed != "" {
				lay(t, out, []file{{"computed.json", c.computed, 0o644}})
			}
			digest, data, err := Digest(out, true)
			switch {
			case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
				t.Errorf("%x, %v; want %q", data, err, c.fault)
			case c.fault == "" && (err != nil || hex.EncodeToString(data) != c.want || digest != pool.Digest(ethsig.Keccak(data))):
				t.Errorf("%s of %x, %v; want %s", digest, data, err, c.want)
			}
		})
	}
}
