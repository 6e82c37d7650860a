package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// Clock is how one of a ticket's clocks stands: what its ledger gives, kept so
// that it can be found when something falls due, and drawn without a sum.
type Clock struct {
	Ticket ticket.ID
	Kind   sla.Kind
	Level  string // slug of the service level
	State  sla.State
	Since  time.Time
	Round  int // see sla.Clock

	Due  *time.Time    // nil while it is paused in time
	Left time.Duration // of open time, as of Since
	Late bool          // it has ended too late

	// The last mark of the ladder that was seen to in this round.
	Percent int
	Beyond  time.Duration

	Look *time.Time // when to look at it next; nil: it needs none
}

const clockColumns = `ticket_id, kind, level, state, since, round, due_at, left_ns, late, percent, beyond_ns, look_at`

func (c *Clock) columns() []any {
	return []any{&c.Ticket, &c.Kind, &c.Level, &c.State, &c.Since, &c.Round, &c.Due, &c.Left, &c.Late, &c.Percent, &c.Beyond, &c.Look}
}

// Same tells whether the record would have the other as it has this one.
func (c Clock) Same(is Clock) bool {
	return c.Ticket == is.Ticket && c.Kind == is.Kind && c.Level == is.Level && c.State == is.State && SameTime(&c.Since, &is.Since) &&
		c.Round == is.Round && SameTime(c.Due, is.Due) && c.Left == is.Left && c.Late == is.Late && c.Percent == is.Percent &&
		c.Beyond == is.Beyond && SameTime(c.Look, is.Look)
}

// SameTime tells whether two times are the same on record, which has
// microseconds; nil is that there is none.
func SameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond))
}

// Mark is the last one that was seen to.
func (c Clock) Mark() sla.Mark { return sla.Mark{Percent: c.Percent, Beyond: c.Beyond} }

// SetClocks stores how clocks stand. Whoever does has locked their tickets.
func (tx *Tx) SetClocks(ctx context.Context, all ...Clock) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	tickets, kinds, levels, states, sinces := make([]ticket.ID, n), make([]string, n), make([]string, n), make([]string, n), make([]time.Time, n)
	rounds, dues, lefts, lates := make([]int, n), make([]*time.Time, n), make([]int64, n), make([]bool, n)
	percents, beyonds, looks := make([]int, n), make([]int64, n), make([]*time.Time, n)
	for i, c := range all {
		tickets[i], kinds[i], levels[i], states[i], sinces[i] = c.Ticket, string(c.Kind), c.Level, string(c.State), c.Since
		rounds[i], dues[i], lefts[i], lates[i] = c.Round, c.Due, int64(c.Left), c.Late
		percents[i], beyonds[i], looks[i] = c.Percent, int64(c.Beyond), c.Look
	}
	return tx.later(ctx, failing("clocks of ticket %d", all[0].Ticket), `
		insert into clocks as c (`+clockColumns+`)
		select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::int[], $7::timestamptz[],
			$8::bigint[], $9::bool[], $10::int[], $11::bigint[], $12::timestamptz[])
		on conflict (ticket_id, kind) do update set level = excluded.level, state = excluded.state, since = excluded.since, round = excluded.round,
			due_at = excluded.due_at, left_ns = excluded.left_ns, late = excluded.late,
			percent = excluded.percent, beyond_ns = excluded.beyond_ns, look_at = excluded.look_at`,
		tickets, kinds, levels, states, sinces, rounds, dues, lefts, lates, percents, beyonds, looks)
}

// ClimbClocks stores how far up their ladders clocks are and when to look at them
// next, and nothing else. They are on record, and whoever does has locked their
// tickets.
func (tx *Tx) ClimbClocks(ctx context.Context, all ...Clock) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	tickets, kinds, percents, beyonds, looks := make([]ticket.ID, n), make([]string, n), make([]int, n), make([]int64, n), make([]*time.Time, n)
	for i, c := range all {
		tickets[i], kinds[i], percents[i], beyonds[i], looks[i] = c.Ticket, string(c.Kind), c.Percent, int64(c.Beyond), c.Look
	}
	return tx.later(ctx, failing("clocks of ticket %d", all[0].Ticket), `
		update clocks c set percent = n.percent, beyond_ns = n.beyond_ns, look_at = n.look_at
		from unnest($1::bigint[], $2::text[], $3::int[], $4::bigint[], $5::timestamptz[]) as n (ticket_id, kind, percent, beyond_ns, look_at)
		where c.ticket_id = n.ticket_id and c.kind = n.kind`, tickets, kinds, percents, beyonds, looks)
}

