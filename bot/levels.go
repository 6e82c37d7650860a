package bot

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// clockKinds are the two clocks of a ticket.
var clockKinds = []sla.Kind{sla.Response, sla.Resolution}

// subject is what a service level may look at in a ticket.
func (r *rules) subject(tk ticket.Ticket) sla.Subject {
	return sla.Subject{Kind: tk.Kind, Priority: tk.Priority, Service: tk.Service, Team: r.team(tk.Team).Slug}
}

// terms is the entry that puts the promises of the policy in force over a
// ticket.
func (r *rules) terms(tk ticket.Ticket, step sla.Step, why string) storage.LedgerEntry {
	slug, _, _ := r.levels.For(r.subject(tk))
	return storage.LedgerEntry{Step: step, Policy: r.id, Level: slug, Priority: tk.Priority, Team: tk.Team, Why: why}
}

// promised begins the clocks of a ticket that has just been opened.
func (t *turn) promised(ctx context.Context, tk ticket.Ticket) error {
	s := storage.Standing{}
	entry := t.rules.terms(tk, sla.Opened, "")
	entry.At = tk.OpenedAt
	if err := t.enter(ctx, tk, &s, entry); err != nil {
		return err
	}
	return t.reckon(ctx, tk, s)
}

// kept sees to the clocks after a step of a ticket, which is locked.
func (t *turn) kept(ctx context.Context, was, is ticket.Ticket, ev ticket.Event) error {
	if ev.Action == ticket.Rated || ev.Action == ticket.ClosedStep {
		return nil
	}
	switch ev.Action {
	case ticket.Claimed, ticket.Assigned, ticket.Released, ticket.Declined, ticket.Vacated:
		// Who has it changes nothing in its clocks, only in what has been told.
		if t.calm == is.ID {
			return nil
		}
		if calm, err := t.tx.Calm(ctx, is.ID); calm || err != nil {
			return err
		}
	}
	s, err := t.standing(ctx, was)
	if err != nil {
		return err
	}
	var entry storage.LedgerEntry
	switch ev.Action {
	case ticket.Waited:
		entry = storage.LedgerEntry{Step: sla.Waited, Reason: is.WaitsFor}
	case ticket.Woken:
		entry.Step = sla.Woken
	case ticket.Resolved:
		entry.Step = sla.Resolved
	case ticket.ReopenStep:
		entry.Step = sla.Reopened
	case ticket.Prioritised:
		if was.Priority != is.Priority {
			entry = t.rules.terms(is, sla.Changed, "priority is now "+is.Priority.String())
		}
	case ticket.Corrected:
		if was.Service != is.Service {
			entry = t.rules.terms(is, sla.Changed, "it is about "+t.rules.aboutName(is.Service)+" now")
		}
	case ticket.Moved:
		if was.Team != is.Team {
			entry = t.rules.terms(is, sla.Changed, t.rules.team(is.Team).Name+" has it now")
		}
	}
	if entry.Step != "" {
		entry.At = ev.At
		if err := t.enter(ctx, is, &s, entry); err != nil {
			return err
		}
	}
	if ev.Action == ticket.ReopenStep { // policies that came while it was done have passed it over
		change, err := t.changes(ctx, is, s)
		if err != nil {
			return err
		}
		if err := t.enter(ctx, is, &s, change...); err != nil {
			return err
		}
	}
	for i := range s.Breaches {
		b := &s.Breaches[i]
		switch {
		case b.TakenBy == 0 && is.Owner != 0 && ev.By != 0 && (ev.Action == ticket.Claimed || ev.Action == ticket.Assigned):
			b.TakenBy, b.TakenAt = is.Owner, &t.at
		case is.Owner == 0 && b.TakenBy != 0:
			b.TakenBy, b.TakenAt = 0, nil
		default:
			continue
		}
		if err := t.tx.SetBreach(ctx, *b); err != nil {
			return err
		}
	}
	return t.reckon(ctx, is, s)
}

// answered notes that a human being has answered the requester, for the first
// time since the ticket was opened. The message counts from when it was
// written: the platform may have been slow to deliver it.
func (t *turn) answered(ctx context.Context, tk ticket.Ticket) error {
	s, err := t.standing(ctx, tk)
	if err != nil || slices.ContainsFunc(s.Ledger, func(e storage.LedgerEntry) bool { return e.Step == sla.Replied }) {
		return err
	}
	at := t.at
	if !t.ev.At.IsZero() && t.ev.At.Before(at) {
		at = t.ev.At
	}
	if err := t.enter(ctx, tk, &s, storage.LedgerEntry{Step: sla.Replied, At: at}); err != nil {
		return err
	}
	if err := t.reckon(ctx, tk, s); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard, cards.StatusCard)
}

