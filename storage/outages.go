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

// KnownOutage is a ticket about something that is down for many.
type KnownOutage struct {
	Ticket  ticket.ID  `db:"ticket_id"`
	What    string     `db:"what"` // is down, in the words of whoever has it
	Since   time.Time  `db:"since"`
	EndedAt *time.Time `db:"ended_at"`
	Title   string     `db:"title"`   // of the ticket, like the next
	Service string     `db:"service"` // slug, may be empty
	Words   []string   `db:"words"`   // the service's name, and what else people call it
}

// Searched is the outage as it is looked for.
func (o KnownOutage) Searched() knowledge.Outage {
	return knowledge.Outage{Ticket: int64(o.Ticket), What: o.What, Reported: o.Title, Service: o.Service, Words: o.Words}
}

// The service for what has none says nothing of what is down.
const (
	outageColumns = `o.ticket_id, o.what, o.since, o.ended_at, t.title, coalesce(s.slug, '') as service, case when s.slug is null then '{}' else s.name || s.words end as words`
	ofOutages     = ` from known_outages o join tickets t on t.id = o.ticket_id left join services s on s.slug = t.service and s.slug <> 'other'`
	outagesNow    = `select ` + outageColumns + ofOutages + ` where o.ended_at is null order by o.flagged_at desc limit 50`
)

// OutagesNow are those that go on, the newest first.
func (tx *Tx) OutagesNow(ctx context.Context) ([]KnownOutage, error) {
	rows, _ := tx.Query(ctx, outagesNow)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[KnownOutage])
	if err != nil {
		return nil, fmt.Errorf("known outages: %w", err)
	}
	return all, nil
}

// KnownOutage is that of a ticket; ErrNotFound if it is none and never was.
func (tx *Tx) KnownOutage(ctx context.Context, id ticket.ID) (KnownOutage, error) {
	rows, _ := tx.Query(ctx, `select `+outageColumns+ofOutages+` where o.ticket_id = $1`, id)
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[KnownOutage])
	if err != nil {
		return o, fmt.Errorf("known outage of ticket %d: %w", id, notFound(err))
	}
	return o, nil
}

// FlagOutage makes a ticket a known outage, or one once more.
func (tx *Tx) FlagOutage(ctx context.Context, o KnownOutage, by people.PersonID, via string, at time.Time) error {
	if err := tx.later(ctx, failing("flag outage %d", o.Ticket), `
		insert into known_outages (ticket_id, what, since, flagged_by, flagged_at) values ($1, $2, $3, $4, $5)
		on conflict (ticket_id) do update set what = excluded.what, flagged_by = excluded.flagged_by, flagged_at = excluded.flagged_at, ended_at = null`,
		o.Ticket, o.What, o.Since, by, at); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "outage", Person: by, Via: via, Subject: OfTicket, SubjectID: int64(o.Ticket), After: map[string]any{"what": o.What}})
}

// EndOutage ends it, if it goes on.
func (tx *Tx) EndOutage(ctx context.Context, id ticket.ID, by people.PersonID, via string, at time.Time) error {
	return tx.later(ctx, failing("end outage %d", id), `
		with over as (update known_outages set ended_at = $2 where ticket_id = $1 and ended_at is null returning ticket_id)
		insert into audit (at, action, person_id, via, subject, subject_id) select $2, 'outage.over', nullif($3::bigint, 0), $4, 'ticket', ticket_id from over`, id, at, by, via)
}

// ResumeOutage has one go on that ended with its ticket, and everybody be told
// anew when it is over.
func (tx *Tx) ResumeOutage(ctx context.Context, id ticket.ID, at time.Time) error {
	if err := tx.later(ctx, failing("resume outage %d", id), `update known_outages set ended_at = null where ticket_id = $1 and ended_at is not null`, id); err != nil {
		return err
	}
	return tx.later(ctx, failing("resume outage %d", id), `update affected set told_at = null where ticket_id = $1 and told_at is not null`, id)
}

