package picture

import "math"

// log2 gives the binary logarithm of a positive, finite number, the same bits
// everywhere: package math has other code for it on some processors.
func log2(v float64) float64 {
	fraction, exponent := math.Frexp(v) // v = fraction * 2^exponent, 1/2 <= fraction < 1
	if fraction < math.Sqrt2/2 {
		fraction, exponent = 2*fraction, exponent-1
	}
	// ln(f) = 2 artanh((f-1)/(f+1)); the argument is below 0.172, so the term after
	// the last is below 1e-14.
	t := (fraction - 1) / (fraction + 1)
	tt := float64(t * t)
	sum := 0.0
	for k := 17; k >= 1; k -= 2 {
		sum = float64(sum*tt) + 1/float64(k)
	}
	return float64(exponent) + float64(float64(2*t)*float64(sum*math.Log2E))
}

// stops are the colours that the palette runs through, evenly spaced and around
// again: night, deep blue, ice, sand, ember.
var stops = [][3]float64{
	{0, 7, 60}, {18, 60, 150}, {60, 140, 215}, {225, 244, 252}, {255, 214, 110}, {236, 126, 28}, {110, 28, 20}, {18, 4, 30},
}

// shade gives the colour of a point, 0 to 255 for red, green and blue.
func shade(escaped float64, style Style) [3]int {
	inside, shift := [3]int{0, 0, 0}, 2.5
	if style == Lie {
		inside, shift = [3]int{6, 3, 12}, 0.0
	}
	if escaped < 0 {
		return inside
	}
	// The square root of how late a point left spreads the fast outside and calms
	// the slow edge. math.Sqrt is exact by IEEE 754.
	place := math.Sqrt(max(0, escaped)) + shift
	whole := math.Floor(place)
	part := place - whole
	part = float64(float64(part*part) * (3 - float64(2*part))) // no edges at the stops
	from, to := stops[int(whole)%len(stops)], stops[(int(whole)+1)%len(stops)]
	var out [3]int
	for i := range out {
		out[i] = int(from[i] + float64(part*(to[i]-from[i])) + 0.5)
	}
	return out
}
