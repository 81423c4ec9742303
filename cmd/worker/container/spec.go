//go:build linux

package container

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"workerpool/cmd/worker/executor"
)

// Where a run finds its folders.
const (
	In   = "/iexec_in"  // the inputs, read-only
	Out  = "/iexec_out" // what becomes the result
	Temp = "/tmp"       // what may be written besides
)

// Spec is one run.
type Spec struct {
	Mark   string   // names the run within this worker: letters, digits, dots
	Image  string   // reference
	Args   []string // in the place of the image's own, when there are any
	Env    []string // beside the image's own
	CPU    int      // processors
	In     string   // folders of this machine, below Folder: for each of the constants
	Out    string
	Temp   string
	Folder string          // what Limits.Scratch is about
	Limits executor.Limits // Wall is needed
}

const (
	label     = "workerpool.worker" // of all containers: the worker's mark
	maxPIDs   = 1024                // processes and threads
	minMemory = 6 << 20             // bytes; the engine takes no less
	maxMounts = 20                  // volumes of an image
	nobody    = 65534               // runs of root have this account and group
	cpuPeriod = 100_000             // microseconds
)

// account gives who a run is: the worker, so that each can read what the other
// wrote, or nobody when the worker is root.
func account() (user, group int) {
	if os.Geteuid() == 0 {
		return nobody, nobody
	}
	return os.Geteuid(), os.Getegid()
}

// options is what the engine is to make of a run: nothing of the machine can be
// seen or changed but the folders, and what the image says of itself is overruled
// where it could matter. Volumes of the image are folders below Temp, so that they
// count as disk of the run; they are given as well, to be made.
func options(s Spec, found image.InspectResponse, c Config) (out client.ContainerCreateOptions, folders []string, err error) {
	user, group := account()
	mounts := []mount.Mount{bind(s.In, In, true), bind(s.Out, Out, false), bind(s.Temp, Temp, false)}
	if found.Config != nil {
		if len(found.Config.Volumes) > maxMounts {
			return out, nil, fmt.Errorf("the image has %d volumes, %d are allowed", len(found.Config.Volumes), maxMounts)
		}
		for _, volume := range slices.Sorted(maps.Keys(found.Config.Volumes)) {
			at := path.Clean(volume)
			if slices.ContainsFunc(mounts, func(m mount.Mount) bool { return m.Target == at }) {
				continue
			}
			folder := filepath.Join(s.Temp, fmt.Sprintf("volume-%d", len(folders)))
			folders = append(folders, folder)
			mounts = append(mounts, bind(folder, at, false))
		}
	}
	pids, withInit := int64(maxPIDs), true
	resources := container.Resources{
		CPUPeriod: cpuPeriod, CPUQuota: int64(s.CPU) * cpuPeriod, PidsLimit: &pids, Ulimits: []*container.Ulimit{{Name: "core"}},
	}
	if s.Limits.Memory > 0 {
		resources.Memory = max(s.Limits.Memory, minMemory)
		resources.MemorySwap = resources.Memory // together: none of it is swap
	}
	if s.Limits.Scratch > 0 {
		resources.Ulimits = append(resources.Ulimits, &container.Ulimit{Name: "fsize", Soft: s.Limits.Scratch, Hard: s.Limits.Scratch})
	}
	return client.ContainerCreateOptions{
		Name: name(c.Mark, s.Mark),
		Config: &container.Config{
			// By its number: what was looked at, not what the name may mean by now.
			Image: found.ID, Cmd: s.Args, Env: s.Env, User: fmt.Sprintf("%d:%d", user, group),
			Hostname: "run", // not the container's number: results are to be the same everywhere
			Labels:   map[string]string{label: c.Mark}, AttachStdout: true, AttachStderr: true,
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
		},
		HostConfig: &container.HostConfig{
			Mounts: mounts, NetworkMode: container.NetworkMode(c.Network), ReadonlyRootfs: true, Init: &withInit,
			CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"}, IpcMode: container.IPCModePrivate,
			LogConfig:     container.LogConfig{Type: "none"}, // we listen ourselves
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled}, OomScoreAdj: 500, Resources: resources,
		},
	}, folders, nil
}

func bind(folder, target string, readOnly bool) mount.Mount {
	return mount.Mount{Type: mount.TypeBind, Source: folder, Target: target, ReadOnly: readOnly}
}

// name is the container's: known before there is one.
func name(worker, run string) string { return "workerpool-" + worker + "." + run }

// hand makes volumes' folders and gives all that a run may reach to its account.
func hand(s Spec, folders []string) error {
	for _, folder := range folders {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return fmt.Errorf("making a folder of the run: %w", err)
		}
	}
	if os.Geteuid() != 0 {
		return nil
	}
	inputs, err := os.ReadDir(s.In)
	if err != nil {
		return fmt.Errorf("listing the inputs: %w", err)
	}
	paths := append([]string{s.In, s.Out, s.Temp}, folders...)
	for _, input := range inputs {
		paths = append(paths, filepath.Join(s.In, input.Name()))
	}
	user, group := account()
	for _, path := range paths {
		if err := os.Lchown(path, user, group); err != nil {
			return fmt.Errorf("giving the run its folders: %w", err)
		}
	}
	return nil
}
