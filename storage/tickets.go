package storage

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

type ticketRow struct {
	ID         ticket.ID           `db:"id"`
	Kind       ticket.Kind         `db:"kind"`
	Number     int64               `db:"number"`
	Title      string              `db:"title"`
	Detail     string              `db:"detail"`
	Requester  people.PersonID     `db:"requester_id"`
	Author     people.PersonID     `db:"author_id"`
	Owner      people.PersonID     `db:"owner_id"`
	Chosen     string              `db:"chosen"`
	Queue      ticket.QueueID      `db:"queue_id"`
	Team       people.TeamID       `db:"team_id"`
	Moves      int                 `db:"moves"`
	Service    string              `db:"service"`
	Category   string              `db:"category"`
	Impact     ticket.Impact       `db:"impact"`
	Urgency    ticket.Urgency      `db:"urgency"`
	Priority   ticket.Priority     `db:"priority"`
	Because    string              `db:"because"`
	State      ticket.State        `db:"state"`
	WaitsFor   ticket.Reason       `db:"waits_for"`
	WaitNote   string              `db:"wait_note"`
	Resolution string              `db:"resolution"`
	Article    knowledge.ArticleID `db:"article_id"`
	OpenedAt   time.Time           `db:"opened_at"`
	ClaimedAt  *time.Time          `db:"claimed_at"`
	ResolvedAt *time.Time          `db:"resolved_at"`
	ClosedAt   *time.Time          `db:"closed_at"`
	Reopened   int                 `db:"reopened"`
	Rating     int                 `db:"rating"`
	Comment    string              `db:"comment"`
	Follows    ticket.ID           `db:"follows_id"`
	Version    int                 `db:"version"`
}

const ticketColumns = `t.id, t.kind, t.number, t.title, t.detail, t.requester_id, t.author_id,
	coalesce(t.owner_id, 0) as owner_id, case when t.owner_id is null then '' else t.chosen end as chosen, t.queue_id, t.moves,
	(select q.team_id from queues q where q.id = t.queue_id) as team_id,
	coalesce(t.service, '') as service, coalesce(t.category, '') as category, t.impact, t.urgency, t.priority, t.because,
	t.state, coalesce(t.waits_for, '') as waits_for, t.wait_note, t.resolution, coalesce(t.article_id, 0) as article_id,
	t.opened_at, t.claimed_at, t.resolved_at, t.closed_at, t.reopened, coalesce(t.rating, 0) as rating, t.comment,
	coalesce(t.follows_id, 0) as follows_id, t.version`

func (r *ticketRow) columns() []any {
	return []any{&r.ID, &r.Kind, &r.Number, &r.Title, &r.Detail, &r.Requester, &r.Author, &r.Owner, &r.Chosen, &r.Queue, &r.Moves, &r.Team,
		&r.Service, &r.Category, &r.Impact, &r.Urgency, &r.Priority, &r.Because, &r.State, &r.WaitsFor, &r.WaitNote, &r.Resolution, &r.Article,
		&r.OpenedAt, &r.ClaimedAt, &r.ResolvedAt, &r.ClosedAt, &r.Reopened, &r.Rating, &r.Comment, &r.Follows, &r.Version}
}

func (r ticketRow) ticket() ticket.Ticket {
	return ticket.Ticket{
		ID: r.ID, Kind: r.Kind, Number: r.Number, Title: r.Title, Detail: r.Detail,
		Requester: r.Requester, Author: r.Author, Owner: r.Owner, Chosen: r.Chosen, Queue: r.Queue, Team: r.Team, Moves: r.Moves, Service: r.Service, Category: r.Category,
		Impact: r.Impact, Urgency: r.Urgency, Priority: r.Priority, Because: r.Because,
		State: r.State, WaitsFor: r.WaitsFor, WaitNote: r.WaitNote, Resolution: r.Resolution, Article: r.Article,
		OpenedAt: r.OpenedAt, ClaimedAt: orZero(r.ClaimedAt), ResolvedAt: orZero(r.ResolvedAt), ClosedAt: orZero(r.ClosedAt),
		Reopened: r.Reopened, Rating: r.Rating, Comment: r.Comment, Follows: r.Follows, Version: r.Version,
	}
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (tx *Tx) oneTicket(ctx context.Context, sql string, args ...any) (ticket.Ticket, error) {
	rows, _ := tx.Query(ctx, sql, args...)
	r, err := pgx.CollectExactlyOneRow(rows, inColumns((*ticketRow).columns))
	if err != nil {
		return ticket.Ticket{}, fmt.Errorf("ticket %v: %w", args, notFound(err))
	}
	return r.ticket(), nil
}

func (tx *Tx) manyTickets(ctx context.Context, what, sql string, args ...any) ([]ticket.Ticket, error) {
	rows, _ := tx.Query(ctx, sql, args...)
	found, err := pgx.CollectRows(rows, inColumns((*ticketRow).columns))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	all := make([]ticket.Ticket, len(found))
	for i, r := range found {
		all[i] = r.ticket()
	}
	return all, nil
}

// Ticket returns the ticket as it is.
func (tx *Tx) Ticket(ctx context.Context, id ticket.ID) (ticket.Ticket, error) {
	return tx.oneTicket(ctx, `select `+ticketColumns+` from tickets t where t.id = $1`, id)
}

// Tickets returns those there are of the tickets, in no order.
func (tx *Tx) Tickets(ctx context.Context, ids []ticket.ID) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "tickets", `select `+ticketColumns+` from tickets t where t.id = any($1)`, ids)
}

