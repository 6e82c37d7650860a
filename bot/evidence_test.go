package bot_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// learnt is a log handler that tells when an index has learnt something.
type learnt struct {
	slog.Handler
	told chan struct{}
}

func (h learnt) Enabled(context.Context, slog.Level) bool { return true }
func (h learnt) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelDebug {
		h.told <- struct{}{}
	}
	return nil
}

func TestASecondProcessFollowsWithinASecond(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.New(t), t.Context()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var who people.PersonID
	ids := map[string]knowledge.ArticleID{}
	in := func(f func(tx *storage.Tx) error) {
		t.Helper()
		if err := db.InTx(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	in(func(tx *storage.Tx) error {
		for _, title := range []string{"Screen upstairs stays dark", "Screen outdoors stays dark"} {
			a, _, _, err := tx.PutArticle(ctx, knowledge.Article{Slug: title[7:15], Title: title, Symptom: "The screen is dark.", Answer: "Press its button.",
				Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}, 0, "test", at)
			if err != nil {
				return err
			}
			ids[title] = a.ID
		}
		return tx.QueryRow(ctx, `insert into people (name, guest) values ('Ana', true) returning id`).Scan(&who)
	})
	second, err := kb.Open(kb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bot.CatchUp(ctx, db, second, nil); err != nil {
		t.Fatal(err)
	}
	order := func(q string) (first []knowledge.ArticleID) {
		t.Helper()
		found, err := second.Rank(ctx, kb.Query{Text: q, At: at})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			first = append(first, r.Article)
		}
		return first
	}
	const asked = "my screen is dark"
	before := order(asked)
	told := make(chan struct{}, 100)
	following, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- bot.FollowEvidence(following, db, second, slog.New(learnt{slog.DiscardHandler, told}))
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = second.Close()
	}()

	began := time.Now()
	in(func(tx *storage.Tx) error { // what "Solved it" does, wherever it was pressed
		for range 3 {
			q, err := tx.AskQuestion(ctx, storage.Question{Person: who, Text: asked, AskedAt: at, Confidence: "low", Shown: before}, "test")
			if err != nil {
				return err
			}
			q.Outcome, q.Article = storage.Solved, before[1]
			if _, err := tx.EndQuestion(ctx, q, who, "test", at); err != nil {
				return err
			}
		}
		return nil
	})
	for after := order(asked); after[0] != before[1]; after = order(asked) {
		select {
		case <-told:
		case <-time.After(10 * time.Second):
			t.Fatalf("the order is still %v", after)
		}
	}
	took := time.Since(began)
	t.Logf("in force after %v", took)
	if took > 3*time.Second { // a second is promised where the machine has nothing else to do
		t.Errorf("in force after %v", took)
	}
}

func TestSynonymsReachEveryProcess(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.New(t), t.Context()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var a knowledge.Article
	if err := db.InTx(ctx, func(tx *storage.Tx) (err error) {
		a, _, _, err = tx.PutArticle(ctx, knowledge.Article{Slug: "vpn", Title: "Keep the VPN connected", Symptom: "The VPN drops.", Answer: "Switch power saving off.",
			Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}, 0, "test", at)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", t.TempDir()} {
		x, err := kb.Open(kb.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		finds := func() bool {
			t.Helper()
			if err := bot.CatchUp(ctx, db, x, nil); err != nil {
				t.Fatal(err)
			}
			found, err := x.Rank(ctx, kb.Query{Text: "blue tunnel"})
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(found, func(r kb.Ranked) bool { return r.Article == a.ID })
		}
		if finds() {
			t.Fatal("it is found before anybody said what the words mean")
		}
		var id storage.SynonymID
		if err := db.InTx(ctx, func(tx *storage.Tx) (err error) {
			id, err = tx.AddSynonym(ctx, knowledge.Synonym{Term: "vpn", Synonym: "blue tunnel"}, 0, "test", at)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !finds() {
			t.Error("it is not found by its synonym")
		}
		if err := db.InTx(ctx, func(tx *storage.Tx) error { return tx.RemoveSynonym(ctx, id, 0, "test", at) }); err != nil {
			t.Fatal(err)
		}
		if finds() {
			t.Error("it is found by a synonym that was taken out")
		}
	}
}
