// Command mandelbrot is the program that the demonstration's workers run: it
// renders one tile of a poster into IEXEC_OUT. Its owner allows it by name; what a
// requester may choose are numbers within limits, never a path.
package main

import (
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"workerpool/cmd/mandelbrot/picture"
)

const (
	tileName = "tile.png"
	computed = `{"deterministic-output-path":"/iexec_out/` + tileName + `"}` + "\n"
)

func main() {
	err := run(os.Args[1:], os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mandelbrot:", err)
		os.Exit(1)
	}
}

func run(args []string, env func(string) string, usage io.Writer) error {
	flags := flag.NewFlagSet("mandelbrot", flag.ContinueOnError)
	flags.SetOutput(usage)
	var (
		size  = flags.Int("size", 4096, "pixels of a side of the whole poster")
		n     = flags.Int("n", 8, "tiles of a side of the poster")
		tile  = flags.Int("tile", -1, "the tile to render, by rows from 0; -1 = the place of the work in its batch (IEXEC_TASK_INDEX)")
		style = picture.Honest
	)
	flags.BoolFunc("lie", "render a plausible wrong tile: for a worker that shows how lies are caught", func(string) error {
		style = picture.Lie
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	poster := picture.Poster{Size: *size, Tiles: *n}
	if err := poster.Check(); err != nil {
		return err
	}
	if *tile == -1 {
		var err error
		if *tile, err = strconv.Atoi(env("IEXEC_TASK_INDEX")); err != nil {
			return fmt.Errorf("reading IEXEC_TASK_INDEX, as no -tile is given: %w", err)
		}
	}
	if *tile < 0 || *tile >= poster.Count() {
		return fmt.Errorf("the poster has tiles 0 to %d, not %d", poster.Count()-1, *tile)
	}
	out := env("IEXEC_OUT")
	if out == "" {
		return errors.New("IEXEC_OUT is not set: it names the folder for the result")
	}
	return write(out, poster, *tile, style)
}

func write(out string, poster picture.Poster, tile int, style picture.Style) error {
	file, err := os.Create(filepath.Join(out, tileName))
	if err != nil {
		return fmt.Errorf("making the tile: %w", err)
	}
	// A fixed level: results agree byte by byte among equal builds of this program.
	encoder := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := encoder.Encode(file, poster.Tile(tile, style)); err != nil {
		return errors.Join(fmt.Errorf("writing the tile: %w", err), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("writing the tile: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, "computed.json"), []byte(computed), 0o644); err != nil {
		return fmt.Errorf("naming the result: %w", err)
	}
	return nil
}
