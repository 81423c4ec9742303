//go:build linux

package chainside

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"workerpool/shared/chain"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// errComposed tells that a call was decided upon.
var errComposed = errors.New("a call was composed")

func agreed(s *scene) {
	s.task.Status, s.task.Consensus, s.task.RevealBy = pool.TaskRevealing, ethsig.ResultHash(taskID, digest), s.head.Time.Add(time.Minute)
}

// What is said to the chain is decided by what it shows: want is "call" for a
// call, "" for nothing that is left to do, else the error, which begins with "never:"
// when there is no hope.
func TestContributeLooksFirst(t *testing.T) {
	for name, c := range map[string]struct {
		scene   func(*scene)
		promise func(*Promise)
		want    string
	}{
		"active":              {want: "call"},
		"done":                {scene: contributed(pool.Contributed)},
		"done and revealed":   {scene: contributed(pool.Proved)},
		"another result":      {scene: contributed(pool.Contributed), promise: func(p *Promise) { p.Digest = pool.Hash{1}.String() }, want: "never: the wallet has contributed another result before"},
		"no such deal now":    {scene: func(s *scene) { s.deals = nil }, want: "the chain does not know the deal just now"},
		"not initialized now": {scene: func(s *scene) { s.task.Status = pool.TaskUnset }, want: "the task takes no contributions just now: its status is 0"},
		"agreed without":      {scene: agreed, want: "the task takes no contributions just now: its status is 2"},
		"a second left":       {scene: headAt(35*time.Minute - time.Second), want: "call"},
		"late":                {scene: headAt(35 * time.Minute), want: "never: too late: contributions were taken until 2026-01-02T03:39:05Z, it is 2026-01-02T03:39:05Z"},
		"stake":               {scene: func(s *scene) { s.purse.Stake = 29 }, want: "never: the worker's stake is too low"},
		"gas":                 {scene: func(s *scene) { s.purse.Gas.SetInt64(1) }, want: "never: the worker's wallet is too poor"},
		"node down":           {scene: func(s *scene) { s.err = errors.New("connection refused") }, want: "connection refused"},
		"forged":              {promise: func(p *Promise) { p.Authorisation = word(t, otherKey, workerKey.Address(), taskID) }, want: "never: the pool's authorisation is not good"},
		"another wallet's":    {promise: func(p *Promise) { p.Authorisation = word(t, ownerKey, otherKey.Address(), taskID) }, want: "never: the pool's authorisation is not good"},
		"another task's":      {promise: func(p *Promise) { p.Task = ethsig.TaskID(dealID, 8).String() }, want: "never: the pool's authorisation is not good"},
		"another owner's":     {promise: func(p *Promise) { p.Owner = otherKey.Address().String() }, want: "never: the pool's authorisation is not good"},
		"no result":           {promise: func(p *Promise) { p.Digest = "" }, want: "never: the result's digest"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, (*Account).Contribute, c.scene, c.promise, c.want) })
	}
}

func TestRevealLooksFirst(t *testing.T) {
	won := func(change func(*scene)) func(*scene) {
		return func(s *scene) {
			contributed(pool.Contributed)(s)
			agreed(s)
			if change != nil {
				change(s)
			}
		}
	}
	for name, c := range map[string]struct {
		scene   func(*scene)
		promise func(*Promise)
		want    string
	}{
		"won":             {scene: won(nil), want: "call"},
		"done":            {scene: won(contributed(pool.Proved))},
		"no consensus":    {scene: contributed(pool.Contributed), want: "the task takes no reveals just now: its status is 1"},
		"none of its own": {scene: agreed, want: "the chain shows no contribution to reveal: its status is 0"},
		"rejected":        {scene: won(contributed(pool.Rejected)), want: "the chain shows no contribution to reveal: its status is 3"},
		"lost":            {scene: won(func(s *scene) { s.task.Consensus = pool.Hash{1} }), want: "another result was agreed upon"},
		"not this result": {scene: won(nil), promise: func(p *Promise) { p.Digest = pool.Hash{1}.String() }, want: "another result was agreed upon"},
		"late":            {scene: won(func(s *scene) { s.head.Time = s.task.RevealBy }), want: "too late: reveals were taken until"},
		"completed":       {scene: won(func(s *scene) { s.task.Status = pool.TaskCompleted }), want: "the task takes no reveals just now: its status is 3"},
		"no such deal":    {scene: won(func(s *scene) { s.deals = nil }), want: "the chain does not know the deal just now"},
		"stake is gone":   {scene: won(func(s *scene) { s.purse = chain.Purse{} }), want: "call"},
	} {
		t.Run(name, func(t *testing.T) { expect(t, (*Account).Reveal, c.scene, c.promise, c.want) })
	}
}

func expect(t *testing.T, say func(*Account, context.Context, Promise) error, scene func(*scene), promise func(*Promise), want string) {
	t.Helper()
	s, p := newScene(), good(t)
	if scene != nil {
		scene(s)
	}
	if promise != nil {
		promise(&p)
	}
	// A lane needs a nonce before it composes.
	a := newAccount(t, s, func(c *Config) { c.Sender = nonced{s} })
	err := say(a, context.Background(), p)
	var never *HopelessError
	got := ""
	switch {
	case errors.Is(err, errComposed):
		got = "call"
	case errors.As(err, &never):
		got = "never: " + err.Error()
	case err != nil:
		got = err.Error()
	}
	if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

type nonced struct{ *scene }

func (nonced) Nonce(context.Context, pool.Block) (uint64, error) { return 0, nil }
