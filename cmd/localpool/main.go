// Command localpool runs the whole pool on this machine: a MariaDB server, a chain,
// the stand-ins of AWS as template.yaml says, the real functions, and a few workers.
// It owns the order in which these start and end and the state they keep; it must
// not hold any rule of the pool.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	addr      string        // of the API
	dir       string        // of all state
	template  string        // path of template.yaml
	functions string        // folder with <function>/bootstrap and bin/
	workers   int           // how many to run
	liar      bool          // whether one of them lies
	tickEvery time.Duration // of schedules; 0 = the template's
	chain     bool          // whether the pool serves deals, of a chain that is run as well
	chainAddr string        // where that chain is asked
	adminUID  string        // of the operator's account; "" = none
	workerUID string        // of the workers'
}

// bin is the folder of the programs.
func (o options) bin() string { return filepath.Join(o.functions, "bin") }

func main() {
	o, err := parse(os.Args[1:], os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "localpool:", err)
		stop()
		os.Exit(1)
	}
}

func parse(args []string, env func(string) string, faults io.Writer) (options, error) {
	var o options
	chained := cmp.Or(env(chainSwitch), "true")
	if chained != "true" && chained != "false" {
		err := fmt.Errorf("%s is true or false, here %q", chainSwitch, chained)
		fmt.Fprintln(faults, err)
		return o, err
	}
	f := flag.NewFlagSet("localpool", flag.ContinueOnError)
	f.SetOutput(faults)
	f.StringVar(&o.addr, "addr", cmp.Or(env("ADDR"), "127.0.0.1:8080"), "address of the pool's API (environment: ADDR)")
	f.StringVar(&o.dir, "dir", ".local", "folder that keeps database, files, passwords and logs")
	f.StringVar(&o.template, "template", "template.yaml", "the SAM template")
	f.StringVar(&o.functions, "functions", "build/local", "folder with the built functions, and programs in bin/")
	f.IntVar(&o.workers, "workers", 5, "how many workers to run")
	f.BoolVar(&o.liar, "liar", false, "let one of the workers lie about its results")
	f.DurationVar(&o.tickEvery, "tick", 0, "interval of the schedules instead of the template's")
	f.BoolVar(&o.chain, "chain", chained == "true", "run a chain and serve its deals (environment: "+chainSwitch+")")
	f.StringVar(&o.chainAddr, "chain-addr", cmp.Or(env("CHAINADDR"), "127.0.0.1:8545"), "address of the chain, on 127.0.0.1 (environment: CHAINADDR)")
	f.StringVar(&o.adminUID, "admin-uid", env("ADMINUID"), "id of your choice for the operator's account (environment: ADMINUID)")
	f.StringVar(&o.workerUID, "worker-uid", env("WORKERUID"), "id of your choice for the workers' account (environment: WORKERUID)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		err := fmt.Errorf("unexpected argument %q", f.Arg(0))
		fmt.Fprintln(faults, err)
		return o, err
	}
	if err := loopback(o.addr); err != nil {
		fmt.Fprintln(faults, err)
		return o, err
	}
	if o.workers < 0 || o.liar && o.workers == 0 {
		err := fmt.Errorf("-workers %d: there must be one at least to lie, and none is the least", o.workers)
		fmt.Fprintln(faults, err)
		return o, err
	}
	return o, nil
}

// chainSwitch is the variable that says whether the pool serves deals, true or false.
const chainSwitch = "BLOCKCHAINETHENABLED"

// loopback refuses an address that others than this machine could call: a worker
// elsewhere would get its instructions, and then links that it cannot follow.
func loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("ADDR is host:port, such as 127.0.0.1:8080: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && !ip.IsLoopback() {
		return fmt.Errorf("ADDR %s is not of this machine alone: the local pool is for one machine, its links to files lead to 127.0.0.1", addr)
	}
	return nil
}
