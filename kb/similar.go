package kb

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// Solved is a ticket of the past.
type Solved struct {
	Ticket int64 // the record's number
	At     time.Time
	Like   float64 // 0–1: how much of the question it speaks of; fresh ones come before
}

// looked is how many past tickets are put in order.
const looked = 600

// Similar returns solved tickets that are about the same, best first, at most
// limit. What was solved lately is likelier to be the same trouble. It is for
// agents: it knows no audience.
func (x *Index) Similar(ctx context.Context, q Query, limit int) ([]Solved, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := searches.Get().(*search)
	defer searches.Put(s)
	s.synonyms, s.language, s.units = x.means(), baseLanguage(q.Language), s.units[:0]
	s.ask(q)
	at := q.At
	if at.IsZero() {
		at = time.Now()
	}
	m := x.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	counts, of := s.counted(len(m.past)), 0
	for number := range m.past {
		if counts[number] = m.isTicket[number] && !m.isOpen[number] && int64(m.past[number].at) <= at.Unix(); counts[number] {
			of++
		}
	}
	m.alike(s, max(looked, limit), counts, of)
	type aged struct {
		neighbour
		score float64
	}
	all := make([]aged, len(s.near))
	for i, n := range s.near {
		age := float64(at.Unix() - int64(m.past[n.number].at))
		all[i] = aged{n, float64(n.like) * (1 + math.Exp2(-age/days(14)) + 0.5*math.Exp2(-age/days(120)))}
	}
	slices.SortStableFunc(all, func(a, b aged) int { return cmp.Compare(b.score, a.score) })
	out := make([]Solved, 0, limit)
	for _, a := range all[:min(limit, len(all))] {
		p := &m.past[a.number]
		out = append(out, Solved{p.id.Ticket(), time.Unix(int64(p.at), 0), float64(a.like)})
	}
	return out, nil
}
