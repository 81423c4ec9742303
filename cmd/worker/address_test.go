//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"workerpool/shared/wire"
)

func TestAddressIsTheSameForAllSpellings(t *testing.T) {
	for pool, want := range map[string]string{
		"https://Pool.example.com:443/":       "https://pool.example.com",
		"HTTPS://pool.example.com":            "https://pool.example.com",
		"https://me:hush@pool.example.com/x/": "https://pool.example.com/x",
		"http://pool.example.com:80/X":        "http://pool.example.com/X",
		"http://pool.example.com:443":         "http://pool.example.com:443",
		"http://[::1]:8080/a%2Fb":             "http://[::1]:8080/a%2Fb",
	} {
		if got := address(pool); got != want {
			t.Errorf("%s: %s, want %s", pool, got, want)
		}
	}
}

func TestInTheClear(t *testing.T) {
	for pool, want := range map[string]bool{
		"https://pool.example.com": false, "http://pool.example.com": true, "http://10.0.0.1:80": true,
		"http://localhost:8080": false, "http://127.0.0.9": false, "http://[::1]:8080": false, "http://localhost.example.com": true,
	} {
		if got := inTheClear(pool); got != want {
			t.Errorf("%s: %v", pool, got)
		}
	}
}

func TestWorkerWarnsOnceOfAPlainWay(t *testing.T) {
	// 0.0.0.0 is this machine, but not by the name of loopback.
	s := newScript(t, nil)
	for way, want := range map[string]int{s.URL: 0, strings.Replace(s.URL, "127.0.0.1", "0.0.0.0", 1): 1} {
		w, log := workerAt(t, way, t.TempDir())
		<-s.seen
		ended(t, w)
		if n := strings.Count(log.String(), "not encrypted"); n != want {
			t.Errorf("%s: %d warnings\n%s", way, n, log.String())
		}
	}
}

func TestWorkerThatGoesToAnotherPoolBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	first := newScript(t, map[int64]wire.Run{5: shell("exec sleep 1000")})
	w, _ := worker(t, first, dir, "-grace", "0s")
	first.until(t, 5, "running")
	ended(t, w)
	second := newScript(t, nil)
	w, log := worker(t, second, dir)
	<-second.seen
	ended(t, w)
	second.mu.Lock()
	defer second.mu.Unlock()
	if len(second.latest) != 0 || len(second.keys) != 1 || second.keys[first.keyText()] {
		t.Errorf("the second pool heard of %v by the keys %v", second.latest, second.keys)
	}
	aside := filepath.Join(dir, "old-1")
	if _, err := os.Stat(filepath.Join(aside, "works", "5.1", "state.json")); err != nil || !bytes.Contains(log.Bytes(), []byte(aside)) {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// ended ends a worker in good order.
func ended(t *testing.T, w *exec.Cmd) {
	t.Helper()
	if err := w.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.Wait(); err != nil {
		t.Error(err)
	}
}