// Affect keeps that a ticket concerns somebody, who said so or only wants to
// hear when it is fixed.
func (tx *Tx) Affect(ctx context.Context, id ticket.ID, who people.PersonID, meToo bool, q QuestionID, via string, at time.Time) error {
	return tx.later(ctx, failing("affected by ticket %d", id), `
		with new as (
			insert into affected (ticket_id, person_id, me_too, question_id, at) values ($1, $2, $3, nullif($4::bigint, 0), $5)
			on conflict (ticket_id, person_id) do update set me_too = true where excluded.me_too and not affected.me_too
			returning me_too)
		insert into audit (at, action, person_id, via, subject, subject_id, after)
		select $5, 'affected', $2, $6, 'ticket', $1, json_build_object('me_too', me_too) from new`, id, who, meToo, q, at, via)
}

// Affected is somebody whom a ticket concerns besides its requester.
type Affected struct {
	Person   people.PersonID `db:"person_id"`
	MeToo    bool            `db:"me_too"`
	Question QuestionID      `db:"question_id"` // 0: none
}

// IsAffected tells how a ticket concerns somebody; false: it does not.
func (tx *Tx) IsAffected(ctx context.Context, id ticket.ID, who people.PersonID) (a Affected, yes bool, err error) {
	rows, _ := tx.Query(ctx, `select person_id, me_too, coalesce(question_id, 0) as question_id from affected where ticket_id = $1 and person_id = $2`, id, who)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Affected])
	if err != nil {
		return a, false, fmt.Errorf("affected by ticket %d: %w", id, err)
	}
	if len(found) == 0 {
		return a, false, nil
	}
	return found[0], true, nil
}

// TellAffected marks at most limit of those whom a ticket concerns as told, and
// returns them.
func (tx *Tx) TellAffected(ctx context.Context, id ticket.ID, limit int, at time.Time) ([]Affected, error) {
	rows, _ := tx.Query(ctx, `
		update affected a set told_at = $3
		from (select person_id from affected where ticket_id = $1 and told_at is null order by person_id limit $2 for update) next
		where a.ticket_id = $1 and a.person_id = next.person_id
		returning a.person_id, a.me_too, coalesce(a.question_id, 0) as question_id`, id, limit, at)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Affected])
	if err != nil {
		return nil, fmt.Errorf("tell those affected by ticket %d: %w", id, err)
	}
	return all, nil
}

// answeredWithOutage keeps which known outage is among what is shown for a
// question; 0: none is.
func (tx *Tx) answeredWithOutage(ctx context.Context, q QuestionID, id ticket.ID) error {
	if id == 0 {
		return tx.later(ctx, failing("outage for question %d", q), `delete from question_outages where question_id = $1`, q)
	}
	return tx.later(ctx, failing("outage for question %d", q), `
		insert into question_outages (question_id, ticket_id) values ($1, $2) on conflict (question_id) do update set ticket_id = excluded.ticket_id`, q, id)
}

// RedrawOutage has the questions drawn anew that an outage answered.
func (tx *Tx) RedrawOutage(ctx context.Context, id ticket.ID, card string, at time.Time) error {
	return tx.later(ctx, failing("questions of outage %d", id), requeue+`p.card = @card and p.card <> ''
		and p.subject in (select question_id from question_outages where ticket_id = @ticket)`+requeueAgain,
		named{"card": card, "ticket": id, "lane": LaneReply, "now": at})
}

// SetDueIfAffected is SetDue for a ticket that concerns others who have not been
// told that it is fixed.
func (tx *Tx) SetDueIfAffected(ctx context.Context, kind string, id ticket.ID, at time.Time) error {
	return tx.later(ctx, failing("set %s due for %d", kind, id), `
		insert into due (kind, subject, due_at, try_at) select $1, $2::bigint, $3, $3
		where exists (select from affected where ticket_id = $2 and told_at is null)
		on conflict (kind, subject) do update set due_at = excluded.due_at, try_at = excluded.try_at, attempts = 0`, kind, id, at)
}
