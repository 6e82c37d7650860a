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
	// Where nothing is known of the past only near certainty will do.
	manyCold, manyWarm = 0.92, 0.40
	// An article that is so much less likely than the first is left out: two
	// good cards are better than two and a stray.
	besideFirst = 0.08
)

// Suggest returns the few articles that are good enough to be shown as an
// answer to a question: three that may help, one that does, or none.
func (x *Index) Suggest(ctx context.Context, q Query) (knowledge.Suggestions, error) {
	var out knowledge.Suggestions
	err := x.search(ctx, q, cmp.Or(q.Limit, 3), func(s *search) error {
		if out.Sure = s.sure; s.sure < few {
			return nil
		}
		out.Confidence = knowledge.Low
		if s.sure >= s.many {
			out.Confidence = knowledge.High
		}
		for i, m := range s.matches {
			if i > 0 && (out.Confidence == knowledge.High && m.share < s.matches[0].share/3 || m.share < besideFirst*s.matches[0].share) {
				break
			}
			h, err := s.hit(m, s.covered(m.doc))
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

// Search returns what speaks of any word of the question, best first, good
// enough or not.
func (x *Index) Search(ctx context.Context, q Query) ([]knowledge.Hit, error) {
	var hits []knowledge.Hit
	err := x.search(ctx, q, cmp.Or(q.Limit, 10), func(s *search) error {
		for _, m := range s.matches {
			h, err := s.hit(m, s.covered(m.doc))
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
}

// Rank returns the order that Suggest and Search take their articles from.
func (x *Index) Rank(ctx context.Context, q Query) (all []Ranked, err error) {
	err = x.search(ctx, q, cmp.Or(q.Limit, 10), func(s *search) error {
		for _, m := range s.matches {
			all = append(all, Ranked{m.id, m.score, m.features})
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
			s.r, s.v, s.memory = nil, nil, nil
		}()
		if err := s.find(ctx, q, limit); err != nil {
			return err
		}
		return f(s)
	})
	if err != nil && ctx.Err() == nil {
		x.now.broken.Store(true)
	}
	return err
}

// hit loads what is shown of a match.
func (s *search) hit(m match, covered float64) (knowledge.Hit, error) {
	h := knowledge.Hit{Article: m.id, Score: m.score, Covered: min(1, covered), Solved: m.solved}
	d, err := s.r.Document(strconv.FormatInt(int64(m.id), 10))
	if err != nil {
		return h, err
	}
	stored, ok := d.(*document.Document)
	if !ok {
		return h, fmt.Errorf("article %s is not in its snapshot", m.id.Ref())
	}
	var symptom, answer string
	for _, f := range stored.Fields {
		switch f.Name() {
		case titleField:
			h.Title = string(f.Value())
		case languageField:
			h.Language = string(f.Value())
		case knownField:
			h.KnownError = true
		case symptomField:
			symptom = string(f.Value())
		case answerField:
			answer = string(f.Value())
		}
	}
	h.Foreign = h.Language != "" && h.Language != s.asked
	h.Extract = s.extract(symptom, answer, h.Language)
	return h, nil
}
