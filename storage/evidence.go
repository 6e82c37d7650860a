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

type evidenceRow struct {
	Seq        int64               `db:"seq"`
	Question   int64               `db:"question_id"`
	Ticket     int64               `db:"ticket_id"`
	Article    knowledge.ArticleID `db:"article_id"`
	Request    string              `db:"request"`
	Helped     bool                `db:"helped"`
	At         time.Time           `db:"at"`
	Undone     bool                `db:"undone"`
	Text       string              `db:"text"`
	Resolution string              `db:"resolution"`
	Service    string              `db:"service"`
	Category   string              `db:"category"`
	Team       string              `db:"team"`
}

func (r evidenceRow) evidence() knowledge.Evidence {
	e := knowledge.Evidence{Seq: r.Seq, Past: knowledge.QuestionPast(r.Question), Text: r.Text, Article: r.Article, Request: r.Request, Helped: r.Helped,
		At: r.At, Undone: r.Undone, Resolution: r.Resolution, Place: knowledge.Place{Service: r.Service, Category: r.Category, Team: r.Team}}
	if r.Ticket != 0 {
		e.Past, e.Open = knowledge.TicketPast(r.Ticket), !r.Helped
	}
	return e
}

// numberedAtOnce is how much evidence is numbered in one transaction.
const numberedAtOnce = 5000

// NumberEvidence gives numbers to the evidence that has come or changed since
// the last time, for EvidenceSince. Whoever has seen a number has seen all that
// are smaller: they are given under one lock, to what has been committed.
func (db *DB) NumberEvidence(ctx context.Context) error {
	for n := int64(numberedAtOnce); n == numberedAtOnce; {
		some := false
		if err := db.run(ctx, byIndexAtOnce, func(tx *Tx) error {
			return tx.QueryRow(ctx, `select exists (select from evidence where seq is null)`).Scan(&some)
		}); err != nil || !some {
			return numbering(err)
		}
		if err := db.run(ctx, byIndex, func(tx *Tx) error {
			// Two statements: the second sees what the first has waited for.
			if err := tx.later(ctx, failing("its sequence"), `select from evidence_seq where the_only for update`); err != nil {
				return err
			}
			// What somebody is changing this moment comes with its change.
			return tx.QueryRow(ctx, `
				with fresh as materialized (select id from evidence where seq is null order by id limit $1 for update skip locked),
				nth as (select id, row_number() over (order by id) as n from fresh),
				given as (update evidence e set seq = s.seq + nth.n from nth, evidence_seq s where e.id = nth.id and s.the_only)
				update evidence_seq set seq = seq + (select count(*) from fresh) where the_only returning (select count(*) from fresh)`,
				numberedAtOnce).Scan(&n)
		}); err != nil {
			return numbering(err)
		}
	}
	return nil
}

func numbering(err error) error {
	if err != nil {
		err = fmt.Errorf("number evidence: %w", err)
	}
	return err
}

// EvidenceSince is evidence that has come or changed after seq, in the order
// of the changes, at most limit, as far as it has been numbered.
func (tx *Tx) EvidenceSince(ctx context.Context, seq int64, limit int) ([]knowledge.Evidence, error) {
	rows, _ := tx.Query(ctx, `
		select e.seq, coalesce(e.question_id, 0) as question_id, coalesce(e.ticket_id, 0) as ticket_id,
			coalesce(e.article_id, 0) as article_id, coalesce(e.request, '') as request, e.helped, e.at, e.undone_at is not null as undone,
			coalesce(q.text, t.title || E'\n' || t.detail) as text,
			coalesce(t.resolution, '') as resolution, coalesce(t.service, '') as service,
			coalesce(t.category, '') as category, coalesce(n.slug, '') as team
		from evidence e left join questions q on q.id = e.question_id left join tickets t on t.id = e.ticket_id left join teams n on n.id = e.team_id
		where e.seq > $1 order by e.seq limit $2`, seq, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[evidenceRow])
	if err != nil {
		return nil, fmt.Errorf("evidence since %d: %w", seq, err)
	}
	all := make([]knowledge.Evidence, len(found))
	for i, r := range found {
		all[i] = r.evidence()
	}
	return all, nil
}

