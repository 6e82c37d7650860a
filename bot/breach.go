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

// news is an alert that is to be told.
type news struct {
	alert  int // index among the alerts of the transaction
	ticket ticket.Ticket
	kind   sla.Kind
	rung   policy.Step
	line   bool // it is for the next in line, long after a step
	due    time.Time
	breach storage.Breach // zero for a warning
	fresh  bool           // the breach was opened this moment
	levels *policy.Levels
}

// Clocks sees to those of the tickets' clocks that are due, all in one
// transaction: what was done before it began stops an alert, and who comes
// later finds that it has been told.
func (d *Desk) Clocks(ctx context.Context, tx *storage.Tx, ids []ticket.ID) error {
	r, err := d.rulesIn(ctx, tx)
	if err != nil {
		return err
	}
	t := &turn{desk: d, tx: tx, rules: r, at: d.now(), ev: chat.Event{By: chat.User{Platform: "desk"}}}
	locked, err := tx.LockDue(ctx, t.at, ids)
	if err != nil || len(locked) == 0 {
		return err
	}
	ids = ids[:0:0]
	for _, tk := range locked {
		ids = append(ids, tk.ID)
	}
	// Read after the lock: who had it before has finished.
	standings, err := tx.Standings(ctx, ids...)
	if err != nil {
		return err
	}
	var (
		b      batch
		clocks []storage.Clock
	)
	for _, tk := range locked {
		more, err := t.climb(ctx, tk, standings[tk.ID], &b)
		if err != nil {
			return err
		}
		clocks = append(clocks, more...)
	}
	if err := tx.AddAlerts(ctx, b.alerts); err != nil {
		return err
	}
	if err := tx.SetClocks(ctx, clocks...); err != nil {
		return err
	}
	return t.tellAll(ctx, b)
}

// batch is what is to be told of several tickets.
type batch struct {
	alerts []storage.Alert
	news   []news
}

// climb goes up the ladders of a ticket's clocks as far as they have come, and
// returns the clocks as they then are.
func (t *turn) climb(ctx context.Context, tk ticket.Ticket, s storage.Standing, b *batch) ([]storage.Clock, error) {
	w, err := t.work(ctx, tk, s)
	if err != nil {
		return nil, err
	}
	for i := range w.clocks {
		is := &w.clocks[i]
		if is.Look == nil || is.Look.After(t.at) {
			continue
		}
		c, ladder := w.by[is.Kind], w.levels.Ladder(w.slug)
		var reached []storage.Alert
		var rung policy.Step
		for {
			at, m, ok := w.mark(c, is.Mark(), s.Taken(is.Kind, is.Round))
			due := w.levels.Hold(tk.Priority, at)
			if !ok || due.After(t.at) {
				break
			}
			reached = append(reached, storage.Alert{Ticket: tk.ID, Kind: is.Kind, Round: is.Round, Mark: m, Due: due, At: t.at, Overtaken: true})
			is.Percent, is.Beyond = m.Percent, m.Beyond
			next := ladder.Rung(m)
			// Only the last is told, but what an earlier one was to begin begins.
			next.Channel, next.Requester = next.Channel || rung.Channel, next.Requester || rung.Requester
			rung = next
		}
		is.Look = nil
		if at, ok := w.next(tk, c, is.Mark(), s.Taken(is.Kind, is.Round)); ok {
			is.Look = &at
		}
		if len(reached) == 0 {
			continue
		}
		last := &reached[len(reached)-1]
		last.Overtaken = false
		if last.Late, err = t.whyLate(ctx, last.Due); err != nil {
			return nil, err
		}
		n := news{alert: len(b.alerts) + len(reached) - 1, ticket: tk, kind: is.Kind, rung: rung, line: is.Beyond > 0, due: last.Due, levels: w.levels}
		if is.Percent >= 100 {
			if n.breach, n.fresh, err = t.breach(ctx, tk, c, is.Due, s); err != nil {
				return nil, err
			}
		}
		b.alerts, b.news = append(b.alerts, reached...), append(b.news, n)
	}
	return w.clocks, nil
}

