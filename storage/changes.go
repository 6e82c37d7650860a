package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

type changeRow struct {
	ID          change.ID       `db:"id"`
	Number      int64           `db:"number"`
	Kind        change.Kind     `db:"kind"`
	Rule        string          `db:"rule"`
	Title       string          `db:"title"`
	Why         string          `db:"why"`
	Plan        string          `db:"plan"`
	Test        string          `db:"test"`
	Rollback    string          `db:"rollback"`
	From        *time.Time      `db:"window_from"`
	To          *time.Time      `db:"window_to"`
	Takes       time.Duration   `db:"takes"`
	Exception   string          `db:"exception"`
	Requester   people.PersonID `db:"requester_id"`
	Implementer people.PersonID `db:"implementer_id"`
	Team        people.TeamID   `db:"team_id"`
	Service     string          `db:"service"`
	Risk        change.Risk     `db:"risk"`
	Because     string          `db:"because"`
	State       change.State    `db:"state"`
	Outcome     change.Outcome  `db:"outcome"`
	Note        string          `db:"note"`
	Caused      []int64         `db:"caused"`
	Review      string          `db:"review"`
	OpenedAt    time.Time       `db:"opened_at"`
	StartedAt   *time.Time      `db:"started_at"`
	EndedAt     *time.Time      `db:"ended_at"`
	ReviewedAt  *time.Time      `db:"reviewed_at"`
	Version     int             `db:"version"`
	Items       []cmdb.ItemID   `db:"items"`
	Pipeline    *storedRun      `db:"pipeline"`
}

const changeColumns = `c.id, c.number, c.kind, c.rule, c.title, c.why, c.plan, c.test, c.rollback, c.window_from, c.window_to, c.takes, c.exception,
	c.requester_id, coalesce(c.implementer_id, 0) as implementer_id, coalesce(c.team_id, 0) as team_id, c.service, c.risk, c.because,
	c.state, c.outcome, c.note, c.caused, c.review, c.opened_at, c.started_at, c.ended_at, c.reviewed_at, c.version,
	array(select item_id from change_items x where x.change_id = c.id order by 1) as items,
	(select jsonb_build_object('name', k.name, 'repository', r.repository, 'run', r.run, 'url', r.url, 'commits', r.commits)
		from pipeline_runs r join tokens k on k.id = r.token_id where r.change_id = c.id) as pipeline`

func (r changeRow) change() change.Change {
	c := change.Change{ID: r.ID, Number: r.Number, Kind: r.Kind, Rule: r.Rule, Title: r.Title, Why: r.Why, Items: r.Items, Plan: r.Plan, Test: r.Test,
		Rollback: r.Rollback, From: orZero(r.From), To: orZero(r.To), Takes: r.Takes, Exception: r.Exception, Requester: r.Requester,
		Implementer: r.Implementer, Team: r.Team, Service: r.Service, Risk: r.Risk, Because: r.Because, State: r.State, Outcome: r.Outcome,
		Note: r.Note, CausedBy: r.Caused, Review: r.Review, OpenedAt: r.OpenedAt, StartedAt: orZero(r.StartedAt), EndedAt: orZero(r.EndedAt),
		ReviewedAt: orZero(r.ReviewedAt), Pipeline: r.Pipeline.pipeline(), Version: r.Version}
	if len(c.Items) == 0 {
		c.Items = nil
	}
	return c
}

func changeArgs(c change.Change) named {
	caused := c.CausedBy
	if caused == nil {
		caused = []int64{}
	}
	return named{
		"kind": c.Kind, "rule": c.Rule, "title": c.Title, "why": c.Why, "plan": c.Plan, "test": c.Test, "rollback": c.Rollback,
		"from": orNull(c.From), "to": orNull(c.To), "takes": c.Takes, "exception": c.Exception, "implementer": nullID(c.Implementer),
		"team": nullID(c.Team), "service": c.Service, "risk": c.Risk, "because": c.Because, "state": c.State, "outcome": c.Outcome, "note": c.Note,
		"caused": caused, "review": c.Review, "started": orNull(c.StartedAt), "ended": orNull(c.EndedAt), "reviewed": orNull(c.ReviewedAt),
	}
}

