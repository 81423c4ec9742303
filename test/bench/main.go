// Command bench measures what the pool takes of its database and of the machine,
// as ratios: production's store and flows beside plain statements on the same
// server in the same minute, deals on a chain, and whole lives of works over HTTP.
// It measures and tells; it fails only when something is wrong, such as a work
// that was lost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"workerpool/shared/pool"
	"workerpool/test/bench/chain"
	"workerpool/test/bench/measure"
	"workerpool/test/bench/whole"
)

type options struct {
	largest   int
	times     int
	duration  time.Duration
	functions string
	template  string
	only      string
	match     *regexp.Regexp
	profile   bool
	out       string
}

func main() {
	var o options
	flag.IntVar(&o.largest, "largest", 1_000_000, "works in the largest backlog")
	flag.IntVar(&o.times, "rounds", 3, "how often each figure is measured")
	flag.DurationVar(&o.duration, "for", time.Second, "how long each figure and peer is measured in a round")
	flag.StringVar(&o.functions, "functions", "build/local", "folder with the functions, <name>/bootstrap")
	flag.StringVar(&o.template, "template", "template.yaml", "the pool's template")
	flag.StringVar(&o.only, "only", "", "measure one part only: books, chain or http")
	flag.BoolVar(&o.profile, "profile", false, "let the server tell what statements of each kind take; it costs some speed")
	match := flag.String("match", "", "regular expression: measure only figures whose names it finds")
	flag.StringVar(&o.out, "out", "", "file for the tables in Markdown")
	hosting := flag.Bool("serve", false, "run a pool for another bench: not for people")
	flag.Parse()
	o.match = regexp.MustCompile(*match)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := func() error { return run(ctx, o, os.Stdout) }
	if *hosting {
		do = func() error { return whole.Serve(ctx, os.Stdin, os.Stdout) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) (err error) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what functions print is measured over HTTP
	dir, err := os.MkdirTemp("", "workerpool-bench")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := measure.StartServer(ctx, filepath.Join(dir, "db"), o.profile)
	if err != nil {
		return err
	}
	defer s.Kill() // its files go
	head := fmt.Sprintf("%s; %d x %s; %s; %s; load %s at the beginning", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), measure.Processor(),
		s.Version, runtime.Version(), measure.Load())
	fmt.Fprintln(out, head)
	var tables []string
	p, err := newPeers(ctx, s, o.duration)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name    string
		measure func() (string, error)
	}{
		{"books", func() (string, error) { return measureBooks(ctx, s, p, o, out) }},
		{"chain", func() (string, error) {
			return chain.Measure(ctx, s, chain.Options{
				Largest: o.largest, Times: o.times, Peer: func(ctx context.Context) (measure.Sample, error) { return p.run(ctx, insert100) },
			}, out)
		}},
		{"http", func() (string, error) {
			return whole.Measure(ctx, s, whole.Options{
				Template: o.template, Functions: o.functions, Largest: o.largest, Times: o.times, Duration: o.duration,
			}, filepath.Join(dir, "pool"), out)
		}},
	} {
		if o.only != "" && o.only != part.name {
			continue
		}
		text, err := part.measure()
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "\n"+text)
		tables = append(tables, text)
	}
	if len(tables) == 0 {
		return fmt.Errorf("-only is books, chain or http, not %q", o.only)
	}
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte(head+"; "+measure.Load()+" at the end\n\n"+strings.Join(tables, "\n")), 0o644)
}

// measureBooks measures flows and store on backlogs that grow to the largest.
func measureBooks(ctx context.Context, s *measure.Server, p *peers, o options, out io.Writer) (string, error) {
	var backlogs []backlog
	for i, name := range []string{"10^3", "10^5", "10^6"} {
		works := []int{1_000, 100_000, 1_000_000}[i]
		if works > o.largest {
			break
		}
		b, err := openBooks(ctx, s, fmt.Sprint("backlog", i))
		if err != nil {
			return "", err
		}
		began := time.Now()
		if err := b.add(ctx, works, pool.Demands{}); err != nil {
			return "", err
		}
		fmt.Fprintf(out, "backlog %s: %d works submitted in %.1f s\n", name, works, time.Since(began).Seconds())
		backlogs = append(backlogs, backlog{works, name, b})
	}
	hostile, err := openBooks(ctx, s, "hostile")
	if err != nil {
		return "", err
	}
	if err := hostile.add(ctx, 100_000, pool.Demands{GPU: 8}); err != nil {
		return "", err
	}
	if err := hostile.add(ctx, episode, pool.Demands{}); err != nil {
		return "", err
	}
	wanted := slices.DeleteFunc(figuresOf(backlogs, hostile, o.duration), func(f figure) bool { return !o.match.MatchString(f.name) })
	found, err := take(ctx, out, p, wanted, o.times, s.Tell)
	if err != nil {
		return "", err
	}
	closed := []error{hostile.close()}
	for _, k := range backlogs {
		closed = append(closed, k.books.close())
	}
	return found.table(), errors.Join(closed...)
}
