package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostID is the record's number for a post.
type PostID int64

// Lane says which of the posts of a conversation, or of a channel that is kept
// to a pace, goes first.
type Lane int

// The lanes, the most urgent first.
const (
	LaneBreach Lane = iota
	LaneApproval
	LaneReply
	LaneDigest
)

func (l Lane) String() string {
	switch l {
	case LaneBreach:
		return "breach"
	case LaneApproval:
		return "approval"
	case LaneReply:
		return "reply"
	case LaneDigest:
		return "digest"
	}
	return fmt.Sprintf("lane %d", int(l))
}

// Post is a message of the desk's, delivered or still to be.
type Post struct {
	ID        PostID `db:"id"`
	Kind      string `db:"kind"` // message, whisper, home, react, unreact
	Platform  string `db:"platform"`
	Workspace string `db:"workspace"`

	Thread  ThreadID `db:"thread_id"` // 0: in none
	Root    bool     `db:"root"`      // it opens Thread, and its id becomes the thread's
	Opened  bool     `db:"-"`         // Thread is known to have its root, so that nothing has to go before
	Channel string   `db:"channel"`
	User    string   `db:"user_id"`

	// A living card is drawn from the record when it is delivered; anything
	// else has a Body instead.
	Card    string `db:"card"`
	Subject int64  `db:"subject"` // what Card is about
	Body    []byte `db:"body"`    // JSON

	Message   int64     `db:"message_id"` // the message that it passes on; 0: none
	Unsought  bool      `db:"unsought"`   // PostAt and ThreadOf need not find it
	CreatedAt time.Time `db:"created_at"`

	// Where it came to stand; empty while it has not been delivered.
	SentChannel string     `db:"sent_channel"`
	External    string     `db:"external"`
	SentAt      *time.Time `db:"sent_at"`
	Failed      string     `db:"failed"` // why it never will be delivered, or changed
}

const postColumns = `p.id, p.kind, p.platform, p.workspace, coalesce(p.thread_id, 0) as thread_id, p.root, p.channel, p.user_id,
	p.card, coalesce(p.subject, 0) as subject, p.body, coalesce(p.message_id, 0) as message_id, p.unsought, p.created_at,
	p.sent_channel, coalesce(p.external, '') as external, p.sent_at, coalesce(p.failed, '') as failed`

// conversationOf is the SQL for the name under which the posts p of one
// conversation keep their order: the thread, or the channel, or the person.
const conversationOf = `case
	when p.thread_id is not null then 'thread ' || p.thread_id
	when p.kind = 'home' then 'home ' || p.platform || ' ' || p.workspace || ' ' || p.user_id
	else p.platform || ' ' || p.workspace || ' ' || case when p.channel <> '' then p.channel else p.user_id end end`

// Post records a post and queues it. A person has one home on a platform:
// another replaces it.
//
// Within a conversation posts go out in order of lane, then in the order in
// which they were queued; but the post that opens a thread goes before all
// others of the thread, in the most urgent of their lanes.
func (tx *Tx) Post(ctx context.Context, p Post, lane Lane, now time.Time) (PostID, error) {
	var id PostID
	if err := tx.QueryRow(ctx, p.insert(), postArgs(p, lane, now)).Scan(&id); err != nil {
		return 0, fmt.Errorf("post %s %s to %s: %w", p.Kind, p.Card, p.Platform, err)
	}
	return id, nil
}

// Send is Post for whoever does not need the post's number.
func (tx *Tx) Send(ctx context.Context, p Post, lane Lane, now time.Time) error {
	return tx.later(ctx, failing("post %s %s to %s", p.Kind, p.Card, p.Platform), p.insert(), postArgs(p, lane, now))
}

// insert is the statement that records the post and queues it: for most posts
// one that has nothing to look for.
func (p Post) insert() string {
	if p.Kind == "home" || p.Thread != 0 && !p.Root && !p.Opened {
		return insertPost
	}
	return insertOnly
}

const insertOnly = `
	with p as (` + postValues + `
		returning p.*)` + queueFirst

const postValues = `
		insert into posts as p (kind, platform, workspace, thread_id, root, channel, user_id, card, subject, body, message_id, unsought, created_at)
		values (@kind, @platform, @workspace, nullif(@thread::bigint, 0), @root, @channel, @user, @card,
			case when @card = '' then null else @subject::bigint end, @body, nullif(@message::bigint, 0), @unsought, @now)`

const queueFirst = `
	insert into outbox (post_id, conversation, lane, due_at, enqueued_at)
	select p.id, ` + conversationOf + `, @lane, @now, @now from p
	returning post_id`

const insertPost = `
	with p as (` + postValues + `
		on conflict (platform, workspace, user_id) where kind = 'home'
			do update set card = excluded.card, subject = excluded.subject, body = excluded.body, created_at = excluded.created_at, failed = null
		returning p.*),
	hurried as (
		update outbox o set lane = @lane
		where o.post_id = (select r.id from posts r where r.thread_id = @thread and r.root and r.failed is null)
			and not @root and o.lane > @lane)
	insert into outbox (post_id, conversation, lane, due_at, enqueued_at)
	select p.id, ` + conversationOf + `, @lane, @now, @now from p
	on conflict (post_id) do update set wanted = outbox.wanted + 1, lane = least(outbox.lane, excluded.lane)
	returning post_id`

