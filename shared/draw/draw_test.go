package draw_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/draw"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

// A stored snapshot is the one that was seen, in all that a decision looks at,
// and far smaller than its workers' words.
func TestSnapshotKept(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2030, 1, 2, 3, 4, 5, 678_000, time.UTC)
	s := placement.Snapshot{
		Now: now, State: pool.PoolActive,
		Batches: map[pool.BatchID]placement.Limit{1: {Max: 40, Running: 3}}, Requesters: map[pool.AccountID]placement.Limit{7: {Max: 90}},
		Use: map[pool.AccountID]placement.Use{7: {Open: 5, Weight: 2}, 8: {Weight: 1}},
	}
	capabilities := pool.Capabilities{
		OS: "linux", Arch: "amd64", CPU: 8, MemoryMB: 1 << 14, Programs: []string{"sum"}, Version: "1.2.3", MaxRun: time.Hour, Tags: []string{"eu"},
		Requesters: pool.Rules{Deny: []string{"bob"}},
	}
	for i := range 2000 {
		s.Workers = append(s.Workers, pool.Worker{
			ID: pool.WorkerID(i + 1), Owner: pool.Owner(fmt.Sprint("account:", i%40)), State: pool.Active, Slots: 1 + r.IntN(20), Quota: 1 + r.IntN(9),
			Open: r.IntN(3), Until: now.Add(time.Minute), Interval: 5 * time.Second, Capabilities: capabilities,
		})
	}
	class := placement.Class{ID: 3, Demands: pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}, CPU: 2, RunLimit: 5 * time.Minute}}
	for i := range 100 {
		ready := placement.Ready{
			Work: pool.BatchID(1 + i%2).Work(i), Rank: int64(i / 3), Start: int64(i), Trust: i % 5, Missing: 1 + i%3, Requester: pool.AccountID(7 + i%2), Login: []string{"ann", "bob"}[i%2],
		}
		if i%4 == 0 {
			ready.Turns = []pool.Assignment{{Work: ready.Work, Worker: pool.WorkerID(i + 1), Owner: "account:3", Attempt: 2, State: pool.Refused}}
		}
		class.Ready = append(class.Ready, ready)
	}
	s.Classes = []placement.Class{class}

	packed, err := draw.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := draw.Decode(packed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again); diff != "" {
		t.Error(diff)
	}
	one, two := placement.Decide(s, 5, placement.Defaults), placement.Decide(again, 5, placement.Defaults)
	if len(one.Offers) < 50 || !slices.Equal(one.Offers, two.Offers) {
		t.Errorf("%d offers, then %d", len(one.Offers), len(two.Offers))
	}
	if perWorker := len(packed) / len(s.Workers); perWorker > 40 {
		t.Errorf("%d bytes a worker", perWorker)
	}
}

func TestBrokenSnapshots(t *testing.T) {
	t.Parallel()
	for _, packed := range [][]byte{nil, []byte("{}"), {0x1f, 0x8b}} {
		if _, err := draw.Decode(packed); err == nil {
			t.Errorf("%q is read", packed)
		}
	}
}
