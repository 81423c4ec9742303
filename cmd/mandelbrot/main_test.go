package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"workerpool/cmd/mandelbrot/picture"
)

func environment(out, index string) func(string) string {
	return func(name string) string { return map[string]string{"IEXEC_OUT": out, "IEXEC_TASK_INDEX": index}[name] }
}

func TestWritesItsTile(t *testing.T) {
	p := picture.Poster{Size: 64, Tiles: 4}
	tests := []struct {
		name  string
		args  []string
		index string
		tile  int
		style picture.Style
	}{
		{"by flag", []string{"-size", "64", "-n", "4", "-tile", "7"}, "3", 7, picture.Honest},
		{"by place in the batch", []string{"-size", "64", "-n", "4"}, "3", 3, picture.Honest},
		{"lying", []string{"-lie", "-size", "64", "-n", "4", "-tile", "7"}, "", 7, picture.Lie},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			if err := run(test.args, environment(out, test.index), io.Discard); err != nil {
				t.Fatal(err)
			}
			var named struct {
				Path string `json:"deterministic-output-path"`
			}
			text, err := os.ReadFile(filepath.Join(out, "computed.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &named); err != nil || named.Path != "/iexec_out/tile.png" {
				t.Errorf("computed.json is %s (%v)", text, err)
			}
			content, err := os.ReadFile(filepath.Join(out, "tile.png"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := png.Decode(bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			want := p.Tile(test.tile, test.style)
			size := want.Rect.Size()
			if got.Bounds().Size() != size {
				t.Fatalf("the tile has %v", got.Bounds())
			}
			for y := range size.Y {
				for x := range size.X {
					r, g, b, _ := got.At(x, y).RGBA()
					wr, wg, wb, _ := want.At(want.Rect.Min.X+x, want.Rect.Min.Y+y).RGBA()
					if r != wr || g != wg || b != wb {
						t.Fatalf("another pixel at %d,%d", x, y)
					}
				}
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	out := t.TempDir()
	tests := []struct {
		args       string
		out, index string
		says       string
	}{
		{"-tile 64", out, "", "tiles 0 to 63"},
		{"-tile -2", out, "", "tiles 0 to 63"},
		{"", out, "", "IEXEC_TASK_INDEX"},
		{"-tile 0 -size 100", out, "", "divide"},
		{"-tile 0 more", out, "", "unexpected"},
		{"-tile 0 -size 8", "", "", "IEXEC_OUT"},
		{"-tile 0 -size 8", filepath.Join(out, "absent"), "", "absent"},
		{"-out /tmp", out, "", "not defined"},
	}
	for _, test := range tests {
		err := run(strings.Fields(test.args), environment(test.out, test.index), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: got %v", test.args, err)
		}
	}
	if err := run([]string{"-h"}, environment(out, ""), io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}