// standing is how the promises of a ticket stand. One that is older than
// promises are has a ledger begun for it.
func (t *turn) standing(ctx context.Context, tk ticket.Ticket) (storage.Standing, error) {
	all, err := t.tx.Standings(ctx, tk.ID)
	if err != nil {
		return storage.Standing{}, err
	}
	s := all[tk.ID]
	if len(s.Ledger) == 0 {
		err = t.enter(ctx, tk, &s, t.beginning(tk)...)
	}
	return s, err
}

// beginning starts the ledger of a ticket that was opened before anything was
// promised: what is promised now counts from now.
func (t *turn) beginning(tk ticket.Ticket) []storage.LedgerEntry {
	entries := []storage.LedgerEntry{{Step: sla.Opened, At: tk.OpenedAt, Policy: t.rules.id, Priority: tk.Priority, Team: tk.Team}}
	if tk.State == ticket.Waiting {
		entries = append(entries, storage.LedgerEntry{Step: sla.Waited, At: t.at, Reason: tk.WaitsFor})
	}
	now := t.rules.terms(tk, sla.Changed, "service levels are in force")
	now.At = t.at
	entries = append(entries, now)
	if tk.Owner != 0 || tk.State == ticket.Done {
		// Somebody has been at it for a while; a first answer is no more to be had.
		entries = slices.Insert(entries, 1, storage.LedgerEntry{Step: sla.Replied, At: tk.OpenedAt})
	}
	if tk.State == ticket.Done {
		entries = append(entries, storage.LedgerEntry{Step: sla.Resolved, At: t.at})
	}
	return entries
}

// enter adds entries to a ledger.
func (t *turn) enter(ctx context.Context, tk ticket.Ticket, s *storage.Standing, entries ...storage.LedgerEntry) error {
	extend(s, tk.ID, entries)
	return t.tx.AddEntries(ctx, entries...)
}

// extend is enter without storing them.
func extend(s *storage.Standing, id ticket.ID, entries []storage.LedgerEntry) {
	for i := range entries {
		entries[i].Ticket, entries[i].Seq = id, len(s.Ledger)+1
		// The record keeps microseconds, and so does the sum.
		entries[i].At = entries[i].At.Truncate(time.Microsecond)
		s.Ledger = append(s.Ledger, entries[i])
	}
}

// reckon sets a ticket's clocks as its ledger has them, ends what is not
// missed any more, and has what was told of it drawn again.
func (t *turn) reckon(ctx context.Context, tk ticket.Ticket, s storage.Standing) error {
	w, err := t.work(ctx, tk, s)
	if err != nil {
		return err
	}
	var moved []storage.Clock // most steps move none
	for _, c := range w.clocks {
		if was, had := s.Clock(c.Kind); !had || !was.Same(c) {
			moved = append(moved, c)
		}
	}
	if err := t.tx.SetClocks(ctx, moved...); err != nil {
		return err
	}
	return t.follow(ctx, tk, w)
}

// follow does what follows from how a ticket's clocks are set.
func (t *turn) follow(ctx context.Context, tk ticket.Ticket, w worked) error {
	for _, k := range w.gone {
		if err := t.tx.DropClock(ctx, tk.ID, k); err != nil {
			return err
		}
	}
	for _, b := range w.over {
		if err := t.tx.SetBreach(ctx, b); err != nil {
			return err
		}
	}
	for _, c := range w.clocks {
		t.soon(c.Look)
	}
	if !w.told {
		return nil
	}
	return t.tx.RedrawAlerts(ctx, tk.ID, t.at, cards.WarningCards...)
}

// replayed is what is promised of a ticket, and whose ladders are climbed.
type replayed struct {
	ledger sla.Ledger
	levels *policy.Levels
	slug   string
}

func (t *turn) replay(ctx context.Context, s storage.Standing) (l replayed, err error) {
	if l.ledger, err = t.tx.Replay(ctx, s.Ledger); err != nil {
		return l, err
	}
	slug, in := s.Level()
	l.slug, l.levels = slug, t.rules.levels
	if _, there := l.levels.Terms(slug); !there && slug != "" { // it is gone, and its clocks run on
		l.levels, err = t.tx.Levels(ctx, in)
	}
	return l, err
}

