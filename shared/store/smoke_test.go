package store_test

import (
	"context"
	"testing"
	"time"

	"workerpool/shared/life"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	s := storetest.New(t)
	for _, l := range []string{"op", "wk"} {
		if err := s.PutAccount(ctx, pool.Account{Login: l, Role: pool.RoleWorker, Shared: l == "wk"}); err != nil {
			t.Fatal(err)
		}
	}
	n := pool.NewBatch{Requester: 1, Idempotency: "k", BodyDigest: pool.Digest{1}, Trust: 3, Deadline: time.Hour,
		Demands:  pool.Demands{App: pool.App{Type: "process", Name: "m"}, RunLimit: time.Minute},
		Template: []byte(`{"app":{"type":"process","name":"m"}}`), Items: [][]byte{nil, []byte(`{"args":["1"]}`)}, RequestID: "r"}
	b, err := s.InsertBatch(ctx, n, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	b2, err := s.InsertBatch(ctx, n, 2, 0)
	if err != nil || b2.ID != b.ID {
		t.Fatal(b2, err)
	}
	n.BodyDigest[0] = 2
	if _, err = s.InsertBatch(ctx, n, 2, 0); pool.KindOf(err) != pool.Conflict {
		t.Fatal(err)
	}
	for i, name := range []string{"a", "b", "c"} {
		id, err := s.Register(ctx, pool.NewWorker{Account: 2, Name: name, Key: pool.Digest{byte(i + 1)}, Slots: 2,
			Capabilities: pool.Capabilities{Programs: []string{"m"}}}, pool.Trace{RequestID: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Renew(ctx, pool.Renewal{Worker: id, Lease: time.Minute, Interval: 5 * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	l, err := s.TakeLease(ctx)
	if err != nil || l == nil {
		t.Fatal(l, err)
	}
	l2, err := s.TakeLease(ctx)
	if err != nil || l2 != nil {
		t.Fatal(l2, err)
	}
	c := placement.Cursor{}
	p, err := s.Dispatch(ctx, l, 100, c, 7, pool.Trace{}, func(sn placement.Snapshot) placement.Plan { return placement.Decide(sn, 7, placement.Defaults) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v %v", p, c)
	if p.Offers != 4 {
		t.Fatal("offers", p.Offers)
	}
	more, err := s.ReleaseLease(ctx, l)
	if err != nil || !more {
		t.Fatal(more, err)
	}
	more, err = s.ReleaseLease(ctx, l)
	if err != nil || more {
		t.Fatal(more, err)
	}
	done := map[pool.WorkID]bool{}
	for round := 0; round < 5; round++ {
		for w := pool.WorkerID(1); w <= 3; w++ {
			h, err := s.Hear(ctx, 2, w)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range h.Rows {
				r := pool.Report{Work: row.Work, Attempt: row.Attempt, Says: pool.SaysRunning}
				switch row.State {
				case pool.InRun:
					r.Says, r.Digest, r.Size = pool.SaysReported, pool.Digest{9}, 10
				case pool.Uploading:
					r.Says, r.Digest, r.Size = pool.SaysUploaded, pool.Digest{9}, 10
				}
				ls, err := s.Settle(ctx, []pool.WorkID{row.Work}, &pool.Renewal{Worker: w, Lease: time.Minute, Interval: 5 * time.Second}, pool.Trace{}, func(now time.Time, lives []life.Life) {
					for i := range lives {
						lives[i].Report(now, w, r, true, 3, life.Defaults)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				if ls[0].Work.State == pool.Done {
					done[ls[0].Work.ID] = true
				}
			}
		}
	}
	if len(done) != 2 {
		t.Fatal(done)
	}
	moved, err := s.Archive(ctx, 100)
	if err != nil || moved != 4 {
		t.Fatal(moved, err)
	}
	ws, _, err := s.Workers(ctx, 0, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", ws)
	w, turns, err := s.Work(ctx, 1, b.ID.Work(0))
	t.Logf("%+v %+v %v", w, turns, err)
	bb, err := s.Batch(ctx, 1, b.ID)
	t.Logf("%+v %v", bb, err)
	cs, err := s.Census(ctx)
	t.Logf("%+v %v", cs, err)
	wl, err := s.Works(ctx, pool.WorkFilter{Requester: 1, State: pool.Done, Limit: 10})
	t.Logf("%d %v", len(wl), err)
}