// breach is the record of a promise that has just been missed, or of one that
// was missed before.
func (t *turn) breach(ctx context.Context, tk ticket.Ticket, c sla.Clock, due *time.Time, s storage.Standing) (_ storage.Breach, fresh bool, err error) {
	for _, b := range s.Breaches {
		if b.Kind == c.Kind && b.Round == c.Round {
			return b, false, nil
		}
	}
	b := storage.Breach{Ticket: tk.ID, Kind: c.Kind, Round: c.Round, Due: t.at, Noticed: t.at}
	if due != nil {
		b.Due = *due
	}
	b, err = t.tx.OpenBreach(ctx, b)
	// One that was over may have been found: it was noticed before.
	return b, b.Noticed.Equal(t.at.Truncate(time.Microsecond)), err
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
func (t *turn) tellAll(ctx context.Context, b batch) error {
	b.news = slices.DeleteFunc(b.news, func(n news) bool { return b.alerts[n.alert].ID == 0 }) // somebody else has told it
	slices.SortStableFunc(b.news, func(x, y news) int {
		return cmp.Or(cmp.Compare(x.ticket.Priority, y.ticket.Priority), x.due.Compare(y.due))
	})
	var all []told
	book := addresses{by: map[string]address{}}
	if err := t.lookUp(ctx, b.news, &book); err != nil {
		return err
	}
	for i := range b.news {
		n := &b.news[i]
		list, err := t.places(ctx, n, &book)
		if err != nil {
			return err
		}
		all = append(all, list...)
		if err := t.aftermath(ctx, n, b.alerts[n.alert]); err != nil {
			return err
		}
	}
	return t.deliver(ctx, b, all)
}

// aftermath is what follows an alert besides telling the team.
func (t *turn) aftermath(ctx context.Context, n *news, a storage.Alert) error {
	note := "time is running out"
	if n.breach.ID != 0 {
		note = "too late"
	}
	if a.Late != "" {
		note += "; told late: " + a.Late
	}
	if err := t.tx.Audit(ctx, storage.Step{At: t.at, Action: "alerted", Via: "desk", Subject: storage.OfTicket, SubjectID: int64(n.ticket.ID),
		After: map[string]any{"clock": string(n.kind), "percent": a.Mark.Percent, "due": a.Due}, Note: note}); err != nil {
		return err
	}
	if n.breach.ID == 0 {
		return nil
	}
	if err := t.tx.Redraw(ctx, int64(n.ticket.ID), t.at, cards.TriageCard, cards.StatusCard); err != nil {
		return err
	}
	if err := t.countOn(ctx, n.breach); err != nil {
		return err
	}
	if n.rung.Requester && n.breach.Told == nil {
		// In a transaction of its own: the team is not to wait for it, and of many
		// breaches at once all are claimed before the first requester hears of hers.
		return t.tx.SetDue(ctx, breachApology, int64(n.breach.ID), t.at)
	}
	return nil
}

// places are where an alert is told.
func (t *turn) places(ctx context.Context, n *news, book *addresses) ([]told, error) {
	card, subject := cards.Warning(n.kind), int64(n.ticket.ID)
	if n.breach.ID != 0 {
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
	if !n.line && n.levels.Quiet(t.at) && n.levels.OnCallAt(t.rules.team(n.ticket.Team).Slug, t.at) != "" {
		direct = []policy.Recipient{policy.OnCall}
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
			if n.breach.ID != 0 && !n.fresh {
				if there, err := t.tx.BreachPosted(ctx, n.breach.ID, place); err != nil || there {
					if err != nil {
						return nil, err
					}
					continue
				}
			}
			add(place, storage.Post{Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel})
		}
		thread = thread || len(chosen) == 0
	}
	if thread || len(list) == 0 {
		if err := t.eachThread(ctx, n.ticket, storage.TeamSide, func(th storage.Thread) error {
			add("channel "+th.Platform+" "+th.Workspace+" "+th.Channel, storage.Post{Platform: th.Platform, Workspace: th.Workspace, Thread: th.ID})
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 { // there is neither channel nor anybody to tell: the admins are left
		for _, who := range book.admins {
			add("person "+who.Platform+" "+who.Workspace+" "+who.UserID, storage.Post{Platform: who.Platform, Workspace: who.Workspace, User: who.UserID})
		}
	}
	return list, nil
}

// When many alerts fall due for one place within stormTime, those that are not
// urgent beyond the first few share one message, which takes in more of them as
// long as it is not older than digestTime.
const (
	stormTime  = 5 * time.Minute
	digestTime = 30 * time.Minute
	mostOwn    = 5
	mostUrgent = 10
)

// deliver queues what is told in each place: in messages of their own or, if
// it is much, in one.
func (t *turn) deliver(ctx context.Context, b batch, all []told) error {
	if len(all) == 0 {
		return nil
	}
	names := make([]string, len(all))
	for i, x := range all {
		names[i] = x.place
	}
	busy, err := t.tx.LockPlaces(ctx, names, t.at.Add(-stormTime))
	if err != nil {
		return err
	}
	wanted := map[string]int{}
	for _, x := range all {
		wanted[x.place]++
	}
	tellings := make([]storage.Telling, 0, len(all))
	joined := map[storage.DigestID]storage.PostID{}
	for _, x := range all {
		p := busy[x.place]
		if p.Digest != nil && t.at.Sub(p.Digest.Opened) > digestTime {
			if err := t.tx.CloseDigest(ctx, p.Digest.ID, t.at); err != nil {
				return err
			}
			p.Digest = nil
		}
		telling := storage.Telling{Alert: b.alerts[x.news.alert].ID, Ticket: x.news.ticket.ID, Place: x.place, Due: x.news.due, At: t.at}
		storm := p.Digest != nil || p.Lately+wanted[x.place] > mostOwn
		urgent := x.news.ticket.Priority == ticket.Critical && p.Lately < mostUrgent
		if storm && !urgent {
			if p.Digest == nil {
				if p.Digest, err = t.newDigest(ctx, x); err != nil {
					return err
				}
			}
			joined[p.Digest.ID] = p.Digest.Post
			telling.Digest, telling.Post = p.Digest.ID, p.Digest.Post
		} else {
			if telling.Post, err = t.tx.Post(ctx, x.post, storage.LaneBreach, t.at); err != nil {
				return err
			}
			p.Lately++
			wanted[x.place]--
		}
		busy[x.place] = p
		tellings = append(tellings, telling)
	}
	for id, post := range joined {
		if err := t.tx.JoinDigest(ctx, id, t.at); err != nil {
			return err
		}
		if err := t.tx.RedrawPost(ctx, post, storage.LaneBreach, t.at); err != nil {
			return err
		}
	}
	return t.tx.AddTellings(ctx, tellings)
}

// newDigest opens the one message that stands for many in a place.
func (t *turn) newDigest(ctx context.Context, x told) (*storage.Digest, error) {
	d, err := t.tx.StartDigest(ctx, x.place, t.at)
	if err != nil {
		return nil, err
	}
	p := x.post
	if p.Thread != 0 { // a digest is about more than the thread's ticket
		th, err := t.tx.Thread(ctx, p.Thread)
		if err != nil {
			return nil, err
		}
		p.Thread, p.Channel = 0, th.Channel
	}
	p.Card, p.Subject = cards.DigestCard, int64(d.ID)
	d.Post, err = t.tx.Post(ctx, p, storage.LaneBreach, t.at)
	return &d, err
}
