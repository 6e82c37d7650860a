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

// FlagID is the record's number for a flag.
type FlagID int64

// Flag is that somebody finds an article wrong or old that answered them.
type Flag struct {
	ID       FlagID              `db:"id"`
	Article  knowledge.ArticleID `db:"article_id"`
	Question QuestionID          `db:"question_id"`
	Person   people.PersonID     `db:"person_id"`
	Reason   string              `db:"reason"`
	At       time.Time           `db:"at"`
	EndedAt  *time.Time          `db:"ended_at"`
	EndedBy  people.PersonID     `db:"ended_by"`
	Fixed    bool                `db:"fixed"` // or it was right as it stood
}

const flagColumns = `id, article_id, question_id, person_id, reason, at, ended_at, coalesce(ended_by, 0) as ended_by, coalesce(fixed, false) as fixed`

// PutFlag stores a flag; its number is 0 if the person has flagged the article
// under this question before.
func (tx *Tx) PutFlag(ctx context.Context, f Flag, via string) (FlagID, error) {
	var id FlagID
	err := tx.QueryRow(ctx, `insert into flags (article_id, question_id, person_id, reason, at) values ($1, $2, $3, $4, $5)
		on conflict (article_id, question_id, person_id) do nothing returning id`, f.Article, f.Question, f.Person, f.Reason, f.At).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("flag %s: %w", f.Article.Ref(), err)
	}
	return id, tx.Audit(ctx, Step{At: f.At, Action: "article.flagged", Person: f.Person, Via: via, Subject: OfArticle, SubjectID: int64(f.Article),
		After: map[string]any{"question": f.Question}, Note: f.Reason})
}

// Flag returns a flag.
func (tx *Tx) Flag(ctx context.Context, id FlagID) (Flag, error) {
	rows, _ := tx.Query(ctx, `select `+flagColumns+` from flags where id = $1`, id)
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Flag])
	if err != nil {
		return f, fmt.Errorf("flag %d: %w", id, notFound(err))
	}
	return f, nil
}

// EndFlags ends the open flags of an article, or one of them if it is named,
// and returns them.
func (tx *Tx) EndFlags(ctx context.Context, a knowledge.ArticleID, one FlagID, fixed bool, by people.PersonID, via string, at time.Time) ([]Flag, error) {
	rows, _ := tx.Query(ctx, `
		update flags set ended_at = $3, ended_by = $4, fixed = $5
		where article_id = $1 and ended_at is null and ($2::bigint = 0 or id = $2) returning `+flagColumns, a, one, at, by, fixed)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Flag])
	if err != nil {
		return nil, fmt.Errorf("end flags of %s: %w", a.Ref(), err)
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, tx.Audit(ctx, Step{At: at, Action: "article.flags_ended", Person: by, Via: via, Subject: OfArticle, SubjectID: int64(a),
		After: map[string]any{"fixed": fixed, "flags": len(all)}})
}

// Line is one thing that was said.
type Line struct {
	Who  string    `db:"who"`
	Text string    `db:"text"`
	At   time.Time `db:"at"`
}

// AroundQuestion is what was asked in the thread of a question and said on its
// ticket, without notes, the newest limit lines in their order.
func (tx *Tx) AroundQuestion(ctx context.Context, q Question, limit int) ([]Line, error) {
	rows, _ := tx.Query(ctx, `
		select * from (
			select p.name as who, q.text, q.asked_at as at from questions q join people p on p.id = q.person_id
			where q.id = $1 or q.thread_id = $2 and $2 <> 0
			union all
			select p.name, m.body, m.said_at from messages m join people p on p.id = m.author_id
			where m.ticket_id = $3 and $3 <> 0 and not m.internal and m.deleted_at is null
			order by at desc limit $4) newest
		order by at`, q.ID, q.Thread, q.Ticket, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Line])
	if err != nil {
		return nil, fmt.Errorf("what was said around question %d: %w", q.ID, err)
	}
	return all, nil
}

// ToReview are published articles that were to be looked at by a day, at most
// limit; every is for those that name no day themselves.
func (tx *Tx) ToReview(ctx context.Context, by time.Time, every time.Duration, limit int) ([]knowledge.Review, error) {
	rows, _ := tx.Query(ctx, `
		select `+articleColumns+`, asked_at, right_until
		from articles left join article_reviews r on r.article_id = id
		where state = 'published' and greatest(coalesce(review_by, updated_at + $2::interval), right_until) <= $1
		order by id limit $3`, by, every, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		articleRow
		Asked *time.Time `db:"asked_at"`
		Right *time.Time `db:"right_until"`
	}])
	if err != nil {
		return nil, fmt.Errorf("articles to review: %w", err)
	}
	all := make([]knowledge.Review, len(found))
	for i, r := range found {
		all[i] = knowledge.Review{Article: r.article(), Right: orZero(r.Right), Asked: orZero(r.Asked)}
	}
	return all, nil
}

// ReviewAsked keeps that somebody was asked about an article.
func (tx *Tx) ReviewAsked(ctx context.Context, a knowledge.ArticleID, at time.Time) error {
	return tx.later(ctx, failing("review of %s", a.Ref()), `
		with asked as (
			insert into article_reviews (article_id, asked_at) values ($1, $2) on conflict (article_id) do update set asked_at = excluded.asked_at)
		insert into audit (at, action, via, subject, subject_id) values ($2, 'article.review_asked', 'desk', 'article', $1)`, a, at)
}

// StillRight keeps that an article is right until then.
func (tx *Tx) StillRight(ctx context.Context, a knowledge.ArticleID, until time.Time, by people.PersonID, via string, at time.Time) error {
	if err := tx.later(ctx, failing("review of %s", a.Ref()), `
		insert into article_reviews (article_id, right_until, right_by) values ($1, $2, $3)
		on conflict (article_id) do update set right_until = excluded.right_until, right_by = excluded.right_by`, a, until, by); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "article.still_right", Person: by, Via: via, Subject: OfArticle, SubjectID: int64(a), After: map[string]any{"until": until}})
}

// RightUntil is until when somebody has said that an article is right, and who;
// zero: nobody has.
func (tx *Tx) RightUntil(ctx context.Context, a knowledge.ArticleID) (until time.Time, by people.PersonID, err error) {
	var found *time.Time
	err = tx.QueryRow(ctx, `select right_until, coalesce(right_by, 0) from article_reviews where article_id = $1`, a).Scan(&found, &by)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return until, 0, fmt.Errorf("review of %s: %w", a.Ref(), err)
	}
	return orZero(found), by, nil
}

// CountHelped is how many questions and tickets an article has helped with.
func (tx *Tx) CountHelped(ctx context.Context, a knowledge.ArticleID) (n int, err error) {
	if err = tx.QueryRow(ctx, `select count(*) from evidence where article_id = $1 and helped and undone_at is null`, a).Scan(&n); err != nil {
		err = fmt.Errorf("uses of %s: %w", a.Ref(), err)
	}
	return n, err
}
