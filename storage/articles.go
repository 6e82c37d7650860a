package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
)

type articleRow struct {
	ID          knowledge.ArticleID `db:"id"`
	Slug        string              `db:"slug"`
	Title       string              `db:"title"`
	Symptom     string              `db:"symptom"`
	Environment string              `db:"environment"`
	Answer      string              `db:"answer"`
	Cause       string              `db:"cause"`
	Audience    []string            `db:"audience"`
	Language    string              `db:"language"`
	Tags        []string            `db:"tags"`
	Owner       string              `db:"owner"`
	ReviewBy    *time.Time          `db:"review_by"`
	State       knowledge.State     `db:"state"`
	KnownError  bool                `db:"known_error"`
	UpdatedAt   time.Time           `db:"updated_at"`
	Seq         int64               `db:"seq"`
}

const articleColumns = `id, slug, title, symptom, environment, answer, cause, audience, language, tags, owner,
	review_by, state, known_error, updated_at, seq`

func (r articleRow) article() knowledge.Article {
	return knowledge.Article{
		ID: r.ID, Slug: r.Slug, Title: r.Title, Symptom: r.Symptom, Environment: r.Environment, Answer: r.Answer,
		Cause: r.Cause, Audience: r.Audience, Language: r.Language, Tags: r.Tags, Owner: r.Owner,
		ReviewBy: orZero(r.ReviewBy), State: r.State, KnownError: r.KnownError, UpdatedAt: r.UpdatedAt, Seq: r.Seq,
	}
}

// Articles are the articles with these numbers, by number.
func (tx *Tx) Articles(ctx context.Context, ids ...knowledge.ArticleID) (map[knowledge.ArticleID]knowledge.Article, error) {
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where id = any($1)`, ids)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[articleRow])
	if err != nil {
		return nil, fmt.Errorf("articles: %w", err)
	}
	m := make(map[knowledge.ArticleID]knowledge.Article, len(found))
	for _, r := range found {
		m[r.ID] = r.article()
	}
	return m, nil
}

// ArticlesSince are articles changed after seq, in the order of their changes,
// at most limit. An index that has taken them is at the Seq of the last.
func (tx *Tx) ArticlesSince(ctx context.Context, seq int64, limit int) ([]knowledge.Article, error) {
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where seq > $1 order by seq limit $2`, seq, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[articleRow])
	if err != nil {
		return nil, fmt.Errorf("articles since %d: %w", seq, err)
	}
	all := make([]knowledge.Article, len(found))
	for i, r := range found {
		all[i] = r.article()
	}
	return all, nil
}

// ArticleSeq is the number of the newest change of any article.
func (tx *Tx) ArticleSeq(ctx context.Context) (int64, error) {
	var seq int64
	if err := tx.QueryRow(ctx, `select seq from article_seq`).Scan(&seq); err != nil {
		return 0, fmt.Errorf("article sequence: %w", err)
	}
	return seq, nil
}

// Record names this database among all desks' databases.
func (tx *Tx) Record(ctx context.Context) (string, error) {
	var id string
	if err := tx.QueryRow(ctx, `select record::text from article_seq`).Scan(&id); err != nil {
		return "", fmt.Errorf("record: %w", err)
	}
	return id, nil
}

// CountArticles is how many articles are published.
func (tx *Tx) CountArticles(ctx context.Context) (int, error) {
	var n int
	if err := tx.QueryRow(ctx, `select count(*) from articles where state = 'published'`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count articles: %w", err)
	}
	return n, nil
}

// PutArticle stores an article under its slug, new or changed, and tells
// which: changed is false if it was there word for word.
func (tx *Tx) PutArticle(ctx context.Context, a knowledge.Article, by people.PersonID, via string, at time.Time) (stored knowledge.Article, created, changed bool, err error) {
	fail := func(err error) (knowledge.Article, bool, bool, error) {
		return a, false, false, fmt.Errorf("put article %s: %w", a.Slug, err)
	}
	had, created, err := tx.articleToPut(ctx, a.Slug)
	if err != nil {
		return fail(err)
	}
	if a.ID = had.ID; !created && had.Says(a) {
		return had, false, false, nil
	}
	a, err = tx.writeArticle(ctx, had, a, by, via, at)
	return a, created, true, err
}

