package storage_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
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

func mustTx(t *testing.T, db *storage.DB, f func(*storage.Tx) error) {
	t.Helper()
	if err := db.InTx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}
