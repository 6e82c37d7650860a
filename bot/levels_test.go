package bot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// lab is a desk with a team in a channel, and a clock that is turned by hand.
type lab struct {
	*Desk
	t        *testing.T
	ahead    atomic.Int64
	n        atomic.Int64
	ana, ben chat.User
	who      map[chat.User]people.PersonID
}

var began = time.Date(2026, time.November, 2, 8, 0, 0, 0, time.UTC) // a Monday

// promising is what the lab's desk promises: an answer in one hour, a fix in
// four; critical tickets in half of that, and only in the mornings.
func promising() policy.Policy {
	waits := []ticket.Reason{ticket.ForRequester, ticket.ForSupplier}
	return policy.Policy{
		Desk:   policy.Desk{TimeZone: "UTC", Admins: []string{"ada@acme.example"}},
		People: []policy.Person{{Mail: "ana@acme.example", Name: "Ana"}, {Mail: "ben@acme.example", Name: "Ben"}, {Mail: "ada@acme.example", Name: "Ada"}},
		Teams: []policy.Team{{Slug: "desk", Name: "Desk", Tier: 1, Channel: policy.Channels{"slack": "triage"}, Lead: "ada@acme.example", Members: []string{"ben@acme.example"}},
			{Slug: "net", Name: "Network", Tier: 1, Lead: "ada@acme.example", Members: []string{"ben@acme.example"}}},
		Services:  []policy.Service{{Slug: "other", Name: "Other", Incidents: "desk", Requests: "desk"}, {Slug: "lan", Name: "LAN", Incidents: "net", Requests: "desk"}},
		Calendars: []policy.Calendar{{Slug: "mornings", Name: "Mornings", TimeZone: "Australia/Lord_Howe", Open: policy.Week{"daily": {"06:00-12:00"}}}},
		Levels: []policy.ServiceLevel{
			{Slug: "critical", Name: "Critical", For: policy.Tickets{Priorities: []ticket.Priority{ticket.Critical}}, Calendar: "mornings",
				Response: policy.Target{Within: "30m"}, Resolution: policy.Target{Within: "2h", Pauses: waits}},
			{Slug: "rest", Name: "Standard", Calendar: policy.Always, Response: policy.Target{Within: "1h"}, Resolution: policy.Target{Within: "4h", Pauses: waits}},
			{Slug: "lan", Name: "LAN", For: policy.Tickets{Services: []string{"lan"}, Priorities: []ticket.Priority{2, 3, 4}}, Calendar: policy.Always, Response: policy.Target{Within: "30m"}, Resolution: policy.Target{Within: "3h", Pauses: waits}},
		},
	}.WithDefaults()
}

func newLab(t *testing.T, p policy.Policy) *lab {
	t.Helper()
	l := &lab{t: t, who: map[chat.User]people.PersonID{}}
	db := pgtest.New(t)
	index, err := kb.Open(kb.Options{Dir: filepath.Join(t.TempDir(), "index")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = index.Close() })
	l.Desk, err = New(Options{DB: db, Index: index, Now: func() time.Time { return began.Add(time.Duration(l.ahead.Load())) },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l.apply(p)
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		for _, name := range []string{"ana", "ben", "ada"} {
			u := chat.User{Platform: "slack", Workspace: "T1", ID: "U" + name}
			id, err := tx.LinkAccount(ctx, storage.Account{Platform: "slack", Workspace: "T1", UserID: u.ID, Name: name}, name+"@acme.example", "", false, l.now())
			if err != nil {
				return err
			}
			l.who[u] = id
		}
		_, err := tx.Exec(ctx, `update desk_channels set workspace = 'T1', channel = 'C' || id`)
		return err
	})
	l.ana, l.ben = chat.User{Platform: "slack", Workspace: "T1", ID: "Uana"}, chat.User{Platform: "slack", Workspace: "T1", ID: "Uben"}
	l.forget()
	return l
}

func (l *lab) apply(p policy.Policy) {
	l.t.Helper()
	if found := p.Check(); len(found) > 0 {
		l.t.Fatal(found)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(ctx, p, "test", l.now())
		return err
	})
	l.forget()
}

func (l *lab) pass(d time.Duration) { l.ahead.Add(int64(d)) }

func (l *lab) in(do func(context.Context, *storage.Tx) error) {
	l.t.Helper()
	if err := l.db.InTx(l.t.Context(), func(tx *storage.Tx) error { return do(l.t.Context(), tx) }); err != nil {
		l.t.Fatal(err)
	}
}