// writeArticle stores a in the place of had, whose ID is 0 if there was none;
// then a's is the number that it gets, or 0 for the next.
func (tx *Tx) writeArticle(ctx context.Context, had, a knowledge.Article, by people.PersonID, via string, at time.Time) (knowledge.Article, error) {
	fail := func(err error) (knowledge.Article, error) {
		return a, fmt.Errorf("put article %s: %w", a.Slug, err)
	}
	numbered := had.ID == 0 && a.ID != 0
	if err := tx.QueryRow(ctx, `update article_seq set seq = seq + 1 returning seq`).Scan(&a.Seq); err != nil {
		return fail(err)
	}
	a.UpdatedAt = at
	tags := a.Tags
	if tags == nil {
		tags = []string{}
	}
	err := tx.QueryRow(ctx, `
		insert into articles (id, slug, title, symptom, environment, answer, cause, audience, language, tags, owner,
			review_by, state, known_error, updated_at, seq)
		overriding system value
		values (coalesce(nullif(@id, 0), nextval(pg_get_serial_sequence('articles', 'id'))), @slug, @title, @symptom, @environment, @answer, @cause, @audience, @language, @tags, @owner,
			@review_by, @state, @known_error, @at, @seq)
		on conflict (slug) do update set title = excluded.title, symptom = excluded.symptom,
			environment = excluded.environment, answer = excluded.answer, cause = excluded.cause, audience = excluded.audience,
			language = excluded.language, tags = excluded.tags, owner = excluded.owner, review_by = excluded.review_by,
			state = excluded.state, known_error = excluded.known_error, updated_at = excluded.updated_at, seq = excluded.seq
		returning id`,
		named{"id": int64(a.ID), "slug": a.Slug, "title": a.Title, "symptom": a.Symptom, "environment": a.Environment,
			"answer": a.Answer, "cause": a.Cause, "audience": a.Audience, "language": a.Language, "tags": tags,
			"owner": a.Owner, "review_by": orNull(a.ReviewBy), "state": string(a.State), "known_error": a.KnownError,
			"at": at, "seq": a.Seq}).Scan(&a.ID)
	if err != nil {
		return fail(err)
	}
	if numbered { // whoever stores articles holds article_seq, so nobody takes a number meanwhile
		if _, err := tx.Exec(ctx, `select setval(pg_get_serial_sequence('articles', 'id'), max(id)) from articles`); err != nil {
			return fail(err)
		}
	}
	if had.ID != 0 {
		if err := tx.later(ctx, failing("drop pictures of %s", a.ID.Ref()), // those that nobody sees any more
			`delete from article_pictures where article_id = $1 and name <> all($2)`, a.ID, orEmpty(knowledge.Pictures(a.Answer))); err != nil {
			return fail(err)
		}
	}
	step := Step{At: at, Action: "article.changed", Person: by, Via: via, Subject: OfArticle, SubjectID: int64(a.ID),
		After: map[string]any{"slug": a.Slug, "title": a.Title, "state": a.State, "audience": a.Audience}}
	if had.ID == 0 {
		step.Action = "article.created"
	} else {
		step.Before = map[string]any{"title": had.Title, "state": had.State, "audience": had.Audience,
			"symptom": had.Symptom, "answer": had.Answer, "environment": had.Environment, "cause": had.Cause}
	}
	return a, tx.Audit(ctx, step)
}

// articleToPut is the article of a slug, locked; none if there is none, and
// then nobody else can store one before tx ends.
func (tx *Tx) articleToPut(ctx context.Context, slug string) (had knowledge.Article, none bool, err error) {
	find := func() error {
		rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles where slug = $1 for update`, slug)
		r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[articleRow])
		had = r.article()
		return err
	}
	if err = find(); errors.Is(err, pgx.ErrNoRows) {
		// Whoever stores articles holds this row: look again once they are done.
		if _, err = tx.Exec(ctx, `select from article_seq for update`); err == nil {
			err = find()
		}
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return had, true, nil
	}
	return had, false, err
}
