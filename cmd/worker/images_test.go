//go:build linux

package main

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asked configures a worker that runs no programs unless it is told to.
func asked(arguments ...string) (config, error) {
	return configure(append([]string{"-pool", "https://pool.example.com", "-login", "me"}, arguments...), from(map[string]string{"WORKER_PASSWORD": "hush"}), io.Discard)
}

func TestImagesAreTheOwnersChoice(t *testing.T) {
	if _, err := asked(); err == nil || !strings.Contains(err.Error(), "-apps: allow at least one program, or images by -docker") {
		t.Errorf("neither programs nor images: %v", err)
	}
	c, err := asked("-apps", "sh=/bin/sh")
	if engine, engineErr := c.engine("m", nil); err != nil || engineErr != nil || engine != nil || engine.ready() {
		t.Errorf("an engine that nobody named: %v, %v, %v", engine, err, engineErr)
	}
	for _, bad := range [][]string{
		{"-docker", "unix:///run/docker.sock"},
		{"-docker", "tcp://10.0.0.1:2375", "-docker-images", "*"},
		{"-docker", "unix:///run/docker.sock", "-docker-images", "*", "-docker-network", "host"},
	} {
		if _, err := asked(bad...); err == nil || !strings.Contains(err.Error(), "-docker-images") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	c, err = asked("-docker", "unix:///run/docker.sock", "-docker-images", "alpine:*,a/*", "-docker-network", "bridge")
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	c.show(&printed)
	for _, want := range []string{"docker = unix:///run/docker.sock\n", "docker-images = alpine:*,a/*\n", "docker-network = bridge\n"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("no %q in\n%s", want, printed.String())
		}
	}
}

// What the pool is told follows the engine's going and coming; the owner is told
// once of each.
func TestImagesOnlyWhileTheEngineAnswers(t *testing.T) {
	dir, err := os.MkdirTemp("", "engine") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "sock")
	c, err := asked("-docker", "unix://"+socket, "-docker-images", "*")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	engine, err := c.engine("m", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	told := func(want bool, warnings, news int) {
		t.Helper()
		for range 2 {
			if got := c.capabilities(1<<30, engine.ready()).Docker; got != want {
				t.Errorf("docker %v\n%s", got, log.String())
			}
		}
		if w, n := strings.Count(log.String(), "level=WARN"), strings.Count(log.String(), "level=INFO"); w != warnings || n != news {
			t.Errorf("%d warnings, %d news\n%s", w, n, log.String())
		}
	}
	told(false, 1, 0)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		switch r.URL.Path {
		case "/_ping":
		case "/v1.41/info":
			_, _ = io.WriteString(w, `{"OSType":"linux","MemoryLimit":true,"PidsLimit":true,"CpuCfsQuota":true}`)
		case "/v1.41/containers/json":
			_, _ = io.WriteString(w, `[]`)
		default:
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	told(true, 1, 1)
	server.Close()
	told(false, 2, 1)
}
