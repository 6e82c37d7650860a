package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/ticket"
)

// Delivery is a post that a process has claimed in order to deliver it.
type Delivery struct {
	ID         PostID    `db:"post_id"`
	Lane       Lane      `db:"lane"`
	Seq        int64     `db:"seq"`
	Attempts   int       `db:"attempts"` // this one included
	Unsure     bool      `db:"unsure"`   // an earlier attempt may have succeeded
	EnqueuedAt time.Time `db:"enqueued_at"`
	Lease      time.Time `db:"leased_until"` // nobody else claims it before then
}

// ClaimDeliveries claims at most limit of the posts that can be delivered now:
// the first of each conversation, the most urgent and then the oldest first. It
// marks them as unsure, for from now on they may be sent without our knowing.
// A lease that ran out is a process that died.
func (db *DB) ClaimDeliveries(ctx context.Context, now time.Time, lease time.Duration, limit int) (all []Delivery, err error) {
	err = db.run(ctx, byIndexAtOnce, func(tx *Tx) error {
		rows, _ := tx.Query(ctx, `
			with head as materialized (
				select o.post_id, o.unsure from outbox o
				where o.due_at <= $1 and (o.leased_until is null or o.leased_until <= $1)
					and o.seq = (
						select first.seq from outbox first where first.conversation = o.conversation
						order by first.lane, first.seq limit 1)
				order by o.lane, o.seq limit $3
				for update skip locked),
			claimed as (
				update outbox o set leased_until = $2, attempts = o.attempts + 1, unsure = true
				from head where head.post_id = o.post_id
				returning o.post_id, o.lane, o.seq, o.attempts, head.unsure, o.enqueued_at, o.leased_until)
			select * from claimed order by lane, seq`,
			now, now.Add(lease), limit)
		all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Delivery])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim posts: %w", err)
	}
	return all, nil
}

// Draft is a claimed post as the record has it at this moment.
type Draft struct {
	Post
	In     Thread // the zero Thread if it is in none
	Wanted int    // counts the changes that were asked for
	Orphan bool   // the post that was to open its thread has failed
	Words  string // of the message that it passes on, if any
}

// Drafts returns those of the deliveries that are still this process's.
func (tx *Tx) Drafts(ctx context.Context, all []Delivery) (map[PostID]Draft, error) {
	ids, leases := make([]PostID, len(all)), make([]time.Time, len(all))
	for i, d := range all {
		ids[i], leases[i] = d.ID, d.Lease
	}
	rows, _ := tx.Query(ctx, `
		select `+postColumns+`, o.wanted, coalesce((select m.body from messages m where m.id = p.message_id), '') as words,
			coalesce(t.channel, '') as thread_channel, coalesce(t.user_id, '') as thread_user, coalesce(t.root, '') as thread_root,
			coalesce(t.scope, '') as thread_scope, coalesce(t.side, '') as thread_side, coalesce(t.ticket_id, 0) as thread_ticket
		from unnest($1::bigint[], $2::timestamptz[]) as d (id, lease)
			join outbox o on o.post_id = d.id and o.leased_until = d.lease
			join posts p on p.id = d.id
			left join threads t on t.id = p.thread_id`, ids, leases)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		Post
		Wanted        int       `db:"wanted"`
		Words         string    `db:"words"`
		ThreadChannel string    `db:"thread_channel"`
		ThreadUser    string    `db:"thread_user"`
		ThreadRoot    string    `db:"thread_root"`
		ThreadScope   string    `db:"thread_scope"`
		ThreadSide    string    `db:"thread_side"`
		ThreadTicket  ticket.ID `db:"thread_ticket"`
	}])
	if err != nil {
		return nil, fmt.Errorf("read %d posts: %w", len(all), err)
	}
	drafts := make(map[PostID]Draft, len(found))
	var early []ThreadID // with a post that comes before the one that opens them
	for _, f := range found {
		d := Draft{Post: f.Post, Wanted: f.Wanted, Words: f.Words}
		if f.Thread != 0 {
			d.In = Thread{
				ID: f.Thread, Platform: f.Platform, Workspace: f.Workspace, Channel: f.ThreadChannel, User: f.ThreadUser,
				Root: f.ThreadRoot, Scope: f.ThreadScope, Side: f.ThreadSide, Ticket: f.ThreadTicket,
			}
			if !f.Root && f.ThreadRoot == "" {
				early = append(early, f.Thread)
			}
		}
		drafts[f.ID] = d
	}
	if len(early) == 0 {
		return drafts, nil
	}
	lost, err := tx.rootless(ctx, early)
	for id, d := range drafts {
		d.Orphan = !d.Root && d.In.Root == "" && lost[d.Thread]
		drafts[id] = d
	}
	return drafts, err
}

