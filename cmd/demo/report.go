package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"workerpool/shared/pool"
)

// say writes a line for the one who watches.
func say(to io.Writer, format string, args ...any) {
	// Nobody can be told that what tells them does not work.
	_, _ = fmt.Fprintf(to, format+"\n", args...)
}

// tally is what a worker did for the batch.
type tally struct{ runs, otherwise int }

// tallies counts the results each worker committed to, and those of them that
// are not the agreed one.
func (s summary) tallies() (byWorker map[int64]tally, assignments int) {
	byWorker = map[int64]tally{}
	for _, work := range s.works {
		for _, a := range work.Assignments {
			assignments++
			t := byWorker[a.Worker]
			if a.SHA256 != "" {
				t.runs++
				if a.SHA256 != work.SHA256 {
					t.otherwise++
				}
			}
			byWorker[a.Worker] = t
		}
	}
	return byWorker, assignments
}

// String gives the report.
func (s summary) String() string {
	did, assignments := s.tallies()
	var runs, caught int
	for _, t := range did {
		runs += t.runs
		caught += t.otherwise
	}
	verdict := "every pixel is as rendered here"
	if len(s.wrong) > 0 {
		verdict = fmt.Sprintf("%d tiles are WRONG", len(s.wrong))
	}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w)
	fmt.Fprintf(w, "picture\t%s: %s\n", s.out, verdict)
	fmt.Fprintf(w, "works\t%d, %d %s\n", s.batch.Works, s.batch.States[string(pool.Done)], pool.Done)
	fmt.Fprintf(w, "assignments\t%d, %d of them with a result\n", assignments, runs)
	fmt.Fprintf(w, "disagreements\t%d caught\n", caught)
	fmt.Fprintf(w, "time\t%v\n\n", s.took.Round(100*time.Millisecond))
	fmt.Fprintln(w, "WORKER\tNAME\tRESULTS\tAGREED\tDISAGREED\tFAILED\tLOST")
	for _, id := range slices.Sorted(maps.Keys(s.after)) {
		now, was := s.after[id], s.before[id]
		if _, took := did[id]; !took && !now.Live {
			continue // a worker of another day
		}
		fmt.Fprintf(w, "%d\t%s\t%d\t%d\t%d\t%d\t%d\n", id, now.Name, did[id].runs,
			now.Agreed-was.Agreed, now.Disagreed-was.Disagreed, now.FailedRuns-was.FailedRuns, now.LostRuns-was.LostRuns)
	}
	if err := w.Flush(); err != nil {
		return err.Error() // a strings.Builder takes all
	}
	out.WriteString(s.moral(caught))
	return out.String()
}

// moral says what was to be seen.
func (s summary) moral(caught int) string {
	switch {
	case s.trust <= 2:
		return "\nTrust 2 and below means one worker and no check: a lie would not be noticed by the pool."
	case caught == 0:
		return "\nNo worker of this pool lied."
	default:
		return fmt.Sprintf("\n%d wrong results were outvoted.", caught)
	}
}
