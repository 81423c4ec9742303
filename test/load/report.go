package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"workerpool/test/load/meter"
	"workerpool/test/load/plan"
)

// judge notes which expectations were missed.
func (o *Outcome) judge(p plan.Plan) {
	miss := func(format string, args ...any) { o.Missed = append(o.Missed, fmt.Sprintf(format, args...)) }
	var calls, failed int64
	phase := p.Expect.HeartbeatPhase
	if phase == "" {
		phase = p.Phases[len(p.Phases)-1].Name
	}
	for _, m := range o.Measures {
		calls += m.Count
		for _, n := range m.Errors {
			failed += int64(n)
		}
		if limit := p.Expect.HeartbeatP99MS; limit > 0 && m.Phase == phase && strings.HasPrefix(m.Action, "heartbeat") && m.P99 > limit {
			miss("p99 of %s in %s is %.0f ms, more than %.0f", m.Action, phase, m.P99, limit)
		}
	}
	if calls > 0 && float64(failed)/float64(calls) > p.Expect.ErrorShare {
		miss("%d of %d calls failed, a share of more than %g", failed, calls, p.Expect.ErrorShare)
	}
	if limit := p.Expect.PeakOverMean; limit > 0 && float64(o.Peak) > limit*o.Mean {
		miss("%d heartbeats in one second are %.1f times the mean of %.1f, more than %g times", o.Peak, float64(o.Peak)/o.Mean, o.Mean, limit)
	}
	if limit := p.Expect.GrowthPercent; limit > 0 && o.Growth > limit {
		miss("the pool's memory grew by %.1f %% in the second half of the last phase, more than %g %%", o.Growth, limit)
	}
}

// Good tells that every promise was kept and every expectation met.
func (o Outcome) Good() bool { return len(o.Faults) == 0 && len(o.Missed) == 0 }

// write puts results.json and chart.svg into a folder.
func (o Outcome) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "chart.svg"), []byte(chart(o)), 0o644)
}

// print writes the outcome as text.
func (o Outcome) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "phase\taction\tcalls\tfailed\tp50 ms\tp90\tp99\tp99.9\tmax\t")
	for _, m := range o.Measures {
		failed := "-"
		if len(m.Errors) > 0 {
			var kinds []string
			for _, kind := range slices.Sorted(maps.Keys(m.Errors)) {
				kinds = append(kinds, fmt.Sprintf("%d x %s", m.Errors[kind], kind))
			}
			failed = strings.Join(kinds, ", ")
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", m.Phase, m.Action, m.Count, failed, m.P50, m.P90, m.P99, m.P999, m.Max)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	f := o.Found
	fmt.Fprintf(to, "works: %d accepted, found %v; %d runs begun; %d results compared; %d workers; %d submissions settled by their keys\n",
		f.Accepted, f.States, f.RunsBegun, f.Fetched, f.Workers, f.Answered)
	fmt.Fprintf(to, "heartbeats: told every %g to %g s; last phase after its first interval: %.1f a second, at most %d in one\n",
		o.Interval[0], o.Interval[1], o.Mean, o.Peak)
	if n := len(o.Samples); n > 0 {
		most := meter.Sample{}
		for _, s := range o.Samples {
			if s.Sum() > most.Sum() {
				most = s
			}
		}
		var parts []string
		for _, part := range slices.Sorted(maps.Keys(most.RSS)) {
			parts = append(parts, fmt.Sprintf("%s %.0f (%d)", part, most.RSS[part], most.Count[part]))
		}
		fmt.Fprintf(to, "memory: at most %.0f MB: %s; %+.1f %% in the second half of the last phase\n", most.Sum(), strings.Join(parts, ", "), o.Growth)
		parts = nil
		for _, part := range slices.Sorted(maps.Keys(o.Samples[n-1].CPU)) {
			parts = append(parts, fmt.Sprintf("%s %.0f", part, o.Samples[n-1].CPU[part]))
		}
		fmt.Fprintf(to, "processor seconds of what lives at the end: %s\n", strings.Join(parts, ", "))
	}
	for _, fault := range o.Faults {
		fmt.Fprintf(to, "BROKEN: %s\n", fault)
	}
	for _, missed := range o.Missed {
		fmt.Fprintf(to, "MISSED: %s\n", missed)
	}
	_, err := fmt.Fprintf(to, "took %.0f s, seed %d\n", o.Took, o.Seed)
	return err
}
