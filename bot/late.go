package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// why shows the sum behind a ticket's times to whoever asks.
func (t *turn) why(ctx context.Context) error {
	tk, err := t.tx.Ticket(ctx, ticket.ID(t.id("t")))
	if errors.Is(err, storage.ErrNotFound) || err == nil && !t.maySee(tk) {
		return t.private(ctx, "I know no such ticket of yours.")
	}
	if err != nil {
		return err
	}
	all, err := t.tx.Standings(ctx, tk.ID)
	if err != nil {
		return err
	}
	ledger, err := t.tx.Replay(ctx, all[tk.ID].Ledger)
	if err != nil {
		return err
	}
	var sums []cards.Sum
	for _, k := range clockKinds {
		if lines := sla.Explain(ledger, k, t.at, t.zone(t.who.Person)); len(lines) > 0 {
			sums = append(sums, cards.Sum{Kind: k, Lines: lines})
		}
	}
	return t.privately(ctx, cards.WhyCard(tk.Ref(), sums))
}

// breachOf is the breach that a button is about, and its ticket, locked.
func (t *turn) breachOf(ctx context.Context) (storage.Breach, ticket.Ticket, error) {
	tk, err := t.ticket(ctx)
	if err != nil {
		return storage.Breach{}, tk, err
	}
	b, err := t.tx.Breach(ctx, storage.BreachID(t.id("b")))
	if err == nil && b.Ticket != tk.ID {
		err = storage.ErrNotFound
	}
	return b, tk, orUnknown(err, "alert")
}

// takeBreach is "I take it": whoever presses it has the ticket, and nobody else
// in line is told.
func (t *turn) takeBreach(ctx context.Context) error {
	b, was, err := t.breachOf(ctx)
	if err != nil {
		return err
	}
	if !t.who.MayWork(was.Team) {
		return &ticket.RefusedError{Step: "take", Reason: "only " + t.rules.team(was.Team).Name + " can, and you are not in that team"}
	}
	if b.Ended != nil || b.TakenBy == t.who.ID {
		return t.tx.RedrawAlerts(ctx, was.ID, t.at, cards.WarningCards...)
	}
	if b.TakenBy != 0 {
		return &ticket.RefusedError{Step: "take", Reason: "somebody sees to it", Owner: b.TakenBy, Since: *b.TakenAt}
	}
	if was.Owner == t.who.ID { // it is hers, and now she says so
		b.TakenBy, b.TakenAt = t.who.ID, &t.at
		if err := t.tx.SetBreach(ctx, b); err != nil {
			return err
		}
		if err := t.tx.Audit(ctx, storage.Step{At: t.at, Action: "breach.taken", Person: t.who.ID, Via: t.via(), Subject: storage.OfTicket, SubjectID: int64(was.ID)}); err != nil {
			return err
		}
		s, err := t.standing(ctx, was)
		if err != nil {
			return err
		}
		return t.reckon(ctx, was, s)
	}
	is, ev, err := was.Claim(t.who.ID, t.at)
	if was.Owner != 0 {
		is, ev, err = was.Assign(t.who.ID, t.who.ID, t.at)
	}
	if err != nil {
		return err
	}
	b.TakenBy, b.TakenAt = 0, nil // of whoever had it; save enters the new one
	if err := t.tx.SetBreach(ctx, b); err != nil {
		return err
	}
	_, err = t.save(ctx, was, is, ev)
	return err
}

// tellBreach asks what the requester is to be told.
func (t *turn) tellBreach(ctx context.Context) error {
	b, tk, err := t.breachOf(ctx)
	if err != nil {
		return err
	}
	if !t.who.MayWork(tk.Team) {
		return &ticket.RefusedError{Step: "tell the requester of", Reason: "only " + t.rules.team(tk.Team).Name + " can, and you are not in that team"}
	}
	v, err := t.breachView(ctx, b)
	if err != nil {
		return err
	}
	f := cards.TellForm(v, "1h")
	t.answer.Form = &f
	return nil
}

