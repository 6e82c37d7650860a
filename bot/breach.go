package bot

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// excused is how late an alert may be without a word about why.
const excused = 15 * time.Second

// mostAtOnce is how many alerts are told in the transaction that puts them on
// record. Of more, all are on record before the first is told.
const mostAtOnce = 10

// Clocks sees to those of the tickets' clocks that are due, all in one
// transaction: what was done before it began stops an alert, and who comes
// later finds that it is on record.
func (d *Desk) Clocks(ctx context.Context, tx *storage.Tx, ids []ticket.ID) error {
	t, err := d.byItself(ctx, tx)
	if err != nil {
		return err
	}
	locked, err := tx.LockDue(ctx, t.at, ids)
	if err != nil || len(locked) == 0 {
		return err
	}
	ids = ids[:0:0]
	for _, u := range locked {
		ids = append(ids, u.Ticket)
	}
	// Read after the lock: who had it before has finished.
	standings, err := tx.Standings(ctx, ids...)
	if err != nil {
		return err
	}
	alerts, clocks := make([]storage.Alert, 0, len(locked)), make([]storage.Clock, 0, len(locked))
	for _, u := range locked {
		if err := t.climb(ctx, u, standings[u.Ticket], &alerts, &clocks); err != nil {
			return err
		}
	}
	if err := tx.ClimbClocks(ctx, clocks...); err != nil {
		return err
	}
	last := 0
	for _, a := range alerts {
		if !a.Overtaken {
			last++
		}
	}
	if last > mostAtOnce {
		for i := range alerts {
			if !alerts[i].Overtaken {
				alerts[i].Tell = &t.at
			}
		}
		return tx.PutAlerts(ctx, alerts)
	}
	if err := tx.AddAlerts(ctx, alerts); err != nil || len(alerts) == 0 {
		return err
	}
	tickets, err := tx.Tickets(ctx, ids)
	if err != nil {
		return err
	}
	return t.tellAll(ctx, alerts, tickets, standings)
}

// Tell tells the alerts that are still to be told, the most urgent first.
func (d *Desk) Tell(ctx context.Context, tx *storage.Tx, ids []int64) error {
	t, err := d.byItself(ctx, tx)
	if err != nil {
		return err
	}
	alerts, tickets, err := tx.LockUntold(ctx, t.at, ids)
	if err != nil || len(alerts) == 0 {
		return err
	}
	standings, err := tx.Standings(ctx, ticketIDs(tickets)...)
	if err != nil {
		return err
	}
	if err := t.tellAll(ctx, alerts, tickets, standings); err != nil {
		return err
	}
	ids = ids[:0:0]
	for _, a := range alerts { // the others are locked, and come again
		ids = append(ids, a.ID)
	}
	return tx.AlertsTold(ctx, ids)
}

// byItself is a turn in which the desk acts by itself, so that there is no
// account to answer.
func (d *Desk) byItself(ctx context.Context, tx *storage.Tx) (*turn, error) {
	r, err := d.rulesIn(ctx, tx)
	return &turn{desk: d, tx: tx, rules: r, at: d.now(), ev: chat.Event{By: chat.User{Platform: "desk"}}}, err
}

func ticketIDs(tickets []ticket.Ticket) []ticket.ID {
	ids := make([]ticket.ID, len(tickets))
	for i, tk := range tickets {
		ids[i] = tk.ID
	}
	return ids
}

// climb goes up the ladders of those of a ticket's clocks that are due, as far
// as they have come, and adds the alerts, and the clocks as they then are.
func (t *turn) climb(ctx context.Context, u storage.Urgent, s storage.Standing, alerts *[]storage.Alert, clocks *[]storage.Clock) error {
	l, err := t.replay(ctx, s)
	if err != nil {
		return err
	}
	for _, is := range s.Clocks {
		if is.Look == nil || is.Look.After(t.at) {
			continue
		}
		is.Look = nil
		c, promised := l.ledger.Clock(is.Kind)
		reached := storage.Alert{Ticket: is.Ticket, Kind: is.Kind, Round: is.Round, At: t.at}
		for promised {
			due, m, ok := l.next(u.Priority, c, is.Mark(), s.Taken(is.Kind, is.Round))
			if !ok {
				break
			}
			if due.After(t.at) {
				is.Look = &due
				break
			}
			if !reached.Due.IsZero() { // only the last is told
				before := reached
				before.Overtaken, before.Overtook = true, nil
				*alerts = append(*alerts, before)
				reached.Overtook = append(reached.Overtook, before.Mark.Percent)
			}
			reached.Mark, reached.Due = m, due
			is.Percent, is.Beyond = m.Percent, m.Beyond
		}
		*clocks = append(*clocks, is)
		if reached.Due.IsZero() {
			continue
		}
		if reached.Late, err = t.whyLate(ctx, reached.Due); err != nil {
			return err
		}
		*alerts = append(*alerts, reached)
	}
	return nil
}

