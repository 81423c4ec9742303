package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
	"workerpool/shared/telemetry"
)

const (
	compareTasks    = 50  // each minute: what is looked at does not grow with the number of tasks
	mostDifferences = 100 // told; all are counted
)

// compare holds the tasks that were not looked at for the longest against the
// chain, and the youngest deals of the chain against the books, counts the
// differences, and then puts the books right. What the logs did not tell is found
// here.
func (p *pass) compare(ctx context.Context) error {
	found, err := p.missed(ctx)
	if err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	works, err := p.Books.Oldest(ctx, compareTasks)
	if err != nil {
		return err
	}
	var seen []pool.Task
	if len(works) > 0 {
		var differ []pool.Difference
		if differ, seen, err = p.differences(ctx, works); err != nil {
			return fmt.Errorf("comparing: %w", err)
		}
		found = append(found, differ...)
	}
	for _, d := range found {
		slog.WarnContext(ctx, "the books differ from the chain", telemetry.KeyDeal, d.Deal.String(), telemetry.KeyTask, d.Task.String(),
			telemetry.KeyReason, d.What+": "+d.Books+" in the books, "+d.Chain+" on the chain")
	}
	p.r.count(ctx, telemetry.N(telemetry.ChainDifference, len(found)))
	if len(seen) == 0 {
		return nil
	}
	lives, err := p.Books.SettleTasks(ctx, p.lease, seen, p.head, trace(ctx), p.consequences())
	p.note(ctx, lives)
	return err
}

// missed takes in the deals of the last Range blocks whose notices no pass was told
// of: nothing else would find them before their stakes are lost.
func (p *pass) missed(ctx context.Context) ([]pool.Difference, error) {
	from, cursor, err := p.span(ctx)
	if err != nil || from == 0 || from > cursor.Number {
		return nil, err
	}
	notices, _, err := p.strangers(ctx, max(from, cursor.Number-min(p.Range-1, cursor.Number)), cursor.Number)
	if err != nil || len(notices) == 0 {
		return nil, err
	}
	deals, err := p.noticed(ctx, notices)
	if errors.Is(err, errUnshown) {
		return nil, nil // the next minute finds it again
	}
	if err != nil {
		return nil, err
	}
	return unknown(notices), p.Books.Followed(ctx, p.lease, pool.Followed{From: cursor, To: cursor, Clock: p.head.Time, Deals: deals})
}

// strangers gives the notices of deals that the books do not have, and to which
// block the node told.
func (p *pass) strangers(ctx context.Context, from, to uint64) ([]pool.Notice, uint64, error) {
	logs, err := p.Chain.Logs(ctx, from, to)
	if err != nil || len(logs.Deals) == 0 {
		return nil, logs.To, err
	}
	ids := make([]pool.Hash, len(logs.Deals))
	for i, n := range logs.Deals {
		ids[i] = n.Deal
	}
	ids, err = p.Books.Strangers(ctx, ids)
	return slices.DeleteFunc(logs.Deals, func(n pool.Notice) bool { return !slices.Contains(ids, n.Deal) }), logs.To, err
}

func unknown(notices []pool.Notice) []pool.Difference {
	found := make([]pool.Difference, len(notices))
	for i, n := range notices {
		found[i] = pool.Difference{Deal: n.Deal, What: "deal", Books: "unknown", Chain: "known"}
	}
	return found
}

// span gives from where to where the books should have every deal; 0 = nobody
// knows, as they began at the newest block and have none yet.
func (p *pass) span(ctx context.Context) (from uint64, cursor pool.Block, err error) {
	cursor, err = p.Books.Cursor(ctx)
	if from = p.Start; err == nil && from == 0 {
		from, err = p.Books.FirstDeal(ctx)
	}
	return from, cursor, err
}

// differences compares tasks of the books with the chain at the head, and gives
// how the chain shows them.
func (p *pass) differences(ctx context.Context, works []pool.WorkID) ([]pool.Difference, []pool.Task, error) {
	have, err := p.Books.Compare(ctx, works)
	if err != nil {
		return nil, nil, err
	}
	var deals, tasks []pool.Hash
	for _, c := range have {
		if !slices.Contains(deals, c.Deal) {
			deals = append(deals, c.Deal)
		}
		tasks = append(tasks, c.Task.ID)
	}
	known, err := p.Chain.Deals(ctx, p.head.Block, deals)
	if err != nil {
		return nil, nil, err
	}
	var found []pool.Difference
	for _, id := range deals {
		if !slices.ContainsFunc(known, func(d pool.Deal) bool { return d.ID == id }) {
			found = append(found, pool.Difference{Deal: id, What: "deal", Books: "known", Chain: "unknown"})
		}
	}
	seen, err := p.Chain.Tasks(ctx, p.head.Block, tasks)
	if err != nil {
		return nil, nil, err
	}
	views := map[pool.Hash]pool.Task{}
	for _, v := range seen {
		views[v.ID] = v
	}
	for _, c := range have {
		if view, ok := views[c.Task.ID]; ok && !c.Stale && c.Task.Block <= p.head.Number {
			found = append(found, settlement.Differences(c, view)...)
		}
	}
	return found, seen, nil
}

// audit holds all open tasks of the books against the chain, and the deals of the
// chain against the books. It changes nothing; what happens meanwhile may be told
// as well.
func (p *pass) audit(ctx context.Context) (pool.Answer, error) {
	var out pool.Answer
	var err error
	if p.head, err = p.Chain.Head(ctx); err != nil {
		return out, err
	}
	out.Block = p.head.Block
	add := func(found []pool.Difference) {
		out.Count += len(found)
		out.Differences = append(out.Differences, found[:min(len(found), mostDifferences-len(out.Differences))]...)
	}
	for after := pool.WorkID(0); ; {
		works, err := p.Books.OpenTasks(ctx, after, lookTasks)
		if err != nil {
			return out, err
		}
		if len(works) == 0 {
			break
		}
		found, _, err := p.differences(ctx, works)
		if err != nil {
			return out, err
		}
		add(found)
		after = works[len(works)-1]
	}
	from, cursor, err := p.span(ctx)
	for err == nil && from > 0 && from <= cursor.Number {
		notices, to, err := p.strangers(ctx, from, min(cursor.Number, from+p.Range-1))
		if err != nil {
			return out, err
		}
		add(unknown(notices))
		from = to + 1
	}
	return out, err
}

// measure counts what is open on the chain's side.
func (p *pass) measure(ctx context.Context) error {
	c, err := p.Books.ChainCensus(ctx)
	if err != nil {
		return err
	}
	values := []telemetry.Value{
		telemetry.N(telemetry.ChainTasks, c.Tasks), telemetry.N(telemetry.DealsUnsure, c.Unsure),
		telemetry.N(telemetry.ActionsWanted, c.Wanted), telemetry.N(telemetry.BroadcastsUnsettled, c.Unsettled), telemetry.N(telemetry.StakeAtRisk, int(c.Stake)),
	}
	if !p.head.Hash.IsZero() {
		values = append(values, telemetry.N(telemetry.ChainBehind, int(p.behind)), telemetry.Took(telemetry.HeadAge, max(0, p.r.Now().Sub(p.head.Time))))
		if !c.Before.IsZero() {
			values = append(values, telemetry.Took(telemetry.LeastSlack, c.Before.Sub(p.head.Time)))
		}
	}
	p.r.count(ctx, values...)
	return nil
}
