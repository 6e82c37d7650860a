package storage_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// titles are the titles of a list.
func titles(t *testing.T, c *company, list func(context.Context, *storage.Tx) ([]ticket.Ticket, error)) []string {
	t.Helper()
	var all []string
	for _, tk := range view(t, c.DB, list) {
		all = append(all, tk.Title)
	}
	return all
}

func wantTitles(t *testing.T, list string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %q, want %q", list, got, want)
	}
}

func TestListsOfARequester(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	long := c.resolve(t, c.open(t, c.draft(ticket.Incident, "closed long ago"), hour(-90)), c.ben, hour(-89))
	c.close(t, long, hour(-80))
	lately := c.resolve(t, c.open(t, c.draft(ticket.Incident, "closed lately"), hour(-9)), c.ben, hour(-8))
	c.close(t, lately, hour(-7))
	c.resolve(t, c.open(t, c.draft(ticket.Incident, "resolved"), hour(-2)), c.ben, hour(-1))
	c.open(t, c.draft(ticket.Request, "old"), hour(-50))
	c.claim(t, c.open(t, c.draft(ticket.Incident, "new"), hour(-3)), c.ben, hour(-2))
	of := c.draft(ticket.Incident, "another's")
	of.Requester = c.ana
	c.open(t, of, noon)

	wantTitles(t, "her tickets", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
		return tx.TicketsOf(ctx, c.cem, hour(-24), 10)
	}), []string{"new", "old", "resolved", "closed lately"})
	wantTitles(t, "the first two of her tickets", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
		return tx.TicketsOf(ctx, c.cem, hour(-24), 2)
	}), []string{"new", "old"})
	q := c.ask(t, storage.Question{Text: "the printer again", Confidence: "none"}).ID
	wantTitles(t, "her open tickets, for a question of hers", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
		f, err := tx.QuestionFacts(ctx, q)
		return f.Open, err
	}), []string{"new", "old"})
}

