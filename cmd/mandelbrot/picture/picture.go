// Package picture renders a poster of the Mandelbrot set, tile by tile. It owns
// the view, the arithmetic and the colours; it must not read or write files. The
// same tile has the same pixels on every machine: there is no call whose last bit
// depends on the processor, and each product is rounded by an explicit
// conversion, which forbids the compiler to fuse it with an addition.
package picture

import (
	"fmt"
	"image"
	"image/color"
)

// The view, and how long a point is followed.
const (
	centreX, centreY = -0.743_75, 0.130_95 // in Seahorse Valley
	width            = 0.0042
	rounds           = 1_500
	samples          = 2       // in each direction of a pixel
	far              = 1 << 16 // squared distance from which a point counts as gone
)

// Limits of a Poster.
const (
	MaxSize  = 16_384 // pixels
	MaxTiles = 64     // in each direction
)

// Poster is a square picture of Size x Size pixels, cut into Tiles x Tiles tiles.
type Poster struct {
	Size  int
	Tiles int
}

// Check tells what is wrong with the poster's numbers.
func (p Poster) Check() error {
	if p.Size < 1 || p.Size > MaxSize || p.Tiles < 1 || p.Tiles > MaxTiles || p.Size%p.Tiles != 0 {
		return fmt.Errorf("a poster has 1 to %d pixels and 1 to %d tiles a side, and the tiles divide the pixels: here %d and %d",
			MaxSize, MaxTiles, p.Size, p.Tiles)
	}
	return nil
}

// Count gives the number of tiles.
func (p Poster) Count() int { return p.Tiles * p.Tiles }

// Bounds gives the place of tile i, counted by rows from 0 at the top left.
func (p Poster) Bounds(i int) image.Rectangle {
	side := p.Size / p.Tiles
	at := image.Pt(i%p.Tiles*side, i/p.Tiles*side)
	return image.Rectangle{Min: at, Max: at.Add(image.Pt(side, side))}
}

// Style is how a poster is coloured.
type Style int

// The styles. Only Honest is the poster; Lie has the same shapes in colours that
// one does not see to be wrong without the truth beside it.
const (
	Honest Style = iota
	Lie
)

// Tile renders tile i of a checked poster, at its Bounds.
func (p Poster) Tile(i int, style Style) *image.NRGBA {
	bounds := p.Bounds(i)
	out := image.NewNRGBA(bounds)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.SetNRGBA(x, y, p.pixel(x, y, style))
		}
	}
	return out
}

// pixel gives the mean colour of a pixel's samples.
func (p Poster) pixel(x, y int, style Style) color.NRGBA {
	var sum [3]int
	step := width / float64(p.Size*samples)
	for sy := range samples {
		for sx := range samples {
			cx := centreX + float64(step*(float64(samples*x+sx)+0.5-float64(p.Size*samples)/2))
			cy := centreY - float64(step*(float64(samples*y+sy)+0.5-float64(p.Size*samples)/2))
			for channel, value := range shade(escape(cx, cy), style) {
				sum[channel] += value
			}
		}
	}
	const n = samples * samples
	return color.NRGBA{R: uint8((sum[0] + n/2) / n), G: uint8((sum[1] + n/2) / n), B: uint8((sum[2] + n/2) / n), A: 255}
}

// escape gives how soon the point leaves, as a smooth number of rounds; -1 = it
// was not seen to leave.
func escape(cx, cy float64) float64 {
	var x, y, xx, yy float64
	for n := range rounds {
		if xx+yy > far {
			return float64(n) - log2(log2(xx+yy)/2)
		}
		y = float64(2*float64(x*y)) + cy
		x = xx - yy + cx
		xx, yy = float64(x*x), float64(y*y)
	}
	return -1
}
