package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/assign"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Contender is an agent of a team with what the choice of an owner looks at and
// the record knows.
type Contender struct {
	people.Person
	Open     int       // open tickets that are hers
	Given    time.Time // when she came to have the newest of them
	Away     bool
	Declined bool // the ticket
}

// Contenders are the agents of a ticket's team. Their rows are locked until tx
// ends: of several who choose at once each sees what the one before has chosen,
// and nobody is chosen while she goes away. The ticket is locked already.
func (tx *Tx) Contenders(ctx context.Context, team people.TeamID, id ticket.ID, at time.Time) ([]Contender, error) {
	agents, err := tx.lockPeople(ctx, `p.left_at is null and p.id in (select person_id from team_members where team_id = $1)`, team)
	if err != nil || len(agents) == 0 {
		return nil, err
	}
	ids := make([]people.PersonID, len(agents))
	for i, a := range agents {
		ids[i] = a.ID
	}
	// A statement of its own: it sees what those have committed whom the locks
	// have waited for.
	rows, _ := tx.Query(ctx, `
		select p as id, coalesce(n.open, 0) as open, n.given,
			exists (select 1 from agents_away a where a.person_id = p and a.since <= $3 and a.until > $3) as away,
			exists (select 1 from declined d where d.person_id = p and d.ticket_id = $2) as declined
		from unnest($1::bigint[]) p
		left join (select owner_id, count(*) as open, max(claimed_at) as given from tickets
			where owner_id = any($1) and state <> 'done' group by owner_id) n on n.owner_id = p`, ids, id, at)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		ID       people.PersonID `db:"id"`
		Open     int             `db:"open"`
		Given    *time.Time      `db:"given"`
		Away     bool            `db:"away"`
		Declined bool            `db:"declined"`
	}])
	if err != nil {
		return nil, fmt.Errorf("who can have ticket %d: %w", id, err)
	}
	all := make([]Contender, len(found))
	for i, f := range found {
		for _, a := range agents {
			if a.ID == f.ID {
				all[i] = Contender{a, f.Open, orZero(f.Given), f.Away, f.Declined}
			}
		}
	}
	return all, nil
}

// lockPeople returns persons and locks their rows until tx ends, in the order of
// their ids. Others may still refer to them.
func (tx *Tx) lockPeople(ctx context.Context, where string, args ...any) ([]people.Person, error) {
	rows, _ := tx.Query(ctx, `select `+personColumns+` from people p where `+where+` order by p.id for no key update of p`, args...)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[personRow])
	if err != nil {
		return nil, fmt.Errorf("people to choose from: %w", err)
	}
	all := make([]people.Person, len(found))
	for i, r := range found {
		all[i] = r.person()
	}
	return all, nil
}

// AgentForUpdate is ActorByID for whoever is to be given a ticket: she can't go
// away before tx ends.
func (tx *Tx) AgentForUpdate(ctx context.Context, id people.PersonID) (people.Actor, error) {
	if _, err := tx.lockPeople(ctx, `p.id = $1`, id); err != nil {
		return people.Actor{}, err
	}
	return tx.ActorByID(ctx, id)
}

// DeclineTicket notes that a person is not to be asked again for a ticket.
func (tx *Tx) DeclineTicket(ctx context.Context, id ticket.ID, who people.PersonID, at time.Time) error {
	return tx.later(ctx, failing("decline ticket %d", id),
		`insert into declined (ticket_id, person_id, at) values ($1, $2, $3) on conflict do nothing`, id, who, at)
}

// HasDeclined tells whether she has said so before.
func (tx *Tx) HasDeclined(ctx context.Context, id ticket.ID, who people.PersonID) (yes bool, err error) {
	err = tx.QueryRow(ctx, `select exists (select 1 from declined where ticket_id = $1 and person_id = $2)`, id, who).Scan(&yes)
	if err != nil {
		err = fmt.Errorf("declined ticket %d: %w", id, err)
	}
	return yes, err
}

