package storage_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func vpnArticle() knowledge.Article {
	return knowledge.Article{Slug: "vpn", Title: "Keep the VPN connected", Symptom: "the vpn drops", Environment: "Windows 11",
		Answer: "1. Turn off power saving.", Cause: "The card sleeps.", Audience: []string{knowledge.Everyone}, Language: "en",
		Tags: []string{"vpn", "wifi"}, Owner: "ana@harbour.example", ReviewBy: noon.AddDate(1, 0, 0), State: knowledge.Published, KnownError: true}
}

func (c *company) put(t *testing.T, a knowledge.Article) knowledge.Article {
	t.Helper()
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		a, _, _, err = tx.PutArticle(ctx, a, c.ana, "test", noon)
		return err
	})
	return a
}

func TestPutArticle(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	type outcome struct{ Created, Changed bool }
	put := func(a knowledge.Article, at time.Time) (stored knowledge.Article, o outcome) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			stored, o.Created, o.Changed, err = tx.PutArticle(ctx, a, c.ana, "deskhand kb import", at)
			return err
		})
		return stored, o
	}
	seq := func() int64 {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (int64, error) { return tx.ArticleSeq(ctx) })
	}
	read := func(id knowledge.ArticleID) knowledge.Article {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (map[knowledge.ArticleID]knowledge.Article, error) {
			return tx.Articles(ctx, id)
		})[id]
	}

	first, o := put(vpnArticle(), noon)
	if o != (outcome{true, true}) || first.ID == 0 || first.Seq != 1 || seq() != 1 {
		t.Errorf("a new article: %+v, number %d, change %d of %d", o, first.ID, first.Seq, seq())
	}
	want := vpnArticle()
	want.ID, want.Seq, want.UpdatedAt = first.ID, 1, noon
	if diff := cmp.Diff(want, read(first.ID), sameTimes); diff != "" {
		t.Errorf("article (-put +read):\n%s", diff)
	}

	same, o := put(vpnArticle(), noon.Add(time.Hour))
	if o != (outcome{}) || same.ID != first.ID || same.Seq != 1 || !same.UpdatedAt.Equal(noon) || seq() != 1 {
		t.Errorf("the same article again: %+v, change %d of %d at %v", o, same.Seq, seq(), same.UpdatedAt)
	}
	for i, change := range []func(*knowledge.Article){
		func(a *knowledge.Article) { a.Title += "!" },
		func(a *knowledge.Article) { a.Symptom += "!" },
		func(a *knowledge.Article) { a.Environment = "" },
		func(a *knowledge.Article) { a.Answer += "!" },
		func(a *knowledge.Article) { a.Cause = "" },
		func(a *knowledge.Article) { a.Audience = []string{"it", "finance"} },
		func(a *knowledge.Article) { a.Audience = []string{"it finance"} },
		func(a *knowledge.Article) { a.Language = "de" },
		func(a *knowledge.Article) { a.Tags = nil },
		func(a *knowledge.Article) { a.Owner = "" },
		func(a *knowledge.Article) { a.ReviewBy = time.Time{} },
		func(a *knowledge.Article) { a.State = knowledge.Retired },
		func(a *knowledge.Article) { a.KnownError = false },
	} {
		a := read(first.ID)
		change(&a)
		got, o := put(a, noon.Add(time.Duration(i)*time.Hour))
		if o != (outcome{Changed: true}) || got.ID != first.ID || got.Seq != int64(i+2) || seq() != got.Seq {
			t.Errorf("change %d: %+v, change %d of %d", i, o, got.Seq, seq())
		}
		if _, o := put(a, noon); o != (outcome{}) {
			t.Errorf("change %d is not kept: put again it changes something", i)
		}
	}
	entries := steps(t, history(t, c.DB, storage.OfArticle, int64(first.ID)))
	if len(entries) != 14 {
		t.Errorf("record of it: %d entries, want one for each change", len(entries))
	}
}

func TestCountsPublishedArticles(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	for i, state := range []knowledge.State{knowledge.Published, knowledge.Draft, knowledge.Retired, knowledge.Published} {
		a := vpnArticle()
		a.Slug, a.State = fmt.Sprint(i), state
		c.put(t, a)
	}
	if n := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (int, error) { return tx.CountArticles(ctx) }); n != 2 {
		t.Errorf("%d articles are published, want 2", n)
	}
}

func TestEveryRecordHasItsOwnName(t *testing.T) {
	t.Parallel()
	name := func(db *storage.DB) string {
		return view(t, db, func(ctx context.Context, tx *storage.Tx) (string, error) { return tx.Record(ctx) })
	}
	db := pgtest.New(t)
	if a, b := name(db), name(db); a != b || a == "" {
		t.Errorf("a record is called %q, then %q", a, b)
	}
}

// Whoever has read the changes up to n has read all changes up to n, also when
// many are made at once: an index that follows them misses nothing.
func TestReadersOfArticlesMissNothing(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	const writers, each = 6, 15
	var writing sync.WaitGroup
	done := make(chan struct{})
	var g errgroup.Group
	for w := range writers {
		writing.Add(1)
		g.Go(func() error {
			defer writing.Done()
			for i := range each {
				err := c.InTx(t.Context(), func(tx *storage.Tx) error {
					// Several in one transaction, some of them the same articles as the others'.
					for _, slug := range []string{fmt.Sprintf("own-%d-%d", w, i), fmt.Sprintf("shared-%d", i%3)} {
						a := vpnArticle()
						a.Slug, a.Title = slug, fmt.Sprintf("%d %d", w, i)
						if _, _, _, err := tx.PutArticle(t.Context(), a, c.ana, "test", noon); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	go func() { writing.Wait(); close(done) }()

	index, at := map[knowledge.ArticleID]knowledge.Article{}, int64(0)
	follow := func() (read int) {
		changes := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Article, error) {
			return tx.ArticlesSince(ctx, at, 7)
		})
		for _, a := range changes {
			if a.Seq <= at {
				t.Fatalf("change %d comes after %d", a.Seq, at)
			}
			index[a.ID], at = a, a.Seq
		}
		return len(changes)
	}
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		follow()
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for follow() > 0 {
	}
	whole := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Article, error) {
		return tx.ArticlesSince(ctx, 0, 1000)
	})
	if len(whole) != writers*each+3 || len(index) != len(whole) {
		t.Fatalf("%d articles on record, %d in the index, want %d", len(whole), len(index), writers*each+3)
	}
	seqs := map[int64]bool{}
	for _, a := range whole {
		if diff := cmp.Diff(a, index[a.ID], sameTimes); diff != "" {
			t.Errorf("the index missed a change (-record +index):\n%s", diff)
		}
		seqs[a.Seq] = true
		created := 0
		for _, action := range actions(history(t, c.DB, storage.OfArticle, int64(a.ID))) {
			if action == "article.created" {
				created++
			}
		}
		if created != 1 {
			t.Errorf("%s was created %d times", a.Slug, created)
		}
	}
	if len(seqs) != len(whole) {
		t.Errorf("%d changes share %d numbers", len(whole), len(seqs))
	}
	if newest := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (int64, error) { return tx.ArticleSeq(ctx) }); newest != at {
		t.Errorf("the newest change is %d, the index is at %d", newest, at)
	}
	if !slices.IsSortedFunc(whole, func(a, b knowledge.Article) int { return int(a.Seq - b.Seq) }) {
		t.Error("changes come out of order")
	}
}
