package bot

import (
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestTrainingWaitsForTheArticles(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.New(t), t.Context()
	index, err := kb.Open(kb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = index.Close() }()
	if !indexed(ctx, db, index) {
		t.Error("it waits for articles where there are none")
	}
	if err := db.InTx(ctx, func(tx *storage.Tx) error {
		_, _, _, err := tx.PutArticle(ctx, knowledge.Article{Slug: "screen", Title: "Screen stays dark", Symptom: "The screen is dark.", Answer: "Press its button.",
			Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}, 0, "test", time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if indexed(ctx, db, index) {
		t.Error("it does not wait for an article that is not in the index")
	}
	if err := CatchUp(ctx, db, index, nil); err != nil {
		t.Fatal(err)
	}
	if !indexed(ctx, db, index) {
		t.Error("it waits for an article that is in the index")
	}
}