func (t *turn) tellBreachSend(ctx context.Context) error {
	b, tk, err := t.breachOf(ctx)
	if err != nil {
		return err
	}
	if !t.who.MayWork(tk.Team) {
		return &ticket.RefusedError{Step: "tell the requester of", Reason: "only " + t.rules.team(tk.Team).Name + " can, and you are not in that team"}
	}
	within := policy.Duration(t.ev.Values.One("within")).Value()
	if within <= 0 || within > 80*time.Hour {
		t.answer.Errors = map[string]string{"within": "Please choose a time."}
		return nil
	}
	if t.tooLong("words", mostNote) {
		return nil
	}
	words := strings.TrimSpace(t.ev.Values.One("words"))
	if b.Ended != nil {
		return &ticket.RefusedError{Step: "tell the requester of", Reason: "it is not late any more"}
	}
	w, err := t.workOf(ctx, tk)
	if err != nil {
		return err
	}
	due := t.at.Add(within)
	if c, promised := w.of(b.Kind); promised {
		if at, ok := c.Target.Calendar.Add(t.at, within); ok {
			due = at
		}
	}
	if err := t.promiseAnew(ctx, tk, b, due, words); err != nil {
		return err
	}
	if words == "" {
		return nil
	}
	if err := t.tell(ctx, tk, storage.RequesterSide, t.who.Person, words); err != nil {
		return err
	}
	return t.answered(ctx, tk)
}

func (t *turn) workOf(ctx context.Context, tk ticket.Ticket) (worked, error) {
	s, err := t.standing(ctx, tk)
	if err != nil {
		return worked{}, err
	}
	return t.work(ctx, tk, s)
}

// promiseAnew tells the requester of a new time, in the card that she has or in
// a new one.
func (t *turn) promiseAnew(ctx context.Context, tk ticket.Ticket, b storage.Breach, due time.Time, words string) error {
	first := b.Told == nil
	b.Told, b.NewDue = &t.at, &due
	if err := t.tx.SetBreach(ctx, b); err != nil {
		return err
	}
	if err := t.tx.Audit(ctx, storage.Step{At: t.at, Action: "requester.told", Person: t.who.ID, Via: t.via(), Subject: storage.OfTicket, SubjectID: int64(tk.ID),
		After: map[string]any{"due": due}, Note: words}); err != nil {
		return err
	}
	if err := t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard, cards.StatusCard); err != nil {
		return err
	}
	if err := t.tx.Redraw(ctx, int64(b.ID), t.at, cards.BreachCard, cards.LateCard); err != nil || !first {
		return err
	}
	return t.eachThread(ctx, tk, storage.RequesterSide, func(th storage.Thread) error {
		return t.card(ctx, th, cards.LateCard, int64(b.ID), false)
	})
}

