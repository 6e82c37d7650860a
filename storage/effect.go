package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Beforehand is what may bear on a question before it is looked at.
type Beforehand struct {
	Outages []KnownOutage // that go on, the newest first
	Solved  []Question    // that the asker said were solved, the newest first
}

// Beforehand reads it in one trip: what is asked often has to be cheap.
func (tx *Tx) Beforehand(ctx context.Context, who people.PersonID, solvedSince time.Time) (b Beforehand, err error) {
	batch := &pgx.Batch{}
	batch.Queue(outagesNow)
	batch.Queue(`
		select `+questionColumns+` from questions q
		where person_id = $1 and outcome = 'solved' and ended_at >= $2
			and not exists (select from question_returns r where r.question_id = q.id)
		order by ended_at desc limit 20`, who, solvedSince)
	results := tx.SendBatch(ctx, batch)
	defer func() {
		if err = errors.Join(err, results.Close()); err != nil {
			err = fmt.Errorf("before a question of person %d: %w", who, err)
		}
	}()
	rows, _ := results.Query()
	if b.Outages, err = pgx.CollectRows(rows, pgx.RowToStructByName[KnownOutage]); err != nil {
		return b, err
	}
	rows, _ = results.Query()
	b.Solved, err = pgx.CollectRows(rows, pgx.RowToStructByName[Question])
	return b, err
}

// CameBack keeps that a solved question has not held: its asker came back with
// another one about the same (or took "Solved it" back, with the same), or
// opened a ticket. What was said of the article counts against it then.
func (tx *Tx) CameBack(ctx context.Context, q Question, again QuestionID, id ticket.ID, at time.Time) error {
	return tx.later(ctx, failing("return of question %d", q.ID), `
		with back as (
			insert into question_returns (question_id, again_id, ticket_id, at) values ($1, nullif($2::bigint, 0), nullif($3::bigint, 0), $4)
			on conflict (question_id) do nothing returning question_id),
		against as (
			update evidence e set helped = false, at = $4 from back
			where e.question_id = back.question_id and e.article_id = $5 and e.helped and e.undone_at is null)
		insert into audit (at, action, via, subject, subject_id, after)
		select $4, 'question.came_back', 'desk', 'question', question_id, json_build_object('again', $2::bigint, 'ticket', $3::bigint) from back`,
		q.ID, again, id, at, q.Article)
}

// Stayed takes back that an asker took "Solved it" back: it is solved after all.
func (tx *Tx) Stayed(ctx context.Context, id QuestionID) error {
	return tx.later(ctx, failing("return of question %d", id), `delete from question_returns where question_id = $1 and again_id = $1`, id)
}

// Deflections are what became of the questions of a time.
type Deflections struct {
	Asked     int `db:"asked"`
	Confirmed int `db:"confirmed"` // somebody said that it was solved
	Old       int `db:"old"`       // of these, long enough ago
	Held      int `db:"held"`      // of the old ones, those that did not come back
	Missed    int `db:"missed"`    // of the confirmed ones, those that did
	Silent    int `db:"silent"`    // nobody said anything
	Open      int `db:"open"`      // nobody has said anything yet
	Tickets   int `db:"tickets"`
	Nothing   int `db:"nothing"`   // nothing was found
	Outage    int `db:"outage"`    // a known outage was the answer
	Requested int `db:"requested"` // it was a request, and was made: no ticket too many, and no deflection
}

// Deflections counts the questions asked from one moment to another; what was
// solved before old is long enough ago to say whether it held.
func (tx *Tx) Deflections(ctx context.Context, from, to, old time.Time) (Deflections, error) {
	rows, _ := tx.Query(ctx, `
		select count(*) as asked,
			count(*) filter (where said) as confirmed,
			count(*) filter (where said and (ended_at < $3 or back)) as old,
			count(*) filter (where said and ended_at < $3 and not back) as held,
			count(*) filter (where said and back) as missed,
			count(*) filter (where outcome = 'silent' and not said and not known) as silent,
			count(*) filter (where outcome = 'open' and not said and not known) as open,
			count(*) filter (where outcome in ('ticket', 'person') and not known and not requested) as tickets,
			count(*) filter (where shown = '{}' and hits = '[]' and confidence <> 'later' and not known) as nothing,
			count(*) filter (where known and not said and not requested) as outage,
			count(*) filter (where requested) as requested
		from (select q.*, r.question_id is not null as back, q.outcome = 'solved' or r.question_id is not null as said,
				exists (select from question_outages o where o.question_id = q.id) as known,
				q.outcome = 'ticket' and exists (select from evidence e where e.question_id = q.id and e.request is not null and e.helped and e.undone_at is null) as requested
			from questions q left join question_returns r on r.question_id = q.id
			where q.asked_at >= $1 and q.asked_at < $2) q`, from, to, old)
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Deflections])
	if err != nil {
		return d, fmt.Errorf("deflections: %w", err)
	}
	return d, nil
}

// LinkRate is how many of a team's tickets were resolved with an article.
type LinkRate struct {
	Team     people.TeamID `db:"team_id"`
	Resolved int           `db:"resolved"`
	Linked   int           `db:"linked"`
}

