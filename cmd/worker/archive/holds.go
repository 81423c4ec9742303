package archive

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// ErrWrong is wrapped by Holds' error when the fault is the archive's.
var ErrWrong = errors.New("the archive does not hold the agreed result")

// Holds sees whether the archive at path, which another worker has made and may lie
// in any way, is one of PackZip's whose content has a digest, as Digest gives it;
// most is how many files and folders it may hold. Nothing is unpacked: files are
// stored without compression, so an archive cannot hold more than itself.
func Holds(path string, digest pool.Digest, callsBack bool, most int) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the archive: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("looking at the archive: %w", err)
	}
	err = holds(file, info.Size(), digest, callsBack, most)
	if disk := (*fs.PathError)(nil); err == nil || errors.As(err, &disk) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrWrong, err)
}

func holds(file io.ReaderAt, size int64, digest pool.Digest, callsBack bool, most int) error {
	if err := countEntries(file, size, most); err != nil {
		return err
	}
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return err
	}
	p, err := unpack(archive.File, size, most)
	if err != nil {
		return err
	}
	computed, err := p.computed()
	if err != nil {
		return err
	}
	if callsBack {
		if computed.Callback == nil {
			return errors.New("it does not say what to call back with")
		}
		data, err := hex.DecodeString(strings.TrimPrefix(*computed.Callback, "0x"))
		if err != nil || pool.Digest(ethsig.Keccak(data)) != digest {
			return errors.New("what it says to call back with was not agreed upon")
		}
		return nil
	}
	for _, place := range places(computed.Path) {
		if got, there, err := p.at(place, computed.Path != nil); err != nil || there && got == digest {
			return err
		}
	}
	return errors.New("its content has another digest")
}

// Numbers of the zip format (APPNOTE.TXT 4.3).
const (
	endSize, endMark     = 22, 0x06054b50
	farSize, farMark     = 20, 0x07064b50
	entrySize, entryMark = 46, 0x02014b50
)

const longestName = 4096 // bytes: PATH_MAX

// countEntries bounds the directory of a zip before it is read whole: it takes far
// more memory than disk. There may be nothing behind it, and no second one.
func countEntries(file io.ReaderAt, size int64, most int) error {
	end := make([]byte, farSize+endSize)
	if n, err := file.ReadAt(end[max(0, int64(len(end))-size):], max(0, size-int64(len(end)))); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if n < endSize {
		return errors.New("it is no zip")
	}
	le := binary.LittleEndian
	last := end[farSize:]
	length, from := int64(le.Uint32(last[12:])), int64(le.Uint32(last[16:]))
	if le.Uint32(last) != endMark || le.Uint16(last[20:]) != 0 || from+length+endSize != size || le.Uint32(end) == farMark {
		return errors.New("it is no zip of the form that is agreed upon")
	}
	directory := bufio.NewReader(io.NewSectionReader(file, from, length))
	entry := make([]byte, entrySize)
	for n := 0; ; n++ {
		_, err := io.ReadFull(directory, entry)
		if errors.Is(err, io.EOF) {
			return nil
		}
		name, more := int(le.Uint16(entry[28:])), le.Uint32(entry[30:])
		if err == nil && (le.Uint32(entry) != entryMark || n == most || name > longestName || more != 0) {
			return fmt.Errorf("its directory is none of at most %d entries with nothing but names", most)
		}
		if err == nil {
			_, err = directory.Discard(name)
		}
		if err != nil {
			return fmt.Errorf("its directory: %w", err)
		}
	}
}

// packed is what a zip holds, by name.
type packed struct {
	tree
	files map[string]*zip.File
}

// unpack looks at each entry of a zip.
func unpack(entries []*zip.File, size int64, most int) (packed, error) {
	p := packed{files: map[string]*zip.File{}}
	p.tree = tree{folders: map[string][]string{".": {}}, open: func(name string) (io.ReadCloser, error) { return p.files[name].Open() }}
	for _, f := range entries {
		name, folder := strings.CutSuffix(f.Name, "/")
		if name != path.Clean(name) || name == "." || !filepath.IsLocal(name) {
			return p, fmt.Errorf("%.100q is no name in an output", f.Name)
		}
		size -= int64(min(f.UncompressedSize64, math.MaxUint32))
		if f.Method != zip.Store || f.Flags&^nameInUTF8 != 0 || f.CompressedSize64 != f.UncompressedSize64 || size < 0 ||
			folder != f.Mode().IsDir() || !folder && !f.Mode().IsRegular() {
			return p, fmt.Errorf("%.100q is not stored as files and folders are", f.Name)
		}
		if p.files[name] != nil || p.folders[name] != nil || !p.add(name) || len(p.files)+len(p.folders) > most {
			return p, fmt.Errorf("%.100q is there twice, is below a file, or is beyond %d files and folders", f.Name, most)
		}
		if folder {
			p.folders[name] = []string{}
		} else {
			p.files[name] = f
		}
	}
	return p, nil
}

// add puts a new name into the folder above it, and that, when it is new, into the
// one above: a folder that holds something needs no entry of its own.
func (p packed) add(name string) bool {
	for {
		above := path.Dir(name)
		if p.files[above] != nil {
			return false
		}
		_, known := p.folders[above]
		p.folders[above] = append(p.folders[above], name)
		if known {
			return true
		}
		name = above
	}
}

// computed reads the archive's computed.json; nothing is said when there is none.
func (p packed) computed() (said, error) {
	var out said
	f := p.files[computedName]
	if f == nil {
		return out, nil
	}
	file, err := f.Open()
	if err != nil {
		return out, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, computedMost+1))
	if err == nil && len(text) > computedMost {
		err = fmt.Errorf("%s has more than %d bytes", computedName, computedMost)
	}
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(text, &out)
}

// places gives where the deterministic output may lie that computed.json names. An
// absolute path may begin with the folder of the machine that made it, of which
// nothing is known here: what is left without it is one of its ends.
func places(named *string) []string {
	if named == nil {
		return []string{"."}
	}
	below := path.Clean(*named)
	if !path.IsAbs(below) {
		return []string{below}
	}
	if rest, ok := strings.CutPrefix(below+"/", iexecOut); ok {
		return []string{path.Clean(rest)}
	}
	var all []string
	for rest, more := below[1:], true; more; {
		all = append(all, rest)
		_, rest, more = strings.Cut(rest, "/")
	}
	return append(all, ".")
}

// at gives the digest of what lies at a place, false when there is nothing. Where
// computed.json names the whole output, it is not of it itself.
func (p packed) at(place string, named bool) (pool.Digest, bool, error) {
	if named && place == "." {
		p.folders["."] = slices.DeleteFunc(p.folders["."], func(name string) bool { return name == computedName })
	}
	of := p.file
	if p.folders[place] != nil {
		of = p.folder
	} else if p.files[place] == nil {
		return pool.Digest{}, false, nil
	}
	digest, err := of(place)
	return digest, true, err
}