// news is an alert that is to be told.
type news struct {
	alert  storage.Alert
	ticket ticket.Ticket
	rung   policy.Step
	// Beyond the last step: who stands in line, and whose turn it is.
	line   []policy.Recipient
	turn   int
	breach *storage.Breach // nil: a warning
	stands []string        // places in which the card of the breach stands already
	levels *policy.Levels
}

// newsOf is what is to be told of alerts, the most urgent first. What was missed
// is put on record, ended if it was made good meanwhile.
func (t *turn) newsOf(ctx context.Context, alerts []storage.Alert, tickets []ticket.Ticket, standings map[ticket.ID]storage.Standing) ([]news, error) {
	type round struct {
		ticket ticket.ID
		kind   sla.Kind
		round  int
	}
	breaches := map[round]*storage.Breach{}
	byID := make(map[ticket.ID]ticket.Ticket, len(tickets))
	for _, tk := range tickets {
		byID[tk.ID] = tk
	}
	var (
		all    []news
		opened []*storage.Breach
		known  []storage.BreachID
	)
	for _, a := range alerts {
		if a.ID == 0 || a.Overtaken { // somebody else has told it, or a later one tells it
			continue
		}
		tk, s := byID[a.Ticket], standings[a.Ticket]
		w, err := t.work(ctx, tk, s)
		if err != nil {
			return nil, err
		}
		ladder := w.levels.Ladder(w.slug)
		n := news{alert: a, ticket: tk, levels: w.levels, rung: ladder.Rung(a.Mark)}
		if every := ladder.Every.Value(); a.Mark.Beyond > 0 && every > 0 {
			n.line, n.turn = ladder.Line, int(a.Mark.Beyond/every)-1
		}
		for _, p := range a.Overtook { // what an earlier one was to begin begins
			r := ladder.Rung(sla.Mark{Percent: p})
			n.rung.Channel, n.rung.Requester = n.rung.Channel || r.Channel, n.rung.Requester || r.Requester
		}
		if a.Mark.Percent >= 100 {
			key := round{a.Ticket, a.Kind, a.Round}
			if n.breach = breaches[key]; n.breach == nil {
				n.breach = &storage.Breach{Ticket: a.Ticket, Kind: a.Kind, Round: a.Round, Due: a.Due, Noticed: a.At}
				breaches[key] = n.breach
				if i := slices.IndexFunc(s.Breaches, func(b storage.Breach) bool { return b.Kind == a.Kind && b.Round == a.Round }); i >= 0 {
					*n.breach = s.Breaches[i]
					known = append(known, n.breach.ID)
				} else {
					if c, ok := s.Clock(a.Kind); ok && c.Round == a.Round && c.Due != nil {
						n.breach.Due = *c.Due
					}
					if w.past(*n.breach, t.at) {
						n.breach.Ended = &t.at
					}
					opened = append(opened, n.breach)
				}
			}
		}
		all = append(all, n)
	}
	more, err := t.tx.OpenBreaches(ctx, opened)
	if err != nil {
		return nil, err
	}
	if known = append(known, more...); len(known) > 0 {
		stands, err := t.tx.BreachPlaces(ctx, known)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if b := all[i].breach; b != nil {
				all[i].stands = stands[b.ID]
			}
		}
	}
	slices.SortStableFunc(all, func(x, y news) int {
		return cmp.Or(cmp.Compare(x.ticket.Priority, y.ticket.Priority), x.alert.Due.Compare(y.alert.Due))
	})
	return all, nil
}

// whyLate says why an alert is seen to late; nothing if it is not.
func (t *turn) whyLate(ctx context.Context, due time.Time) (string, error) {
	if t.at.Sub(due) < excused {
		return "", nil
	}
	if t.unseen == nil { // one answer serves for all that are seen to together
		a, there, err := t.tx.OutageAt(ctx, due)
		if err != nil {
			return "", err
		}
		t.unseen = &a
		if !there {
			t.unseen = &storage.Outage{}
		}
	}
	if t.unseen.Why == "" || !t.unseen.Until.After(due) {
		return "I was busy, or my clock was set", nil
	}
	return t.unseen.Why + " for " + sla.Words(t.unseen.Until.Sub(t.unseen.From).Round(time.Minute)), nil
}

// told is one alert for one place.
type told struct {
	news  *news
	place string // names it
	post  storage.Post
}

