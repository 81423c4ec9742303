// Package e2e runs the whole pool: the real functions under the local host, a
// real database, real worker processes, and requests over HTTP that are held
// against docs/openapi.yaml on their way.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is the folder with <function>/bootstrap and bin/.
var built string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "workerpool-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the programs:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = dir
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build makes the programs as `make build-local` does, so that no test runs
// what somebody built earlier.
func build() error {
	functions, err := filepath.Glob("../../functions/*")
	if err != nil {
		return fmt.Errorf("finding the functions: %w", err)
	}
	for _, f := range functions {
		out := filepath.Join(built, filepath.Base(f), "bootstrap")
		if err := compile(out, "./functions/"+filepath.Base(f)); err != nil {
			return err
		}
	}
	if err := compile(filepath.Join(built, "bin", "worker"), "./cmd/worker"); err != nil {
		return err
	}
	return compile(filepath.Join(built, "bin", "app"), "./test/e2e/app")
}

func compile(out, source string) error {
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", out, source)
	cmd.Dir = "../.."
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", source, err, text)
	}
	return nil
}
