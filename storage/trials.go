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

// PastQuestion is a question to try something on.
type PastQuestion struct {
	ID      QuestionID
	Text    string
	AskedAt time.Time
	Solved  knowledge.ArticleID // 0: it found nothing
	By      people.Actor
}

// PastQuestions are the newest questions that found nothing, and the newest that
// an article solved: at most limit of each.
func (tx *Tx) PastQuestions(ctx context.Context, since time.Time, limit int) ([]PastQuestion, error) {
	rows, _ := tx.Query(ctx, `
		select q.id as question_id, q.text, q.asked_at, q.solved, `+personColumns+`, `+actorTeams+`
		from (
			(select id, person_id, text, asked_at, 0::bigint as solved from questions
				where shown = '{}' and hits = '[]' and confidence <> 'later' and asked_at >= $1
					and not exists (select from question_outages o where o.question_id = questions.id)
				order by asked_at desc limit $2)
			union all
			(select id, person_id, text, asked_at, article_id from questions
				where outcome = 'solved' and asked_at >= $1 order by asked_at desc limit $2)
		) q join people p on p.id = q.person_id`+ofTeams+`
		order by q.asked_at, q.id`, since, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		Question QuestionID          `db:"question_id"`
		Text     string              `db:"text"`
		AskedAt  time.Time           `db:"asked_at"`
		Solved   knowledge.ArticleID `db:"solved"`
		personRow
		actorTeamsRow
	}])
	if err != nil {
		return nil, fmt.Errorf("past questions: %w", err)
	}
	all := make([]PastQuestion, len(found))
	for i, r := range found {
		all[i] = PastQuestion{r.Question, r.Text, r.AskedAt, r.Solved, r.actor(r.person())}
	}
	return all, nil
}

// PutTrial stores what a trial of an article's text has shown.
func (tx *Tx) PutTrial(ctx context.Context, a knowledge.ArticleID, seq int64, t knowledge.Trial, at time.Time) error {
	worse := make([]int64, len(t.Worse))
	for i, id := range t.Worse {
		worse[i] = id.Question()
	}
	if err := tx.later(ctx, failing("trial of %s", a.Ref()), `
		insert into trials (article_id, article_seq, at, unanswered, would, answered, worse) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (article_id) do update set article_seq = excluded.article_seq, at = excluded.at, unanswered = excluded.unanswered,
			would = excluded.would, answered = excluded.answered, worse = excluded.worse`,
		a, seq, at, t.Unanswered, t.Would, t.Answered, worse); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "article.tried", Via: "desk", Subject: OfArticle, SubjectID: int64(a),
		After: map[string]any{"unanswered": t.Unanswered, "would": t.Would, "answered": t.Answered, "worse": worse}})
}

// CarryTrial has a trial stand for a later change, which has left the text as it
// was.
func (tx *Tx) CarryTrial(ctx context.Context, a knowledge.ArticleID, from, to int64) error {
	return tx.later(ctx, failing("trial of %s", a.Ref()), `update trials set article_seq = $3 where article_id = $1 and article_seq = $2`, a, from, to)
}

// Trial is what the trial of an article's present text has shown; false if
// there was none yet.
func (tx *Tx) Trial(ctx context.Context, a knowledge.ArticleID, seq int64) (t knowledge.Trial, done bool, err error) {
	var worse []int64
	err = tx.QueryRow(ctx, `select unanswered, would, answered, worse from trials where article_id = $1 and article_seq = $2`, a, seq).
		Scan(&t.Unanswered, &t.Would, &t.Answered, &worse)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("trial of %s: %w", a.Ref(), err)
	}
	for _, id := range worse {
		t.Worse = append(t.Worse, knowledge.QuestionPast(id))
	}
	return t, true, nil
}
