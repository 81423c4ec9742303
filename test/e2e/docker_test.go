//go:build docker

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	docker "github.com/moby/moby/client"

	"workerpool/shared/wire"
)

// engine is the Docker engine that workers of these tests use, with an image of the
// test's app alone.
type engine struct {
	b     *bench
	api   *docker.Client
	image string
}

// withEngine starts a pool whose workers, all to come, run images by the engine at
// DOCKER_HOST.
func withEngine(t *testing.T) *engine {
	t.Helper()
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		t.Fatal("no DOCKER_HOST: make test-docker")
	}
	api, err := docker.New(docker.WithHost(host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	e := &engine{api: api, image: "workerpool.test/" + strings.ToLower(rand.Text()) + "/app:1"}
	program := filepath.Join(t.TempDir(), "app")
	build := exec.Command("go", "build", "-o", program, "./app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // there are no libraries in the image
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	_, err = func() (int, error) {
		if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(text))}); err != nil {
			return 0, err
		}
		return w.Write(text)
	}()
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	answer, err := api.ImageImport(t.Context(), docker.ImageImportSource{Source: &layer, SourceName: "-"}, e.image, docker.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/app"]`}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	if said, err := io.ReadAll(answer); err != nil || bytes.Contains(said, []byte("errorDetail")) {
		t.Fatalf("%s, %v", said, err)
	}
	t.Cleanup(func() {
		if left := e.containers(); len(left) != 0 {
			t.Errorf("containers are left: %v", left)
		}
		if _, err := api.ImageRemove(context.Background(), e.image, docker.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("WORKER_DOCKER", host)
	t.Setenv("WORKER_DOCKER_IMAGES", strings.TrimSuffix(e.image, "app:1")+"*")
	e.b = start(t)
	return e
}

// containers are those that run the image.
func (e *engine) containers() (ids []string) {
	all, err := e.api.ContainerList(context.Background(), docker.ContainerListOptions{All: true, Filters: docker.Filters{}.Add("ancestor", e.image)})
	if err != nil {
		return []string{err.Error()}
	}
	for _, one := range all.Items {
		ids = append(ids, one.ID)
	}
	return ids
}

func (e *engine) submit(image string, trust int, item wire.Item) wire.Accepted {
	e.b.t.Helper()
	accepted, err := e.b.client.Submit(e.b.t.Context(), e.b.operator, rand.Text(), wire.Submission{
		Template: wire.Template{App: wire.App{Type: "docker", Name: image}, Trust: trust}, Items: []wire.Item{item},
	})
	if err != nil {
		e.b.t.Fatal(err)
	}
	return accepted
}

// TestDockerDelivers: an image computes from an input, three workers agree; a work
// whose image fails tells why.
func TestDockerDelivers(t *testing.T) {
	e := withEngine(t)
	b := e.b
	for i := range 3 {
		b.worker(fmt.Sprintf("honest-%d", i))
	}
	const content = "of the requester"
	accepted := e.submit(e.image, 3, wire.Item{Args: []string{"tile", "7"}, Inputs: []wire.Input{input("in.txt", content)}})
	targets, err := b.client.Inputs(t.Context(), b.operator, accepted.Batch)
	if err != nil || len(targets.Inputs) != 1 {
		t.Fatalf("%+v, %v", targets, err)
	}
	if err := b.links.Upload(t.Context(), *targets.Inputs[0].Upload, strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	if still, err := b.client.CheckInputs(t.Context(), b.operator, accepted.Batch); err != nil || still.Missing != 0 {
		t.Fatalf("%+v, %v", still, err)
	}
	if batch := b.wait(accepted); batch.States["done"] != 1 {
		t.Fatalf("%+v: %+v", batch, b.work(accepted.FirstWork))
	}
	if got, want := b.result(accepted.FirstWork), "tile 7\nin.txt:"+content+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	failing := e.submit(e.image, 1, wire.Item{Args: []string{"-fail"}})
	if batch := b.wait(failing); batch.States["failed"] != 1 {
		t.Fatalf("%+v", batch)
	}
	if reason := b.work(failing.FirstWork).Reason; !strings.Contains(reason, "exit status 3: failing as told") {
		t.Errorf("reason %q", reason)
	}
	b.check()
}

// TestDockerKilledWorker: a worker that is killed in the middle of a run comes
// back, removes the container and runs the image anew under the same attempt.
func TestDockerKilledWorker(t *testing.T) {
	e := withEngine(t)
	b := e.b
	w := b.worker("mortal")
	accepted := e.submit(e.image, 1, wire.Item{Args: []string{"-until", "/iexec_in/go", "x"}})
	var first []string
	b.eventually("a container runs", func() (bool, string) {
		first = e.containers()
		return len(first) == 1, fmt.Sprint(first)
	})
	b.running(accepted.FirstWork, w.id())
	w.signal(syscall.SIGKILL)
	<-w.ended
	if left := e.containers(); len(left) != 1 || left[0] != first[0] {
		t.Errorf("containers %v, want %v to outlive its worker", left, first)
	}
	w.start()
	b.eventually("another container runs", func() (bool, string) {
		now := e.containers()
		return len(now) == 1 && now[0] != first[0], fmt.Sprint(now)
	})
	in := filepath.Join(b.dir, "workers", w.name, "works", fmt.Sprintf("%d.1", accepted.FirstWork), "in")
	if err := os.WriteFile(filepath.Join(in, "go"), []byte("on"), 0o644); err != nil {
		t.Fatal(err)
	}
	if batch := b.wait(accepted); batch.States["done"] != 1 {
		t.Fatalf("%+v: %+v", batch, b.work(accepted.FirstWork))
	}
	if got, want := b.result(accepted.FirstWork), "x\ngo:on\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	b.check()
}
