package pocotest_test

import (
	"errors"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement/pocotest"
)

// at takes the chain to a time after the deal's start.
func (b *bench) at(after time.Duration) {
	b.Advance(b.deal.Start.Add(after).Sub(b.Head().Time))
}

// TestDeadlines: what is allowed a second before, at and after each deadline.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	terms := pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, StakeRatio: 30, Trust: 3, Tasks: 2}
	agreed := func(b *bench) { b.contribute(right, 1, 2) }
	late := func(b *bench) { b.at(6 * t0); agreed(b) } // winners may reveal until 8 T
	half := func(b *bench) { agreed(b); b.reveal(1) }
	const before, from, always = 0b100, 0b011, 0b111
	for name, c := range map[string]struct {
		set   func(b *bench)
		at    time.Duration
		allow int // one bit for each of the three moments
		call  func(b *bench)
	}{
		"contribute until 7 T":              {func(*bench) {}, 7 * t0, before, func(b *bench) { b.Contribute(worker(3), b.id, right) }},
		"reveal until 2 T after":            {late, 8 * t0, before, func(b *bench) { b.Reveal(worker(1), b.id, right) }},
		"finalize in part from then":        {half, 2 * t0, from, func(b *bench) { b.Finalize(owner, b.id, results, nil) }},
		"reopen from then":                  {late, 8 * t0, from, func(b *bench) { b.Reopen(owner, b.id) }},
		"finalize until 10 T":               {half, 10 * t0, before, func(b *bench) { b.Finalize(owner, b.id, results, nil) }},
		"reopen until 10 T":                 {agreed, 10 * t0, before, func(b *bench) { b.Reopen(owner, b.id) }},
		"claim active from 10 T":            {func(*bench) {}, 10 * t0, from, func(b *bench) { b.Claim(b.id) }},
		"claim revealing from 10 T":         {half, 10 * t0, from, func(b *bench) { b.Claim(b.id) }},
		"initialize and claim from 10 T":    {func(*bench) {}, 10 * t0, from, func(b *bench) { b.Act(owner, pool.Action{Kind: pool.InitializeClaim, Deal: b.deal.ID, Index: 1}) }},
		"initialize at any time":            {func(*bench) {}, 10 * t0, always, func(b *bench) { b.Initialize(b.deal.ID, 1) }},
		"contribute and finalize until 7 T": {func(b *bench) { terms := terms; terms.Trust = 1; b.next(terms) }, 7 * t0, before, func(b *bench) { b.ContributeAndFinalize(worker(1), b.id, right, results, nil) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, terms)
			c.set(b)
			for i, off := range []time.Duration{-time.Second, 0, time.Second} {
				b.at(c.at + off)
				err := b.Would(func() { c.call(b) })
				if allowed := c.allow>>(2-i)&1 == 1; (err == nil) != allowed {
					t.Errorf("%v after the deadline: %v", off, err)
				}
			}
		})
	}
}

