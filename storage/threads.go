package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/ticket"
)

// ThreadID is the record's number for a thread.
type ThreadID int64

// Thread is a thread on a platform and what it is about.
type Thread struct {
	ID        ThreadID  `db:"id"`
	Platform  string    `db:"platform"`
	Workspace string    `db:"workspace"`
	Channel   string    `db:"channel"` // empty: User's direct messages, not opened yet
	User      string    `db:"user_id"` // whose direct messages
	Root      string    `db:"root"`    // empty until the desk's own first message has been delivered
	Scope     string    `db:"scope"`   // direct, group, open
	Side      string    `db:"side"`    // requester, team
	Ticket    ticket.ID `db:"ticket_id"`
}

const threadColumns = `t.id, t.platform, t.workspace, t.channel, t.user_id, coalesce(t.root, '') as root, t.scope, t.side,
	coalesce(t.ticket_id, 0) as ticket_id`

func (tx *Tx) oneThread(ctx context.Context, sql string, args ...any) (Thread, error) {
	rows, _ := tx.Query(ctx, sql, args...)
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Thread])
	if err != nil {
		return Thread{}, fmt.Errorf("thread %v: %w", args, notFound(err))
	}
	return t, nil
}

// Thread returns the thread.
func (tx *Tx) Thread(ctx context.Context, id ThreadID) (Thread, error) {
	return tx.oneThread(ctx, `select `+threadColumns+` from threads t where t.id = $1`, id)
}

// FindThread returns the thread below the message root; ErrNotFound if the
// desk has nothing to do with it.
func (tx *Tx) FindThread(ctx context.Context, platform, workspace, channel, root string) (Thread, error) {
	return tx.oneThread(ctx, `select `+threadColumns+` from threads t
		where t.channel = $3 and t.root = $4 and t.platform = $1 and t.workspace = $2`,
		platform, workspace, channel, root)
}

// ThreadOf returns the thread that a message is in, the desk's or somebody
// else's: where there are no threads to be seen, a message is all that an event
// names. ErrNotFound if the desk has nothing to do with it.
func (tx *Tx) ThreadOf(ctx context.Context, platform, workspace, channel, message string) (Thread, error) {
	return tx.oneThread(ctx, `select `+threadColumns+` from threads t where t.id = (
		select id from (
			select 1 as nearest, p.thread_id as id from posts p
				where p.sought_as = $4 and p.sent_channel = $3 and p.platform = $1 and p.workspace = $2 and p.thread_id is not null
			union all
			select 2, m.thread_id from messages m
				where m.external = $4 and m.channel = $3 and m.platform = $1 and m.workspace = $2 and m.thread_id is not null
			union all
			select 3, r.id from threads r where r.root = $4 and r.channel = $3 and r.platform = $1 and r.workspace = $2) found
		order by nearest limit 1)`,
		platform, workspace, channel, message)
}

// Talk is what is being talked of in a chat that has no threads.
type Talk struct {
	Platform  string    `db:"platform"`
	Workspace string    `db:"workspace"`
	Channel   string    `db:"channel"` // empty: User's direct messages
	User      string    `db:"user_id"`
	Thread    ThreadID  `db:"thread_id"`
	At        time.Time `db:"at"`
	ByTeam    bool      `db:"by_team"` // the team or the desk spoke last
}

// SetTalk says what is being talked of from now on.
func (tx *Tx) SetTalk(ctx context.Context, t Talk) error {
	return tx.later(ctx, failing("talk with %s in %s", t.User, t.Channel), `
		insert into talks (platform, workspace, channel, user_id, thread_id, at, by_team)
		values (@platform, @workspace, @channel, @user, @thread, @at, @team)
		on conflict (platform, workspace, channel, user_id)
			do update set thread_id = excluded.thread_id, at = excluded.at, by_team = excluded.by_team`,
		named{"platform": t.Platform, "workspace": t.Workspace, "channel": t.Channel, "user": t.User,
			"thread": t.Thread, "at": t.At, "team": t.ByTeam})
}

// EndTalk says that nothing is being talked of with somebody any more.
func (tx *Tx) EndTalk(ctx context.Context, platform, workspace, channel, user string) error {
	return tx.later(ctx, failing("end the talk with %s in %s", user, channel), `
		delete from talks where platform = $1 and workspace = $2 and channel = $3 and user_id = $4`, platform, workspace, channel, user)
}

