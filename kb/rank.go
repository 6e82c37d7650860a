package kb

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"strconv"
	"sync"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// A question is read as units: a word, or a phrase that has synonyms. The
// score of an article is the sum over the units of how rare the unit is times
// how much the article is about it. What the asker may not read is left out
// while the lists are read, so it changes no count, no rarity, no spelling.

const (
	questionRead = 8 << 10 // bytes of a question that are read; the point comes before the log
	unitsMost    = 40      // distinct units of a question
	repeated     = 0.7     // a unit that comes n times counts n to this power
	exactly      = 0.2     // how much the asker's own word counts beside its synonyms
	otherTongue  = 0.6     // what an article in another language than the asker's counts
)

// unit is a part of a question.
type unit struct {
	term    string  // what the asker wrote, or meant to; "" for a phrase
	concept string  // what it means, "" without synonyms
	times   int     // in the question
	rarity  float64 // 0 in every article, about 1 in hardly any
	says    float64 // 1, less for a commonplace
	sure    float64 // 1, less for a guess at what was meant
	exact   []posting
	meant   []posting
}

// match is an article on its way to a hit.
type match struct {
	doc   uint32
	id    knowledge.ArticleID
	score float64
}

// search is a query at work on one snapshot. Its memory is used again.
type search struct {
	r        index.IndexReader
	v        *view
	synonyms *synonyms

	an       analyzer
	words    []word
	readable bitset
	total    int    // readable articles
	language string // of the question
	units    []unit
	scores   []float32 // by document number, all zero between queries
	matches  []match
	postings []posting
}

var searches = sync.Pool{New: func() any { return new(search) }}

// find ranks what q's asker may read, best first, at most limit.
func (s *search) find(ctx context.Context, q Query, limit int) error {
	s.readable = s.v.readable(q, s.readable[:0])
	s.total = s.readable.count()
	s.matches, s.postings = s.matches[:0], s.postings[:0]
	if s.units = s.units[:0]; s.total == 0 {
		return nil
	}
	if s.language = baseLanguage(q.Language); !s.v.languages[s.language].meets(s.readable) {
		s.language = "en" // there is nothing to find in the asker's own
	}
	s.ask(q)
	if len(s.scores) < s.v.docs {
		s.scores = make([]float32, s.v.docs)
	}
	for i := range s.units {
		if err := s.count(ctx, &s.units[i]); err != nil {
			clear(s.scores)
			return err
		}
	}
	if mine := s.v.languages[s.language]; mine.meets(s.readable) && mine.count() < s.v.total {
		for doc := range s.scores[:s.v.docs] {
			if !mine.has(uint32(doc)) {
				s.scores[doc] *= otherTongue
			}
		}
	}
	return s.best(limit)
}

// ask reads the question into units.
func (s *search) ask(q Query) {
	text := q.Text
	if len(text) > questionRead {
		end := questionRead
		for end > questionRead-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
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
	add := func(u unit) {
		for i := range s.units {
			if s.units[i].concept == u.concept && s.units[i].term == u.term {
				s.units[i].times++
				return
			}
		}
		if len(s.units) < unitsMost {
			u.times, u.says, u.sure = 1, 1, 1
			s.units = append(s.units, u)
		}
	}
	for i := 0; i < len(s.words); {
		w := s.words[i]
		switch c, n := s.synonyms.at(s.words[i:]); {
		case n > 1:
			add(unit{concept: c})
			i += n
			continue
		case n == 1:
			add(unit{term: w.term, concept: c})
		case !w.stop:
			add(unit{term: w.term})
		}
		i++
	}
}

// count reads the unit's lists and adds to the scores.
func (s *search) count(ctx context.Context, u *unit) (err error) {
	if u.term != "" {
		if u.exact, err = s.list(ctx, u.term); err != nil {
			return err
		}
		if len(u.exact) == 0 && u.concept == "" {
			if err := s.respell(ctx, u); err != nil {
				return err
			}
		}
	}
	if u.concept != "" {
		if u.meant, err = s.list(ctx, u.concept); err != nil {
			return err
		}
	}
	n := float64(max(len(u.exact), len(u.meant)))
	u.rarity = math.Log(1+(s.others()-n+0.5)/(n+0.5)) / math.Log(1+s.others())
	if u.concept == complaint {
		u.says = 0.3
	}
	weight := u.rarity * u.says * u.sure * math.Pow(float64(u.times), repeated)
	exact, meant := 1.0, 0.0
	if u.concept != "" {
		exact, meant = exactly, 1-exactly
	}
	for _, p := range u.exact {
		s.scores[p.doc()] += float32(weight * exact * p.weight())
	}
	for _, p := range u.meant {
		s.scores[p.doc()] += float32(weight * meant * p.weight())
	}
	return nil
}

// others is how many articles rarity is measured against. In a handful of
// articles no word is rare; a desk that begins is judged as one of a hundred.
func (s *search) others() float64 { return float64(max(s.total, 100)) }

// list is which readable articles hold a term, in order of their numbers.
func (s *search) list(ctx context.Context, term string) ([]posting, error) {
	mark := len(s.postings)
	list, grown, err := s.v.list(ctx, s.r, term, s.postings)
	s.postings = grown
	if err != nil || s.total == s.v.total {
		return list, err
	}
	out := s.postings[:mark] // never ahead of where list is read
	for _, p := range list {
		if s.readable.has(p.doc()) {
			out = append(out, p)
		}
	}
	s.postings = out
	return out[mark:len(out):len(out)], nil
}

// best keeps the limit best scores, equal ones in the order of the articles'
// numbers, and leaves the scores zero.
func (s *search) best(limit int) error {
	scores := s.scores[:s.v.docs]
	defer clear(scores)
	top := make([]float32, 0, limit+1) // falling
	for _, x := range scores {
		if x > 0 && (len(top) < limit || x > top[len(top)-1]) {
			i := sort.Search(len(top), func(i int) bool { return top[i] < x })
			if top = slices.Insert(top, i, x); len(top) > limit {
				top = top[:limit]
			}
		}
	}
	if len(top) == 0 {
		return nil
	}
	floor := top[len(top)-1]
	var num index.IndexInternalID
	for doc, x := range scores {
		if x < floor {
			continue
		}
		num = index.NewIndexInternalID(num, uint64(doc))
		key, err := s.r.ExternalID(num)
		if err != nil {
			return err
		}
		id, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return err
		}
		s.matches = append(s.matches, match{uint32(doc), knowledge.ArticleID(id), float64(x)})
	}
	slices.SortFunc(s.matches, func(a, b match) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	s.matches = s.matches[:min(limit, len(s.matches))]
	return nil
}

// covered is how much of what the question says an article is about, 0 to 1.
// A word that no article has says little about which of them helps, and a
// number is more often a room or a date than the matter.
func (s *search) covered(doc uint32) float64 {
	var got, all float64
	for i := range s.units {
		u := &s.units[i]
		says := u.rarity * u.says
		if len(u.exact)+len(u.meant) == 0 {
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

func weightIn(list []posting, doc uint32) float64 {
	i, ok := slices.BinarySearchFunc(list, doc, func(p posting, doc uint32) int { return cmp.Compare(p.doc(), doc) })
	if !ok {
		return 0
	}
	return list[i].weight()
}
