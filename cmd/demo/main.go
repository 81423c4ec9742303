// Command demo shows the pool at work: it buys the tiles of a poster by a deal on the
// chain, or submits them to a pool without one, waits, puts the picture together,
// compares it with the truth rendered here, and tells what each worker did and what
// became of the money. It owns the demonstration only; it must not hold any rule
// of the pool. When no local pool runs it starts one with a worker that lies; to one
// that runs it adds such a worker for as long as it takes.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"workerpool/cmd/mandelbrot/picture"
	"workerpool/cmd/poolctl/progress"
)

// options are the command line, and what the demonstration is run in.
type options struct {
	url       string
	localpool string // program that is started when no pool answers at url; "" = the pool is somebody else's
	addr      string // of the pool that is started
	dir       string // of the local pool's state
	login     string
	password  string // path of the file
	out       string // path of the picture
	poster    picture.Poster
	trust     int
	every     time.Duration
	chain     bool // whether to buy by a deal

	to       io.Writer
	terminal bool
	wait     func(context.Context, time.Duration) error
	now      func() time.Time
}

func main() {
	o, err := parse(os.Args[1:], os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // parse has said why
	}
	o.to, o.terminal = os.Stdout, term.IsTerminal(int(os.Stdout.Fd()))
	o.wait, o.now = progress.ByClock, time.Now
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

// chainSwitch is the variable that says whether the local pool serves deals.
const chainSwitch = "BLOCKCHAINETHENABLED"

func parse(args []string, env func(string) string, faults io.Writer) (options, error) {
	var o options
	chained := cmp.Or(env(chainSwitch), "true")
	if chained != "true" && chained != "false" {
		err := fmt.Errorf("%s is true or false, here %q", chainSwitch, chained)
		fmt.Fprintln(faults, err)
		return o, err
	}
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.SetOutput(faults)
	f.StringVar(&o.addr, "addr", cmp.Or(env("ADDR"), "127.0.0.1:8080"), "address of the local pool; one is started there when none answers (environment: ADDR)")
	f.StringVar(&o.url, "pool", "", "URL of a pool that runs already, instead of -addr")
	f.StringVar(&o.localpool, "localpool", "build/local/bin/localpool", "the program to start; worker and mandelbrot lie beside it")
	f.StringVar(&o.dir, "dir", ".local", "folder of the local pool's state")
	f.StringVar(&o.login, "login", "operator", "who submits")
	f.StringVar(&o.password, "password-file", "", "file with the password; left out it is operator-password in -dir")
	f.StringVar(&o.out, "out", "demo.png", "where the picture goes")
	f.IntVar(&o.poster.Size, "size", 4096, "pixels of a side of the picture")
	f.IntVar(&o.poster.Tiles, "n", 0, "tiles of a side of the picture; 0 = 4 for a deal, 8 otherwise")
	f.IntVar(&o.trust, "trust", 3, "wanted confidence")
	f.DurationVar(&o.every, "every", time.Second, "how often to ask how far the works are")
	f.BoolVar(&o.chain, "chain", chained == "true", "buy by a deal on the local pool's chain (environment: "+chainSwitch+")")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.url != "" {
		o.chain = false // of somebody else's pool no wallets are here
	}
	if o.poster.Tiles == 0 {
		o.poster.Tiles = map[bool]int{true: 4, false: 8}[o.chain]
	}
	err := o.poster.Check()
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err == nil && o.every < 100*time.Millisecond {
		err = errors.New("-every is 100ms or more")
	}
	if err != nil {
		fmt.Fprintln(faults, err)
		return o, err
	}
	if o.url != "" {
		o.localpool = "" // somebody else's pool is not started
	} else {
		o.url = "http://" + o.addr
	}
	o.password = cmp.Or(o.password, filepath.Join(o.dir, "operator-password"))
	return o, nil
}