// rootless are those of the threads which the posts that were to open them have
// failed to.
func (tx *Tx) rootless(ctx context.Context, ids []ThreadID) (map[ThreadID]bool, error) {
	rows, _ := tx.Query(ctx, `
		select t.id from threads t where t.id = any($1)
			and not exists (select from posts r where r.thread_id = t.id and r.root and r.failed is null)
			and exists (select from posts r where r.thread_id = t.id and r.root and r.failed is not null)`, ids)
	found, err := pgx.CollectRows(rows, pgx.RowTo[ThreadID])
	if err != nil {
		return nil, fmt.Errorf("threads that are not opened: %w", err)
	}
	lost := make(map[ThreadID]bool, len(found))
	for _, id := range found {
		lost[id] = true
	}
	return lost, nil
}

// Delivered is a post that the platform has taken, or that need not be sent.
type Delivered struct {
	Delivery
	Wanted   int    // as it was drawn
	Before   bool   // it was delivered before: this is a change
	Root     bool   // it opens its thread
	Channel  string // where it came to stand; both empty when that is known or there is no such place
	External string
	Again    bool   // it is known to stand there, but not that it is what was drawn
	Letter   string // why the change was refused that was to be made to it
	Drawn    time.Time
	At       time.Time // the platform took it
}

// PutOff is a post that is to be tried again.
type PutOff struct {
	Delivery
	Until   time.Time
	Cause   string
	Unsure  bool
	Counted bool // the attempt was one
}

// Failed is a post that will never be delivered.
type Failed struct {
	Delivery
	Reason string
	Letter bool // a person should look at it
	Unsure bool // an attempt may have succeeded
}

// Outcomes are what became of claimed posts.
type Outcomes struct {
	Delivered []Delivered
	PutOff    []PutOff
	Failed    []Failed
}

// Len is how many there are.
func (o *Outcomes) Len() int { return len(o.Delivered) + len(o.PutOff) + len(o.Failed) }

// RecordDeliveries stores the outcomes in one transaction. A post that was
// changed while it was delivered stays queued. What opened a thread becomes its
// root; when it failed for good, all that is queued for the thread fails too.
// It returns how long after they were due the alerts were taken that have been
// taken now.
func (db *DB) RecordDeliveries(ctx context.Context, o Outcomes, now time.Time) (late []time.Duration, err error) {
	var roots []Delivered
	told := false
	for _, d := range o.Delivered {
		if d.Root && d.External != "" {
			roots = append(roots, d)
		}
		told = told || d.told()
	}
	how := byIndex
	if len(roots) == 0 && !told {
		how = byIndexAtOnce // nothing depends on what the first statements find
	}
	err = db.run(ctx, how, func(tx *Tx) error {
		if err := tx.recordDelivered(ctx, o.Delivered, now); err != nil {
			return err
		}
		if err := tx.recordPutOff(ctx, o.PutOff); err != nil {
			return err
		}
		if err := tx.recordFailed(ctx, o.Failed, now); err != nil {
			return err
		}
		if late = nil; told {
			if late, err = tx.recordTold(ctx, o.Delivered); err != nil {
				return err
			}
		}
		if len(late) > 0 && slices.Max(late) > LateAlert {
			// Somebody is told, once however many there are.
			if err := tx.later(ctx, failing("late alerts"), `insert into due (kind, subject, due_at, try_at) values ($1, 0, $2, $2) on conflict do nothing`,
				AlertsLate, now.Add(LateAlert)); err != nil {
				return err
			}
		}
		return tx.rootThreads(ctx, roots)
	})
	if err != nil {
		return nil, fmt.Errorf("record %d deliveries: %w", o.Len(), err)
	}
	return late, nil
}

// LateAlert is how late an alert may be before the desk says so itself.
const LateAlert = time.Minute

