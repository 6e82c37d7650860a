package storage

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/ticket"
)

// PastTicket is a ticket of the time before this record, as it stands now and
// with the steps that led there. IDs are the caller's own, from 1; Follows
// refers to them too.
type PastTicket struct {
	Ticket   ticket.Ticket
	Steps    []PastStep
	Messages []Message
}

// PastStep is a step and the ticket after it.
type PastStep struct {
	Event ticket.Event
	After ticket.Ticket
}

// ImportTickets stores past tickets in bulk, with their audit record, and
// returns what the caller's id of each has become less itself: the caller's n
// is now n+offset. Ticket numbers stay as they are and must be free.
func (tx *Tx) ImportTickets(ctx context.Context, past []PastTicket, via string) (offset ticket.ID, err error) {
	fail := func(err error) (ticket.ID, error) { return 0, fmt.Errorf("import tickets: %w", err) }
	if len(past) == 0 {
		return 0, nil
	}
	// No ticket may be opened while numbers are given from outside.
	if _, err := tx.Exec(ctx, `lock table tickets in exclusive mode`); err != nil {
		return fail(err)
	}
	if err := tx.QueryRow(ctx, `select coalesce(max(id), 0) from tickets`).Scan(&offset); err != nil {
		return fail(err)
	}
	columns := []string{"id", "kind", "number", "title", "detail", "requester_id", "author_id", "owner_id", "queue_id", "service", "category",
		"impact", "urgency", "priority", "because", "state", "waits_for", "wait_note", "resolution", "article_id",
		"opened_at", "claimed_at", "resolved_at", "closed_at", "reopened", "rating", "comment", "follows_id", "moves", "version"}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"tickets"}, columns, pgx.CopyFromSlice(len(past), func(i int) ([]any, error) {
		t := past[i].Ticket
		return []any{t.ID + offset, string(t.Kind), t.Number, t.Title, t.Detail, t.Requester, t.Author, nullID(t.Owner), t.Queue, nullText(t.Service), nullText(t.Category),
			string(t.Impact), string(t.Urgency), int32(t.Priority), t.Because, string(t.State), nullText(string(t.WaitsFor)), t.WaitNote, t.Resolution, nullID(t.Article),
			t.OpenedAt, orNull(t.ClaimedAt), orNull(t.ResolvedAt), orNull(t.ClosedAt), int32(t.Reopened), nullRating(t.Rating), t.Comment, follows(t, offset), int32(t.Moves), int32(t.Version)}, nil
	})); err != nil {
		return fail(err)
	}
	var messages [][]any
	var steps []Step
	for _, p := range past {
		was := ticket.Ticket{}
		for _, s := range p.Steps {
			after := changed(was, s.After)
			if was.Version == 0 {
				after = opened(s.After)
			}
			step := Step{At: s.Event.At, Action: string(s.Event.Action), Person: s.Event.By, Via: via, Subject: OfTicket,
				SubjectID: int64(p.Ticket.ID + offset), Note: noteOf(after, s.Event)}
			if was.Version > 0 {
				step.Before = only(changed(s.After, was), after)
			}
			step.After = atOf(after, s.Event)
			steps, was = append(steps, step), s.After
		}
		for i, m := range p.Messages {
			external := fmt.Sprintf("#%s.%d", p.Ticket.Ref(), i+1) // before all numbers, which grow
			messages = append(messages, []any{p.Ticket.ID + offset, m.Author, m.Body, m.Internal, string(m.Side), m.SaidAt, "import", "", "", external})
			steps = append(steps, Step{At: m.SaidAt, Action: "said", Person: m.Author, Via: via, Subject: OfTicket, SubjectID: int64(p.Ticket.ID + offset),
				After: said(m)})
		}
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"messages"},
		[]string{"ticket_id", "author_id", "body", "internal", "side", "said_at", "platform", "workspace", "channel", "external"},
		pgx.CopyFromRows(messages)); err != nil {
		return fail(err)
	}
	if err := tx.copyAudit(ctx, steps); err != nil {
		return fail(err)
	}
	if _, err := tx.Exec(ctx, `
		insert into evidence (ticket_id, article_id, helped, at)
		select id, article_id, true, resolved_at from tickets where id > $1 and state = 'done' order by resolved_at, id`, offset); err != nil {
		return fail(err)
	}
	// Without a ticket of a kind, the first one is still to get number 1.
	_, err = tx.Exec(ctx, `
		select setval(pg_get_serial_sequence('tickets', 'id'), max(id)),
			setval('incident_numbers', coalesce(max(number) filter (where kind = 'incident'), 1), count(*) filter (where kind = 'incident') > 0),
			setval('request_numbers', coalesce(max(number) filter (where kind = 'request'), 1), count(*) filter (where kind = 'request') > 0)
		from tickets`)
	if err != nil {
		return fail(err)
	}
	return offset, nil
}

// ImportQuestions stores past questions in bulk.
func (tx *Tx) ImportQuestions(ctx context.Context, past []Question, via string) error {
	// What is on record already has its entry; what is asked meanwhile writes its own.
	var last QuestionID
	if _, err := tx.Exec(ctx, `lock table questions in exclusive mode`); err != nil {
		return fmt.Errorf("import questions: %w", err)
	}
	if err := tx.QueryRow(ctx, `select coalesce(max(id), 0) from questions`).Scan(&last); err != nil {
		return fmt.Errorf("import questions: %w", err)
	}
	rows := make([][]any, len(past))
	for i, q := range past {
		rows[i] = []any{q.Person, q.Text, q.AskedAt, q.Confidence, orEmpty(q.Shown), orNoHits(q.Hits), string(q.Outcome), nullID(q.Article), nullID(q.Ticket), q.EndedAt, int32(2)}
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"questions"},
		[]string{"person_id", "text", "asked_at", "confidence", "shown", "hits", "outcome", "article_id", "ticket_id", "ended_at", "version"},
		pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("import questions: %w", err)
	}
	// A question is its own audit entry when it comes from outside.
	if _, err := tx.Exec(ctx, `
		insert into audit (at, action, person_id, via, subject, subject_id, after)
		select asked_at, 'asked', person_id, $1, 'question', id, json_build_object('confidence', confidence, 'shown', shown)
		from questions where id > $2`, via, last); err != nil {
		return fmt.Errorf("import questions: %w", err)
	}
	if _, err := tx.Exec(ctx, `
		insert into evidence (question_id, article_id, helped, at)
		select id, article_id, true, ended_at from questions where id > $1 and outcome = 'solved' order by ended_at, id`, last); err != nil {
		return fmt.Errorf("import questions: %w", err)
	}
	return nil
}

func (tx *Tx) copyAudit(ctx context.Context, steps []Step) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"audit"},
		[]string{"at", "action", "person_id", "via", "subject", "subject_id", "before", "after", "note"},
		pgx.CopyFromSlice(len(steps), func(i int) ([]any, error) {
			s := steps[i]
			return []any{s.At, s.Action, nullID(s.Person), s.Via, string(s.Subject), s.SubjectID, facts(s.Before), facts(s.After), s.Note}, nil
		}))
	return err
}

func nullID[T ~int64](id T) *int64 {
	if id == 0 {
		return nil
	}
	n := int64(id)
	return &n
}

func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func nullRating(n int) *int32 {
	if n == 0 {
		return nil
	}
	r := int32(n)
	return &r
}

func follows(t ticket.Ticket, offset ticket.ID) *int64 {
	if t.Follows == 0 {
		return nil
	}
	return nullID(t.Follows + offset)
}
