package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type file struct {
	name string // "/" at the end = folder
	text string
	mode os.FileMode
}

// sample has every peculiarity of names: order around the slash, length, alphabet.
var sample = []file{
	{"a/", "", 0o700}, {"a/b", "inner", 0o600}, {"a.txt", "between a and a/b", 0o664},
	{"empty/", "", 0o777}, {"empty.file", "", 0o644}, {"run", "#!/bin/sh\n", 0o711},
	{"größe/", "", 0o755}, {"größe/π", "not ASCII", 0o644},
	{strings.Repeat("deep/", 30), "", 0o755}, {strings.Repeat("deep/", 30) + strings.Repeat("n", 200), "long", 0o644},
	{"block", strings.Repeat("x", 512), 0o644}, {"block+1", strings.Repeat("x", 513), 0o644},
}

type failer interface {
	Helper()
	Fatal(...any)
}

func lay(t failer, dir string, files []file) {
	t.Helper()
	for _, f := range files {
		at := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.name, "/") {
			if err := os.MkdirAll(at, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(at, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at, f.mode|0o500); err != nil && f.mode&0o100 != 0 {
			t.Fatal(err)
		}
		if err := os.Chmod(at, f.mode); err != nil {
			t.Fatal(err)
		}
	}
}

func pack(t *testing.T, out string, limit int64) (Packed, []byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "result.tar")
	p, err := Pack(out, path, limit)
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

// The digest is what workers of different versions and machines must agree upon:
// a change here breaks every replicated work in flight.
func TestGoldenDigest(t *testing.T) {
	out := t.TempDir()
	lay(t, out, sample)
	p, _, err := pack(t, out, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Packed{"ffe9ad56a1928ab25a2477fe2ddb3e0c227b9e876831cd791dce142a3fe5152e", 37376}); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

func TestEmptyOutputIsTwoZeroBlocks(t *testing.T) {
	p, text, err := pack(t, t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if want := "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"; p.SHA256 != want || !bytes.Equal(text, make([]byte, 1024)) {
		t.Errorf("got %+v, want digest %s", p, want)
	}
}

func TestEntriesCarryNothingOfTheMachine(t *testing.T) {
	out := t.TempDir()
	lay(t, out, sample)
	_, text, err := pack(t, out, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var order []string
	for r := tar.NewReader(bytes.NewReader(text)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[h.Name] = string(body)
		order = append(order, strings.TrimSuffix(h.Name, "/"))
		mode := int64(0o644)
		if h.Typeflag == tar.TypeDir || h.Name == "run" {
			mode = 0o755
		}
		if h.Mode != mode || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" ||
			!h.ModTime.Equal(time.Unix(0, 0)) || len(h.PAXRecords) != 0 || h.Format != tar.FormatGNU {
			t.Errorf("header %+v", h)
		}
	}
	for _, f := range sample {
		if text, ok := got[f.name]; !ok || text != f.text {
			t.Errorf("%q: %q, %v", f.name, text, ok)
		}
	}
	if !slices.IsSorted(order) {
		t.Errorf("order %q", order)
	}
}

// Same files, same bytes: the order and time of making, extra permissions and the
// place do not matter; any difference in name, content or executability does.
func TestDigestIsOfContentOnly(t *testing.T) {
	names := []string{"a", "b/", "b/c", "b.c", "d e", "ü", "x/", "x/y/", "x/y/z"}
	rapid.Check(t, func(t *rapid.T) {
		var files []file
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names), rapid.ID).Draw(t, "names") {
			f := file{name: name, mode: rapid.SampledFrom([]os.FileMode{0o600, 0o644, 0o700, 0o755}).Draw(t, "mode")}
			if strings.HasSuffix(name, "/") {
				f.mode = 0o755
			} else {
				f.text = rapid.StringN(0, 600, 2000).Draw(t, "text")
			}
			files = append(files, f)
		}
		digest := func(files []file, age time.Duration) string {
			dir, err := os.MkdirTemp("", "archive")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			out := filepath.Join(dir, "out")
			lay(t, out, files)
			for _, f := range files {
				then := time.Unix(1_700_000_000, 123).Add(-age)
				if err := os.Chtimes(filepath.Join(out, f.name), then, then); err != nil {
					t.Fatal(err)
				}
			}
			p, err := Pack(out, filepath.Join(dir, "result.tar"), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			return p.SHA256
		}
		first := digest(files, 0)
		shuffled := rapid.Permutation(files).Draw(t, "order")
		for i, f := range shuffled {
			shuffled[i].mode = f.mode&0o100 | 0o600 | rapid.SampledFrom([]os.FileMode{0, 0o44}).Draw(t, "others")
		}
		if second := digest(shuffled, time.Hour); second != first {
			t.Fatalf("%s and %s for the same files %v", first, second, files)
		}
		changed := slices.Clone(files)
		i := rapid.IntRange(0, len(files)-1).Draw(t, "changed")
		if strings.HasSuffix(changed[i].name, "/") {
			changed = append(changed, file{name: changed[i].name + "new", mode: 0o644})
		} else if rapid.Bool().Draw(t, "text or mode") {
			changed[i].text += "."
		} else {
			changed[i].mode ^= 0o100
		}
		if third := digest(changed, 0); third == first {
			t.Fatalf("%v and %v have the same digest", files, changed)
		}
	})
}

func TestPackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(out string) error
		limit int64
		want  string
	}{
		"link":  {plant: func(out string) error { return os.Symlink("/etc/passwd", out+"/l") }, want: `"l" in the output is a symbolic link`},
		"pipe":  {plant: func(out string) error { return syscall.Mkfifo(out+"/p", 0o600) }, want: `"p" in the output is a named pipe`},
		"large": {plant: func(out string) error { return os.WriteFile(out+"/f", make([]byte, 600), 0o600) }, limit: 2047, want: "more than 2047 bytes"},
		"tiny":  {plant: func(out string) error { return os.WriteFile(out+"/f", nil, 0o600) }, limit: 1023, want: "more than 1023 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			if err := c.plant(out); err != nil {
				t.Fatal(err)
			}
			if c.limit == 0 {
				c.limit = 1 << 20
			}
			_, _, err := pack(t, out, c.limit)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if (err != nil && errors.Is(err, ErrTooLarge)) != (c.limit < 1<<20) {
				t.Errorf("error %v is of the wrong kind", err)
			}
		})
	}
}

