package kb

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// The fields of an article in Bleve. Words holds the terms of all its parts
// and what they mean, body those of the answer, name those of the title, small
// words too, and grams their pieces of four letters; in the place of a term's frequency is its
// weight. Audience has the article's number there, and one more. The rest is for filtering and for showing.
const (
	wordsField    = "words"
	bodyField     = "body"
	nameField     = "name"
	gramsField    = "grams"
	tagField      = "tag" // whole tags, in small letters; the first weighs most
	audienceField = "audience"
	languageField = "language"

	titleField   = "title" // stored only, as those below
	symptomField = "symptom"
	answerField  = "answer"
	knownField   = "known_error"
)

// format changes with the fields and with how a text becomes words: an index of
// another format is built again. (Weights and word lists see to that themselves.)
const format = 6

// audienceOf is the key of who may read an article: those for everybody have
// "". A term is indexed under it, so that whoever may not read an article never
// comes to a list that it is in, and its words take nobody else's time.
func audienceOf(groups []string) string {
	if slices.Contains(groups, knowledge.Everyone) {
		return ""
	}
	groups = slices.Clone(groups)
	slices.Sort(groups)
	return audienceStarts + strings.Join(slices.Compact(groups), audienceAnd) + audienceEnds
}

// No word has these, and no slug.
const (
	audienceStarts = "\x01"
	audienceAnd    = "\x02"
	audienceEnds   = "\x03"
)

// forAny tells whether somebody of one of the groups may read what has the key.
func forAny(audience string, groups []string) bool {
	if audience == "" {
		return true
	}
	audience = strings.TrimSuffix(strings.TrimPrefix(audience, audienceStarts), audienceEnds)
	for group := range strings.SplitSeq(audience, audienceAnd) {
		if slices.Contains(groups, group) {
			return true
		}
	}
	return false
}

// part is how a part of an article bears on what a field is about: how much a
// word there counts beside others, and the usual number of words, beyond which
// each counts for less.
type part struct{ weight, usual float64 }

// weighing is how a field weighs the parts of an article, as they stand in
// articleText. All parts go into one sum before a single saturation, the way
// of BM25F, so that a query reads one list for a term and not one for each part.
type weighing struct {
	field      string
	parts      [6]part
	saturation float64 // the sum at which a term counts half of what it can
}

var (
	wholeArticle = weighing{wordsField, [6]part{{4, 6}, {2, 12}, {3, 4}, {1, 200}, {0.7, 12}, {0.7, 25}}, 8}
	answerAlone  = weighing{bodyField, [6]part{3: {1, 200}}, 1.2}
	piecesOfIt   = weighing{gramsField, [6]part{0: {2, 30}, 1: {1, 60}, 2: {1, 30}}, 2}
)

const (
	lengthMatters = 0.55 // 0: a word counts the same in a long text, 1: in proportion
	fullWeight    = 63   // what a term can count; one byte in Bleve's lists
)

// answerKept is how much of an answer, in bytes of plain text, is kept for extracts.
const answerKept = 2 << 10

