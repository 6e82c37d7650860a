package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// IncomingID is the record's number for an incoming event. Within one process
// they grow in the order of acceptance.
type IncomingID int64

// Incoming is an event that has been accepted and not been handled yet.
type Incoming struct {
	ID           IncomingID `db:"id"`
	Key          string     `db:"key"`
	At           time.Time  `db:"-"` // when it happened; only for Accept
	Conversation string     `db:"conversation"`
	Event        []byte     `db:"event"` // JSON without \u0000, which jsonb refuses
	ReceivedAt   time.Time  `db:"received_at"`
	DueAt        time.Time  `db:"due_at"` // later than ReceivedAt after a failure
	Attempts     int        `db:"attempts"`
}

// AcceptIncoming stores those of the events whose key and time have not been
// seen before, all in one commit, and returns their ids: 0 for those seen.
//
// It may be repeated after any error. A connection that Postgres has dropped
// meanwhile is replaced without the caller noticing.
func (db *DB) AcceptIncoming(ctx context.Context, events []Incoming, now time.Time) ([]IncomingID, error) {
	ids, err := db.acceptIncoming(ctx, events, now)
	if err != nil && ctx.Err() == nil && (outage(err) || retryable(err)) {
		if outage(err) {
			db.pool.Reset() // the other connections are as dead; see begin
		}
		ids, err = db.acceptIncoming(ctx, events, now)
	}
	if err != nil {
		return nil, Unavailable(fmt.Errorf("accept %d events: %w", len(events), err))
	}
	return ids, nil
}

func (db *DB) acceptIncoming(ctx context.Context, events []Incoming, now time.Time) ([]IncomingID, error) {
	nth := make(map[string]int, len(events)) // by key: an event that comes twice is one
	keys, ats := make([]string, 0, len(events)), make([]time.Time, 0, len(events))
	conversations, bodies := make([]string, 0, len(events)), make([]string, 0, len(events))
	for i, e := range events {
		if _, twice := nth[e.Key]; twice {
			continue
		}
		nth[e.Key] = i
		keys, ats = append(keys, e.Key), append(ats, e.At)
		conversations, bodies = append(conversations, e.Conversation), append(bodies, string(e.Event))
	}
	rows, _ := db.pool.Query(ctx, `
		with e as materialized (
			select * from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[])
				with ordinality as e (key, at, conversation, event, n)),
		fresh as (insert into seen (key, at) select key, at from e order by key on conflict do nothing returning key)
		insert into inbox (key, conversation, event, received_at, due_at)
		select key, conversation, event::jsonb, $5, $5 from e join fresh using (key) order by n
		returning id, key`,
		keys, ats, conversations, bodies, now)
	ids := make([]IncomingID, len(events))
	var id IncomingID
	var key string
	_, err := pgx.ForEachRow(rows, []any{&id, &key}, func() error {
		ids[nth[key]] = id
		return nil
	})
	return ids, err
}

// ReadyIncoming returns at most limit of the events after the one given that
// neither wait after a failure nor behind one that does, in the order of their
// ids. Others may be at them.
func (db *DB) ReadyIncoming(ctx context.Context, after IncomingID, now time.Time, limit int) (all []Incoming, err error) {
	// Only the first event of a conversation is ever put off.
	err = db.run(ctx, byIndexAtOnce, func(tx *Tx) error {
		rows, _ := tx.Query(ctx, `
			select id, key, conversation, event, received_at, due_at, attempts from inbox i
			where id > $1 and $2 >= (
				select first.due_at from inbox first where first.conversation = i.conversation order by first.id limit 1)
			order by id limit $3`, after, now, limit)
		all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Incoming])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	return all, nil
}

// byIndex is how to look into a queue. It is empty at one moment and long at
// the next, and a plan that was made for the one and kept for the other would
// read the whole of it for each row.
var (
	byIndex       = txMode{begin: []string{`begin isolation level read committed`, `set local enable_seqscan = off`}}
	byIndexAtOnce = txMode{begin: []string{`select set_config('enable_seqscan', 'off', true)`}, oneTrip: true}
)

// CountIncoming returns how many events wait, and since when the oldest has.
func (db *DB) CountIncoming(ctx context.Context) (n int, oldest time.Time, err error) {
	var at *time.Time
	if err := db.pool.QueryRow(ctx, `select count(*), min(received_at) from inbox`).Scan(&n, &at); err != nil {
		return 0, time.Time{}, Unavailable(fmt.Errorf("count the inbox: %w", err))
	}
	return n, orZero(at), nil
}

// ErrNotTaken means that an event is not this process's to handle now.
var ErrNotTaken = errors.New("not to be taken")

