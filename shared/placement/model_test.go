package placement_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"workerpool/shared/placement"
	"workerpool/shared/pool"
)

var now = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

// meets is eligibility told again, demand by demand and in other words than the
// code: it gives the first demand that is not met, "" when all are.
func meets(c pool.Capabilities, d pool.Demands) string {
	has := func(list []string, word string) bool {
		return strings.Contains("\x00"+strings.Join(list, "\x00")+"\x00", "\x00"+word+"\x00")
	}
	if d.App.Type == pool.ProcessApp && !has(c.Programs, d.App.Name) {
		return "program"
	}
	if d.App.Type == pool.DockerApp && !c.Docker {
		return "docker"
	}
	if !admits(c.Apps, d.App.Name) {
		return "apps"
	}
	if d.App.Type != pool.ProcessApp && d.App.Type != pool.DockerApp {
		return "app type"
	}
	for _, n := range []struct {
		what         string
		wanted, have int64
	}{
		{"cpu", int64(d.CPU), int64(c.CPU)}, {"memory", d.MemoryMB, c.MemoryMB},
		{"disk", d.DiskMB, c.DiskMB}, {"gpu", int64(d.GPU), int64(c.GPU)},
	} {
		if n.have < n.wanted {
			return n.what
		}
	}
	if d.TEE != "" && !has(c.TEE, d.TEE) {
		return "tee"
	}
	if d.OS != "" && d.OS != c.OS {
		return "os"
	}
	if d.Arch != "" && d.Arch != c.Arch {
		return "arch"
	}
	for _, tag := range d.Tags {
		if !has(c.Tags, tag) {
			return "tag"
		}
	}
	for _, tag := range d.NotTags {
		if has(c.Tags, tag) {
			return "forbidden tag"
		}
	}
	if d.MinVersion != "" && (c.Version == "" || padded(c.Version) < padded(d.MinVersion)) {
		return "version"
	}
	if d.Wallet && !c.Wallet {
		return "wallet"
	}
	if c.MaxRun != 0 && d.RunLimit > c.MaxRun {
		return "run limit"
	}
	return ""
}

// admits is a worker's rule told again.
func admits(r pool.Rules, name string) bool {
	match := func(entries []string) bool {
		for _, e := range entries {
			if n := len(e) - 1; e == name || n >= 0 && e[n] == '*' && len(name) >= n && name[:n] == e[:n] {
				return true
			}
		}
		return false
	}
	return !match(r.Deny) && (r.Allow == nil || match(r.Allow))
}

// open tells that a work has an open assignment.
func open(h placement.Ready) bool {
	for _, t := range h.Turns {
		if t.State == pool.Offered || t.State == pool.InRun {
			return true
		}
	}
	return false
}

// startedBy gives the works that a plan makes run.
func startedBy(s placement.Snapshot, plan placement.Plan) []placement.Ready {
	var out []placement.Ready
	for _, c := range s.Classes {
		for _, h := range c.Ready {
			if !open(h) && slices.ContainsFunc(plan.Offers, func(o placement.Offer) bool { return o.Work == h.Work }) {
				out = append(out, h)
			}
		}
	}
	return out
}

// full tells that a limit keeps a work from running.
func full(s placement.Snapshot, h placement.Ready) bool {
	batch, ofBatch := s.Batches[h.Work.Batch()]
	requester, ofRequester := s.Requesters[h.Requester]
	return !open(h) && (ofBatch && batch.Running >= batch.Max || ofRequester && requester.Running >= requester.Max)
}

// padded makes versions comparable as text.
func padded(version string) string {
	var out []string
	for _, part := range strings.Split(version, ".") {
		out = append(out, strings.Repeat("0", 9-len(part))+part)
	}
	return strings.Join(out, ".")
}

// barred tells that a worker may not be offered this work, by its past turns.
func barred(h placement.Ready, w pool.Worker, p placement.Policy) bool {
	if !admits(w.Capabilities.Requesters, h.Login) {
		return true
	}
	for _, t := range h.Turns {
		ran := t.Started || t.State != pool.Expired && t.State != pool.Refused
		if t.Worker == w.ID && (ran || t.State == pool.Refused && t.Attempt >= p.MaxRefusals) || h.Trust > 1 && t.Owner == w.Owner && ran {
			return true
		}
	}
	return false
}

func eligible(w pool.Worker, d pool.Demands) bool {
	return w.Until.After(now) && w.State == pool.Active && min(w.Slots, w.Quota) > w.Open && meets(w.Capabilities, d) == ""
}

