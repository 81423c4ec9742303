package chain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"workerpool/shared/pool"
	"workerpool/test/bench/measure"
)

// What iExec's own scheduler does, as read in the sources of iexec-core 9.3.0 and
// iexec-blockchain-adapter-api 9.0.5, at blocks of five seconds. It was not run.
const (
	adapterTasks = 360 // an hour: one transaction a block, two a task
	coreCalls    = 6   // a minute for each task that runs: three detectors, every 30 s
)

// findings keeps what all rounds found.
type findings struct {
	tasks                                     int // of the deal taken in
	taken, shown, waiting, quiet, few, minute []counts
	initialized, finalized, life, others      []counts
	submitted, peer                           []measure.Sample
	single                                    []float64                     // gas of initializing one task by itself
	gas                                       map[pool.ActionKind][]float64 // of one task
}

// alone lets somebody initialize one task, as iExec's adapter does: not that of
// index 0, which needs no storage for its index.
func (f *findings) alone(ctx context.Context, y *yard, d pool.Deal) error {
	y.market.Chain.Resume()
	defer y.market.Chain.Pause()
	done, err := y.requester.Do(ctx, y.market.Initialize(d.ID, d.First+1))
	if err == nil {
		f.single = append(f.single, float64(done[0].Gas))
	}
	return err
}

// spend adds up the pool's gas.
func (f *findings) spend(ctx context.Context, y *yard) error {
	if f.gas == nil {
		f.gas = map[pool.ActionKind][]float64{}
	}
	for _, kind := range []pool.ActionKind{pool.Initialize, pool.Finalize} {
		sum, err := y.count(ctx, "SELECT COALESCE(SUM(gas), 0) FROM broadcast WHERE state = 'mined' AND kind = ?", string(kind))
		if err != nil {
			return err
		}
		f.gas[kind] = append(f.gas[kind], float64(sum)/running)
	}
	return nil
}

func each[T any](of []T, value func(T) float64) (out []float64) {
	for _, one := range of {
		out = append(out, value(one))
	}
	return out
}

func rate(c counts) float64 { return c.Rate() }

// hourly gives the tasks that one wallet brings through in an hour, when what was
// measured of initialize and finalize is done with the waits that reconcile asks for.
func (f *findings) hourly() (out []float64) {
	for i, first := range f.initialized {
		both := first.plus(f.finalized[i])
		out = append(out, running/(both.Took+both.waited).Hours())
	}
	return out
}

func (f *findings) brief() string {
	last := len(f.taken) - 1
	return fmt.Sprintf("%.0f tasks/s taken in, a quiet pass %s, %.0f initialized/s, %.0f finalized/s",
		f.taken[last].Rate(), f.quiet[len(f.quiet)-1].Took.Round(100*time.Microsecond), f.initialized[last].Rate(), f.finalized[last].Rate())
}

// spread prints a median with least and most, or what all are.
func spread(format string, list []float64) string {
	median, least, most := fmt.Sprintf(format, measure.Median(list)), fmt.Sprintf(format, slices.Min(list)), fmt.Sprintf(format, slices.Max(list))
	if least == most {
		return median
	}
	return fmt.Sprintf("%s (%s - %s)", median, least, most)
}