// OpenChange stores a new change with its entry in the audit record and returns
// it with id and number.
func (tx *Tx) OpenChange(ctx context.Context, c change.Change, ev change.Event, via string) (change.Change, error) {
	args := changeArgs(c)
	args["requester"], args["opened"] = c.Requester, ev.At
	err := tx.QueryRow(ctx, `
		insert into changes (kind, rule, title, why, plan, test, rollback, window_from, window_to, takes, exception, requester_id, implementer_id,
			team_id, service, risk, because, state, outcome, note, caused, review, opened_at, started_at, ended_at, reviewed_at)
		values (@kind, @rule, @title, @why, @plan, @test, @rollback, @from, @to, @takes, @exception, @requester, @implementer,
			@team, @service, @risk, @because, @state, @outcome, @note, @caused, @review, @opened, @started, @ended, @reviewed)
		returning id, number`, args).Scan(&c.ID, &c.Number)
	if err != nil {
		return c, fmt.Errorf("open a change: %w", err)
	}
	c.OpenedAt, c.Version = ev.At, 1
	if err := tx.setChangeItems(ctx, c); err != nil {
		return c, err
	}
	return c, tx.auditChange(ctx, change.Change{}, c, ev, via)
}

// SaveChange stores what a step has made of the change that was. ErrConflict,
// which comes with a later statement or the commit: somebody has written it
// since.
func (tx *Tx) SaveChange(ctx context.Context, was, is change.Change, ev change.Event, via string) (change.Change, error) {
	args := changeArgs(is)
	args["id"], args["version"] = is.ID, was.Version
	if err := tx.later(ctx, touching(ErrConflict, "save %s", is.Ref()), `
		update changes set kind = @kind, rule = @rule, title = @title, why = @why, plan = @plan, test = @test, rollback = @rollback,
			window_from = @from, window_to = @to, takes = @takes, exception = @exception, implementer_id = @implementer, team_id = @team,
			service = @service, risk = @risk, because = @because, state = @state, outcome = @outcome, note = @note, caused = @caused,
			review = @review, started_at = @started, ended_at = @ended, reviewed_at = @reviewed, version = version + 1
		where id = @id and version = @version`, args); err != nil {
		return is, err
	}
	is.Version = was.Version + 1
	if err := tx.setChangeItems(ctx, is); err != nil {
		return is, err
	}
	return is, tx.auditChange(ctx, was, is, ev, via)
}

func (tx *Tx) setChangeItems(ctx context.Context, c change.Change) error {
	items := c.Items
	if items == nil {
		items = []cmdb.ItemID{}
	}
	if err := tx.later(ctx, failing("items of %s", c.Ref()), `delete from change_items where change_id = $1 and not item_id = any($2::bigint[])`, c.ID, items); err != nil {
		return err
	}
	return tx.later(ctx, failing("items of %s", c.Ref()), `
		insert into change_items (change_id, item_id) select $1, i from unnest($2::bigint[]) i on conflict do nothing`, c.ID, items)
}

func (tx *Tx) auditChange(ctx context.Context, was, is change.Change, ev change.Event, via string) error {
	after := changed(was, is)
	s := Step{At: ev.At, Action: string(ev.Action), Person: ev.By, Via: via, Subject: OfChange, SubjectID: int64(is.ID), After: after, Note: ev.Note}
	if was.ID != 0 {
		s.Before = only(changed(is, was), after)
	}
	if ev.Hash != "" {
		after["hash"] = ev.Hash
	}
	return tx.Audit(ctx, s)
}

func (tx *Tx) changes(ctx context.Context, what, sql string, args ...any) ([]change.Change, error) {
	rows, _ := tx.Query(ctx, sql, args...)
	all, err := collectChanges(rows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return all, nil
}

func collectChanges(rows pgx.Rows) ([]change.Change, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[changeRow])
	if err != nil {
		return nil, err
	}
	all := make([]change.Change, len(found))
	for i, r := range found {
		all[i] = r.change()
	}
	return all, nil
}

func (tx *Tx) oneChange(ctx context.Context, sql string, args ...any) (change.Change, error) {
	found, err := tx.changes(ctx, "change", sql, args...)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("change %v: %w", args, ErrNotFound)
	}
	if err != nil {
		return change.Change{}, err
	}
	return found[0], nil
}