// apologise tells the requester that it is late before she asks, and the new
// time: half as much again as was promised, in open time from now, rounded up to
// a quarter of an hour.
func (t *turn) apologise(ctx context.Context, id storage.BreachID) error {
	b, err := t.tx.Breach(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	tk, err := t.tx.TicketForUpdate(ctx, b.Ticket)
	if err != nil {
		return ignoreMissing(err)
	}
	if b, err = t.tx.Breach(ctx, id); err != nil || b.Told != nil || b.Ended != nil {
		return err
	}
	w, err := t.workOf(ctx, tk)
	if err != nil {
		return err
	}
	c, promised := w.of(b.Kind)
	if !promised {
		return nil
	}
	target := c.Target
	due, ok := target.Calendar.Add(t.at, max(target.Within/2, 15*time.Minute))
	if !ok {
		due = t.at.Add(target.Within)
	}
	const quarter = 15 * time.Minute
	if r := due.Truncate(quarter); r.Before(due) {
		due = r.Add(quarter)
	}
	return t.promiseAnew(ctx, tk, b, due, "")
}

// pressBreach passes a requester's wish for somebody higher up on to the lead.
func (t *turn) pressBreach(ctx context.Context) error {
	b, tk, err := t.breachOf(ctx)
	if err != nil {
		return err
	}
	if t.who.ID != tk.Requester && t.who.ID != tk.Author {
		return &ticket.RefusedError{Step: "escalate", Reason: "it is for its requester to do"}
	}
	if b.Ended != nil || b.Pressed != nil {
		return t.tx.Redraw(ctx, int64(b.ID), t.at, cards.BreachCard, cards.LateCard)
	}
	b.Pressed = &t.at
	if err := t.tx.SetBreach(ctx, b); err != nil {
		return err
	}
	if err := t.tx.Audit(ctx, storage.Step{At: t.at, Action: "escalated", Person: t.who.ID, Via: t.via(), Subject: storage.OfTicket, SubjectID: int64(tk.ID)}); err != nil {
		return err
	}
	text := t.who.Name + " asks for somebody higher up: " + tk.Ref() + " “" + tk.Title + "” is late."
	lead := t.rules.team(tk.Team).Lead
	accounts, err := t.tx.Accounts(ctx, lead)
	if err != nil {
		return err
	}
	if lead != 0 && len(accounts) > 0 {
		err = t.direct(ctx, lead, cards.Say(text))
	} else {
		err = t.eachThread(ctx, tk, storage.TeamSide, func(th storage.Thread) error { return t.sayIn(ctx, th, cards.Say(text)) })
	}
	if err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(b.ID), t.at, cards.BreachCard, cards.LateCard)
}

// countsOn is when the card of a breach is to say anew by how much it is late,
// as long as it is.
func (t *turn) countsOn(b storage.Breach) time.Time {
	return t.at.Add(recount(t.at.Sub(b.Noticed)))
}

// recount is how soon a card that says how long something has lasted says so
// anew: ever more seldom.
func recount(lasted time.Duration) time.Duration {
	wait := 5 * time.Minute
	for _, step := range []time.Duration{10 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour} {
		if lasted >= 2*step {
			wait = step
		}
	}
	return wait
}

func (t *turn) countBreach(ctx context.Context, id storage.BreachID) error {
	b, err := t.tx.Breach(ctx, id)
	if err != nil || b.Ended != nil {
		return ignoreMissing(err)
	}
	if err := t.tx.Redraw(ctx, int64(id), t.at, cards.BreachCard); err != nil {
		return err
	}
	return t.tx.SetDue(ctx, breachCount, int64(b.ID), t.countsOn(b))
}

// sayLate tells the admins that alerts were late.
func (t *turn) sayLate(ctx context.Context) error {
	n, worst, err := t.tx.LateSince(ctx, t.at.Add(-time.Hour), storage.LateAlert)
	if err != nil || n == 0 {
		return err
	}
	text := fmt.Sprintf("I was late myself: in the last hour %d alerts went out more than %s after they were due, the worst %s.", n, ago(storage.LateAlert), ago(worst))
	if n == 1 {
		text = fmt.Sprintf("I was late myself: in the last hour an alert went out %s after it was due.", ago(worst))
	}
	a, there, err := t.tx.OutageAt(ctx, t.at.Add(-time.Hour-worst))
	if err != nil {
		return err
	}
	if there {
		text += " The reason: " + a.Why + " for " + sla.Words(a.Until.Sub(a.From).Round(time.Minute)) + "."
	}
	var book addresses
	if err := t.lookUp(ctx, []news{{levels: t.rules.levels}}, &book); err != nil {
		return err
	}
	for _, a := range book.admins {
		if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: a.Platform, Workspace: a.Workspace, User: a.UserID,
			Body: body{Card: cards.Say(text)}.bytes()}, storage.LaneReply, t.at); err != nil {
			return err
		}
	}
	return nil
}

