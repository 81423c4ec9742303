// Package draw is the stored form of what a draw saw, so that it can be made once
// more. It owns that form only: what a draw is, is placement's.
package draw

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// snapshot is the stored form of what placement saw: enough to make the same
// decision again from the same seed. What many workers state alike is stored once.
type snapshot struct {
	Now          time.Time                 `json:"now"`
	State        string                    `json:"state"`
	Capabilities []wire.Capabilities       `json:"capabilities"`
	Workers      []seenWorker              `json:"workers"`
	Classes      []seenClass               `json:"classes"`
	Batches      map[int64]seenLimit       `json:"batches,omitempty"`
	Requesters   map[int64]seenLimit       `json:"requesters,omitempty"`
	Use          map[int64]seenUse         `json:"use,omitempty"`
	Logins       map[pool.AccountID]string `json:"logins,omitempty"`
}

type seenWorker struct {
	ID           int64     `json:"id"`
	Owner        string    `json:"owner"`
	State        string    `json:"state"`
	Slots        int       `json:"slots"`
	Quota        int       `json:"quota"`
	Open         int       `json:"open,omitempty"`
	Wallet       bool      `json:"wallet,omitempty"`
	Until        time.Time `json:"until"`
	IntervalS    int64     `json:"interval_s"`
	Capabilities int       `json:"capabilities"` // index
}

type seenClass struct {
	ID      int64           `json:"id"`
	Demands json.RawMessage `json:"demands"`
	Ready   []seenReady     `json:"ready"`
}

type seenReady struct {
	Work      int64      `json:"work"`
	Rank      int64      `json:"rank"`
	Start     int64      `json:"start"`
	Trust     int        `json:"trust,omitempty"`
	Missing   int        `json:"missing"`
	Requester int64      `json:"requester"`
	Turns     []seenTurn `json:"turns,omitempty"`
}

type seenTurn struct {
	Worker  int64  `json:"worker"`
	Owner   string `json:"owner"`
	Attempt int    `json:"attempt"`
	State   string `json:"state"`
	Started bool   `json:"started,omitempty"`
}

type seenLimit struct {
	Max     int `json:"max"`
	Running int `json:"running"`
}

type seenUse struct {
	Open   int `json:"open"`
	Weight int `json:"weight"`
}

// Encode gives the stored form of what a dispatch pass saw.
func Encode(s placement.Snapshot) ([]byte, error) {
	out := snapshot{Now: s.Now, State: string(s.State), Batches: map[int64]seenLimit{}, Requesters: map[int64]seenLimit{}, Use: map[int64]seenUse{}, Logins: map[pool.AccountID]string{}}
	index := map[string]int{}
	for _, w := range s.Workers {
		text, err := wire.EncodeCapabilities(w.Capabilities)
		if err != nil {
			return nil, err
		}
		at, known := index[string(text)]
		if !known {
			at = len(out.Capabilities)
			index[string(text)] = at
			out.Capabilities = append(out.Capabilities, wire.FromCapabilities(w.Capabilities))
		}
		out.Workers = append(out.Workers, seenWorker{
			ID: int64(w.ID), Owner: string(w.Owner), State: string(w.State), Slots: w.Slots, Quota: w.Quota, Open: w.Open, Wallet: w.Capabilities.Wallet,
			Until: w.Until, IntervalS: int64(w.Interval / time.Second), Capabilities: at,
		})
	}
	for _, c := range s.Classes {
		demands, err := wire.EncodeDemands(c.Demands)
		if err != nil {
			return nil, err
		}
		class := seenClass{ID: int64(c.ID), Demands: demands}
		for _, r := range c.Ready {
			ready := seenReady{Work: int64(r.Work), Rank: r.Rank, Start: r.Start, Trust: r.Trust, Missing: r.Missing, Requester: int64(r.Requester)}
			for _, t := range r.Turns {
				ready.Turns = append(ready.Turns, seenTurn{Worker: int64(t.Worker), Owner: string(t.Owner), Attempt: t.Attempt, State: string(t.State), Started: t.Started})
			}
			out.Logins[r.Requester] = r.Login
			class.Ready = append(class.Ready, ready)
		}
		out.Classes = append(out.Classes, class)
	}
	for id, l := range s.Batches {
		out.Batches[int64(id)] = seenLimit(l)
	}
	for id, l := range s.Requesters {
		out.Requesters[int64(id)] = seenLimit(l)
	}
	for id, u := range s.Use {
		out.Use[int64(id)] = seenUse(u)
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(zip).Encode(out); err != nil {
		return nil, fmt.Errorf("encoding a snapshot: %w", err)
	}
	if err := zip.Close(); err != nil {
		return nil, fmt.Errorf("encoding a snapshot: %w", err)
	}
	return packed.Bytes(), nil
}

// Decode reads what Encode wrote.
func Decode(packed []byte) (placement.Snapshot, error) {
	var s placement.Snapshot
	var in snapshot
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return s, fmt.Errorf("reading a stored snapshot: %w", err)
	}
	text, err := io.ReadAll(zip)
	if err == nil {
		err = json.Unmarshal(text, &in)
	}
	if err != nil {
		return s, fmt.Errorf("reading a stored snapshot: %w", err)
	}
	s = placement.Snapshot{Now: in.Now, State: pool.State(in.State), Batches: map[pool.BatchID]placement.Limit{}, Requesters: map[pool.AccountID]placement.Limit{}, Use: map[pool.AccountID]placement.Use{}}
	for _, w := range in.Workers {
		if w.Capabilities < 0 || w.Capabilities >= len(in.Capabilities) {
			return s, fmt.Errorf("reading a stored snapshot: worker %d states nothing", w.ID)
		}
		text, err := json.Marshal(in.Capabilities[w.Capabilities])
		if err != nil {
			return s, err
		}
		c, err := wire.DecodeCapabilities(text)
		if err != nil {
			return s, err
		}
		c.Wallet = w.Wallet
		s.Workers = append(s.Workers, pool.Worker{
			ID: pool.WorkerID(w.ID), Owner: pool.Owner(w.Owner), State: pool.WorkerState(w.State), Slots: w.Slots, Quota: w.Quota, Open: w.Open,
			Until: w.Until, Interval: time.Duration(w.IntervalS) * time.Second, Capabilities: c,
		})
	}
	for _, c := range in.Classes {
		demands, err := wire.DecodeDemands(c.Demands)
		if err != nil {
			return s, err
		}
		class := placement.Class{ID: pool.ClassID(c.ID), Demands: demands}
		for _, r := range c.Ready {
			ready := placement.Ready{
				Work: pool.WorkID(r.Work), Rank: r.Rank, Start: r.Start, Trust: r.Trust, Missing: r.Missing,
				Requester: pool.AccountID(r.Requester), Login: in.Logins[pool.AccountID(r.Requester)],
			}
			for _, t := range r.Turns {
				ready.Turns = append(ready.Turns, pool.Assignment{
					Work: ready.Work, Worker: pool.WorkerID(t.Worker), Owner: pool.Owner(t.Owner), Attempt: t.Attempt, State: pool.AssignmentState(t.State), Started: t.Started,
				})
			}
			class.Ready = append(class.Ready, ready)
		}
		s.Classes = append(s.Classes, class)
	}
	for id, l := range in.Batches {
		s.Batches[pool.BatchID(id)] = placement.Limit(l)
	}
	for id, l := range in.Requesters {
		s.Requesters[pool.AccountID(id)] = placement.Limit(l)
	}
	for id, u := range in.Use {
		s.Use[pool.AccountID(id)] = placement.Use(u)
	}
	return s, nil
}
