package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// LedgerEntry is what happened to a ticket, as far as its clocks care.
type LedgerEntry struct {
	Ticket ticket.ID
	Seq    int // counts from 1 within the ticket
	At     time.Time
	Step   sla.Step

	// Of Opened and Changed: the service level, by its slug in a policy, empty if
	// nothing is promised; and what of the ticket it follows from.
	Policy   PolicyID
	Level    string
	Priority ticket.Priority
	Team     people.TeamID

	Reason ticket.Reason // of Waited
	Why    string        // of Changed, in words
}

const entryColumns = `ticket_id, seq, at, step, coalesce(policy_id, 0) as policy_id, coalesce(level, '') as level, coalesce(priority, 0) as priority,
	coalesce(team_id, 0) as team_id, coalesce(reason, '') as reason, why`

func (e *LedgerEntry) columns() []any {
	return []any{&e.Ticket, &e.Seq, &e.At, &e.Step, &e.Policy, &e.Level, &e.Priority, &e.Team, &e.Reason, &e.Why}
}

// Standing is how the promises of a ticket stand: its ledger, its clocks as they
// were last set, and what was missed and is not over.
type Standing struct {
	Ledger   []LedgerEntry
	Clocks   []Clock
	Breaches []Breach
}

// Clock is the one of the kind; false if it has not been set.
func (s Standing) Clock(k sla.Kind) (Clock, bool) {
	for _, c := range s.Clocks {
		if c.Kind == k {
			return c, true
		}
	}
	return Clock{}, false
}

// Taken tells whether somebody has said that she sees to what was missed of the
// kind in a round.
func (s Standing) Taken(k sla.Kind, round int) bool {
	for _, b := range s.Breaches {
		if b.Kind == k && b.Round == round {
			return b.TakenBy != 0
		}
	}
	return false
}

// Level is the service level in force at the end of the ledger, and the policy
// that it is of.
func (s Standing) Level() (slug string, in PolicyID) {
	for _, e := range s.Ledger {
		if e.Step == sla.Opened || e.Step == sla.Changed {
			slug, in = e.Level, e.Policy
		}
	}
	return slug, in
}

// Standings are those of the tickets, in one trip. A ticket without any is not
// in the map. Whoever means to change them has locked the tickets before.
func (tx *Tx) Standings(ctx context.Context, ids ...ticket.ID) (_ map[ticket.ID]Standing, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`select `+entryColumns+` from ledger where ticket_id = any($1) order by ticket_id, seq`, ids)
	batch.Queue(`select `+clockColumns+` from clocks where ticket_id = any($1) order by ticket_id, kind desc`, ids)
	batch.Queue(`select `+breachColumns+` from breaches where ticket_id = any($1) and ended_at is null order by id`, ids)
	results := tx.SendBatch(ctx, batch)
	defer func() {
		if err = errors.Join(err, results.Close()); err != nil {
			err = fmt.Errorf("standings of tickets %v: %w", ids, err)
		}
	}()
	all := make(map[ticket.ID]Standing, len(ids))
	rows, _ := results.Query()
	entries, err := pgx.CollectRows(rows, inColumns((*LedgerEntry).columns))
	if err != nil {
		return nil, err
	}
	for id, part := range byTicket(entries, func(e *LedgerEntry) ticket.ID { return e.Ticket }) {
		all[id] = Standing{Ledger: part}
	}
	rows, _ = results.Query()
	clocks, err := pgx.CollectRows(rows, inColumns((*Clock).columns))
	if err != nil {
		return nil, err
	}
	for id, part := range byTicket(clocks, func(c *Clock) ticket.ID { return c.Ticket }) {
		s := all[id]
		s.Clocks = part
		all[id] = s
	}
	rows, _ = results.Query()
	breaches, err := pgx.CollectRows(rows, pgx.RowToStructByName[Breach])
	if err != nil {
		return nil, err
	}
	for _, b := range breaches {
		s := all[b.Ticket]
		s.Breaches = append(s.Breaches, b)
		all[b.Ticket] = s
	}
	return all, nil
}

// byTicket gives each ticket its part of what is in the order of tickets.
func byTicket[T any](all []T, ticketOf func(*T) ticket.ID) iter.Seq2[ticket.ID, []T] {
	return func(yield func(ticket.ID, []T) bool) {
		for from := 0; from < len(all); {
			id, to := ticketOf(&all[from]), from+1
			for to < len(all) && ticketOf(&all[to]) == id {
				to++
			}
			if !yield(id, all[from:to:to]) {
				return
			}
			from = to
		}
	}
}

const calm = `
	select exists (select from ledger where ticket_id = $1)
		and not exists (select from clocks where ticket_id = $1 and percent > 0)
		and not exists (select from breaches where ticket_id = $1 and ended_at is null)`

