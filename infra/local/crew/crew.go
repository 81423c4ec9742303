// Package crew runs worker programs beside a local pool, as their owners would. It
// owns how such a program is started and ended; it must not know what workers do.
package crew

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"workerpool/infra/local/process"
	"workerpool/shared/pool"
)

// A worker may let its runs end for grace after it was asked to end, and is killed
// after stopLimit.
const (
	grace     = 3 * time.Second
	stopLimit = 5 * time.Second
)

// Config says which worker to start. All but Lies and Wallet is required.
type Config struct {
	Bin          string // folder with the programs, see Ready
	Pool         string // URL
	Login        string
	PasswordFile string
	Name         string
	Dir          string   // what the worker keeps
	Log          *os.File // what it says; the worker closes it
	Lies         bool     // whether it renders wrong tiles
	Wallet       *Wallet  // nil = it takes no works of deals
}

// Wallet lets a worker take works of deals.
type Wallet struct {
	File         string // keystore
	PasswordFile string
	Node         string       // URL
	Hub          pool.Address // of the chain
	Pool         pool.Address // whose deals it works for
}

// Worker is one that was started.
type Worker struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended
}

// programs are the worker and what it is allowed to run, as full paths.
func programs(bin string) (worker, app string, err error) {
	if bin, err = filepath.Abs(bin); err != nil {
		return "", "", fmt.Errorf("finding the programs: %w", err)
	}
	if strings.ContainsAny(bin, " \t\n,") {
		return "", "", fmt.Errorf("the folder %q has a space or a comma in its path: a worker could not be told of a program in it; move it elsewhere", bin)
	}
	worker, app = filepath.Join(bin, "worker"), filepath.Join(bin, "mandelbrot")
	for _, program := range []string{worker, app} {
		if _, err := os.Stat(program); err != nil {
			return "", "", fmt.Errorf("a program has not been built: make build-local: %w", err)
		}
	}
	return worker, app, nil
}

// Ready says what keeps workers from starting with the programs in a folder.
func Ready(bin string) error {
	_, _, err := programs(bin)
	return err
}

// Start starts a worker with one slot. It dies with this program; Stop ends it.
func Start(c Config) (*Worker, error) {
	program, app, err := programs(c.Bin)
	if err != nil {
		return nil, err
	}
	if c.Lies {
		app += " -lie"
	}
	args := []string{
		"-pool", c.Pool, "-login", c.Login, "-password-file", c.PasswordFile,
		"-name", c.Name, "-dir", c.Dir, "-apps", "mandelbrot=" + app, "-slots", "1", "-grace", grace.String(),
	}
	if w := c.Wallet; w != nil {
		args = append(args, "-wallet", w.File, "-wallet-password-file", w.PasswordFile, "-node", w.Node, "-hub", w.Hub.String(), "-pool-address", w.Pool.String())
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = c.Log, c.Log
	if err := process.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting the worker %s: %w", c.Name, err)
	}
	w := &Worker{cmd: cmd, ended: make(chan struct{})}
	go func() {
		w.err = cmd.Wait()
		process.Kill(cmd) // what it left behind in its group
		_ = c.Log.Close() // it has written all it will
		close(w.ended)
	}()
	return w, nil
}

// Ended is closed when the worker has ended, asked or not.
func (w *Worker) Ended() <-chan struct{} { return w.ended }

// Err tells how it ended, once it has.
func (w *Worker) Err() error { return w.err }

// Stop asks the worker to end and waits. One that had to be killed takes its work
// up again at its next start.
func (w *Worker) Stop() { _ = process.Stop(w.cmd, w.ended, stopLimit) }
