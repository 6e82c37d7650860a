package storage_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func (c *company) ask(t *testing.T, q storage.Question) storage.Question {
	t.Helper()
	q.Person, q.AskedAt = c.cem, noon
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		q, err = tx.AskQuestion(ctx, q, "slack, direct message")
		return err
	})
	return q
}

func (c *company) question(t *testing.T, id storage.QuestionID) storage.Question {
	t.Helper()
	return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Question, error) { return tx.Question(ctx, id) })
}

func (c *company) end(t *testing.T, q storage.Question, at time.Time) (storage.Question, error) {
	t.Helper()
	err := c.InTx(t.Context(), func(tx *storage.Tx) (err error) {
		q, err = tx.EndQuestion(t.Context(), q, c.cem, "slack, direct message", at)
		return err
	})
	return q, err
}

func TestQuestionIsReadAsItWasAsked(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	thread := openThread(t, c.DB, "D1", "1.0")
	q := c.ask(t, storage.Question{Thread: thread, Text: "vpn drops\nevery ten minutes", Confidence: "high", Shown: []knowledge.ArticleID{12, 3},
		Hits: []knowledge.Hit{{Article: 12, Title: "Keep the VPN connected", Score: 0.5, Extract: []knowledge.Span{{Text: "vpn", Bold: true}}}, {Article: 3, Title: "Other"}}})
	if diff := cmp.Diff(q, c.question(t, q.ID), sameTimes); diff != "" {
		t.Errorf("question (-asked +read):\n%s", diff)
	}
	want := []step{{"asked", "Cem Aydin", "slack, direct message", "", nil, map[string]any{"confidence": "high", "shown": []any{12.0, 3.0}}}}
	if diff := cmp.Diff(want, steps(t, history(t, c.DB, storage.OfQuestion, int64(q.ID)))); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}

	// One that nothing was found for, asked elsewhere.
	none := c.ask(t, storage.Question{Text: "my lamp hums", Confidence: "none"})
	if got := c.question(t, none.ID); got.Thread != 0 || len(got.Shown) != 0 || len(got.Hits) != 0 || got.Outcome != storage.StillOpen || got.Version != 1 {
		t.Errorf("an unanswered question reads %+v", got)
	}
	in := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Question, error) {
		return tx.ThreadQuestions(ctx, thread)
	})
	if len(in) != 1 || in[0].ID != q.ID {
		t.Errorf("questions of the thread: %+v", in)
	}
	if err := c.View(t.Context(), func(tx *storage.Tx) error { _, err := tx.Question(t.Context(), 99); return err }); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a question that there is not: %v, want ErrNotFound", err)
	}
}

func TestQuestionEnds(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	article := c.put(t, vpnArticle()).ID
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	tests := []struct {
		name string
		end  storage.Question
	}{
		{"solved by an article", storage.Question{Outcome: storage.Solved, Article: article}},
		{"with a ticket", storage.Question{Outcome: storage.WentTicket, Ticket: tk.ID}},
		{"with a person", storage.Question{Outcome: storage.WentPerson, Ticket: tk.ID}},
		{"in silence", storage.Question{Outcome: storage.Silent}},
	}
	for _, tt := range tests {
		asked := c.ask(t, storage.Question{Text: "no sound", Confidence: "low"})
		q := asked
		q.Outcome, q.Article, q.Ticket = tt.end.Outcome, tt.end.Article, tt.end.Ticket
		ended, err := c.end(t, q, noon.Add(time.Hour))
		if err != nil {
			t.Errorf("ends %s: %v", tt.name, err)
			continue
		}
		got := c.question(t, q.ID)
		if diff := cmp.Diff(ended, got, sameTimes, cmpopts.EquateEmpty()); diff != "" || got.EndedAt == nil || !got.EndedAt.Equal(noon.Add(time.Hour)) || got.Version != 2 {
			t.Errorf("ends %s at %v as version %d (-returned +read):\n%s", tt.name, got.EndedAt, got.Version, diff)
		}
		if got, want := actions(history(t, c.DB, storage.OfQuestion, int64(q.ID))), []string{"asked", "question." + string(q.Outcome)}; !slices.Equal(got, want) {
			t.Errorf("record of one that ends %s = %v, want %v", tt.name, got, want)
		}

		// Not after all: it goes on.
		ended.Outcome, ended.Article, ended.Ticket = storage.StillOpen, 0, 0
		if _, err := c.end(t, ended, noon.Add(2*time.Hour)); err != nil {
			t.Errorf("goes on after it had ended %s: %v", tt.name, err)
		}
		if got := c.question(t, q.ID); got.Outcome != storage.StillOpen || got.EndedAt != nil || got.Article != 0 || got.Ticket != 0 {
			t.Errorf("goes on after it had ended %s: %+v", tt.name, got)
		}

		// Who saw the first version only is too late, without a trace.
		before := rowsIn(t, c.DB, "audit")
		if _, err := c.end(t, q, noon); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("ends %s by a stale card: %v, want ErrConflict", tt.name, err)
		}
		if n := rowsIn(t, c.DB, "audit"); n != before {
			t.Errorf("a stale card left %d entries in the record", n-before)
		}
	}
}

func TestEndsThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	for name, tt := range map[string]struct {
		outcome    storage.Outcome
		constraint string
	}{
		"solved by no article":      {storage.Solved, "questions_solved_by_article"},
		"a ticket that is none":     {storage.WentTicket, "questions_ticket"},
		"a person without a ticket": {storage.WentPerson, "questions_ticket"},
		"forgotten":                 {"forgotten", "questions_outcome_check"},
	} {
		q := c.ask(t, storage.Question{Text: "no sound", Confidence: "none"})
		q.Outcome = tt.outcome
		_, err := c.end(t, q, noon)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != tt.constraint {
			t.Errorf("%s: %v, want it refused by %s", name, err, tt.constraint)
		}
	}
}

func TestQuestionIsReworded(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	asked := c.ask(t, storage.Question{Text: "vnp drops", Confidence: "none"})
	reword := func(q storage.Question) error {
		return c.InTx(t.Context(), func(tx *storage.Tx) error {
			return tx.RewordQuestion(t.Context(), q, "vnp drops", "slack, direct message", noon.Add(time.Minute))
		})
	}
	q := asked
	q.Text, q.Confidence, q.Shown, q.Hits = "vpn drops", "high", []knowledge.ArticleID{12}, []knowledge.Hit{{Article: 12, Title: "Keep the VPN connected"}}
	if err := reword(q); err != nil {
		t.Fatal(err)
	}
	q.Version = 2
	if diff := cmp.Diff(q, c.question(t, q.ID), sameTimes); diff != "" {
		t.Errorf("question (-want +got):\n%s", diff)
	}
	last := steps(t, history(t, c.DB, storage.OfQuestion, int64(q.ID)))[1]
	if last.Action != "question.edited" || last.Before["text"] != "vnp drops" || last.After["text"] != "vpn drops" {
		t.Errorf("record of it: %+v", last)
	}
	if err := reword(asked); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("rewording what has changed since: %v, want ErrConflict", err)
	}
}
