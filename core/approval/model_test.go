package approval

import (
	"slices"
	"strings"
	"time"
)

// model is what an approval ought to be, written to be believed and not to be
// fast or to say why: who said what, and the rest computed anew each time.
type model struct {
	stages    []Stage // as given
	subject   Subject
	round     int
	state     State
	begun     bool
	seats     [][]id // of each stage that was asked
	said      []map[id]said
	askedAt   time.Time
	escalated bool
}

type said struct {
	by     id
	as     Capacity
	answer Answer
}

func (m *model) stage() int { return len(m.seats) - 1 }

func (m *model) reached(now time.Time) bool {
	return m.subject.Window != time.Time{} && m.subject.Window.Compare(now) <= 0
}

// among tells whether p may answer when who is asked.
func among(p id, who []Who, r Roster, own []id) bool {
	for _, w := range who {
		if (w.Person == p || slices.Contains(r.Members[w.Group], p)) && r.Able[p] && !slices.Contains(own, p) {
			return true
		}
	}
	return false
}

func (m *model) fits(r Roster, own []id) bool {
	for _, st := range m.stages {
		n := 0
		for _, p := range everyone {
			if among(p, st.Ask, r, own) {
				n++
			}
		}
		if n < needOf(st.Rule, n) {
			return false
		}
	}
	return true
}

func needOf(r Rule, n int) int {
	switch {
	case r.Quorum == AnyOne, n == 0:
		return max(1, r.K)
	case r.Quorum == AtLeast:
		return r.K
	case r.Quorum == Everybody:
		return n
	}
	need := 1
	for 2*need <= n {
		need++
	}
	return need
}

func (m *model) need(stage int) int { return needOf(m.stages[stage].Rule, len(m.seats[stage])) }

func (m *model) restart(s Subject, r Roster, now time.Time) {
	*m = model{stages: m.stages, subject: s, round: m.round + 1, state: Waiting}
	m.ask(r, now)
}

func (m *model) ask(r Roster, now time.Time) {
	var seats []id
	for _, w := range m.stages[len(m.seats)].Ask { // in the order in which they are named
		for _, p := range append([]id{w.Person}, r.Members[w.Group]...) {
			if among(p, []Who{w}, r, m.subject.Own) && !slices.Contains(seats, p) {
				seats = append(seats, p)
			}
		}
	}
	m.seats, m.said = append(m.seats, seats), append(m.said, map[id]said{})
	m.askedAt, m.escalated = now, false
}

// reaches tells whether p's approvals come to q, handed on at most n times.
func (m *model) reaches(p, q id, n int, passed []id, r Roster, now time.Time) bool {
	for _, d := range r.Delegations {
		if d.From == p && d.Since.Compare(now) <= 0 && now.Before(d.Until) {
			fit := n > 0 && r.Able[d.To] && !slices.Contains(m.subject.Own, d.To) && !slices.Contains(passed, d.To)
			return fit && (d.To == q || m.reaches(d.To, q, n-1, append(passed, d.To), r, now))
		}
	}
	return false
}

// right is how by may speak for a seat of the present stage; "": not at all.
func (m *model) right(by, seat id, r Roster, now time.Time) Capacity {
	st, seats, told := m.stages[m.stage()], m.seats[m.stage()], m.said[m.stage()]
	if !slices.Contains(seats, seat) || !r.Able[by] || slices.Contains(m.subject.Own, by) {
		return ""
	}
	others := map[Capacity]int{}
	for s, v := range told {
		if v.by == by && s != seat {
			others[v.as]++
		}
	}
	valid := among(seat, st.Ask, r, m.subject.Own)
	switch {
	case by == seat && valid:
		return AsHolder
	case by != seat && valid && others[AsDeputy] == 0 && m.reaches(seat, by, 4, []id{seat}, r, now):
		return AsDelegate
	case m.escalated && len(others) == 0 && !slices.Contains(seats, by) && among(by, st.Deputies, r, m.subject.Own):
		return AsDeputy
	}
	return ""
}

