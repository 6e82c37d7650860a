package bot

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// changing is promising with a service whose changes are announced in its own
// channel, and one for all others.
func changing() policy.Policy {
	p := promising()
	p.Services = append(p.Services, policy.Service{Slug: "mail", Name: "Mail", Incidents: "desk", Requests: "desk", Channel: policy.Channels{"slack": "mailers"}})
	p.Changes.Channel = policy.Channels{"slack": "#changes"}
	return p
}

// scheduled is an approved change of Ben's on items with these names.
func (l *lab) scheduled(from time.Time, service string, items ...string) change.Change {
	l.t.Helper()
	var c change.Change
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		t, err := l.turn(ctx, tx, chat.Event{By: l.ben})
		if err != nil {
			return err
		}
		g, err := t.graph(ctx)
		if err != nil {
			return err
		}
		c = change.Change{Kind: change.Standard, Rule: "r", Title: "A new disk", Why: "w", Plan: "p", Rollback: "r", Service: service, From: from, To: from.Add(2 * time.Hour), Takes: time.Hour,
			Requester: t.who.ID, Implementer: t.who.ID, State: change.Draft, Risk: change.Low, Because: "so"}
		for _, key := range items {
			it, _ := g.ByKey(key)
			c.Items = append(c.Items, it.ID)
		}
		if c, err = tx.OpenChange(ctx, c, change.Event{Action: change.Raised, By: t.who.ID, At: t.at}, "test"); err != nil {
			return err
		}
		if err := t.schedule(ctx, c, c, "Rule"); err != nil {
			return err
		}
		c, err = tx.Change(ctx, c.ID)
		return err
	})
	return c
}

// run is what a process does with what is due; it may crash before the commit.
func (l *lab) run(ctx context.Context, crash bool) error {
	all, _, err := l.db.AllDue(ctx, l.now(), 50)
	if err != nil {
		return err
	}
	for _, d := range all {
		err := l.db.InTx(ctx, func(tx *storage.Tx) error {
			if err := tx.TakeDue(ctx, d, l.now()); err != nil {
				return err
			}
			if err := l.Due(ctx, tx, d.Kind, d.Subject, d.At); err != nil {
				return err
			}
			if err := tx.SettleDue(ctx, d); err != nil {
				return err
			}
			if crash {
				return errors.New("crash")
			}
			return nil
		})
		if err != nil && !errors.Is(err, storage.ErrNotFound) && !crash {
			return err
		}
	}
	return nil
}

// round is what four processes do, which crash half of the time, and one that
// does not.
func (l *lab) round() {
	l.t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 3 {
				if err := l.run(l.t.Context(), rand.N(2) == 0); err != nil {
					l.t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := l.run(l.t.Context(), false); err != nil {
		l.t.Error(err)
	}
}

func (l *lab) number(query string, args ...any) (n int) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx *storage.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&n) })
	return n
}

func (l *lab) imports(rows ...cmdb.Row) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		known, err := tx.KnownItems(ctx)
		if err != nil {
			return err
		}
		plan := cmdb.Compare(rows, known)
		if len(plan.Problems) > 0 {
			l.t.Fatal(plan.Problems)
		}
		return tx.ImportItems(ctx, plan, "test", l.now())
	})
}

