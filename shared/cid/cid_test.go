package cid_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	library "github.com/ipfs/go-cid"
	"github.com/multiformats/go-multibase"
	"github.com/multiformats/go-multihash"
	"pgregory.net/rapid"

	"workerpool/shared/cid"
	"workerpool/shared/pool"
)

// Ids that others publish for these contents as single raw blocks.
var known = map[string]string{
	"":            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
	"hello world": "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e",
}

func TestKnown(t *testing.T) {
	for content, id := range known {
		file := pool.Digest(sha256.Sum256([]byte(content)))
		if got := cid.Of(file); got != id {
			t.Errorf("%q has %s, want %s", content, got, id)
		}
		if got, err := cid.Parse(id); err != nil || got != file {
			t.Errorf("%s: %s, %v", id, got, err)
		}
		if want := `{"storage":"ipfs","location":"/ipfs/` + id + `"}`; string(cid.Results(file)) != want {
			t.Errorf("on the chain %s, want %s", cid.Results(file), want)
		}
	}
}

// A digest comes back from its id, in every alphabet.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := pool.Digest(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
		id := cid.Of(file)
		same, err := library.Decode(id)
		if err != nil {
			t.Fatal(err)
		}
		for name, base := range multibase.Encodings {
			text, err := same.StringOfBase(base)
			if err != nil {
				continue // an alphabet that the library reads only
			}
			if got, err := cid.Parse(text); err != nil || got != file {
				t.Errorf("%s in %s: %s, %v", text, name, got, err)
			}
		}
	})
}

func TestOthers(t *testing.T) {
	content := []byte("hello world")
	sum := func(code uint64, length int) multihash.Multihash {
		h, err := multihash.Sum(content, code, length)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	plain := cid.Of(pool.Digest(sha256.Sum256(content)))
	for name, text := range map[string]string{
		"nothing":           "",
		"version 0":         "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
		"codec dag-pb":      library.NewCidV1(library.DagProtobuf, sum(multihash.SHA2_256, -1)).String(),
		"half a SHA-256":    library.NewCidV1(library.Raw, sum(multihash.SHA2_256, 16)).String(),
		"SHA-512":           library.NewCidV1(library.Raw, sum(multihash.SHA2_512, -1)).String(),
		"an identity":       library.NewCidV1(library.Raw, sum(multihash.IDENTITY, -1)).String(),
		"cut":               plain[:len(plain)-3],
		"longer":            plain + "aaaa",
		"another letter":    plain[:20] + "!" + plain[21:],
		"a path":            plain + "/file",
		"very long":         "b" + strings.Repeat("a", 1<<20),
		"upper case in b":   "b" + strings.ToUpper(plain[1:]) + "1",
		"a digest":          pool.Digest(sha256.Sum256(content)).String(),
		"an unknown base":   "\xff" + plain[1:],
		"a reserved number": "b" + strings.Repeat("7", 58),
	} {
		if file, err := cid.Parse(text); err == nil || !file.IsZero() {
			t.Errorf("%s: %q is read as %s", name, text[:min(len(text), 80)], file)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, id := range known {
		f.Add(id)
	}
	f.Add("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := cid.Parse(text)
		if err != nil {
			return
		}
		if again, err := cid.Parse(cid.Of(file)); err != nil || again != file {
			t.Errorf("%q is read as %s, whose id is read as %s, %v", text, file, again, err)
		}
	})
}
