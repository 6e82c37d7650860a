package kb

import (
	"math"

	"github.com/deskhand/deskhand/core/knowledge"
)

const (
	placeNear  = 50   // of the nearest tickets are looked at
	placeFrom  = 0.1  // of the question a ticket speaks at least, to be called similar
	placeDoubt = 0.05 // that the nearest are like something else, as a vote
)

// Places guesses where a ticket belongs, by where tickets like it did: every
// place that is known, with its share. A classifier has learnt of all words; the
// nearest tickets speak for themselves in so far as they came after it was
// trained, so the last one counts at once.
func (x *Index) Places(text string) knowledge.Guesses {
	s := searches.Get().(*search)
	defer searches.Put(s)
	s.synonyms, s.language, s.units = x.means(), "en", s.units[:0]
	s.ask(Query{Text: text})
	m := x.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	known := 0
	for _, counts := range m.isTicket {
		if counts {
			known++
		}
	}
	m.alike(s, placeNear, m.isTicket, known)
	all := make(knowledge.Guesses, len(m.places))
	said := m.where.says(text, all)
	of, fresh := placeDoubt, 0.0
	votes := make([]float64, len(m.places))
	for _, n := range s.near {
		p := &m.past[n.number]
		vote := math.Pow(float64(n.like), 3)
		votes[p.place] += vote
		if of += vote; int(n.number) >= m.trained {
			fresh += vote
		}
		if n.like >= max(placeFrom, alikeFrom*s.near[0].like) {
			all[p.place].Alike++
		}
	}
	if !said {
		fresh = of
	}
	for i := range all {
		all[i].Place = m.places[i]
		all[i].Sure = (1-fresh/of)*all[i].Sure + fresh/of*votes[i]/of
	}
	return all
}

// says fills in how likely each place is by the words of a text; false: the
// classifier knows nothing yet.
func (c *classifier) says(text string, of knowledge.Guesses) bool {
	if c == nil || c.classes == 0 {
		return false
	}
	an := analyzers.Get().(*analyzer)
	defer analyzers.Put(an)
	var bag []counted
	for term, n := range wholeBag(an, text) {
		if row, ok := c.terms[term]; ok {
			bag = append(bag, counted{row, weightOfTimes(n)})
		}
	}
	share := make([]float32, c.classes)
	c.shares(c.weigh(bag), share)
	for class, place := range c.places {
		of[place].Sure = float64(share[class])
	}
	return true
}
