//go:build linux

// Command worker computes for a pool. It owns the owner's configuration and the
// putting together of the parts; what they do is theirs: beat talks to the pool,
// turns carries out assignments, executor runs programs, container runs images,
// archive packs results, outside fetches what deals name, ledger remembers, machine
// measures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"workerpool/cmd/worker/beat"
	"workerpool/cmd/worker/executor"
	"workerpool/cmd/worker/ledger"
	"workerpool/cmd/worker/machine"
	"workerpool/cmd/worker/turns"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const arch = runtime.GOARCH

func main() {
	if len(os.Args) == 2 && os.Args[1] == executor.Command {
		os.Exit(executor.Supervise())
	}
	if err := executor.Conceal(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the worker's life; it gives the exit status.
func run(arguments []string, stdout, stderr io.Writer) int {
	c, err := configure(arguments, os.LookupEnv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case c.version:
		fmt.Fprintln(stdout, machine.Version)
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "worker: %s\n", strings.ReplaceAll(err.Error(), "\n", "\nworker: "))
		return 2
	case c.print:
		c.show(stdout)
		return 0
	}
	options := &slog.HandlerOptions{Level: c.level}
	log := slog.New(slog.NewTextHandler(stderr, options))
	if c.json {
		log = slog.New(slog.NewJSONHandler(stderr, options))
	}
	if err := serve(c, log); err != nil {
		log.Error("the worker cannot go on", "error", err)
		return 1
	}
	return 0
}

// serve works until a signal ends it.
func serve(c config, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)

	books, err := ledger.Open(c.dir)
	if err != nil {
		return err
	}
	defer books.Close()
	identity, aside, err := books.Identity(address(c.pool))
	if err != nil {
		return err
	}
	if aside != "" {
		log.Warn("the work directory was another pool's: its assignments and key are put aside", "folder", aside, "pool", c.pool)
	}
	if inTheClear(c.pool) {
		log.Warn("the way to the pool is not encrypted: others may read the password, tokens and inputs", "pool", c.pool)
	}
	// What is free changes for as long as the worker lives.
	scratch := func() (int64, error) {
		free, err := books.Free()
		return c.scratch(free), err
	}
	// The loop itself decides what is tried again and when.
	caller, err := client.New(client.Config{URL: c.pool, UserAgent: "worker/" + machine.Version, Attempts: 1})
	if err != nil {
		return err
	}
	fetcher, err := c.fetching.fetcher(c.pool)
	if err != nil {
		return err
	}
	engine, err := c.engine(identity.Mark, log)
	if err != nil {
		return err
	}
	var containers turns.Containers
	if engine != nil {
		defer engine.Close()
		containers = engine
	}
	account, err := c.wallet.account(books, log)
	if err != nil {
		return err
	}
	var onChain turns.Chain
	if account != nil {
		onChain = account
		tend, cease := context.WithCancel(context.Background())
		tended := make(chan struct{})
		go func() {
			defer close(tended)
			account.Run(tend)
		}()
		defer func() {
			cease()
			<-tended
		}()
	}
	keeper := turns.New(turns.Config{
		Ledger: books, Files: caller, Outside: fetcher, Mark: identity.Mark, Programs: c.apps, Containers: containers, Chain: onChain, EnvAllow: c.envAllow, Slots: c.slots, MaxRun: c.maxRun,
		Apps: pool.Rules(c.wants), Requesters: pool.Rules(c.serves),
		CPU: c.cpu(), Memory: c.memory, Scratch: scratch, MaxOutput: c.maxOutput, MinFree: c.minFree,
		Now: time.Now, Pause: pause, Free: books.Free, Log: log,
	})
	if err := keeper.Recover(); err != nil {
		return err
	}
	loop := beat.New(beat.Config{
		Pool: caller, Keeper: keeper, Clock: clock{}, Login: c.credentials, Wallet: c.wallet.prove(caller, c.name, identity.Key), Log: log,
		Registration: func() (wire.Registration, error) {
			free, err := books.Free()
			if err != nil {
				return wire.Registration{}, err
			}
			return wire.Registration{Name: c.name, Key: identity.Key, Slots: c.slots, Capabilities: c.capabilities(free, engine.ready())}, nil
		},
	})
	log.Info("worker started", "version", machine.Version, "pool", c.pool, "name", c.name, "slots", c.slots, "dir", c.dir)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		loop.Run(ctx)
	}()
	log.Info("shutting down: new works are refused", "signal", (<-signals).String(), "grace", c.grace)
	settled := keeper.Refuse()
	select {
	case <-settled:
	case <-time.After(c.grace):
		log.Warn("the grace is over: runs are killed and begin again at the next start")
	case <-signals:
		log.Warn("second signal: runs are killed and begin again at the next start")
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		keeper.Close()
		cancel()
		<-ended
	}()
	select {
	case <-closed:
	case <-time.After(closeTime):
		return fmt.Errorf("runs did not end within %v; the next start kills what is left", closeTime)
	case <-signals:
		return errors.New("another signal: runs are left to die; the next start kills what is left")
	}
	log.Info("worker ended")
	return nil
}

// closeTime is for runs that were killed to be dead: more than the executor's
// patience with a supervising process.
const closeTime = 15 * time.Second

// show prints the configuration as a configuration file, without secrets.
func (c *config) show(out io.Writer) {
	line := func(name string, value any) { fmt.Fprintf(out, "%s = %v\n", name, value) }
	line("pool", c.pool)
	line("login", c.login)
	if c.passwordFile != "" {
		line("password-file", c.passwordFile)
	} else {
		line("# "+passwordVariable, "***")
	}
	line("name", c.name)
	line("dir", c.dir)
	var names []string
	for name := range c.apps {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line("apps", strings.Join(append([]string{name + "=" + c.apps[name].Path}, c.apps[name].Args...), " "))
	}
	line("docker", c.images.Address)
	line("docker-images", strings.Join(c.images.Images, ","))
	line("docker-network", c.images.Network)
	line("env-allow", strings.Join(c.envAllow, ","))
	line("slots", c.slots)
	line("tags", strings.Join(c.tags, ","))
	line("apps-allow", strings.Join(c.wants.Allow, ","))
	line("apps-deny", strings.Join(c.wants.Deny, ","))
	line("requesters-allow", strings.Join(c.serves.Allow, ","))
	line("requesters-deny", strings.Join(c.serves.Deny, ","))
	line("memory-mb", c.memory>>20)
	line("disk-mb", c.disk>>20)
	line("max-run", c.maxRun)
	line("max-output", c.maxOutput)
	line("min-free-mb", c.minFree>>20)
	line("grace", c.grace)
	c.wallet.show(line)
	c.fetching.show(line)
	line("log-level", strings.ToLower(c.level.String()))
	line("log-format", map[bool]string{false: "text", true: "json"}[c.json])
}

// clock is the machine's time and the system's chance.
type clock struct{}

func (clock) Now() time.Time                         { return time.Now() }
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (clock) Spread(d time.Duration) time.Duration   { return rand.N(d + 1) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
