package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func packZip(t *testing.T, out string, limit int64) (Packed, []byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "result.zip")
	p, err := PackZip(out, path, limit)
	if err != nil {
		return p, nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(text)) != p.Size {
		t.Fatalf("size %d, the file has %d", p.Size, len(text))
	}
	return p, text, nil
}

// Not of one machine, nor of one version of Go: the bytes are what finalize told
// the chain, and what another worker of the same result must be able to bring.
func TestGoldenZip(t *testing.T) {
	out := t.TempDir()
	lay(t, out, sample)
	p, text, err := packZip(t, out, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Packed{"93e0dc803cdef392dfe9964c2766d39f04797e5a4b6468237e30be1639bbdda4", 2574}); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
	// Made in another order, with other times and more rights for others.
	other := t.TempDir()
	again := slices.Clone(sample)
	slices.Reverse(again)
	for i, f := range again {
		again[i].mode |= 0o044 | f.mode&0o100>>3
	}
	lay(t, other, again)
	for _, f := range again {
		if err := os.Chtimes(filepath.Join(other, f.name), time.Time{}, time.Unix(1_700_000_000, 123)); err != nil {
			t.Fatal(err)
		}
	}
	if _, same, err := packZip(t, other, 1<<20); err != nil || !bytes.Equal(same, text) {
		t.Errorf("the same files give other bytes, %v", err)
	}
	// What differs, shows.
	for name, plant := range map[string]func(at string) error{
		"a mode":   func(at string) error { return os.Chmod(filepath.Join(at, "block"), 0o755) },
		"a byte":   func(at string) error { return os.WriteFile(filepath.Join(at, "block"), []byte("y"), 0o600) },
		"a folder": func(at string) error { return os.Mkdir(filepath.Join(at, "more"), 0o755) },
		"a name":   func(at string) error { return os.Rename(filepath.Join(at, "run"), filepath.Join(at, "ran")) },
	} {
		changed := t.TempDir()
		lay(t, changed, sample)
		if err := plant(changed); err != nil {
			t.Fatal(err)
		}
		if _, third, err := packZip(t, changed, 1<<20); err != nil || bytes.Equal(third, text) {
			t.Errorf("%s changed: the same bytes, %v", name, err)
		}
	}
}

func TestZipHoldsAll(t *testing.T) {
	out := t.TempDir()
	// Its digest is of one file; computed.json and the rest are there all the same.
	files := append(slices.Clone(sample), file{"computed.json", `{"deterministic-output-path":"/iexec_out/a.txt"}`, 0o644}, file{"\xff", "no UTF-8", 0o644})
	lay(t, out, files)
	_, text, err := packZip(t, out, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]string{}, map[string]string{}
	for _, f := range files {
		if !strings.HasSuffix(f.name, "/") || f.name == "empty/" {
			want[f.name] = f.text
		}
	}
	var order []string
	for _, f := range archive.File {
		order = append(order, strings.TrimSuffix(f.Name, "/"))
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(from) // checks size and sum
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(body)
		mode := os.FileMode(0o644)
		switch f.Name {
		case "run":
			mode = 0o755
		case "empty/":
			mode = os.ModeDir | 0o755
		}
		if f.Mode() != mode || !f.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) || len(f.Extra) > 0 || f.Comment != "" ||
			f.Method != zip.Store || f.Flags&^nameInUTF8 != 0 || f.NonUTF8 != (f.Name == "\xff") {
			t.Errorf("header %+v, mode %v", f.FileHeader, f.Mode())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSorted(order) {
		t.Errorf("order %q", order)
	}
}

// Readers of other hands take it, one who sees it only once included.
func TestZipForOthers(t *testing.T) {
	out := t.TempDir()
	lay(t, out, sample)
	path := filepath.Join(t.TempDir(), "result.zip")
	if _, err := PackZip(out, path, 1<<20); err != nil {
		t.Fatal(err)
	}
	for _, reader := range [][]string{
		{"unzip", "-t", path},
		{"python3", "-c", "import sys, zipfile; assert zipfile.ZipFile(sys.argv[1]).testzip() is None", path},
	} {
		if _, err := exec.LookPath(reader[0]); err != nil {
			t.Logf("no %s here", reader[0])
			continue
		}
		if said, err := exec.Command(reader[0], reader[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", reader[0], err, said)
		}
	}
	// An empty output is the end record alone.
	if _, text, err := packZip(t, t.TempDir(), 22); err != nil || !bytes.Equal(text, append([]byte("PK\x05\x06"), make([]byte, 18)...)) {
		t.Errorf("%x, %v", text, err)
	}
}

func TestZipRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(out string) error
		limit int64
		want  string
	}{
		"link":  {plant: func(out string) error { return os.Symlink("/etc/passwd", out+"/l") }, want: `"l" in the output is a symbolic link`},
		"pipe":  {plant: func(out string) error { return syscall.Mkfifo(out+"/p", 0o600) }, want: `"p" in the output is a named pipe`},
		"large": {plant: func(out string) error { return os.WriteFile(out+"/f", make([]byte, 600), 0o600) }, limit: 699, want: "more than 699 bytes"},
		// A hole, of more than a zip can tell of without extensions.
		"vast": {plant: func(out string) error {
			file, err := os.Create(out + "/f")
			if err != nil {
				return err
			}
			return errors.Join(file.Truncate(5<<30), file.Close())
		}, limit: 1 << 40, want: "more than 4294967295 bytes"},
		"tiny": {plant: func(string) error { return nil }, limit: 21, want: "more than 21 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			if err := c.plant(out); err != nil {
				t.Fatal(err)
			}
			limited := c.limit != 0
			if !limited {
				c.limit = 1 << 20
			}
			_, _, err := packZip(t, out, c.limit)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrTooLarge) != limited {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := PackZip(t.TempDir(), "/dev/full", 1<<20); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: error %v", err)
	}
}
