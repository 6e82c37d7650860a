package kb

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// A question is read as units: a word, or a phrase that has synonyms. What the
// fields of an article, and the past, make of the units are its features; its
// score is their weighted sum. What the asker may not read is left out while
// the lists are read, so it changes no count, no rarity, no spelling.

const (
	questionRead  = 8 << 10 // bytes of a question that are read; the point comes before the log
	unitsMost     = 80      // distinct units of a question
	repeated      = 0.7     // a unit that comes n times counts n to this power
	exactly       = 0.3     // how much the asker's own word counts beside its synonyms
	otherTongue   = 0.6     // what an article in another language than the asker's counts
	unheardOf     = 0.5     // what a word that no article has counts in what a question says
	briefly       = 4       // what a question says, in rare words, if it is half brief
	speaksOfIt    = 0.08    // the share of a question that an article has to speak of,
	speaksIfBrief = 0.65    // and of a brief one so much more
	titleRead     = 40      // words of a question that are compared with titles
	candidates    = 150     // articles that are ranked by all their features
)

// unit is a part of a question.
type unit struct {
	term    string  // what the asker wrote, or meant to; "" for a phrase
	concept string  // what it means, "" without synonyms
	times   int     // in the question
	rarity  float64 // 0 in every article, about 1 in hardly any
	says    float64 // 1, less for a commonplace
	sure    float64 // 1, less for a guess at what was meant
	lead    bool    // it is in the question's first line
	exact   holding
	meant   holding
}

// much is how much of the question the unit makes, but for its rarity.
func (u *unit) much() float64 { return u.says * u.sure * math.Pow(float64(u.times), repeated) }

// match is an article, or what is found beside them, on its way to a hit.
type match struct {
	doc      uint32
	via      uint32              // of an outage: the document by which it is known to be one,
	down     float64             // and how much that speaks of the question, 0 to 1
	id       knowledge.ArticleID // 0: it is no article
	score    float64
	features features
	share    float64 // of what all matches together promise
	solved   int     // similar questions of the past that it solved
}

// search is a query at work on one snapshot. Its memory is used again.
type search struct {
	r        index.IndexReader
	v        *view
	synonyms *synonyms
	memory   *memory

	beside []*beside // what is searched beside articles,
	ofThem [][]some  // what of each the asker may know,
	aside  []posting // and room for lists of them
	docs   int       // above every document number, of what is beside too

	solved map[uint32]int // by document: how many similar questions it solved
	docOf  []int32        // see remember
	counts []bool         // by number of a past question: whether it is looked at
	voted  []uint32       // see vote
	past   struct {       // see used
		at          int64
		left, total [3]float64
	}
	near      []neighbour // past questions, the most similar first
	like      []float32   // by number of a past question, all zero between queries
	an        analyzer
	words     []word
	readable  bitset
	audiences []string // keys of what is readable
	total     int      // readable articles
	language  string   // in which the question is read
	asked     string   // in which it is asked
	units     []unit
	grams     []gram                  // in the order of the units
	gramAt    map[string]int          // where each is among them
	of        [featureCount][]float32 // by document number, all zero between queries
	quick     []float32               // the same, to choose candidates by
	matches   []match
	brief     float32 // 1 for a question of a word or two, 0 for one of a page
	sure      float64 // how likely it is that the first match is right
	many      float64 // how sure is very sure
	postings  []posting
}

var searches = sync.Pool{New: func() any { return &search{solved: map[uint32]int{}} }}

// find ranks what q's asker may read, best first, at most limit.
func (s *search) find(ctx context.Context, q Query, requestable *beside, limit int) error {
	s.readable, s.audiences = s.v.readable(q, s.readable[:0], s.audiences[:0])
	s.total = s.readable.count()
	s.look(q, requestable)
	s.matches, s.postings, s.sure = s.matches[:0], s.postings[:0], 0
	if s.units = s.units[:0]; s.total == 0 {
		return nil
	}
	s.asked = baseLanguage(q.Language)
	if q.Language == "" {
		text, sure := readPart(q.Text), false
		if s.asked, sure = s.an.languageOf(text); !sure {
			var err error
			if s.asked, err = s.byArticles(ctx, text); err != nil {
				return err
			}
		}
	}
	if s.language = s.asked; !s.v.languages[s.language].meets(s.readable) && !(s.asked == "de" && s.german()) {
		s.language = "en" // there is nothing to find in the asker's own
	}
	s.ask(q)
	for f := range s.of {
		if !feature(f).ofMatches() {
			s.of[f] = grown(s.of[f], s.docs)
		}
	}
	s.quick = grown(s.quick, s.docs)
	defer func() {
		for f := range s.of {
			if !feature(f).ofMatches() {
				clear(s.of[f][:s.docs])
			}
		}
		clear(s.quick[:s.docs])
	}()
	if err := s.read(ctx); err != nil {
		return err
	}
	clear(s.solved)
	known := s.remember(q)
	s.choose(max(candidates, limit))
	if known > 0 {
		s.used()
	}
	w, sure, share := weightsFor(known)
	s.many = manyLong
	if s.brief >= briefFrom {
		s.many = manyBrief
	}
	s.many = (1-share)*s.many + share*manyWarm
	mine := s.v.languages[s.language]
	foreign := mine.meets(s.readable) && mine.count() < s.v.total
	for i := range s.matches {
		m := &s.matches[i]
		if m.via = m.doc; int(m.doc) < s.v.docs {
			m.id = s.v.ids[m.doc]
		}
		for f := range s.of {
			if !feature(f).ofMatches() {
				m.features[f] = s.of[f][m.doc]
			}
		}
		for from, to := range inBrief {
			m.features[to] = m.features[from] * s.brief
		}
		m.features[asTitled] *= s.brief
		m.score, m.solved = w.score(&m.features), s.solved[m.doc]
		if foreign && m.id != 0 && !mine.has(m.doc) {
			m.score += math.Log(otherTongue)
		}
	}
	if err := s.lean(ctx, q); err != nil {
		return err
	}
	slices.SortFunc(s.matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id), cmp.Compare(a.doc, b.doc))
	})
	if len(s.matches) > 0 {
		s.dropOutages()
		shareOut(s.matches)
	}
	if s.sure = sure.sure(s.matches); len(s.matches) > 0 {
		if t := s.thing(s.matches[0].doc); t != nil && t.request != nil {
			s.sure = max(s.sure, s.sureCold())
		}
		s.sure *= s.speaks(&s.matches[0])
		// That an outage is the answer takes no more than that the question is about it.
		s.sure = max(s.sure, s.matches[0].share*s.matches[0].down)
	}
	s.matches = s.matches[:min(limit, len(s.matches))]
	return nil
}