// open opens a ticket of Ana's.
func (l *lab) open() ticket.ID {
	l.t.Helper()
	var id ticket.ID
	n := l.n.Add(1)
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		t, err := l.turn(ctx, tx, chat.Event{By: l.ana, Place: chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}, Scope: chat.Direct})
		if err != nil {
			return err
		}
		th, err := tx.OpenThread(ctx, storage.Thread{Platform: "slack", Workspace: "T1", Channel: "D1", User: l.ana.ID, Root: fmt.Sprint("q", n),
			Scope: string(chat.Direct), Side: string(storage.RequesterSide)})
		if err != nil {
			return err
		}
		tk, guess := t.quick("it hums", l.who[l.ana], l.who[l.ana])
		tk, err = t.openTicket(ctx, tk, guess, false, th, false, nil, storage.WentTicket)
		if err != nil {
			return err
		}
		id = tk.ID
		_, err = tx.Exec(ctx, `update threads set root = 'r' || ticket_id where ticket_id = $1 and side = 'team'`, id)
		return err
	})
	return id
}

// event is something that somebody does to a ticket.
func (l *lab) event(by chat.User, kind chat.Kind, id ticket.ID, action string, values chat.Values) chat.Event {
	n := l.n.Add(1)
	return chat.Event{Key: fmt.Sprint("k", n), At: l.now(), Kind: kind, By: by, Scope: chat.Open, Action: action, Values: values, Message: fmt.Sprint("m", n),
		Args: chat.Args{"t": fmt.Sprint(int64(id))}, Place: chat.Place{Platform: "slack", Workspace: "T1", Channel: "C1", Thread: fmt.Sprint("r", int64(id))}}
}

func (l *lab) says(id ticket.ID) chat.Event {
	ev := l.event(l.ben, chat.Said, id, "", nil)
	ev.Text = "Which one is it?"
	return ev
}

func (l *lab) waits(id ticket.ID) chat.Event {
	return l.event(l.ben, chat.Submitted, id, cards.Wait, chat.Values{"reason": {string(ticket.ForSupplier)}, "note": {fmt.Sprint(l.n.Load())}})
}

func (l *lab) resolves(id ticket.ID) chat.Event {
	return l.event(l.ben, chat.Submitted, id, cards.Resolve, chat.Values{"resolution": {"Turned it off."}})
}

func (l *lab) handle(ev chat.Event) (chat.Answer, error) {
	var a chat.Answer
	err := l.db.InTx(l.t.Context(), func(tx *storage.Tx) (err error) {
		a, err = l.Handle(l.t.Context(), tx, ev)
		return err
	})
	return a, err
}

func (l *lab) does(ev chat.Event) {
	l.t.Helper()
	if _, err := l.handle(ev); err != nil {
		l.t.Fatalf("%s %s: %v", ev.Kind, ev.Action, err)
	}
}

// look sees to the clocks of all tickets that are due.
func (l *lab) look() error {
	ids, _, err := l.db.DueClocks(l.t.Context(), l.now(), 1000)
	if err != nil || len(ids) == 0 {
		return err
	}
	if err := l.db.InTx(l.t.Context(), func(tx *storage.Tx) error { return l.Clocks(l.t.Context(), tx, ids) }); err != nil {
		return err
	}
	untold, err := l.db.UntoldAlerts(l.t.Context(), l.now(), 1000)
	if err != nil || len(untold) == 0 {
		return err
	}
	return l.db.InTx(l.t.Context(), func(tx *storage.Tx) error { return l.Tell(l.t.Context(), tx, untold) })
}