// tellAll tells the right people, and many things at once as one.
func (t *turn) tellAll(ctx context.Context, alerts []storage.Alert, tickets []ticket.Ticket, standings map[ticket.ID]storage.Standing) error {
	list, err := t.newsOf(ctx, alerts, tickets, standings)
	if err != nil || len(list) == 0 {
		return err
	}
	var all []told
	book := addresses{by: map[string]address{}}
	if err := t.lookUp(ctx, list, &book); err != nil {
		return err
	}
	for i := range list {
		places, err := t.places(ctx, &list[i], &book)
		if err != nil {
			return err
		}
		all = append(all, places...)
	}
	if err := t.aftermath(ctx, list); err != nil {
		return err
	}
	return t.deliver(ctx, all)
}

// aftermath is what follows alerts besides telling the team.
func (t *turn) aftermath(ctx context.Context, list []news) error {
	var (
		steps []storage.Step
		drawn []int64
		due   []storage.Due
	)
	for _, n := range list {
		note := "time is running out"
		if n.breach != nil {
			note = "too late"
		}
		if n.alert.Late != "" {
			note += "; told late: " + n.alert.Late
		}
		steps = append(steps, storage.Step{At: t.at, Action: "alerted", Via: "desk", Subject: storage.OfTicket, SubjectID: int64(n.ticket.ID),
			After: map[string]any{"clock": string(n.alert.Kind), "percent": n.alert.Mark.Percent, "due": n.alert.Due}, Note: note})
		if n.breach == nil {
			continue
		}
		drawn = append(drawn, int64(n.ticket.ID))
		due = append(due, storage.Due{Kind: breachCount, Subject: int64(n.breach.ID), At: t.countsOn(*n.breach)})
		if n.rung.Requester && n.breach.Told == nil {
			// In a transaction of its own: the team is not to wait for it, and of many
			// breaches at once all are claimed before the first requester hears of hers.
			due = append(due, storage.Due{Kind: breachApology, Subject: int64(n.breach.ID), At: t.at})
		}
	}
	if err := t.tx.AuditAll(ctx, steps); err != nil {
		return err
	}
	if err := t.tx.RedrawAll(ctx, drawn, t.at, cards.TriageCard, cards.StatusCard); err != nil {
		return err
	}
	return t.tx.SetAllDue(ctx, due)
}

// places are where an alert is told.
func (t *turn) places(ctx context.Context, n *news, book *addresses) ([]told, error) {
	card, subject := cards.Warning(n.alert.Kind), int64(n.ticket.ID)
	if n.breach != nil {
		card, subject = cards.BreachCard, int64(n.breach.ID)
	}
	var list []told
	add := func(place string, p storage.Post) {
		if !slices.ContainsFunc(list, func(x told) bool { return x.place == place }) {
			p.Kind, p.Card, p.Subject = string(chat.Message), card, subject
			list = append(list, told{n, place, p})
		}
	}
	thread, channel := len(n.rung.Thread) > 0, n.rung.Channel
	direct := n.rung.Direct
	if n.alert.Mark.Beyond > 0 {
		direct = t.nextInLine(n, book)
	} else if who := t.rules.onCall(n.ticket, n.levels, t.at); who != "" {
		direct = []policy.Recipient{who}
	}
	for _, r := range direct {
		who, ok := book.find(t.key(n, r))
		switch {
		case !ok:
		case who.account.UserID == "":
			thread = true // she has never been here: the team is told instead
		default:
			a := who.account
			add("person "+a.Platform+" "+a.Workspace+" "+a.UserID, storage.Post{Platform: a.Platform, Workspace: a.Workspace, User: a.UserID})
		}
	}
	if channel {
		chosen := t.rules.alertChannels(n.ticket)
		for _, c := range chosen {
			place := "channel " + c.Platform + " " + c.Workspace + " " + c.Channel
			if !slices.Contains(n.stands, place) {
				add(place, storage.Post{Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel})
			}
		}
		thread = thread || len(chosen) == 0
	}
	if thread || len(list) == 0 {
		if err := t.eachThread(ctx, n.ticket, storage.TeamSide, func(th storage.Thread) error {
			place := "channel " + th.Platform + " " + th.Workspace + " " + th.Channel
			if len(n.rung.Thread) > 0 || !slices.Contains(n.stands, place) {
				add(place, storage.Post{Platform: th.Platform, Workspace: th.Workspace, Thread: th.ID})
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 && len(n.stands) == 0 { // there is neither channel nor anybody to tell: the admins are left
		for _, who := range book.admins {
			add("person "+who.Platform+" "+who.Workspace+" "+who.UserID, storage.Post{Platform: who.Platform, Workspace: who.Workspace, User: who.UserID})
		}
	}
	return list, nil
}
