package results

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
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

// zipped makes the same archive as a zip.
func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.header.Name, Method: zip.Deflate}
		mode := fs.FileMode(0o644)
		if e.header.Mode&0o100 != 0 {
			mode = 0o755 | fs.ModeSetuid
		}
		switch e.header.Typeflag {
		case tar.TypeDir:
			mode |= fs.ModeDir
		case tar.TypeSymlink:
			mode |= fs.ModeSymlink
		case tar.TypeChar:
			mode |= fs.ModeDevice | fs.ModeCharDevice
		case tar.TypeFifo:
			mode |= fs.ModeNamedPipe
		}
		h.SetMode(mode)
		to, err := w.CreateHeader(h)
		if err == nil && !mode.IsDir() {
			_, err = io.WriteString(to, e.content+e.header.Linkname)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// forms are the ways to write entries down.
var forms = map[string]func(*testing.T, ...entry) []byte{"tar": archive, "zip": zipped}

func unpack(text []byte, dir string, limit int64) error {
	return Unpack(bytes.NewReader(text), int64(len(text)), dir, limit)
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
	for form, write := range forms {
		t.Run(form, func(t *testing.T) { testUnpack(t, write) })
	}
}

func testUnpack(t *testing.T, write func(*testing.T, ...entry) []byte) {
	dir, _ := within(t)
	text := write(t,
		entry{tar.Header{Name: "a/", Typeflag: tar.TypeDir, Mode: 0o755}, ""},
		file("a/one", "1"),
		entry{tar.Header{Name: "a/run", Typeflag: tar.TypeReg, Mode: 0o4755}, "#!"},
		file("deep/er/two", "22"),
		file(strings.Repeat("n", 200), "long"),
		file("..two-dots", "fine"))
	if err := unpack(text, dir, int64(len(text))); err != nil {
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
	try := func(form, name string, entries []entry) {
		t.Run(form+"/"+name, func(t *testing.T) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			text := forms[form](t, entries...)
			if err := unpack(text, dir, int64(len(text))); !errors.Is(err, ErrUnsafe) {
				t.Errorf("got %v", err)
			}
			left, err := os.ReadDir(outside)
			if err != nil || len(left) > 0 {
				t.Errorf("outside there is %v (%v)", left, err)
			}
		})
	}
	for name, entries := range attacks {
		try("tar", name, entries)
		if name != "hard link" { // a zip has none
			try("zip", name, entries)
		}
	}
}

// A link that was there before is not followed out of the folder either.
func TestUnpackIsHeldByTheKernel(t *testing.T) {
	dir, outside := within(t)
	if err := os.Symlink(outside, filepath.Join(dir, "s")); err != nil {
		t.Fatal(err)
	}
	text := archive(t, file("s/victim", "evil"))
	if err := unpack(text, dir, int64(len(text))); err == nil {
		t.Error("it was unpacked")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("outside there is %v", left)
	}
}

func TestUnpackBounds(t *testing.T) {
	dir, _ := within(t)
	text := archive(t, file("a", "12345"), file("b", "12345"))
	if err := unpack(text, dir, 9); !errors.Is(err, ErrUnsafe) {
		t.Errorf("ten bytes in nine: %v", err)
	}
	dir, _ = within(t)
	if err := unpack(text, dir, 10); err != nil {
		t.Errorf("ten bytes in ten: %v", err)
	}
	dir, _ = within(t)
	if err := unpack(sparse(t, 1<<40), dir, 4096); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a hole: %v", err)
	}
	dir, _ = within(t)
	if err := unpack(text[:514], dir, 4096); err == nil || errors.Is(err, ErrUnsafe) {
		t.Errorf("a torn archive: %v", err)
	}
	dir, _ = within(t)
	if err := unpack([]byte(strings.Repeat("no tar ", 200)), dir, 4096); err == nil {
		t.Error("what is no archive was taken")
	}
}

// A zip may say less than it holds, hold it twice or be torn.
func TestUnpackBoundsZip(t *testing.T) {
	bomb := zipped(t, file("a", strings.Repeat("0", 1<<20)), file("b", "b"))
	directory := []byte("PK\x01\x02")
	lied := bytes.Clone(bomb)
	copy(lied[bytes.Index(lied, directory)+24:], []byte{9, 0, 0, 0}) // the size of a
	sum := zipped(t, file("a", "12345"))
	sum[bytes.Index(sum, directory)+16]++
	for name, c := range map[string]struct {
		text   []byte
		limit  int64
		unsafe bool
	}{
		"small and large":   {bomb, int64(len(bomb)), true},
		"more than it says": {lied, int64(len(bomb)), false},
		"another sum":       {sum, int64(len(sum)), false},
		"torn":              {bomb[:len(bomb)-30], 4 << 20, false},
		"a beginning":       {[]byte("PK\x03\x04"), 4 << 20, false},
	} {
		dir, _ := within(t)
		if err := unpack(c.text, dir, c.limit); err == nil || errors.Is(err, ErrUnsafe) != c.unsafe {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir, _ := within(t)
	if err := unpack(bomb, dir, 1<<20+1); err != nil {
		t.Errorf("as much as is wanted: %v", err)
	}
	dir, _ = within(t)
	if err := unpack(zipped(t), dir, 0); err != nil {
		t.Errorf("an empty zip: %v", err)
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
