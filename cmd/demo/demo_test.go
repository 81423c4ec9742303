package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"workerpool/cmd/mandelbrot/picture"
)

// standIn makes this test program stand in for localpool: "ready" serves the
// scripted pool, "broken" ends at once; and for the worker: "worker" joins the pool,
// "broken" does not.
const standIn = "DEMO_TEST_LOCALPOOL"

func TestMain(m *testing.M) {
	switch os.Getenv(standIn) {
	case "ready":
		if err := localpool(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "worker":
		if err := worker(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "broken":
		os.Exit(1)
	default:
		os.Exit(m.Run())
	}
}

// localpool takes the arguments that localpool takes, and leaves a file behind
// when it was asked to end.
func localpool(args []string) error {
	if len(args) != 6 || args[0] != "-liar" || args[1] != "-addr" || args[3] != "-dir" || args[5] != "-chain=false" {
		return fmt.Errorf("unexpected arguments %q", args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", args[2])
	if err != nil {
		return err
	}
	server := &http.Server{Handler: (&scripted{}).handler()}
	go func() { _ = server.Serve(listener) }() // ends with Close
	if err := os.WriteFile(filepath.Join(args[4], "operator-password"), []byte("secret\n"), 0o600); err != nil {
		return err
	}
	fmt.Println("some words before")
	fmt.Printf("ready: http://%s\n", args[2])
	<-ctx.Done()
	return errors.Join(server.Close(), os.WriteFile(filepath.Join(args[4], "ended"), nil, 0o600))
}

// worker joins the pool as a worker would, and leaves a file behind when it was
// asked to end.
func worker(args []string) error {
	f := flag.NewFlagSet("worker", flag.ContinueOnError)
	url, name, dir, apps := f.String("pool", "", ""), f.String("name", "", ""), f.String("dir", "", ""), f.String("apps", "", "")
	for _, other := range []string{"login", "password-file", "slots", "grace"} {
		f.String(other, "", "")
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if *name != "demo-liar" || !strings.HasSuffix(*apps, "/mandelbrot -lie") {
		return fmt.Errorf("unexpected arguments %q", args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	answer, err := http.Post(*url+"/workers", "application/json", nil)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return errors.Join(answer.Body.Close(), os.MkdirAll(*dir, 0o700), os.WriteFile(filepath.Join(*dir, "ended"), nil, 0o600))
}

func demonstration(t *testing.T, out io.Writer, args ...string) options {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"-dir", dir, "-out", filepath.Join(dir, "demo.png"), "-size", "64", "-n", "4", "-chain=false"}, args...)
	o, err := parse(args, nothing, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.to = out
	o.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	o.now = time.Now
	return o
}

// onPool runs the demonstration on a scripted pool that runs already.
func onPool(t *testing.T, p *scripted) (o options, said string, err error) {
	t.Helper()
	server := httptest.NewServer(p.handler())
	defer server.Close()
	var out bytes.Buffer
	o = demonstration(t, &out, "-pool", server.URL)
	if err := os.WriteFile(o.password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), o)
	if p.fault != "" {
		t.Error(p.fault)
	}
	return o, out.String(), err
}

func written(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func contains(t *testing.T, said string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(said, part) {
			t.Errorf("nothing of %q in\n%s", part, said)
		}
	}
}

func TestRightPicture(t *testing.T) {
	o, said, err := onPool(t, &scripted{})
	if err != nil {
		t.Fatal(err)
	}
	truth := picture.Poster{Size: 64, Tiles: 1}.Tile(0, picture.Honest)
	got := written(t, o.out)
	for y := range 64 {
		for x := range 64 {
			r, g, b, _ := got.At(x, y).RGBA()
			wr, wg, wb, _ := truth.At(x, y).RGBA()
			if r != wr || g != wg || b != wb {
				t.Fatalf("another pixel at %d,%d", x, y)
			}
		}
	}
	contains(t, said, "using the pool that runs", "16 works at trust 3", "0 of 16 ended, waiting 16", "16 of 16 ended, done 16",
		"every pixel is as rendered here", "56, 40 of them with a result", "8 caught", "8 wrong results were outvoted",
		"1       local-1  16       16      0          0       0", "3       local-3  0        0       0", "4       local-4  8        0       8")
	if strings.Contains(said, "gone") {
		t.Error("a worker of another day is listed")
	}
}

func TestWrongPicture(t *testing.T) {
	o, said, err := onPool(t, &scripted{fooled: true})
	if !errors.Is(err, errWrong) || !strings.Contains(err.Error(), "[2]") {
		t.Errorf("got %v", err)
	}
	contains(t, said, "1 tiles are WRONG")
	written(t, o.out)
}

func TestNoLiar(t *testing.T) {
	_, said, err := onPool(t, &scripted{quiet: true})
	if err != nil {
		t.Error(err)
	}
	contains(t, said, "No worker of this pool lied")
}

func TestFailedWork(t *testing.T) {
	if _, _, err := onPool(t, &scripted{failed: true}); err == nil || !strings.Contains(err.Error(), "3 runs failed") {
		t.Errorf("got %v", err)
	}
}

// onLocalPool runs the demonstration on a scripted local pool that runs already,
// with this test program as the worker.
func onLocalPool(t *testing.T, p *scripted, kind string) (o options, said string, err error) {
	t.Helper()
	t.Setenv(standIn, kind)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"worker", "mandelbrot", "localpool"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(p.handler())
	defer server.Close()
	var out bytes.Buffer
	o = demonstration(t, &out, "-addr", strings.TrimPrefix(server.URL, "http://"), "-localpool", filepath.Join(bin, "localpool"))
	o.wait = func(ctx context.Context, _ time.Duration) error {
		if kind == "broken" {
			return nil
		}
		select {
		case <-p.joined:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := os.WriteFile(o.password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), o)
	return o, out.String(), err
}

func TestAPoolThatRunsGetsALiar(t *testing.T) {
	o, said, err := onLocalPool(t, &scripted{joined: make(chan struct{})}, "worker")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, said, "the worker demo-liar joins it, and lies", "8 caught", "4       demo-liar  8        0       8", "every pixel is as rendered here")
	if _, err := os.Stat(filepath.Join(o.dir, "workers", "demo-liar", "ended")); err != nil {
		t.Errorf("the liar was not asked to end: %v", err)
	}
	o, _, err = onLocalPool(t, &scripted{joined: make(chan struct{})}, "broken")
	if err == nil || !strings.Contains(err.Error(), "demo-liar") || !strings.Contains(err.Error(), filepath.Join(o.dir, "log", "demo-liar.log")) {
		t.Errorf("a worker that does not start: %v", err)
	}
}

func TestStartsAndEndsAPool(t *testing.T) {
	t.Setenv(standIn, "ready")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := demonstration(t, &out, "-addr", addr, "-localpool", self)
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	contains(t, out.String(), "starting a pool at http://"+addr, "8 caught")
	if _, err := os.Stat(filepath.Join(o.dir, "ended")); err != nil {
		t.Errorf("the pool was not asked to end: %v", err)
	}
}

func TestAPoolThatDoesNotStart(t *testing.T) {
	t.Setenv(standIn, "broken")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := demonstration(t, io.Discard, "-addr", "127.0.0.1:1", "-localpool", self)
	if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("got %v", err)
	}
	o.localpool = filepath.Join(o.dir, "absent")
	if err := run(t.Context(), o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	o = demonstration(t, io.Discard, "-pool", "http://127.0.0.1:1")
	if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "health") {
		t.Errorf("somebody else's pool: %v", err)
	}
}

func TestComposeFindsWhatIsWrong(t *testing.T) {
	p := picture.Poster{Size: 32, Tiles: 4}
	dir := t.TempDir()
	path := func(i int) string { return filepath.Join(dir, fmt.Sprint(i)) }
	for i := range p.Count() {
		var tile bytes.Buffer
		style := picture.Honest
		if i == 5 {
			style = picture.Lie
		}
		if err := png.Encode(&tile, p.Tile(i, style)); err != nil {
			t.Fatal(err)
		}
		text := tile.Bytes()
		switch i {
		case 7:
			text = []byte("no picture")
		case 9:
			text = text[:len(text)-20]
		case 11:
			tile.Reset()
			if err := png.Encode(&tile, image.NewNRGBA(image.Rect(0, 0, 9, 8))); err != nil {
				t.Fatal(err)
			}
			text = tile.Bytes()
		case 13:
			continue
		}
		if err := os.WriteFile(path(i), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, wrong, err := compose(p, path)
	if err != nil || !slices.Equal(wrong, []int{5, 7, 9, 11, 13}) {
		t.Errorf("got %v, %v", wrong, err)
	}
}

// nothing is an empty environment.
func nothing(string) string { return "" }

func TestParse(t *testing.T) {
	o, err := parse(nil, func(name string) string { return map[string]string{"ADDR": "127.0.0.1:9"}[name] }, io.Discard)
	if err != nil || o.url != "http://127.0.0.1:9" || o.password != ".local/operator-password" || o.localpool == "" {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, args := range [][]string{{"-size", "99"}, {"more"}, {"-every", "1ms"}, {"-fly"}} {
		var said bytes.Buffer
		if _, err := parse(args, nothing, &said); err == nil || said.Len() == 0 {
			t.Errorf("%q: got %v, said %q", args, err, said.String())
		}
	}
}

func TestChainSwitch(t *testing.T) {
	for _, c := range []struct {
		value string
		args  []string
		chain bool
		tiles int
	}{
		{"", nil, true, 4}, {"true", nil, true, 4}, {"false", nil, false, 8}, {"false", []string{"-chain"}, true, 4},
		{"true", []string{"-chain=false", "-n", "2"}, false, 2}, {"", []string{"-pool", "http://127.0.0.1:1"}, false, 8},
	} {
		got, err := parse(c.args, func(name string) string { return map[string]string{chainSwitch: c.value}[name] }, io.Discard)
		if err != nil || got.chain != c.chain || got.poster.Tiles != c.tiles {
			t.Errorf("%+v: chain %t, %d tiles, %v", c, got.chain, got.poster.Tiles, err)
		}
	}
	var said strings.Builder
	if _, err := parse(nil, func(string) string { return "yes" }, &said); err == nil || !strings.HasPrefix(said.String(), "BLOCKCHAINETHENABLED is true or false") {
		t.Errorf("got %v, said %q", err, said.String())
	}
}

// TestNoChainHere asks for a deal of a pool that sells none.
func TestNoChainHere(t *testing.T) {
	server := httptest.NewServer((&scripted{quiet: true}).handler())
	defer server.Close()
	var out bytes.Buffer
	o := demonstration(t, &out, "-pool", server.URL)
	o.chain = true
	if err := os.WriteFile(o.password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	contains(t, out.String(), "the pool runs without a chain", "16 works at trust 3", "every pixel is as rendered here")
}
