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
	Set    int  // which set of questions it is of; the first is 0
}

// Fit works the weights out from questions, cold and warm ones, and returns
// the table for weights.tsv: those under which the right articles are
// likeliest among all that were ranked (a conditional logit), and then those
// that tell best whether the first is right. keep leaves the former as they are.
func Fit(asked []Asked, keep bool) string {
	var b strings.Builder
	all := [2]model{cold, warm}
	for i, past := range []bool{false, true} {
		if keep {
			all[i].sure = fitSure(slices.DeleteFunc(slices.Clone(asked), func(a Asked) bool { return a.Past != past }), all[i].score)
		} else {
			all[i] = fitModel(asked, past)
		}
	}
	fmt.Fprintf(&b, "# feature\tcold\twarm\n")
	for f, name := range featureNames {
		fmt.Fprintf(&b, "%s\t%.4g\t%.4g\n", name, all[0].score[f], all[1].score[f])
	}
	for f, name := range sureNames {
		fmt.Fprintf(&b, "%s\t%.4g\t%.4g\n", name, all[0].sure[f], all[1].sure[f])
	}
	return b.String()
}

func fitModel(asked []Asked, past bool) (m model) {
	asked = slices.DeleteFunc(slices.Clone(asked), func(a Asked) bool { return a.Past != past })
	n := featureCount
	if !past {
		n = pastFrom
	}
	m.score = fitWeights(asked, n)
	m.sure = fitSure(asked, m.score)
	return m
}

// Judged is how sure an index would be of what it puts first, and whether that
// is right.
type Judged struct {
	Sure  float64
	Right bool
	Out   bool // the right articles were taken out
	Brief bool // the question says little
}

// folds is in how many parts questions are held out.
const folds = 5

// HeldOut is how sure weights are of questions that they were not fitted on:
// each part is judged by those that the others give. Every question is asked
// twice, the second time with its right articles taken out.
func HeldOut(asked []Asked, past bool, counts func(Asked) bool) (all []Judged) {
	asked = slices.DeleteFunc(slices.Clone(asked), func(a Asked) bool { return a.Past != past })
	for fold := range folds {
		var learnt []Asked
		for i, a := range asked {
			if i%folds != fold {
				learnt = append(learnt, a)
			}
		}
		m := fitModel(learnt, past)
		for i := fold; i < len(asked); i += folds {
			if !counts(asked[i]) {
				continue
			}
			for _, without := range []bool{false, true} {
				ms, speaks := asked[i].matches(&m.score, without)
				if len(ms) > 0 {
					all = append(all, Judged{m.sure.sure(ms) * speaks, asked[i].Right[ms[0].id], without, asked[i].brief()})
				} else {
					all = append(all, Judged{Out: without, Brief: asked[i].brief()})
				}
			}
		}
	}
	return all
}

// brief tells whether the question says little: the features of what was ranked
// know it.
func (a Asked) brief() bool {
	for _, r := range a.Ranked {
		if r.Features[covers] > 0 {
			return r.Features[briefCovers] >= briefFrom*r.Features[covers]
		}
	}
	return false
}

// matches is what was ranked, in the order that weights give, and how much the
// first speaks of the question; without leaves out what is right.
func (a Asked) matches(w *weights, without bool) (ms []match, speaks float64) {
	of := map[knowledge.ArticleID]float64{}
	for _, r := range a.Ranked {
		if !without || !a.Right[r.Article] {
			f := features(r.Features)
			ms = append(ms, match{id: r.Article, features: f, score: w.score(&f)})
			of[r.Article] = r.Speaks
		}
	}
	if len(ms) == 0 {
		return nil, 0
	}
	slices.SortFunc(ms, func(a, b match) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
	shareOut(ms)
	return ms, of[ms[0].id]
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
		f             [sureCount]float64
		right, counts float64
	}
	var all []first
	for _, a := range asked {
		for _, without := range []bool{false, true} {
			ms, _ := a.matches(&w, without)
			if len(ms) == 0 {
				continue
			}
			one := first{f: sureFeatures(ms), counts: 1}
			if a.Set > 0 {
				one.counts = furtherSets
			}
			if a.Right[ms[0].id] {
				one.right = 1
			}
			all = append(all, one)
		}
	}
	logistic(len(all), func(i int) ([]float64, float64, float64) { return all[i].f[:], all[i].right, all[i].counts }, out[:])
	return out
}

// furtherSets is how much a question of another set than the first counts: what
// is certain of brief questions that are nearly a title is not of others.
const furtherSets = 1.0 / 3

// logistic fits a logistic regression of n samples, each of which counts so
// much, by Newton's steps: there are few weights, and what is rare, near
// certainty, matters. They are drawn to 0 so far that a desk of a few articles,
// which is like none of the samples, is not judged by their extremes.
func logistic(n int, at func(i int) (f []float64, y, counts float64), w []float64) {
	const steps, pull = 12, 2.0
	k := len(w)
	row := make([][]float64, k) // of the normal equations, with the slope behind
	for range steps {
		for j := range row {
			row[j] = make([]float64, k+1)
			row[j][j], row[j][k] = pull, -pull*w[j]
		}
		for i := range n {
			f, y, counts := at(i)
			x := 0.0
			for j := range f {
				x += w[j] * f[j]
			}
			p := 1 / (1 + math.Exp(-x))
			for j := range f {
				row[j][k] += counts * (y - p) * f[j]
				for l := range f {
					row[j][l] += counts * p * (1 - p) * f[j] * f[l]
				}
			}
		}
		for j := range row {
			for l := range row {
				if l == j {
					continue
				}
				by := row[l][j] / row[j][j]
				for m := j; m <= k; m++ {
					row[l][m] -= by * row[j][m]
				}
			}
		}
		for j := range w {
			w[j] += row[j][k] / row[j][j]
		}
	}
}
