package storage_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// queue is where the team's tickets of the kind go.
func (c *company) queue(team people.TeamID, kind ticket.Kind) ticket.QueueID {
	for _, q := range c.queues {
		if q.Team == team && q.Kind == kind {
			return q.ID
		}
	}
	return 0
}

// draft is what Cem asks the service desk for.
func (c *company) draft(kind ticket.Kind, title string) ticket.Ticket {
	return ticket.Ticket{Kind: kind, Title: title, Requester: c.cem, Author: c.cem, Queue: c.queue(c.desk, kind),
		Impact: ticket.OnlyMe, Urgency: ticket.Today}
}

// open opens a ticket at a time.
func (c *company) open(t *testing.T, draft ticket.Ticket, at time.Time) ticket.Ticket {
	t.Helper()
	tk, ev, err := ticket.Open(draft, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		tk, err = tx.OpenTicket(ctx, tk, ev, "slack, direct message")
		return err
	})
	return tk
}

func (c *company) save(t *testing.T, was, is ticket.Ticket, ev ticket.Event) (ticket.Ticket, error) {
	t.Helper()
	err := c.InTx(t.Context(), func(tx *storage.Tx) (err error) {
		is, err = tx.SaveTicket(t.Context(), was, is, ev, "slack, #it-desk")
		return err
	})
	return is, err
}

// take saves a step that core has allowed.
func (c *company) take(t *testing.T, was, is ticket.Ticket, ev ticket.Event, err error) ticket.Ticket {
	t.Helper()
	if err == nil {
		is, err = c.save(t, was, is, ev)
	}
	if err != nil {
		t.Fatal(err)
	}
	return is
}

func (c *company) claim(t *testing.T, was ticket.Ticket, by people.PersonID, at time.Time) ticket.Ticket {
	t.Helper()
	is, ev, err := was.Claim(by, at)
	return c.take(t, was, is, ev, err)
}

func (c *company) resolve(t *testing.T, was ticket.Ticket, by people.PersonID, at time.Time) ticket.Ticket {
	t.Helper()
	is, ev, err := was.Resolve(by, "Unmuted it", 0, at)
	return c.take(t, was, is, ev, err)
}

func (c *company) close(t *testing.T, was ticket.Ticket, at time.Time) ticket.Ticket {
	t.Helper()
	is, ev, err := was.Close(was.Requester, "", at)
	return c.take(t, was, is, ev, err)
}

func (c *company) read(t *testing.T, id ticket.ID) ticket.Ticket {
	t.Helper()
	return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (ticket.Ticket, error) { return tx.Ticket(ctx, id) })
}

// sameTimes compares times as instants.
var sameTimes = cmpopts.EquateApproxTime(0)

func TestTicketIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	d := c.draft(ticket.Request, "A second screen 🖥️ <!channel>")
	d.Detail, d.Author, d.Service, d.Impact, d.Urgency = "27 inches,\nif there is one", c.ben, "mail", ticket.MyTeam, ticket.CanWait
	tk := c.open(t, d, noon)
	if tk.Ref() != "REQ-1" || tk.Version != 1 || tk.ID == 0 || tk.Team != c.desk {
		t.Errorf("opened %s, version %d, of team %d", tk.Ref(), tk.Version, tk.Team)
	}
	if diff := cmp.Diff(tk, c.read(t, tk.ID), sameTimes); diff != "" {
		t.Errorf("a new ticket (-written +read):\n%s", diff)
	}

	// Every field that a step can change.
	is := tk
	is.Owner, is.ClaimedAt, is.Impact, is.Urgency, is.Priority, is.Because = c.ana, noon, ticket.Customers, ticket.Now, ticket.High, "the shop is shut"
	is.State, is.Resolution, is.ResolvedAt, is.ClosedAt = ticket.Done, "Bought one", noon.Add(time.Hour), noon.Add(2*time.Hour)
	is.Reopened, is.Rating, is.Comment, is.Queue, is.Team = 2, 5, "lovely", c.queue(c.network, ticket.Request), c.network
	saved, err := c.save(t, tk, is, ticket.Event{Action: ticket.Resolved, By: c.ana, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	is.Version = 2
	if diff := cmp.Diff(is, saved, sameTimes); diff != "" {
		t.Errorf("a saved ticket (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(saved, c.read(t, tk.ID), sameTimes); diff != "" {
		t.Errorf("a saved ticket (-written +read):\n%s", diff)
	}
	for name, read := range map[string]func(context.Context, *storage.Tx) (ticket.Ticket, error){
		"for update": func(ctx context.Context, tx *storage.Tx) (ticket.Ticket, error) {
			return tx.TicketForUpdate(ctx, tk.ID)
		},
		"by its reference": func(ctx context.Context, tx *storage.Tx) (ticket.Ticket, error) {
			return tx.TicketByRef(ctx, ticket.Request, tk.Number)
		},
	} {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			got, err := read(ctx, tx)
			if diff := cmp.Diff(saved, got, sameTimes); diff != "" {
				t.Errorf("%s (-written +read):\n%s", name, diff)
			}
			return err
		})
	}
	for name, read := range map[string]func(*storage.Tx) error{
		"by number": func(tx *storage.Tx) error { _, err := tx.Ticket(t.Context(), 99); return err },
		"by the reference of the other kind": func(tx *storage.Tx) error {
			_, err := tx.TicketByRef(t.Context(), ticket.Incident, tk.Number)
			return err
		},
	} {
		if err := c.View(t.Context(), read); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("a ticket that there is not, %s: %v, want ErrNotFound", name, err)
		}
	}
}

func TestEachKindCountsForItself(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	var refs []string
	for _, kind := range []ticket.Kind{ticket.Incident, ticket.Request, ticket.Incident, ticket.Request} {
		refs = append(refs, c.open(t, c.draft(kind, "Help"), noon).Ref())
	}
	if want := []string{"INC-1", "REQ-1", "INC-2", "REQ-2"}; !slices.Equal(refs, want) {
		t.Errorf("references %v, want %v", refs, want)
	}
}

// step is what an entry of the audit record says.
type step struct {
	Action, Person, Via, Note string
	Before, After             map[string]any
}