// EvidenceFrom is the number after which the newest most pieces of evidence
// come, and that which the newest has or will get: where an index that keeps so
// many begins.
func (tx *Tx) EvidenceFrom(ctx context.Context, most int) (from, newest int64, err error) {
	err = tx.QueryRow(ctx, `
		select coalesce((select seq from evidence order by seq desc nulls last offset $1 limit 1), 0),
			(select seq from evidence_seq) + (select count(*) from evidence where seq is null)`,
		most).Scan(&from, &newest)
	if err != nil {
		return 0, 0, fmt.Errorf("evidence sequence: %w", err)
	}
	return from, newest, nil
}

// questionEvidence keeps what the end of a question says of articles, and of
// what could have been requested instead.
func (tx *Tx) questionEvidence(ctx context.Context, q Question, at time.Time) error {
	failed := failing("evidence of question %d", q.ID)
	switch q.Outcome {
	case Solved:
		return tx.Helped(ctx, q.ID, q.Article, at)
	case WentTicket, WentPerson:
		if requests := q.Requests(); len(requests) > 0 {
			if err := tx.later(ctx, failed, `
				insert into evidence (question_id, request, helped, at)
				select $1, r, false, $3 from unnest($2::text[]) r join requestables on slug = r
				on conflict (question_id, request) where request is not null do nothing`, q.ID, requests, at); err != nil {
				return err
			}
		}
		if len(q.Shown) == 0 {
			return nil
		}
		return tx.later(ctx, failed, `
			insert into evidence (question_id, article_id, helped, at)
			select $1, a, false, $3 from unnest($2::bigint[]) a join articles on articles.id = a
			on conflict (question_id, article_id) where question_id is not null do nothing`, q.ID, q.Shown, at)
	case StillOpen:
		return tx.later(ctx, failed, `update evidence set undone_at = $2 where question_id = $1 and undone_at is null`, q.ID, at)
	}
	return nil
}

// Helped keeps that an article has helped with a question.
func (tx *Tx) Helped(ctx context.Context, id QuestionID, a knowledge.ArticleID, at time.Time) error {
	return tx.later(ctx, failing("evidence of question %d", id), `
		insert into evidence (question_id, article_id, helped, at) values ($1, $2, true, $3)
		on conflict (question_id, article_id) where question_id is not null
			do update set helped = true, at = excluded.at, undone_at = null, undone_by = null`, id, a, at)
}

// ticketEvidence keeps what a step of a ticket says: it is solved, perhaps
// with an article, or it is not after all; or it had come to the wrong team, or
// was taken to be about something else.
// A ticket that rises to a higher tier had not, unless it was sent by a guess.
func (tx *Tx) ticketEvidence(ctx context.Context, was, is ticket.Ticket, at time.Time) error {
	failed := failing("evidence of ticket %s", is.Ref())
	switch {
	case is.State == ticket.Done && (was.State != ticket.Done || was.Article != is.Article):
		return tx.later(ctx, failed, `
			insert into evidence (ticket_id, article_id, helped, at, team_id)
			values ($1, nullif($2::bigint, 0), true, $3, (select team_id from predictions where ticket_id = $1))
			on conflict (ticket_id) where ticket_id is not null
				do update set article_id = excluded.article_id, helped = true, at = excluded.at, undone_at = null, undone_by = null,
					team_id = coalesce(evidence.team_id, excluded.team_id)`,
			is.ID, is.Article, at)
	case is.State != ticket.Done && was.Team != is.Team:
		return tx.later(ctx, failed, `
			insert into evidence (ticket_id, helped, at, team_id)
			select $1, false, $4, has.id from teams has, teams had
			where had.id = $2 and has.id = $3
				and (has.tier <= had.tier or exists (select from predictions where ticket_id = $1 and team_id = had.id))
			on conflict (ticket_id) where ticket_id is not null
				do update set team_id = excluded.team_id, helped = false, article_id = null, at = excluded.at, undone_at = null, undone_by = null`,
			is.ID, was.Team, is.Team, at)
	case is.State != ticket.Done && (was.Service != is.Service || was.Category != is.Category):
		// Indexes read what the ticket is about anew with the evidence.
		return tx.later(ctx, failed, `
			insert into evidence (ticket_id, helped, at) values ($1, false, $2)
			on conflict (ticket_id) where ticket_id is not null
				do update set helped = false, article_id = null, at = excluded.at, undone_at = null, undone_by = null`, is.ID, at)
	case is.State != ticket.Done && was.State == ticket.Done:
		return tx.later(ctx, failed, `update evidence set undone_at = $2 where ticket_id = $1 and undone_at is null`, is.ID, at)
	}
	return nil
}

