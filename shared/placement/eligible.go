// Package placement decides which worker gets which work, and says what a
// worker is to do next. It is a function of values: workers never take work, the
// draw does not know who called how often, and the same snapshot and seed give
// the same plan. It must not judge results or end works; that is life's.
package placement

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"workerpool/shared/pool"
)

// Eligible tells whether a worker may be given works of these demands now: it is
// live, active, has a free slot and meets every demand. A capability that it did
// not state does not meet a demand.
func Eligible(now time.Time, w pool.Worker, d pool.Demands) bool {
	return w.Live(now) && w.State == pool.Active && w.Free() > 0 && Meets(w.Capabilities, d)
}

// Meets tells whether the capabilities meet every demand, and the owner's rules
// admit the application.
func Meets(c pool.Capabilities, d pool.Demands) bool {
	switch d.App.Type {
	case pool.ProcessApp:
		if !slices.Contains(c.Programs, d.App.Name) {
			return false
		}
	case pool.DockerApp:
		if !c.Docker {
			return false
		}
	default:
		return false
	}
	return c.Apps.Admit(d.App.Name) && (c.Wallet || !d.Wallet) && c.CPU >= d.CPU && c.MemoryMB >= d.MemoryMB && c.DiskMB >= d.DiskMB && c.GPU >= d.GPU &&
		(d.TEE == "" || slices.Contains(c.TEE, d.TEE)) &&
		(d.OS == "" || c.OS == d.OS) && (d.Arch == "" || c.Arch == d.Arch) &&
		!slices.ContainsFunc(d.Tags, func(t string) bool { return !slices.Contains(c.Tags, t) }) &&
		!slices.ContainsFunc(d.NotTags, func(t string) bool { return slices.Contains(c.Tags, t) }) &&
		(d.MinVersion == "" || versionAtLeast(c.Version, d.MinVersion)) &&
		(c.MaxRun == 0 || d.RunLimit <= c.MaxRun)
}

// versionAtLeast compares MAJOR.MINOR.PATCH by number; an unstated or unreadable
// version is below every wanted one.
func versionAtLeast(has, wanted string) bool {
	h, w := strings.Split(has, "."), strings.Split(wanted, ".")
	if len(h) != 3 || len(w) != 3 {
		return false
	}
	order := 0
	for i := range w {
		a, errA := strconv.ParseUint(h[i], 10, 32)
		b, errB := strconv.ParseUint(w[i], 10, 32)
		if errA != nil || errB != nil {
			return false
		}
		if order == 0 {
			order = cmp.Compare(a, b)
		}
	}
	return order >= 0
}
