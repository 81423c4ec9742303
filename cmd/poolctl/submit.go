package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"workerpool/cmd/poolctl/page"
	"workerpool/shared/wire"
)

type submitCommand struct {
	File      string            `arg:"" optional:"" help:"The submission in JSON, as POST /works takes it; - is standard input. The flags below are in place of it, but for --input." type:"existingfile"`
	App       string            `help:"What to run: process:NAME or docker:IMAGE." placeholder:"TYPE:NAME"`
	Arg       []string          `help:"An argument of every work, again for the next; write --arg=-n for those that begin with a dash." sep:"none"`
	Env       map[string]string `help:"A variable of every work." placeholder:"NAME=VALUE" mapsep:"none"`
	Count     int               `help:"How many works, each without arguments of its own; they differ by IEXEC_TASK_INDEX."`
	Items     string            `help:"File with a JSON list, one object for each work: args, env, inputs." type:"existingfile" placeholder:"FILE"`
	Trust     int               `help:"Wanted confidence; 0 to 2 is one worker and no check."`
	Category  string            `help:"Run limit: XS 5 min, S 20 min, M 1 h, L 3 h, XL 10 h." enum:",XS,S,M,L,XL" default:""`
	Priority  string            `help:"Among your own works." enum:",low,normal,high" default:""`
	Deadline  time.Duration     `help:"When works that have not ended fail; left out it is 7 days."`
	CPU       int               `name:"cpu" help:"Cores that a worker must have."`
	MemoryMB  int64             `name:"memory-mb" help:"MiB of memory that a worker must have."`
	Tag       []string          `help:"A tag that a worker must have."`
	Input     map[string]string `help:"A file that every work finds under NAME in IEXEC_IN; it is uploaded." placeholder:"NAME=PATH" mapsep:"none"`
	Key       string            `help:"The idempotency key: the same submission under the same key is taken once, so it may be repeated after a failure. Left out one is made and printed." placeholder:"KEY"`
	WaitUntil bool              `name:"wait" help:"Wait until all works have ended."`
	watching
}

// submitted is the answer in JSON.
type submitted struct {
	Key      string        `json:"idempotency_key"`
	Accepted wire.Accepted `json:"accepted"`
	Batch    *wire.Batch   `json:"batch,omitempty"` // with --wait
}

// Run submits, uploads what is missing and waits if asked to.
func (c submitCommand) Run(ctx context.Context, p *poolctl) error {
	s, err := c.submission(p.world.in)
	if err != nil {
		return err
	}
	inputs, files, err := readInputs(c.Input)
	if err != nil {
		return err
	}
	s.Template.Inputs = append(s.Template.Inputs, inputs...)
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	out := submitted{Key: c.Key}
	if out.Key == "" {
		out.Key = rand.Text()
	}
	p.note("idempotency key %s: the same command with --key %s goes on after a failure and submits nothing twice", out.Key, out.Key)
	if out.Accepted, err = p.client.Submit(ctx, token, out.Key, s); err != nil {
		return fmt.Errorf("submitting: %w", err)
	}
	p.note("batch:%d accepted", out.Accepted.Batch)
	if len(files) > 0 {
		if err := p.upload(ctx, out.Accepted.Batch, files); err != nil {
			return err
		}
	}
	var missing error
	if c.WaitUntil {
		one, err := p.await(ctx, target{batch: true, id: out.Accepted.Batch}, c.Every)
		if err != nil {
			return err
		}
		batch := asBatch(one)
		out.Batch, missing = &batch, resultOf(batch)
	}
	err = p.print(out, func(t *page.Table) {
		a := out.Accepted
		t.Line("batch:%d with %d works, work:%d to work:%d", a.Batch, a.Works, a.FirstWork, a.LastWork)
		if out.Batch != nil {
			showAll(t, []any{*out.Batch})
		}
	})
	if err != nil {
		return err
	}
	return missing
}

// submission makes the body of a file or of the flags.
func (c submitCommand) submission(in io.Reader) (wire.Submission, error) {
	if c.File != "" {
		flags := submitCommand{File: c.File, Input: c.Input, Key: c.Key, WaitUntil: c.WaitUntil, watching: c.watching}
		if !sameFlags(c, flags) {
			return wire.Submission{}, fmt.Errorf("%w: with a file go --input, --key, --wait and --every only", errUsage)
		}
		var s wire.Submission
		return s, readJSON(c.File, in, &s)
	}
	kind, name, found := strings.Cut(c.App, ":")
	if !found || name == "" {
		return wire.Submission{}, fmt.Errorf("%w: give a file, or --app process:NAME or docker:IMAGE", errUsage)
	}
	if (c.Count > 0) == (c.Items != "") {
		return wire.Submission{}, fmt.Errorf("%w: give either --count or --items", errUsage)
	}
	s := wire.Submission{
		Template: wire.Template{
			App: wire.App{Type: kind, Name: name}, Args: c.Arg, Env: c.Env, Trust: c.Trust, Category: c.Category, Priority: c.Priority,
			DeadlineS: int64(c.Deadline / time.Second), Demands: wire.Demands{CPU: c.CPU, MemoryMB: c.MemoryMB, Tags: c.Tag},
		},
		Items: make([]wire.Item, c.Count),
	}
	if c.Items == "" {
		return s, nil
	}
	return s, readJSON(c.Items, in, &s.Items)
}

// sameFlags compares two by what they would be typed as.
func sameFlags(a, b submitCommand) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}

// readJSON reads a file, "-" for in, strictly: a misspelt property is a fault.
func readJSON(path string, in io.Reader, into any) error {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("reading the submission: %w", err)
		}
		defer file.Close()
		in = file
	}
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%w: reading %s: %w", errUsage, path, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: reading %s: there is more after the JSON value", errUsage, path)
	}
	return nil
}