func (f *findings) table() string {
	var b strings.Builder
	b.WriteString("| chain | median (least - most) | relative to | ratio | by the database's CPU time |\n|---|---|---|---|---|\n")
	line := func(name, value, to string, ratios []float64, byCPU string) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, value, to, spread("%.3g", ratios), byCPU)
	}
	name := fmt.Sprintf("a deal of %d tasks is taken in", f.tasks)
	taken := each(f.taken, rate)
	for _, to := range []struct {
		name string
		list []measure.Sample
	}{{PeerName, f.peer}, {fmt.Sprintf("as many works submitted, %d at once, c=1", atOnce), f.submitted}} {
		var ratios []float64
		var own, theirs measure.Sample
		for i, sample := range to.list {
			ratios = append(ratios, taken[i]/sample.Rate())
			own, theirs = own.Plus(f.taken[i].Sample), theirs.Plus(sample)
		}
		line(name, spread("%.0f", taken)+" tasks/s", to.name, ratios, fmt.Sprintf("%.2f", theirs.Each(theirs.Server)/own.Each(own.Server)))
	}
	fmt.Fprintf(&b, "| the same, until each was seen on the chain | %s tasks/s | | | |\n", spread("%.0f", each(f.shown, rate)))
	hourly := f.hourly()
	line("tasks through one wallet, with the waits between looks", spread("%.0f", hourly)+" an hour", fmt.Sprintf("iExec's adapter, %d an hour", adapterTasks),
		each(hourly, func(n float64) float64 { return n / adapterTasks }), "")
	asked := each(f.minute, func(c counts) float64 { return float64(c.calls) })
	line(fmt.Sprintf("calls to the node while %d tasks run", running), spread("%.0f", asked)+" a minute", fmt.Sprintf("iExec's core, %d a minute", coreCalls*running),
		each(asked, func(n float64) float64 { return n / coreCalls / running }), "")
	single := measure.Median(f.single)
	line("gas to initialize a task", spread("%.0f", f.gas[pool.Initialize]), fmt.Sprintf("one by one, %.0f", single),
		each(f.gas[pool.Initialize], func(n float64) float64 { return n / single }), "")
	fmt.Fprintf(&b, "| gas to finalize a task | %s | | | |\n", spread("%.0f", f.gas[pool.Finalize]))
	fmt.Fprintf(&b, "| tasks initialized, but for the waits | %s tasks/s | | | |\n", spread("%.0f", each(f.initialized, rate)))
	fmt.Fprintf(&b, "| tasks finalized, but for the waits | %s tasks/s | | | |\n", spread("%.0f", each(f.finalized, rate)))

	b.WriteString("\n| reconcile | ms, median (least - most) | mean ms of the database's CPU | SQL statements | round trips | requests to the node | calls in them |\n|---|---|---|---|---|---|---|\n")
	row := func(name string, list []counts, share func(counts) float64) {
		of := func(value func(counts) float64) float64 {
			return measure.Median(each(list, func(c counts) float64 { return value(c) / share(c) }))
		}
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		cpu := 0.0 // the mean: of one pass it is less than the clock can tell
		for _, c := range list {
			cpu += ms(c.Server) / share(c)
		}
		fmt.Fprintf(&b, "| %s | %s | %.2f | %.4g | %.4g | %.4g | %.4g |\n", name, spread("%.1f", each(list, func(c counts) float64 { return ms(c.Took) / share(c) })),
			cpu/float64(len(list)), of(func(c counts) float64 { return float64(c.statements) }), of(func(c counts) float64 { return float64(c.trips) }),
			of(func(c counts) float64 { return float64(c.requests) }), of(func(c counts) float64 { return float64(c.calls) }))
	}
	whole, task := func(counts) float64 { return 1 }, func(c counts) float64 { return float64(c.N) }
	row(fmt.Sprintf("a pass, %d tasks wait, nothing happened", f.tasks), f.waiting, whole)
	row(fmt.Sprintf("a pass, %d tasks run, nothing happened", running), f.quiet, whole)
	row(fmt.Sprintf("a pass, %d of %d tasks were contributed to", some, running), f.few, whole)
	row(fmt.Sprintf("a look and what it sends, the mean while %d tasks are finalized", running), f.finalized, func(c counts) float64 { return float64(c.looks) })
	row(fmt.Sprintf("a minute of %d passes, %d tasks run", int(time.Minute/poll), running), f.minute, whole)
	row(fmt.Sprintf("a task from match to settled, one of %d", running), f.life, task)
	fmt.Fprintf(&b, "| the same, in dispatch and heartbeats | | | %.4g | %.4g | | |\n",
		measure.Median(each(f.others, func(c counts) float64 { return float64(c.statements) / running })), measure.Median(each(f.others, func(c counts) float64 { return float64(c.trips) / running })))
	return b.String()
}
