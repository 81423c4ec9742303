// Package whole brings works through their whole life over HTTP: the real functions
// behind the stand-ins of AWS, and workers that are simulated.
package whole

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"workerpool/infra/local/host"
)

// serving is what the process that runs the stand-ins of AWS is told. It is one of
// its own, so that its CPU time and that of the functions, its children, can be
// told from that of the workers that are simulated here.
type serving struct {
	Template, Functions, Dir string
	Database                 host.Database
	Parameters, Secrets      map[string]string
}

// Serve runs a pool until its input ends, and prints its URL when it is ready.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var c serving
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return fmt.Errorf("reading what to serve: %w", err)
	}
	printed, err := os.Create(filepath.Join(c.Dir, "functions.log"))
	if err != nil {
		return fmt.Errorf("opening a log: %w", err)
	}
	defer printed.Close()
	h, err := host.Start(host.Config{
		Template: c.Template, Functions: c.Functions, Dir: c.Dir, Parameters: c.Parameters, Secrets: c.Secrets, Database: c.Database,
		Output: printed, Log: slog.New(slog.NewJSONHandler(printed, nil)),
	})
	if err != nil {
		return err
	}
	defer h.Close()
	if _, err := h.Invoke(ctx, "migrate", []byte(`{"action":"up"}`)); err != nil {
		return err
	}
	fmt.Fprintln(out, h.URL())
	_, err = io.Copy(io.Discard, lines)
	return err
}
