package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"unicode/utf8"
)

// PackZip is Pack for a deal: the archive is a zip, as `iexec task show --download`
// stores and dApps unpack it, of everything in the output folder, as iExec's own
// worker makes it; Digest judges only what computed.json names.
//
// The format: entries sorted as Pack sorts them, stored without compression (whose
// bytes differ between versions of a library), sizes and CRC-32 in front of the
// content (readers of a stream cannot find the end of a stored file otherwise),
// modes as in Pack, the time 1980-01-01 00:00, no extra fields. Folders that hold
// something have no entry of their own. The archive is below 4 GiB in any case, so
// no number in it needs the extensions that old readers do not know.
func PackZip(out, path string, limit int64) (Packed, error) {
	limit = min(limit, math.MaxUint32)
	return seal(out, path, limit, func(root *os.Root, w io.Writer) error { return writeZip(root, limit, w) })
}

// newYear1980 is the first day that a zip can tell: the month in front of five bits
// of the day, the years since 1980 in front of both.
const newYear1980 = 1<<5 | 1

// nameInUTF8 is the flag of entries whose names are in UTF-8.
const nameInUTF8 = 0x800

func writeZip(root *os.Root, limit int64, w io.Writer) error {
	entries, err := list(root, choice{path: "."})
	if err != nil {
		return err
	}
	filled := map[string]bool{} // folders
	room := limit
	for _, e := range entries {
		filled[path.Dir(e.name)] = true
		if e.info.IsDir() {
			continue
		}
		if room -= e.info.Size(); room < 0 { // told before all is read twice
			return tooLarge(limit)
		}
	}
	archive := zip.NewWriter(w)
	for _, e := range entries {
		if e.info.IsDir() && filled[e.name] {
			continue
		}
		if err := e.writeZip(root, archive); err != nil {
			return fmt.Errorf("archiving %q: %w", e.name, err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("ending the archive: %w", err)
	}
	return nil
}

func (e entry) writeZip(root *os.Root, archive *zip.Writer) error {
	header := &zip.FileHeader{Name: e.name, Method: zip.Store, CreatorVersion: 20, ReaderVersion: 20}
	//lint:ignore SA1019 CreateRaw writes this field and not Modified
	header.ModifiedDate = newYear1980
	if utf8.ValidString(e.name) {
		header.Flags = nameInUTF8
	}
	if e.info.IsDir() {
		header.Name += "/"
		header.SetMode(fs.ModeDir | 0o755)
		_, err := archive.CreateRaw(header)
		return err
	}
	header.SetMode(0o644)
	if e.info.Mode()&0o100 != 0 {
		header.SetMode(0o755)
	}
	sum, size, err := e.read(root, io.Discard)
	if err != nil {
		return err
	}
	header.CRC32, header.CompressedSize64, header.UncompressedSize64 = sum, uint64(size), uint64(size)
	to, err := archive.CreateRaw(header)
	if err != nil {
		return err
	}
	if again, n, err := e.read(root, to); err != nil {
		return err
	} else if again != sum || n != size {
		return errors.New("it changes while it is read")
	}
	return nil
}

// read copies a file and gives its CRC-32 and size.
func (e entry) read(root *os.Root, to io.Writer) (sum uint32, size int64, err error) {
	file, err := root.Open(e.name)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	check := crc32.NewIEEE()
	size, err = io.Copy(io.MultiWriter(to, check), file)
	return check.Sum32(), size, err
}
