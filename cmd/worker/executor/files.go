//go:build linux

package executor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// TooMuch tells which limit on files is broken, "" for none, and how long it took
// to look. before is what the folder had on disk before the program, bytes.
func TooMuch(s Spec, before int64) (reason string, took time.Duration) {
	begun := time.Now()
	out, all := measure(s.Output), measure(s.Folder)
	onDisk := all.disk - before
	took = time.Since(begun)
	switch {
	case s.Limits.Scratch > 0 && all.shut != "":
		return fmt.Sprintf("its disk use cannot be measured: nobody may look into its folder %q", filepath.Base(all.shut)), took
	case s.Limits.Files > 0 && out.files > s.Limits.Files:
		return fmt.Sprintf("its output has %d files, %d are allowed", out.files, s.Limits.Files), took
	case s.Limits.Output > 0 && out.bytes > s.Limits.Output:
		return fmt.Sprintf("its output has %d bytes, %d are allowed", out.bytes, s.Limits.Output), took
	case s.Limits.Scratch > 0 && onDisk > s.Limits.Scratch:
		return fmt.Sprintf("it uses %d MiB of disk, %d are allowed", onDisk>>20, s.Limits.Scratch>>20), took
	}
	return "", took
}

// OnDisk gives the bytes that what lies below a folder takes up, for TooMuch.
func OnDisk(folder string) int64 { return measure(folder).disk }

type extent struct {
	files int
	bytes int64  // as files say
	disk  int64  // as stored
	shut  string // a folder that may not be read; "" = none
}

// measure adds up what lies below a folder, and follows no link, not the folder
// itself if it is one. What vanishes while it looks does not count.
func measure(folder string) extent {
	var sum extent
	if folder == "" {
		return sum
	}
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrPermission) {
			sum.shut = path
		}
		if err != nil || path == folder {
			return nil
		}
		sum.files++
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		if info.Mode().IsRegular() {
			sum.bytes += info.Size()
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			sum.disk += stat.Blocks * 512
		}
		return nil
	})
	return sum
}

// Stream keeps the beginning of what a program says on one of its outputs and
// swallows the rest, so that the program never waits for us. It remembers the last
// bytes.
type Stream struct {
	In   *os.File // the program's end
	file *os.File
	last tail // not to be read before done
	done chan struct{}
}

// Capture makes a file and the Stream that keeps the first MaxStream bytes in it.
// End must be called, by which it is known to be whole.
func Capture(path string) (*Stream, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the file for the program's words: %w", err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making the pipe for the program's words: %w", err)
	}
	s := &Stream{In: in, file: file, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer out.Close()
		// A full disk costs the words, not the run.
		words := io.TeeReader(out, &s.last)
		_, _ = io.Copy(file, io.LimitReader(words, MaxStream))
		_, _ = io.Copy(io.Discard, words)
	}()
	return s, nil
}

// End waits for the last words; every process that holds the other end is dead.
func (s *Stream) End() error {
	if err := s.In.Close(); err != nil {
		return fmt.Errorf("closing the pipe for the program's words: %w", err)
	}
	<-s.done
	// Words that could not be written are lost; nothing depends on them.
	_ = s.file.Close()
	return nil
}

// Words gives the end of what was said, fit for Outcome.Words. It is for after End.
func (s *Stream) Words() string { return lastWords(s.last.kept) }
