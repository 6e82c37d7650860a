package storage_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
)

const picture = "0123456789abcdef0123456789abcdef.png"

func TestImportArticle(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	at := noon
	bring := func(change func(*storage.IncomingArticle), overwrite bool) (out storage.Arrival) {
		t.Helper()
		in := storage.IncomingArticle{Article: vpnArticle(), Source: "confluence:IT", Key: "100"}
		change(&in)
		at = at.Add(time.Minute)
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			out, err = tx.ImportArticle(ctx, in, storage.ImportHow{Overwrite: overwrite}, "test", at)
			return err
		})
		return out
	}
	read := func(id knowledge.ArticleID) knowledge.Article {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (map[knowledge.ArticleID]knowledge.Article, error) {
			return tx.Articles(ctx, id)
		})[id]
	}
	pictures := func(id knowledge.ArticleID) (names []string) {
		for _, p := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.ArticlePicture, error) {
			return tx.ArticlePictures(ctx, id)
		}) {
			names = append(names, p.Name)
		}
		return names
	}
	as := func(change func(*storage.IncomingArticle)) func(*storage.IncomingArticle) { return change }
	withPicture := as(func(in *storage.IncomingArticle) {
		in.Answer = "See ![it](images/" + picture + ")"
		in.Pictures = []storage.ArticlePicture{{Name: picture, Data: []byte("png")}, {Name: "1123456789abcdef0123456789abcdef.png", Data: []byte("not shown")}}
	})

	first := bring(withPicture, false)
	if !first.New || first.ID == 0 || !slices.Equal(pictures(first.ID), []string{picture}) {
		t.Fatalf("a new article: %+v with %q", first, pictures(first.ID))
	}
	if again := bring(withPicture, false); again.Changed || again.ID != first.ID || again.Seq != first.Seq {
		t.Errorf("the same again: %+v", again)
	}
	renamed := bring(func(in *storage.IncomingArticle) { withPicture(in); in.Slug, in.Title = "other", "Another title" }, false)
	if renamed.ID != first.ID || !renamed.Changed || renamed.New || read(first.ID).Title != "Another title" || read(first.ID).Slug != "vpn" {
		t.Errorf("renamed at its source: %+v", renamed)
	}

	// The desk edits the cause; the source the title, then both the answer.
	edited := read(first.ID)
	edited.Cause = "the desk knows why"
	c.put(t, edited)
	both := bring(func(in *storage.IncomingArticle) { withPicture(in); in.Title = "Third title" }, false)
	if a := read(first.ID); !both.Changed || a.Title != "Third title" || a.Cause != "the desk knows why" {
		t.Errorf("edits of different parts are not both kept: %+v", a)
	}
	edited = read(first.ID)
	edited.Answer = "the desk knows better"
	edited = c.put(t, edited)
	if out := bring(func(in *storage.IncomingArticle) { withPicture(in); in.Title = "Third title" }, false); out.Changed || len(out.Conflicts) > 0 || read(first.ID).Answer != edited.Answer {
		t.Errorf("an edit on the desk does not stay: %+v", out)
	}
	newer := func(in *storage.IncomingArticle) { in.Title, in.Answer = "Fourth title", "the source knows more" }
	if out := bring(newer, false); !slices.Equal(out.Conflicts, []string{"answer"}) || out.Changed || read(first.ID).Title != "Third title" {
		t.Errorf("an edit on both sides: %+v, and the article is %+v", out, read(first.ID))
	}
	if out := bring(newer, true); !out.Changed || read(first.ID).Answer != "the source knows more" || len(pictures(first.ID)) != 0 {
		t.Errorf("the source's word taken: %+v with %q", out, pictures(first.ID))
	}
	if out := bring(newer, false); out.Changed || len(out.Conflicts) > 0 {
		t.Errorf("and again: %+v", out)
	}

	// Days that are counted from the import are no change.
	dated := func(days int, title string) func(*storage.IncomingArticle) {
		return func(in *storage.IncomingArticle) {
			newer(in)
			in.Title, in.ReviewBy, in.ReviewFromToday = title, noon.AddDate(0, 0, days), true
		}
	}
	bring(dated(180, "Fifth"), false)
	if out := bring(dated(181, "Fifth"), false); out.Changed {
		t.Errorf("a day later: %+v", out)
	}
	if out := bring(dated(182, "Sixth"), false); !out.Changed || !read(first.ID).ReviewBy.Equal(noon.AddDate(0, 0, 182)) {
		t.Errorf("changed two days later: %+v", out)
	}

	// Known by where it came from before, by the slug, or by the number it asks for.
	moved := bring(func(in *storage.IncomingArticle) {
		dated(182, "Sixth")(in)
		in.Source, in.Key, in.Slug, in.Also = "markdown", "moved", "moved", [][2]string{{"confluence:IT", "100"}, {"zendesk", "7"}}
	}, false)
	if moved.ID != first.ID || moved.New {
		t.Errorf("an article that says where it came from is %+v, want %d", moved, first.ID)
	}
	if z := bring(func(in *storage.IncomingArticle) { dated(182, "Seventh")(in); in.Source, in.Key = "zendesk", "7" }, false); z.ID != first.ID || !slices.Equal(z.Conflicts, []string{"title"}) {
		t.Errorf("from where nobody knows how it came last: %+v, want a conflict", z)
	}
	numbered := bring(func(in *storage.IncomingArticle) { in.Source, in.Key, in.Slug, in.ID = "markdown", "n", "n", 31 }, false)
	if numbered.ID != 31 || numbered.Number {
		t.Errorf("an article that asks for number 31: %+v", numbered)
	}
	if next := bring(func(in *storage.IncomingArticle) { in.Source, in.Key, in.Slug, in.ID = "markdown", "m", "m", 31 }, false); next.ID != 32 || !next.Number {
		t.Errorf("another one that asks for it: %+v", next)
	}

	sources := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Provenance, error) {
		return tx.Provenances(ctx, first.ID)
	})
	want := []storage.Provenance{{"confluence:IT", "100", first.ID, "vpn"}, {"markdown", "moved", first.ID, "vpn"}, {"zendesk", "7", first.ID, "vpn"}}
	if diff := cmp.Diff(want, sources); diff != "" {
		t.Errorf("where it came from (-want +got):\n%s", diff)
	}
	if n := len(steps(t, history(t, c.DB, storage.OfArticle, int64(first.ID)))); n != 8 {
		t.Errorf("its record has %d steps, want one for each of 8 changes", n)
	}
	err := c.View(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.ArticlePicture(t.Context(), storage.PictureRef{Article: first.ID, Name: picture})
		return err
	})
	if !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a picture that is not shown any more: %v, want ErrNotFound", err)
	}
}
