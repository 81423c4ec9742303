//go:build linux

package turns

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"workerpool/cmd/worker/ledger"
	"workerpool/shared/wire"
)

const searchPath = "/usr/local/bin:/usr/bin:/bin"

// forbidden gives the first of the variables that may not reach a run, "" when
// all may. Many programs take orders from their environment (BASH_ENV, PERL5OPT,
// GIT_SSH_COMMAND and LD_PRELOAD run what they name), so only names that the owner
// allows get through to the owner's programs; an image is the work's own already.
// Those that the worker sets are never a work's to set.
func (k *Keeper) forbidden(r wire.Run) string {
	for _, name := range slices.Sorted(maps.Keys(r.Env)) {
		if r.Task != nil && ofDeal(name) {
			continue
		}
		if ours(name) || !isImage(r) && !slices.ContainsFunc(k.EnvAllow, func(rule string) bool { return matches(rule, name) }) {
			return name
		}
	}
	return ""
}

// ours tells a variable that the worker sets.
func ours(name string) bool {
	return name == "PATH" || name == "HOME" || name == "TMPDIR" || strings.HasPrefix(name, "IEXEC_")
}

// ofDeal tells a variable that the pool makes of a deal's terms, where no
// requester can choose it.
func ofDeal(name string) bool {
	return name == botSize || name == botFirst || name == inputsNumber || strings.HasPrefix(name, inputName) ||
		name == "IEXEC_DATASET_ADDRESS" || name == "IEXEC_DATASET_FILENAME"
}

const (
	botSize      = "IEXEC_BOT_SIZE"
	botFirst     = "IEXEC_BOT_FIRST_INDEX"
	inputsNumber = "IEXEC_INPUT_FILES_NUMBER"
	inputName    = "IEXEC_INPUT_FILE_NAME_"
)

// matches tells whether a name is what the rule says, or begins with what stands
// before the rule's asterisk.
func matches(rule, name string) bool {
	if beginning, open := strings.CutSuffix(rule, "*"); open {
		return strings.HasPrefix(name, beginning)
	}
	return name == rule
}

// programEnvironment is all that a program gets to see: its search path, then
// environment.
func programEnvironment(e ledger.Entry, folder string) []string {
	return append([]string{"PATH=" + searchPath},
		environment(e, filepath.Join(folder, "home"), filepath.Join(folder, "tmp"), filepath.Join(folder, "in"), filepath.Join(folder, "out"))...)
}

// environment is what a run is told, by the names of its folders as it sees them:
// the worker's variables, then the work's, none of which is forbidden.
func environment(e ledger.Entry, home, temp, in, out string) []string {
	task, index := strconv.FormatInt(e.Work, 10), e.Run.Index
	if e.Run.Task != nil {
		task, index = e.Run.Task.ID, e.Run.Task.Index
	}
	all := []string{
		"HOME=" + home, "TMPDIR=" + temp, "IEXEC_IN=" + in, "IEXEC_OUT=" + out,
		"IEXEC_TASK_ID=" + task, fmt.Sprintf("IEXEC_BATCH=%d", e.Run.Batch),
		fmt.Sprintf("IEXEC_TASK_INDEX=%d", index), fmt.Sprintf("IEXEC_BOT_TASK_INDEX=%d", index),
		botFirst + "=" + cmp.Or(e.Run.Env[botFirst], "0"),
		"IEXEC_INPUT_FILES_FOLDER=" + in, inputsNumber + "=" + cmp.Or(e.Run.Env[inputsNumber], strconv.Itoa(len(e.Run.Inputs))),
	}
	if e.Run.Task != nil {
		all = append(all, "IEXEC_DEAL_ID="+e.Run.Task.Deal)
	}
	for i, input := range e.Run.Inputs {
		all = append(all, fmt.Sprintf("%s%d=%s", inputName, i+1, input.Name))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Run.Env)) {
		if name != botFirst && name != inputsNumber {
			all = append(all, name+"="+e.Run.Env[name])
		}
	}
	return all
}
