package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// MessageID is the record's number for something that was said on a ticket.
type MessageID = int64

// Side is from where a message came.
type Side string

// The sides of a ticket's conversation.
const (
	RequesterSide Side = "requester"
	TeamSide      Side = "team"
)

// Message is something that a person said on a ticket.
type Message struct {
	ID        MessageID       `db:"id"`
	Ticket    ticket.ID       `db:"ticket_id"` // 0: said before there was one
	Thread    ThreadID        `db:"thread_id"`
	Author    people.PersonID `db:"author_id"`
	Body      string          `db:"body"`
	Internal  bool            `db:"internal"`
	Side      Side            `db:"side"`
	SaidAt    time.Time       `db:"said_at"`
	EditedAt  *time.Time      `db:"edited_at"`
	DeletedAt *time.Time      `db:"deleted_at"`
	Platform  string          `db:"platform"`
	Workspace string          `db:"workspace"`
	Channel   string          `db:"channel"`
	External  string          `db:"external"` // the platform's id of it
}

const messageColumns = `id, coalesce(ticket_id, 0) as ticket_id, coalesce(thread_id, 0) as thread_id, author_id, body, internal, side, said_at, edited_at, deleted_at,
	platform, workspace, channel, external`

// AddMessage stores what was said, once: false if it is there already.
func (tx *Tx) AddMessage(ctx context.Context, m Message, via string) (Message, bool, error) {
	rows, _ := tx.Query(ctx, `
		insert into messages (ticket_id, thread_id, author_id, body, internal, side, said_at, platform, workspace, channel, external)
		values (nullif(@ticket::bigint, 0), nullif(@thread::bigint, 0), @author, @body, @internal, @side, @said_at, @platform, @workspace, @channel, @external)
		on conflict (channel, external, platform, workspace) do nothing
		returning id`,
		named{"ticket": m.Ticket, "thread": m.Thread, "author": m.Author, "body": m.Body, "internal": m.Internal,
			"side": string(m.Side), "said_at": m.SaidAt, "platform": m.Platform, "workspace": m.Workspace,
			"channel": m.Channel, "external": m.External})
	ids, err := pgx.CollectRows(rows, pgx.RowTo[MessageID])
	if err != nil {
		return m, false, fmt.Errorf("message on ticket %d: %w", m.Ticket, err)
	}
	if len(ids) == 0 {
		return m, false, nil
	}
	m.ID = ids[0]
	return m, true, tx.Audit(ctx, m.step(Step{At: m.SaidAt, Action: "said", Person: m.Author, Via: via,
		After: said(m)}))
}

// said is what the audit record has of a message besides who and when.
func said(m Message) map[string]any {
	after := map[string]any{}
	if m.ID != 0 {
		after["message"] = m.ID
	}
	if m.Internal {
		after["internal"] = true
	}
	return after
}

// step is about the message's ticket or, as long as it has none, about the
// message itself.
func (m Message) step(s Step) Step {
	s.Subject, s.SubjectID = OfTicket, int64(m.Ticket)
	if m.Ticket == 0 {
		s.Subject, s.SubjectID = OfMessage, m.ID
	}
	return s
}

// AdoptMessages gives a new ticket what was said in its thread before.
func (tx *Tx) AdoptMessages(ctx context.Context, thread ThreadID, to ticket.ID) ([]Message, error) {
	rows, _ := tx.Query(ctx, `update messages set ticket_id = $2 where thread_id = $1 and ticket_id is null returning `+messageColumns, thread, to)
	m, err := pgx.CollectRows(rows, pgx.RowToStructByName[Message])
	if err != nil {
		return nil, fmt.Errorf("adopt messages of thread %d: %w", thread, err)
	}
	return m, nil
}

// MessageAt finds what is kept of a message by the platform's id, and locks it.
func (tx *Tx) MessageAt(ctx context.Context, platform, workspace, channel, external string) (Message, error) {
	rows, _ := tx.Query(ctx, `select `+messageColumns+` from messages
		where channel = $3 and external = $4 and platform = $1 and workspace = $2 for update`,
		platform, workspace, channel, external)
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Message])
	if err != nil {
		return m, fmt.Errorf("message %s %s: %w", channel, external, notFound(err))
	}
	return m, nil
}

// MessageByID returns one message.
func (tx *Tx) MessageByID(ctx context.Context, id MessageID) (Message, error) {
	rows, _ := tx.Query(ctx, `select `+messageColumns+` from messages where id = $1`, id)
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Message])
	if err != nil {
		return m, fmt.Errorf("message %d: %w", id, notFound(err))
	}
	return m, nil
}

