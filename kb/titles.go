package kb

import (
	"context"
	"math"
)

// readTitles reads how alike the question and titles are as they stand: where
// little is said, "more than one" or "only to me" may be all the difference.
func (s *search) readTitles(ctx context.Context) error {
	type found struct {
		list   holding
		small  bool
		rarity float64
	}
	var all []found
	seen := make(map[string]bool)
	said, large := 0.0, false
	for _, w := range s.words[:min(len(s.words), titleRead)] {
		if seen[w.term] {
			continue
		}
		seen[w.term] = true
		list, err := s.list(ctx, nameField, w.term)
		if err != nil {
			return err
		}
		f := found{list, w.stop, s.rarity(list.len())}
		all, said, large = append(all, f), said+f.rarity, large || !w.stop
	}
	for _, f := range all {
		if !f.small {
			s.give(asTitled, f.list, f.rarity/math.Sqrt(said))
		}
	}
	// Small words make the difference between titles that have something else
	// of the question; alone they say nothing, unless it has nothing else.
	of := s.of[asTitled]
	for _, f := range all {
		for _, list := range f.list {
			for _, p := range list {
				if f.small && (!large || of[p.doc()] > 0) {
					of[p.doc()] += float32(f.rarity / math.Sqrt(said) * p.weight())
				}
			}
		}
	}
	return nil
}

// readGrams reads what the units have in common with titles and symptoms.
func (s *search) readGrams(ctx context.Context) error {
	if s.grams = s.grams[:0]; s.gramAt == nil {
		s.gramAt = map[string]int{}
	}
	clear(s.gramAt)
	for i := range s.units {
		u := &s.units[i]
		eachGram(u.term, func(text string) {
			at, ok := s.gramAt[text]
			if !ok {
				at = len(s.grams)
				s.gramAt[text] = at
				s.grams = append(s.grams, gram{text: text})
			}
			s.grams[at].says += float64(u.times)
		})
	}
	said := 0.0
	for i := range s.grams {
		g := &s.grams[i]
		var err error
		if g.list, err = s.list(ctx, gramsField, g.text); err != nil {
			return err
		}
		g.says = math.Sqrt(g.says) * s.rarity(g.list.len())
		if g.list.len() == 0 {
			said += g.says * unheardOf
		} else {
			said += g.says
		}
	}
	for _, g := range s.grams {
		s.give(grams, g.list, g.says/said)
	}
	return nil
}

// gram is four letters in a row of the question.
type gram struct {
	text string
	says float64
	list holding
}
