package kb

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Asked is a question whose answers are known, as an index ranked it.
type Asked struct {
	Ranked []Ranked
	Right  map[knowledge.ArticleID]bool
	Past   bool // with what the past says
}

// Fit works the weights out from questions, cold and warm ones, and returns
// the table for weights.tsv: those under which the right articles are
// likeliest among all that were ranked (a conditional logit), and then those
// that tell best whether the first is right.
func Fit(asked []Asked) string {
	var b strings.Builder
	var columns [2][featureCount]float64
	var sures [2]sureWeights
	for i, past := range []bool{false, true} {
		var use []Asked
		for _, a := range asked {
			if a.Past == past {
				use = append(use, a)
			}
		}
		n := featureCount
		if !past {
			n = pastFrom
		}
		columns[i] = fitWeights(use, n)
		sures[i] = fitSure(use, weights(columns[i]))
	}
	fmt.Fprintf(&b, "# feature\tcold\twarm\n")
	for f, name := range featureNames {
		fmt.Fprintf(&b, "%s\t%.4g\t%.4g\n", name, columns[0][f], columns[1][f])
	}
	for f, name := range sureNames {
		fmt.Fprintf(&b, "%s\t%.4g\t%.4g\n", name, sures[0][f], sures[1][f])
	}
	return b.String()
}

func fitWeights(asked []Asked, n feature) (w [featureCount]float64) {
	var scale [featureCount]float64
	rows := 1e-9
	for _, a := range asked {
		for _, r := range a.Ranked {
			rows++
			for f := range n {
				scale[f] += float64(r.Features[f]) * float64(r.Features[f])
			}
		}
	}
	for f := range scale {
		scale[f] = math.Max(math.Sqrt(scale[f]/rows), 1e-6)
	}
	var v [featureCount]float64 // of the scaled features
	descend(len(asked), 20, func(i int, slope func(j int, by float64)) {
		a := asked[i]
		scores := make([]float64, len(a.Ranked))
		var all, right float64
		most := math.Inf(-1)
		for k, r := range a.Ranked {
			for f := range n {
				scores[k] += v[f] * float64(r.Features[f]) / scale[f]
			}
			most = max(most, scores[k])
		}
		for k, r := range a.Ranked {
			scores[k] = math.Exp(scores[k] - most)
			if all += scores[k]; a.Right[r.Article] {
				right += scores[k]
			}
		}
		if right == 0 {
			return
		}
		for k, r := range a.Ranked {
			by := scores[k] / all
			if a.Right[r.Article] {
				by -= scores[k] / right
			}
			if math.Abs(by) < 1e-6 {
				continue
			}
			for f := range n {
				slope(int(f), by*float64(r.Features[f])/scale[f])
			}
		}
	}, v[:])
	for f := range w {
		w[f] = v[f] / scale[f]
	}
	return w
}

// descend looks for the least of a sum over n samples by gradient steps of
// their own size for each weight (Adam), a little drawn to 0.
func descend(n, epochs int, at func(i int, slope func(j int, by float64)), v []float64) {
	const batch, first, pull = 32, 0.05, 1e-3
	mean, square, g := make([]float64, len(v)), make([]float64, len(v)), make([]float64, len(v))
	order := rand.New(rand.NewPCG(1, 2))
	step := 0.0
	for epoch := range epochs {
		rate := first * (1 - float64(epoch)/float64(epochs))
		for part := range slices.Chunk(order.Perm(n), batch) {
			clear(g)
			for _, i := range part {
				at(i, func(j int, by float64) { g[j] += by / float64(len(part)) })
			}
			step++
			for j := range v {
				x := g[j] + pull*v[j]
				mean[j], square[j] = 0.9*mean[j]+0.1*x, 0.999*square[j]+0.001*x*x
				v[j] -= rate * mean[j] / (1 - math.Pow(0.9, step)) / (math.Sqrt(square[j]/(1-math.Pow(0.999, step))) + 1e-8)
			}
		}
	}
}

// fitSure fits whether the first article is right. Each question counts twice:
// as it is, and as if its right articles were not there, when whatever is first
// is wrong.
func fitSure(asked []Asked, w weights) (out sureWeights) {
	type first struct {
		f     [sureCount]float64
		right float64
	}
	var all []first
	for _, a := range asked {
		for _, without := range []bool{false, true} {
			var ms []match
			for _, r := range a.Ranked {
				if !without || !a.Right[r.Article] {
					f := features(r.Features)
					ms = append(ms, match{id: r.Article, features: f, score: w.score(&f)})
				}
			}
			if len(ms) == 0 {
				continue
			}
			slices.SortFunc(ms, func(a, b match) int { return cmp.Compare(b.score, a.score) })
			shareOut(ms)
			one := first{f: sureFeatures(ms)}
			if a.Right[ms[0].id] {
				one.right = 1
			}
			all = append(all, one)
		}
	}
	descend(len(all), 30, func(i int, slope func(j int, by float64)) {
		x := 0.0
		for j, f := range all[i].f {
			x += out[j] * f
		}
		by := 1/(1+math.Exp(-x)) - all[i].right
		for j, f := range all[i].f {
			slope(j, by*f)
		}
	}, out[:])
	return out
}
