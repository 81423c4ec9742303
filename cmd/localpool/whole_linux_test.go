package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"workerpool/infra/local/buyer"
	"workerpool/infra/local/mint"
	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// seen is a process as /proc shows it.
type seen struct {
	pid, parent, group int
	begun              string // tells it from a later one of the same pid
	command            string
}

// living are all processes that have not ended.
func living(t *testing.T) []seen {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var out []seen
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended since
		}
		// pid (name) state parent group ... begun is field 22; a name may hold anything.
		open, shut := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		fields := strings.Fields(string(text[shut+1:]))
		pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:open])))
		parent, _ := strconv.Atoi(fields[1])
		group, _ := strconv.Atoi(fields[2])
		if state := fields[0]; state != "Z" && state != "X" {
			out = append(out, seen{pid: pid, parent: parent, group: group, begun: fields[19], command: string(text[open+1 : shut])})
		}
	}
	return out
}

// below are the processes that come from one, however far.
func below(t *testing.T, ancestor int) []seen {
	t.Helper()
	all := living(t)
	family := []int{ancestor}
	var out []seen
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if slices.Contains(family, p.parent) && !slices.Contains(family, p.pid) {
				family, out, grown = append(family, p.pid), append(out, p), true
			}
		}
	}
	return out
}

// program is localpool as one starts it.
type program struct {
	*testing.T
	cmd    *exec.Cmd
	addr   string
	client *client.Client
	token  string
	rest   chan string // what it says after its first lines
}

func startProgram(t *testing.T, dir, addr string) program {
	t.Helper()
	cmd := exec.Command(filepath.Join(built, "bin", "localpool"), "-addr", addr, "-dir", dir,
		"-template", "../../template.yaml", "-functions", built, "-workers", "2", "-chain-addr", "127.0.0.1:0")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // when the test ended it, there is nothing to kill
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(first), "ready: ")
	if err != nil || !found {
		t.Fatalf("it began with %q, %v", first, err)
	}
	p := program{T: t, cmd: cmd, addr: strings.TrimPrefix(url, "http://"), rest: make(chan string, 1)}
	go func() {
		text, _ := io.ReadAll(lines) // ends with the program
		p.rest <- string(text)
	}()
	if p.client, err = client.New(client.Config{URL: url}); err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(filepath.Join(dir, "operator-password"))
	if err != nil {
		t.Fatal(err)
	}
	session, err := p.client.Session(t.Context(), wire.Login{Login: operatorLogin, Password: strings.TrimSpace(string(password))})
	if err != nil {
		t.Fatal(err)
	}
	p.token = session.Token
	return p
}

// compute lets both workers render a tile and gives the work, done.
func (p program) compute() int64 {
	p.Helper()
	accepted, err := p.client.Submit(p.Context(), p.token, "whole", wire.Submission{
		Template: wire.Template{App: wire.App{Type: string(pool.ProcessApp), Name: "mandelbrot"}, Args: []string{"-size", "64", "-n", "2"}, Trust: 3},
		Items:    make([]wire.Item, 1),
	})
	if err != nil {
		p.Fatal(err)
	}
	limit, again := time.After(2*time.Minute), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	for {
		work, err := p.client.Work(p.Context(), p.token, accepted.FirstWork)
		if err != nil {
			p.Fatal(err)
		}
		if work.State == string(pool.Done) {
			return work.ID
		}
		select {
		case <-limit:
			p.Fatalf("after two minutes the work is %+v", work)
		case <-again.C:
		}
	}
}

// buy buys a tile from both workers by a deal and waits until the chain says that it
// is there.
func (p program) buy(dir string) {
	p.Helper()
	b, err := buyer.Open(mint.Folder(filepath.Join(dir, "chain")), func(ctx context.Context, pause time.Duration) error {
		select {
		case <-time.After(pause):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		p.Fatal(err)
	}
	defer b.Close()
	deal, err := b.Buy(p.Context(), 1, 3, `{"iexec_args":"-size 64 -n 2"}`)
	if err != nil {
		p.Fatal(err)
	}
	limit, again := time.After(2*time.Minute), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	for {
		tasks, err := b.Look(p.Context(), deal)
		if err != nil {
			p.Fatal(err)
		}
		if tasks[0].Status == pool.TaskCompleted {
			break
		}
		select {
		case <-limit:
			p.Fatalf("after two minutes the task is %+v", tasks[0])
		case <-again.C:
		}
	}
	account, err := b.Account(p.Context(), deal)
	if err == nil {
		err = account.Sheet.Check()
	}
	if err != nil || len(account.Faulty) > 0 || account.Sheet.Lines[b.Address()].Lost != mint.AppPrice+mint.PoolPrice {
		p.Errorf("the account of the deal is %+v, %v", account, err)
	}
}

// interrupt ends the program as Ctrl-C does and looks for what it left.
func (p program) interrupt() {
	p.Helper()
	started := below(p.T, p.cmd.Process.Pid)
	if n := len(started); n < 5 { // a database, two workers, functions
		p.Errorf("only %d processes are below it: %+v", n, started)
	}
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.Fatal(err)
	}
	rest := <-p.rest
	if err := p.cmd.Wait(); err != nil {
		p.Errorf("it ended with %v; it said %s", err, rest)
	}
	if !strings.HasSuffix(rest, "ending\n") || strings.Contains(rest, "has ended") {
		p.Errorf("it said %q; want only that it is ending", rest)
	}
	for _, left := range living(p.T) {
		if slices.ContainsFunc(started, func(s seen) bool {
			return s.pid == left.pid && s.begun == left.begun || s.group == left.group && s.group != syscall.Getpgrp()
		}) {
			p.Errorf("it left %+v", left)
		}
	}
}

func TestWholeProgram(t *testing.T) {
	dir := t.TempDir()
	first := startProgram(t, dir, "127.0.0.1:0")
	id := first.compute()
	first.buy(dir)
	first.interrupt()

	again := startProgram(t, dir, first.addr) // workers know their pool by its URL
	if work, err := again.client.Work(t.Context(), again.token, id); err != nil || work.State != string(pool.Done) {
		t.Errorf("after a restart the work is %+v, %v", work, err)
	}
	again.buy(dir)
	again.interrupt()
}