// worked is what the ledger of a ticket gives.
type worked struct {
	replayed
	sums []sla.Clock // one for each of clocks

	clocks []storage.Clock
	gone   []sla.Kind // of which nothing is promised any more
	over   []storage.Breach
	told   bool // somebody has been told something about it
}

// work computes a ticket's clocks from its ledger.
func (t *turn) work(ctx context.Context, tk ticket.Ticket, s storage.Standing) (worked, error) {
	l, err := t.replay(ctx, s)
	w := worked{replayed: l, sums: make([]sla.Clock, 0, len(clockKinds)), clocks: make([]storage.Clock, 0, len(clockKinds)), told: len(s.Breaches) > 0}
	if err != nil {
		return w, err
	}
	for _, k := range clockKinds {
		was, had := s.Clock(k)
		c, ok := l.ledger.Clock(k)
		if !ok {
			if had {
				w.gone = append(w.gone, k)
			}
			continue
		}
		w.sums = append(w.sums, c)
		is := storage.Clock{Ticket: tk.ID, Kind: k, Level: l.slug, State: c.State, Since: c.Since, Round: c.Round, Left: c.Left(c.Since)}
		if due, ok := c.Due(); ok {
			is.Due = &due
		}
		if had && was.Round == is.Round {
			is.Percent, is.Beyond = was.Percent, was.Beyond
		}
		w.told = w.told || had && was.Percent > 0
		_, is.Late = c.Breached(t.at)
		is.Late = is.Late && c.State == sla.Ended
		if at, _, ok := w.next(tk.Priority, c, is.Mark(), s.Taken(k, c.Round)); ok {
			is.Look = &at
		}
		w.clocks = append(w.clocks, is)
	}
	for _, b := range s.Breaches {
		if w.past(b, t.at) {
			b.Ended, b.EndedBy = &t.at, t.who.ID
			w.over = append(w.over, b)
		}
	}
	return w, nil
}

// of is the clock of the kind; false if nothing is promised.
func (w worked) of(k sla.Kind) (sla.Clock, bool) {
	i := slices.IndexFunc(w.clocks, func(c storage.Clock) bool { return c.Kind == k })
	if i < 0 {
		return sla.Clock{}, false
	}
	return w.sums[i], true
}

// past tells whether a promise that was missed is not missed any more.
func (w worked) past(b storage.Breach, now time.Time) bool {
	c, promised := w.of(b.Kind)
	_, late := c.Breached(now)
	return !promised || c.State == sla.Ended || c.Round != b.Round || !late
}

// next is the next mark of a clock's ladder, and when it is to be told. A clock
// that does not run tells nothing: who waits, or has answered, is not late.
func (l replayed) next(p ticket.Priority, c sla.Clock, after sla.Mark, taken bool) (time.Time, sla.Mark, bool) {
	if c.State != sla.Running {
		return time.Time{}, after, false
	}
	m, ok := l.levels.Ladder(l.slug).After(after)
	if !ok || m.Beyond > 0 && taken { // whoever took it stands for the rest of the line
		return time.Time{}, m, false
	}
	at, ok := c.At(m)
	if !ok {
		return time.Time{}, m, false
	}
	if at.Before(c.Began) {
		at = c.Began // it was late before it was reopened
	}
	return l.levels.Hold(p, at), m, true
}

// look is how far ahead other processes find by themselves what is due.
const look = 5 * time.Second

// soon notes that something is set that is due before the others look.
func (t *turn) soon(at *time.Time) {
	if at != nil && at.Sub(t.at) < look {
		t.desk.due.Store(true)
	}
}

// DueSoon tells whether anything was set since the last call that is due so
// soon that other processes have to be woken for it.
func (d *Desk) DueSoon() bool { return d.due.Swap(false) }

// DueChanged is the topic on which processes wake each other for it.
const DueChanged = "due"

// applied is how many tickets a policy is applied to in one transaction: so few
// that nobody who works on one of them notices. looked is how many are looked at
// for them: there may be very many that it does not concern.
const (
	applied = 400
	looked  = 40_000
)