// even draws 0 to n-1 without the preference for small numbers that rapid's own
// ranges have: pools of that kind are all but empty.
func even(t *rapid.T, n int, label string) int {
	bits := rapid.Custom(func(t *rapid.T) int {
		v := 0
		for range 8 {
			v <<= 1
			if rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v
	})
	return bits.Draw(t, label) % n
}

func pick[E any](t *rapid.T, from []E, label string) E { return from[even(t, len(from), label)] }

// often draws the usual value seven times of eight.
func often[E any](t *rapid.T, usual E, others []E, label string) E {
	if even(t, 8, label+"?") > 0 {
		return usual
	}
	return pick(t, others, label)
}

func capabilities(t *rapid.T) pool.Capabilities {
	return pool.Capabilities{
		OS: often(t, "linux", []string{"", "windows"}, "os"), Arch: often(t, "amd64", []string{"", "arm64"}, "arch"),
		CPU: even(t, 3, "cpu"), MemoryMB: int64(even(t, 3, "memory")), DiskMB: int64(even(t, 3, "disk")), GPU: even(t, 2, "gpu"),
		TEE:      pick(t, [][]string{nil, {"sgx"}, {"tdx", "sgx"}}, "tee"),
		Tags:     pick(t, [][]string{nil, {"fast"}, {"eu"}, {"eu", "fast"}, {"eu", "fast", "test"}, {"test"}}, "tags"),
		Programs: often(t, []string{"sum"}, [][]string{nil, {"blender"}, {"blender", "sum"}}, "programs"), Docker: rapid.Bool().Draw(t, "docker"),
		Apps:       often(t, pool.Rules{}, []pool.Rules{{Deny: []string{"su*"}}, {Allow: []string{"blender"}}, {Allow: []string{"sum", "b*"}}}, "apps"),
		Requesters: often(t, pool.Rules{}, []pool.Rules{{Deny: []string{"ann"}}, {Allow: []string{"a*"}}}, "requesters"),
		MaxRun:     often(t, 0, []time.Duration{time.Minute, time.Hour}, "max run"),
		Version:    pick(t, []string{"", "1.2.3", "1.2.10", "1.10.0", "2.0.0", "10.0.0"}, "version"),
	}
}

// demands asks for a few things, so that some workers meet them.
func demands(t *rapid.T) pool.Demands {
	d := pool.Demands{App: pool.App{Type: pool.ProcessApp, Name: "sum"}}
	for range even(t, 3, "how many") {
		switch even(t, 12, "which") {
		case 0:
			d.App = pick(t, []pool.App{
				{Type: pool.DockerApp}, {Type: pool.ProcessApp, Name: "blender"}, {Type: pool.ProcessApp, Name: "nobody"}, {Name: "sum"}, {Type: "wasm", Name: "sum"},
			}, "app")
		case 1:
			d.CPU = 1 + even(t, 2, "cpu")
		case 2:
			d.MemoryMB = 1 + int64(even(t, 2, "memory"))
		case 3:
			d.DiskMB = 1 + int64(even(t, 2, "disk"))
		case 4:
			d.GPU = 1
		case 5:
			d.TEE = pick(t, []string{"sgx", "tdx"}, "tee")
		case 6:
			d.Tags = pick(t, [][]string{{"fast"}, {"eu", "test"}}, "tags")
		case 7:
			d.NotTags = pick(t, [][]string{{"test"}, {"eu", "fast"}}, "not tags")
		case 8:
			d.OS = pick(t, []string{"linux", "windows"}, "os")
		case 9:
			d.Arch = pick(t, []string{"amd64", "arm64"}, "arch")
		case 10:
			d.MinVersion = pick(t, []string{"1.2.3", "1.3.0", "9.0.0"}, "version")
		case 12:
			d.Wallet = true
		case 11:
			d.RunLimit = pick(t, []time.Duration{time.Minute, time.Hour, 2 * time.Hour}, "run limit")
		}
	}
	return d
}

func fleet(t *rapid.T) []pool.Worker {
	var out []pool.Worker
	for i := range even(t, 14, "workers") {
		slots := even(t, 5, "slots")
		out = append(out, pool.Worker{
			ID: pool.WorkerID(i*3 + 1), Owner: pool.Owner(fmt.Sprint("account:", even(t, 5, "owner"))),
			State: often(t, pool.Active, []pool.WorkerState{pool.Draining, ""}, "state"), Slots: slots,
			Quota: often(t, pool.MaxSlots, []int{1, 2, slots + 1}, "quota"),
			Open:  often(t, 0, []int{1, slots, slots + 1}, "open"), Interval: time.Duration(1+even(t, 60, "interval")) * time.Second,
			Until:        now.Add(often(t, time.Minute, []time.Duration{-time.Hour, 0, 1}, "lease")),
			Capabilities: capabilities(t),
		})
	}
	return out
}

func turns(t *rapid.T, workers []pool.Worker, work pool.WorkID) []pool.Assignment {
	var out []pool.Assignment
	for _, w := range workers {
		if even(t, 4, "turn") > 0 {
			continue
		}
		state := pick(t, append([]pool.AssignmentState{pool.Expired, pool.Expired, pool.Refused}, pool.AssignmentStates...), "state")
		out = append(out, pool.Assignment{
			Work: work, Worker: w.ID, Owner: w.Owner, Attempt: 1 + even(t, 4, "attempt"), State: state,
			Started: state != pool.Offered && state != pool.Refused && (state != pool.Expired || rapid.Bool().Draw(t, "started")),
		})
	}
	return out
}

// snapshots draws whole pools: few workers, owners and values, so that conflicts
// are the rule. Some of the past turns are of workers that are gone.
func snapshots(t *rapid.T) placement.Snapshot {
	s := placement.Snapshot{
		Now: now, State: pool.PoolActive, Workers: fleet(t), Batches: map[pool.BatchID]placement.Limit{}, Requesters: map[pool.AccountID]placement.Limit{},
	}
	for i := range 3 {
		if even(t, 4, "limit") == 0 {
			s.Batches[pool.BatchID(i+1)] = placement.Limit{Max: even(t, 3, "max"), Running: even(t, 3, "running")}
		}
		if even(t, 4, "limit") == 0 {
			s.Requesters[pool.AccountID(i+1)] = placement.Limit{Max: even(t, 4, "max"), Running: even(t, 3, "running")}
		}
	}
	all := append(slices.Clone(s.Workers), pool.Worker{ID: 500, Owner: "account:1"}, pool.Worker{ID: 501, Owner: "account:2"})
	var numbers [4]int
	for c := range 1 + even(t, 4, "classes") {
		class := placement.Class{ID: pool.ClassID(c + 1), Demands: demands(t)}
		for range even(t, 6, "works") {
			batch := 1 + even(t, 3, "batch")
			work := pool.BatchID(batch).Work(numbers[batch])
			numbers[batch]++
			class.Ready = append(class.Ready, placement.Ready{
				Work: work, Rank: int64(even(t, 4, "rank")), Start: int64(even(t, 9, "start")), Trust: even(t, 5, "trust"), Missing: even(t, 6, "missing") - 1,
				Turns: turns(t, all, work), Requester: pool.AccountID(1 + batch%2), Login: []string{"ann", "bob"}[batch%2],
			})
		}
		slices.SortStableFunc(class.Ready, func(a, b placement.Ready) int { return int(a.Rank - b.Rank) })
		s.Classes = append(s.Classes, class)
	}
	return s
}

// applied gives the snapshot after the store has made the offers.
func applied(s placement.Snapshot, plan placement.Plan) placement.Snapshot {
	out := placement.Snapshot{Now: s.Now, State: s.State, Workers: slices.Clone(s.Workers), Batches: maps.Clone(s.Batches), Requesters: maps.Clone(s.Requesters)}
	for _, work := range startedBy(s, plan) {
		if l, ok := out.Batches[work.Work.Batch()]; ok {
			out.Batches[work.Work.Batch()] = placement.Limit{Max: l.Max, Running: l.Running + 1}
		}
		if l, ok := out.Requesters[work.Requester]; ok {
			out.Requesters[work.Requester] = placement.Limit{Max: l.Max, Running: l.Running + 1}
		}
	}
	for _, c := range s.Classes {
		c.Ready = slices.Clone(c.Ready)
		for i, h := range c.Ready {
			h.Turns = slices.Clone(h.Turns)
			for _, o := range plan.Offers {
				if o.Work != h.Work {
					continue
				}
				h.Missing--
				h.Turns = slices.DeleteFunc(h.Turns, func(t pool.Assignment) bool { return t.Worker == o.Worker })
				h.Turns = append(h.Turns, pool.Assignment{Work: o.Work, Worker: o.Worker, Owner: o.Owner, Attempt: o.Attempt, State: pool.Offered})
			}
			c.Ready[i] = h
		}
		out.Classes = append(out.Classes, c)
	}
	for i := range out.Workers {
		for _, o := range plan.Offers {
			if o.Worker == out.Workers[i].ID {
				out.Workers[i].Open++
			}
		}
	}
	return out
}
