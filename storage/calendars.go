package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
)

// CalendarLink is a team's changes in somebody's calendar.
type CalendarLink struct {
	ID     int64           `db:"id"`
	Team   people.TeamID   `db:"team_id"`
	Person people.PersonID `db:"person_id"`
	Key    []byte          `db:"key"` // signs the link
}

const calendarColumns = `id, team_id, person_id, key`

// CalendarOf is somebody's link to the changes of a team, made now if there is
// none in force.
func (tx *Tx) CalendarOf(ctx context.Context, team people.TeamID, who people.PersonID, via string, at time.Time) (CalendarLink, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	rows, _ := tx.Query(ctx, `insert into calendar_links (team_id, person_id, key, made_at) values ($1, $2, $3, $4)
		on conflict (team_id, person_id) where revoked_at is null do nothing returning `+calendarColumns, team, who, key, at)
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[CalendarLink])
	if err == nil {
		return l, tx.auditCalendar(ctx, "calendar link made", l, via, at)
	}
	if errors.Is(err, pgx.ErrNoRows) { // there is one
		rows, _ = tx.Query(ctx, `select `+calendarColumns+` from calendar_links where team_id = $1 and person_id = $2 and revoked_at is null`, team, who)
		l, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[CalendarLink])
	}
	if err != nil {
		return l, fmt.Errorf("calendar of team %d: %w", team, err)
	}
	return l, nil
}

func (tx *Tx) auditCalendar(ctx context.Context, action string, l CalendarLink, via string, at time.Time) error {
	return tx.Audit(ctx, Step{At: at, Action: action, Person: l.Person, Via: via, Subject: OfPerson, SubjectID: int64(l.Person),
		After: map[string]any{"team": int64(l.Team), "link": l.ID}})
}

// RevokeCalendar ends somebody's link to the changes of a team, if there is one.
func (tx *Tx) RevokeCalendar(ctx context.Context, team people.TeamID, who people.PersonID, via string, at time.Time) error {
	rows, _ := tx.Query(ctx, `update calendar_links set revoked_at = $3 where team_id = $1 and person_id = $2 and revoked_at is null returning `+calendarColumns, team, who, at)
	ended, err := pgx.CollectRows(rows, pgx.RowToStructByName[CalendarLink])
	if err != nil {
		return fmt.Errorf("revoke the calendar of team %d: %w", team, err)
	}
	for _, l := range ended {
		if err := tx.auditCalendar(ctx, "calendar link revoked", l, via, at); err != nil {
			return err
		}
	}
	return nil
}

// Calendar is a link in force; ErrNotFound if it is none.
func (tx *Tx) Calendar(ctx context.Context, id int64) (CalendarLink, error) {
	rows, _ := tx.Query(ctx, `select `+calendarColumns+` from calendar_links where id = $1 and revoked_at is null`, id)
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[CalendarLink])
	if err != nil {
		return l, fmt.Errorf("calendar %d: %w", id, notFound(err))
	}
	return l, nil
}

// Planned is a change that has, or had, its place in the calendar.
type Planned struct {
	change.Change
	Revised time.Time // when it last took a step that others see
}

// PlannedBy are the changes of a team with a window that touches a span, called
// off and rejected ones too, the latest first and at most limit.
func (tx *Tx) PlannedBy(ctx context.Context, team people.TeamID, from, to time.Time, limit int) ([]Planned, error) {
	rows, _ := tx.Query(ctx, `
		select `+changeColumns+`, greatest(c.opened_at, c.started_at, c.ended_at, c.reviewed_at, a.asked_at, a.decided_at) as revised
		from changes c left join approvals a on a.change_id = c.id
		where c.team_id = $1 and c.window_from < $3 and c.window_to > $2 and (c.state <> 'draft' or a.id is not null)
		order by c.window_from desc, c.id limit $4`, team, from, to, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		changeRow
		Revised time.Time `db:"revised"`
	}])
	if err != nil {
		return nil, fmt.Errorf("what team %d plans: %w", team, err)
	}
	all := make([]Planned, len(found))
	for i, f := range found {
		all[i] = Planned{f.change(), f.Revised}
	}
	return all, nil
}
