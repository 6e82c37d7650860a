package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// QuestionID is the record's number for a question.
type QuestionID int64

// Outcome is how a question ended.
type Outcome string

// The outcomes. Solved is a confirmed deflection; Silent, nobody having said
// anything, is counted apart and is no success.
const (
	StillOpen  Outcome = "open"
	Solved     Outcome = "solved"
	WentTicket Outcome = "ticket"
	WentPerson Outcome = "person"
	Silent     Outcome = "silent"
)

// Question is what somebody asked the desk, and what came of it.
type Question struct {
	ID         QuestionID            `db:"id"`
	Person     people.PersonID       `db:"person_id"`
	Thread     ThreadID              `db:"thread_id"`
	Text       string                `db:"text"`
	AskedAt    time.Time             `db:"asked_at"`
	Confidence string                `db:"confidence"`
	Shown      []knowledge.ArticleID `db:"shown"`
	Hits       []knowledge.Hit       `db:"hits"`
	Outcome    Outcome               `db:"outcome"`
	Article    knowledge.ArticleID   `db:"article_id"`
	Ticket     ticket.ID             `db:"ticket_id"`
	EndedAt    *time.Time            `db:"ended_at"`
	Version    int                   `db:"version"`
	Outage     ticket.ID             `db:"outage_id"` // the known outage that is among the hits
	Advised    bool                  `db:"-"`         // a model was heard on what is shown; the audit record keeps it
}

// Requests are the slugs of what could be requested that was shown.
func (q Question) Requests() (slugs []string) {
	for _, h := range q.Hits {
		if h.Request != "" {
			slugs = append(slugs, h.Request)
		}
	}
	return slugs
}

// shownElse is what was shown besides articles, for the audit record.
func (q Question) shownElse(to map[string]any) map[string]any {
	if r := q.Requests(); len(r) > 0 {
		to["requests"] = r
	}
	for _, h := range q.Hits {
		if h.Outage != 0 {
			to["outage"] = h.Outage
		}
	}
	return to
}

const questionColumns = `id, person_id, coalesce(thread_id, 0) as thread_id, text, asked_at, confidence, shown, hits, outcome,
	coalesce(article_id, 0) as article_id, coalesce(ticket_id, 0) as ticket_id, ended_at, version,
	coalesce((select known.ticket_id from question_outages known where known.question_id = id), 0) as outage_id`

// AskQuestion stores a question with what was shown for it.
func (tx *Tx) AskQuestion(ctx context.Context, q Question, via string) (Question, error) {
	after := q.shownElse(map[string]any{"confidence": q.Confidence, "shown": orEmpty(q.Shown)})
	if q.Advised {
		after["advised"] = true
	}
	err := tx.QueryRow(ctx, `
		with asked as (
			insert into questions (person_id, thread_id, text, asked_at, confidence, shown, hits)
			values (@person, nullif(@thread::bigint, 0), @text, @at, @confidence, @shown, @hits) returning id)
		insert into audit (at, action, person_id, via, subject, subject_id, after)
		select @at, 'asked', @person, @via, 'question', id, @after from asked returning subject_id`,
		named{"person": q.Person, "thread": q.Thread, "text": q.Text, "at": q.AskedAt,
			"confidence": q.Confidence, "shown": orEmpty(q.Shown), "hits": orNoHits(q.Hits), "after": facts(after), "via": via}).Scan(&q.ID)
	if err != nil {
		return q, fmt.Errorf("question of person %d: %w", q.Person, err)
	}
	q.Outcome, q.Version = StillOpen, 1
	if q.Outage != 0 {
		return q, tx.answeredWithOutage(ctx, q.ID, q.Outage)
	}
	return q, nil
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Question returns a question as it is.
func (tx *Tx) Question(ctx context.Context, id QuestionID) (Question, error) {
	return tx.oneQuestion(ctx, `select `+questionColumns+` from questions where id = $1`, id)
}

// QuestionForUpdate returns a question and locks it until tx ends. Lock a
// ticket before a question.
func (tx *Tx) QuestionForUpdate(ctx context.Context, id QuestionID) (Question, error) {
	return tx.oneQuestion(ctx, `select `+questionColumns+` from questions where id = $1 for update`, id)
}

func (tx *Tx) oneQuestion(ctx context.Context, sql string, id QuestionID) (Question, error) {
	rows, _ := tx.Query(ctx, sql, id)
	q, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Question])
	if err != nil {
		return q, fmt.Errorf("question %d: %w", id, notFound(err))
	}
	return q, nil
}