// DropClock forgets a clock of which nothing is promised any more.
func (tx *Tx) DropClock(ctx context.Context, id ticket.ID, k sla.Kind) error {
	return tx.later(ctx, failing("drop %s clock of ticket %d", k, id), `delete from clocks where ticket_id = $1 and kind = $2`, id, string(k))
}

// unheard is how long an alert waits for a message in the ticket's threads that
// has been accepted and not been read yet: it may be the answer.
const unheard = 30 * time.Second

// LockDue locks those of the tickets that have a clock to look at and that
// nobody else works on this moment, and returns how urgent each is, in order of
// their ids: there may be very many. It never waits: a ticket that is locked, or
// in whose threads something was just said, is about to change, and is looked at
// again.
func (tx *Tx) LockDue(ctx context.Context, now time.Time, ids []ticket.ID) ([]Urgent, error) {
	rows, _ := tx.Query(ctx, `
		select t.id, t.priority from tickets t
		where t.id = any($1) and exists (select from clocks c where c.ticket_id = t.id and c.look_at <= $2)
			and not exists (
				select from threads th
					join inbox i on i.conversation = th.platform || ':' || th.workspace || ':' || th.channel || ':' || th.root
				where th.ticket_id = t.id and i.attempts = 0 and i.received_at > $3)
		order by t.id for update of t skip locked`, ids, now, now.Add(-unheard))
	all, err := pgx.CollectRows(rows, inColumns((*Urgent).columns))
	if err != nil {
		return nil, fmt.Errorf("lock tickets that are due: %w", err)
	}
	return all, nil
}

// Urgent is a ticket and how urgent it is.
type Urgent struct {
	Ticket   ticket.ID
	Priority ticket.Priority
}

func (u *Urgent) columns() []any { return []any{&u.Ticket, &u.Priority} }

// PutOffLook has the clocks of a ticket that could not be dealt with looked at
// again later.
func (db *DB) PutOffLook(ctx context.Context, id ticket.ID, now, until time.Time) error {
	return db.InTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `update clocks set look_at = $3 where ticket_id = $1 and look_at <= $2`, id, now, until)
		return err
	})
}

// OpenPromise is what a policy looks at in an open ticket, and what its ledger
// says is promised.
type OpenPromise struct {
	Ticket   ticket.ID       `db:"id"`
	Kind     ticket.Kind     `db:"kind"`
	Priority ticket.Priority `db:"priority"`
	Service  string          `db:"service"`
	Team     people.TeamID   `db:"team_id"`
	Policy   PolicyID        `db:"policy_id"` // 0: the ledger has not begun
	Level    string          `db:"level"`     // slug; empty: nothing is promised
}

// OpenPromises are those of tickets that are not done yet, in order of their ids
// after one of them. It locks nothing: there may be very many.
func (tx *Tx) OpenPromises(ctx context.Context, after ticket.ID, limit int) ([]OpenPromise, error) {
	rows, _ := tx.Query(ctx, `
		select t.id, t.kind, t.priority, coalesce(t.service, '') as service, q.team_id, coalesce(l.policy_id, 0) as policy_id, coalesce(l.level, '') as level
		from (select id, kind, priority, service, queue_id from tickets where id > $1 and state <> 'done' order by id limit $2) t
			join queues q on q.id = t.queue_id
			left join lateral (select policy_id, level from ledger where ticket_id = t.id and step in ('opened', 'changed') order by seq desc limit 1) l on true
		order by t.id`, after, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[OpenPromise])
	if err != nil {
		return nil, fmt.Errorf("open promises: %w", err)
	}
	return all, nil
}

// LockOpen locks those of the tickets that are not done, and returns them in
// order of their ids.
func (tx *Tx) LockOpen(ctx context.Context, ids []ticket.ID) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "lock open tickets", `
		select `+ticketColumns+` from tickets t where t.id = any($1) and t.state <> 'done' order by t.id for update of t`, ids)
}

