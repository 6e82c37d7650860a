package kb

import "math"

// What tells whether the first article is right.
const (
	sureAlways = iota
	sureShare  // its share among all, as log odds
	sureGap    // its score beyond the second's
	sureCovers
	sureWords
	sureFirst
	sureNamed
	sureGrams
	sureBriefCovers
	sureTitled
	sureNearest
	sureVotes
	sureLearned
	sureCount
)

var sureNames = [sureCount]string{"sure.always", "sure.share", "sure.gap", "sure.covers", "sure.words", "sure.first", "sure.named", "sure.grams", "sure.brief.covers", "sure.titled",
	"sure.nearest", "sure.votes", "sure.learned"}

type sureWeights [sureCount]float64

// sureFeatures are those of the first of some matches.
func sureFeatures(ms []match) (f [sureCount]float64) {
	m := &ms[0]
	share := min(max(m.share, 1e-4), 1-1e-4)
	gap := 4.0
	if len(ms) > 1 {
		gap = min(gap, m.score-ms[1].score)
	}
	of := func(x feature) float64 { return float64(m.features[x]) }
	return [sureCount]float64{1, math.Log(share / (1 - share)), gap, of(covers), of(words), of(first), of(named), of(grams), of(briefCovers), of(asTitled),
		of(nearest), of(votes50), of(learned)}
}

// shareOut shares out what all matches together promise.
func shareOut(ms []match) {
	var sum float64
	for i := range ms {
		ms[i].share = math.Exp(ms[i].score - ms[0].score)
		sum += ms[i].share
	}
	for i := range ms {
		ms[i].share /= sum
	}
}

// sure is how likely it is that the first match is right.
func (w *sureWeights) sure(ms []match) float64 {
	if len(ms) == 0 {
		return 0
	}
	x := 0.0
	for i, f := range sureFeatures(ms) {
		x += w[i] * f
	}
	return 1 / (1 + math.Exp(-x))
}
