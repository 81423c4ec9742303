package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"workerpool/test/bench/measure"
)

// figure is something of production that is measured once a round.
type figure struct {
	name string
	unit string // what is counted
	run  func(ctx context.Context) (measure.Sample, error)
	to   []goal
}

// goal is what a figure's rate is divided by, and how much of it is wanted.
type goal struct {
	to          string // a peer, measured just before and just after, or another figure of the same round
	good, great float64
}

// rounds keeps all samples in order of the rounds.
type rounds struct {
	figures []figure
	own     map[string][]measure.Sample // by figure
	beside  map[[2]string][]float64     // rate of a peer around a figure: the mean of before and after
	peers   map[string][]measure.Sample // by peer
}

// take measures every figure some times, each between its peers.
func take(ctx context.Context, out io.Writer, p *peers, figures []figure, times int, tell func(io.Writer)) (*rounds, error) {
	r := &rounds{figures: figures, own: map[string][]measure.Sample{}, beside: map[[2]string][]float64{}, peers: map[string][]measure.Sample{}}
	for round := range times {
		for _, f := range figures {
			around := map[string]float64{}
			look := func() error {
				for _, g := range f.to {
					if !slices.Contains(peerNames, g.to) {
						continue
					}
					s, err := p.run(ctx, g.to)
					if err != nil {
						return err
					}
					around[g.to] += s.Rate() / 2
					r.peers[g.to] = append(r.peers[g.to], s)
				}
				return nil
			}
			if err := look(); err != nil {
				return nil, err
			}
			s, err := f.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.name, err)
			}
			if err := look(); err != nil {
				return nil, err
			}
			r.own[f.name] = append(r.own[f.name], s)
			for name, rate := range around {
				r.beside[[2]string{f.name, name}] = append(r.beside[[2]string{f.name, name}], rate)
			}
			fmt.Fprintf(out, "round %d  %-48s %9.0f %s/s  load %s\n", round+1, f.name, s.Rate(), f.unit, measure.Load())
			tell(out)
		}
	}
	return r, nil
}

// ratios gives a figure's rate divided by that of its goal, round by round.
func (r *rounds) ratios(f figure, g goal) []float64 {
	var out []float64
	for i, s := range r.own[f.name] {
		if beside, ok := r.beside[[2]string{f.name, g.to}]; ok {
			out = append(out, s.Rate()/beside[i])
		} else if other := r.own[g.to]; len(other) > i {
			out = append(out, s.Rate()/other[i].Rate())
		}
	}
	return out
}

// byCPU is the same ratio by the CPU time of this process and the server: what
// others do on the machine hardly moves it.
func (r *rounds) byCPU(f figure, g goal) float64 {
	each := func(all []measure.Sample) float64 {
		var sum measure.Sample
		for _, s := range all {
			sum = sum.Plus(s)
		}
		return sum.Each(sum.Flow + sum.Server)
	}
	return each(slices.Concat(r.peers[g.to], r.own[g.to])) / each(r.own[f.name])
}

func verdict(ratio float64, g goal) string {
	switch {
	case ratio >= g.great:
		return "great"
	case ratio >= g.good:
		return "good"
	}
	return "**below good**"
}

