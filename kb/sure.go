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
	sureLong // 1 for a question of a page, 0 for one of a word or two; what follows counts in long ones:
	sureLongExact
	sureLongWords
	sureLongNamed      // of its title, where its score is clear of the third's: two may well say the same
	sureLongNamedAlone // the same beyond any other's
	sureLongBodyAlone
	sureLongFirstAlone
	sureLongFirstClear // beyond all but one
	sureNearest
	sureVotes
	sureLearned
	sureCount
)

var sureNames = [sureCount]string{"sure.always", "sure.share", "sure.gap", "sure.covers", "sure.words", "sure.first", "sure.named", "sure.grams", "sure.brief.covers", "sure.titled",
	"sure.long", "sure.long.exact", "sure.long.words", "sure.long.named", "sure.long.named.alone", "sure.long.body.alone", "sure.long.first.alone", "sure.long.first.clear",
	"sure.nearest", "sure.votes", "sure.learned"}

type sureWeights [sureCount]float64

// sureFeatures are those of the first of some matches.
func sureFeatures(ms []match) (f [sureCount]float64) {
	m := &ms[0]
	share := min(max(m.share, 1e-4), 1-1e-4)
	beyond := func(i int) float64 {
		if i >= len(ms) {
			return 4
		}
		return min(4, m.score-ms[i].score)
	}
	// ahead is how much more of something the first has than all but n others.
	ahead := func(x feature, n int) float64 {
		var most [2]float32
		for i := range ms[1:] {
			if f := ms[1+i].features[x]; f > most[0] {
				most = [2]float32{f, most[0]}
			} else {
				most[1] = max(most[1], f)
			}
		}
		return float64(m.features[x] - most[n])
	}
	long := 1.0
	if m.features[covers] > 0 {
		long -= float64(m.features[briefCovers] / m.features[covers])
	}
	clear := long * beyond(2)
	of := func(x feature) float64 { return float64(m.features[x]) }
	return [sureCount]float64{1, math.Log(share / (1 - share)), beyond(1), of(covers), of(words), of(first), of(named), of(grams), of(briefCovers), of(asTitled),
		long, long * of(exact), long * of(words), clear * of(named), clear * ahead(named, 0), long * ahead(body, 0), long * ahead(first, 0), long * ahead(first, 1), of(nearest), of(votes50), of(learned)}
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
