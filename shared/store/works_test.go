package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
)

func TestWorkIsItsRequesters(t *testing.T) {
	t.Parallel()
	p := newParty(t, 2, 2)
	id := p.works(t, 1, 3)[0]
	dispatch(t, p.Books)
	work, turns, err := p.Work(background, p.requester, id)
	if err != nil || work.ID != id || work.Requester != p.requester || work.Trust != 3 || work.Origin != pool.OriginAPI || len(turns) != 2 || turns[0].Worker >= turns[1].Worker {
		t.Errorf("%+v, %+v, %v", work, turns, err)
	}
	for _, c := range []struct {
		requester pool.AccountID
		id        pool.WorkID
	}{{p.owner, id}, {p.requester, id + 1}, {0, id + 1}, {0, 0}} {
		_, _, err := p.Work(background, c.requester, c.id)
		wantKind(t, err, pool.NotFound)
	}
}

// TestWorksInPages: pages follow each other without gap or repeat, whatever is
// inserted meanwhile.
func TestWorksInPages(t *testing.T) {
	t.Parallel()
	p := newParty(t, 1, 100)
	other := p.AddAccount(t, "other", pool.RoleRequester, false)
	first := p.works(t, 7, 1)
	foreign := p.AddBatch(t, storetest.NewBatch(other, 3, 1))
	second := p.works(t, 5, 1)
	must(p.Settle(background, []pool.WorkID{first[2], second[1], foreign.ID.Work(0)}, nil, trace, cancel))(t)
	pages := func(f pool.WorkFilter, between func()) []pool.WorkID {
		t.Helper()
		var got []pool.WorkID
		for {
			page := must(p.Works(background, f))(t)
			if len(page) == 0 {
				return got
			}
			if len(page) > f.Limit {
				t.Fatalf("a page of %d", len(page))
			}
			for _, w := range page {
				got = append(got, w.ID)
				f.After = w.ID
			}
			between()
		}
	}
	for name, c := range map[string]struct {
		filter pool.WorkFilter
		want   []pool.WorkID
	}{
		"mine":            {pool.WorkFilter{Requester: p.requester}, slices.Concat(first, second)},
		"all":             {pool.WorkFilter{}, slices.Concat(first, []pool.WorkID{foreign.ID.Work(0), foreign.ID.Work(1), foreign.ID.Work(2)}, second)},
		"of a batch":      {pool.WorkFilter{Batch: first[0].Batch()}, first},
		"cancelled":       {pool.WorkFilter{State: pool.Cancelled}, []pool.WorkID{first[2], foreign.ID.Work(0), second[1]}},
		"mine, cancelled": {pool.WorkFilter{Requester: p.requester, State: pool.Cancelled}, []pool.WorkID{first[2], second[1]}},
		"somebody else's": {pool.WorkFilter{Requester: p.requester, Batch: foreign.ID}, nil},
		"none":            {pool.WorkFilter{State: pool.Done}, nil},
	} {
		for _, limit := range []int{1, 2, 3, 100} {
			c.filter.Limit = limit
			if got := pages(c.filter, func() {}); !slices.Equal(got, c.want) {
				t.Errorf("%s, %d a page: %v, want %v", name, limit, got, c.want)
			}
		}
	}
	inserts := 0
	got := pages(pool.WorkFilter{Requester: p.requester, Limit: 3}, func() {
		if inserts++; inserts <= 3 {
			p.works(t, 1, 1)
		}
	})
	if old := slices.Concat(first, second); len(got) != len(old)+3 || !slices.Equal(got[:len(old)], old) || !slices.IsSorted(got) {
		t.Errorf("with works coming in: %v", got)
	}
}

// TestArchive: what ended moves out once, whoever asks how often, and the turns
// and numbers told stay the same.
func TestArchive(t *testing.T) {
	t.Parallel()
	p := newParty(t, 4, 100, storetest.Conns(16))
	ids := p.works(t, 40, 3)
	dispatch(t, p.Books)
	for _, id := range ids[:30] {
		p.finish(t, id)
	}
	told := func() any {
		records, _, err := p.Workers(background, 0, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			records[i].Until = records[i].Registered // not a matter here
		}
		turns := map[pool.WorkID][]pool.Assignment{}
		for _, id := range ids {
			for _, a := range p.turns(t, id) {
				a.StartBy, a.RunBy = time.Time{}, time.Time{} // times of what is over are not kept
				turns[id] = append(turns[id], a)
			}
		}
		return []any{records, turns}
	}
	before := told()
	if n := must(p.Archive(background, 1))(t); n != 2 {
		t.Errorf("moved %d rows of one work", n)
	}
	errs := make([]error, 32)
	together(len(errs), func(i int) { _, errs[i] = p.Archive(background, 1+i%7) })
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	storetest.Check(t, p.Books)
	for must(p.Archive(background, 5))(t) > 0 {
	}
	if left, past := p.Count(t, "SELECT COUNT(*) FROM assignment"), p.Count(t, "SELECT COUNT(*) FROM past_assignment"); left != 20 || past != 60 {
		t.Errorf("%d left, %d past", left, past)
	}
	if diff := cmp.Diff(before, told()); diff != "" {
		t.Error(diff)
	}
	storetest.Check(t, p.Books)
}
