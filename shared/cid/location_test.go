package cid_test

import (
	"encoding/hex"
	"strings"
	"testing"

	library "github.com/ipfs/go-cid"
	"pgregory.net/rapid"

	"workerpool/shared/cid"
	"workerpool/shared/pool"
)

// The first three are the vectors of iExec's own tests (MultiAddressHelperTests of
// iexec-common).
func TestLocation(t *testing.T) {
	raw := cid.Of(pool.Digest{1})
	one, err := library.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	for bytes, want := range map[string]string{
		"a5032212205d008f22f8f878fd58473a634cc73d41049fc0d19b81002eaae221ac5a446a3e":                                      "/ipfs/QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w",
		"a5032212207237a7f4091a74ae95514890fa86a2e8a36037c350ea71c06a34c8cbe25a5057":                                      "/ipfs/QmW2WQi7j6c7UgJTarActp7tDNikE4B2qXtFCfLPdsgaTQ",
		hex.EncodeToString([]byte("https://gateway.ipfs.io/ipfs/QmW2WQi7j6c7UgJTarActp7tDNikE4B2qXtFCfLPdsgaTQ/cat.jpg")): "https://gateway.ipfs.io/ipfs/QmW2WQi7j6c7UgJTarActp7tDNikE4B2qXtFCfLPdsgaTQ/cat.jpg",
		hex.EncodeToString([]byte("/ipfs/" + raw)):                                                                        "/ipfs/" + raw,
		"a50324" + hex.EncodeToString(one.Bytes()):                                                                        "/ipfs/" + raw,
		"": "",
	} {
		text, err := hex.DecodeString(bytes)
		if err != nil {
			t.Fatal(err)
		}
		if got := cid.Location(text); got != want {
			t.Errorf("%s lies at %q, want %q", bytes, got, want)
		}
	}
}

// What is no content id of IPFS from its first to its last byte stays as it is.
func TestLocationOfAnything(t *testing.T) {
	good, err := hex.DecodeString("a5032212205d008f22f8f878fd58473a634cc73d41049fc0d19b81002eaae221ac5a446a3e")
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if got := cid.Location(good[:n]); got != string(good[:n]) {
			t.Errorf("%x lies at %q", good[:n], got)
		}
	}
	if more := append(good, 0); cid.Location(more) != string(more) {
		t.Error("what stands behind a content id is left out")
	}
	rapid.Check(t, func(t *rapid.T) {
		text := append(rapid.SampledFrom([][]byte{nil, {0xa5, 3}, {0xa5, 3, 34}}).Draw(t, "head"), rapid.SliceOf(rapid.Byte()).Draw(t, "rest")...)
		if got := cid.Location(text); got != string(text) && !strings.HasPrefix(got, "/ipfs/") {
			t.Fatalf("%x lies at %q", text, got)
		}
	})
}
