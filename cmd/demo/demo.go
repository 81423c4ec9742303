package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"workerpool/cmd/poolctl/progress"
	"workerpool/cmd/poolctl/results"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const program = "mandelbrot" // as the workers' owners allow it

// errWrong is what the demonstration fails with when the picture is not right.
var errWrong = errors.New("the picture is wrong")

// run shows it all. It ends the pool, or the worker, that it started.
func run(ctx context.Context, o options) (err error) {
	c, err := client.New(client.Config{URL: o.url, UserAgent: "workerpool-demo", Wait: o.wait})
	if err != nil {
		return err
	}
	ran, end, err := reach(ctx, o, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	password, err := os.ReadFile(o.password)
	if err != nil {
		return fmt.Errorf("reading the operator's password: %w", err)
	}
	session, err := c.Session(ctx, wire.Login{Login: o.login, Password: strings.TrimRight(string(password), "\r\n")})
	if err != nil {
		return fmt.Errorf("logging in as %s: %w", o.login, err)
	}
	s := show{options: o, client: c, token: session.Token}
	shop, err := s.openShop(ctx)
	if err != nil {
		return err
	}
	if ran && o.localpool != "" {
		stop, err := s.addLiar(ctx, shop)
		if err != nil {
			return err
		}
		defer stop()
	}
	if shop != nil {
		defer shop.buyer.Close()
		return s.buy(ctx, shop)
	}
	return s.run(ctx)
}

// show is one demonstration on a pool that answers.
type show struct {
	options
	client *client.Client
	token  string
}

func (s show) run(ctx context.Context) error {
	before, err := s.workers(ctx)
	if err != nil {
		return err
	}
	began := s.now()
	batch, err := s.compute(ctx)
	if err != nil {
		return err
	}
	took := s.now().Sub(began)
	works, err := s.works(ctx, batch)
	if err != nil {
		return err
	}
	after, err := s.workers(ctx)
	if err != nil {
		return err
	}
	wrong, err := s.picture(ctx, works)
	if err != nil {
		return err
	}
	say(s.to, "%s", summary{
		batch: batch, works: works, before: before, after: after, took: took, trust: s.trust, wrong: wrong, out: s.out,
	})
	if len(wrong) > 0 {
		return fmt.Errorf("%w: tiles %v are not as rendered here", errWrong, wrong)
	}
	return nil
}

// compute submits one work for each tile and waits until all have ended.
func (s show) compute(ctx context.Context) (wire.Batch, error) {
	accepted, err := s.client.Submit(ctx, s.token, "demo-"+rand.Text(), wire.Submission{
		Template: wire.Template{
			App:  wire.App{Type: string(pool.ProcessApp), Name: program},
			Args: []string{"-size", strconv.Itoa(s.poster.Size), "-n", strconv.Itoa(s.poster.Tiles)}, Trust: s.trust,
		},
		Items: make([]wire.Item, s.poster.Count()), // each renders the tile of its place in the batch
	})
	if err != nil {
		return wire.Batch{}, fmt.Errorf("submitting: %w", err)
	}
	say(s.to, "batch %d: %d works at trust %d", accepted.Batch, accepted.Works, s.trust)
	return progress.Watch{
		Wait: s.wait, Every: s.every, Bar: &progress.Bar{To: s.to, Terminal: s.terminal},
		Fetch: func(ctx context.Context) (wire.Batch, error) { return s.client.Batch(ctx, s.token, accepted.Batch) },
	}.Run(ctx)
}

// works gives the batch's works with their assignments, by their place in it.
func (s show) works(ctx context.Context, batch wire.Batch) ([]wire.Work, error) {
	var out []wire.Work
	for id := batch.FirstWork; id <= batch.LastWork; id++ {
		work, err := s.client.Work(ctx, s.token, id)
		if err != nil {
			return nil, fmt.Errorf("asking about work %d: %w", id, err)
		}
		if work.State != string(pool.Done) {
			return nil, fmt.Errorf("work %d is %s: %s", id, work.State, work.Reason)
		}
		out = append(out, work)
	}
	return out, nil
}

// picture fetches the tiles, puts them together and lists the wrong ones.
func (s show) picture(ctx context.Context, works []wire.Work) (wrong []int, err error) {
	dir, err := os.MkdirTemp("", "workerpool-demo-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the tiles: %w", err)
	}
	defer os.RemoveAll(dir)
	fetcher := results.Fetcher{
		Client: s.client, Dir: dir, Wait: s.wait, Token: func(context.Context) (string, error) { return s.token, nil },
	}
	paths := make([]string, len(works))
	for i, work := range works {
		got, err := fetcher.Fetch(ctx, work.ID)
		if err != nil {
			return nil, err
		}
		paths[i] = filepath.Join(got.Folder, "tile.png")
	}
	return s.show(paths)
}

// show puts tiles together and lists the wrong ones.
func (s show) show(paths []string) (wrong []int, err error) {
	say(s.to, "%d tiles are here; rendering the truth to compare", len(paths))
	whole, wrong, err := compose(s.poster, func(i int) string { return paths[i] })
	if err != nil {
		return nil, err
	}
	return wrong, save(whole, s.out)
}

func (s show) workers(ctx context.Context) (map[int64]wire.Worker, error) {
	out := map[int64]wire.Worker{}
	for worker, err := range s.client.AllWorkers(ctx, s.token) {
		if err != nil {
			return nil, fmt.Errorf("listing the workers: %w", err)
		}
		out[worker.ID] = worker
	}
	return out, nil
}

// summary is what one wants to know at the end.
type summary struct {
	batch         wire.Batch
	works         []wire.Work
	before, after map[int64]wire.Worker
	took          time.Duration
	trust         int
	wrong         []int
	out           string
}