func postArgs(p Post, lane Lane, now time.Time) named {
	return named{
		"kind": p.Kind, "platform": p.Platform, "workspace": p.Workspace, "thread": p.Thread, "root": p.Root,
		"channel": p.Channel, "user": p.User, "card": p.Card, "subject": p.Subject, "body": p.Body,
		"message": p.Message, "unsought": p.Unsought, "lane": lane, "now": now,
	}
}

// requeue queues posts once more, in order of their ids so that two
// transactions can't wait for each other. What waits already keeps its place, or
// gets a better one.
const requeue = `
	insert into outbox (post_id, conversation, lane, due_at, enqueued_at)
	select p.id, ` + conversationOf + `, @lane, @now, @now from posts p
	where p.failed is null and p.kind in ('message', 'home') and `

const requeueAgain = `
	order by p.id
	on conflict (post_id) do update set wanted = outbox.wanted + 1, lane = least(outbox.lane, excluded.lane)`

// Redraw has the living cards of these names about the subject drawn and
// delivered again. Those that wait for delivery already keep their place.
func (tx *Tx) Redraw(ctx context.Context, subject int64, now time.Time, cards ...string) error {
	return tx.later(ctx, failing("redraw %v of %d", cards, subject), requeue+`p.subject = @subject and p.card = any(@cards) and p.card <> ''`+requeueAgain,
		named{"subject": subject, "cards": cards, "lane": LaneReply, "now": now})
}

// RedrawAll is Redraw for many subjects.
func (tx *Tx) RedrawAll(ctx context.Context, subjects []int64, now time.Time, cards ...string) error {
	if len(subjects) == 0 {
		return nil
	}
	return tx.later(ctx, failing("redraw %v of %d subjects", cards, len(subjects)), requeue+`p.subject = any(@subjects) and p.card = any(@cards) and p.card <> ''`+requeueAgain,
		named{"subjects": subjects, "cards": cards, "lane": LaneReply, "now": now})
}

// RedrawPost has one post delivered again as it is now, in the lane of what is
// new in it. Nothing happens to one that can't be changed: a whisper, a
// reaction, or one that has failed.
func (tx *Tx) RedrawPost(ctx context.Context, id PostID, lane Lane, now time.Time) error {
	return tx.later(ctx, failing("redraw post %d", id), requeue+`p.id = @id`+requeueAgain,
		named{"id": id, "lane": lane, "now": now})
}

// ReplaceBody gives a post without a card another body and has it delivered
// again.
func (tx *Tx) ReplaceBody(ctx context.Context, id PostID, body []byte, now time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue(`update posts set body = @body where id = @id and card = ''`, named{"id": id, "body": body})
	batch.Queue(requeue+`p.id = @id`+requeueAgain, named{"id": id, "lane": LaneReply, "now": now})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("replace the body of post %d: %w", id, err)
	}
	return nil
}

// superseded is the SQL for which of the living cards p whose numbers are $1
// have a later one of the same name about the same subject, on the same side of
// its conversation.
const superseded = `
	select p.id from posts p join threads t on t.id = p.thread_id
	where p.id = any($1) and exists (
		select from posts l join threads lt on lt.id = l.thread_id
		where l.subject = p.subject and l.card = p.card and l.card <> '' and l.id > p.id and l.failed is null
			and lt.platform = t.platform and lt.side = t.side and (lt.side = 'team' or lt.id = t.id))`

// Superseded tells whether there is a later living card of the same name about
// the same subject, on the same side of its conversation.
func (tx *Tx) Superseded(ctx context.Context, id PostID) (later bool, err error) {
	if err = tx.QueryRow(ctx, `select exists (`+superseded+`)`, []PostID{id}).Scan(&later); err != nil {
		err = fmt.Errorf("superseded post %d: %w", id, err)
	}
	return later, err
}

// PostAt returns the post that stands there; ErrNotFound if it is none of the
// desk's, or an unsought one.
func (tx *Tx) PostAt(ctx context.Context, platform, workspace, channel, external string) (Post, error) {
	rows, _ := tx.Query(ctx, `select `+postColumns+` from posts p
		where p.sought_as = $4 and p.sent_channel = $3 and p.platform = $1 and p.workspace = $2 order by p.id limit 1`,
		platform, workspace, channel, external)
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Post])
	if err != nil {
		return Post{}, fmt.Errorf("post at %s %s %s: %w", platform, channel, external, notFound(err))
	}
	return p, nil
}

// PostsOfMessage returns the posts that pass the message on, the oldest first.
func (tx *Tx) PostsOfMessage(ctx context.Context, message int64) ([]Post, error) {
	rows, _ := tx.Query(ctx, `select `+postColumns+` from posts p where p.message_id = $1 order by p.id`, message)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Post])
	if err != nil {
		return nil, fmt.Errorf("posts of message %d: %w", message, err)
	}
	return all, nil
}