// TicketForUpdate returns the ticket and locks it until tx ends. Lock tickets
// before anything else, and two of them in order of their ids.
func (tx *Tx) TicketForUpdate(ctx context.Context, id ticket.ID) (ticket.Ticket, error) {
	return tx.oneTicket(ctx, ticketForUpdate, id)
}

const ticketForUpdate = `select ` + ticketColumns + ` from tickets t where t.id = $1 for update of t`

// TicketByRef finds INC-42 or REQ-7.
func (tx *Tx) TicketByRef(ctx context.Context, kind ticket.Kind, number int64) (ticket.Ticket, error) {
	return tx.oneTicket(ctx, `select `+ticketColumns+` from tickets t where t.kind = $1 and t.number = $2`, kind, number)
}

// OpenTicket stores a new ticket with its entry in the audit record and
// returns it with id and number.
func (tx *Tx) OpenTicket(ctx context.Context, t ticket.Ticket, ev ticket.Event, via string) (ticket.Ticket, error) {
	args := ticketArgs(t)
	delete(args, "id")
	delete(args, "version")
	err := tx.QueryRow(ctx, `
		insert into tickets (kind, number, title, detail, requester_id, author_id, owner_id, queue_id, service, category,
			impact, urgency, priority, because, state, waits_for, wait_note, resolution, article_id,
			opened_at, claimed_at, resolved_at, closed_at, reopened, rating, comment, follows_id, chosen, moves, version)
		values (@kind, nextval(case @kind when 'incident' then 'incident_numbers'::regclass else 'request_numbers'::regclass end),
			@title, @detail, @requester_id, @author_id, nullif(@owner_id::bigint, 0), @queue_id, nullif(@service, ''), nullif(@category, ''),
			@impact, @urgency, @priority, @because, @state, nullif(@waits_for, ''), @wait_note, @resolution, nullif(@article_id::bigint, 0),
			@opened_at, @claimed_at, @resolved_at, @closed_at, @reopened, nullif(@rating::int, 0), @comment, nullif(@follows_id::bigint, 0),
			@chosen, @moves, 1)
		returning id, number, (select team_id from queues where id = queue_id)`,
		args).Scan(&t.ID, &t.Number, &t.Team)
	if err != nil {
		return t, fmt.Errorf("open %s: %w", t.Kind, err)
	}
	t.Version = 1
	after := opened(t)
	return t, tx.Audit(ctx, Step{
		At: ev.At, Action: string(ev.Action), Person: ev.By, Via: via, Subject: OfTicket, SubjectID: int64(t.ID),
		After: atOf(after, ev), Note: noteOf(after, ev),
	})
}

