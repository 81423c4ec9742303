package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"workerpool/infra/local/sigv4"
)

// disk keeps one bucket in three folders: the objects under their keys, what is
// known about each under the same path, and the uploads on their way.
type disk struct {
	objects, abouts, incoming string

	mu sync.RWMutex // an object and what is known about it change together
}

// about is what is known about an object beside its bytes. Size and ModTime tie
// it to them.
type about struct {
	Size      int64             `json:"size"`
	ModTime   time.Time         `json:"mod_time"`
	ETag      string            `json:"etag"`
	Headers   map[string]string `json:"headers,omitempty"`
	Checksums map[string]string `json:"checksums,omitempty"` // header -> base64
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func openDisk(dir, bucket string) (*disk, error) {
	if !bucketName.MatchString(bucket) {
		return nil, fmt.Errorf("%q is no bucket name", bucket)
	}
	root := filepath.Join(dir, bucket)
	d := &disk{objects: filepath.Join(root, "objects"), abouts: filepath.Join(root, "about"), incoming: filepath.Join(root, "incoming")}
	if err := os.RemoveAll(d.incoming); err != nil {
		return nil, fmt.Errorf("remove interrupted uploads: %w", err)
	}
	for _, path := range []string{d.objects, d.abouts, d.incoming} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, fmt.Errorf("make the bucket's folders: %w", err)
		}
	}
	return d, nil
}

// fileOf is where a key is kept, below the folder of objects or abouts. Each part
// between slashes is one percent-encoded name, so none leads anywhere else.
func fileOf(key string) (string, error) {
	if len(key) > 1024 {
		return "", refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	}
	if key == "" || !utf8.ValidString(key) {
		return "", refuse(http.StatusBadRequest, "InvalidArgument", "A key is 1 to 1024 bytes of UTF-8")
	}
	parts := strings.Split(key, "/")
	for i, part := range parts {
		switch part {
		case "":
			parts[i] = "%" // never the encoding of anything else
		case ".", "..":
			parts[i] = strings.ReplaceAll(part, ".", "%2E")
		default:
			parts[i] = sigv4.Escape(part, " =@,+")
		}
		if len(parts[i]) > 255 {
			return "", refuse(http.StatusBadRequest, "KeyTooLongError", "A part of your key is too long for a file name")
		}
	}
	return filepath.Join(parts...), nil
}

func keyOf(file string) (string, error) {
	parts := strings.Split(filepath.ToSlash(file), "/")
	for i, part := range parts {
		if part == "%" {
			parts[i] = ""
			continue
		}
		plain, err := url.PathUnescape(part)
		if err != nil {
			return "", fmt.Errorf("file %s is no object: %w", file, err)
		}
		parts[i] = plain
	}
	return strings.Join(parts, "/"), nil
}

// receive writes a body to a file of its own and answers its path and size.
func (d *disk) receive(body io.Reader, sums io.Writer) (path string, size int64, err error) {
	f, err := os.CreateTemp(d.incoming, "")
	if err != nil {
		return "", 0, fmt.Errorf("begin an upload: %w", err)
	}
	size, err = io.Copy(io.MultiWriter(f, sums), body)
	if closed := f.Close(); err == nil {
		err = closed // a full disk may show only here
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what is left is removed at the next start
		return "", 0, fmt.Errorf("receive an upload: %w", err)
	}
	return f.Name(), size, nil
}

// commit makes a received file the object of a key.
func (d *disk) commit(received, key string, a about) error {
	file, err := fileOf(key)
	if err != nil {
		return err
	}
	info, err := os.Stat(received)
	if err != nil {
		return fmt.Errorf("look at the upload: %w", err)
	}
	a.Size, a.ModTime = info.Size(), info.ModTime()
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode what is known about %s: %w", key, err)
	}
	described := received + ".about"
	defer os.Remove(described) // there only if the renames failed
	if err := os.WriteFile(described, text, 0o644); err != nil {
		return fmt.Errorf("write what is known about %s: %w", key, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, move := range [][2]string{{received, filepath.Join(d.objects, file)}, {described, filepath.Join(d.abouts, file)}} {
		err := os.MkdirAll(filepath.Dir(move[1]), 0o755)
		if err == nil {
			err = os.Rename(move[0], move[1])
		}
		if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EEXIST) || errors.Is(err, syscall.EISDIR) {
			return refuse(http.StatusNotImplemented, "NotImplemented", "Another object has the name of this one's folder, or the other way round.")
		}
		if err != nil {
			return fmt.Errorf("store %s: %w", key, err)
		}
	}
	return nil
}

// open answers an object's file and what is known about it.
func (d *disk) open(key string) (*os.File, about, error) {
	file, err := fileOf(key)
	if err != nil {
		return nil, about{}, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, err := os.Open(filepath.Join(d.objects, file))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, about{}, noKey()
	}
	if err != nil {
		return nil, about{}, fmt.Errorf("open %s: %w", key, err)
	}
	a, err := describe(f, filepath.Join(d.abouts, file))
	if err != nil {
		_ = f.Close()
		return nil, about{}, err
	}
	return f, a, nil
}

func noKey() *fault {
	return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// describe reads what is known about an open object. A file that does not match
// it was put there by hand, or the process died between two renames: then the
// bytes tell what they can.
func describe(f *os.File, path string) (about, error) {
	info, err := f.Stat()
	if err != nil {
		return about{}, fmt.Errorf("look at an object: %w", err)
	}
	if info.IsDir() {
		return about{}, noKey()
	}
	var a about
	text, err := os.ReadFile(path)
	if err == nil && json.Unmarshal(text, &a) == nil && a.Size == info.Size() && a.ModTime.Equal(info.ModTime()) {
		return a, nil
	}
	sum := md5.New()
	if _, err := io.Copy(sum, f); err != nil {
		return about{}, fmt.Errorf("read an object: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return about{}, fmt.Errorf("rewind an object: %w", err)
	}
	return about{Size: info.Size(), ModTime: info.ModTime(), ETag: hex.EncodeToString(sum.Sum(nil))}, nil
}

// remove deletes an object, if it is there, and the folders it leaves empty.
func (d *disk) remove(key string) error {
	file, err := fileOf(key)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, root := range []string{d.objects, d.abouts} {
		path := filepath.Join(root, file)
		if info, err := os.Lstat(path); err != nil || info.IsDir() {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("delete %s: %w", key, err)
		}
		for dir := filepath.Dir(path); dir != root && os.Remove(dir) == nil; dir = filepath.Dir(dir) {
			continue
		}
	}
	return nil
}

// keys are the keys with a prefix that come after one, sorted.
func (d *disk) keys(prefix, after string) ([]string, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var keys []string
	err := filepath.WalkDir(d.objects, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := filepath.Rel(d.objects, path)
		if err != nil {
			return err
		}
		key, err := keyOf(file)
		if err == nil && strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the objects: %w", err)
	}
	slices.Sort(keys)
	return keys, nil
}
