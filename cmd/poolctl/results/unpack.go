package results

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUnsafe is wrapped by the errors of archives that would do more than put
// files into their folder. Workers make archives, and workers may lie.
var ErrUnsafe = errors.New("the archive is not safe to unpack")

const maxEntries = 100_000 // files and folders of one archive

// Unpack puts the files of an archive of size bytes, a zip (of a deal) or a tar,
// into the empty folder dir. It takes regular files and folders with local names
// only, each once, with at most limit bytes in all; of their modes it keeps whether
// the owner may execute. What was written before an error is the caller's to remove.
func Unpack(archive io.ReaderAt, size int64, dir string, limit int64) error {
	root, err := os.OpenRoot(dir) // the kernel refuses whatever leaves it
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer root.Close()
	to := &folder{root: root, room: limit}
	var first [4]byte
	if _, err := archive.ReadAt(first[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the archive: %w", err)
	}
	switch string(first[:]) {
	case "PK\x03\x04", "PK\x05\x06": // of a file, of the end
		return to.unzip(archive, size)
	}
	return to.untar(io.NewSectionReader(archive, 0, size))
}

// folder is what an archive is unpacked into.
type folder struct {
	root    *os.Root
	room    int64 // bytes that may still come
	entries int   // that came
}

func (f *folder) untar(archive io.Reader) error {
	tape := tar.NewReader(archive)
	for {
		header, err := tape.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		// Insecure names get their own words below.
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("reading the archive: %w", err)
		}
		mode := fs.FileMode(header.Mode).Perm()
		switch header.Typeflag {
		case tar.TypeReg:
		case tar.TypeDir:
			mode |= fs.ModeDir
		default: // links too
			mode |= fs.ModeIrregular
		}
		if err := f.put(header.Name, mode, header.Size, tape); err != nil {
			return fmt.Errorf("unpacking %q: %w", header.Name, err)
		}
	}
}

func (f *folder) unzip(archive io.ReaderAt, size int64) error {
	all, err := zip.NewReader(archive, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("reading the archive: %w", err)
	}
	for _, file := range all.File {
		content, err := file.Open() // never gives more than the size, and checks the sum
		if err == nil {
			err = f.put(file.Name, file.Mode(), int64(file.UncompressedSize64), content)
			err = errors.Join(err, content.Close())
		}
		if err != nil {
			return fmt.Errorf("unpacking %q: %w", file.Name, err)
		}
	}
	return nil
}

// put makes one file, or folder, of an archive.
func (f *folder) put(name string, mode fs.FileMode, size int64, content io.Reader) error {
	if f.entries++; f.entries > maxEntries {
		return fmt.Errorf("more than %d files: %w", maxEntries, ErrUnsafe)
	}
	if f.room -= size; size < 0 || f.room < 0 {
		return fmt.Errorf("the files are larger than the archive: %w", ErrUnsafe)
	}
	name = filepath.FromSlash(name)
	if !filepath.IsLocal(name) {
		return fmt.Errorf("it lies outside of the folder: %w", ErrUnsafe)
	}
	switch {
	case mode.IsDir():
		if err := f.root.MkdirAll(name, 0o755); err != nil {
			return fmt.Errorf("making the folder: %w", err)
		}
		return nil
	case !mode.IsRegular():
		return fmt.Errorf("it is neither file nor folder (%v): %w", mode, ErrUnsafe)
	}
	if err := f.root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("making its folder: %w", err)
	}
	rights := fs.FileMode(0o644)
	if mode&0o100 != 0 {
		rights = 0o755
	}
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, rights)
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
