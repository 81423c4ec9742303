package archive

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"unicode/utf16"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Digest gives what a worker contributes and reveals for the output folder out, as
// iExec's own worker has it (iexec-common, ResultUtils and FileHashUtils): of a
// file its SHA-256, of a folder keccak over the SHA-256s of its files, sorted by
// name. It is of what Pack would take, and PackZip takes all, so whoever has the
// archive can make it again. A folder in a folder counts by its own digest; iExec's
// worker leaves it out, and nobody would judge what lies there.
//
// Of a result that the deal calls back it is keccak over the bytes to do that with,
// which are given as well; nothing else of the output is judged then. Nobody may
// change the folder meanwhile.
func Digest(out string, callsBack bool) (digest pool.Digest, callback []byte, err error) {
	if !callsBack {
		digest, err = ofFiles(out)
		return digest, nil, err
	}
	if callback, err = callbackData(out); err != nil {
		return digest, nil, err
	}
	return pool.Digest(ethsig.Keccak(callback)), callback, nil
}

func ofFiles(out string) (pool.Digest, error) {
	root, err := os.OpenRoot(out)
	if err != nil {
		return pool.Digest{}, fmt.Errorf("opening the output folder: %w", err)
	}
	defer root.Close()
	chosen, err := choose(root, out)
	if err != nil {
		return pool.Digest{}, err
	}
	entries, err := list(root, chosen)
	if err != nil {
		return pool.Digest{}, err
	}
	tree := tree{open: func(name string) (io.ReadCloser, error) { return root.Open(name) }, folders: map[string][]string{}}
	for _, e := range entries {
		switch {
		case e.name == chosen.path && !e.info.IsDir():
			return tree.file(e.name)
		case e.name != chosen.path:
			folder := path.Dir(e.name)
			tree.folders[folder] = append(tree.folders[folder], e.name)
		}
		if e.info.IsDir() && tree.folders[e.name] == nil {
			tree.folders[e.name] = []string{}
		}
	}
	return tree.folder(chosen.path)
}

// tree is the part of an output that counts: names, by the folder that they are in.
type tree struct {
	open    func(name string) (io.ReadCloser, error)
	folders map[string][]string
}

func (t tree) folder(name string) (pool.Digest, error) {
	// Java compares texts by their UTF-16 units.
	slices.SortFunc(t.folders[name], func(a, b string) int {
		return cmp.Or(slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b))), cmp.Compare(a, b))
	})
	var all []byte
	for _, below := range t.folders[name] {
		of := t.file
		if _, folder := t.folders[below]; folder {
			of = t.folder
		}
		digest, err := of(below)
		if err != nil {
			return pool.Digest{}, err
		}
		all = append(all, digest[:]...)
	}
	return pool.Digest(ethsig.Keccak(all)), nil
}

func (t tree) file(name string) (pool.Digest, error) {
	file, err := t.open(name)
	if err != nil {
		return pool.Digest{}, fmt.Errorf("opening %q: %w", name, err)
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return pool.Digest{}, fmt.Errorf("reading %q: %w", name, err)
	}
	return pool.Digest(digest.Sum(nil)), nil
}