// TestRefusals: what is allowed at no time.
func TestRefusals(t *testing.T) {
	t.Parallel()
	terms := pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, StakeRatio: 30, Trust: 3, First: 5, Tasks: 2}
	agreed := func(b *bench) { b.contribute(wrong, 3); b.contribute(right, 1, 2, 4) }
	data := []byte("said back")
	for name, c := range map[string]struct {
		set  func(b *bench)
		call func(b *bench)
	}{
		"initialize below the deal's tasks":   {nil, func(b *bench) { b.Initialize(b.deal.ID, 4) }},
		"initialize above the deal's tasks":   {nil, func(b *bench) { b.Initialize(b.deal.ID, 7) }},
		"initialize of no deal":               {nil, func(b *bench) { b.Initialize(pool.Hash{9}, 5) }},
		"initialize twice":                    {nil, func(b *bench) { b.Initialize(b.deal.ID, 5) }},
		"contribute to what is unset":         {nil, func(b *bench) { b.Contribute(worker(1), pocotest.TaskID(b.deal.ID, 6), right) }},
		"contribute twice":                    {func(b *bench) { b.contribute(right, 1) }, func(b *bench) { b.Contribute(worker(1), b.id, right) }},
		"contribute after the consensus":      {agreed, func(b *bench) { b.Contribute(worker(5), b.id, right) }},
		"contribute without a stake":          {nil, func(b *bench) { b.Contribute(pool.Address{1}, b.id, right) }},
		"reveal before the consensus":         {func(b *bench) { b.contribute(right, 1) }, func(b *bench) { b.Reveal(worker(1), b.id, right) }},
		"reveal another digest":               {agreed, func(b *bench) { b.Reveal(worker(1), b.id, wrong) }},
		"reveal what lost":                    {agreed, func(b *bench) { b.Reveal(worker(3), b.id, wrong) }},
		"reveal twice":                        {func(b *bench) { agreed(b); b.reveal(1) }, func(b *bench) { b.Reveal(worker(1), b.id, right) }},
		"reveal without a contribution":       {agreed, func(b *bench) { b.Reveal(worker(5), b.id, right) }},
		"finalize without a reveal":           {func(b *bench) { agreed(b); b.Advance(2 * t0) }, func(b *bench) { b.Finalize(owner, b.id, results, nil) }},
		"finalize by another":                 {func(b *bench) { agreed(b); b.reveal(1, 2, 4) }, func(b *bench) { b.Finalize(payer, b.id, results, nil) }},
		"finalize with a callback not wanted": {func(b *bench) { agreed(b); b.reveal(1, 2, 4) }, func(b *bench) { b.Finalize(owner, b.id, results, data) }},
		"finalize without its callback": {func(b *bench) {
			terms := terms
			terms.Callback = payer
			b.next(terms)
			agreed(b)
			b.reveal(1, 2, 4)
		}, func(b *bench) { b.Finalize(owner, b.id, results, nil) }},
		"finalize twice":            {func(b *bench) { agreed(b); b.reveal(1, 2, 4); b.finalize() }, func(b *bench) { b.Finalize(owner, b.id, results, nil) }},
		"reopen by another":         {func(b *bench) { agreed(b); b.Advance(2 * t0) }, func(b *bench) { b.Reopen(payer, b.id) }},
		"reopen what is active":     {func(b *bench) { b.contribute(right, 1); b.Advance(2 * t0) }, func(b *bench) { b.Reopen(owner, b.id) }},
		"reopen what was revealed":  {func(b *bench) { agreed(b); b.reveal(1); b.Advance(2 * t0) }, func(b *bench) { b.Reopen(owner, b.id) }},
		"claim what is unset":       {func(b *bench) { b.at(11 * t0) }, func(b *bench) { b.Claim(pocotest.TaskID(b.deal.ID, 6)) }},
		"claim twice":               {func(b *bench) { b.at(11 * t0); b.good(func() { b.Claim(b.id) }) }, func(b *bench) { b.Claim(b.id) }},
		"all at once at trust 3":    {nil, func(b *bench) { b.ContributeAndFinalize(worker(1), b.id, right, results, nil) }},
		"all at once after another": {func(b *bench) { t1 := terms; t1.Trust = 1; b.next(t1); b.contribute(right, 1) }, func(b *bench) { b.ContributeAndFinalize(worker(2), b.id, right, results, nil) }},
		"a deal that cannot be paid": {nil, func(b *bench) {
			mustMatch(b, pocotest.Terms{Pool: pocotest.Resource{Owner: owner, Price: deposit}, Payer: payer})
		}},
		"a deal without the pool's 30%": {nil, func(b *bench) { mustMatch(b, pocotest.Terms{Pool: pocotest.Resource{Price: 1000}, Payer: payer}) }},
		"the same deal twice": {nil, func(b *bench) {
			mustMatch(b, pocotest.Terms{Pool: pocotest.Resource{Owner: owner}, Payer: payer, Salt: 1})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, terms)
			if c.set != nil {
				c.set(b)
			}
			var revert pocotest.Revert
			before := b.Totals()
			if err := b.Do(func() { c.call(b) }); !errors.As(err, &revert) {
				t.Errorf("%v, want a revert", err)
			}
			if b.Totals() != before {
				t.Errorf("money moved: %+v, before %+v", b.Totals(), before)
			}
		})
	}
}

func mustMatch(b *bench, terms pocotest.Terms) {
	terms.Tasks, terms.T = 1, t0
	if _, err := b.Match(terms); err != nil {
		panic(err)
	}
}

// TestCallback: with the data whose hash is the digest a callback deal ends.
func TestCallback(t *testing.T) {
	t.Parallel()
	b := newBench(t, pocotest.Terms{Trust: 1, Callback: payer})
	data := []byte("said back")
	digest := pocotest.Digest(data)
	b.contribute(digest, 1)
	b.good(func() { b.Reveal(worker(1), b.id, digest) })
	if err := b.Would(func() { b.Finalize(owner, b.id, results, data[1:]) }); err == nil {
		t.Error("finalized with other data")
	}
	b.good(func() { b.Finalize(owner, b.id, results, data) })
}
