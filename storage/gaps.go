package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
)

// GapID is the record's number for a gap.
type GapID int64

// GapOutcome is what was done about a gap.
type GapOutcome string

// The outcomes of a gap.
const (
	GapOpen    GapOutcome = "open"
	GapArticle GapOutcome = "article"
	GapSynonym GapOutcome = "synonym"
	GapNotIT   GapOutcome = "not_it"
)

// Gap is what several questions ask for and nothing answers.
type Gap struct {
	ID       GapID               `db:"id"`
	Name     string              `db:"name"`
	OpenedAt time.Time           `db:"opened_at"`
	Outcome  GapOutcome          `db:"outcome"`
	Article  knowledge.ArticleID `db:"article_id"`
	Synonym  string              `db:"synonym"`
	Person   people.PersonID     `db:"person_id"` // who did it
	EndedAt  *time.Time          `db:"ended_at"`
	Version  int                 `db:"version"`
}

const gapColumns = `g.id, g.name, g.opened_at, g.outcome, coalesce(g.article_id, 0) as article_id, g.synonym,
	coalesce(g.person_id, 0) as person_id, g.ended_at, g.version`

// Unanswered is a question that found nothing.
type Unanswered struct {
	ID      QuestionID      `db:"id"`
	Person  people.PersonID `db:"person_id"`
	Text    string          `db:"text"`
	AskedAt time.Time       `db:"asked_at"`
	Gap     GapID           `db:"gap_id"` // 0: it is in none yet
}