// Calm tells whether a ticket's ledger has begun and nobody has been told
// anything of its promises yet.
func (tx *Tx) Calm(ctx context.Context, id ticket.ID) (is bool, err error) {
	if err = tx.QueryRow(ctx, calm, id).Scan(&is); err != nil {
		err = fmt.Errorf("standing of ticket %d: %w", id, err)
	}
	return is, err
}

// CalmForUpdate is TicketForUpdate and then Calm, in one trip.
func (tx *Tx) CalmForUpdate(ctx context.Context, id ticket.ID) (tk ticket.Ticket, is bool, err error) {
	// Two statements: the second sees what the first has waited for.
	batch := &pgx.Batch{}
	batch.Queue(ticketForUpdate, id).Query(func(rows pgx.Rows) error {
		r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ticketRow])
		tk = r.ticket()
		return notFound(err)
	})
	batch.Queue(calm, id).QueryRow(func(row pgx.Row) error { return row.Scan(&is) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return tk, false, fmt.Errorf("ticket %d: %w", id, err)
	}
	return tk, is, nil
}

// AddEntries writes entries of ledgers. Whoever does has locked the tickets and
// numbers the entries on from the last.
func (tx *Tx) AddEntries(ctx context.Context, all ...LedgerEntry) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	tickets, seqs, ats, steps := make([]ticket.ID, n), make([]int, n), make([]time.Time, n), make([]string, n)
	policies, levels, priorities, teams := make([]PolicyID, n), make([]string, n), make([]int, n), make([]people.TeamID, n)
	reasons, whys := make([]string, n), make([]string, n)
	for i, e := range all {
		tickets[i], seqs[i], ats[i], steps[i] = e.Ticket, e.Seq, e.At, string(e.Step)
		policies[i], levels[i], priorities[i], teams[i] = e.Policy, e.Level, int(e.Priority), e.Team
		reasons[i], whys[i] = string(e.Reason), e.Why
	}
	return tx.later(ctx, failing("ledger of ticket %d", all[0].Ticket), `
		insert into ledger (ticket_id, seq, at, step, policy_id, level, priority, team_id, reason, why)
		select ticket_id, seq, at, step, nullif(policy_id, 0), nullif(level, ''), nullif(priority, 0), nullif(team_id, 0), nullif(reason, ''), why
		from unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::text[], $5::bigint[], $6::text[], $7::int[], $8::bigint[], $9::text[], $10::text[])
			as e (ticket_id, seq, at, step, policy_id, level, priority, team_id, reason, why)`,
		tickets, seqs, ats, steps, policies, levels, priorities, teams, reasons, whys)
}

// Replay is the ledger for package sla. The deadlines that it gives are those
// on record: they depend on nothing else.
func (tx *Tx) Replay(ctx context.Context, all []LedgerEntry) (sla.Ledger, error) {
	l := make(sla.Ledger, len(all))
	for i, e := range all {
		l[i] = sla.Event{At: e.At, Step: e.Step, Reason: e.Reason, Why: e.Why, Human: e.Step == sla.Replied}
		if e.Level == "" {
			continue
		}
		levels, err := tx.Levels(ctx, e.Policy)
		if err != nil {
			return nil, err
		}
		terms, ok := levels.Terms(e.Level)
		if !ok {
			return nil, fmt.Errorf("ledger of ticket %d: policy %d has no service level %q", e.Ticket, e.Policy, e.Level)
		}
		l[i].Terms = terms
	}
	return l, nil
}

// levelsCache keeps what policies promise. A policy on record never changes.
type levelsCache struct {
	mu sync.Mutex
	by map[PolicyID]*policy.Levels
}

// mostLevels is how many policies' promises are kept: tickets that are open
// refer to few.
const mostLevels = 64

// Levels are what a policy that was ever in force promises.
func (tx *Tx) Levels(ctx context.Context, id PolicyID) (*policy.Levels, error) {
	cache := tx.levels
	cache.mu.Lock()
	l, ok := cache.by[id]
	cache.mu.Unlock()
	if ok {
		return l, nil
	}
	var (
		p   policy.Policy
		doc []byte
	)
	err := tx.QueryRow(ctx, `select document from policies where id = $1`, id).Scan(&doc)
	if err == nil {
		err = json.Unmarshal(doc, &p)
	}
	if err == nil {
		l, err = p.WithDefaults().Compile()
	}
	if err != nil {
		return nil, fmt.Errorf("levels of policy %d: %w", id, notFound(err))
	}
	cache.mu.Lock()
	defer cache.mu.Unlock()
	if cache.by == nil || len(cache.by) >= mostLevels {
		cache.by = map[PolicyID]*policy.Levels{}
	}
	cache.by[id] = l
	return l, nil
}
