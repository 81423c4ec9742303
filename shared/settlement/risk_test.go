package settlement_test

import (
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/settlement"
)

func TestExposure(t *testing.T) {
	t.Parallel()
	priced := func(t settlement.Task, price pool.NRLC) settlement.Task { t.Price = price; return t }
	late := revealing(0, 2)
	late.Chain.RevealBy = epoch.Add(8 * t0)
	callback := task(pool.TaskActive)
	callback.CallsBack = true
	const none = time.Duration(0)
	for name, c := range map[string]struct {
		at    time.Duration
		want  settlement.Risk
		tasks []settlement.Task
	}{
		"nothing":                  {0, settlement.Risk{}, nil},
		"ended":                    {0, settlement.Risk{}, []settlement.Task{task(pool.TaskCompleted), task(pool.TaskFailed)}},
		"rounded down each":        {0, settlement.Risk{Open: 2, Stake: 4, Slack: 7 * t0}, []settlement.Task{priced(task(pool.TaskUnset), 9), priced(task(pool.TaskActive), 9)}},
		"waits for contributions":  {7*t0 - 1, settlement.Risk{Open: 1, Stake: 300, Slack: 1}, []settlement.Task{task(pool.TaskUnset)}},
		"got none":                 {7 * t0, settlement.Risk{Stake: 300, Lost: 300}, []settlement.Task{task(pool.TaskUnset)}},
		"got too few":              {7 * t0, settlement.Risk{Stake: 300, Lost: 300}, []settlement.Task{task(pool.TaskActive)}},
		"waits for finalize":       {7 * t0, settlement.Risk{Open: 1, Stake: 300, Slack: 3 * t0}, []settlement.Task{revealing(1, 2)}},
		"was not finalized":        {10 * t0, settlement.Risk{Stake: 300, Lost: 300}, []settlement.Task{revealing(1, 2)}},
		"may be reopened":          {4 * t0, settlement.Risk{Open: 1, Stake: 300, Slack: 3 * t0}, []settlement.Task{revealing(0, 2)}},
		"waits for reveals alone":  {7 * t0, settlement.Risk{Open: 1, Stake: 300, Slack: t0}, []settlement.Task{late}},
		"to be called back":        {t0, settlement.Risk{Open: 1, Stake: 300, Slack: 6 * t0}, []settlement.Task{callback}},
		"the least slack of those": {6 * t0, settlement.Risk{Open: 3, Stake: 900, Slack: t0}, []settlement.Task{revealing(1, 2), task(pool.TaskUnset), late}},
		"whatever comes first":     {6 * t0, settlement.Risk{Open: 2, Stake: 600, Slack: t0}, []settlement.Task{task(pool.TaskUnset), revealing(1, 2)}},
		"all the money there is":   {none, settlement.Risk{Open: 1, Stake: 26_100_000_000_000_000, Slack: 7 * t0}, []settlement.Task{priced(task(pool.TaskUnset), 87_000_000_000_000_000)}},
	} {
		if got := settlement.Exposure(c.tasks, at(c.at)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