// Change returns the change as it is.
func (tx *Tx) Change(ctx context.Context, id change.ID) (change.Change, error) {
	return tx.oneChange(ctx, `select `+changeColumns+` from changes c where c.id = $1`, id)
}

// ChangeForUpdate returns the change and locks it until tx ends. Its approval is
// locked by it too: lock it first.
func (tx *Tx) ChangeForUpdate(ctx context.Context, id change.ID) (change.Change, error) {
	return tx.oneChange(ctx, `select `+changeColumns+` from changes c where c.id = $1 for update of c`, id)
}

// ChangeByNumber finds CHG-12.
func (tx *Tx) ChangeByNumber(ctx context.Context, number int64) (change.Change, error) {
	return tx.oneChange(ctx, `select `+changeColumns+` from changes c where c.number = $1`, number)
}

// inWindow are the changes c that may still be done with a window that touches
// the span from $1 to $2.
const inWindow = `c.state in ('asked', 'scheduled', 'doing') and c.window_from < $2 and c.window_to > $1 order by c.window_from, c.id`

// changesOn begins with the items $3, on which there are few changes; among all
// of a span there may be many.
const changesOn = `select ` + changeColumns + ` from changes c where c.id in (select change_id from change_items where item_id = any($3)) and ` + inWindow + ` limit $4`

// ChangesAround are the changes that may still be done with a window that
// touches a span, the earliest first, at most limit. With items, only those on
// one of them.
func (tx *Tx) ChangesAround(ctx context.Context, from, to time.Time, items []cmdb.ItemID, limit int) ([]change.Change, error) {
	const what = "changes around a window"
	if items == nil {
		return tx.changes(ctx, what, `select `+changeColumns+` from changes c where `+inWindow+` limit $3`, from, to, limit)
	}
	return tx.changes(ctx, what, changesOn, from, to, items, limit)
}

// ChangesOf are the changes that somebody has raised or does, that something is
// still to come of, the newest first.
func (tx *Tx) ChangesOf(ctx context.Context, who people.PersonID, limit int) ([]change.Change, error) {
	return tx.changes(ctx, "changes of a person", `
		select `+changeColumns+` from changes c where (c.requester_id = $1 or c.implementer_id = $1) and c.state not in ('rejected', 'cancelled')
			and (c.state <> 'done' or c.reviewed_at is null and (c.kind = 'emergency' or c.outcome <> 'worked'))
		order by c.opened_at desc limit $2`, who, limit)
}

// ChangesOn are the changes that have been done on an item, the latest first.
func (tx *Tx) ChangesOn(ctx context.Context, item cmdb.ItemID, limit int) ([]change.Change, error) {
	return tx.changes(ctx, "changes on an item", `
		select `+changeColumns+` from changes c join change_items x on x.change_id = c.id
		where x.item_id = $1 and c.started_at is not null order by c.started_at desc limit $2`, item, limit)
}

// FailedOn are earlier changes since a time on some items that did not work,
// the latest first, other than one of them.
func (tx *Tx) FailedOn(ctx context.Context, items []cmdb.ItemID, since time.Time, but change.ID) ([]change.Past, error) {
	rows, _ := tx.Query(ctx, `
		select distinct on (c.id) 'CHG-' || c.number as ref, i.key as item, not exists (
			select from changes l join change_items lx on lx.change_id = l.id
			where lx.item_id = i.id and l.started_at > c.started_at and l.state = 'done') as last
		from changes c join change_items x on x.change_id = c.id join items i on i.id = x.item_id
		where x.item_id = any($1) and c.state = 'done' and c.outcome <> 'worked' and c.ended_at >= $2 and c.id <> $3
		order by c.id desc, i.key limit 20`, items, since, but)
	past, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change.Past])
	if err != nil {
		return nil, fmt.Errorf("what failed on items: %w", err)
	}
	return past, nil
}

