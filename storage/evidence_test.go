package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// told is evidence without what differs from run to run.
type told struct {
	Text           string
	Helped, Undone bool
}

func TestEvidenceFollowsWhatBecomesOfQuestions(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	db := c.DB
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	var printer knowledge.ArticleID
	mustTx(t, db, func(tx *storage.Tx) error {
		a, _, _, err := tx.PutArticle(t.Context(), knowledge.Article{Slug: "printer", Title: "Printer", Symptom: "s", Answer: "a",
			Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}, c.cem, "test", at)
		printer = a.ID
		return err
	})
	ask := func(text string) (q storage.Question) {
		mustTx(t, db, func(tx *storage.Tx) (err error) {
			q, err = tx.AskQuestion(t.Context(), storage.Question{Person: c.ana, Text: text, AskedAt: at, Confidence: "low",
				Shown: []knowledge.ArticleID{printer}}, "test")
			return err
		})
		return q
	}
	end := func(q storage.Question, o storage.Outcome) storage.Question {
		mustTx(t, db, func(tx *storage.Tx) (err error) {
			if q.Outcome, q.Article = o, 0; o == storage.Solved {
				q.Article = printer
			}
			q, err = tx.EndQuestion(t.Context(), q, c.ana, "test", at)
			return err
		})
		return q
	}
	since := func(seq int64) (out []told, last int64) {
		if err := db.NumberEvidence(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustTx(t, db, func(tx *storage.Tx) error {
			all, err := tx.EvidenceSince(t.Context(), seq, 10)
			for _, e := range all {
				out, last = append(out, told{e.Text, e.Helped, e.Undone}), e.Seq
			}
			return err
		})
		return out, last
	}

	q := end(ask("no paper comes out"), storage.Solved)
	got, seq := since(0)
	if diff := cmp.Diff([]told{{"no paper comes out", true, false}}, got); diff != "" {
		t.Errorf("after Solved it (-want +got):\n%s", diff)
	}
	end(q, storage.StillOpen)
	got, seq = since(seq)
	if diff := cmp.Diff([]told{{"no paper comes out", true, true}}, got); diff != "" {
		t.Errorf("after it came back (-want +got):\n%s", diff)
	}
	end(ask("stripes on paper"), storage.Solved)
	_, seq = since(seq)
	var n int64
	mustTx(t, db, func(tx *storage.Tx) (err error) {
		n, err = tx.ForgetEvidence(t.Context(), printer, at.Add(-time.Hour), c.cem, "test", at.Add(time.Hour))
		return err
	})
	if n != 1 {
		t.Errorf("forgot %d pieces, want 1: what came back does not count anyway", n)
	}
	got, seq = since(seq)
	if diff := cmp.Diff([]told{{"stripes on paper", true, true}}, got); diff != "" {
		t.Errorf("after an admin took it out (-want +got):\n%s", diff)
	}
	mustTx(t, db, func(tx *storage.Tx) (err error) {
		n, err = tx.RecallEvidence(t.Context(), printer, at.Add(time.Hour), c.cem, "test", at.Add(2*time.Hour))
		return err
	})
	if got, _ = since(seq); n != 1 || len(got) != 1 || got[0].Undone {
		t.Errorf("recalled %d pieces: %v, want the one to count again", n, got)
	}
}

// Whoever has read up to a number has missed nothing before it, whatever was
// being committed meanwhile.
func TestEvidenceIsNumberedAsItIsCommitted(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	number := func() {
		t.Helper()
		if err := c.NumberEvidence(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	numbers := func() (all []int64) {
		t.Helper()
		for _, e := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Evidence, error) {
			return tx.EvidenceSince(ctx, 0, 100)
		}) {
			all = append(all, e.Past.Ticket(), e.Seq)
		}
		return all
	}
	var ids []int64
	for range 3 {
		ids = append(ids, int64(c.open(t, c.draft(ticket.Incident, "No sound"), noon).ID))
	}
	const add = `insert into evidence (ticket_id, helped, at) values ($1, true, now())`
	slow, err := c.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Rollback(t.Context()) //nolint:errcheck // it has been committed
	if _, err := slow.Exec(t.Context(), add, ids[0]); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[1:] { // nobody waits for the first
		if _, err := c.Pool().Exec(t.Context(), add, id); err != nil {
			t.Fatal(err)
		}
	}
	number()
	number()
	if diff := cmp.Diff([]int64{ids[1], 1, ids[2], 2}, numbers()); diff != "" {
		t.Errorf("before the first is committed (-want +got):\n%s", diff)
	}
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pool().Exec(t.Context(), `update evidence set helped = false where ticket_id = $1`, ids[1]); err != nil {
		t.Fatal(err)
	}
	newest := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (int64, error) {
		_, newest, err := tx.EvidenceFrom(ctx, 1)
		return newest, err
	})
	number()
	if diff := cmp.Diff([]int64{ids[2], 2, ids[0], 3, ids[1], 4}, numbers()); diff != "" || newest != 4 {
		t.Errorf("after it, with a change of the second; the newest was to be %d (-want +got):\n%s", newest, diff)
	}
}

func mustTx(t *testing.T, db *storage.DB, f func(*storage.Tx) error) {
	t.Helper()
	if err := db.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