// TakeIncoming removes the event, for good if tx commits. ErrNotTaken, which
// comes with the next statement: it is not its turn, or it has been handled; see
// WhyNotTaken.
func (tx *Tx) TakeIncoming(ctx context.Context, e Incoming, now time.Time) error {
	return tx.later(ctx, touching(ErrNotTaken, "take event %d", e.ID), `
		delete from inbox where id = (
			select id from inbox i where id = $1 and due_at <= $3
				and not exists (select from inbox before where before.conversation = $2 and before.id < i.id)
			for update skip locked)`,
		e.ID, e.Conversation, now)
}

// WhyNotTaken tells why an event could not be taken. ErrConflict: it is not its
// turn, because an earlier event of its conversation is still there, or somebody
// else is at it, or it has been put off. ErrNotFound: it has been handled.
func (db *DB) WhyNotTaken(ctx context.Context, id IncomingID) error {
	there := false
	err := db.pool.QueryRow(ctx, `select exists (select from inbox where id = $1)`, id).Scan(&there)
	switch {
	case err != nil:
		err = Unavailable(err)
	case there:
		err = ErrConflict
	default:
		err = ErrNotFound
	}
	return fmt.Errorf("take event %d: %w", id, err)
}

// PutOffIncoming sets how often the event has failed and lets it, and what
// follows it in its conversation, wait until then. ErrNotFound: somebody else
// has handled it.
func (tx *Tx) PutOffIncoming(ctx context.Context, id IncomingID, attempts int, until time.Time, cause string) error {
	tag, err := tx.Exec(ctx, `update inbox set attempts = $4, due_at = $2, error = $3 where id = $1`, id, until, cause, attempts)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("put off event %d: %w", id, err)
	}
	return nil
}

// SetIncomingAside has the event wait until then in a conversation apart from its
// own, which goes on. ErrNotFound: somebody else has handled it.
func (tx *Tx) SetIncomingAside(ctx context.Context, id IncomingID, conversation string, until time.Time) error {
	tag, err := tx.Exec(ctx, `update inbox set conversation = $2, due_at = $3 where id = $1`, id, conversation, until)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("set event %d aside: %w", id, err)
	}
	return nil
}

// DropAside removes the events that wait in a conversation apart and happened
// before then: something that came later has taken their place.
func (tx *Tx) DropAside(ctx context.Context, conversation string, before time.Time) error {
	return tx.later(ctx, failing("drop events aside of %s", conversation), `
		delete from inbox where conversation = $1 and (event->>'at')::timestamptz < $2`, conversation, before)
}

// IsHandled tells whether an event has been accepted and handled since. Until it
// has, it is in its conversation.
func (tx *Tx) IsHandled(ctx context.Context, key, conversation string) (handled bool, err error) {
	if err = tx.QueryRow(ctx, `
		select exists (select from seen where key = $1) and not exists (select from inbox where conversation = $2 and key = $1)`,
		key, conversation).Scan(&handled); err != nil {
		err = fmt.Errorf("event %s: %w", key, err)
	}
	return handled, err
}

// BuryIncoming keeps the event, which tx has taken, among the dead letters.
func (tx *Tx) BuryIncoming(ctx context.Context, e Incoming, cause string, now time.Time) error {
	_, err := tx.Exec(ctx, `
		insert into dead_letters (source, key, content, error, died_at) values ('inbox', $1, $2, $3, $4)`,
		e.Key, e.Event, cause, now)
	if err != nil {
		return fmt.Errorf("bury event %d: %w", e.ID, err)
	}
	return nil
}

// ErrSeen means that the event counts already.
var ErrSeen = errors.New("seen before")

// SeeKey notes an event that is handled at once, without the inbox. ErrSeen,
// which comes with the next statement: it has been noted or accepted before. It
// waits for another transaction that is about to note the same.
func (tx *Tx) SeeKey(ctx context.Context, key string, at time.Time) error {
	return tx.later(ctx, touching(ErrSeen, "event %s", key), `insert into seen (key, at) values ($1, $2) on conflict do nothing`, key, at)
}

// KeepAnswer keeps what was answered to an event that tx has noted.
func (tx *Tx) KeepAnswer(ctx context.Context, key string, at time.Time, answer []byte) error {
	return tx.later(ctx, failing("answer to event %s", key), `update seen set answer = $3 where key = $1 and at = $2`, key, at, answer)
}

// KeptAnswer is what was answered to an event, nil if that was not kept.
func (tx *Tx) KeptAnswer(ctx context.Context, key string, at time.Time) ([]byte, error) {
	var answer []byte
	err := tx.QueryRow(ctx, `select answer from seen where key = $1 and at = $2`, key, at).Scan(&answer)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("answer to event %s: %w", key, err)
	}
	return answer, nil
}