// claims is the seat for which the ballot counts; 0: it does not.
func (m *model) claims(b Ballot, r Roster, now time.Time) (id, Capacity) {
	if m.state != Waiting || m.reached(now) || b.Round != m.round || b.Stage != m.stage() || b.Hash != m.subject.Hash {
		return 0, ""
	}
	switch b.Answer {
	case Yes:
		if m.subject.HighRisk && !b.Confirmed {
			return 0, ""
		}
	case No, Changes:
		if strings.TrimSpace(b.Note) == "" {
			return 0, ""
		}
	default:
		return 0, ""
	}
	seat := b.For
	if seat == 0 {
		seat = m.meant(b.By, r, now)
	}
	as := m.right(b.By, seat, r, now)
	old, voted := m.said[m.stage()][seat]
	if as == "" || voted && (old.answer == b.Answer || b.By != old.by && b.By != seat) {
		return 0, ""
	}
	return seat, as
}

// meant is the seat for which somebody speaks who does not say for which.
func (m *model) meant(by id, r Roster, now time.Time) id {
	var handed, silent []id
	for _, seat := range m.seats[m.stage()] {
		if seat == by {
			return by
		}
		v, voted := m.said[m.stage()][seat]
		switch as := m.right(by, seat, r, now); {
		case as == AsDelegate:
			handed = append(handed, seat)
		case as == AsDeputy && (!voted || v.by == by):
			silent = append(silent, seat)
		}
	}
	switch {
	case len(handed) == 1:
		return handed[0]
	case len(handed) == 0 && len(silent) > 0:
		return silent[0]
	}
	return 0
}

func (m *model) tally(stage int) map[Answer]int {
	n := map[Answer]int{}
	for _, v := range m.said[stage] {
		n[v.answer]++
	}
	return n
}

func (m *model) count(seat id, v said, r Roster, now time.Time) {
	i := m.stage()
	m.said[i][seat] = v
	n := m.tally(i)
	switch {
	case n[Changes] > 0:
		m.state = ChangesRequested
	case n[Yes] >= m.need(i) && i+1 == len(m.stages):
		m.state = Approved
	case n[Yes] >= m.need(i):
		m.ask(r, now)
	case n[No] > 0 && len(m.seats[i])-n[No] < m.need(i):
		m.state = Rejected
	}
}

func (m *model) elapse(now time.Time) {
	if (m.state == Waiting || m.state == ChangesRequested) && m.reached(now) {
		m.state = Blocked
		return
	}
	within := m.stages[m.stage()].Within
	if w := m.subject.Window; w != (time.Time{}) {
		within = min(within, w.Sub(m.askedAt)/2)
	}
	if m.state == Waiting && now.Sub(m.askedAt) >= within {
		m.escalated = true
	}
}

// edit tells whether it is allowed, and whether everybody is asked anew.
func (m *model) edit(s Subject, r Roster, now time.Time) (allowed, anew bool) {
	same := s.Hash == m.subject.Hash && s.Window.Equal(m.subject.Window)
	before, after := map[id]bool{}, map[id]bool{}
	for _, p := range m.subject.Own {
		before[p] = true
	}
	for _, p := range s.Own {
		after[p] = true
	}
	people := len(before) != len(after)
	for p := range after {
		people = people || !before[p]
	}
	anew = !same
	for _, stage := range m.said {
		for seat, v := range stage {
			anew = anew || after[seat] || after[v.by]
		}
	}
	late := s.Window != time.Time{} && s.Window.Compare(now) <= 0
	allowed = !m.begun && m.state != Rejected && m.state != Withdrawn && (!same || people) &&
		(!anew || m.fits(r, s.Own) && !late)
	return allowed, anew
}

func (m *model) saidYes() []id {
	var who []id
	for _, stage := range m.said {
		for seat, v := range stage {
			if v.answer == Yes {
				who = append(who, seat, v.by)
			}
		}
	}
	slices.Sort(who)
	return slices.Compact(who)
}

// stuck tells whether too few are left: those who may speak for themselves, and
// deputies for the seats of those who may not.
func (m *model) stuck(r Roster) bool {
	i := m.stage()
	spoke := map[id]bool{}
	for _, v := range m.said[i] {
		spoke[v.by] = true
	}
	could, empty, deputies := m.tally(i)[Yes], 0, 0
	for _, p := range m.seats[i] {
		if _, voted := m.said[i][p]; voted {
			continue
		}
		if among(p, m.stages[i].Ask, r, m.subject.Own) {
			could++
		} else {
			empty++
		}
	}
	for _, p := range everyone {
		if among(p, m.stages[i].Deputies, r, m.subject.Own) && !slices.Contains(m.seats[i], p) && !spoke[p] {
			deputies++
		}
	}
	return could+min(empty, deputies) < m.need(i)
}