// LockGaps keeps others from putting questions together until tx ends.
func (tx *Tx) LockGaps(ctx context.Context) error {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('deskhand.gaps'))`); err != nil {
		return fmt.Errorf("lock gaps: %w", err)
	}
	return nil
}

// UnansweredSince are the newest questions that found nothing, oldest first, at
// most limit. One that was asked in a channel counts as all could see it answered,
// even if its asker was told alone that there is an article: whoever had read it
// there and missed it among the gaps would know that there is one.
func (tx *Tx) UnansweredSince(ctx context.Context, since time.Time, limit int) ([]Unanswered, error) {
	rows, _ := tx.Query(ctx, `
		select * from (
			select q.id, q.person_id, q.text, q.asked_at, coalesce(g.gap_id, 0) as gap_id
			from questions q left join gap_questions g on g.question_id = q.id
			where q.shown = '{}' and q.hits = '[]' and q.confidence <> 'later' and q.asked_at >= $1
				and not exists (select from question_outages o where o.question_id = q.id)
			order by q.asked_at desc limit $2) newest
		order by asked_at, id`, since, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Unanswered])
	if err != nil {
		return nil, fmt.Errorf("unanswered questions: %w", err)
	}
	return all, nil
}

// CountAsked is how many questions were asked since.
func (tx *Tx) CountAsked(ctx context.Context, since time.Time) (n int, err error) {
	if err = tx.QueryRow(ctx, `select count(*) from questions where asked_at >= $1`, since).Scan(&n); err != nil {
		err = fmt.Errorf("count questions: %w", err)
	}
	return n, err
}

// OpenGap stores a gap.
func (tx *Tx) OpenGap(ctx context.Context, name string, at time.Time) (GapID, error) {
	var id GapID
	if err := tx.QueryRow(ctx, `insert into gaps (name, opened_at) values ($1, $2) returning id`, name, at).Scan(&id); err != nil {
		return 0, fmt.Errorf("open gap %q: %w", name, err)
	}
	return id, tx.Audit(ctx, Step{At: at, Action: "gap.opened", Via: "desk", Subject: OfGap, SubjectID: int64(id), After: map[string]any{"name": name}})
}

// GrowGap puts questions into a gap, and names an open one anew. One that
// something was done about before they were asked is open again, unless its
// article is still being written, or it was said to be none of IT's business.
func (tx *Tx) GrowGap(ctx context.Context, id GapID, name string, questions []Unanswered, at time.Time) error {
	ids, newest := make([]QuestionID, len(questions)), time.Time{}
	for i, q := range questions {
		if ids[i] = q.ID; q.AskedAt.After(newest) {
			newest = q.AskedAt
		}
	}
	failed := failing("grow gap %d", id)
	if err := tx.later(ctx, failed, `insert into gap_questions (question_id, gap_id) select q, $2 from unnest($1::bigint[]) q on conflict do nothing`, ids, id); err != nil {
		return err
	}
	if err := tx.later(ctx, failed, `
		with again as (
			update gaps set outcome = 'open', article_id = null, synonym = '', person_id = null, ended_at = null, version = version + 1
			where id = $1 and outcome in ('article', 'synonym') and ended_at < $2
				and not exists (select from articles a where a.id = article_id and (a.state in ('draft', 'reviewed') or a.updated_at >= $2))
			returning id)
		insert into audit (at, action, via, subject, subject_id) select $3, 'gap.again', 'desk', 'gap', id from again`, id, newest, at); err != nil {
		return err
	}
	return tx.later(ctx, failed, `update gaps set name = $2 where id = $1 and outcome = 'open' and name <> $2`, id, name)
}

// GapForUpdate returns a gap and locks it until tx ends.
func (tx *Tx) GapForUpdate(ctx context.Context, id GapID) (Gap, error) {
	rows, _ := tx.Query(ctx, `select `+gapColumns+` from gaps g where g.id = $1 for update`, id)
	g, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Gap])
	if err != nil {
		return g, fmt.Errorf("gap %d: %w", id, notFound(err))
	}
	return g, nil
}

// GapQuestions are the newest questions of a gap, at most limit, and how many
// it has.
func (tx *Tx) GapQuestions(ctx context.Context, id GapID, limit int) (texts []string, all int, err error) {
	rows, _ := tx.Query(ctx, `select q.text from gap_questions g join questions q on q.id = g.question_id where g.gap_id = $1 order by q.asked_at desc limit $2`, id, limit)
	if texts, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
		err = tx.QueryRow(ctx, `select count(*) from gap_questions where gap_id = $1`, id).Scan(&all)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("questions of gap %d: %w", id, err)
	}
	return texts, all, nil
}

// EndGap stores what was done about a gap; ErrConflict, with a later
// statement, if somebody else has done something since it was read.
func (tx *Tx) EndGap(ctx context.Context, g Gap, by people.PersonID, via string, at time.Time) error {
	if err := tx.later(ctx, touching(ErrConflict, "end gap %d", g.ID), `
		update gaps set outcome = @outcome, article_id = nullif(@article::bigint, 0), synonym = @synonym, person_id = @by, ended_at = @at, version = version + 1
		where id = @id and version = @version`,
		named{"id": g.ID, "version": g.Version, "outcome": string(g.Outcome), "article": g.Article, "synonym": g.Synonym, "by": by, "at": at}); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "gap." + string(g.Outcome), Person: by, Via: via, Subject: OfGap, SubjectID: int64(g.ID),
		After: map[string]any{"outcome": g.Outcome, "article": g.Article, "synonym": g.Synonym}})
}

// GapReportID is the record's number for what was told of gaps.
type GapReportID int64

// GapReport is what found nothing in a time.
type GapReport struct {
	ID         GapReportID `db:"id"`
	At         time.Time   `db:"at"`
	Since      time.Time   `db:"since"`
	Asked      int         `db:"asked"`
	Unanswered int         `db:"unanswered"`
	Lines      []GapLine   `db:"-"` // the most asked first
}

// GapLine is a gap and how many questions of the time are in it.
type GapLine struct {
	Gap
	Questions int    `db:"questions"`
	DoneBy    string `db:"done_by"` // who did something about it
}

// ReportGaps stores a report; the gaps that are none of IT's business are left
// out.
func (tx *Tx) ReportGaps(ctx context.Context, r GapReport) (GapReportID, error) {
	err := tx.QueryRow(ctx, `insert into gap_reports (at, since, asked, unanswered) values ($1, $2, $3, $4) returning id`,
		r.At, r.Since, r.Asked, r.Unanswered).Scan(&r.ID)
	if err == nil {
		_, err = tx.Exec(ctx, `
			insert into gap_report_lines (report_id, gap_id, questions)
			select $1, g.id, count(*) from gaps g join gap_questions m on m.gap_id = g.id join questions q on q.id = m.question_id
			where q.asked_at >= $2 and g.outcome <> 'not_it' group by g.id`, r.ID, r.Since)
	}
	if err != nil {
		return 0, fmt.Errorf("report gaps: %w", err)
	}
	return r.ID, nil
}

// GapReport is a report with its gaps as they now are, at most limit.
func (tx *Tx) GapReport(ctx context.Context, id GapReportID, limit int) (r GapReport, err error) {
	rows, _ := tx.Query(ctx, `select id, at, since, asked, unanswered from gap_reports where id = $1`, id)
	if r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[GapReport]); err == nil {
		rows, _ = tx.Query(ctx, `
			select `+gapColumns+`, l.questions, coalesce(p.name, '') as done_by
			from gap_report_lines l join gaps g on g.id = l.gap_id left join people p on p.id = g.person_id
			where l.report_id = $1 order by l.questions desc, g.id limit $2`, id, limit)
		r.Lines, err = pgx.CollectRows(rows, pgx.RowToStructByName[GapLine])
	}
	if err != nil {
		return r, fmt.Errorf("report %d: %w", id, notFound(err))
	}
	return r, nil
}

// GapReports are the reports that name a gap, the newest ones.
func (tx *Tx) GapReports(ctx context.Context, id GapID) ([]GapReportID, error) {
	rows, _ := tx.Query(ctx, `select report_id from gap_report_lines where gap_id = $1 order by report_id desc limit 20`, id)
	all, err := pgx.CollectRows(rows, pgx.RowTo[GapReportID])
	if err != nil {
		return nil, fmt.Errorf("reports of gap %d: %w", id, err)
	}
	return all, nil
}
