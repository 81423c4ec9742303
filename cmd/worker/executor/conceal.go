//go:build linux

package executor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Conceal shuts this process's memory, environment and open files to others of
// its account, as runs are. It does not go over to programs that it starts. Those
// with the rights of root see everything still.
func Conceal() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("shutting the process to others of its account: %w", err)
	}
	return nil
}
