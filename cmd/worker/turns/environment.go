//go:build linux

package turns

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"workerpool/cmd/worker/ledger"
)

const searchPath = "/usr/local/bin:/usr/bin:/bin"

// forbidden gives the first of the variables that may not reach a run, "" when
// all may. Many programs take orders from their environment (BASH_ENV, PERL5OPT,
// GIT_SSH_COMMAND and LD_PRELOAD run what they name), so only names that the owner
// allows get through; and those that the worker sets are never a work's to set.
func (k *Keeper) forbidden(variables map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if ours(name) || !slices.ContainsFunc(k.EnvAllow, func(rule string) bool { return matches(rule, name) }) {
			return name
		}
	}
	return ""
}

// ours tells a variable that the worker sets.
func ours(name string) bool {
	return name == "PATH" || name == "HOME" || name == "TMPDIR" || strings.HasPrefix(name, "IEXEC_")
}

// matches tells whether a name is what the rule says, or begins with what stands
// before the rule's asterisk.
func matches(rule, name string) bool {
	if beginning, open := strings.CutSuffix(rule, "*"); open {
		return strings.HasPrefix(name, beginning)
	}
	return name == rule
}

// environment is all that the program gets to see: the worker's variables, then
// the work's, none of which is forbidden.
func environment(e ledger.Entry, folder string) []string {
	in := filepath.Join(folder, "in")
	all := []string{
		"PATH=" + searchPath, "HOME=" + filepath.Join(folder, "home"), "TMPDIR=" + filepath.Join(folder, "tmp"),
		"IEXEC_IN=" + in, "IEXEC_OUT=" + filepath.Join(folder, "out"),
		fmt.Sprintf("IEXEC_TASK_ID=%d", e.Work), fmt.Sprintf("IEXEC_BATCH=%d", e.Run.Batch),
		fmt.Sprintf("IEXEC_TASK_INDEX=%d", e.Run.Index), fmt.Sprintf("IEXEC_BOT_TASK_INDEX=%d", e.Run.Index),
		"IEXEC_BOT_FIRST_INDEX=0",
		"IEXEC_INPUT_FILES_FOLDER=" + in, fmt.Sprintf("IEXEC_INPUT_FILES_NUMBER=%d", len(e.Run.Inputs)),
	}
	for i, input := range e.Run.Inputs {
		all = append(all, fmt.Sprintf("IEXEC_INPUT_FILE_NAME_%d=%s", i+1, input.Name))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Run.Env)) {
		all = append(all, name+"="+e.Run.Env[name])
	}
	return all
}