// TalkWith is what is being talked of with somebody; ErrNotFound if nothing
// has been.
func (tx *Tx) TalkWith(ctx context.Context, platform, workspace, channel, user string) (Talk, error) {
	rows, _ := tx.Query(ctx, `select platform, workspace, channel, user_id, thread_id, at, by_team from talks
		where platform = $1 and workspace = $2 and channel = $3 and user_id = $4`, platform, workspace, channel, user)
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Talk])
	if err != nil {
		return Talk{}, fmt.Errorf("talk with %s in %s: %w", user, channel, notFound(err))
	}
	return t, nil
}

// OpenThread stores a thread. If its root is known already, the thread that is
// there stays as it is, but for a ticket that it had not. It returns the thread
// as it then is.
func (tx *Tx) OpenThread(ctx context.Context, t Thread) (Thread, error) {
	// Updating what is there, rather than doing nothing, returns it also when
	// another transaction has stored it this moment.
	return tx.oneThread(ctx, `
		insert into threads as t (platform, workspace, channel, user_id, root, scope, side, ticket_id)
		values (@platform, @workspace, @channel, @user, nullif(@root, ''), @scope, @side, nullif(@ticket::bigint, 0))
		on conflict (channel, root, platform, workspace) where root is not null
			do update set ticket_id = coalesce(t.ticket_id, excluded.ticket_id)
		returning `+threadColumns,
		named{
			"platform": t.Platform, "workspace": t.Workspace, "channel": t.Channel, "user": t.User,
			"root": t.Root, "scope": t.Scope, "side": t.Side, "ticket": t.Ticket,
		})
}

// AwaitsRoot tells whether the desk may this moment be opening a thread in the
// channel, or in the direct messages of the user, so that a message below an
// unknown root may belong to a thread of which only the id is not known yet.
func (tx *Tx) AwaitsRoot(ctx context.Context, platform, workspace, channel, user string) (bool, error) {
	var awaits bool
	err := tx.QueryRow(ctx, `
		select exists (
			select from threads t join posts p on p.thread_id = t.id and p.root and p.failed is null
				join outbox o on o.post_id = p.id and o.unsure
			where t.root is null and t.platform = $1 and t.workspace = $2
				and (t.channel = $3 or t.channel = '' and t.user_id = $4))`,
		platform, workspace, channel, user).Scan(&awaits)
	if err != nil {
		return false, fmt.Errorf("threads to come in %s: %w", channel, err)
	}
	return awaits, nil
}

// Delivering tells whether a message of the desk's may this moment be coming to
// stand in the channel, or in the direct messages of the user: it is seen
// already, and its id is not known yet.
func (tx *Tx) Delivering(ctx context.Context, platform, workspace, channel, user string) (bool, error) {
	var delivering bool
	err := tx.QueryRow(ctx, `
		select exists (
			select from outbox o join posts p on p.id = o.post_id left join threads t on t.id = p.thread_id
			where o.unsure and p.external is null and p.kind = 'message' and p.platform = $1 and p.workspace = $2
				and (coalesce(t.channel, p.channel) = $3 or coalesce(t.channel, p.channel) = '' and coalesce(t.user_id, p.user_id) = $4))`,
		platform, workspace, channel, user).Scan(&delivering)
	if err != nil {
		return false, fmt.Errorf("messages to come in %s: %w", channel, err)
	}
	return delivering, nil
}

// LinkThread says that the thread is about the ticket from now on.
func (tx *Tx) LinkThread(ctx context.Context, id ThreadID, about ticket.ID) error {
	return tx.later(ctx, touching(ErrNotFound, "link thread %d", id), `update threads set ticket_id = $2 where id = $1`, id, about)
}

// TicketThreads returns every thread about the ticket, the oldest first.
func (tx *Tx) TicketThreads(ctx context.Context, about ticket.ID) ([]Thread, error) {
	rows, _ := tx.Query(ctx, `select `+threadColumns+` from threads t where t.ticket_id = $1 order by t.id`, about)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Thread])
	if err != nil {
		return nil, fmt.Errorf("threads of ticket %d: %w", about, err)
	}
	return all, nil
}
