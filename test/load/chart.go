package main

import (
	"fmt"
	"html"
	"maps"
	"math"
	"slices"
	"strings"

	"workerpool/test/load/meter"
)

// The chart has three panels, one below the other: latencies by percentile, calls
// in each second, and memory over time.
const (
	chartWidth  = 900
	panelHeight = 240
	panelLeft   = 70
	panelRight  = 250 // for the legend
	panelTop    = 30
	panelBottom = 40
	mostLines   = 8   // of a panel
	mostPoints  = 240 // of a line over time
)

var colours = [mostLines]string{"#1f77b4", "#d62728", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#17becf", "#7f7f7f"}

type line struct {
	name   string
	points [][2]float64
}

// axis maps values to 0..1; its marks are what is written beside it.
type axis struct {
	title    string
	from, to float64
	scale    func(float64) float64
	marks    []float64
	mark     func(float64) string
}

func (a axis) at(v float64) float64 {
	low, high := a.scale(a.from), a.scale(a.to)
	return min(max((a.scale(v)-low)/(high-low), 0), 1)
}

// chart draws an outcome as SVG.
func chart(o Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", chartWidth, 3*panelHeight+20)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/><text x="10" y="16" font-size="13">plan %s, seed %d</text>`+"\n", html.EscapeString(o.Plan), o.Seed)
	latencies, slowest := latencyLines(o)
	panel(&b, 20, latencies, axis{
		title: "percentile", from: 10, to: 99.99, scale: func(p float64) float64 { return -math.Log(1 - p/100) },
		marks: []float64{10, 50, 90, 99, 99.9, 99.99}, mark: func(p float64) string { return fmt.Sprintf("%g", p) },
	}, decades("ms", 0.1, slowest))
	over := axis{title: "seconds", from: 0, to: o.Took, scale: func(v float64) float64 { return v }, mark: func(v float64) string { return fmt.Sprintf("%g", v) }}
	over.marks = steps(o.Took)
	calls, most := callLines(o)
	panel(&b, 20+panelHeight, calls, over, linear("calls a second", most))
	memory, largest := memoryLines(o)
	panel(&b, 20+2*panelHeight, memory, over, linear("MB", largest))
	b.WriteString("</svg>\n")
	return b.String()
}

func latencyLines(o Outcome) (lines []line, slowest float64) {
	measures := slices.DeleteFunc(slices.Clone(o.Measures), func(m meter.Row) bool { return len(m.Curve) < 3 })
	slices.SortStableFunc(measures, func(a, b meter.Row) int { return int(b.Count - a.Count) })
	slowest = 1
	for _, m := range measures[:min(len(measures), mostLines)] {
		for _, p := range m.Curve {
			slowest = max(slowest, p[1])
		}
		lines = append(lines, line{m.Action + " (" + m.Phase + ")", m.Curve})
	}
	return lines, slowest
}

func callLines(o Outcome) (lines []line, most float64) {
	for _, kind := range slices.Sorted(maps.Keys(o.Calls)) {
		one := line{name: kind}
		for second, n := range o.Calls[kind] {
			one.points = append(one.points, [2]float64{float64(second), float64(n)})
		}
		one.points = thin(one.points)
		for _, p := range one.points {
			most = max(most, p[1])
		}
		lines = append(lines, one)
	}
	return lines, most
}

func memoryLines(o Outcome) (lines []line, most float64) {
	all := line{name: "all"}
	parts := map[string]*line{}
	for _, s := range o.Samples {
		all.points = append(all.points, [2]float64{s.At, s.Sum()})
		most = max(most, s.Sum())
		for part, mb := range s.RSS {
			if parts[part] == nil {
				parts[part] = &line{name: part}
			}
			parts[part].points = append(parts[part].points, [2]float64{s.At, mb})
		}
	}
	all.points = thin(all.points)
	lines = []line{all}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		lines = append(lines, line{part, thin(parts[part].points)})
	}
	return lines[:min(len(lines), mostLines)], most
}

// thin keeps the highest of each few neighbours, so that no peak is hidden.
func thin(points [][2]float64) [][2]float64 {
	each := (len(points) + mostPoints - 1) / mostPoints
	if each <= 1 {
		return points
	}
	var out [][2]float64
	for group := range slices.Chunk(points, each) {
		out = append(out, slices.MaxFunc(group, func(a, b [2]float64) int { return int(math.Copysign(1, a[1]-b[1])) }))
	}
	return out
}

func decades(title string, from, to float64) axis {
	a := axis{title: title, from: from, to: from * 10, scale: math.Log10, mark: func(v float64) string { return fmt.Sprintf("%g", v) }}
	for a.to < to {
		a.to *= 10
	}
	for v := from; v <= a.to*1.001; v *= 10 {
		a.marks = append(a.marks, v)
	}
	return a
}

func linear(title string, to float64) axis {
	a := axis{title: title, to: max(to, 1), scale: func(v float64) float64 { return v }, mark: func(v float64) string { return fmt.Sprintf("%g", v) }}
	a.marks = steps(a.to)
	return a
}

// steps gives about five round numbers up to a value.
func steps(to float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10(max(to, 1)/2)))
	for to/step > 6 {
		step *= 2
	}
	var out []float64
	for v := 0.0; v <= to; v += step {
		out = append(out, v)
	}
	return out
}

// panel draws lines between two axes, from a height on.
func panel(b *strings.Builder, top float64, lines []line, x, y axis) {
	width, height := float64(chartWidth-panelLeft-panelRight), float64(panelHeight-panelTop-panelBottom)
	left, bottom := float64(panelLeft), top+panelTop+height
	fmt.Fprintf(b, `<g stroke="#ddd">`)
	for _, v := range x.marks {
		fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f"/>`, left+x.at(v)*width, bottom, bottom-height)
	}
	for _, v := range y.marks {
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f"/>`, left, bottom-y.at(v)*height, left+width)
	}
	b.WriteString("</g>\n")
	for _, v := range x.marks {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, left+x.at(v)*width, bottom+14, x.mark(v))
	}
	for _, v := range y.marks {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, left-6, bottom-y.at(v)*height+4, y.mark(v))
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text><text x="10" y="%.1f">%s</text>`+"\n",
		left+width/2, bottom+28, html.EscapeString(x.title), top+panelTop-8, html.EscapeString(y.title))
	for i, l := range lines {
		if i == mostLines {
			break
		}
		fmt.Fprintf(b, `<polyline fill="none" stroke="%s" points="`, colours[i])
		for _, p := range l.points {
			fmt.Fprintf(b, "%.1f,%.1f ", left+x.at(p[0])*width, bottom-y.at(p[1])*height)
		}
		fmt.Fprintf(b, `"/><text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n", left+width+10, top+panelTop+8+float64(i)*15, colours[i], html.EscapeString(l.name))
	}
}
