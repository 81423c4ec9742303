package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"math"
	"testing"
)

// golden is the digest of a small poster's pixels. It must hold on every
// processor: run the test with GOARCH and GOAMD64=v3 (which fuses) to see it.
const golden = "d618a37a57cc8c0b1b10378d3a9955e1c703a93f71700f1c3bb7d4c8e9e6d4b4"

func TestPixelsAreTheSameEverywhere(t *testing.T) {
	p := Poster{Size: 96, Tiles: 1}
	sum := sha256.Sum256(p.Tile(0, Honest).Pix)
	if got := hex.EncodeToString(sum[:]); got != golden {
		t.Errorf("the poster's digest is %s, want %s", got, golden)
	}
}

func TestTilesMakeThePoster(t *testing.T) {
	whole := Poster{Size: 64, Tiles: 1}.Tile(0, Honest)
	cut := Poster{Size: 64, Tiles: 4}
	covered := 0
	for i := range cut.Count() {
		tile := cut.Tile(i, Honest)
		if tile.Bounds() != cut.Bounds(i) || tile.Bounds().Size() != image.Pt(16, 16) {
			t.Fatalf("tile %d lies at %v", i, tile.Bounds())
		}
		for y := tile.Rect.Min.Y; y < tile.Rect.Max.Y; y++ {
			for x := tile.Rect.Min.X; x < tile.Rect.Max.X; x++ {
				covered++
				if tile.NRGBAAt(x, y) != whole.NRGBAAt(x, y) {
					t.Fatalf("tile %d differs at %d,%d", i, x, y)
				}
			}
		}
	}
	if covered != 64*64 {
		t.Errorf("the tiles have %d pixels", covered)
	}
}

func TestEveryLieIsWrong(t *testing.T) {
	p := Poster{Size: 128, Tiles: 8}
	seen := map[string]int{}
	for i := range p.Count() {
		honest, lie := p.Tile(i, Honest), p.Tile(i, Lie)
		if bytes.Equal(honest.Pix, lie.Pix) {
			t.Errorf("the lie about tile %d is the truth", i)
		}
		if other, ok := seen[string(honest.Pix)]; ok {
			t.Errorf("tiles %d and %d look the same", other, i)
		}
		seen[string(honest.Pix)] = i
	}
}

func TestLog2(t *testing.T) {
	for v := 1.0; v < 1e9; v *= 1.0037 {
		if got, want := log2(v), math.Log2(v); math.Abs(got-want) > 1e-12*max(1, want) {
			t.Fatalf("log2(%v) = %v, want %v", v, got, want)
		}
	}
	if log2(1) != 0 || log2(8) != 3 || log2(0.25) != -2 {
		t.Errorf("powers of two: %v %v %v", log2(1), log2(8), log2(0.25))
	}
}

func TestEscape(t *testing.T) {
	if got := escape(0, 0); got != -1 {
		t.Errorf("the origin leaves after %v", got)
	}
	if got := escape(2, 2); got < -1 || got > 4 {
		t.Errorf("a far point leaves after %v", got)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		p    Poster
		good bool
	}{
		{Poster{4096, 8}, true}, {Poster{MaxSize, MaxTiles}, true}, {Poster{1, 1}, true}, {Poster{0, 1}, false}, {Poster{1, 0}, false},
		{Poster{100, 8}, false}, {Poster{MaxSize + MaxTiles, MaxTiles}, false}, {Poster{65, 65}, false}, {Poster{-8, 8}, false},
	}
	for _, test := range tests {
		if err := test.p.Check(); (err == nil) != test.good {
			t.Errorf("%+v: %v", test.p, err)
		}
	}
}