// RunningClocks counts the clocks that have not ended by the slug of their
// service level.
func (tx *Tx) RunningClocks(ctx context.Context) (map[string]int, error) {
	rows, _ := tx.Query(ctx, `select level, count(*) from clocks where state <> 'ended' group by level`)
	all := map[string]int{}
	var (
		level string
		n     int
	)
	if _, err := pgx.ForEachRow(rows, []any{&level, &n}, func() error { all[level] = n; return nil }); err != nil {
		return nil, fmt.Errorf("running clocks: %w", err)
	}
	return all, nil
}

// BreachID is the record's number for a promise that was missed.
type BreachID int64

// Breach is a promise that was missed.
type Breach struct {
	ID      BreachID  `db:"id"`
	Ticket  ticket.ID `db:"ticket_id"`
	Kind    sla.Kind  `db:"kind"`
	Round   int       `db:"round"`
	Due     time.Time `db:"due_at"`
	Noticed time.Time `db:"noticed_at"`

	TakenBy people.PersonID `db:"taken_by"` // 0: nobody has said that she sees to it
	TakenAt *time.Time      `db:"taken_at"`
	Told    *time.Time      `db:"told_at"`    // the requester
	NewDue  *time.Time      `db:"new_due"`    // what she was told instead
	Pressed *time.Time      `db:"pressed_at"` // she has asked for somebody higher up
	Ended   *time.Time      `db:"ended_at"`
	EndedBy people.PersonID `db:"ended_by"` // 0: nobody, or it was not seen
}

const breachColumns = `id, ticket_id, kind, round, due_at, noticed_at, coalesce(taken_by, 0) as taken_by, taken_at, told_at, new_due, pressed_at, ended_at, coalesce(ended_by, 0) as ended_by`

// Breach returns the breach. Its ticket is to be locked before it is changed.
func (tx *Tx) Breach(ctx context.Context, id BreachID) (Breach, error) {
	rows, _ := tx.Query(ctx, `select `+breachColumns+` from breaches where id = $1`, id)
	b, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Breach])
	if err != nil {
		return b, fmt.Errorf("breach %d: %w", id, notFound(err))
	}
	return b, nil
}

// OpenBreaches stores breaches of rounds and fills in what the record has of
// them, also of those that were there before. Those are the ones that it
// returns: something has been told of them before.
func (tx *Tx) OpenBreaches(ctx context.Context, all []*Breach) (known []BreachID, err error) {
	n := len(all)
	if n == 0 {
		return nil, nil
	}
	type key struct {
		ticket ticket.ID
		kind   sla.Kind
		round  int
	}
	tickets, kinds, rounds := make([]ticket.ID, n), make([]string, n), make([]int, n)
	dues, noticed, ended := make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	index := make(map[key]*Breach, n)
	for i, b := range all {
		tickets[i], kinds[i], rounds[i], dues[i], noticed[i], ended[i] = b.Ticket, string(b.Kind), b.Round, b.Due, b.Noticed, b.Ended
		index[key{b.Ticket, b.Kind, b.Round}] = b
	}
	rows, _ := tx.Query(ctx, `
		insert into breaches as b (ticket_id, kind, round, due_at, noticed_at, ended_at)
		select * from unnest($1::bigint[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
		on conflict on constraint breaches_once do update set due_at = b.due_at
		returning `+breachColumns+`, xmax <> 0 as known`, tickets, kinds, rounds, dues, noticed, ended)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		Breach
		Known bool `db:"known"`
	}])
	if err != nil {
		return nil, fmt.Errorf("%d breaches: %w", n, err)
	}
	for _, f := range found {
		*index[key{f.Ticket, f.Kind, f.Round}] = f.Breach
		if f.Known {
			known = append(known, f.ID)
		}
	}
	return known, nil
}

// SetBreach stores what has become of a breach.
func (tx *Tx) SetBreach(ctx context.Context, b Breach) error {
	return tx.later(ctx, failing("breach %d", b.ID), `
		update breaches set taken_by = nullif($2::bigint, 0), taken_at = $3, told_at = $4, new_due = $5, pressed_at = $6, ended_at = $7,
			ended_by = nullif($8::bigint, 0) where id = $1`,
		b.ID, b.TakenBy, b.TakenAt, b.Told, b.NewDue, b.Pressed, b.Ended, b.EndedBy)
}
