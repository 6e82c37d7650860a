package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestAHandOverTeachesWhereTicketsBelong(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	type piece struct {
		Place        knowledge.Place
		Open, Undone bool
	}
	learnt := func(id ticket.ID) (out []piece) {
		if err := c.NumberEvidence(t.Context()); err != nil {
			t.Fatal(err)
		}
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			all, err := tx.EvidenceSince(ctx, 0, 100)
			for _, e := range all {
				if e.Past.Ticket() == int64(id) {
					out = append(out, piece{e.Place, e.Open, e.Undone})
				}
			}
			return err
		})
		return out
	}
	expect := func(when string, id ticket.ID, want ...piece) {
		t.Helper()
		if diff := cmp.Diff(want, learnt(id)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	move := func(was ticket.Ticket, to string) ticket.Ticket {
		t.Helper()
		team := c.desk
		if to == "network" {
			team = c.network
		}
		is, ev, err := was.Move(c.queue(team, was.Kind), was.Kind, team, c.ben, "so", noon)
		return c.take(t, was, is, ev, err)
	}
	resolve := func(was ticket.Ticket) ticket.Ticket {
		t.Helper()
		was = c.claim(t, was, c.ben, noon)
		is, ev, err := was.Resolve(c.ben, "so", 0, noon)
		return c.take(t, was, is, ev, err)
	}
	draft := c.draft(ticket.Incident, "no signal")
	draft.Service = "wifi"

	rises := move(c.open(t, draft, noon), "network")
	expect("a ticket that rose", rises.ID)
	draft.Queue = c.queue(c.network, ticket.Incident)
	wrong := move(c.open(t, draft, noon), "service-desk")
	desk := knowledge.Place{Service: "wifi", Team: "service-desk"}
	expect("one that had come to the wrong team", wrong.ID, piece{desk, true, false})
	wrong = resolve(wrong)
	expect("the same, solved", wrong.ID, piece{desk, false, false})

	guessed := c.open(t, draft, noon)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		return tx.Predicted(ctx, guessed.ID, storage.Prediction{Asked: true, Service: "wifi", Certainty: knowledge.Probably, Sure: 0.9, Alike: 4,
			Team: c.network, TeamAlike: 3, ChosenService: "wifi"}, "test", noon)
	})
	expect("one that was sent by a guess", guessed.ID)
	guessed = resolve(guessed)
	expect("the same, solved where it was sent", guessed.ID, piece{knowledge.Place{Service: "wifi", Team: "network"}, false, false})

	var n int64
	forgotten := noon.Add(time.Hour)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		n, err = tx.ForgetPlaces(ctx, "service-desk", "", noon.Add(-time.Hour), c.ana, "test", forgotten)
		return err
	})
	if n != 1 {
		t.Errorf("ForgetPlaces() = %d, want 1", n)
	}
	expect("what an admin has taken out", wrong.ID, piece{desk, false, true})
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		n, err = tx.RecallPlaces(ctx, "service-desk", "", forgotten, c.ana, "test", forgotten.Add(time.Hour))
		return err
	})
	expect("and brought back", wrong.ID, piece{desk, false, false})

	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		p := harbour()
		p.Services[1].Categories = []policy.Category{{Slug: "rules", Name: "Rules"}}
		_, err := tx.ApplyPolicy(ctx, p, "test", noon)
		return err
	})
	right := func(was ticket.Ticket, service, category string) ticket.Ticket {
		t.Helper()
		is, ev, err := was.Correct(service, category, c.ben, noon)
		return c.take(t, was, is, ev, err)
	}
	mail := knowledge.Place{Service: "mail", Category: "rules"}
	expect("one that is about something else", right(c.open(t, draft, noon), "mail", "rules").ID, piece{mail, true, false})
	corrected := c.open(t, draft, noon)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		return tx.Predicted(ctx, corrected.ID, storage.Prediction{Service: "wifi", Certainty: knowledge.Probably, Sure: 0.9, Alike: 4,
			Team: c.network, TeamAlike: 3, ChosenService: "wifi"}, "test", noon)
	})
	corrected = right(corrected, "mail", "rules")
	mail.Team = "network"
	expect("the same, solved where it was sent", resolve(corrected).ID, piece{mail, false, false})
	wrong2 := right(move(c.open(t, draft, noon), "service-desk"), "mail", "")
	expect("one that was handed over and then corrected", wrong2.ID, piece{knowledge.Place{Service: "mail", Team: "service-desk"}, true, false})
	rates := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.PredictionRate, error) {
		return tx.PredictionRates(ctx, noon, noon.Add(time.Hour))
	})
	if diff := cmp.Diff([]storage.PredictionRate{{Certainty: knowledge.Probably, Asked: 1, Kept: 1, Sent: 2, Stayed: 2, Unasked: 1, Corrected: 1}}, rates); diff != "" {
		t.Errorf("what was guessed, and was right (-want +got):\n%s", diff)
	}
}

