// Package submit is the flow of what requesters bring: batches of works, their
// inputs, and the wish to cancel. It must not assign anything.
package submit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"workerpool/shared/consensus"
	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// Books stores what is submitted.
type Books interface {
	InsertBatch(ctx context.Context, n pool.NewBatch, wanted int, boost time.Duration) (pool.Batch, error)
	MissingInputs(ctx context.Context, requester pool.AccountID, batch pool.BatchID, limit int) (page []pool.Input, missing int, err error)
	MarkInputs(ctx context.Context, batch pool.BatchID, present []pool.Digest, wanted int, t pool.Trace) (missing int, err error)
	Work(ctx context.Context, requester pool.AccountID, id pool.WorkID) (pool.Work, []pool.Assignment, error)
	Settle(ctx context.Context, ids []pool.WorkID, renew *pool.Renewal, t pool.Trace, decide func(now time.Time, lives []life.Life)) ([]life.Life, error)
}

// Files makes upload links and sees whether an object is there.
type Files interface {
	PresignPost(ctx context.Context, u pool.Upload) (pool.Link, error)
	Head(ctx context.Context, key string) (pool.Object, bool, error)
}

// Bell rings the dispatcher.
type Bell interface {
	Ring(ctx context.Context) error
}

// Config is what Submit needs.
type Config struct {
	Books   Books
	Files   Files
	Bell    Bell
	Meter   *telemetry.Meter
	MaxFile int64 // bytes of one input
}

// Submit takes submissions in.
type Submit struct{ Config }

// New makes a Submit.
func New(c Config) *Submit { return &Submit{c} }

const (
	uploadLife = time.Hour // of a link to upload an input
	pageInputs = 200       // inputs named, or looked for, in one call
	heads      = 16        // inputs looked for at once
	// maxAge is how old an object may be to count as there: the bucket forgets
	// inputs after 45 days, and a work may live 30. Older ones are uploaded anew.
	maxAge = 14 * 24 * time.Hour
)

// Accept stores a batch and rings. A repeat with the same key and body gives the
// first answer and rings again: the first ring may have been lost.
func (s *Submit) Accept(ctx context.Context, n pool.NewBatch) (pool.Batch, error) {
	wanted := consensus.New().Wanted(n.Trust, 0, consensus.APIWeight)
	batch, err := s.Books.InsertBatch(ctx, n, wanted, placement.Boost(n.Priority))
	if err != nil {
		return batch, err
	}
	slog.InfoContext(ctx, "batch accepted", telemetry.KeyBatch, int64(batch.ID), telemetry.KeyCount, batch.Works)
	s.count(ctx, telemetry.N(telemetry.BatchesAccepted, 1), telemetry.N(telemetry.WorksAccepted, batch.Works))
	if batch.Missing == 0 {
		s.ring(ctx)
	}
	return batch, nil
}

// Target is an input still missing and the link that uploads it.
type Target struct {
	Input pool.Input
	Link  pool.Link
}

// Missing gives a page of the inputs of a batch that are still to be uploaded,
// each with its link, and how many there are in all. Every file is uploaded once, whatever the
// number of works that read it.
func (s *Submit) Missing(ctx context.Context, requester pool.AccountID, batch pool.BatchID) (page []Target, missing int, err error) {
	inputs, missing, err := s.Books.MissingInputs(ctx, requester, batch, pageInputs)
	if err != nil {
		return nil, 0, err
	}
	targets := make([]Target, len(inputs))
	for i, in := range inputs {
		link, err := s.Files.PresignPost(ctx, pool.Upload{
			Key: pool.InputKey(requester, in.Digest), Digest: in.Digest, Size: in.Size, ContentType: "application/octet-stream", Life: uploadLife,
		})
		if err != nil {
			return nil, 0, err
		}
		targets[i] = Target{in, link}
	}
	return targets, missing, nil
}

// Check looks for a page of the missing inputs and notes those that are there
// with their size and digest. When the last one is, the works leave staging. It
// gives how many are still missing: call again while that number falls.
func (s *Submit) Check(ctx context.Context, requester pool.AccountID, batch pool.BatchID, t pool.Trace) (int, error) {
	inputs, _, err := s.Books.MissingInputs(ctx, requester, batch, pageInputs)
	if err != nil {
		return 0, err
	}
	if len(inputs) == 0 {
		s.ring(ctx) // the ring of the call that found the last one may have been lost
		return 0, nil
	}
	present, err := s.look(ctx, requester, inputs)
	if err != nil {
		return 0, err
	}
	wanted, err := s.wanted(ctx, requester, batch)
	if err != nil {
		return 0, err
	}
	missing, err := s.Books.MarkInputs(ctx, batch, present, wanted, t)
	if err == nil && missing == 0 {
		s.ring(ctx)
	}
	return missing, err
}

// look gives those of the inputs that lie in the bucket as they were announced.
func (s *Submit) look(ctx context.Context, requester pool.AccountID, inputs []pool.Input) ([]pool.Digest, error) {
	there := make([]bool, len(inputs))
	faults := make([]error, len(inputs))
	places := make(chan struct{}, heads)
	var all sync.WaitGroup
	for i, in := range inputs {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			object, found, err := s.Files.Head(ctx, pool.InputKey(requester, in.Digest))
			there[i] = found && object.Size == in.Size && object.Digest == in.Digest && object.Age < maxAge
			faults[i] = err
		})
	}
	all.Wait()
	var present []pool.Digest
	for i, in := range inputs {
		if there[i] {
			present = append(present, in.Digest)
		}
	}
	return present, errors.Join(faults...)
}

// wanted gives how many assignments a fresh work of the batch wants.
func (s *Submit) wanted(ctx context.Context, requester pool.AccountID, batch pool.BatchID) (int, error) {
	work, _, err := s.Books.Work(ctx, requester, batch.Work(0))
	return consensus.New().Wanted(work.Trust, 0, consensus.APIWeight), err
}

// Cancel ends a work of a requester, or of anybody with requester 0, in
// whatever state it is, and tells what it was and what it is now. What had ended
// stays as it ended.
func (s *Submit) Cancel(ctx context.Context, requester pool.AccountID, id pool.WorkID, t pool.Trace) (before, after pool.WorkState, err error) {
	work, _, err := s.Books.Work(ctx, requester, id)
	if err != nil {
		return "", "", err
	}
	if work.Origin == pool.OriginDeal {
		return "", "", pool.Refuse(pool.Conflict, "id", "work %d is a task of a deal: what was sold on the chain cannot be cancelled", id)
	}
	lives, err := s.Books.Settle(ctx, []pool.WorkID{id}, nil, t, func(now time.Time, lives []life.Life) {
		for i := range lives {
			before = lives[i].Work.State
			lives[i].Cancel(now)
		}
	})
	if err != nil {
		return "", "", err
	}
	for _, l := range lives {
		after = l.Work.State
	}
	return before, after, nil
}

// ring is best effort: what it would have told, the next tick tells.
func (s *Submit) ring(ctx context.Context) {
	if err := s.Bell.Ring(ctx); err != nil {
		slog.WarnContext(ctx, "the dispatcher could not be rung; the next tick will", telemetry.KeyError, err.Error())
		s.count(ctx, telemetry.N(telemetry.RingsFailed, 1))
	}
}

func (s *Submit) count(ctx context.Context, values ...telemetry.Value) {
	if err := s.Meter.Record(values...); err != nil {
		slog.WarnContext(ctx, "not counted", telemetry.KeyError, err.Error())
	}
}
