package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"workerpool/cmd/mandelbrot/picture"
)

// compose puts the tiles together, tile i from the file that path gives, and
// lists those that are not as rendered here.
func compose(p picture.Poster, path func(i int) string) (whole *image.NRGBA, wrong []int, err error) {
	whole = image.NewNRGBA(image.Rect(0, 0, p.Size, p.Size))
	next := make(chan int)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := range next {
				good, fault := place(whole, p, i, path(i))
				mu.Lock()
				if !good {
					wrong = append(wrong, i)
				}
				err = errors.Join(err, fault)
				mu.Unlock()
			}
		})
	}
	for i := range p.Count() {
		next <- i
	}
	close(next)
	all.Wait()
	slices.Sort(wrong)
	return whole, wrong, err
}

// place draws one tile into whole, and tells whether each pixel is the truth's.
// Tiles do not overlap, so many may be placed at once.
func place(whole *image.NRGBA, p picture.Poster, i int, path string) (good bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // a result of something else
	}
	if err != nil {
		return false, fmt.Errorf("reading tile %d: %w", i, err)
	}
	bounds := p.Bounds(i)
	// The head first: a wrong one may claim to be huge.
	head, err := png.DecodeConfig(bytes.NewReader(text))
	if err != nil || head.Width != bounds.Dx() || head.Height != bounds.Dy() {
		return false, nil
	}
	tile, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return false, nil
	}
	truth := p.Tile(i, picture.Honest)
	draw.Draw(whole, bounds, tile, tile.Bounds().Min, draw.Src)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		row := whole.PixOffset(bounds.Min.X, y)
		want := truth.PixOffset(bounds.Min.X, y)
		if !bytes.Equal(whole.Pix[row:row+4*bounds.Dx()], truth.Pix[want:want+4*bounds.Dx()]) {
			return false, nil
		}
	}
	return true, nil
}

// save writes the picture, whole or not at all.
func save(whole image.Image, path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".demo-*.png")
	if err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	defer os.Remove(file.Name())
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(file, whole); err != nil {
		return errors.Join(fmt.Errorf("writing the picture: %w", err), file.Close())
	}
	if err := errors.Join(file.Chmod(0o644), file.Close()); err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	return nil
}
