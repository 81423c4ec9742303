// Package main loads a pool by a plan file and holds it to its promises while it
// does: what was accepted is found again once, ends once and with the bytes that
// workers reported; no worker is given a work twice or more than it has slots for.
// It owns the schedule of calls, the simulated workers and requesters, and what is
// measured. It must not reach into the pool but by its API; only the audit at the
// end, of a pool of its own, reads the books.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"workerpool/shared/wire"
	"workerpool/test/load/plan"
)

func main() {
	err := command()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// errMissed says that the table told why.
var errMissed = errors.New("the pool broke a promise or missed an expectation, see above")

func command() (err error) {
	if os.Getenv(serveVariable) != "" {
		return serve(os.Stdin, os.Stdout)
	}
	var path, url, functions, template, out, operator, operatorFile, worker, workerFile string
	flag.StringVar(&path, "plan", "", "`FILE` that says what to do")
	flag.StringVar(&url, "pool", "", "`URL` of the pool; without it one is started and thrown away")
	flag.StringVar(&functions, "functions", "build/local", "`FOLDER` with <function>/bootstrap, for a pool of its own")
	flag.StringVar(&template, "template", "template.yaml", "`FILE` of the template, for a pool of its own")
	flag.StringVar(&out, "out", "", "`FOLDER` for results.json and chart.svg; without it .local/load/<name of the plan>")
	flag.StringVar(&operator, "login", operatorLogin, "`LOGIN` that submits and may see all workers, with -pool")
	flag.StringVar(&operatorFile, "password-file", ".local/operator-password", "`FILE` with its password, with -pool")
	flag.StringVar(&worker, "worker-login", workerLogin, "`LOGIN` of the workers, with -pool")
	flag.StringVar(&workerFile, "worker-password-file", ".local/worker-password", "`FILE` with its password, with -pool")
	flag.Parse()
	todo, err := plan.Read(path)
	if err != nil {
		return err
	}
	if out == "" {
		out = filepath.Join(".local", "load", todo.Name)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var pool target
	if url == "" {
		dir, err := os.MkdirTemp("", "workerpool-load")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		own, err := startOwnPool(order{Own: todo.Pool, Template: template, Functions: functions, Dir: dir})
		if err != nil {
			return err
		}
		defer own.Stop()
		pool = own.target()
	} else {
		pool = target{url: url, operator: wire.Login{Login: operator}, worker: wire.Login{Login: worker}}
		for file, password := range map[string]*string{operatorFile: &pool.operator.Password, workerFile: &pool.worker.Password} {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			*password = strings.TrimRight(string(text), "\r\n")
		}
	}
	outcome, err := execute(ctx, todo, pool, os.Stdout)
	if err != nil {
		return err
	}
	if err := errors.Join(outcome.print(os.Stdout), outcome.write(out)); err != nil {
		return err
	}
	fmt.Println("written:", filepath.Join(out, "results.json"), filepath.Join(out, "chart.svg"))
	if !outcome.Good() {
		return errMissed
	}
	return nil
}

// target is how to reach a pool of one's own.
func (p *ownPool) target() target {
	return target{
		url: p.URL, own: p, operator: wire.Login{Login: operatorLogin, Password: p.Operator}, worker: wire.Login{Login: workerLogin, Password: p.Worker},
	}
}
