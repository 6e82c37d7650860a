package apppackage

import (
	"image"
	"image/color"
	"math"
)

// The icons are drawn, so there is one headset here and in no file. Its
// coordinates are those of a square of 24, as in the simulator's icon.svg.

type point struct{ x, y float64 }

// stroke is half the width of a line.
const stroke = 0.95

// headset says that p is on one of the headset's lines.
func headset(p point) bool {
	return band(p) || cup(p, 6.4) || cup(p, 17.6) || boom(p) || segment(p, point{12.2, 19.6}, point{13.8, 19.6}) <= stroke
}

// band is the bow over the head.
func band(p point) bool {
	if p.y > 12 {
		return math.Min(dist(p, point{4.5, 12}), dist(p, point{19.5, 12})) <= stroke
	}
	return math.Abs(dist(p, point{12, 12})-7.5) <= stroke
}

// cup is the outline of what is on an ear.
func cup(p point, x float64) bool {
	const r = 1.9
	return math.Abs(segment(p, point{x, 12.7}, point{x, 14.6})-r) <= stroke
}

// boom is the bow to the microphone.
func boom(p point) bool {
	a, b, c, d := point{19, 16.4}, point{18.5, 18.4}, point{16.7, 19.5}, point{14.4, 19.6}
	last := a
	for i := 1; i <= 12; i++ {
		t := float64(i) / 12
		u := 1 - t
		at := func(a, b, c, d float64) float64 { return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d }
		next := point{at(a.x, b.x, c.x, d.x), at(a.y, b.y, c.y, d.y)}
		if segment(p, last, next) <= stroke {
			return true
		}
		last = next
	}
	return false
}

func dist(a, b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// segment is how far p is from the line between a and b.
func segment(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	t := ((p.x-a.x)*dx + (p.y-a.y)*dy) / (dx*dx + dy*dy)
	t = math.Max(0, math.Min(1, t))
	return dist(p, point{a.x + t*dx, a.y + t*dy})
}

// cover is how much of a pixel the headset covers, 0 to 1, where its middle is
// in the middle of a square of size and a unit is scale pixels.
func cover(x, y, size int, scale float64) float64 {
	const n = 4
	// The drawing's own middle is hardly below that of its square.
	mid := point{12, 12.05}
	hit := 0
	for i := range n * n {
		px := float64(x) + (float64(i%n)+0.5)/n - float64(size)/2
		py := float64(y) + (float64(i/n)+0.5)/n - float64(size)/2
		if headset(point{px/scale + mid.x, py/scale + mid.y}) {
			hit++
		}
	}
	return float64(hit) / (n * n)
}

// drawColor is the colour icon: 192 × 192, no transparency, with the symbol in
// the inner 120 × 120, which every client shows.
func drawColor() image.Image {
	const size = 192
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	from, to := [3]float64{0x2b, 0xbf, 0xa6}, [3]float64{0x0e, 0x7d, 0x6d}
	for y := range size {
		for x := range size {
			t, c := float64(x+y)/(2*size-2), cover(x, y, size, 6.9)
			var v [3]uint8
			for i := range v {
				v[i] = uint8(math.Round((from[i]*(1-t)+to[i]*t)*(1-c) + 255*c))
			}
			img.SetNRGBA(x, y, color.NRGBA{v[0], v[1], v[2], 255})
		}
	}
	return img
}

// drawOutline is the outline icon: 32 × 32, white on nothing.
func drawOutline() image.Image {
	const size = 32
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			img.SetNRGBA(x, y, color.NRGBA{255, 255, 255, uint8(math.Round(255 * cover(x, y, size, 1.65)))})
		}
	}
	return img
}
