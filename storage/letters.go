package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// LetterID is the record's number for a dead letter.
type LetterID int64

// LetterSource is where a dead letter comes from.
type LetterSource string

// The sources of dead letters.
const (
	FromInbox  LetterSource = "inbox"  // an event that could not be handled
	FromOutbox LetterSource = "outbox" // a post that could not be delivered, or a change of one
)

// LettersHelp says in metrics what is counted of each source.
const LettersHelp = "What could not be handled (inbox) or delivered (outbox) and waits for an operator, of all processes together; see deskhand dead."

// Letter is what could not be handled or delivered, kept for an operator.
type Letter struct {
	ID      LetterID        `db:"id"`
	Source  LetterSource    `db:"source"`
	Key     string          `db:"key"`     // the event's, or the post's number
	Content json.RawMessage `db:"content"` // the event, or the post as it was
	Error   string          `db:"error"`
	DiedAt  time.Time       `db:"died_at"`
}

const letterColumns = `id, source, key, content, error, died_at`

// Letters are the oldest dead letters of a source, or of both if it is "", after
// one of them. A message that opens a thread comes before what follows it there.
func (tx *Tx) Letters(ctx context.Context, source LetterSource, after LetterID, limit int) ([]Letter, error) {
	rows, _ := tx.Query(ctx, `select `+letterColumns+` from dead_letters where $1 in ('', source) and id > $2 order by id limit $3`, string(source), after, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Letter])
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	return all, nil
}

// Letter returns a dead letter.
func (tx *Tx) Letter(ctx context.Context, id LetterID) (Letter, error) {
	return tx.letter(ctx, id, `select `+letterColumns+` from dead_letters where id = $1`)
}

func (tx *Tx) letter(ctx context.Context, id LetterID, sql string) (Letter, error) {
	rows, _ := tx.Query(ctx, sql, id)
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Letter])
	if err != nil {
		return l, fmt.Errorf("dead letter %d: %w", id, notFound(err))
	}
	return l, nil
}

// TakeLetter removes a dead letter, because of which step an entry in the audit
// record says. ErrNotFound: there is none, or somebody else has taken it.
func (tx *Tx) TakeLetter(ctx context.Context, id LetterID, step, via string, at time.Time) (Letter, error) {
	l, err := tx.letter(ctx, id, `delete from dead_letters where id = $1 returning `+letterColumns)
	if err != nil {
		return l, err
	}
	return l, tx.Audit(ctx, Step{At: at, Action: "letter." + step, Via: via, Subject: OfLetter, SubjectID: int64(id),
		Before: map[string]any{"source": l.Source, "key": l.Key, "died_at": l.DiedAt}, Note: l.Error})
}

// CountLetters is how many dead letters of a source there are.
func (db *DB) CountLetters(ctx context.Context, source LetterSource) (n int, err error) {
	if err = db.pool.QueryRow(ctx, `select count(*) from dead_letters where source = $1`, string(source)).Scan(&n); err != nil {
		err = Unavailable(fmt.Errorf("count dead letters: %w", err))
	}
	return n, err
}

// RetryIncoming has an event handled that was given up. It comes after what has
// been accepted since.
func (tx *Tx) RetryIncoming(ctx context.Context, e Incoming, now time.Time) error {
	return tx.later(ctx, failing("retry event %s", e.Key), `
		insert into inbox (key, conversation, event, received_at, due_at) values ($1, $2, $3, $4, $4)`, e.Key, e.Conversation, e.Event, now)
}

// DeadPost is how a post stands that was given up.
type DeadPost struct {
	Post
	Queued bool `db:"queued"`
	// Opener is the post that was to open its thread and has failed, if none has
	// opened it since, and Letter is that one's.
	Opener PostID   `db:"opener"`
	Letter LetterID `db:"letter"`
	Taken  bool     `db:"taken"` // another has opened the thread, or is about to
}

// DeadPost returns the post, locked.
func (tx *Tx) DeadPost(ctx context.Context, id PostID) (DeadPost, error) {
	rows, _ := tx.Query(ctx, `
		select `+postColumns+`, exists (select from outbox o where o.post_id = p.id) as queued,
			coalesce(f.id, 0) as opener, coalesce((select max(l.id) from dead_letters l where l.source = 'outbox' and l.key = f.id::text), 0) as letter,
			p.root and exists (select from posts r where r.thread_id = p.thread_id and r.root and r.failed is null and r.id <> p.id) as taken
		from posts p left join lateral (
			select r.id from posts r join threads t on t.id = r.thread_id
			where r.thread_id = p.thread_id and not p.root and r.root and t.root is null
				and not exists (select from posts o where o.thread_id = r.thread_id and o.root and o.failed is null)
			order by r.id desc limit 1) f on true
		where p.id = $1 for update of p`, id)
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[DeadPost])
	if err != nil {
		return d, fmt.Errorf("post %d: %w", id, notFound(err))
	}
	return d, nil
}

// RetryPost queues a post once more that was never delivered. If an attempt may
// have succeeded all the same, it is looked for first where that is possible.
func (tx *Tx) RetryPost(ctx context.Context, id PostID, lane Lane, unsure bool, now time.Time) error {
	return errors.Join(
		tx.later(ctx, failing("retry post %d", id), `update posts set failed = null where id = $1`, id),
		tx.later(ctx, failing("retry post %d", id), `
			update outbox o set lane = $2 from posts r, posts p
			where p.id = $1 and r.thread_id = p.thread_id and r.root and o.post_id = r.id and o.lane > $2`, id, lane),
		tx.later(ctx, failing("retry post %d", id), `
			insert into outbox (post_id, conversation, lane, due_at, enqueued_at, unsure)
			select p.id, `+conversationOf+`, $2, $3, $3, $4 from posts p where p.id = $1`, id, lane, now, unsure))
}
