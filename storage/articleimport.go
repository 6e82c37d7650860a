package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Provenance is what an article is called where it came from.
type Provenance struct {
	Source  string              `db:"source"`
	Key     string              `db:"key"`
	Article knowledge.ArticleID `db:"article_id"`
	Slug    string              `db:"slug"`
}

// Provenances say where articles came from, all or those of some articles.
func (tx *Tx) Provenances(ctx context.Context, of ...knowledge.ArticleID) ([]Provenance, error) {
	rows, _ := tx.Query(ctx, `
		select s.source, s.key, s.article_id, a.slug from article_imports s join articles a on a.id = s.article_id
		where cardinality($1::bigint[]) = 0 or s.article_id = any($1) order by s.source, s.key`, orEmpty(of))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Provenance])
	if err != nil {
		return nil, fmt.Errorf("article sources: %w", err)
	}
	return found, nil
}

// IncomingArticle is an article from elsewhere. Without a number that it would
// like to have its ID is 0.
type IncomingArticle struct {
	knowledge.Article
	Source, Key string
	Also        [][2]string // further sources and keys that it is known by
	// ReviewFromToday tells that the day of its review is counted from that of
	// the import: alone it is no change.
	ReviewFromToday bool
	Pictures        []ArticlePicture
}

// ArticlePicture is a picture that an answer shows.
type ArticlePicture struct {
	Name string
	Data []byte
}

// Arrival is what came of an article's import.
type Arrival struct {
	knowledge.Article
	New, Changed bool
	// Conflicts names what was changed on the desk and at the source, each its
	// own way. Then nothing is changed.
	Conflicts []string
	Number    bool // it has another number than it wanted: that one is taken
}

// ImportHow is how articles are imported.
type ImportHow struct {
	Overwrite bool // take the source's word also for what was changed on the desk
	Look      bool // only tell what would come of it, and use up no number
}

// ImportArticle stores an article from elsewhere, new or brought up to date,
// with its pictures and where it came from. What was changed on the desk since
// it came last stays.
func (tx *Tx) ImportArticle(ctx context.Context, in IncomingArticle, how ImportHow, via string, at time.Time) (Arrival, error) {
	fail := func(err error) (Arrival, error) {
		return Arrival{}, fmt.Errorf("import %s from %s: %w", in.Key, in.Source, err)
	}
	// Whoever stores articles holds this row, so two imports of the same take turns.
	if _, err := tx.Exec(ctx, `select from article_seq for update`); err != nil {
		return fail(err)
	}
	had, base, err := tx.imported(ctx, in)
	if err != nil {
		return fail(err)
	}
	there := in.Article
	there.ID, there.Slug = had.ID, had.Slug
	var out Arrival
	switch {
	case had.ID == 0:
		out = Arrival{Article: in.Article, New: true, Changed: true}
		if out.ID != 0 {
			if err := tx.QueryRow(ctx, `select exists (select from articles where id = $1)`, out.ID).Scan(&out.Number); err != nil {
				return fail(err)
			}
			if out.Number {
				out.ID = 0
			}
		}
	default:
		if in.ReviewFromToday {
			was := had
			if base != nil {
				was = *base
			}
			dated := there
			if dated.ReviewBy = was.ReviewBy; dated.Says(was) {
				there = dated
			}
		}
		if how.Overwrite {
			out.Article = knowledge.Adopt(had, there)
		} else if out.Article, out.Conflicts = knowledge.Merge(base, had, there); len(out.Conflicts) > 0 {
			return out, nil
		}
		out.Changed = !out.Says(had)
	}
	if how.Look {
		return out, nil
	}
	if out.Changed {
		if out.Article, err = tx.writeArticle(ctx, had, out.Article, 0, via, at); err != nil {
			return fail(err)
		}
	}
	if err := tx.keepPictures(ctx, out.Article, in.Pictures); err != nil {
		return fail(err)
	}
	there.ID, there.Slug, there.Seq, there.UpdatedAt = 0, "", 0, time.Time{}
	came, err := json.Marshal(there)
	if err != nil {
		return fail(err)
	}
	// In the words of another source it may read differently: how it came from
	// there last is not known.
	return out, errors.Join(
		tx.later(ctx, failing("keep where %s came from", out.ID.Ref()), `
			insert into article_imports (source, key, article_id, base, imported_at) values ($1, $2, $3, $4, $5)
			on conflict (source, key) do update set article_id = excluded.article_id, base = excluded.base, imported_at = excluded.imported_at`,
			in.Source, in.Key, out.ID, came, at),
		tx.alsoFrom(ctx, out.ID, in.Also, at))
}