func TestPackTellsOfAFullDisk(t *testing.T) {
	if _, err := Pack(t.TempDir(), "/dev/full", 1<<20); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
}

func TestComputedNamesTheContent(t *testing.T) {
	files := []file{
		{"one.txt", "1", 0o644}, {"log", "noise", 0o644}, {"sub/two.txt", "2", 0o644}, {"sub/more/three", "3", 0o644},
	}
	everything := []string{"computed.json", "log", "one.txt", "sub/", "sub/more/", "sub/more/three", "sub/two.txt"}
	for name, c := range map[string]struct {
		computed string
		want     []string
		fault    string
	}{
		"file":            {computed: `{"deterministic-output-path":"/iexec_out/one.txt"}`, want: []string{"one.txt"}},
		"folder":          {computed: `{"deterministic-output-path":"/iexec_out/sub/"}`, want: []string{"sub/", "sub/more/", "sub/more/three", "sub/two.txt"}},
		"relative":        {computed: `{"deterministic-output-path":"sub/more"}`, want: []string{"sub/more/", "sub/more/three"}},
		"own path":        {computed: `{"deterministic-output-path":"OUT/sub/two.txt"}`, want: []string{"sub/two.txt"}},
		"everything":      {computed: `{"deterministic-output-path":"/iexec_out"}`, want: everything[1:]},
		"no path":         {computed: `{"callback-data":"0x00"}`, want: everything},
		"missing":         {computed: `{"deterministic-output-path":"/iexec_out/none"}`, fault: "does not exist"},
		"missing folder":  {computed: `{"deterministic-output-path":"none/none"}`, fault: "does not exist"},
		"empty":           {computed: `{"deterministic-output-path":""}`, fault: "empty path"},
		"no text":         {computed: `{"deterministic-output-path":7}`, fault: "reading computed.json"},
		"no JSON":         {computed: `deterministic`, fault: "reading computed.json"},
		"elsewhere":       {computed: `{"deterministic-output-path":"/etc/passwd"}`, fault: "not below"},
		"nearly":          {computed: `{"deterministic-output-path":"/iexec_outside/one.txt"}`, fault: "not below"},
		"up":              {computed: `{"deterministic-output-path":"../x"}`, fault: "outside"},
		"up absolute":     {computed: `{"deterministic-output-path":"/iexec_out/../etc"}`, fault: "not below"},
		"through a link":  {computed: `{"deterministic-output-path":"link/two.txt"}`, fault: "symbolic link"},
		"link":            {computed: `{"deterministic-output-path":"link"}`, fault: "symbolic link"},
		"file as folder":  {computed: `{"deterministic-output-path":"log/x"}`, fault: "log/x"},
		"computed itself": {computed: `{"deterministic-output-path":"computed.json"}`, want: everything[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			lay(t, out, append(files, file{"computed.json", strings.ReplaceAll(c.computed, "OUT", out), 0o644}))
			if strings.Contains(c.computed, "link") {
				if err := os.Symlink("sub", filepath.Join(out, "link")); err != nil {
					t.Fatal(err)
				}
			}
			_, text, err := pack(t, out, 1<<20)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("error %v, want %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for r := tar.NewReader(bytes.NewReader(text)); ; {
				h, err := r.Next()
				if err != nil {
					break
				}
				got = append(got, h.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