// applyLevels puts the promises of the policy in force over the tickets that
// are open, a part of them at a time, in order of their ids.
func (t *turn) applyLevels(ctx context.Context, after ticket.ID) error {
	ids, after, more, err := t.concerned(ctx, after)
	if err != nil {
		return err
	}
	list, err := t.tx.LockOpen(ctx, ids)
	if err != nil {
		return err
	}
	all, err := t.tx.Standings(ctx, ids...)
	if err != nil {
		return err
	}
	var (
		entries []storage.LedgerEntry
		clocks  []storage.Clock
		changed []int64
	)
	for _, tk := range list {
		s := all[tk.ID]
		change, err := t.changes(ctx, tk, s)
		if err != nil {
			return err
		}
		extend(&s, tk.ID, change)
		w, err := t.work(ctx, tk, s)
		if err != nil {
			return err
		}
		if len(change) > 0 {
			if err := t.follow(ctx, tk, w); err != nil {
				return err
			}
			entries, clocks, changed = append(entries, change...), append(clocks, w.clocks...), append(changed, int64(tk.ID))
			continue
		}
		// The promise is the same, but who is told and when may not be.
		for _, c := range w.clocks {
			if was, ok := s.Clock(c.Kind); !ok || !storage.SameTime(was.Look, c.Look) {
				clocks = append(clocks, c)
				t.soon(c.Look)
			}
		}
	}
	if err := t.tx.AddEntries(ctx, entries...); err != nil {
		return err
	}
	if err := t.tx.SetClocks(ctx, clocks...); err != nil {
		return err
	}
	if err := t.tx.RedrawAll(ctx, changed, t.at, cards.TriageCard, cards.StatusCard); err != nil || !more {
		return err
	}
	return t.tx.SetDue(ctx, storage.LevelsApply, int64(after), t.at)
}

// concerned are the next open tickets for which the policy in force may change
// something, and after which ticket to go on if there are more. None is locked:
// whatever is done to a ticket from now on is done by the policy in force.
func (t *turn) concerned(ctx context.Context, after ticket.ID) (ids []ticket.ID, last ticket.ID, more bool, err error) {
	known := map[storage.OpenPromise]bool{}
	for n, limit := 0, applied; n < looked; limit = min(2*limit, looked/4) {
		list, err := t.tx.OpenPromises(ctx, after, limit)
		if err != nil {
			return nil, after, false, err
		}
		for _, p := range list {
			after, p.Ticket = p.Ticket, 0 // of those that are alike one is looked at
			concerns, had := known[p]
			if !had {
				if concerns, err = t.concerns(ctx, p); err != nil {
					return nil, after, false, err
				}
				known[p] = concerns
			}
			if !concerns {
				continue
			}
			if ids = append(ids, after); len(ids) == applied {
				return ids, after, true, nil
			}
		}
		if len(list) < limit {
			return ids, after, false, nil
		}
		n += len(list)
	}
	return ids, after, true, nil
}

// concerns tells whether the policy in force may promise something else to a
// ticket than was promised, or have other people told, or at other times.
func (t *turn) concerns(ctx context.Context, p storage.OpenPromise) (bool, error) {
	now := t.rules.levels
	if p.Policy == 0 {
		return true, nil
	}
	if p.Policy == t.rules.id || now.Kept(p.Level) {
		return false, nil
	}
	slug, _, _ := now.For(t.rules.subject(ticket.Ticket{Kind: p.Kind, Priority: p.Priority, Service: p.Service, Team: p.Team}))
	if slug != p.Level || slug == "" {
		return slug != p.Level, nil
	}
	// When to look at its clocks may follow from any policy since then.
	for id := p.Policy; id < t.rules.id; id++ {
		then, err := t.tx.Levels(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue // a number that no policy has got
		}
		if err != nil {
			return false, err
		}
		if !then.SameAlerts(slug, now) || id == p.Policy && !then.Same(slug, now) {
			return true, nil
		}
	}
	return false, nil
}

// changes are what the policy in force enters in a ticket's ledger.
func (t *turn) changes(ctx context.Context, tk ticket.Ticket, s storage.Standing) ([]storage.LedgerEntry, error) {
	if len(s.Ledger) == 0 {
		return t.beginning(tk), nil
	}
	slug, in := s.Level()
	if in == t.rules.id || t.rules.levels.Kept(slug) {
		return nil, nil
	}
	entry := t.rules.terms(tk, sla.Changed, "the policy has changed")
	if entry.Level == "" && slug == "" {
		return nil, nil
	}
	if entry.Level == slug {
		before, err := t.tx.Levels(ctx, in)
		if err != nil || before.Same(slug, t.rules.levels) {
			return nil, err
		}
	}
	entry.At = t.at
	return []storage.LedgerEntry{entry}, nil
}
