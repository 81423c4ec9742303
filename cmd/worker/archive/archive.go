// Package archive makes the canonical archive of a run's output: the same files
// give the same bytes on every machine, whatever made them and when. It owns the
// formats and the reading of computed.json; it must not change the output.
//
// The format is zip for deals of the chain, whose requesters' clients expect it
// (PackZip says how), and for all else tar as GNU tar writes it (magic "ustar  "): regular files and
// folders only, their paths relative to the output folder and sorted as bytes,
// folders with a slash at the end, modes 0644 (0755 when the owner may execute)
// and 0755, times, owners and groups zero and without names, two zero blocks at
// the end. GNU's form is used because it holds names of any length and any
// character without the extended records of POSIX, whose layout differs between
// writers.
package archive

import (
	"archive/tar"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// ErrTooLarge is wrapped by Pack's error when the archive is above its limit.
var ErrTooLarge = errors.New("the result is too large")

// Packed is a finished archive.
type Packed struct {
	SHA256 string // 64 hexadecimal characters
	Size   int64  // bytes
}

// Pack writes the archive of the output folder out to the file at path, which it
// makes anew, and syncs it. What computed.json names is the archive's content,
// everything when there is no computed.json. The archive has at most limit bytes.
// Nobody may change the folder meanwhile.
func Pack(out, path string, limit int64) (Packed, error) {
	return seal(out, path, limit, func(root *os.Root, w io.Writer) error {
		chosen, err := choose(root, out)
		if err != nil {
			return err
		}
		return write(root, chosen, w)
	})
}

// seal makes the file of what write writes of the output folder.
func seal(out, path string, limit int64, write func(root *os.Root, w io.Writer) error) (Packed, error) {
	// The program may have put something else in its place.
	switch info, err := os.Lstat(out); {
	case err != nil:
		return Packed{}, fmt.Errorf("looking for the output folder: %w", err)
	case info.Mode().Type() == fs.ModeSymlink:
		return Packed{}, errors.New("the output folder is a symbolic link")
	case !info.IsDir():
		return Packed{}, errors.New("the output folder is no folder")
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return Packed{}, fmt.Errorf("opening the output folder: %w", err)
	}
	defer root.Close()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return Packed{}, fmt.Errorf("making the archive: %w", err)
	}
	defer file.Close()
	digest := sha256.New()
	counted := &counter{to: io.MultiWriter(file, digest), limit: limit}
	if err := write(root, counted); err != nil {
		return Packed{}, err
	}
	if err := file.Sync(); err != nil {
		return Packed{}, fmt.Errorf("storing the archive: %w", err)
	}
	if err := file.Close(); err != nil {
		return Packed{}, fmt.Errorf("closing the archive: %w", err)
	}
	return Packed{SHA256: fmt.Sprintf("%x", digest.Sum(nil)), Size: counted.size}, nil
}

// write writes the archive of the chosen part of root to w.
func write(root *os.Root, c choice, w io.Writer) error {
	entries, err := list(root, c)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, e := range entries {
		if err := e.write(root, archive); err != nil {
			return fmt.Errorf("archiving %q: %w", e.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("ending the archive: %w", err)
	}
	return nil
}

type entry struct {
	name string
	info fs.FileInfo
}

// list gives the chosen files and folders in the archive's order.
func list(root *os.Root, c choice) ([]entry, error) {
	var entries []entry
	err := fs.WalkDir(root.FS(), c.path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("looking at the output: %w", err)
		}
		if name == "." || name == c.except {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("looking at the output: %w", err)
		}
		if !info.Mode().IsRegular() && !info.IsDir() {
			return fmt.Errorf("%q in the output is a %s; only files and folders can be in a result", name, kind(info.Mode()))
		}
		entries = append(entries, entry{name, info})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return entries, nil
}

func (e entry) write(root *os.Root, archive *tar.Writer) error {
	header := &tar.Header{
		Format: tar.FormatGNU, Typeflag: tar.TypeReg, Name: e.name, Mode: 0o644,
		Size: e.info.Size(), ModTime: time.Unix(0, 0),
	}
	switch {
	case e.info.IsDir():
		header.Typeflag, header.Name, header.Mode, header.Size = tar.TypeDir, e.name+"/", 0o755, 0
	case e.info.Mode()&0o100 != 0:
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if e.info.IsDir() {
		return nil
	}
	file, err := root.Open(e.name)
	if err != nil {
		return err
	}
	defer file.Close()
	if n, err := io.Copy(archive, file); err != nil {
		return err
	} else if n != header.Size {
		return fmt.Errorf("it had %d bytes and now %d", header.Size, n)
	}
	return nil
}

// counter refuses what goes beyond limit.
type counter struct {
	to    io.Writer
	size  int64
	limit int64
}

func (c *counter) Write(p []byte) (int, error) {
	if c.size+int64(len(p)) > c.limit {
		return 0, tooLarge(c.limit)
	}
	n, err := c.to.Write(p)
	c.size += int64(n)
	return n, err
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: its archive has more than %d bytes", ErrTooLarge, limit)
}

func kind(m fs.FileMode) string {
	switch m.Type() {
	case fs.ModeSymlink:
		return "symbolic link"
	case fs.ModeNamedPipe:
		return "named pipe"
	case fs.ModeSocket:
		return "socket"
	}
	return "device (" + strings.TrimSpace(m.Type().String()) + ")"
}