// ThreadQuestions are the questions asked in a thread, oldest first.
func (tx *Tx) ThreadQuestions(ctx context.Context, id ThreadID) ([]Question, error) {
	rows, _ := tx.Query(ctx, `select `+questionColumns+` from questions where thread_id = $1 order by id`, id)
	q, err := pgx.CollectRows(rows, pgx.RowToStructByName[Question])
	if err != nil {
		return nil, fmt.Errorf("questions of thread %d: %w", id, err)
	}
	return q, nil
}

// Reworded is when the asker last edited a question that was reworded; the zero
// time: never.
func (tx *Tx) Reworded(ctx context.Context, id QuestionID) (time.Time, error) {
	var at *time.Time
	if err := tx.QueryRow(ctx, `select max(at) from audit where subject = 'question' and subject_id = $1 and action = 'question.edited'`, id).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("edits of question %d: %w", id, err)
	}
	return orZero(at), nil
}

// RewordQuestion stores a question whose asker has edited it, with what is
// shown for it now.
func (tx *Tx) RewordQuestion(ctx context.Context, q Question, before, via string, at time.Time) error {
	tag, err := tx.Exec(ctx, `
		update questions set text = @text, confidence = @confidence, shown = @shown, hits = @hits, version = version + 1
		where id = @id and version = @version`,
		named{"id": q.ID, "version": q.Version, "text": q.Text, "confidence": q.Confidence,
			"shown": orEmpty(q.Shown), "hits": orNoHits(q.Hits)})
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrConflict
	}
	if err != nil {
		return fmt.Errorf("reword question %d: %w", q.ID, err)
	}
	if err := tx.answeredWithOutage(ctx, q.ID, q.Outage); err != nil {
		return err
	}
	after := q.shownElse(map[string]any{"text": q.Text, "shown": orEmpty(q.Shown)})
	if q.Advised {
		after["advised"] = true
	}
	return tx.Audit(ctx, Step{At: at, Action: "question.edited", Person: q.Person, Via: via, Subject: OfQuestion, SubjectID: int64(q.ID),
		Before: map[string]any{"text": before}, After: after})
}

// EndQuestion stores how a question has ended; with Outcome StillOpen it goes
// on. ErrConflict, which comes with a later statement or the commit: it was
// changed since.
func (tx *Tx) EndQuestion(ctx context.Context, q Question, by people.PersonID, via string, at time.Time) (Question, error) {
	q.EndedAt = &at
	if q.Outcome == StillOpen {
		q.EndedAt = nil
	}
	if err := tx.later(ctx, touching(ErrConflict, "end question %d", q.ID), `
		update questions set outcome = @outcome, article_id = nullif(@article::bigint, 0), ticket_id = nullif(@ticket::bigint, 0),
			ended_at = @ended, version = version + 1
		where id = @id and version = @version`,
		named{"id": q.ID, "version": q.Version, "outcome": string(q.Outcome), "article": q.Article,
			"ticket": q.Ticket, "ended": q.EndedAt}); err != nil {
		return q, err
	}
	if err := tx.questionEvidence(ctx, q, at); err != nil {
		return q, err
	}
	q.Version++
	after := map[string]any{} // the outcome is in the action
	if q.Article != 0 {
		after["article"] = q.Article
	}
	if q.Ticket != 0 {
		after["ticket"] = q.Ticket
	}
	return q, tx.Audit(ctx, Step{
		At: at, Action: "question." + string(q.Outcome), Person: by, Via: via, Subject: OfQuestion, SubjectID: int64(q.ID),
		After: after,
	})
}

func orNoHits(h []knowledge.Hit) []knowledge.Hit {
	if h == nil {
		return []knowledge.Hit{}
	}
	return h
}
