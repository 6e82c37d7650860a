package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Lists that people look at. Each is short: what does not fit on a screen is
// not read.

// TicketsOf are a requester's tickets: open ones first, then what was closed
// since, newest first.
func (tx *Tx) TicketsOf(ctx context.Context, requester people.PersonID, since time.Time, limit int) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "tickets of a requester", `
		select `+ticketColumns+` from tickets t
		where t.requester_id = $1 and (t.state <> 'done' or t.closed_at is null or t.closed_at > $2)
		order by t.closed_at is not null, t.state = 'done', t.opened_at desc limit $3`, requester, since, limit)
}

// Owned are the open tickets that an agent has claimed, most urgent first.
func (tx *Tx) Owned(ctx context.Context, owner people.PersonID, limit int) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "tickets of an owner", `
		select `+ticketColumns+` from tickets t
		where t.owner_id = $1 and t.state <> 'done'
		order by t.priority, t.opened_at limit $2`, owner, limit)
}

// Unclaimed are the open tickets of these teams that nobody has, most urgent
// first.
func (tx *Tx) Unclaimed(ctx context.Context, teams []people.TeamID, limit int) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "unclaimed tickets", `
		select `+ticketColumns+` from tickets t
		where t.queue_id = any(array(select id from queues where team_id = any($1))) and t.owner_id is null and t.state <> 'done'
		order by t.priority, t.opened_at limit $2`, teams, limit)
}

// LikeOpen are the person's open tickets, and open incidents that concern more
// than one person, newest first: what a new ticket may be a duplicate of.
func (tx *Tx) LikeOpen(ctx context.Context, person people.PersonID, kind ticket.Kind, since time.Time, limit int) (own, known []ticket.Ticket, err error) {
	own, err = tx.manyTickets(ctx, "own open tickets", `
		select `+ticketColumns+` from tickets t
		where t.requester_id = $1 and t.kind = $2 and t.state <> 'done' and t.opened_at > $3
		order by t.opened_at desc limit $4`, person, kind, since, limit)
	if err != nil || kind != ticket.Incident {
		return own, nil, err
	}
	known, err = tx.manyTickets(ctx, "known open incidents", `
		select `+ticketColumns+` from tickets t
		where t.kind = 'incident' and t.state <> 'done' and t.impact in ('site', 'customers') and t.requester_id <> $1 and t.opened_at > $2
		order by t.priority, t.opened_at desc limit $3`, person, since, limit)
	return own, known, err
}

// Untriaged are open tickets of a team that stand in no channel of a team's,
// oldest first. One transaction at a time has them: of several processes that
// start together only one puts them into the channel.
func (tx *Tx) Untriaged(ctx context.Context, team people.TeamID, limit int) ([]ticket.Ticket, error) {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('deskhand.untriaged'))`); err != nil {
		return nil, fmt.Errorf("tickets without a channel: %w", err)
	}
	return tx.manyTickets(ctx, "tickets without a channel", `
		select `+ticketColumns+` from tickets t
		where t.queue_id = any(array(select id from queues where team_id = $1)) and t.state <> 'done'
			and not exists (select 1 from threads th where th.ticket_id = t.id and th.side = 'team')
		order by t.opened_at limit $2`, team, limit)
}

// Counts of an agent's work.
type Counts struct{ Mine, WaitingOnMe, Unclaimed int }

// Counts are how many open tickets an agent has, how many of them wait for
// nobody else, and how many of the teams' nobody has.
func (tx *Tx) Counts(ctx context.Context, owner people.PersonID, teams []people.TeamID) (c Counts, err error) {
	err = tx.QueryRow(ctx, `
		select (select count(*) from tickets where owner_id = $1 and state <> 'done'),
			(select count(*) from tickets where owner_id = $1 and state = 'in_progress'),
			(select count(*) from tickets where queue_id = any(array(select id from queues where team_id = any($2)))
				and owner_id is null and state <> 'done')`, owner, teams).Scan(&c.Mine, &c.WaitingOnMe, &c.Unclaimed)
	return c, err
}