func (l *lab) count(sql string, args ...any) (n int) {
	l.t.Helper()
	if err := l.db.Pool().QueryRow(l.t.Context(), sql, args...).Scan(&n); err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// A reply, a pause, a resolution or a claim that is on record before the alert
// stops it; one that comes after it finds that it has been told. Each is tried
// against the alert many times, at the same moment.
func TestWhatIsDoneInTimeStopsTheAlert(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		until time.Duration // when the alert is due
		step  func(*lab, ticket.ID) chat.Event
		clock sla.Kind
		audit string
	}{
		{"a reply", time.Hour, (*lab).says, sla.Response, "said"},
		{"a resolution", time.Hour, (*lab).resolves, sla.Response, "resolved"},
		{"a pause", 4 * time.Hour, (*lab).waits, sla.Resolution, "waiting"},
		{"a claim, the next in line", 2 * time.Hour, func(l *lab, id ticket.ID) chat.Event {
			return l.event(l.ben, chat.Pressed, id, cards.Claim, nil)
		}, sla.Response, "claimed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, promising())
			const rounds = 40
			before, after := 0, 0
			for range rounds {
				id := l.open()
				l.pass(tt.until - time.Second)
				if err := l.look(); err != nil { // what was due before
					t.Fatal(err)
				}
				had := l.count(`select count(*) from alerts where ticket_id = $1 and kind = $2`, id, string(tt.clock))
				l.pass(2 * time.Second)
				ev := tt.step(l, id)
				var both sync.WaitGroup
				var told, done error
				both.Go(func() {
					time.Sleep(rand.N(3 * time.Millisecond))
					told = l.look()
				})
				both.Go(func() {
					time.Sleep(rand.N(2 * time.Millisecond))
					_, done = l.handle(ev)
				})
				both.Wait()
				if told != nil || done != nil {
					t.Fatalf("the alert: %v; the step: %v", told, done)
				}
				alerts := l.count(`select count(*) from alerts where ticket_id = $1 and kind = $2`, id, string(tt.clock)) - had
				// Both have locked the ticket, so their entries are in the order of their commits.
				first := l.count(`select count(*) from audit a where subject = 'ticket' and subject_id = $1 and action = 'alerted' and after->>'clock' = $2
					and (after->>'due')::timestamptz > $3
					and id < (select max(id) from audit where subject = 'ticket' and subject_id = $1 and action = $4)`,
					id, string(tt.clock), l.now().Add(-2*time.Second), tt.audit)
				if alerts != first {
					t.Fatalf("%d alerts, and %d of them before the step: an alert must not come after it", alerts, first)
				}
				if alerts == 0 {
					before++
				} else {
					after++
				}
				if err := l.look(); err != nil {
					t.Fatal(err)
				}
				if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = $2`, id, string(tt.clock)) - had; n != alerts {
					t.Fatalf("%d alerts at the next look, %d before: what was done did not stop it", n, alerts)
				}
				if l.count(`select count(*) from tickets where id = $1 and state <> 'done'`, id) == 1 {
					l.does(l.resolves(id)) // it is not in the way of the next round
				}
			}
			t.Logf("%d times the step was first, %d times the alert", before, after)
		})
	}
}

// Whatever happens to a ticket, and whatever policies come and go, its clocks on
// record are what a replay of its ledger gives, and nothing is told twice.
func TestClocksAreWhatTheLedgerGives(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	rapid.Check(t, func(rt *rapid.T) {
		id := l.open()
		steps := rapid.SliceOfN(rapid.IntRange(0, 11), 3, 14).Draw(rt, "steps")
		for _, step := range steps {
			l.pass(time.Duration(rapid.IntRange(0, 5400).Draw(rt, "seconds")) * time.Second)
			var ev chat.Event
			switch step {
			case 0:
				ev = l.says(id)
			case 1:
				ev = l.waits(id)
			case 2:
				ev = l.event(l.ben, chat.Pressed, id, cards.Wake, nil)
			case 3:
				ev = l.resolves(id)
			case 4:
				ev = l.event(l.ana, chat.Submitted, id, cards.No, chat.Values{"why": {"It hums again."}})
			case 5, 6:
				impact, urgency := ticket.OnlyMe, ticket.Today
				if step == 6 {
					impact, urgency = ticket.Customers, ticket.Now
				}
				ev = l.event(l.ben, chat.Submitted, id, cards.Priority, chat.Values{"impact": {string(impact)}, "urgency": {string(urgency)}, "why": {"so"}, "priority": {"0"}})
			case 7:
				ev = l.event(l.ben, chat.Pressed, id, cards.Claim, nil)
			case 8:
				p := promising()
				p.Levels[1].Resolution.Within = policy.Duration(fmt.Sprintf("%dm", rapid.IntRange(30, 600).Draw(rt, "minutes")))
				l.apply(p)
				l.pass(storage.PolicySeen)
				for _, d := range dueNow(l) {
					l.in(func(ctx context.Context, tx *storage.Tx) error { return l.Due(ctx, tx, d.Kind, d.Subject, d.At) })
				}
			case 9, 10:
				ev = l.event(l.ben, chat.Submitted, id, cards.Correct, chat.Values{"service": {[]string{"other", "lan"}[step-9]}})
			case 11:
				if err := l.look(); err != nil {
					rt.Fatal(err)
				}
			}
			if ev.Key != "" {
				if _, err := l.handle(ev); err != nil {
					rt.Fatalf("%s %s: %v", ev.Kind, ev.Action, err)
				}
			}
			agree(rt, l, id)
		}
		l.pass(24 * time.Hour)
		if err := l.look(); err != nil {
			rt.Fatal(err)
		}
		agree(rt, l, id)
		if _, err := l.handle(l.resolves(id)); err != nil {
			rt.Fatal(err)
		}
	})
}

func dueNow(l *lab) []storage.Due {
	due, _, err := l.db.AllDue(l.t.Context(), l.now(), 100)
	if err != nil {
		l.t.Fatal(err)
	}
	var all []storage.Due
	for _, d := range due {
		if d.Kind == storage.LevelsApply {
			all = append(all, d)
		}
	}
	return all
}

// agree compares a ticket's clocks on record with its ledger, read anew.
func agree(rt *rapid.T, l *lab, id ticket.ID) {
	ctx := context.Background()
	if err := l.db.View(ctx, func(tx *storage.Tx) error {
		all, err := tx.Standings(ctx, id)
		if err != nil {
			return err
		}
		s := all[id]
		ledger, err := tx.Replay(ctx, s.Ledger)
		if err != nil {
			return err
		}
		for _, k := range clockKinds {
			c, ok := ledger.Clock(k)
			is, had := s.Clock(k)
			if ok != had {
				rt.Fatalf("the %s clock: on record %v, promised %v", k, had, ok)
			}
			due, known := c.Due()
			switch {
			case is.State != c.State, is.Round != c.Round, (is.Due != nil) != known:
				rt.Fatalf("the %s clock on record is %+v, the ledger gives %s, round %d, due %v (%v)", k, is, c.State, c.Round, due, known)
			case known && !is.Due.Equal(due.Truncate(time.Microsecond)):
				rt.Fatalf("the %s clock on record is due %v, the ledger gives %v", k, is.Due, due)
			case is.Look != nil && c.State != sla.Running:
				rt.Fatalf("the %s clock is %s, and it is to be looked at", k, c.State)
			}
		}
		return nil
	}); err != nil {
		rt.Fatal(err)
	}
}

// What came into force while a ticket was resolved holds for it once it is
// reopened, also if its own service level is gone.
func TestAReopenedTicketIsUnderThePolicyInForce(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.does(l.resolves(id))
	p := promising()
	p.Levels[1].Slug, p.Levels[1].Resolution.Within = "others", "10h"
	l.apply(p)
	l.pass(storage.PolicySeen)
	for _, d := range dueNow(l) {
		l.in(func(ctx context.Context, tx *storage.Tx) error { return l.Due(ctx, tx, d.Kind, d.Subject, d.At) })
	}
	l.does(l.event(l.ana, chat.Submitted, id, cards.No, chat.Values{"why": {"It hums again."}}))
	if n := l.count(`select count(*) from clocks where ticket_id = $1 and kind = 'resolution' and state = 'running' and level = 'others'
		and left_ns = 10 * 3600 * 1e9`, id); n != 1 {
		t.Error("it is promised what was promised before the policy changed")
	}
}

// wakeful is promising with hours of alerts, and somebody on call.
func wakeful() policy.Policy {
	p := promising()
	p.Calendars = append(p.Calendars, policy.Calendar{Slug: "office", Name: "Office", TimeZone: "Europe/Berlin", Open: policy.Week{"mon-fri": {"09:00-17:00"}}})
	p.Levels[0].Calendar = policy.Always
	p.Alerts = policy.Alerts{Hours: "office", AnyTime: []ticket.Priority{ticket.Critical}}
	p.Teams[0].OnCall = []string{"ben@acme.example"}
	return p
}

// posts are the newest posts of a kind of card, by where they go.
func (l *lab) posts(card string) map[string]int {
	l.t.Helper()
	rows, err := l.db.Pool().Query(l.t.Context(), `select coalesce(nullif(user_id, ''), channel), count(*) from posts where card = $1 group by 1`, card)
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]int{}
	for rows.Next() {
		var to string
		var n int
		if err := rows.Scan(&to, &n); err != nil {
			l.t.Fatal(err)
		}
		all[to] = n
	}
	return all
}

func (l *lab) mustLook() {
	l.t.Helper()
	if err := l.look(); err != nil {
		l.t.Fatal(err)
	}
}

// At night alerts wait for the morning, but for what can't: that goes to whoever
// is on call.
func TestQuietHours(t *testing.T) {
	t.Parallel()
	l := newLab(t, wakeful())
	l.pass(10 * time.Hour) // seven in the evening in Berlin
	calm, urgent := l.open(), l.open()
	l.does(l.event(l.ben, chat.Submitted, urgent, cards.Priority,
		chat.Values{"impact": {string(ticket.Customers)}, "urgency": {string(ticket.Now)}, "why": {"the shop is shut"}, "priority": {"0"}}))
	l.pass(70 * time.Minute)
	l.mustLook()
	told := func(id ticket.ID) int {
		return l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and outcome = 'told'`, id)
	}
	if told(calm) != 0 || told(urgent) != 1 {
		t.Errorf("at night %d alerts about what can wait and %d about what can't, want 0 and 1", told(calm), told(urgent))
	}
	if got := l.posts(cards.BreachCard); got["C1"] != 1 {
		t.Errorf("cards at night: %v, want one in the channel", got)
	}
	if got := l.posts(cards.BreachCard); got["Uben"] != 1 || got["Uada"] != 0 {
		t.Errorf("cards at night: %v, want one for Ben, who is on call, and none for the lead", got)
	}
	l.pass(40 * time.Minute) // and if Ben sleeps?
	l.mustLook()
	if got := l.posts(cards.BreachCard); got["Uben"] != 1 || got["Uada"] != 1 {
		t.Errorf("cards at night: %v, want another for the lead, who is next in line", got)
	}
	look := began.AddDate(0, 0, 1) // nine o'clock in Berlin
	if n := l.count(`select count(*) from clocks where ticket_id = $1 and kind = 'response' and look_at = $2`, calm, look); n != 1 {
		t.Errorf("what can wait is not to be looked at when the office opens")
	}
	l.pass(look.Sub(l.now()))
	l.mustLook()
	if told(calm) != 1 {
		t.Errorf("in the morning %d alerts, want 1", told(calm))
	}
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and late <> '' and due_at = $2`, calm, look); n != 0 {
		t.Error("what was held back for the night is not late")
	}
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and outcome = 'overtaken' and percent < 100`, calm); n != 2 {
		t.Errorf("%d warnings were overtaken by the night, want both, on record", n)
	}
}

