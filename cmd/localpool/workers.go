package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"sync"

	"workerpool/infra/local/crew"
)

// workers are those that run.
type workers struct {
	all   []*crew.Worker
	ended chan string // tells of each worker that ended without being asked
}

func startWorkers(o options, s *state, url string, m *market) (*workers, error) {
	all := &workers{ended: make(chan string, o.workers)}
	for _, name := range o.crew() {
		if err := all.start(o, s, url, m, name); err != nil {
			all.stop()
			return nil, err
		}
	}
	return all, nil
}

// crew names the workers. The one that lies is always the same: with the score of
// an honest past its word alone could be a consensus.
func (o options) crew() []string {
	names := make([]string, o.workers)
	for n := range names {
		names[n] = "local-" + strconv.Itoa(n+1)
	}
	if o.liar {
		names[o.workers-1] = liar
	}
	return names
}

func (all *workers) start(o options, s *state, url string, m *market, name string) error {
	wallet, err := m.wallet(name)
	if err != nil {
		return err
	}
	log, err := s.log(name)
	if err != nil {
		return err
	}
	w, err := crew.Start(crew.Config{
		Bin: o.bin(), Pool: url, Login: workerLogin, PasswordFile: s.workerPassword,
		Name: name, Dir: filepath.Join(s.dir, "workers", name), Log: log, Lies: name == liar, Wallet: wallet,
	})
	if err != nil {
		_ = log.Close() // the start's error counts
		return err
	}
	all.all = append(all.all, w)
	go func() {
		<-w.Ended()
		all.ended <- fmt.Sprintf("the worker %s has ended (%v); see %s", name, w.Err(), log.Name())
	}()
	return nil
}

// stop ends all workers at once and waits for them.
func (all *workers) stop() {
	var wait sync.WaitGroup
	for _, w := range all.all {
		wait.Go(w.Stop)
	}
	wait.Wait()
}
