package archive

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workerpool/shared/ethsig"
)

// The values are those of the tests of iexec-common (FileHashUtilsTests) and
// iexec-worker (ResultServiceTests), but for what lies deeper than one folder.
func TestDigestIsThatOfIExec(t *testing.T) {
	const trace = "Detected face in image1.jpg\nDetected face in image4.jpg\nDetected face in image5.jpg\nEnd compute"
	two := []file{{"result1.txt", "A result", 0o644}, {"result2.txt", "Another result", 0o644}}
	for name, c := range map[string]struct {
		files    []file
		computed string
		want     string
	}{
		"a file": {append(two, file{"trace.txt", trace, 0o644}), "/iexec_out/trace.txt", "09b727883db89fa3b3504f83e0c67d04a0d4fc35a9670cc4517c49d2a27ad171"},
		"first":  {two, "/iexec_out/result1.txt", "d885f429a59e0816822fc0927be6a6af20ade2c79db49df6c6022f79cb27ac16"},
		"all":    {two, "/iexec_out", "cc77508549295dd5de5876a2f4f00d4c3c27a547c6403450e43ab4de191bf1bc"},
		"folder": {[]file{{"d/result2.txt", "Another result", 0o600}, {"d/result1.txt", "A result", 0o755}, {"log", "noise", 0o644}}, "d/",
			"cc77508549295dd5de5876a2f4f00d4c3c27a547c6403450e43ab4de191bf1bc"},
		"nothing named": {two, "", "cc77508549295dd5de5876a2f4f00d4c3c27a547c6403450e43ab4de191bf1bc"},
		"empty":         {[]file{{"d/", "", 0o755}}, "d", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := digested(t, c.files, c.computed); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func digested(t *testing.T, files []file, computed string) string {
	t.Helper()
	out := t.TempDir()
	lay(t, out, files)
	if computed != "" {
		if err := os.WriteFile(filepath.Join(out, "computed.json"), []byte(`{"deterministic-output-path":"`+computed+`"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	digest, _, err := Digest(out, false)
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// Whatever a requester is given was judged: a change anywhere in the archive's
// files, however deep, changes the digest.
func TestDigestCountsWhatLiesDeeper(t *testing.T) {
	base := []file{{"d/a", "1", 0o644}, {"d/b/c", "2", 0o644}, {"d/b/e/", "", 0o755}, {"d/b.c", "3", 0o644}, {"log", "noise", 0o644}}
	first := digested(t, base, "d")
	sum := func(text string) []byte {
		of := sha256.Sum256([]byte(text))
		return of[:]
	}
	empty := ethsig.Keccak()
	inner := ethsig.Keccak(sum("2"), empty[:])
	if want := ethsig.Keccak(sum("1"), inner[:], sum("3")); "0x"+first != want.String() {
		t.Errorf("%s, want a, b, b.c: %s", first, want)
	}
	// Java sorts by UTF-16 units, where what is beyond them comes before U+E000.
	named := digested(t, []file{{"d/\ue000", "1", 0o644}, {"d/\U0001f600", "2", 0o644}}, "d")
	if want := ethsig.Keccak(sum("2"), sum("1")); "0x"+named != want.String() {
		t.Errorf("%s, want Java's order: %s", named, want)
	}
	for i, f := range base {
		if f.text == "" {
			continue
		}
		changed := append([]file{}, base...)
		changed[i].text += "."
		if same := digested(t, changed, "d") == first; same != (f.name == "log") {
			t.Errorf("%s changed: the digest is the same: %v", f.name, same)
		}
	}
}

func TestDigestRefuses(t *testing.T) {
	out := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(out, "l")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Digest(out, false); err == nil || !strings.Contains(err.Error(), `"l" in the output is a symbolic link`) {
		t.Errorf("error %v", err)
	}
	if _, _, err := Digest(filepath.Join(out, "none"), false); err == nil {
		t.Error("no error without a folder")
	}
}
