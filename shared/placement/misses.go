package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"workerpool/shared/pool"
)

// Miss is one demand that a worker does not meet.
type Miss struct {
	Demand string // what does not fit, as it is called in the API: "cpu", "tags", "apps" for the owner's rules
	If     string // what would be enough: the end of "it would do if it ..."
}

// ruled is the Demand of an application that the worker's owner does not admit.
const ruled = "apps"

// Misses gives every demand that the capabilities do not meet, none exactly when
// Meets holds.
func Misses(c pool.Capabilities, d pool.Demands) []Miss {
	var out []Miss
	miss := func(missed bool, demand, format string, args ...any) {
		if missed {
			out = append(out, Miss{demand, fmt.Sprintf(format, args...)})
		}
	}
	switch d.App.Type {
	case pool.ProcessApp:
		miss(!slices.Contains(c.Programs, d.App.Name), "program", "allowed the program %s", d.App.Name)
	case pool.DockerApp:
		miss(!c.Docker, "docker", "ran container images")
	default:
		miss(true, "app", "ran applications of the type %q", d.App.Type)
	}
	miss(!c.Apps.Admit(d.App.Name), ruled, "admitted the application %s by the rules of its owner", d.App.Name)
	miss(c.CPU < d.CPU, "cpu", "had %d cpu", d.CPU)
	miss(c.MemoryMB < d.MemoryMB, "memory_mb", "had %d MiB of memory", d.MemoryMB)
	miss(c.DiskMB < d.DiskMB, "disk_mb", "had %d MiB of disk", d.DiskMB)
	miss(c.GPU < d.GPU, "gpu", "had %d gpu", d.GPU)
	miss(d.TEE != "" && !slices.Contains(c.TEE, d.TEE), "tee", "had the tee %s", d.TEE)
	miss(d.OS != "" && c.OS != d.OS, "os", "ran %s", d.OS)
	miss(d.Arch != "" && c.Arch != d.Arch, "arch", "were of the architecture %s", d.Arch)
	for _, tag := range d.Tags {
		miss(!slices.Contains(c.Tags, tag), "tags", "had the tag %s", tag)
	}
	for _, tag := range d.NotTags {
		miss(slices.Contains(c.Tags, tag), "not_tags", "were without the tag %s", tag)
	}
	miss(d.MinVersion != "" && !versionAtLeast(c.Version, d.MinVersion), "min_version", "were of version %s or later", d.MinVersion)
	miss(c.MaxRun != 0 && d.RunLimit > c.MaxRun, "run_limit_s", "took runs of %d s", int64(d.RunLimit/time.Second))
	return out
}

// allOf joins what would be enough.
func allOf(misses []Miss) string {
	var parts []string
	for _, m := range misses {
		parts = append(parts, m.If)
	}
	return strings.Join(parts, " and ")
}

// Unmet is one demand with the workers that it rules out.
type Unmet struct {
	Demand  string
	Workers int
}

// unmet counts, demand by demand, the workers that do not meet it: the demand
// that rules out most comes first.
func unmet(of [][]Miss) []Unmet {
	count := map[string]int{}
	for _, misses := range of {
		seen := map[string]bool{}
		for _, m := range misses {
			if !seen[m.Demand] {
				seen[m.Demand] = true
				count[m.Demand]++
			}
		}
	}
	var out []Unmet
	for demand, workers := range count {
		out = append(out, Unmet{demand, workers})
	}
	slices.SortFunc(out, func(a, b Unmet) int {
		return cmp.Or(cmp.Compare(b.Workers, a.Workers), cmp.Compare(a.Demand, b.Demand))
	})
	return out
}

// near is a set of demands with what would do if they were met.
type near struct {
	enough string
	misses int
	count  int
}

// nearest gives what would be enough for most of those that lack least.
func nearest(of [][]Miss) near {
	groups := map[string]near{}
	for _, misses := range of {
		key := allOf(misses)
		g := groups[key]
		groups[key] = near{key, len(misses), g.count + 1}
	}
	var best near
	for _, g := range groups {
		if best.count == 0 || cmp.Or(cmp.Compare(g.misses, best.misses), cmp.Compare(best.count, g.count), cmp.Compare(g.enough, best.enough)) < 0 {
			best = g
		}
	}
	return best
}

// plural says how many of something there are.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