// told tells whether alerts may have been told with it, which are all in the two
// most urgent lanes.
func (d Delivered) told() bool { return !d.At.IsZero() && d.Letter == "" && d.Lane <= LaneApproval }

// recordTold notes when the platform has taken what alerts were told with. An
// alert that has joined a message while it was on its way is not in it yet.
func (tx *Tx) recordTold(ctx context.Context, all []Delivered) (late []time.Duration, err error) {
	var (
		ids        []PostID
		drawn, ats []time.Time
		due, at    time.Time
	)
	for _, d := range all {
		if d.told() {
			ids, drawn, ats = append(ids, d.ID), append(drawn, d.Drawn), append(ats, d.At)
		}
	}
	// With the array twice: a join alone is planned through all tellings.
	rows, _ := tx.Query(ctx, `
		update tellings t set accepted_at = d.at
		from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) as d (id, drawn, at)
		where t.post_id = d.id and t.post_id = any($1) and t.accepted_at is null
			and (t.at < d.drawn - interval '2 seconds' or not exists (select from outbox o where o.post_id = d.id))
		returning t.due_at, t.accepted_at`, ids, drawn, ats)
	_, err = pgx.ForEachRow(rows, []any{&due, &at}, func() error {
		late = append(late, max(0, at.Sub(due)))
		return nil
	})
	return late, err
}

func (tx *Tx) recordDelivered(ctx context.Context, all []Delivered, now time.Time) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	ids, wanted, again := make([]PostID, n), make([]int, n), make([]bool, n)
	var fresh []PostID // those that stand there for the first time
	var channels, externals []string
	for i, d := range all {
		ids[i], wanted[i], again[i] = d.ID, d.Wanted, d.Again
		if d.External != "" || !d.Before {
			fresh, channels, externals = append(fresh, d.ID), append(channels, d.Channel), append(externals, d.External)
		}
	}
	if len(fresh) > 0 {
		if err := tx.later(ctx, failing("sent posts"), `
			update posts p set sent_at = coalesce(p.sent_at, $4),
				sent_channel = case when d.external = '' then p.sent_channel else d.channel end,
				external = coalesce(nullif(d.external, ''), p.external),
				sought_as = case when not p.unsought then coalesce(nullif(d.external, ''), p.external) end
			from unnest($1::bigint[], $2::text[], $3::text[]) as d (id, channel, external)
			where p.id = d.id and (p.sent_at is null or d.external <> '')`, fresh, channels, externals, now); err != nil {
			return err
		}
	}
	// Two statements: the second sees what the first has waited for.
	if err := tx.later(ctx, failing("delivered posts"), `
		delete from outbox o using unnest($1::bigint[], $2::int[], $3::bool[]) as d (id, wanted, again)
		where o.post_id = d.id and o.wanted = d.wanted and not d.again`, ids, wanted, again); err != nil {
		return err
	}
	if err := tx.later(ctx, failing("posts that have changed"), `
		update outbox set leased_until = null, unsure = false, attempts = 0, error = '', due_at = $2
		where post_id = any($1)`, ids, now); err != nil {
		return err
	}
	for _, d := range all {
		if d.Letter != "" {
			if err := tx.later(ctx, failing("letter of post %d", d.ID), insertLetter, d.ID, d.Letter, now); err != nil {
				return err
			}
		}
	}
	return nil
}

const insertLetter = `
	insert into dead_letters (source, key, content, error, died_at)
	select 'outbox', p.id::text, to_jsonb(p), $2, $3 from posts p where p.id = $1`