// SetAbsence says when somebody is away, in place of what was said before.
// It waits for whoever is giving her a ticket at the moment.
func (tx *Tx) SetAbsence(ctx context.Context, a assign.Absence, via string, at time.Time) error {
	if _, err := tx.lockPeople(ctx, `p.id = $1`, a.Person); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		insert into agents_away (person_id, since, until, set_by) values ($1, $2, $3, $4)
		on conflict (person_id) do update set since = excluded.since, until = excluded.until, set_by = excluded.set_by`,
		a.Person, a.Since, a.Until, a.By)
	if err != nil {
		return fmt.Errorf("absence of person %d: %w", a.Person, err)
	}
	return tx.Audit(ctx, Step{At: at, Action: "agent.away", Person: a.By, Via: via, Subject: OfPerson, SubjectID: int64(a.Person),
		After: map[string]any{"since": a.Since, "until": a.Until}})
}

// EndAbsence says that somebody is back; false if she was not away, and by no
// later than the time that ends it on its own if by is 0.
func (tx *Tx) EndAbsence(ctx context.Context, who, by people.PersonID, via string, at time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, `delete from agents_away where person_id = $1 and ($2 <> 0 or until <= $3)`, who, by, at)
	if err != nil {
		return false, fmt.Errorf("end the absence of person %d: %w", who, err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, tx.Audit(ctx, Step{At: at, Action: "agent.back", Person: by, Via: via, Subject: OfPerson, SubjectID: int64(who)})
}

// Absences are those of these persons that are not over, by person.
func (tx *Tx) Absences(ctx context.Context, at time.Time, who ...people.PersonID) (map[people.PersonID]assign.Absence, error) {
	rows, _ := tx.Query(ctx, `select person_id as person, since, until, set_by as by from agents_away where person_id = any($1) and until > $2`, who, at)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[assign.Absence])
	if err != nil {
		return nil, fmt.Errorf("absences: %w", err)
	}
	m := make(map[people.PersonID]assign.Absence, len(found))
	for _, a := range found {
		m[a.Person] = a
	}
	return m, nil
}

// AllOwned are the open tickets that a person has, by id.
func (tx *Tx) AllOwned(ctx context.Context, owner people.PersonID) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "all tickets of an owner", `
		select `+ticketColumns+` from tickets t where t.owner_id = $1 and t.state <> 'done' order by t.id`, owner)
}

// LastReply is when a person last wrote to a ticket's requester; zero if never.
func (tx *Tx) LastReply(ctx context.Context, id ticket.ID, author people.PersonID) (time.Time, error) {
	var at *time.Time
	err := tx.QueryRow(ctx, `select max(said_at) from messages where ticket_id = $1 and author_id = $2 and not internal`, id, author).Scan(&at)
	if err != nil {
		return time.Time{}, fmt.Errorf("last reply on ticket %d: %w", id, err)
	}
	return orZero(at), nil
}

// Trail is with whom a ticket has been, from its audit record.
func (tx *Tx) Trail(ctx context.Context, id ticket.ID) (ticket.Trail, error) {
	// The record is cut by months: those before the ticket are not looked at.
	rows, _ := tx.Query(ctx, `
		select coalesce((after->>'team')::bigint, 0) as team, coalesce((after->>'owner')::bigint, 0) as owner
		from audit where subject = 'ticket' and subject_id = $1 and (after->'team' is not null or after->'owner' is not null)
			and at >= (select opened_at from tickets where id = $1)
		order by at, id`, id)
	held, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		Team  people.TeamID   `db:"team"`
		Owner people.PersonID `db:"owner"`
	}])
	if err != nil {
		return nil, fmt.Errorf("trail of ticket %d: %w", id, err)
	}
	var trail ticket.Trail
	for _, h := range held {
		trail = trail.With(h.Team, h.Owner)
	}
	return trail, nil
}