// SaveTicket stores what a step has made of the ticket that was, with its
// entry in the audit record. ErrConflict, which comes with a later statement or
// the commit: somebody has written it since.
func (tx *Tx) SaveTicket(ctx context.Context, was, is ticket.Ticket, ev ticket.Event, via string) (ticket.Ticket, error) {
	args := ticketArgs(is)
	for _, fixed := range []string{"kind", "title", "detail", "requester_id", "author_id", "opened_at", "follows_id"} {
		delete(args, fixed)
	}
	args["version"] = was.Version
	if err := tx.later(ctx, touching(ErrConflict, "save ticket %s", is.Ref()), `
		update tickets set owner_id = nullif(@owner_id::bigint, 0), chosen = @chosen, queue_id = @queue_id, moves = @moves,
			service = nullif(@service, ''), category = nullif(@category, ''),
			impact = @impact, urgency = @urgency, priority = @priority, because = @because,
			state = @state, waits_for = nullif(@waits_for, ''), wait_note = @wait_note,
			resolution = @resolution, article_id = nullif(@article_id::bigint, 0),
			claimed_at = @claimed_at, resolved_at = @resolved_at, closed_at = @closed_at,
			reopened = @reopened, rating = nullif(@rating::int, 0), comment = @comment, version = version + 1
		where id = @id and version = @version`, args); err != nil {
		return is, err
	}
	if err := tx.ticketEvidence(ctx, was, is, ev.At); err != nil {
		return is, err
	}
	if ev.Action == ticket.Corrected {
		if err := tx.foretold(ctx, is); err != nil {
			return is, err
		}
	}
	after := changed(was, is)
	is.Version = was.Version + 1
	return is, tx.Audit(ctx, Step{
		At: ev.At, Action: string(ev.Action), Person: ev.By, Via: via, Subject: OfTicket, SubjectID: int64(is.ID),
		Before: only(changed(is, was), after), After: atOf(after, ev), Note: noteOf(after, ev),
	})
}

// opened are the fields that a ticket begins with, but for those that it keeps:
// the database sees to it that they stay in its row.
func opened(t ticket.Ticket) map[string]any {
	after := changed(ticket.Ticket{}, t)
	for _, kept := range []string{"kind", "number", "title", "requester", "author", "opened_at", "follows"} {
		delete(after, kept)
	}
	return after
}

// atOf puts "at" in the place of times that are those of the entry itself.
func atOf(after map[string]any, ev ticket.Event) map[string]any {
	for k, v := range after {
		if at, ok := v.(time.Time); ok && at.Equal(ev.At) {
			after[k] = "at"
		}
	}
	return after
}

// noteOf is the note of a step, or nothing if the ticket now has the same words:
// they are in After then, where History finds them.
func noteOf(after map[string]any, ev ticket.Event) string {
	if after["resolution"] == ev.Note || after["wait_note"] == ev.Note {
		return ""
	}
	return ev.Note
}

func ticketArgs(t ticket.Ticket) named {
	return named{
		"id": t.ID, "version": t.Version, "kind": string(t.Kind), "title": t.Title, "detail": t.Detail,
		"requester_id": t.Requester, "author_id": t.Author, "owner_id": t.Owner, "queue_id": t.Queue, "service": t.Service, "category": t.Category,
		"impact": string(t.Impact), "urgency": string(t.Urgency), "priority": int(t.Priority), "because": t.Because,
		"state": string(t.State), "waits_for": string(t.WaitsFor), "wait_note": t.WaitNote,
		"resolution": t.Resolution, "article_id": t.Article, "opened_at": t.OpenedAt,
		"claimed_at": orNull(t.ClaimedAt), "resolved_at": orNull(t.ResolvedAt), "closed_at": orNull(t.ClosedAt),
		"reopened": t.Reopened, "rating": t.Rating, "comment": t.Comment, "follows_id": t.Follows,
		"chosen": t.Chosen, "moves": t.Moves,
	}
}

// changed lists the fields of is that differ from those of was, under names
// that stay readable in the record.
func changed[T any](was, is T) map[string]any {
	a, b := reflect.ValueOf(was), reflect.ValueOf(is)
	m := map[string]any{}
	for i := range b.NumField() {
		f := b.Type().Field(i)
		if f.Name == "Version" || f.Name == "ID" || f.Name == "Detail" {
			continue // the first two say nothing, the third is the ticket's own text
		}
		x, y := a.Field(i), b.Field(i)
		switch {
		case reflect.DeepEqual(x.Interface(), y.Interface()):
		case y.IsZero():
			m[snake(f.Name)] = nil
		default:
			m[snake(f.Name)] = y.Interface()
		}
	}
	return m
}

// snake is WaitsFor as waits_for.
func snake(s string) string {
	var out []byte
	for i, c := range []byte(s) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 && s[i-1] >= 'a' {
				out = append(out, '_')
			}
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return string(out)
}

// only keeps of m what names also has and what was not empty.
func only(m, names map[string]any) map[string]any {
	kept := map[string]any{}
	for k := range names {
		if m[k] != nil {
			kept[k] = m[k]
		}
	}
	return kept
}