func steps(t *testing.T, entries []storage.HistoryEntry) []step {
	t.Helper()
	all := make([]step, len(entries))
	for i, e := range entries {
		all[i] = step{Action: e.Action, Person: e.Person, Via: e.Via, Note: e.Note}
		for from, to := range map[*json.RawMessage]*map[string]any{&e.Before: &all[i].Before, &e.After: &all[i].After} {
			if len(*from) == 0 {
				continue
			}
			if err := json.Unmarshal(*from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

func TestEveryStepOfATicketIsOnRecord(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	tk = c.claim(t, tk, c.ben, noon.Add(time.Minute))
	is, ev, err := tk.Wait(ticket.ForRequester, "which headset?", c.ben, noon.Add(2*time.Minute))
	tk = c.take(t, tk, is, ev, err)
	is, ev, err = tk.Wake(0, "", noon.Add(3*time.Minute))
	tk = c.take(t, tk, is, ev, err)
	is, ev, err = tk.Move(c.queue(c.network, ticket.Incident), ticket.Incident, c.network, c.ben, "the switch", noon.Add(4*time.Minute))
	tk = c.take(t, tk, is, ev, err)

	f := func(id people.PersonID) any { return float64(id) }
	want := []step{
		{"opened", "Cem Aydin", "slack, direct message", "", nil, map[string]any{
			"queue": float64(c.queue(c.desk, ticket.Incident)), "team": float64(c.desk), "impact": "me", "urgency": "today", "priority": 3.0,
			"because": "one person is affected and it hurts more today", "state": "new"}},
		{"claimed", "Ben Okoro", "slack, #it-desk", "", map[string]any{"state": "new"},
			map[string]any{"owner": f(c.ben), "claimed_at": "at", "state": "in_progress"}},
		{"waiting", "Ben Okoro", "slack, #it-desk", "which headset?", map[string]any{"state": "in_progress"},
			map[string]any{"state": "waiting", "waits_for": "requester", "wait_note": "which headset?"}},
		{"resumed", "", "slack, #it-desk", "", map[string]any{"state": "waiting", "waits_for": "requester", "wait_note": "which headset?"},
			map[string]any{"state": "in_progress", "waits_for": nil, "wait_note": nil}},
		{"moved", "Ben Okoro", "slack, #it-desk", "the switch",
			map[string]any{"queue": float64(c.queue(c.desk, ticket.Incident)), "team": float64(c.desk), "owner": f(c.ben), "claimed_at": "2026-03-02T12:01:00Z", "state": "in_progress"},
			map[string]any{"queue": float64(c.queue(c.network, ticket.Incident)), "team": float64(c.network), "owner": nil, "claimed_at": nil, "state": "new", "moves": 1.0}},
	}
	if diff := cmp.Diff(want, steps(t, history(t, c.DB, storage.OfTicket, int64(tk.ID)))); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestAStepAndItsRecordStandOrFallTogether(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	was := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	is, ev, err := was.Claim(c.ben, noon)
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := c.InTx(t.Context(), func(tx *storage.Tx) error {
		if _, err := tx.SaveTicket(t.Context(), was, is, ev, "test"); err != nil {
			return err
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Fatalf("InTx: %v", err)
	}
	if got := c.read(t, was.ID); got.Owner != 0 || got.Version != 1 {
		t.Errorf("a step that was rolled back left %+v", got)
	}
	if got := actions(history(t, c.DB, storage.OfTicket, int64(was.ID))); !slices.Equal(got, []string{"opened"}) {
		t.Errorf("a step that was rolled back is on record: %v", got)
	}

	if _, err := c.save(t, was, is, ev); err != nil {
		t.Fatal(err)
	}
	stale, ev, err := was.Claim(c.ana, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.save(t, was, stale, ev); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("saving a stale ticket: %v, want ErrConflict", err)
	}
	if got := c.read(t, was.ID); got.Owner != c.ben || got.Version != 2 {
		t.Errorf("a stale save changed the ticket: %+v", got)
	}
	if got := actions(history(t, c.DB, storage.OfTicket, int64(was.ID))); !slices.Equal(got, []string{"opened", "claimed"}) {
		t.Errorf("record = %v, want no trace of the stale save", got)
	}
	// Nor is anything kept if nobody minds the error of the statement with which it came.
	if err := c.InTx(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.SaveTicket(t.Context(), was, stale, ev, "test")
		_, _ = tx.Teams(t.Context())
		return err
	}); err == nil {
		t.Error("a transaction with a stale save in it went well")
	}
	if got := actions(history(t, c.DB, storage.OfTicket, int64(was.ID))); !slices.Equal(got, []string{"opened", "claimed"}) {
		t.Errorf("record = %v, want no trace of the stale save", got)
	}
}

func TestOneOfManyClaimsWins(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	won := make(chan people.PersonID, 12)
	var g errgroup.Group
	for i := range 12 {
		by := []people.PersonID{c.ana, c.ben, c.cem}[i%3]
		g.Go(func() error {
			err := c.InTx(t.Context(), func(tx *storage.Tx) error {
				was, err := tx.TicketForUpdate(t.Context(), tk.ID)
				if err != nil {
					return err
				}
				is, ev, err := was.Claim(by, noon)
				if err != nil {
					return err
				}
				_, err = tx.SaveTicket(t.Context(), was, is, ev, "test")
				return err
			})
			if _, refused := errors.AsType[*ticket.RefusedError](err); refused {
				return nil
			}
			if err == nil {
				won <- by
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(won); n != 1 {
		t.Fatalf("%d claims won, want 1", n)
	}
	if by := <-won; c.read(t, tk.ID).Owner != by {
		t.Errorf("%d won, the record says %d", by, c.read(t, tk.ID).Owner)
	}
}

// Not even a program with a mistake in it can store these.
func TestWithWhatATicketWasOpenedItStays(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	for _, set := range []string{
		`kind = 'request', queue_id = (select id from queues where kind = 'request' limit 1)`, `number = number + 1000`, `title = 'Too loud'`,
		`detail = 'Since noon.'`, `requester_id = (select min(id) from people)`, `author_id = (select min(id) from people)`, `opened_at = now()`, `follows_id = id`,
	} {
		if _, err := c.Pool().Exec(t.Context(), `update tickets set `+set+` where id = $1`, tk.ID); err == nil || !strings.Contains(err.Error(), "never changes") {
			t.Errorf("set %s: %v, want it refused", set, err)
		}
	}
	if _, err := c.Pool().Exec(t.Context(), `update tickets set title = title, state = state where id = $1`, tk.ID); err != nil {
		t.Errorf("writing it as it is: %v", err)
	}
}

func TestTicketsThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	change := func(f func(*ticket.Ticket)) ticket.Ticket {
		tk := c.draft(ticket.Incident, "No sound")
		tk.State, tk.OpenedAt, tk.Priority, tk.Because = ticket.New, noon, ticket.Normal, "so"
		f(&tk)
		return tk
	}
	done := func(t *ticket.Ticket) { t.State, t.Resolution, t.ResolvedAt = ticket.Done, "Unmuted it", noon }
	tests := []struct {
		name       string
		tk         ticket.Ticket
		constraint string
	}{
		{"an incident in a queue of requests", change(func(t *ticket.Ticket) { t.Queue = c.queue(c.desk, ticket.Request) }), "tickets_queue_of_kind"},
		{"waiting without a reason", change(func(t *ticket.Ticket) { t.State = ticket.Waiting }), "tickets_waiting_has_reason"},
		{"a reason without waiting", change(func(t *ticket.Ticket) { t.WaitsFor = ticket.ForPart }), "tickets_waiting_has_reason"},
		{"a reason that there is not", change(func(t *ticket.Ticket) { t.State, t.WaitsFor = ticket.Waiting, "coffee" }), "tickets_waits_for_check"},
		{"done without a time", change(func(t *ticket.Ticket) { done(t); t.ResolvedAt = time.Time{} }), "tickets_done_is_resolved"},
		{"a time of resolution without being done", change(func(t *ticket.Ticket) { t.ResolvedAt = noon }), "tickets_done_is_resolved"},
		{"done without a resolution", change(func(t *ticket.Ticket) { done(t); t.Resolution = "" }), "tickets_resolution_is_said"},
		{"closed before it is done", change(func(t *ticket.Ticket) { t.ClosedAt = noon }), "tickets_closed_is_done"},
		{"new and somebody's", change(func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = c.ben, noon }), "tickets_new_is_unowned"},
		{"an owner since never", change(func(t *ticket.Ticket) { t.State, t.Owner = ticket.InProgress, c.ben }), "tickets_owner_since"},
		{"claimed by nobody", change(func(t *ticket.Ticket) { t.ClaimedAt = noon }), "tickets_owner_since"},
		{"no title", change(func(t *ticket.Ticket) { t.Title = "" }), "tickets_title_check"},
		{"a fifth priority", change(func(t *ticket.Ticket) { t.Priority = 5 }), "tickets_priority_check"},
		{"a sixth face", change(func(t *ticket.Ticket) { done(t); t.Rating = 6 }), "tickets_rating_check"},
		{"a requester who is nobody", change(func(t *ticket.Ticket) { t.Requester = 999 }), "tickets_requester_id_fkey"},
		{"a service that there is not", change(func(t *ticket.Ticket) { t.Service = "fax" }), "tickets_service_fkey"},
	}
	for _, tt := range tests {
		err := c.InTx(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.OpenTicket(t.Context(), tt.tk, ticket.Event{Action: ticket.Opened, At: noon}, "test")
			return err
		})
		pg, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || pg.ConstraintName != tt.constraint {
			t.Errorf("%s: %v, want it refused by %s", tt.name, err, tt.constraint)
		}
	}
	if n := rowsIn(t, c.DB, "tickets"); n != 0 {
		t.Errorf("%d of them are on record", n)
	}
}