// LinkRates are those of all teams that have resolved tickets from one moment
// to another.
func (tx *Tx) LinkRates(ctx context.Context, from, to time.Time) ([]LinkRate, error) {
	rows, _ := tx.Query(ctx, `
		select q.team_id, count(*) as resolved, count(t.article_id) as linked
		from tickets t join queues q on q.id = t.queue_id
		where t.resolved_at >= $1 and t.resolved_at < $2 group by q.team_id order by 2 desc, 1`, from, to)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[LinkRate])
	if err != nil {
		return nil, fmt.Errorf("link rates: %w", err)
	}
	return all, nil
}

// Effect is what an article did in a time.
type Effect struct {
	Article knowledge.ArticleID `db:"article_id"`
	Title   string              `db:"title"`
	Helped  int                 `db:"helped"` // persons
	No      int                 `db:"no"`     // persons whom it was shown to, and who went on to a ticket or came back
	Reasons []string            `db:"reasons"`
}

// Owners are those whose articles did something from one moment to another.
func (tx *Tx) Owners(ctx context.Context, from, to time.Time) ([]people.PersonID, error) {
	rows, _ := tx.Query(ctx, `
		select distinct p.id from articles a join people p on p.mail = lower(a.owner) and p.left_at is null
		where a.state in ('published', 'stale') and (
			exists (select from evidence e where e.article_id = a.id and e.at >= $1 and e.at < $2 and e.undone_at is null)
			or exists (select from flags f where f.article_id = a.id and f.at >= $1 and f.at < $2))
		order by 1`, from, to)
	all, err := pgx.CollectRows(rows, pgx.RowTo[people.PersonID])
	if err != nil {
		return nil, fmt.Errorf("owners of articles: %w", err)
	}
	return all, nil
}

// Effects are what a person's articles did, the most helpful first, at most
// limit, and how many articles did something.
func (tx *Tx) Effects(ctx context.Context, owner people.PersonID, from, to time.Time, limit int) (effects []Effect, all int, err error) {
	rows, _ := tx.Query(ctx, `
		with said as (
			select e.article_id, coalesce(q.person_id, t.requester_id) as person_id, bool_or(e.helped) as helped
			from evidence e left join questions q on q.id = e.question_id left join tickets t on t.id = e.ticket_id
			where e.at >= $2 and e.at < $3 and e.undone_at is null and e.article_id is not null group by 1, 2),
		flagged as (
			select article_id, array_agg(reason order by at desc) filter (where reason <> '') as reasons from flags where at >= $2 and at < $3 group by 1)
		select a.id as article_id, a.title, count(s.person_id) filter (where s.helped) as helped,
			count(s.person_id) filter (where not s.helped) as no, coalesce(min(f.reasons), '{}') as reasons
		from people p join articles a on lower(a.owner) = p.mail and a.state in ('published', 'stale')
			left join said s on s.article_id = a.id left join flagged f on f.article_id = a.id
		where p.id = $1 and (s.article_id is not null or f.article_id is not null)
		group by a.id order by 3 desc, 4 desc, a.id`, owner, from, to)
	effects, err = pgx.CollectRows(rows, pgx.RowToStructByName[Effect])
	if err != nil {
		return nil, 0, fmt.Errorf("effects of articles: %w", err)
	}
	return effects[:min(len(effects), limit)], len(effects), nil
}

// Text is something that was asked.
type Text struct {
	Text string    `db:"text"`
	At   time.Time `db:"at"`
}

// NewestTexts are the newest questions, and tickets that began without one.
func (tx *Tx) NewestTexts(ctx context.Context, limit int) ([]Text, error) {
	rows, _ := tx.Query(ctx, `
		select * from (
			(select text, asked_at as at from questions order by asked_at desc limit $1)
			union all
			(select t.title || E'\n' || t.detail, t.opened_at from tickets t
				where not exists (select from questions q where q.ticket_id = t.id) order by t.opened_at desc limit $1)
		) asked order by at desc limit $1`, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Text])
	if err != nil {
		return nil, fmt.Errorf("newest questions: %w", err)
	}
	return all, nil
}

// Coverage is how many of the newest questions the articles would answer.
type Coverage struct {
	At        time.Time `db:"at"`
	Questions int       `db:"questions"`
	Shown     int       `db:"shown"`   // for which there is something to show
	Covered   int       `db:"covered"` // that it would answer, as far as the index can tell
}

// Percent is the share that is covered.
func (c Coverage) Percent() int {
	if c.Questions == 0 {
		return 0
	}
	return 100 * c.Covered / c.Questions
}

// PutCoverage keeps it.
func (tx *Tx) PutCoverage(ctx context.Context, c Coverage) error {
	return tx.later(ctx, failing("coverage"), `insert into coverage (at, questions, shown, covered) values ($1, $2, $3, $4)
		on conflict (at) do nothing`, c.At, c.Questions, c.Shown, c.Covered)
}

// Coverage is the newest; no questions: it was never looked at.
func (tx *Tx) Coverage(ctx context.Context) (Coverage, error) {
	rows, _ := tx.Query(ctx, `select at, questions, shown, covered from coverage order by at desc limit 1`)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Coverage])
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return c, fmt.Errorf("coverage: %w", err)
	}
	return c, nil
}
