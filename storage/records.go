package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/rehearsal"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// CountOpened is how many tickets were opened since.
func (tx *Tx) CountOpened(ctx context.Context, since time.Time) (n int, err error) {
	if err = tx.QueryRow(ctx, `select count(*) from tickets where opened_at >= $1`, since).Scan(&n); err != nil {
		err = fmt.Errorf("count tickets: %w", err)
	}
	return n, err
}

// recordSteps are the entries of the audit record that promises care about.
var recordSteps = map[ticket.Action]sla.Step{
	ticket.Opened: sla.Opened, ticket.Prioritised: sla.Changed, ticket.Moved: sla.Changed, ticket.Corrected: sla.Changed,
	ticket.Waited: sla.Waited, ticket.Woken: sla.Woken, ticket.Resolved: sla.Resolved, ticket.ReopenStep: sla.Reopened,
}

// Records are what happened to tickets opened since, by id after one of them, at
// most limit. They come from the audit record, which goes further back than
// promises do; the first answer by a human being comes from what was said.
func (tx *Tx) Records(ctx context.Context, since time.Time, after ticket.ID, limit int) ([]rehearsal.Record, error) {
	fail := func(err error) ([]rehearsal.Record, error) {
		return nil, fmt.Errorf("records of tickets: %w", err)
	}
	rows, _ := tx.Query(ctx, `
		select id, kind, number, title, coalesce(service, '') as service from tickets
		where id > $1 and opened_at >= $2 order by id limit $3`, after, since, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		ID      ticket.ID   `db:"id"`
		Kind    ticket.Kind `db:"kind"`
		Number  int64       `db:"number"`
		Title   string      `db:"title"`
		Service string      `db:"service"`
	}])
	if err != nil {
		return fail(err)
	}
	all, at := make([]rehearsal.Record, len(found)), make(map[ticket.ID]int, len(found))
	ids := make([]ticket.ID, len(found))
	for i, f := range found {
		named := ticket.Ticket{Kind: f.Kind, Number: f.Number}
		all[i] = rehearsal.Record{ID: f.ID, Ref: named.Ref(), Title: f.Title, Kind: f.Kind, Service: f.Service}
		ids[i], at[f.ID] = f.ID, i
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var actions []string
	for a := range recordSteps {
		actions = append(actions, string(a))
	}
	batch := &pgx.Batch{}
	// An answer is put among the steps by its time.
	batch.Queue(`
		select a.subject_id as id, a.at, a.action, coalesce(a.after->>'waits_for', '') as reason, coalesce(a.after->>'impact', '') as impact,
			coalesce(a.after->>'urgency', '') as urgency, coalesce((a.after->>'priority')::int, 0) as priority, coalesce(t.slug, '') as team,
			coalesce(a.after->>'service', '') as service, coalesce(a.before->>'service', '') as had, a.id as seq
		from audit a left join teams t on t.id = (a.after->>'team')::bigint
		where a.subject = 'ticket' and a.subject_id = any($1) and a.at >= $2 and a.action = any($3)
		union all
		select m.ticket_id, min(m.said_at), 'replied', '', '', '', 0, '', '', '', 9223372036854775807 from messages m join tickets t on t.id = m.ticket_id
		where m.ticket_id = any($1) and not m.internal and m.author_id <> t.requester_id
			and (m.side = 'team' or m.author_id in (select person_id from team_members))
		group by m.ticket_id
		order by id, at, seq`, ids, since, actions)
	results := tx.SendBatch(ctx, batch)
	rows, _ = results.Query()
	type entry struct {
		ID       ticket.ID       `db:"id"`
		At       time.Time       `db:"at"`
		Action   ticket.Action   `db:"action"`
		Reason   ticket.Reason   `db:"reason"`
		Impact   ticket.Impact   `db:"impact"`
		Urgency  ticket.Urgency  `db:"urgency"`
		Priority ticket.Priority `db:"priority"`
		Team     string          `db:"team"`
		Service  string          `db:"service"`
		Had      string          `db:"had"`
		Seq      int64           `db:"seq"`
	}
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByName[entry])
	if err = errors.Join(err, results.Close()); err != nil {
		return fail(err)
	}
	corrected := map[ticket.ID]bool{}
	for _, e := range entries {
		r := &all[at[e.ID]]
		if e.Action == ticket.Corrected && e.Service != "" && !corrected[e.ID] {
			corrected[e.ID], r.Service = true, e.Had // as it was opened
		}
		step, known := recordSteps[e.Action]
		if !known {
			step = sla.Replied
		}
		r.Steps = append(r.Steps, rehearsal.Step{At: e.At, Step: step, Reason: e.Reason, Impact: e.Impact, Urgency: e.Urgency,
			Priority: e.Priority, Team: e.Team, Service: e.Service})
	}
	return all, nil
}