func TestPredictionRates(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	p := harbour()
	p.Services[0].Categories = []policy.Category{{Slug: "speed", Name: "Speed"}}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(ctx, p, "test", noon)
		return err
	})
	for _, p := range []storage.Prediction{
		{Asked: true, Service: "wifi", Certainty: knowledge.Probably, Sure: 0.9, Alike: 4, ChosenService: "wifi"},
		{Asked: true, Service: "wifi", Category: "speed", Certainty: knowledge.Probably, Sure: 0.9, Alike: 4, ChosenService: "wifi"},
		{Asked: true, Service: "wifi", Category: "speed", Certainty: knowledge.Maybe, Sure: 0.6, Alike: 2, ChosenService: "wifi", ChosenCategory: "speed"},
		{Asked: true, Service: "wifi", Certainty: knowledge.Maybe, Sure: 0.6, Alike: 2},
		{Service: "mail", ChosenService: "mail", Team: c.network, TeamAlike: 3},
	} {
		draft := c.draft(ticket.Incident, "no signal")
		draft.Service, draft.Category = p.ChosenService, p.ChosenCategory
		tk := c.open(t, draft, noon)
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error { return tx.Predicted(ctx, tk.ID, p, "test", noon) })
	}
	got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.PredictionRate, error) {
		return tx.PredictionRates(ctx, noon, noon.Add(time.Hour))
	})
	want := []storage.PredictionRate{
		{Certainty: knowledge.Probably, Asked: 2, Kept: 1},
		{Certainty: knowledge.Maybe, Asked: 2, Kept: 1},
		{Certainty: knowledge.Unsure, Unasked: 1, Sent: 1, Stayed: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PredictionRates() (-want +got):\n%s", diff)
	}
}

func TestACategoryIsOneOfItsService(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
		p := policy.BuiltIn()
		p.Services[0].Categories = []policy.Category{{Slug: "speed", Name: "Speed"}}
		_, err := tx.ApplyPolicy(ctx, p, "test", noon)
		return err
	})
	for _, tt := range []struct {
		service, category string
		lawful            bool
	}{{"other", "speed", true}, {"other", "access", false}, {"", "speed", false}} {
		err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			var person, queue int64
			if err := tx.QueryRow(t.Context(), `insert into people (name, guest) values ('Somebody', true) returning id`).Scan(&person); err != nil {
				return err
			}
			if err := tx.QueryRow(t.Context(), `select id from queues where kind = 'incident' limit 1`).Scan(&queue); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `insert into tickets (kind, number, title, requester_id, author_id, queue_id, service, category, impact, urgency, priority, because, state, opened_at, version)
				values ('incident', nextval('incident_numbers'), 't', $1, $1, $2, nullif($3, ''), $4, 'me', 'today', 3, 'so', 'new', now(), 1)`, person, queue, tt.service, tt.category)
			return err
		})
		if (err == nil) != tt.lawful {
			t.Errorf("a ticket about %q, %q: %v", tt.service, tt.category, err)
		}
	}
}
