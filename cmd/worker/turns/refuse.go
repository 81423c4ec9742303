//go:build linux

package turns

import (
	"context"
	"fmt"
	"time"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// refusal gives why an offer cannot be taken; "" = it can.
func (k *Keeper) refusal(r wire.Run) string {
	running := 0
	for _, t := range k.turns {
		if t.refused == "" && t.entry.State == ledger.Running {
			running++
		}
	}
	foreign := k.foreign(r)
	limit := time.Duration(r.RunLimitS) * time.Second
	variable := k.forbidden(r)
	switch {
	case k.closing:
		return "the worker is shutting down"
	case foreign != "":
		return foreign
	case variable != "":
		return fmt.Sprintf("the work sets the variable %q, which is not allowed here", variable)
	case running >= k.Slots:
		return fmt.Sprintf("all %d slots are taken", k.Slots)
	case len(k.turns) >= maxHeld:
		return fmt.Sprintf("the worker holds %d assignments already", maxHeld)
	case limit <= 0 || (k.MaxRun > 0 && limit > k.MaxRun):
		return fmt.Sprintf("a run of %v is not allowed here, at most %v", limit, k.MaxRun)
	case r.MemoryMB<<20 > k.Memory:
		return fmt.Sprintf("it wants %d MiB of memory, a run may use %d here", r.MemoryMB, k.Memory>>20)
	}
	return k.diskRefusal(r)
}

// foreign gives why an application or a requester is never served as the worker is
// set; "" = they are.
func (k *Keeper) foreign(r wire.Run) string {
	_, program := k.Programs[r.App.Name]
	switch {
	case !k.Apps.Admit(r.App.Name):
		return fmt.Sprintf("application %q is not wanted here", r.App.Name)
	case !k.Requesters.Admit(r.Requester):
		return fmt.Sprintf("nothing is computed here for requester %q", r.Requester)
	case r.Task == nil && len(r.Fetch) > 0:
		return "it names files elsewhere, which only deals may"
	case r.Task != nil && k.Chain == nil:
		return "this worker has no wallet, so it takes no works of deals"
	case r.App.Type == string(pool.ProcessApp) && !program:
		return fmt.Sprintf("program %q is not allowed here", r.App.Name)
	case r.App.Type == string(pool.ProcessApp), isImage(r) && k.Containers != nil:
		return ""
	}
	return fmt.Sprintf("this worker runs no %s applications", r.App.Type)
}

func (k *Keeper) diskRefusal(r wire.Run) string {
	free, err := k.Free()
	if err != nil {
		k.Log.Error("free disk space is not known", "error", err)
		return "the worker does not know its free disk space"
	}
	needed := k.MinFree
	for _, in := range r.Inputs {
		needed += in.Size
	}
	if free < needed {
		return fmt.Sprintf("too little disk: %d MiB are free, %d are needed", free>>20, needed>>20)
	}
	return ""
}

// askPatience is how long all offers together may wait for the containers' engine.
const askPatience = 2 * time.Second

// unready asks the containers' engine about the images offered, and gives what
// speaks against one, by work. Nothing is held meanwhile.
func (k *Keeper) unready(instructions []wire.Instruction) map[int64]string {
	ctx, cancel := context.WithTimeout(k.ctx, askPatience)
	defer cancel()
	reasons := map[int64]string{}
	for _, in := range instructions {
		if in.Do == wire.DoStart && in.Run != nil && isImage(*in.Run) && k.Containers != nil {
			reasons[in.Work] = k.Containers.Refusal(ctx, in.Run.App.Name)
		}
	}
	return reasons
}

// isImage tells a run of a container image.
func isImage(r wire.Run) bool { return r.App.Type == string(pool.DockerApp) }
