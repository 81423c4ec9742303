//go:build linux && docker

package container

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	cerrdefs "github.com/containerd/errdefs"

	"workerpool/cmd/worker/executor"
)

// registry serves one image, a/b:1, as a registry does
// (https://distribution.github.io/distribution/spec/api/). On this machine's own
// address the engine asks without TLS.
type registry struct {
	*httptest.Server
	asked    atomic.Int64
	manifest []byte
}

func sum(text []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(text)) }

func newRegistry(t *testing.T) *registry {
	t.Helper()
	files := layer(t)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(files); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	encode := func(value any) []byte {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	settings := encode(map[string]any{
		"os": "linux", "architecture": runtime.GOARCH, "config": map[string]any{"Entrypoint": []string{inside}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{sum(files)}},
	})
	const kind = "application/vnd.docker.distribution.manifest.v2+json"
	part := func(kind string, text []byte) map[string]any {
		return map[string]any{"mediaType": kind, "size": len(text), "digest": sum(text)}
	}
	r := &registry{manifest: encode(map[string]any{
		"schemaVersion": 2, "mediaType": kind, "config": part("application/vnd.docker.container.image.v1+json", settings),
		"layers": []any{part("application/vnd.docker.image.rootfs.diff.tar.gzip", packed.Bytes())},
	})}
	blobs := map[string][]byte{sum(settings): settings, sum(packed.Bytes()): packed.Bytes()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/{$}", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("GET /v2/a/b/manifests/{which}", func(w http.ResponseWriter, q *http.Request) {
		r.asked.Add(1)
		if which := q.PathValue("which"); which != "1" && which != sum(r.manifest) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"2"}}]}`)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Docker-Content-Digest", sum(r.manifest))
		_, _ = w.Write(r.manifest)
	})
	mux.HandleFunc("GET /v2/a/b/blobs/{digest}", func(w http.ResponseWriter, q *http.Request) {
		_, _ = w.Write(blobs[q.PathValue("digest")])
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.Close)
	return r
}

func TestDockerPullsWhatIsNotHere(t *testing.T) {
	e, r := docker(t), newRegistry(t)
	name := strings.TrimPrefix(r.URL, "http://") + "/a/b"
	runs := func(image string) (executor.Outcome, error) {
		t.Helper()
		s, _ := spec(t, image, "exit", "0")
		return e.Run(t.Context(), s)
	}
	if out, err := runs(name + ":2"); err != nil || !strings.Contains(out.Reason, "cannot be had") || !strings.Contains(out.Reason, "manifest unknown") {
		t.Errorf("no such image: %+v, %v", out, err)
	}
	for _, image := range []string{name + ":1", name + ":1@" + sum(r.manifest)} {
		if out, err := runs(image); err != nil || out.Reason != "" {
			t.Fatalf("%s: %+v, %v", image, out, err)
		}
		before := r.asked.Load()
		if out, err := runs(image); err != nil || out.Reason != "" || r.asked.Load() != before {
			t.Errorf("%s, which is here: %+v, %v, %d questions to the registry", image, out, err, r.asked.Load()-before)
		}
	}
	unmade(t, e, name+":1")
	r.Close()
	if out, err := runs(name + ":1"); err == nil || out.Reason != "" || !strings.Contains(err.Error(), "pulling image") {
		t.Errorf("registry away: %+v, %v", out, err)
	}
}

// A list of what is allowed cannot be got around by an image's number: it is taken
// for a name, which no registry here has.
func TestDockerTakesNoNumbers(t *testing.T) {
	e := docker(t)
	found, err := e.api.ImageInspect(t.Context(), built(t, e, entry))
	if err != nil {
		t.Fatal(err)
	}
	number := strings.TrimPrefix(found.ID, "sha256:")
	for _, image := range []string{found.ID, number, number[:12]} {
		ref, err := named(image)
		if err != nil {
			continue // no reference at all
		}
		if _, err := e.api.ImageInspect(t.Context(), ref.String()); !cerrdefs.IsNotFound(err) {
			t.Errorf("%s means an image that is here: %v", image, err)
		}
	}
}