// However many processes see to it, and whatever crashes, those whom a change
// affects are told once, where they are, and not before it is time.
func TestAChangeIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, changing())
	l.imports(cmdb.Row{Line: 1, Key: "post", Name: "Mail", Type: cmdb.Service, Service: "mail", Users: -1, Downtime: -1, Relations: map[cmdb.Kind][]string{cmdb.DependsOn: {"mx-1"}}},
		cmdb.Row{Line: 2, Key: "mx-1", Type: cmdb.Server, Users: -1, Downtime: -1}, cmdb.Row{Line: 3, Key: "lab-1", Type: cmdb.Server, Users: -1, Downtime: -1})
	mail := l.scheduled(l.now().Add(30*time.Hour), "", "mx-1")
	lone := l.scheduled(l.now().Add(30*time.Hour), "", "lab-1")
	const told = `select count(*) from announcements`
	l.round()
	if n := l.number(told); n != 0 {
		t.Errorf("%d were told thirty hours before", n)
	}
	l.pass(6*time.Hour + time.Minute)
	l.round()
	for name, tt := range map[string]struct {
		c    change.Change
		want string
	}{"of the service that stands on it": {mail, "mailers"}, "of no service": {lone, "changes"}} {
		if n := l.number(`select count(*) from posts p join desk_channels d on d.channel = p.channel where p.card = 'announce' and p.subject = $1 and d.name = $2`, tt.c.ID, tt.want); n != 1 {
			t.Errorf("one %s was told %d times in #%s", name, n, tt.want)
		}
	}
	if n := l.number(told); n != 2 {
		t.Errorf("%d were told", n)
	}
	// It is moved: the same message says so, and nobody is told again.
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		t, err := l.turn(ctx, tx, chat.Event{By: l.ben})
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from outbox`); err != nil {
			return err
		}
		moved := mail
		moved.From, moved.To = mail.From.Add(48*time.Hour), mail.To.Add(48*time.Hour)
		return t.schedule(ctx, mail, moved, "Rule")
	})
	if n := l.number(`select count(*) from outbox o join posts p on p.id = o.post_id where p.card = 'announce'`); n != 1 {
		t.Errorf("%d announcements are drawn anew", n)
	}
	if n := l.number(`select count(*) from due where kind in ($1, $2) and subject = $3 and due_at > $4`, changeNotice, changeWindow, mail.ID, l.now().Add(40*time.Hour)); n != 2 {
		t.Errorf("%d of its two times have moved along", n)
	}
	l.pass(60 * time.Hour)
	l.round()
	if n := l.number(told); n != 2 {
		t.Errorf("%d were told after it was moved", n)
	}
}

func TestWhatAnIncidentCosts(t *testing.T) {
	t.Parallel()
	l := newLab(t, changing())
	l.imports(cmdb.Row{Line: 1, Key: "post", Name: "Mail", Type: cmdb.Service, Service: "mail", Users: -1, Downtime: 9000, Relations: map[cmdb.Kind][]string{cmdb.DependsOn: {"mx-1"}}},
		cmdb.Row{Line: 2, Key: "mx-1", Type: cmdb.Server, Service: "mail", Users: -1, Downtime: 100})
	got := map[string]int64{}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		t, err := l.turn(ctx, tx, chat.Event{By: l.ben})
		if err != nil {
			return err
		}
		g, err := t.graph(ctx)
		if err != nil {
			return err
		}
		mx, _ := g.ByKey("mx-1")
		for name, tt := range map[string]struct {
			tk    ticket.Ticket
			about []cmdb.Item
		}{
			"of an item, with what stands on it":    {ticket.Ticket{Kind: ticket.Incident, Impact: ticket.OnlyMe}, []cmdb.Item{mx}},
			"of a service, at a site":               {ticket.Ticket{Kind: ticket.Incident, Service: "mail", Impact: ticket.MySite}, nil},
			"of a service, for one person":          {ticket.Ticket{Kind: ticket.Incident, Service: "mail", Impact: ticket.OnlyMe}, nil},
			"of a service that costs nothing":       {ticket.Ticket{Kind: ticket.Incident, Service: "other", Impact: ticket.Customers}, nil},
			"of a request, whatever it is about":    {ticket.Ticket{Kind: ticket.Request, Service: "mail", Impact: ticket.Customers}, []cmdb.Item{mx}},
			"of nothing that anybody has a word of": {ticket.Ticket{Kind: ticket.Incident, Impact: ticket.Customers}, nil},
		} {
			if got[name], err = t.cost(ctx, tt.tk, tt.about, impactOf(g, tt.about)); err != nil {
				return err
			}
		}
		return nil
	})
	want := map[string]int64{"of an item, with what stands on it": 9100, "of a service, at a site": 9000, "of a service, for one person": 0,
		"of a service that costs nothing": 0, "of a request, whatever it is about": 0, "of nothing that anybody has a word of": 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("an hour costs (-want +got):\n%s", diff)
	}
}

// Each month in which something was done is reported on once, also when nobody
// was there on its morning.
func TestEachMonthIsReportedOnce(t *testing.T) {
	t.Parallel()
	p := changing()
	p.Changes.Report = policy.Channels{"slack": "triage"}
	l := newLab(t, p)
	for _, ended := range []time.Time{began, began.AddDate(0, 2, 0)} { // in November and in January
		c := l.scheduled(began.Add(time.Hour), "")
		l.in(func(ctx context.Context, tx *storage.Tx) error {
			_, err := tx.Exec(ctx, `update changes set state = 'done', outcome = 'worked', started_at = $2, ended_at = $2 where id = $1`, c.ID, ended)
			return err
		})
	}
	reports := func(of string) int {
		return l.number(`select count(*) from posts where body::text like '%Changes of ' || $1 || ': 1 of 1 worked%'`, of)
	}
	l.pass(27 * 24 * time.Hour) // the 29th of November
	l.round()
	if n := l.number(`select count(*) from posts where body::text like '%Changes of%'`); n != 0 {
		t.Errorf("%d reports before the month was over", n)
	}
	l.pass(80 * 24 * time.Hour) // the 17th of February
	for range 4 {
		l.round() // a month at a time
	}
	for of, want := range map[string]int{"November 2026": 1, "January 2027": 1} {
		if n := reports(of); n != want {
			t.Errorf("%s was reported %d times", of, n)
		}
	}
	if n := l.number(`select count(*) from posts where body::text like '%Changes of%'`); n != 2 {
		t.Errorf("there are %d reports", n)
	}
	if n := l.number(`select count(*) from due where kind = $1 and subject = 202702 and due_at = '2027-03-01 09:00Z'`, storage.ChangesReport); n != 1 {
		t.Error("February is not going to be reported on")
	}
}