// InTheWay are the open incidents on the items of a change, and the changes on
// one of them whose window touches its own, at most 20 each. They come in one
// trip.
func (tx *Tx) InTheWay(ctx context.Context, c change.Change) (busy []change.Busy, others []change.Change, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`
		select 'INC-' || t.number, t.title, x.item_id from tickets t join ticket_items x on x.ticket_id = t.id
		where x.item_id = any($1) and t.kind = 'incident' and t.state <> 'done' order by t.priority, t.opened_at limit 20`, c.Items)
	if !c.From.IsZero() && c.To.After(c.From) {
		batch.Queue(changesOn, c.From, c.To, c.Items, 20)
	}
	results := tx.SendBatch(ctx, batch)
	rows, _ := results.Query()
	if busy, err = pgx.CollectRows(rows, pgx.RowToStructByPos[change.Busy]); err == nil && batch.Len() > 1 {
		rows, _ = results.Query()
		others, err = collectChanges(rows)
	}
	if err = errors.Join(err, results.Close()); err != nil {
		return nil, nil, fmt.Errorf("what is in the way of %s: %w", c.Ref(), err)
	}
	return busy, others, nil
}

// RuleFailed is the reference of a run of a standard change that did not work,
// or that an incident comes from, and has not been reviewed, which takes the
// type off the list; empty: none.
func (tx *Tx) RuleFailed(ctx context.Context, rule string) (string, error) {
	var ref string
	err := tx.QueryRow(ctx, `select coalesce((select 'CHG-' || number from changes
		where rule = $1 and (state = 'done' and outcome <> 'worked' and reviewed_at is null or state = 'doing' and caused <> '{}')
		order by started_at desc limit 1), '')`, rule).Scan(&ref)
	if err != nil {
		return "", fmt.Errorf("failures of rule %s: %w", rule, err)
	}
	return ref, nil
}

// ChangeFacts are a change and what its cards say of it besides what is in its
// way.
type ChangeFacts struct {
	Change   change.Change
	Approval approval.Approval // zero: nobody is asked
	People   map[people.PersonID]people.Person
	Items    int64 // see ItemsVersion
	// Moved says that whoever has been shown the post has been shown a later card
	// of the same name about the same change.
	Moved bool
}

// ChangeFacts reads them in one trip: cards are drawn again at every step. The
// post is the card that is to be drawn, if it is one.
func (tx *Tx) ChangeFacts(ctx context.Context, id change.ID, p Post) (f ChangeFacts, err error) {
	ids := []change.ID{id}
	batch := &pgx.Batch{}
	batch.Queue(`select `+changeColumns+` from changes c where c.id = any($1)`, ids)
	queueApprovals(batch, ids)
	batch.Queue(`select `+personColumns+` from people p where p.id in (
		select unnest(array[requester_id, implementer_id]) from changes where id = $1
		union all select unnest(s.seats) from approvals a join approval_stages s on s.approval_id = a.id and s.round = a.round where a.change_id = $1
		union all select v.by_id from approvals a join votes v on v.approval_id = a.id and v.round = a.round where a.change_id = $1)`, id)
	batch.Queue(`select version from items_version`)
	batch.Queue(`
		select exists (select 1 from posts l join threads lt on lt.id = l.thread_id join threads t on t.id = $4
			where l.subject = $1 and l.card = $2 and l.id > $3 and l.failed is null and lt.platform = t.platform and lt.user_id = t.user_id)`,
		id, p.Card, p.ID, p.Thread)
	results := tx.SendBatch(ctx, batch)
	defer func() {
		if err = errors.Join(err, results.Close()); err != nil {
			err = fmt.Errorf("facts of change %d: %w", id, err)
		}
	}()
	rows, _ := results.Query()
	found, err := collectChanges(rows)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return f, err
	}
	f.Change = found[0]
	approvals, err := readApprovals(results)
	if err != nil {
		return f, err
	}
	f.Approval = approvals[id]
	rows, _ = results.Query()
	who, err := pgx.CollectRows(rows, pgx.RowToStructByName[personRow])
	if err != nil {
		return f, err
	}
	f.People = make(map[people.PersonID]people.Person, len(who))
	for _, p := range who {
		f.People[p.ID] = p.person()
	}
	if err := results.QueryRow().Scan(&f.Items); err != nil {
		return f, err
	}
	return f, results.QueryRow().Scan(&f.Moved)
}
