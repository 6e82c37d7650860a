package kb

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// How sure the desk has to be that the first article is right, to show any and
// to show it as the answer. They are read off the curve that "kb eval --curve"
// draws; see README.md.
const (
	few = 0.08
	// Where nothing is known of the past a question has to say much, or only near
	// certainty will do.
	manyLong, manyBrief, manyWarm = 0.60, 0.85, 0.45
	briefFrom                     = 0.3 // see search.brief
	// An article that is so much less likely than the first is left out: two
	// good cards are better than two and a stray.
	besideFirst = 0.08
)

// Suggest returns the few articles that are good enough to be shown as an
// answer to a question: three that may help, one that does, or none.
func (x *Index) Suggest(ctx context.Context, q Query) (knowledge.Suggestions, error) {
	var out knowledge.Suggestions
	limit := cmp.Or(q.Limit, 3)
	look := limit
	if len(q.Advice.Order) > 0 {
		look = max(limit, mostChoices)
	}
	err := x.search(ctx, q, look, func(s *search) error {
		if out.Sure, out.Confidence = s.sure, s.confidence(); out.Confidence == knowledge.None {
			return nil
		}
		advice := q.Advice
		if out.Confidence == knowledge.High {
			advice = Advice{} // see Choices
		}
		good := s.good()
		advice.arrange(good[:min(mostChoices, len(good))])
		for _, m := range good[:min(limit, len(good))] {
			h, err := s.hit(m, s.covered(m.doc), advice.Sentences[m.id])
			if err != nil {
				return err
			}
			out.Hits = append(out.Hits, h)
		}
		return nil
	})
	if err != nil {
		return knowledge.Suggestions{}, fmt.Errorf("suggest articles: %w", err)
	}
	return out, nil
}

// confidence says how far to trust the first match.
func (s *search) confidence() knowledge.Confidence {
	switch {
	case s.sure < few:
		return knowledge.None
	case s.sure < s.many:
		return knowledge.Low
	}
	return knowledge.High
}

// good are the matches that may be shown beside the first.
func (s *search) good() []match {
	least := besideFirst
	if s.confidence() == knowledge.High {
		least = 1. / 3
	}
	for i, m := range s.matches {
		if m.share < least*s.matches[0].share {
			return s.matches[:i]
		}
	}
	return s.matches
}

// Search returns what speaks of any word of the question, best first, good
// enough or not.
func (x *Index) Search(ctx context.Context, q Query) ([]knowledge.Hit, error) {
	var hits []knowledge.Hit
	err := x.search(ctx, q, cmp.Or(q.Limit, 10), func(s *search) error {
		for _, m := range s.matches {
			h, err := s.hit(m, s.covered(m.doc), nil)
			if err != nil {
				return err
			}
			hits = append(hits, h)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search articles: %w", err)
	}
	return hits, nil
}

// Ranked is an article and its place in the order.
type Ranked struct {
	Article  knowledge.ArticleID
	Score    float64
	Features [featureCount]float32 // in the order of weights.tsv
	Speaks   float64               // 0–1: of the question at all
}

// Rank returns the order that Suggest and Search take their articles from.
func (x *Index) Rank(ctx context.Context, q Query) (all []Ranked, err error) {
	err = x.search(ctx, q, cmp.Or(q.Limit, 10), func(s *search) error {
		if good := s.good(); s.confidence() == knowledge.Low {
			q.Advice.arrange(good[:min(mostChoices, len(good))])
		}
		for _, m := range s.matches {
			all = append(all, Ranked{m.id, m.score, m.features, s.speaks(&m)})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rank articles: %w", err)
	}
	return all, nil
}

// search finds at most limit matches for q and lets f make of them what it
// needs while the snapshot is open.
func (x *Index) search(ctx context.Context, q Query, limit int, f func(*search) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return ErrClosed
	}
	err := x.now.read(ctx, func(r index.IndexReader, v *view) error {
		s := searches.Get().(*search)
		defer searches.Put(s)
		s.r, s.v, s.synonyms, s.memory = r, v, x.now.meanings.synonyms, x.memory
		defer func() {
			clear(s.units) // let go of the snapshot
			clear(s.beside)
			clear(s.ofThem)
			s.beside, s.ofThem = s.beside[:0], s.ofThem[:0]
			s.r, s.v, s.memory = nil, nil, nil
		}()
		if err := s.find(ctx, q, x.requestable, limit); err != nil {
			return err
		}
		return f(s)
	})
	if err != nil && ctx.Err() == nil {
		x.now.broken.Store(true)
	}
	return err
}

// hit is what is shown of a match, with these sentences of it if they can be
// its extract.
func (s *search) hit(m match, covered float64, sentences []string) (knowledge.Hit, error) {
	if t := s.thing(m.doc); t != nil {
		return s.hitBeside(m, t), nil
	}
	a, err := s.stored(m.id)
	if err != nil {
		return knowledge.Hit{}, err
	}
	h := knowledge.Hit{Article: m.id, Title: a.title, Language: a.language, KnownError: a.known, Foreign: a.language != "" && a.language != s.asked,
		Closed: !s.v.open().has(m.doc), Score: m.score, Covered: min(1, covered), Solved: m.solved}
	if text := quoted(a.symptom, a.answer, sentences); text != "" {
		h.Extract = spans(text, s.marks(text, a.language))
	} else {
		h.Extract = s.extract(a.symptom, a.answer, a.language)
	}
	return h, nil
}

// hitBeside is what is shown of something that is no article.
func (s *search) hitBeside(m match, t *thing) knowledge.Hit {
	h := knowledge.Hit{Score: m.score, Covered: min(1, s.covered(m.via)), Solved: m.solved, Closed: t.audience != ""}
	if o := t.outage; o != nil {
		h.Outage, h.Title = o.Ticket, o.What
		return h
	}
	h.Request, h.Title = t.request.Slug, t.request.Name
	h.Extract = spans(t.request.Description, s.marks(t.request.Description, "en"))
	return h
}

// stored is what the index keeps of an article to show it.
type stored struct {
	title, language, symptom, answer string
	known                            bool
}

func (s *search) stored(id knowledge.ArticleID) (a stored, err error) {
	d, err := s.r.Document(strconv.FormatInt(int64(id), 10))
	if err != nil {
		return a, err
	}
	doc, ok := d.(*document.Document)
	if !ok {
		return a, fmt.Errorf("article %s is not in its snapshot", id.Ref())
	}
	for _, f := range doc.Fields {
		switch f.Name() {
		case titleField:
			a.title = string(f.Value())
		case languageField:
			a.language = string(f.Value())
		case knownField:
			a.known = true
		case symptomField:
			a.symptom = string(f.Value())
		case answerField:
			a.answer = string(f.Value())
		}
	}
	return a, nil
}
