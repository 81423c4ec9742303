package archive

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// held packs an output and asks whether the archive holds what Digest gave for it.
func held(t *testing.T, files []file, computed string, callsBack bool) (path string, digest pool.Digest) {
	t.Helper()
	out := t.TempDir()
	lay(t, out, files)
	if computed != "" {
		if err := os.WriteFile(filepath.Join(out, "computed.json"), []byte(strings.ReplaceAll(computed, "OUT", out)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(t.TempDir(), "result.zip")
	if _, err := PackZip(out, path, 1<<20); err != nil {
		t.Fatal(err)
	}
	digest, _, err := Digest(out, callsBack)
	if err != nil {
		t.Fatal(err)
	}
	return path, digest
}

// What Digest gives for an output, Holds finds in its archive on any machine, and
// nothing else.
func TestArchivesHoldTheirDigest(t *testing.T) {
	files := []file{
		{"a", "1", 0o644}, {"d/e/f", "2", 0o755}, {"d/e.f", "3", 0o644}, {"d/none/", "", 0o755}, {"l\xff", "4", 0o644}, {"log", "noise", 0o644},
	}
	for name, computed := range map[string]string{
		"nothing named": "", "nothing said": `{}`, "a file": `{"deterministic-output-path":"a"}`, "a folder": `{"deterministic-output-path":"d/"}`,
		"an empty folder": `{"deterministic-output-path":"d/none"}`, "iExec's file": `{"deterministic-output-path":"/iexec_out/d/e"}`,
		"all": `{"deterministic-output-path":"/iexec_out"}`, "this machine's": `{"deterministic-output-path":"OUT/d/e.f"}`, "all of this machine's": `{"deterministic-output-path":"OUT"}`,
	} {
		t.Run(name, func(t *testing.T) {
			path, digest := held(t, files, computed, false)
			if err := Holds(path, digest, false, 9); err != nil {
				t.Error(err)
			}
			digest[3]++
			if err := Holds(path, digest, false, 9); !errors.Is(err, ErrWrong) {
				t.Errorf("another digest: %v", err)
			}
		})
	}
	back := `{"callback-data":"0x0102ff"}`
	path, digest := held(t, nil, back, true)
	if err := Holds(path, digest, true, 9); err != nil || digest != pool.Digest(ethsig.Keccak([]byte{1, 2, 0xff})) {
		t.Errorf("%v, %s", err, digest)
	}
	for name, computed := range map[string]string{"other": `{"callback-data":"0x0102fe"}`, "none": `{}`, "no digits": `{"callback-data":"0x0"}`} {
		path, _ := held(t, nil, computed, false)
		if err := Holds(path, digest, true, 9); !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Holds(filepath.Join(t.TempDir(), "none"), digest, false, 9); err == nil || errors.Is(err, ErrWrong) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := Holds(t.TempDir(), digest, false, 9); err == nil || errors.Is(err, ErrWrong) {
		t.Errorf("a disk that cannot be read: %v", err)
	}
}

// zipped makes a zip of stored entries as given.
func zipped(t *testing.T, entries ...zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range entries {
		content := []byte("A result")
		if strings.HasSuffix(entries[i].Name, "/") {
			content = nil
		}
		entries[i].CRC32, entries[i].CompressedSize64 = 0xed004436, uint64(len(content))
		if entries[i].UncompressedSize64 == 0 {
			entries[i].UncompressedSize64 = uint64(len(content))
		}
		to, err := w.CreateRaw(&entries[i])
		if err == nil {
			_, err = to.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func named(name string) zip.FileHeader {
	h := zip.FileHeader{Name: name}
	h.SetMode(0o644)
	if strings.HasSuffix(name, "/") {
		h.SetMode(fs.ModeDir | 0o755)
	}
	return h
}

// Archives that lie are told from archives, whatever it is they lie about.
func TestHostileArchives(t *testing.T) {
	with := func(change func(*zip.FileHeader)) []byte {
		h := named("a")
		change(&h)
		return zipped(t, h)
	}
	good := zipped(t, named("a"))
	patched := func(from int, bytes ...byte) []byte {
		out := append([]byte{}, good...)
		copy(out[len(out)+from:], bytes)
		return out
	}
	var many []zip.FileHeader
	for i := range 10 {
		many = append(many, named(string(rune('a'+i))))
	}
	sum := sha256.Sum256([]byte("A result"))
	digest := pool.Digest(ethsig.Keccak(sum[:]))
	check := func(text []byte) error {
		path := filepath.Join(t.TempDir(), "result.zip")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return Holds(path, digest, false, 9)
	}
	if err := check(good); err != nil {
		t.Fatal(err)
	}
	long := uint64(1 << 40)
	for name, text := range map[string][]byte{
		"nothing": nil, "short": []byte("PK"), "garbage": bytes.Repeat([]byte("garbage"), 99), "cut": good[:len(good)-1], "more": append(good[:len(good):len(good)], 0),
		"prefixed":            append([]byte("MZ"), good...),
		"other content":       bytes.Replace(good, []byte("A result"), []byte("B result"), 1),
		"no name":             zipped(t, named("")),
		"root":                zipped(t, named("./")),
		"absolute":            zipped(t, named("/a")),
		"above":               zipped(t, named("../a")),
		"twice":               zipped(t, named("a"), named("a")),
		"file and folder":     zipped(t, named("a"), named("a/b")),
		"folder and file":     zipped(t, named("a/b"), named("a")),
		"link":                with(func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }),
		"folder as file":      with(func(h *zip.FileHeader) { h.SetMode(fs.ModeDir | 0o777) }),
		"deflated":            with(func(h *zip.FileHeader) { h.Method = zip.Deflate }),
		"encrypted":           with(func(h *zip.FileHeader) { h.Flags = 1 }),
		"bomb":                with(func(h *zip.FileHeader) { h.UncompressedSize64 = long }),
		"extra":               with(func(h *zip.FileHeader) { h.Extra = make([]byte, 60_000) }),
		"comment":             with(func(h *zip.FileHeader) { h.Comment = "see elsewhere" }),
		"long name":           zipped(t, named(strings.Repeat("a/", 3000)+"a")),
		"deep":                zipped(t, named("a/a/a/a/a/a/a/a/a/a")),
		"many":                zipped(t, many...),
		"one more entry":      patched(-12, 2),
		"directory elsewhere": patched(-6, binary.LittleEndian.AppendUint32(nil, 5)...),
		"said nothing":        zipped(t, named("computed.json")), // no JSON
	} {
		if err := check(text); !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
