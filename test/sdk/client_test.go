//go:build sdk

package sdk

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	docker "github.com/moby/moby/client"

	"workerpool/shared/pool"
)

// program is what workers know the app by that is no image.
const program = "app"

// runs lets workers run it.
func runs() []string { return []string{"-apps", program + "=" + filepath.Join(built, "bin", "app")} }

// TestClientBuys lets the client buy at trust 1, at which it can judge the end
// itself, and fetch the results.
func TestClientBuys(t *testing.T) {
	t.Parallel()
	b := newStage(t).open(t, 1, runs()...)
	r := b.requester(t, b.url)
	r.buysAndFetches(b, r.app(r.address, program))
}

// TestDockerClientBuys does it with an app that the client itself has registered.
func TestDockerClientBuys(t *testing.T) {
	engine := os.Getenv("DOCKER_HOST")
	if engine == "" {
		t.Fatal("no DOCKER_HOST: make e2e-sdk")
	}
	image := newImage(t, engine)
	b := newStage(t).open(t, 1, "-docker", engine, "-docker-images", image)
	r := b.requester(t, b.url)
	r.buysAndFetches(b, r.deploy(image))
}

// dealt is what iExec's client shows of a deal that it has watched to its end.
type dealt struct {
	TasksCount          int
	CompletedTasksCount int
	FailedTasksCount    int
	Deal                struct{ Tasks []string }
}

func (r *requester) buysAndFetches(b *bench, app pool.Address) {
	r.t.Helper()
	const volume = 2
	deal := r.buy(order{app: app, volume: volume, trust: 1, args: "tile 'a b' 7"}, b.order("1", "5"))
	var end dealt
	r.iexec(&end, "deal", "show", deal, "--watch")
	if end.TasksCount != volume || end.CompletedTasksCount != volume || end.FailedTasksCount != 0 || len(end.Deal.Tasks) != volume {
		r.t.Fatalf("the deal: %+v", end)
	}
	for _, task := range end.Deal.Tasks {
		var shown struct {
			Task       struct{ StatusName string }
			ResultPath string
		}
		r.iexec(&shown, "task", "show", task, "--download")
		if shown.Task.StatusName != "COMPLETED" {
			r.t.Errorf("task %s: %+v", task, shown)
		}
		archive, err := os.ReadFile(shown.ResultPath)
		if err != nil {
			r.t.Fatal(err)
		}
		if got, want := fileIn(r.t, archive, "result.txt"), "tile a b 7\n"; got != want {
			r.t.Errorf("task %s: result %q, want %q", task, got, want)
		}
	}
	var account struct {
		Balance struct{ Stake, Locked json.Number }
	}
	r.iexec(&account, "account", "show")
	if spent := json.Number(fmt.Sprint(deposited - volume*price)); account.Balance.Stake != spent || account.Balance.Locked != "0" {
		r.t.Errorf("the requester's account: %+v, want %s nRLC and none locked", account.Balance, spent)
	}
	b.check(volume)
}

// fileIn gives a file of a result archive, which is a zip as iExec's clients expect it.
func fileIn(t *testing.T, archive []byte, name string) string {
	t.Helper()
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	content, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// newImage puts the test's app into an image of the engine.
func newImage(t *testing.T, engine string) string {
	t.Helper()
	api, err := docker.New(docker.WithHost(engine))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	text, err := os.ReadFile(filepath.Join(built, "bin", "app"))
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	err = w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(text))})
	if err == nil {
		_, err = w.Write(text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	image := "workerpool.test/" + strings.ToLower(rand.Text()) + "/app:1"
	answer, err := api.ImageImport(t.Context(), docker.ImageImportSource{Source: &layer, SourceName: "-"}, image, docker.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/app"]`}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	if said, err := io.ReadAll(answer); err != nil || bytes.Contains(said, []byte("errorDetail")) {
		t.Fatalf("%s, %v", said, err)
	}
	t.Cleanup(func() {
		if _, err := api.ImageRemove(context.Background(), image, docker.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	return image
}
