package storage_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// past is a ticket as it went through these steps, with one message.
func (c *company) past(t *testing.T, id ticket.ID, kind ticket.Kind, number int64, more ...func(ticket.Ticket) (ticket.Ticket, ticket.Event, error)) storage.PastTicket {
	t.Helper()
	d := c.draft(kind, "Of the time before")
	d.ID, d.Number, d.Team = id, number, c.desk
	tk, ev, err := ticket.Open(d, nil, noon.AddDate(0, -2, 0))
	p := storage.PastTicket{Steps: []storage.PastStep{{Event: ev, After: tk}},
		Messages: []storage.Message{{Author: c.cem, Body: "thanks", Side: storage.RequesterSide, SaidAt: noon.AddDate(0, -2, 0).Add(time.Minute)}}}
	for _, step := range more {
		if err != nil {
			break
		}
		version := tk.Version
		if tk, ev, err = step(tk); err == nil {
			tk.Version = version + 1
			p.Steps = append(p.Steps, storage.PastStep{Event: ev, After: tk})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Ticket = tk
	return p
}

func (c *company) bringIn(t *testing.T, past ...storage.PastTicket) ticket.ID {
	t.Helper()
	var offset ticket.ID
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		offset, err = tx.ImportTickets(ctx, past, "deskhand import")
		return err
	})
	return offset
}

func TestImportedTicketsAreLikeAnyOther(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	later := noon.AddDate(0, -2, 0).Add(time.Hour)
	claim := func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Claim(c.ben, later) }
	hold := func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return tk.Wait(ticket.ForPart, "a cable", c.ben, later)
	}
	resolve := func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return tk.Resolve(c.ben, "Replaced it", 0, later.Add(time.Hour))
	}
	close := func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return tk.Close(0, "", later.Add(2*time.Hour))
	}
	rate := func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return tk.Rate(5, "quick", c.cem, later.Add(3*time.Hour))
	}
	mine := c.open(t, c.draft(ticket.Incident, "Here before"), noon) // so that the import's ids are not the record's
	past := []storage.PastTicket{
		c.past(t, 1, ticket.Incident, 100, claim, resolve, close, rate),
		c.past(t, 2, ticket.Incident, 101, claim, hold),
		c.past(t, 3, ticket.Request, 50),
	}
	past[1].Ticket.Follows = 1
	offset := c.bringIn(t, past...)
	if offset != mine.ID {
		t.Errorf("offset %d, want %d", offset, mine.ID)
	}
	for _, p := range past {
		want := p.Ticket
		want.ID += offset
		if want.Follows != 0 {
			want.Follows += offset
		}
		if diff := cmp.Diff(want, c.read(t, want.ID), sameTimes); diff != "" {
			t.Errorf("%s (-imported +read):\n%s", want.Ref(), diff)
		}
		entries := history(t, c.DB, storage.OfTicket, int64(want.ID))
		wantActions := []string{"opened", "said"}
		for _, s := range p.Steps[1:] {
			wantActions = append(wantActions, string(s.Event.Action))
		}
		if got := actions(entries); !slices.Equal(got, wantActions) {
			t.Errorf("record of %s = %v, want %v", want.Ref(), got, wantActions)
		}
		if got := c.conversation(t, want.ID, 10); !slices.Equal(got, []string{"thanks"}) {
			t.Errorf("conversation of %s = %q", want.Ref(), got)
		}
	}
	held := steps(t, history(t, c.DB, storage.OfTicket, int64(2+offset)))[3]
	if diff := cmp.Diff(step{"waiting", "Ben Okoro", "deskhand import", "a cable", map[string]any{"state": "in_progress"},
		map[string]any{"state": "waiting", "waits_for": "part", "wait_note": "a cable"}}, held); diff != "" {
		t.Errorf("record of an imported step (-want +got):\n%s", diff)
	}
	if n := rowsIn(t, c.DB, "tickets"); n != 4 {
		t.Errorf("%d tickets, want 4", n)
	}

	// Life goes on: with the next numbers, and with what was imported.
	if next := c.open(t, c.draft(ticket.Incident, "Next"), noon); next.Ref() != "INC-102" || next.ID != 4+mine.ID {
		t.Errorf("the next incident is %s, number %d", next.Ref(), next.ID)
	}
	if next := c.open(t, c.draft(ticket.Request, "Next"), noon); next.Ref() != "REQ-51" {
		t.Errorf("the next request is %s", next.Ref())
	}
	c.resolve(t, c.read(t, 3+offset), c.ben, noon)
}

func TestImportOfOneKindLeavesTheOtherAtItsStart(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.bringIn(t)
	c.bringIn(t, c.past(t, 1, ticket.Request, 7))
	if got := c.open(t, c.draft(ticket.Incident, "First"), noon).Ref(); got != "INC-1" {
		t.Errorf("the first incident is %s", got)
	}
	if got := c.open(t, c.draft(ticket.Request, "Next"), noon).Ref(); got != "REQ-8" {
		t.Errorf("the next request is %s", got)
	}
}

func TestImportIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	before := rowsIn(t, c.DB, "audit")
	err := c.InTx(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.ImportTickets(t.Context(), []storage.PastTicket{c.past(t, 1, ticket.Incident, 7), c.past(t, 2, ticket.Incident, 7)}, "test")
		return err
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "tickets_kind_number_key" {
		t.Errorf("two tickets of one number: %v", err)
	}
	if n, a := rowsIn(t, c.DB, "tickets"), rowsIn(t, c.DB, "audit")-before; n != 0 || a != 0 {
		t.Errorf("a failed import left %d tickets and %d entries in the record", n, a)
	}
	if got := c.open(t, c.draft(ticket.Incident, "First"), noon).Ref(); got != "INC-1" {
		t.Errorf("after a failed import the first incident is %s", got)
	}
}

func TestImportedQuestionsHaveOneEntryEach(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	asked := c.ask(t, storage.Question{Text: "asked here", Confidence: "none"})
	ended := noon.AddDate(0, -1, 0)
	bringIn := func(texts ...string) {
		var past []storage.Question
		for _, text := range texts {
			past = append(past, storage.Question{Person: c.cem, Text: text, AskedAt: noon.Add(time.Hour), Confidence: "low", Outcome: storage.Silent, EndedAt: &ended})
		}
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			return tx.ImportQuestions(ctx, past, "deskhand import")
		})
	}
	bringIn("one", "two")
	bringIn()
	bringIn("three")
	for id := asked.ID; id < asked.ID+4; id++ {
		if got := actions(history(t, c.DB, storage.OfQuestion, int64(id))); !slices.Equal(got, []string{"asked"}) {
			t.Errorf("record of question %d = %v", id, got)
		}
		if got := c.question(t, id); id > asked.ID && (got.Outcome != storage.Silent || got.Version != 2) {
			t.Errorf("imported question %+v", got)
		}
	}
}
