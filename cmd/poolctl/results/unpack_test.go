package results

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type entry struct {
	header  tar.Header
	content string
}

func archive(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		e.header.Size = int64(len(e.content))
		if e.header.Mode == 0 {
			e.header.Mode = 0o644
		}
		if err := w.WriteHeader(&e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name, content string) entry {
	return entry{tar.Header{Name: name, Typeflag: tar.TypeReg}, content}
}

// within makes a folder for the files beside one that nobody may touch.
func within(t *testing.T) (dir, outside string) {
	t.Helper()
	top := t.TempDir()
	dir, outside = filepath.Join(top, "result"), filepath.Join(top, "outside")
	for _, d := range []string{dir, outside} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, outside
}

func TestUnpack(t *testing.T) {
	dir, _ := within(t)
	text := archive(t,
		entry{tar.Header{Name: "a/", Typeflag: tar.TypeDir, Mode: 0o755}, ""},
		file("a/one", "1"),
		entry{tar.Header{Name: "a/run", Typeflag: tar.TypeReg, Mode: 0o4755}, "#!"},
		file("deep/er/two", "22"),
		file(strings.Repeat("n", 200), "long"),
		file("..two-dots", "fine"))
	if err := Unpack(bytes.NewReader(text), dir, int64(len(text))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a/one": "1", "a/run": "#!", "deep/er/two": "22", strings.Repeat("n", 200): "long", "..two-dots": "fine"} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v)", name, got, err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "a/run"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode()&fs.ModeSetuid != 0 || info.Mode()&0o100 == 0 {
		t.Errorf("the program has mode %v", info.Mode())
	}
}

func TestUnpackRefusesAttacks(t *testing.T) {
	dir, outside := within(t)
	victim := filepath.Join(outside, "victim")
	link := func(kind byte, name, to string) entry {
		return entry{tar.Header{Name: name, Typeflag: kind, Linkname: to}, ""}
	}
	attacks := map[string][]entry{
		"up":                    {file("../outside/victim", "evil")},
		"up, hidden":            {file("a/../../outside/victim", "evil")},
		"absolute":              {file(victim, "evil")},
		"folder above":          {{tar.Header{Name: "../outside/new/", Typeflag: tar.TypeDir}, ""}},
		"symlink":               {link(tar.TypeSymlink, "s", "/etc/passwd")},
		"symlink, then through": {link(tar.TypeSymlink, "s", "../outside"), file("s/victim", "evil")},
		"hard link":             {link(tar.TypeLink, "h", "../outside/victim")},
		"device":                {{tar.Header{Name: "d", Typeflag: tar.TypeChar}, ""}},
		"pipe":                  {{tar.Header{Name: "p", Typeflag: tar.TypeFifo}, ""}},
		"twice":                 {file("x", "1"), file("x", "2")},
		"no name":               {file("", "1")},
	}
	for name, entries := range attacks {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			text := archive(t, entries...)
			if err := Unpack(bytes.NewReader(text), dir, int64(len(text))); !errors.Is(err, ErrUnsafe) {
				t.Errorf("got %v", err)
			}
			left, err := os.ReadDir(outside)
			if err != nil || len(left) > 0 {
				t.Errorf("outside there is %v (%v)", left, err)
			}
		})
	}
}

// A link that was there before is not followed out of the folder either.
func TestUnpackIsHeldByTheKernel(t *testing.T) {
	dir, outside := within(t)
	if err := os.Symlink(outside, filepath.Join(dir, "s")); err != nil {
		t.Fatal(err)
	}
	text := archive(t, file("s/victim", "evil"))
	if err := Unpack(bytes.NewReader(text), dir, int64(len(text))); err == nil {
		t.Error("it was unpacked")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside there is %v", left)
	}
}

func TestUnpackBounds(t *testing.T) {
	dir, _ := within(t)
	text := archive(t, file("a", "12345"), file("b", "12345"))
	if err := Unpack(bytes.NewReader(text), dir, 9); !errors.Is(err, ErrUnsafe) {
		t.Errorf("ten bytes in nine: %v", err)
	}
	dir, _ = within(t)
	if err := Unpack(bytes.NewReader(text), dir, 10); err != nil {
		t.Errorf("ten bytes in ten: %v", err)
	}
	dir, _ = within(t)
	if err := Unpack(bytes.NewReader(sparse(t, 1<<40)), dir, 4096); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a hole: %v", err)
	}
	dir, _ = within(t)
	if err := Unpack(bytes.NewReader(text[:514]), dir, 4096); err == nil || errors.Is(err, ErrUnsafe) {
		t.Errorf("a torn archive: %v", err)
	}
	dir, _ = within(t)
	if err := Unpack(strings.NewReader(strings.Repeat("no tar ", 200)), dir, 4096); err == nil {
		t.Error("what is no archive was taken")
	}
}

// sparse makes an archive of one file that is a hole of n bytes, in GNU's old
// form: Go writes none, so the header of an ordinary file is changed.
func sparse(t *testing.T, n int64) []byte {
	t.Helper()
	text := archive(t, entry{tar.Header{Name: "hole", Typeflag: tar.TypeReg, Format: tar.FormatGNU}, ""})
	text[156] = 'S'
	size := []byte{0x80, 0, 0, 0, byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	copy(text[386:], "00000000000\x00") // no data fragment: at 0, of 0 bytes
	copy(text[398:], "00000000000\x00")
	copy(text[483:], size) // the real size
	copy(text[148:156], "        ")
	sum := 0
	for _, b := range text[:512] {
		sum += int(b)
	}
	copy(text[148:], []byte{'0' + byte(sum>>15&7), '0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	header, err := tar.NewReader(bytes.NewReader(text)).Next()
	if err != nil || header.Size != n {
		t.Fatalf("the hole is made wrongly: %v, %v", header, err)
	}
	return text
}