// clockViews are a ticket's clocks as its cards show them.
func (t *turn) clockViews(clocks []storage.Clock, newDue map[sla.Kind]time.Time) []cards.ClockView {
	var all []cards.ClockView
	for _, c := range clocks {
		v := cards.ClockView{Kind: c.Kind, State: c.State, Left: c.Left, Late: c.Late, NewDue: newDue[c.Kind]}
		if c.Due != nil {
			v.Due = *c.Due
			v.Late = v.Late || c.State != sla.Ended && !c.Due.After(t.at)
		}
		all = append(all, v)
	}
	return all
}

// breachView is a breach as it now stands.
func (t *turn) breachView(ctx context.Context, b storage.Breach) (cards.BreachView, error) {
	v, err := t.clockView(ctx, b.Ticket, b.Kind)
	if err != nil {
		return v, err
	}
	v.Breach, v.Over, v.Passed = int64(b.ID), b.Ended != nil, b.Pressed != nil
	if b.NewDue != nil {
		v.Clock.NewDue = *b.NewDue
	}
	who, err := t.tx.People(ctx, b.TakenBy, b.EndedBy)
	if err != nil {
		return v, err
	}
	v.By = who[b.EndedBy]
	if b.TakenBy != 0 {
		v.Taken, v.Since = who[b.TakenBy], *b.TakenAt
	}
	return v, nil
}

// clockView is a clock of a ticket as it now stands.
func (t *turn) clockView(ctx context.Context, id ticket.ID, k sla.Kind) (cards.BreachView, error) {
	view, err := t.view(ctx, id)
	if err != nil {
		return cards.BreachView{}, err
	}
	v := cards.BreachView{TicketView: view, Clock: cards.ClockView{Kind: k, State: sla.Ended}}
	for _, c := range view.Clocks {
		if c.Kind == k {
			v.Clock = c
		}
	}
	all, err := t.tx.Standings(ctx, id)
	if err != nil {
		return v, err
	}
	ledger, err := t.tx.Replay(ctx, all[id].Ledger)
	if err != nil {
		return v, err
	}
	if c, ok := ledger.Clock(k); ok {
		v.Late, _ = c.Breached(t.at)
	}
	return v, nil
}

// breachCard draws what stands in a place of a breach.
func (t *turn) breachCard(ctx context.Context, p storage.Post) (chat.Card, error) {
	b, err := t.tx.Breach(ctx, storage.BreachID(p.Subject))
	if err != nil {
		return chat.Card{}, err
	}
	v, err := t.breachView(ctx, b)
	if err != nil {
		return chat.Card{}, err
	}
	if p.Card == cards.LateCard {
		return cards.Late(v), nil
	}
	if p.User == "" && b.Ended == nil && b.TakenBy == 0 {
		if v.Tell, err = t.calls(ctx, v.Ticket, b, p); err != nil {
			return chat.Card{}, err
		}
	}
	v.Told, err = t.toldLate(ctx, p)
	return cards.Breach(v), err
}

// calls are those whom the card of a breach calls where others read it too:
// whom the ladder names, whoever has the ticket or else leads the team, and
// whoever answers for the service. Out of hours it is whoever is on call.
func (t *turn) calls(ctx context.Context, tk ticket.Ticket, b storage.Breach, p storage.Post) ([]chat.Span, error) {
	all, err := t.tx.Standings(ctx, tk.ID)
	if err != nil {
		return nil, err
	}
	clock, ok := all[tk.ID].Clock(b.Kind)
	if !ok {
		return nil, nil
	}
	n, list := &news{ticket: tk, levels: t.rules.levels}, []policy.Recipient{policy.Lead}
	if tk.Owner != 0 {
		list[0] = policy.Owner
	}
	list = append(list, policy.ServiceOwner)
	list = append(list, n.levels.Ladder(clock.Level).Rung(sla.Mark{Percent: clock.Percent}).Thread...)
	if who := t.rules.onCall(tk, n.levels, b.Noticed); who != "" {
		list = []policy.Recipient{who}
	}
	return t.mentions(ctx, n, list, p.Platform, p.Workspace)
}

