package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// ArticleSource is who wrote an article last, and what for. The zero value is
// that of an imported one.
type ArticleSource struct {
	Author people.PersonID `db:"author_id"`
	Ticket ticket.ID       `db:"ticket_id"`
	Gap    GapID           `db:"gap_id"`
}

// ArticleForUpdate returns an article and locks it until tx ends.
func (tx *Tx) ArticleForUpdate(ctx context.Context, id knowledge.ArticleID) (knowledge.Article, error) {
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where id = $1 for update`, id)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[articleRow])
	if err != nil {
		return knowledge.Article{}, fmt.Errorf("article %s: %w", id.Ref(), notFound(err))
	}
	return r.article(), nil
}

// SlugTaken tells whether there is an article of this slug.
func (tx *Tx) SlugTaken(ctx context.Context, slug string) (taken bool, err error) {
	if err = tx.QueryRow(ctx, `select exists (select from articles where slug = $1)`, slug).Scan(&taken); err != nil {
		err = fmt.Errorf("article %s: %w", slug, err)
	}
	return taken, err
}

// ArticlesIn are the newest articles in these states, at most limit.
func (tx *Tx) ArticlesIn(ctx context.Context, limit int, states ...knowledge.State) ([]knowledge.Article, error) {
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where state = any($1) order by updated_at desc, id desc limit $2`, states, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[articleRow])
	if err != nil {
		return nil, fmt.Errorf("articles in %v: %w", states, err)
	}
	all := make([]knowledge.Article, len(found))
	for i, r := range found {
		all[i] = r.article()
	}
	return all, nil
}

// DraftsNamed are articles that are being written, and whose titles have all the
// words, the newest first, at most limit.
func (tx *Tx) DraftsNamed(ctx context.Context, words string, limit int) ([]knowledge.Article, error) {
	like := []string{}
	for _, w := range strings.Fields(words) {
		like = append(like, "%"+likeEscaper.Replace(w)+"%")
	}
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where state in ('draft', 'reviewed') and title ilike all($1)
		order by updated_at desc, id desc limit $2`, like, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[articleRow])
	if err != nil {
		return nil, fmt.Errorf("drafts named %q: %w", words, err)
	}
	all := make([]knowledge.Article, len(found))
	for i, r := range found {
		all[i] = r.article()
	}
	return all, nil
}

// likeEscaper has Postgres take a text as it stands within like.
var likeEscaper = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// ArticleFrom is the article that was made of a ticket; 0 if there is none.
func (tx *Tx) ArticleFrom(ctx context.Context, id ticket.ID) (a knowledge.ArticleID, err error) {
	err = tx.QueryRow(ctx, `select article_id from article_sources where ticket_id = $1`, id).Scan(&a)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("article of ticket %d: %w", id, err)
	}
	return a, nil
}

// ArticleSource is where an article comes from.
func (tx *Tx) ArticleSource(ctx context.Context, id knowledge.ArticleID) (ArticleSource, error) {
	rows, _ := tx.Query(ctx, `select author_id, coalesce(ticket_id, 0) as ticket_id, coalesce(gap_id, 0) as gap_id from article_sources where article_id = $1`, id)
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ArticleSource])
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("source of %s: %w", id.Ref(), err)
	}
	return s, nil
}

// PutArticleSource keeps it; what an article was begun for stays.
func (tx *Tx) PutArticleSource(ctx context.Context, id knowledge.ArticleID, s ArticleSource, at time.Time) error {
	return tx.later(ctx, failing("source of %s", id.Ref()), `
		insert into article_sources (article_id, author_id, ticket_id, gap_id, written_at) values ($1, $2, nullif($3::bigint, 0), nullif($4::bigint, 0), $5)
		on conflict (article_id) do update set author_id = excluded.author_id, written_at = excluded.written_at`, id, s.Author, s.Ticket, s.Gap, at)
}
