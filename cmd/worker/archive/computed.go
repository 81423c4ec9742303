package archive

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"workerpool/shared/pool"
)

const (
	computedName = "computed.json"
	computedMost = 64 << 10      // bytes
	iexecOut     = "/iexec_out/" // what IEXEC_OUT is in iExec's containers
)

// choice is the part of the output that the archive holds.
type choice struct {
	path   string // relative to the output folder; "." = all
	except string // a file left out; "" = none
}

// choose reads computed.json. Its "deterministic-output-path" names a file or
// folder below the output folder: relative to it, or absolute and beginning with
// /iexec_out or with the folder's own path. When it names the whole folder,
// computed.json itself is left out, for it may hold this machine's paths.
func choose(root *os.Root, out string) (choice, error) {
	all := choice{path: "."}
	named, err := deterministicPath(root)
	if err != nil || named == "" {
		return all, err
	}
	below := named
	if filepath.IsAbs(named) {
		own, err := filepath.Abs(out)
		if err != nil {
			return all, fmt.Errorf("finding the output folder: %w", err)
		}
		slashed := path.Clean(named) + "/"
		if rest, ok := strings.CutPrefix(slashed, own+"/"); ok {
			below = rest
		} else if rest, ok := strings.CutPrefix(slashed, iexecOut); ok {
			below = rest
		} else {
			return all, fmt.Errorf("%s names %q, which is not below %s", computedName, named, iexecOut)
		}
	}
	below = path.Clean(below)
	if !filepath.IsLocal(below) {
		return all, fmt.Errorf("%s names %q, which is outside of the output folder", computedName, named)
	}
	if below == "." {
		return choice{path: ".", except: computedName}, nil
	}
	for i, c := range below {
		if c == '/' {
			if err := plain(root, below[:i], named); err != nil {
				return all, err
			}
		}
	}
	return choice{path: below}, plain(root, below, named)
}

// plain refuses what is absent, and links: they may lead anywhere.
func plain(root *os.Root, name, named string) error {
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s names %q, which does not exist", computedName, named)
	case err != nil:
		return fmt.Errorf("looking for %q, which %s names: %w", named, computedName, err)
	case info.Mode().Type() == fs.ModeSymlink:
		return fmt.Errorf("%s names %q, and %q is a symbolic link", computedName, named, name)
	}
	return nil
}

// callbackData gives what the result in the output folder out is called back with:
// the bytes that "callback-data" in its computed.json has in hexadecimal form, 1 to
// pool.MaxCallback of them.
func callbackData(out string) ([]byte, error) {
	root, err := os.OpenRoot(out)
	if err != nil {
		return nil, fmt.Errorf("opening the output folder: %w", err)
	}
	defer root.Close()
	said, err := computed(root)
	if err != nil {
		return nil, err
	}
	if said.Callback == nil {
		return nil, fmt.Errorf("its result is to be called back, and there is no \"callback-data\" in a %s", computedName)
	}
	digits, prefixed := strings.CutPrefix(*said.Callback, "0x")
	data, err := hex.DecodeString(digits)
	switch {
	case err != nil || !prefixed:
		return nil, fmt.Errorf("\"callback-data\" in %s is not 0x and hexadecimal digits, two a byte", computedName)
	case len(data) == 0:
		return nil, fmt.Errorf("\"callback-data\" in %s is empty", computedName)
	case len(data) > pool.MaxCallback:
		return nil, fmt.Errorf("\"callback-data\" in %s has %d bytes, a result is called back with %d at most", computedName, len(data), pool.MaxCallback)
	}
	return data, nil
}

// deterministicPath gives the path in computed.json; "" when there is none.
func deterministicPath(root *os.Root) (string, error) {
	said, err := computed(root)
	switch {
	case err != nil || said.Path == nil:
		return "", err
	case *said.Path == "":
		return "", fmt.Errorf("%s names an empty path", computedName)
	}
	return *said.Path, nil
}

// said is what a program may say in computed.json; nil = it does not.
type said struct {
	Path     *string `json:"deterministic-output-path"`
	Callback *string `json:"callback-data"`
}

// computed reads computed.json; nothing is said when there is none.
func computed(root *os.Root) (said, error) {
	info, err := root.Lstat(computedName)
	if errors.Is(err, fs.ErrNotExist) {
		return said{}, nil
	}
	if err != nil {
		return said{}, fmt.Errorf("looking for %s: %w", computedName, err)
	}
	if !info.Mode().IsRegular() || info.Size() > computedMost {
		return said{}, fmt.Errorf("%s is not a file of at most %d bytes", computedName, computedMost)
	}
	file, err := root.Open(computedName)
	if err != nil {
		return said{}, fmt.Errorf("opening %s: %w", computedName, err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return said{}, fmt.Errorf("reading %s: %w", computedName, err)
	}
	var out said
	if err := json.Unmarshal(text, &out); err != nil {
		return said{}, fmt.Errorf("reading %s: %w", computedName, err)
	}
	return out, nil
}