// ForgetEvidence takes out of what indexes learn from all that was said of an
// article since a time: when somebody has pressed "Solved it"
// at random, or an article has been rewritten. It returns how much that was.
func (tx *Tx) ForgetEvidence(ctx context.Context, a knowledge.ArticleID, since time.Time, by people.PersonID, via string, at time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `
		update evidence set undone_at = $4, undone_by = nullif($3::bigint, 0)
		where article_id = $1 and at >= $2 and undone_at is null`, a, since, by, at)
	if err != nil {
		return 0, fmt.Errorf("forget evidence of %s: %w", a.Ref(), err)
	}
	n := tag.RowsAffected()
	if n == 0 {
		return 0, nil
	}
	return n, tx.Audit(ctx, Step{At: at, Action: "article.evidence_forgotten", Person: by, Via: via, Subject: OfArticle, SubjectID: int64(a),
		After: map[string]any{"since": since, "pieces": n}})
}

// RecallEvidence undoes the ForgetEvidence of a time.
func (tx *Tx) RecallEvidence(ctx context.Context, a knowledge.ArticleID, forgotten time.Time, by people.PersonID, via string, at time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `
		update evidence set undone_at = null, undone_by = null where article_id = $1 and undone_at = $2`, a, forgotten)
	if err != nil {
		return 0, fmt.Errorf("recall evidence of %s: %w", a.Ref(), err)
	}
	n := tag.RowsAffected()
	if n == 0 {
		return 0, nil
	}
	return n, tx.Audit(ctx, Step{At: at, Action: "article.evidence_recalled", Person: by, Via: via, Subject: OfArticle, SubjectID: int64(a),
		After: map[string]any{"forgotten": forgotten, "pieces": n}})
}

// ForgetPlaces takes out of what indexes learn where tickets belong: those that
// were handed on to a team, or, if team is "", those of a service. It returns
// how much that was.
func (tx *Tx) ForgetPlaces(ctx context.Context, team, service string, since time.Time, by people.PersonID, via string, at time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `
		update evidence e set undone_at = $4, undone_by = nullif($5::bigint, 0) from tickets t
		where t.id = e.ticket_id and e.at >= $3 and e.undone_at is null
			and case when $1 <> '' then e.team_id = (select id from teams where slug = $1) else t.service = $2 end`,
		team, service, since, at, by)
	if err != nil {
		return 0, fmt.Errorf("forget where tickets belong: %w", err)
	}
	n := tag.RowsAffected()
	if n == 0 {
		return 0, nil
	}
	return n, tx.Audit(ctx, Step{At: at, Action: "places.forgotten", Person: by, Via: via, Subject: OfPolicy,
		After: map[string]any{"team": team, "service": service, "since": since, "pieces": n}})
}

// RecallPlaces undoes the ForgetPlaces of a time.
func (tx *Tx) RecallPlaces(ctx context.Context, team, service string, forgotten time.Time, by people.PersonID, via string, at time.Time) (int64, error) {
	tag, err := tx.Exec(ctx, `
		update evidence e set undone_at = null, undone_by = null from tickets t
		where t.id = e.ticket_id and e.undone_at = $3
			and case when $1 <> '' then e.team_id = (select id from teams where slug = $1) else t.service = $2 end`, team, service, forgotten)
	if err != nil {
		return 0, fmt.Errorf("recall where tickets belong: %w", err)
	}
	n := tag.RowsAffected()
	if n == 0 {
		return 0, nil
	}
	return n, tx.Audit(ctx, Step{At: at, Action: "places.recalled", Person: by, Via: via, Subject: OfPolicy,
		After: map[string]any{"team": team, "service": service, "forgotten": forgotten, "pieces": n}})
}
