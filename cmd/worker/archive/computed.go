package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
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

// deterministicPath gives the path in computed.json; "" when there is none.
func deterministicPath(root *os.Root) (string, error) {
	info, err := root.Lstat(computedName)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for %s: %w", computedName, err)
	}
	if !info.Mode().IsRegular() || info.Size() > computedMost {
		return "", fmt.Errorf("%s is not a file of at most %d bytes", computedName, computedMost)
	}
	file, err := root.Open(computedName)
	if err != nil {
		return "", fmt.Errorf("opening %s: %w", computedName, err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", computedName, err)
	}
	var said struct {
		Path *string `json:"deterministic-output-path"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return "", fmt.Errorf("reading %s: %w", computedName, err)
	}
	if said.Path == nil {
		return "", nil
	}
	if *said.Path == "" {
		return "", fmt.Errorf("%s names an empty path", computedName)
	}
	return *said.Path, nil
}
