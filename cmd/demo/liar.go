package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"workerpool/infra/local/crew"
)

const (
	liar       = "demo-liar"
	workerName = "worker" // login of the local pool's workers
	joinLimit  = 30       // looks, a second apart, until the pool has seen the liar
)

// addLiar starts a worker that lies and waits until the pool has heard of it. The
// caller must call stop. What it keeps stays, so that the next demonstration is
// the same worker's.
func (s show) addLiar(ctx context.Context, shop *shop) (stop func(), err error) {
	wallet, err := shop.wallet(liar)
	if err != nil {
		return nil, err
	}
	logs := filepath.Join(s.dir, "log")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of logs: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(logs, liar+".log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", liar, err)
	}
	w, err := crew.Start(crew.Config{
		Bin: filepath.Dir(s.localpool), Pool: s.url, Login: workerName, PasswordFile: filepath.Join(s.dir, "worker-password"),
		Name: liar, Dir: filepath.Join(s.dir, "workers", liar), Log: log, Lies: true, Wallet: wallet,
	})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := s.joined(ctx, w); err != nil {
		w.Stop()
		return nil, fmt.Errorf("%w; see %s", err, log.Name())
	}
	say(s.to, "the worker %s joins it, and lies", liar)
	return w.Stop, nil
}

func (s show) joined(ctx context.Context, w *crew.Worker) error {
	for range joinLimit {
		workers, err := s.workers(ctx)
		if err != nil {
			return err
		}
		for _, worker := range workers {
			if worker.Name == liar && worker.Live {
				return nil
			}
		}
		select {
		case <-w.Ended():
			return fmt.Errorf("the worker %s ended at once (%v)", liar, w.Err())
		default:
		}
		if err := s.wait(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("the pool has not heard of the worker %s", liar)
}