// number prints a ratio with as many digits as it deserves.
func number(x float64) string {
	if x >= 4 {
		return fmt.Sprintf("x%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// table prints what was found, as a page of Markdown has it.
func (r *rounds) table() string {
	var b strings.Builder
	b.WriteString("| figure | relative to | ratio, median (least - most) | by CPU time | good | great | verdict |\n|---|---|---|---|---|---|---|\n")
	for _, f := range r.figures {
		for _, g := range f.to {
			list := r.ratios(f, g)
			if len(list) == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %s (%s - %s) | %s | %s | %s | %s |\n", f.name, g.to, number(measure.Median(list)), number(slices.Min(list)),
				number(slices.Max(list)), number(r.byCPU(f, g)), number(g.good), number(g.great), verdict(measure.Median(list), g))
		}
	}
	b.WriteString("\n| figure | a second, median | CPU ms each: flow, store and driver | CPU ms each: database |\n|---|---|---|---|\n")
	line := func(name, unit string, all []measure.Sample) {
		var rates []float64
		var sum measure.Sample
		for _, s := range all {
			rates = append(rates, s.Rate())
			sum = sum.Plus(s)
		}
		fmt.Fprintf(&b, "| %s | %.0f %s | %.3f | %.3f |\n", name, measure.Median(rates), unit, sum.Each(sum.Flow), sum.Each(sum.Server))
	}
	for _, f := range r.figures {
		line(f.name, f.unit, r.own[f.name])
	}
	for _, name := range peerNames {
		if len(r.peers[name]) > 0 {
			line("peer: "+name, "", r.peers[name])
		}
	}
	return b.String()
}

// backlogs of the figures, smallest first.
type backlog struct {
	works int
	name  string
	books *books
}

// figuresOf lists what is measured. The goals are the columns "good" and "great"
// that a study of this server and driver arrived at before the code was written.
func figuresOf(backlogs []backlog, hostile *books, d time.Duration) []figure {
	var out []figure
	first := backlogs[0]
	for _, k := range backlogs {
		b := k.books
		f := figure{name: "dispatch, backlog " + k.name, unit: "works", run: func(ctx context.Context) (measure.Sample, error) { return b.dispatching(ctx, d) },
			to: []goal{{insert100, 0.25, 0.45}, {pull, 5, 16}}}
		if k.works != first.works {
			f.to = append(f.to, goal{"dispatch, backlog " + first.name, 0.5, 0.8})
		}
		out = append(out, f)
	}
	friendly := backlogs[len(backlogs)/2].name
	out = append(out,
		figure{name: "dispatch behind 10^5 works nobody can run", unit: "works", run: func(ctx context.Context) (measure.Sample, error) { return hostile.dispatching(ctx, d) },
			to: []goal{{"dispatch, backlog " + friendly, 0.7, 0.9}}},
		figure{name: "one work behind 10^5 works nobody can run", unit: "works", run: func(ctx context.Context) (measure.Sample, error) { return hostile.one(ctx, d) },
			to: []goal{}})
	for _, k := range backlogs {
		b := k.books
		out = append(out,
			figure{name: "submit x1, c=32, backlog " + k.name, unit: "works",
				run: func(ctx context.Context) (measure.Sample, error) { return b.submitting(ctx, d, callers, 1, false) }, to: []goal{{insert1, 0.25, 0.35}}},
			figure{name: "submit x1, c=32, one requester, " + k.name, unit: "works",
				run: func(ctx context.Context) (measure.Sample, error) { return b.submitting(ctx, d, callers, 1, true) }, to: []goal{{insert1, 0.25, 0.35}}},
			figure{name: "submit x100, c=1, backlog " + k.name, unit: "works",
				run: func(ctx context.Context) (measure.Sample, error) { return b.submitting(ctx, d, 1, 100, false) }, to: []goal{{insert100, 0.2, 0.3}}},
			figure{name: "heartbeat, idle, c=32, backlog " + k.name, unit: "beats",
				run: func(ctx context.Context) (measure.Sample, error) { return b.resting(ctx, d) }, to: []goal{{select1, 0.3, 0.45}}},
			figure{name: "heartbeat with a report, c=32, " + k.name, unit: "beats",
				run: func(ctx context.Context) (measure.Sample, error) { return b.reporting(ctx, d) }, to: []goal{{update1, 0.35, 0.45}}},
			figure{name: "whole life in bulk, c=1, backlog " + k.name, unit: "works",
				run: func(ctx context.Context) (measure.Sample, error) { return b.living(ctx, d) }, to: []goal{{insert100, 0.1, 0.2}}})
	}
	return out
}
