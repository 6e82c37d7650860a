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

// What a suggestion must show for itself: its score times the share of the
// question that it covers. Of 1,208 questions of real users to 686 articles,
// an article that their helpers chose was among the three shown for one in
// eight of those whose best was below few, for 28 % between, and for 55 %
// above many; as their labels are, 75 % is the most there is to reach.
const (
	few  = 0.12
	many = 0.45
	// An article with less than this part of the best one's score is left
	// out: two good cards are better than two and a stray.
	besideBest = 0.5
)

// Suggest returns the few articles that are good enough to be shown as an
// answer to a question.
func (x *Index) Suggest(ctx context.Context, q Query) (knowledge.Suggestions, error) {
	var out knowledge.Suggestions
	err := x.search(ctx, q, cmp.Or(q.Limit, 3), func(s *search) error {
		for _, m := range s.matches {
			covered := s.covered(m.doc)
			proof := m.score * covered
			if proof < few || m.score < besideBest*s.matches[0].score {
				continue
			}
			h, err := s.hit(m, covered)
			if err != nil {
				return err
			}
			out.Hits = append(out.Hits, h)
			if proof >= many {
				out.Confidence = knowledge.High
			} else {
				out.Confidence = max(out.Confidence, knowledge.Low)
			}
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
	return x.now.read(ctx, func(r index.IndexReader, v *view) error {
		s := searches.Get().(*search)
		defer searches.Put(s)
		s.r, s.v, s.synonyms = r, v, x.synonyms
		defer func() {
			clear(s.units) // let go of the snapshot
			s.r, s.v = nil, nil
		}()
		if err := s.find(ctx, q, limit); err != nil {
			return err
		}
		return f(s)
	})
}

// hit loads what is shown of a match.
func (s *search) hit(m match, covered float64) (knowledge.Hit, error) {
	h := knowledge.Hit{Article: m.id, Score: m.score, Covered: covered}
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
	h.Extract = s.extract(symptom, answer, h.Language)
	return h, nil
}
