package kb

import (
	"cmp"
	"context"
	"strconv"

	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Suggest returns the few articles that are good enough to be shown as an
// answer to a question.
func (x *Index) Suggest(ctx context.Context, q Query) (knowledge.Suggestions, error) {
	hits, err := x.Search(ctx, Query{q.Text, q.Groups, q.AnyGroup, q.Language, cmp.Or(q.Limit, 3)})
	return knowledge.Suggestions{Hits: hits}, err
}

// Search returns what speaks of any word of the question, best first, good
// enough or not.
func (x *Index) Search(ctx context.Context, q Query) ([]knowledge.Hit, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return nil, ErrClosed
	}
	var hits []knowledge.Hit
	err := x.now.read(ctx, func(r index.IndexReader, v *view) error {
		s := searches.Get().(*search)
		defer searches.Put(s)
		s.r, s.v, s.synonyms = r, v, x.synonyms
		if err := s.find(ctx, q, cmp.Or(q.Limit, 10)); err != nil {
			return err
		}
		for _, m := range s.matches {
			h, err := s.hit(m)
			if err != nil {
				return err
			}
			hits = append(hits, h)
		}
		return nil
	})
	return hits, err
}

func (s *search) hit(m match) (knowledge.Hit, error) {
	h := knowledge.Hit{Article: m.id, Score: m.score}
	d, err := s.r.Document(strconv.FormatInt(int64(m.id), 10))
	if err != nil {
		return h, err
	}
	for _, f := range d.(*document.Document).Fields {
		switch f.Name() {
		case titleField:
			h.Title = string(f.Value())
		case languageField:
			h.Language = string(f.Value())
		case knownField:
			h.KnownError = true
		}
	}
	known, all := 0.0, 0.0
	for i := range s.units {
		u := &s.units[i]
		all += u.idf
		known += u.idf * u.weight(m.doc)
	}
	h.Covered = known / all
	return h, nil
}
