//go:build !linux

package process

import "syscall"

// Only Linux has a parent-death signal: elsewhere a kill -9 of this program
// leaves its children to be ended by hand.
func dieWithParent(*syscall.SysProcAttr) {}