// What fell due while nobody was there is told on return, once, with how late it
// is and why.
func TestAfterAnOutage(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	looked := func(first bool) {
		l.in(func(ctx context.Context, tx *storage.Tx) error {
			return tx.Looked(ctx, l.now(), first, time.Minute, "I was not running")
		})
	}
	looked(true)
	id := l.open()
	l.pass(10 * time.Minute)
	looked(false)
	l.pass(90 * time.Minute)
	looked(true) // another process has been started
	l.mustLook()
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and percent = 100 and late = 'I was not running for 1 h 30 min'
		and at - due_at = interval '40 minutes'`, id); n != 1 {
		t.Errorf("%d alerts that say how long nobody was there, want 1", n)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		var post storage.PostID
		if err := tx.QueryRow(ctx, `select post_id from tellings where ticket_id = $1 and place like 'channel %'`, id).Scan(&post); err != nil {
			return err
		}
		drawn, err := l.draw(ctx, tx, storage.Draft{Post: storage.Post{ID: post, Kind: "message", Platform: "slack", Workspace: "T1", Channel: "C1", Card: cards.BreachCard,
			Subject: int64(l.count(`select id from breaches`))}}, storage.CardFacts{})
		if err != nil {
			return err
		}
		if want := "Told 40 minutes late: I was not running for 1 h 30 min."; !says(drawn.Card, want) {
			t.Errorf("the card is %+v, want it to say %q", drawn.Card, want)
		}
		return nil
	})
}

func says(c chat.Card, words string) bool {
	for _, b := range c.Blocks {
		if n, ok := b.(chat.Note); ok && n.Text.Plain() == words {
			return true
		}
	}
	return false
}

// The desk tells its admins when it was late itself, in one message.
func TestTheDeskSaysThatItWasLate(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	for range 3 {
		l.open()
	}
	l.pass(61 * time.Minute)
	l.mustLook()
	if _, err := l.db.Pool().Exec(t.Context(), `update tellings set accepted_at = due_at + interval '5 minutes'`); err != nil {
		t.Fatal(err)
	}
	l.pass(5 * time.Minute)
	l.in(func(ctx context.Context, tx *storage.Tx) error { return l.Due(ctx, tx, storage.AlertsLate, 0, l.now()) })
	if n := l.count(`select count(*) from posts where user_id = 'Uada' and body::text like '%I was late myself: in the last hour 3 alerts%the worst 5 minutes%'`); n != 1 {
		t.Errorf("%d messages to the admin, want 1", n)
	}
}
