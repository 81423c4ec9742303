package placement

import (
	"fmt"
	"slices"
	"time"

	"workerpool/shared/pool"
)

// Miss is one demand that a worker does not meet.
type Miss struct {
	Demand string // what does not fit, as it is called in the API: "cpu", "tags", "apps" for the owner's rules
	If     string // what would be enough: the end of "it would do if it ..."
}

// MissRules is the Demand of an application that the rules of the worker's owner do
// not admit.
const MissRules = "apps"

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
	miss(!c.Apps.Admit(d.App.Name), MissRules, "admitted the application %s by the rules of its owner", d.App.Name)
	miss(c.CPU < d.CPU, "cpu", "had %d cpu", d.CPU)
	miss(c.MemoryMB < d.MemoryMB, "memory_mb", "had %d MiB of memory", d.MemoryMB)
	miss(c.DiskMB < d.DiskMB, "disk_mb", "had %d MiB of disk", d.DiskMB)
	miss(c.GPU < d.GPU, "gpu", "had %d gpu", d.GPU)
	miss(d.Wallet && !c.Wallet, "wallet", "had an account on the chain (a wallet)")
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