// EditMessage replaces the words of a message, keeping the old ones; with
// deleted, they are taken back. Nothing happens if it reads so already.
func (tx *Tx) EditMessage(ctx context.Context, m Message, body string, deleted bool, by people.PersonID, via string, at time.Time) (Message, error) {
	if m.DeletedAt != nil || (!deleted && m.Body == body) {
		return m, nil
	}
	was := m.Body
	action := "edited"
	sql := `update messages set body = @body, edited_at = @at where id = @id`
	if deleted {
		action, body = "deleted", ""
		sql = `update messages set body = @body, deleted_at = @at where id = @id`
	}
	m.Body = body
	if deleted {
		m.DeletedAt = &at
	} else {
		m.EditedAt = &at
	}
	batch := &pgx.Batch{}
	batch.Queue(`insert into message_versions (message_id, body, until) values (@id, @body, @at)`,
		named{"id": m.ID, "body": was, "at": at})
	batch.Queue(sql, named{"id": m.ID, "body": body, "at": at})
	batch.Queue(insertAudit, m.step(Step{At: at, Action: action, Person: by, Via: via,
		Before: map[string]any{"message": m.ID, "body": was}, After: map[string]any{"message": m.ID, "body": body}}).args())
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return m, fmt.Errorf("%s message %d: %w", action, m.ID, err)
	}
	return m, nil
}

// Conversation is what was said on a ticket, oldest first, at most limit
// messages, the newest ones if there are more.
func (tx *Tx) Conversation(ctx context.Context, id ticket.ID, limit int) ([]Message, error) {
	rows, _ := tx.Query(ctx, `select * from (
		select `+messageColumns+` from messages where ticket_id = $1 order by id desc limit $2) m order by id`, id, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Message])
	if err != nil {
		return nil, fmt.Errorf("conversation of ticket %d: %w", id, err)
	}
	return all, nil
}

// FileID is the record's number for a file.
type FileID int64

// FileState is how far a file has come.
type FileState string

// The states of a file.
const (
	FileWanted FileState = "wanted"  // to be fetched
	FileKept   FileState = "kept"    // its bytes are here
	FileTooBig FileState = "too_big" // over the limit; the person was told
	FileLost   FileState = "lost"    // the platform no longer has it
)

// File came with a message. Source is the adapter's address of it.
type File struct {
	ID      FileID    `db:"id"`
	Message MessageID `db:"message_id"`
	Name    string    `db:"name"`
	MIME    string    `db:"mime"`
	Size    int64     `db:"size"`
	Source  []byte    `db:"source"`
	State   FileState `db:"state"`
	Data    []byte    `db:"data"`
}

// AddFile stores that a file is to be fetched, or why not.
func (tx *Tx) AddFile(ctx context.Context, f File) (FileID, error) {
	var id FileID
	err := tx.QueryRow(ctx, `
		insert into files (message_id, name, mime, size, source, state)
		values (@message, @name, @mime, @size, @source, @state) returning id`,
		named{"message": f.Message, "name": f.Name, "mime": f.MIME, "size": f.Size,
			"source": f.Source, "state": string(f.State)}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("file of message %d: %w", f.Message, err)
	}
	return id, nil
}

const fileColumns = `id, message_id, name, mime, size, source, state, data`

func (tx *Tx) files(ctx context.Context, what, sql string, args ...any) ([]File, error) {
	rows, _ := tx.Query(ctx, sql, args...)
	f, err := pgx.CollectRows(rows, pgx.RowToStructByName[File])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return f, nil
}

// WantedFiles are files to fetch, oldest first, without locking them.
func (tx *Tx) WantedFiles(ctx context.Context, limit int) ([]File, error) {
	return tx.files(ctx, "wanted files", `select `+fileColumns+` from files where state = 'wanted' order by id limit $1`, limit)
}

// Files are files with their bytes, in the order of their ids.
func (tx *Tx) Files(ctx context.Context, ids []FileID) ([]File, error) {
	return tx.files(ctx, "files", `select `+fileColumns+` from files where id = any($1) order by id`, ids)
}

// KeptFile is a file of a ticket, with its bytes; ErrNotFound if it is not kept,
// belongs to no ticket, or its message has been deleted.
func (tx *Tx) KeptFile(ctx context.Context, id FileID) (File, error) {
	rows, _ := tx.Query(ctx, `select f.id, f.message_id, f.name, f.mime, f.size, f.source, f.state, f.data
		from files f join messages m on m.id = f.message_id
		where f.id = $1 and f.state = 'kept' and m.ticket_id is not null and m.deleted_at is null`, id)
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[File])
	if err != nil {
		return f, fmt.Errorf("file %d: %w", id, notFound(err))
	}
	return f, nil
}

// FilesOf are a message's files, without their bytes.
func (tx *Tx) FilesOf(ctx context.Context, m MessageID) ([]File, error) {
	return tx.files(ctx, "files of a message", `select id, message_id, name, mime, size, source, state, null::bytea as data
		from files where message_id = $1 order by id`, m)
}

// KeepFile stores a file's bytes, or that they are not to be had; false if
// another process was faster.
func (tx *Tx) KeepFile(ctx context.Context, id FileID, state FileState, data []byte) (bool, error) {
	tag, err := tx.Exec(ctx, `update files set state = $2, data = $3::bytea, size = coalesce(length($3::bytea), size)
		where id = $1 and state = 'wanted'`, id, string(state), data)
	if err != nil {
		return false, fmt.Errorf("keep file %d: %w", id, err)
	}
	return tag.RowsAffected() == 1, nil
}