func TestListsOfAnAgent(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	open := func(title string, kind ticket.Kind, team people.TeamID, u ticket.Urgency, at int) ticket.Ticket {
		d := c.draft(kind, title)
		d.Queue, d.Urgency = c.queue(team, kind), u
		return c.open(t, d, minute(at))
	}
	open("desk, low", ticket.Incident, c.desk, ticket.CanWait, 0)
	open("desk, normal, later", ticket.Request, c.desk, ticket.Now, 2)
	open("desk, normal, first", ticket.Incident, c.desk, ticket.Now, 1)
	open("network", ticket.Incident, c.network, ticket.Now, 3)
	c.claim(t, open("mine, low", ticket.Incident, c.desk, ticket.CanWait, 4), c.ben, minute(5))
	waiting := c.claim(t, open("mine, waiting", ticket.Incident, c.network, ticket.Now, 6), c.ben, minute(7))
	is, ev, err := waiting.Wait(ticket.ForPart, "", c.ben, minute(8))
	c.take(t, waiting, is, ev, err)
	c.resolve(t, c.claim(t, open("mine, done", ticket.Incident, c.desk, ticket.Now, 9), c.ben, minute(10)), c.ben, minute(11))
	c.claim(t, open("a colleague's", ticket.Incident, c.desk, ticket.Now, 12), c.ana, minute(13))

	wantTitles(t, "his tickets", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) { return tx.Owned(ctx, c.ben, 10) }),
		[]string{"mine, waiting", "mine, low"})
	wantTitles(t, "what nobody has", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
		return tx.Unclaimed(ctx, []people.TeamID{c.desk, c.network}, 10)
	}), []string{"desk, normal, first", "desk, normal, later", "network", "desk, low"})
	wantTitles(t, "what nobody of one team has", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
		return tx.Unclaimed(ctx, []people.TeamID{c.network}, 10)
	}), []string{"network"})
	wantTitles(t, "what nobody of no team has", titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
		return tx.Unclaimed(ctx, nil, 10)
	}), nil)
	got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Counts, error) {
		return tx.Counts(ctx, c.ben, []people.TeamID{c.desk})
	})
	if diff := cmp.Diff(storage.Counts{Mine: 2, WaitingOnMe: 1, Unclaimed: 3}, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestWhatANewTicketMayBeADuplicateOf(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	open := func(title string, kind ticket.Kind, of people.PersonID, i ticket.Impact, u ticket.Urgency, age time.Duration) ticket.Ticket {
		d := c.draft(kind, title)
		d.Requester, d.Author, d.Impact, d.Urgency = of, of, i, u
		return c.open(t, d, noon.Add(-age))
	}
	open("mine, first", ticket.Incident, c.cem, ticket.OnlyMe, ticket.Today, 2*time.Hour)
	open("mine, of a site", ticket.Incident, c.cem, ticket.MySite, ticket.Today, time.Hour)
	open("mine, a request", ticket.Request, c.cem, ticket.OnlyMe, ticket.Today, time.Hour)
	open("mine, long ago", ticket.Incident, c.cem, ticket.OnlyMe, ticket.Today, 99*time.Hour)
	c.resolve(t, open("mine, done", ticket.Incident, c.cem, ticket.OnlyMe, ticket.Today, time.Hour), c.ben, noon)
	open("a site's", ticket.Incident, c.ana, ticket.MySite, ticket.Today, time.Hour)
	open("the customers'", ticket.Incident, c.ana, ticket.Customers, ticket.Now, 2*time.Hour)
	open("another's own", ticket.Incident, c.ana, ticket.MyTeam, ticket.Now, time.Hour)
	open("a site's request", ticket.Request, c.ana, ticket.MySite, ticket.Now, time.Hour)
	open("a site's, long ago", ticket.Incident, c.ana, ticket.MySite, ticket.Now, 99*time.Hour)

	like := func(kind ticket.Kind, limit int) (own, known []string) {
		own = titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
			own, _, err := tx.LikeOpen(ctx, c.cem, kind, noon.Add(-24*time.Hour), limit)
			return own, err
		})
		known = titles(t, c, func(ctx context.Context, tx *storage.Tx) ([]ticket.Ticket, error) {
			_, known, err := tx.LikeOpen(ctx, c.cem, kind, noon.Add(-24*time.Hour), limit)
			return known, err
		})
		return own, known
	}
	own, known := like(ticket.Incident, 10)
	wantTitles(t, "her own incidents", own, []string{"mine, of a site", "mine, first"})
	wantTitles(t, "known incidents", known, []string{"the customers'", "a site's"})
	own, known = like(ticket.Request, 10)
	wantTitles(t, "her own requests", own, []string{"mine, a request"})
	wantTitles(t, "known incidents, for a request", known, nil)
	own, known = like(ticket.Incident, 1)
	wantTitles(t, "the newest of her own incidents", own, []string{"mine, of a site"})
	wantTitles(t, "the most urgent known incident", known, []string{"the customers'"})
}

func TestTicketsThatNoChannelHasSeen(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	link := func(tk ticket.Ticket, side storage.Side, root string) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			_, err := tx.OpenThread(ctx, storage.Thread{Platform: "slack", Workspace: "T1", Channel: "C1", Root: root, Scope: "open", Side: string(side), Ticket: tk.ID})
			return err
		})
	}
	link(c.open(t, c.draft(ticket.Incident, "seen"), noon), storage.TeamSide, "1")
	link(c.open(t, c.draft(ticket.Incident, "only its requester's"), noon.Add(time.Hour)), storage.RequesterSide, "2")
	c.open(t, c.draft(ticket.Request, "earlier"), noon.Add(-time.Hour))
	c.resolve(t, c.open(t, c.draft(ticket.Incident, "done"), noon), c.ben, noon)
	other := c.draft(ticket.Incident, "another team's")
	other.Queue = c.queue(c.network, ticket.Incident)
	c.open(t, other, noon)

	var got []string
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		all, err := tx.Untriaged(ctx, c.desk, 10)
		for _, tk := range all {
			got = append(got, tk.Title)
		}
		return err
	})
	wantTitles(t, "tickets without a channel", got, []string{"earlier", "only its requester's"})
}