// speaks is how much an article speaks of the question at all, 0 to 1. Whoever
// asks of something else altogether has a word in common with something all the
// same; in a long question much is beside the point.
func (s *search) speaks(m *match) float64 {
	x := min(1, (s.covered(m.via)+float64(m.features[nearest]))/(speaksOfIt+speaksIfBrief*float64(s.brief)))
	return x * x
}

func grown(s []float32, n int) []float32 {
	if len(s) < n {
		return make([]float32, n)
	}
	return s
}

// ask reads the question into units.
func (s *search) ask(q Query) {
	text := readPart(q.Text)
	s.words = s.an.words(text, s.language, s.words[:0])
	if s.language != "en" {
		// Whoever has set another language may write in English all the same;
		// then a good part of it is stop words.
		english, stops := s.an.words(text, "en", nil), 0
		for _, w := range english {
			if w.stop {
				stops++
			}
		}
		if stops*3 > len(english) {
			s.language, s.words = "en", english
		}
	}
	lead := leadOf(text)
	add := func(u unit, at int) {
		for i := range s.units {
			if s.units[i].concept == u.concept && s.units[i].term == u.term {
				s.units[i].times++
				return
			}
		}
		u.lead = at < lead
		if len(s.units) < unitsMost {
			u.times, u.says, u.sure = 1, 1, 1
			s.units = append(s.units, u)
		}
	}
	for i := 0; i < len(s.words); {
		w := s.words[i]
		switch c, n := s.synonyms.at(s.words[i:]); {
		case n > 1:
			add(unit{concept: c}, s.words[i].start)
			i += n
			continue
		case n == 1:
			add(unit{term: w.term, concept: c}, w.start)
		case !w.stop:
			add(unit{term: w.term}, w.start)
		}
		i++
	}
}

