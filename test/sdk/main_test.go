//go:build sdk

// Package sdk lets iExec's own client buy from a whole pool: the real contracts on
// a chain of one machine, the real functions and workers, and a requester that
// shares no line of code with them (npm iexec, which `make e2e-sdk` fetches).
package sdk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is the folder with <function>/bootstrap and bin/; modules is the one with
// what npm fetched.
var built, modules string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "workerpool-sdk")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the programs:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = dir
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// prepare makes the programs anew, so that no test runs what somebody built earlier.
func prepare() error {
	var err error
	if modules, err = filepath.Abs("../../.local/tools/sdk/node_modules"); err != nil {
		return fmt.Errorf("finding iExec's client: %w", err)
	}
	if _, err := os.Stat(filepath.Join(modules, ".bin", "iexec")); err != nil {
		return errors.New("iExec's client is missing: make e2e-sdk")
	}
	functions, err := filepath.Glob("../../functions/*")
	if err != nil {
		return fmt.Errorf("finding the functions: %w", err)
	}
	for _, f := range functions {
		if err := compile(filepath.Join(built, filepath.Base(f), "bootstrap"), "./functions/"+filepath.Base(f)); err != nil {
			return err
		}
	}
	for _, source := range []string{"./cmd/worker", "./cmd/poolctl", "./test/e2e/app"} {
		if err := compile(filepath.Join(built, "bin", filepath.Base(source)), source); err != nil {
			return err
		}
	}
	return nil
}

func compile(out, source string) error {
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", out, source)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // the app goes into an image that has no libraries
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", source, err, text)
	}
	return nil
}
