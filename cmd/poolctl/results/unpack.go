package results

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrUnsafe is wrapped by the errors of archives that would do more than put
// files into their folder. Workers make archives, and workers may lie.
var ErrUnsafe = errors.New("the archive is not safe to unpack")

const maxEntries = 100_000 // files and folders of one archive

// Unpack puts the files of a tar archive into the empty folder dir. It takes
// regular files and folders with local names only, each once, with at most limit
// bytes in all; of their modes it keeps whether the owner may execute. What was
// written before an error is the caller's to remove.
func Unpack(archive io.Reader, dir string, limit int64) error {
	root, err := os.OpenRoot(dir) // the kernel refuses whatever leaves it
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer root.Close()
	tape := tar.NewReader(archive)
	for n := 0; ; n++ {
		header, err := tape.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		// Insecure names get their own words below.
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("reading the archive: %w", err)
		}
		if n >= maxEntries {
			return fmt.Errorf("more than %d files: %w", maxEntries, ErrUnsafe)
		}
		if limit -= header.Size; header.Size < 0 || limit < 0 {
			return fmt.Errorf("%q: the files are larger than the archive: %w", header.Name, ErrUnsafe)
		}
		if err := put(root, header, tape); err != nil {
			return fmt.Errorf("unpacking %q: %w", header.Name, err)
		}
	}
}

func put(root *os.Root, header *tar.Header, content io.Reader) error {
	name := filepath.FromSlash(header.Name)
	if !filepath.IsLocal(name) {
		return fmt.Errorf("it lies outside of the folder: %w", ErrUnsafe)
	}
	switch header.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(name, 0o755); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
		return nil
	case tar.TypeReg:
	default:
		return fmt.Errorf("it is neither file nor folder (type %q): %w", header.Typeflag, ErrUnsafe)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("making its folder: %w", err)
	}
	mode := os.FileMode(0o644)
	if header.Mode&0o100 != 0 {
		mode = 0o755
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("it stands there twice: %w", ErrUnsafe)
	}
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	if _, err := io.Copy(file, content); err != nil {
		return errors.Join(fmt.Errorf("writing the file: %w", err), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	return nil
}