// readPart is what of a question is read.
func readPart(text string) string {
	text = withoutFrames(text)
	if len(text) <= questionRead {
		return text
	}
	end := questionRead
	for end > questionRead-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// leadOf is where the first line of a question ends, or its first sentence:
// people say there what it is about.
func leadOf(text string) int {
	const most = 160
	start := len(text) - len(strings.TrimLeft(text, " \t\n"))
	for i, r := range text[start:] {
		if r == '\n' || i > 20 && (r == '.' || r == '?' || r == '!') || i >= most {
			return start + i
		}
	}
	return len(text)
}

// read reads what the fields have of the units.
func (s *search) read(ctx context.Context) error {
	var said, saidFirst float64
	for i := range s.units {
		u := &s.units[i]
		if err := s.count(ctx, u); err != nil {
			return err
		}
		x := u.much() * u.rarity
		if u.exact.len()+u.meant.len() == 0 {
			x *= unheardOf
		}
		if said += x; u.lead {
			saidFirst += x
		}
	}
	s.brief = float32(1 / (1 + said/briefly))
	for i := range s.units {
		u := &s.units[i]
		x := u.much() * u.rarity
		all, mine, meant := u.exact, 1.0, 0.0
		if u.concept != "" {
			all, mine, meant = u.meant, exactly, 1-exactly
		}
		s.give(words, u.exact, x/said*mine)
		s.give(words, u.meant, x/said*meant)
		s.give(exact, u.exact, x/said)
		for _, list := range all {
			for _, p := range list {
				s.of[covers][p.doc()] += float32(x / said * min(1, 2*p.weight()))
			}
		}
		if u.lead {
			s.give(first, u.exact, x/saidFirst*mine)
			s.give(first, u.meant, x/saidFirst*meant)
		}
		if u.exact.len() == 0 {
			continue
		}
		list, err := s.list(ctx, bodyField, u.term)
		if err != nil {
			return err
		}
		s.give(body, list, x/said)
		if list, err = s.list(ctx, nameField, u.term); err != nil {
			return err
		}
		for _, list := range list {
			for _, p := range list {
				s.of[named][p.doc()] += float32(u.rarity * u.sure * p.weight() * p.weight())
			}
		}
	}
	if err := s.readTitles(ctx); err != nil {
		return err
	}
	return s.readGrams(ctx)
}

// inBrief are the features that count once more in brief questions.
var inBrief = map[feature]feature{body: briefBody, grams: briefGrams, covers: briefCovers}

// give adds a list to a feature.
func (s *search) give(f feature, h holding, x float64) {
	of := s.of[f]
	for _, list := range h {
		for _, p := range list {
			of[p.doc()] += float32(x * p.weight())
		}
	}
}

// count reads the unit's lists.
func (s *search) count(ctx context.Context, u *unit) (err error) {
	if u.term != "" {
		if u.exact, err = s.list(ctx, wordsField, u.term); err != nil {
			return err
		}
		if u.exact.len() == 0 && u.concept == "" {
			if err := s.respell(ctx, u); err != nil {
				return err
			}
		}
	}
	if u.concept != "" {
		if u.meant, err = s.list(ctx, wordsField, u.concept); err != nil {
			return err
		}
	}
	n := u.exact.len()
	if u.term == "" {
		n = u.meant.len()
	}
	u.rarity = s.rarity(n)
	if u.concept == complaint {
		u.says = 0.3
	}
	return nil
}

// rarity of what n readable articles have: 0 in every one, 1 in hardly any. In
// a handful of articles no word is rare; a desk that begins is judged as one
// of a hundred.
func (s *search) rarity(n int) float64 {
	of, with := float64(max(s.total, 100)), float64(n)
	return math.Log(1+(of-with+0.5)/(with+0.5)) / math.Log(1+of)
}

// list is which readable documents hold a term.
func (s *search) list(ctx context.Context, field, term string) (h holding, err error) {
	if len(s.beside) > 0 {
		h[1] = s.listBeside(field, term)
	}
	var one, several []posting
	for _, key := range s.audiences {
		list, grown, err := s.v.list(ctx, s.r, field, key+term, s.postings)
		s.postings = grown
		switch {
		case err != nil:
			return h, err
		case len(list) == 0:
		case one == nil:
			one = list
		default:
			if several == nil {
				several = slices.Clone(one)
			}
			several = append(several, list...)
		}
	}
	if several != nil {
		slices.Sort(several)
		one = several
	}
	h[0] = one
	return h, nil
}

// choose takes the n articles that are worth a closer look into matches: those
// with the most words in common, and those that solved something similar.
func (s *search) choose(n int) {
	docs := s.docs
	for _, f := range []feature{words, exact, body, grams, votes50, votes300, learned} {
		of, most := s.of[f][:docs], float32(0)
		for _, x := range of {
			if x > most { // max does the same, and looks for NaN besides
				most = x
			}
		}
		if most <= 0 {
			continue
		}
		for doc, x := range of {
			if x > 0 {
				s.quick[doc] += x / most
			}
		}
	}
	quick := s.quick[:docs]
	top := make([]float32, 0, n+1) // falling
	for _, x := range quick {
		if x > 0 && (len(top) < n || x > top[len(top)-1]) {
			i := sort.Search(len(top), func(i int) bool { return top[i] < x })
			if top = slices.Insert(top, i, x); len(top) > n {
				top = top[:n]
			}
		}
	}
	if len(top) == 0 {
		return
	}
	floor := top[len(top)-1]
	for doc, x := range quick {
		if x >= floor {
			s.matches = append(s.matches, match{doc: uint32(doc)})
		}
	}
}

// covered is how much of what the question says an article is about, 0 to 1.
// A word that no article has says little about which of them helps, and a
// number is more often a room or a date than the matter.
func (s *search) covered(doc uint32) float64 {
	var got, all float64
	for i := range s.units {
		u := &s.units[i]
		says := u.rarity * u.says
		if u.exact.len()+u.meant.len() == 0 {
			says *= 0.5
		}
		if u.term != "" && digit(u.term[0]) {
			says *= 0.5
		}
		all += says
		got += says * u.sure * min(1, 2*u.weight(doc))
	}
	if all == 0 {
		return 0
	}
	return got / all
}

// weight is how much an article is about a unit, 0 to 1.
func (u *unit) weight(doc uint32) float64 {
	return max(weightIn(u.exact, doc), weightIn(u.meant, doc))
}

func weightIn(h holding, doc uint32) float64 {
	for _, list := range h {
		if x := weightOf(list, doc); x > 0 {
			return x
		}
	}
	return 0
}

func weightOf(list []posting, doc uint32) float64 {
	i, ok := slices.BinarySearchFunc(list, doc, func(p posting, doc uint32) int { return cmp.Compare(p.doc(), doc) })
	if !ok {
		return 0
	}
	return list[i].weight()
}