// newDocument makes Bleve's document of an article. The weights of its terms
// are worked out later, by Bleve's workers.
func newDocument(a knowledge.Article, s *synonyms) *document.Document {
	answer := knowledge.Plain(a.Answer)
	d := document.NewDocument(strconv.FormatInt(int64(a.ID), 10))
	text := &articleText{id: a.ID, parts: [6]string{a.Title, a.Symptom, strings.Join(a.Tags, "\n"), answer, a.Environment, a.Cause},
		audience: audienceOf(a.Audience), language: baseLanguage(a.Language), synonyms: s}
	for _, name := range []string{wordsField, bodyField, nameField, gramsField, tagField, audienceField} {
		d.AddField(&articleField{TextField: document.NewTextFieldCustom(name, nil, nil, index.IndexField, nil), text: text})
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

// articleText is an article on its way into the fields that weigh its words.
type articleText struct {
	id       knowledge.ArticleID
	parts    [6]string // title, symptom, tags, answer, environment, cause
	audience string
	language string
	synonyms *synonyms

	once   sync.Once
	fields map[string]index.TokenFrequencies
}

// articleField is one of them.
type articleField struct {
	*document.TextField
	text *articleText
}

func (f *articleField) AnalyzedLength() int { return 1 }
func (f *articleField) AnalyzedTokenFrequencies() index.TokenFrequencies {
	return f.text.fields[f.Name()]
}

// Analyze works the weights out; Bleve calls it from several goroutines.
func (f *articleField) Analyze() { f.text.once.Do(f.text.analyze) }

func (t *articleText) analyze() {
	an := analyzers.Get().(*analyzer)
	defer analyzers.Put(an)
	var (
		words    []word
		counts   [6]map[string]float64
		meanings [6]map[string]float64
		pieces   [6]map[string]float64
		lengths  [6]float64
	)
	for i, text := range t.parts {
		counts[i], meanings[i], pieces[i] = map[string]float64{}, map[string]float64{}, map[string]float64{}
		words = an.words(text, t.language, words[:0])
		for j := range words {
			if c, n := t.synonyms.at(words[j:]); n > 0 {
				meanings[i][c]++
			}
			if words[j].stop {
				continue
			}
			counts[i][words[j].term]++
			lengths[i]++
			if piecesOfIt.parts[i].weight > 0 {
				eachGram(words[j].term, func(g string) { pieces[i][g]++ })
			}
		}
	}
	weigh := func(w weighing, of ...[6]map[string]float64) {
		sums := make(map[string]float64, 256)
		for _, counts := range of {
			for i, p := range w.parts {
				k := p.weight / (1 - lengthMatters + lengthMatters*lengths[i]*lengthOf(w)/max(p.usual, 1))
				for term, n := range counts[i] {
					sums[term] += k * n
				}
			}
		}
		freqs := make(index.TokenFrequencies, len(sums))
		for term, x := range sums {
			if x > 0 {
				freqs[t.audience+term] = weighted(t.audience+term, x/(w.saturation+x))
			}
		}
		t.fields[w.field] = freqs
	}
	t.fields = make(map[string]index.TokenFrequencies, 6)
	reader := &index.TokenFreq{Term: []byte(audienceStarts + t.audience)}
	reader.SetFrequency(int(t.id) + 1)
	t.fields[audienceField] = index.TokenFrequencies{string(reader.Term): reader}
	tags := make(index.TokenFrequencies)
	for i, tag := range strings.Split(t.parts[2], "\n") {
		if tag = t.audience + strings.ToLower(strings.TrimSpace(tag)); len(tag) > len(t.audience) && tags[tag] == nil {
			tags[tag] = weighted(tag, 1/float64(1+i))
		}
	}
	t.fields[tagField] = tags
	weigh(wholeArticle, counts, meanings)
	weigh(answerAlone, counts)
	weigh(piecesOfIt, pieces)
	words = an.words(t.parts[0], t.language, words[:0])
	name := make(index.TokenFrequencies, len(words))
	for _, w := range words {
		name[t.audience+w.term] = weighted(t.audience+w.term, 1/math.Sqrt(float64(len(words)+1)))
	}
	t.fields[nameField] = name
}

// lengthOf is how many terms a word makes in a field.
func lengthOf(w weighing) float64 {
	if w.field == gramsField {
		return 5
	}
	return 1
}

// weighted is a term with a weight of 0 to 1.
func weighted(term string, weight float64) *index.TokenFreq {
	t := &index.TokenFreq{Term: []byte(term)}
	t.SetFrequency(max(1, int(math.Round(fullWeight*weight))))
	return t
}

// eachGram gives the pieces of four letters of a word with its borders: what
// differs by an ending, a slip of the pen or the other half of a compound has
// some of them in common.
func eachGram(term string, f func(string)) {
	if len(term) < 3 {
		return
	}
	bounded := "^" + term + "$"
	for i := 0; i+4 <= len(bounded); i++ {
		f(bounded[i : i+4])
	}
}

var analyzers = sync.Pool{New: func() any { return new(analyzer) }}
