package kb

import (
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// The fields of an article in Bleve. Words holds the terms of all its parts,
// and in the place of a term's frequency its weight in the article; the rest
// is for filtering and for showing.
const (
	wordsField    = "words"
	audienceField = "audience"
	languageField = "language"

	titleField   = "title" // stored only, as those below
	symptomField = "symptom"
	answerField  = "answer"
	knownField   = "known_error"
)

// format changes with the fields and with how a text becomes words: an index of
// another format is built again. (Weights and word lists see to that themselves.)
const format = 1

// part is how a part of an article bears on what the article is about: how
// much a word there counts beside others, and the usual number of words,
// beyond which each counts for less.
type part struct{ weight, usual float64 }

var (
	titlePart       = part{4, 7}
	symptomPart     = part{2, 20}
	tagsPart        = part{3, 4}
	answerPart      = part{1, 120}
	environmentPart = part{0.7, 12}
	causePart       = part{0.7, 25}
)

const (
	lengthMatters = 0.5 // 0: a word counts the same in a long text, 1: in proportion
	saturation    = 4   // the weight at which a term counts half of what it can
	fullWeight    = 63  // what a term can count; one byte in Bleve's lists
)

// answerKept is how much of an answer, in bytes of plain text, is kept for extracts.
const answerKept = 2 << 10

// newDocument makes Bleve's document of an article. The weights of its terms
// are worked out later, by Bleve's workers.
func newDocument(a knowledge.Article, s *synonyms) *document.Document {
	answer := knowledge.Plain(a.Answer)
	d := document.NewDocument(strconv.FormatInt(int64(a.ID), 10))
	d.AddField(&articleWords{
		TextField: document.NewTextFieldCustom(wordsField, nil, nil, index.IndexField, nil),
		article:   a, answer: answer, synonyms: s,
	})
	for i, group := range a.Audience {
		d.AddField(document.NewTextFieldCustom(audienceField, []uint64{uint64(i)}, []byte(group), index.IndexField, nil))
	}
	d.AddField(document.NewTextFieldCustom(languageField, nil, []byte(baseLanguage(a.Language)), index.IndexField|index.StoreField, nil))
	store := func(name, value string) {
		if value != "" {
			d.AddField(document.NewTextFieldCustom(name, nil, []byte(strings.ToValidUTF8(value, "")), index.StoreField, nil))
		}
	}
	store(titleField, a.Title)
	store(symptomField, a.Symptom)
	store(answerField, answer[:min(len(answer), answerKept)])
	if a.KnownError {
		store(knownField, "yes")
	}
	return d
}

// baseLanguage is the language of a BCP 47 tag, without region or script.
func baseLanguage(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if base == "" {
		return "en"
	}
	return base
}

// articleWords is the words field. Its terms' weights join all parts of the
// article before anything is asked (the way of BM25F: part weights and lengths
// first, then one saturation), so that a query reads one list for a term, not
// one for each part.
type articleWords struct {
	*document.TextField
	article  knowledge.Article
	answer   string
	synonyms *synonyms
	freqs    index.TokenFrequencies
}

func (f *articleWords) AnalyzedLength() int                              { return 1 }
func (f *articleWords) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.freqs }

// Analyze works the weights out; Bleve calls it from several goroutines, each
// for another article.
func (f *articleWords) Analyze() {
	an := analyzers.Get().(*analyzer)
	defer analyzers.Put(an)
	weights := make(map[string]float64, 256)
	counts := make(map[string]float64, 128)
	var words []word
	add := func(p part, text string) {
		clear(counts)
		words = an.words(text, baseLanguage(f.article.Language), words[:0])
		length := 0.0
		for i := range words {
			if c, n := f.synonyms.at(words[i:]); n > 0 {
				counts[c]++
			}
			if !words[i].stop {
				counts[words[i].term]++
				length++
			}
		}
		k := p.weight / (1 - lengthMatters + lengthMatters*length/p.usual)
		for term, n := range counts {
			weights[term] += k * n
		}
	}
	a := f.article
	add(titlePart, a.Title)
	add(symptomPart, a.Symptom)
	add(tagsPart, strings.Join(a.Tags, "\n"))
	add(answerPart, f.answer)
	add(environmentPart, a.Environment)
	add(causePart, a.Cause)

	f.freqs = make(index.TokenFrequencies, len(weights))
	for term, w := range weights {
		t := &index.TokenFreq{Term: []byte(term)}
		t.SetFrequency(max(1, int(math.Round(fullWeight*w/(saturation+w)))))
		f.freqs[term] = t
	}
}

var analyzers = sync.Pool{New: func() any { return new(analyzer) }}
