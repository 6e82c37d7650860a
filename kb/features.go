package kb

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

// feature is one way in which an article and a question have to do with each
// other. They are the columns of weights.tsv.
type feature int

// The features. The first ones are 0 to 1, shares of what the question says;
// those of the past are logarithms.
const (
	words     feature = iota // the whole article, all fields in one, synonyms too
	exact                    // the same without synonyms
	covers                   // how much of the question it speaks of at all
	first                    // the same for the question's first line
	body                     // the answer alone
	named                    // how much of the title the question names
	grams                    // pieces of words of title, symptom and tags
	briefBody                // body, grams and covers once more for questions of a few words
	briefGrams
	briefCovers
	asTitled // how alike such a question and the title are, small words and all

	nearest  // the most similar past question that it solved
	votes10  // its share of the 10 nearest past questions,
	votes50  // of the 50,
	votes300 // and of the 300
	recent50 // the same of the 50, where two months make half a vote
	popular  // its share of all that was solved,
	monthly  // the same, where a month makes half,
	seasonal // and where four do
	learned  // what the classifier makes of the question
	featureCount
)

var featureNames = [featureCount]string{"words", "exact", "covers", "first", "body", "named", "grams", "brief.body", "brief.grams", "brief.covers", "titled",
	"nearest", "votes10", "votes50", "votes300", "recent50", "popular", "monthly", "seasonal", "learned"}

// ofMatches tells of a feature that it chooses no candidates and is worked out
// for them alone.
func (f feature) ofMatches() bool { return popular <= f && f <= seasonal }

// pastFrom is the first feature that needs evidence.
const pastFrom = nearest

type features [featureCount]float32

// weights make a score of features.
type weights [featureCount]float64

func (w *weights) score(f *features) (score float64) {
	for i, x := range f {
		score += w[i] * float64(x)
	}
	return score
}

//go:embed weights.tsv
var weightsTable string

// cold weighs where nothing is known of the past, warm where much is.
var cold, warm = mustWeights(weightsTable)

// model is a column of the table: what makes a score, and what tells whether
// the first article is right.
type model struct {
	score weights
	sure  sureWeights
}

// mustWeights reads lines of a name, its weight cold and warm; what begins
// with # is for people.
func mustWeights(table string) (cold, warm model) {
	names := append(featureNames[:], sureNames[:]...)
	n := 0
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if n == len(names) || len(f) != 3 || f[0] != names[n] {
			panic(fmt.Sprintf("kb: weights.tsv has %q as line %d", line, n+1))
		}
		for i, m := range []*model{&cold, &warm} {
			x, err := strconv.ParseFloat(f[1+i], 64)
			if err != nil {
				panic("kb: weights.tsv: " + err.Error())
			}
			if n < int(featureCount) {
				m.score[n] = x
			} else {
				m.sure[n-int(featureCount)] = x
			}
		}
		n++
	}
	if n != len(names) {
		panic("kb: weights.tsv is too short")
	}
	return cold, warm
}

// enoughKnown is how many solved questions make half of the trust in them.
const enoughKnown = 150

// weightsFor is the weights where n questions were solved, and how much they
// are those of a warm desk.
func weightsFor(n float64) (w weights, sure sureWeights, share float64) {
	share = n / (n + enoughKnown)
	for i := range w {
		w[i] = (1-share)*cold.score[i] + share*warm.score[i]
	}
	for i := range sure {
		sure[i] = (1-share)*cold.sure[i] + share*warm.sure[i]
	}
	return w, sure, share
}