// rootThreads gives the threads that the posts open their roots. Somebody may
// have been quick to answer below a message before its id was recorded, and so
// have made another thread of it: then the two become one.
func (tx *Tx) rootThreads(ctx context.Context, all []Delivered) error {
	if len(all) == 0 {
		return nil
	}
	n := len(all)
	ids, channels, externals := make([]PostID, n), make([]string, n), make([]string, n)
	for i, d := range all {
		ids[i], channels[i], externals[i] = d.ID, d.Channel, d.External
	}
	rows, _ := tx.Query(ctx, `
		select p.thread_id, x.id
		from unnest($1::bigint[], $2::text[], $3::text[]) as d (id, channel, external)
			join posts p on p.id = d.id
			join threads x on x.channel = d.channel and x.root = d.external and x.platform = p.platform and x.workspace = p.workspace
				and x.id <> p.thread_id
		order by 1`, ids, channels, externals)
	type pair struct{ ID, Twin ThreadID }
	twins, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil {
		return fmt.Errorf("twins of %d threads: %w", n, err)
	}
	for _, two := range twins {
		for _, sql := range []string{
			`update posts set thread_id = $1 where thread_id = $2`,
			`update outbox set conversation = 'thread ' || $1::bigint where conversation = 'thread ' || $2::bigint`,
			`update questions set thread_id = $1 where thread_id = $2`,
			`update messages set thread_id = $1 where thread_id = $2`,
			`with twin as (delete from threads where id = $2 returning ticket_id)
			update threads set ticket_id = coalesce(threads.ticket_id, twin.ticket_id) from twin where id = $1`,
		} {
			if err := tx.later(ctx, failing("twin %d of thread %d", two.Twin, two.ID), sql, two.ID, two.Twin); err != nil {
				return err
			}
		}
	}
	return tx.later(ctx, failing("roots of %d threads", n), `
		update threads t set root = d.external, channel = d.channel
		from unnest($1::bigint[], $2::text[], $3::text[]) as d (id, channel, external) join posts p on p.id = d.id
		where t.id = p.thread_id and t.root is null`, ids, channels, externals)
}

func (tx *Tx) recordPutOff(ctx context.Context, all []PutOff) error {
	if len(all) == 0 {
		return nil
	}
	n := len(all)
	ids, leases, untils := make([]PostID, n), make([]time.Time, n), make([]time.Time, n)
	causes, unsure, uncounted := make([]string, n), make([]bool, n), make([]int, n)
	for i, p := range all {
		ids[i], leases[i], untils[i], causes[i], unsure[i] = p.ID, p.Lease, p.Until, p.Cause, p.Unsure
		if !p.Counted {
			uncounted[i] = 1
		}
	}
	return tx.later(ctx, failing("posts that are put off"), `
		update outbox o set leased_until = null, due_at = d.until, unsure = d.unsure, attempts = o.attempts - d.uncounted,
			error = case when d.cause = '' then o.error else d.cause end
		from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::bool[], $6::int[])
			as d (id, lease, until, cause, unsure, uncounted)
		where o.post_id = d.id and o.leased_until = d.lease`, ids, leases, untils, causes, unsure, uncounted)
}

func (tx *Tx) recordFailed(ctx context.Context, all []Failed, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	n := len(all)
	ids, reasons, letters, unsure := make([]PostID, n), make([]string, n), make([]bool, n), make([]bool, n)
	for i, f := range all {
		ids[i], reasons[i], letters[i], unsure[i] = f.ID, f.Reason, f.Letter, f.Unsure
	}
	return tx.later(ctx, failing("posts that have failed"), `
		with failed as (
			select * from unnest($1::bigint[], $2::text[], $3::bool[], $5::bool[]) as f (id, reason, letter, unsure)),
		orphans as (
			select o.post_id as id, 'the message that was to open its thread: ' || f.reason as reason, f.letter, false as unsure
			from failed f join posts r on r.id = f.id and r.root and r.external is null
				join outbox o on o.conversation = 'thread ' || r.thread_id
			where o.post_id not in (select id from failed)),
		doomed as (select * from failed union all select * from orphans),
		unqueued as (delete from outbox o using doomed d where o.post_id = d.id),
		marked as (update posts p set failed = d.reason from doomed d where p.id = d.id)
		insert into dead_letters (source, key, content, error, died_at)
		select 'outbox', p.id::text, to_jsonb(p) || jsonb_build_object('unsure', d.unsure, 'lane', o.lane), d.reason, $4
		from doomed d join posts p on p.id = d.id left join outbox o on o.post_id = d.id where d.letter order by p.root desc, p.id`,
		ids, reasons, letters, now, unsure)
}

// CountOutbox returns how many posts wait for delivery, and since when the
// oldest has.
func (db *DB) CountOutbox(ctx context.Context) (n int, oldest time.Time, err error) {
	var at *time.Time
	if err := db.pool.QueryRow(ctx, `select count(*), min(enqueued_at) from outbox`).Scan(&n, &at); err != nil {
		return 0, time.Time{}, Unavailable(fmt.Errorf("count the outbox: %w", err))
	}
	return n, orZero(at), nil
}