// warningCard draws what tells of a clock that runs out; nothing if there is no
// need any more and it has not been sent.
func (t *turn) warningCard(ctx context.Context, p storage.Post) (chat.Card, error) {
	k := sla.Kind(strings.TrimPrefix(p.Card, "warning."))
	v, err := t.clockView(ctx, ticket.ID(p.Subject), k)
	if err != nil {
		return chat.Card{}, err
	}
	if p.SentAt == nil && v.Clock.State != sla.Running {
		return chat.Card{}, storage.ErrNotFound
	}
	all, err := t.tx.Standings(ctx, v.Ticket.ID)
	if err != nil {
		return chat.Card{}, err
	}
	s := all[v.Ticket.ID]
	if clock, ok := s.Clock(k); ok && p.User == "" {
		n := &news{ticket: v.Ticket, levels: t.rules.levels}
		list := t.rules.levels.Ladder(clock.Level).Rung(clock.Mark()).Thread
		if who := t.rules.onCall(v.Ticket, n.levels, p.CreatedAt); who != "" {
			list = []policy.Recipient{who}
		}
		if v.Tell, err = t.mentions(ctx, n, list, p.Platform, p.Workspace); err != nil {
			return chat.Card{}, err
		}
	}
	v.Told, err = t.toldLate(ctx, p)
	return cards.Warn(v), err
}

// toldLate says by how much an alert is told late, and why; nothing if it is
// not.
func (t *turn) toldLate(ctx context.Context, p storage.Post) (string, error) {
	due, why, err := t.tx.ToldLate(ctx, p.ID)
	if err != nil {
		return "", ignoreMissing(err)
	}
	at := t.at
	if p.SentAt != nil {
		at = *p.SentAt
	}
	by := at.Sub(due)
	if by < excused {
		return "", nil
	}
	if why == "" {
		why = "it could not be delivered at once"
	}
	return fmt.Sprintf("Told %s late: %s.", ago(by), why), nil
}

// deskStatus is how the desk itself does, for those who work with it.
func (t *turn) deskStatus(ctx context.Context) (chat.Card, error) {
	path, err := t.tx.AlertPath(ctx, t.at.AddDate(0, 0, -7))
	if err != nil {
		return chat.Card{}, err
	}
	n, err := t.tx.ClockCounts(ctx)
	if err != nil {
		return chat.Card{}, err
	}
	lines := []string{fmt.Sprintf("Clocks: %d running, %d paused. Promises missed and not made good: %d.", n.Running, n.Paused, n.Late)}
	switch {
	case path.Told == 0:
		lines = append(lines, "No alert has gone out this week.")
	default:
		lines = append(lines, fmt.Sprintf("Alerts this week: %d. From the moment that one was due until it was taken: half within %s, 99 %% within %s, the worst %s.",
			path.Told, short(path.Half), short(path.Most), short(path.Worst)))
	}
	if path.Waiting > 0 {
		lines = append(lines, fmt.Sprintf("On their way: %d.", path.Waiting))
	}
	var onCall []string
	for _, team := range t.rules.teams {
		if mail := t.rules.levels.OnCallAt(team.Slug, t.at); mail != "" {
			onCall = append(onCall, team.Name+": "+mail)
		}
	}
	slices.Sort(onCall)
	if len(onCall) > 0 {
		lines = append(lines, "On call: "+strings.Join(onCall, ", ")+".")
	}
	if t.rules.levels.Quiet(t.at) {
		lines = append(lines, "It is outside the hours of alerts: what is not urgent waits until they begin.")
	}
	c := chat.Card{Text: strings.Join(lines, " ")}
	var items []chat.Rich
	for _, l := range lines {
		items = append(items, chat.T(l))
	}
	c.Blocks = []chat.Block{chat.Section{Text: chat.B("How the desk does")}, chat.List{Items: items}}
	return c, nil
}

// short is a length of time for a table: 0.4 s, 12 s, 4 min.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return sla.Words(d.Truncate(time.Minute))
}