func (tx *Tx) alsoFrom(ctx context.Context, id knowledge.ArticleID, also [][2]string, at time.Time) error {
	for _, o := range also {
		if err := tx.later(ctx, failing("keep where %s came from", id.Ref()), `
			insert into article_imports (source, key, article_id, imported_at) values ($1, $2, $3, $4) on conflict (source, key) do nothing`,
			o[0], o[1], id, at); err != nil {
			return err
		}
	}
	return nil
}

// imported is the article that in is, locked, and how it came last; its ID is 0
// if it is new. What never came from anywhere is known by its slug.
func (tx *Tx) imported(ctx context.Context, in IncomingArticle) (had knowledge.Article, base *knowledge.Article, err error) {
	var id knowledge.ArticleID
	var came []byte
	err = tx.QueryRow(ctx, `select article_id, base from article_imports where source = $1 and key = $2`, in.Source, in.Key).Scan(&id, &came)
	for i := 0; errors.Is(err, pgx.ErrNoRows) && i < len(in.Also); i++ {
		err = tx.QueryRow(ctx, `select article_id from article_imports where source = $1 and key = $2`, in.Also[i][0], in.Also[i][1]).Scan(&id)
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return had, nil, err
	}
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where id = $1 or $1 = 0 and slug = $2 for update`, int64(id), in.Slug)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[articleRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return had, nil, nil
	}
	if err != nil {
		return had, nil, err
	}
	if came != nil {
		base = new(knowledge.Article)
		if err := json.Unmarshal(came, base); err != nil {
			return had, nil, err
		}
	}
	return r.article(), base, nil
}

// keepPictures stores the pictures that an article's answer shows.
func (tx *Tx) keepPictures(ctx context.Context, a knowledge.Article, pictures []ArticlePicture) error {
	shown := knowledge.Pictures(a.Answer)
	for _, p := range pictures {
		if !slices.Contains(shown, p.Name) {
			continue
		}
		if _, err := tx.Exec(ctx, `insert into article_pictures (article_id, name, data) values ($1, $2, $3) on conflict do nothing`,
			a.ID, p.Name, p.Data); err != nil {
			return fmt.Errorf("keep a picture of %s: %w", a.ID.Ref(), err)
		}
	}
	return nil
}

// ArticlePictures are the pictures of an article, by name.
func (tx *Tx) ArticlePictures(ctx context.Context, id knowledge.ArticleID) ([]ArticlePicture, error) {
	rows, _ := tx.Query(ctx, `select name, data from article_pictures where article_id = $1 order by name`, id)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[ArticlePicture])
	if err != nil {
		return nil, fmt.Errorf("pictures of %s: %w", id.Ref(), err)
	}
	return found, nil
}

// PictureRef names a picture of an article.
type PictureRef struct {
	Article knowledge.ArticleID
	Name    string
}

// ArticlePicture is a picture of an article, or ErrNotFound.
func (tx *Tx) ArticlePicture(ctx context.Context, of PictureRef) (ArticlePicture, error) {
	p := ArticlePicture{Name: of.Name}
	err := tx.QueryRow(ctx, `select data from article_pictures where article_id = $1 and name = $2`, of.Article, of.Name).Scan(&p.Data)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return p, fmt.Errorf("picture of %s: %w", of.Article.Ref(), err)
	}
	return p, nil
}
