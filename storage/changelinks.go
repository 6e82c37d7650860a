package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Announced are the posts by which a change has been announced. Whoever
// announces it holds the lock of the change.
func (tx *Tx) Announced(ctx context.Context, id change.ID) ([]Post, error) {
	rows, _ := tx.Query(ctx, `select `+postColumns+` from announcements a join posts p on p.id = a.post_id where a.change_id = $1 order by p.id`, id)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Post])
	if err != nil {
		return nil, fmt.Errorf("announcements of change %d: %w", id, err)
	}
	return all, nil
}

// Announce stores that a change is announced in a channel by a post, and the
// step in the audit record. A channel has one such post.
func (tx *Tx) Announce(ctx context.Context, id change.ID, in DeskChannel, post PostID, at time.Time) error {
	if err := tx.later(ctx, failing("announce change %d", id), `
		insert into announcements (change_id, platform, workspace, channel, post_id, at) values ($1, $2, $3, $4, $5, $6)`,
		id, in.Platform, in.Workspace, in.Channel, post, at); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "announced", Via: "desk", Subject: OfChange, SubjectID: int64(id),
		After: map[string]any{"platform": in.Platform, "channel": in.Name}})
}

// DoneLately are the changes on which work has begun and, if it has ended, not
// before since: the latest first, at most limit.
func (tx *Tx) DoneLately(ctx context.Context, since time.Time, limit int) ([]change.Change, error) {
	return tx.changes(ctx, "changes done lately", `
		select `+changeColumns+` from changes c where c.started_at is not null and coalesce(c.ended_at, 'infinity') >= $1
		order by c.started_at desc, c.id desc limit $2`, since, limit)
}

// Results are the changes that ended from from until to, and as Before those
// that ended since then and from.
func (tx *Tx) Results(ctx context.Context, since, from, to time.Time) ([]change.Result, error) {
	rows, _ := tx.Query(ctx, `
		select c.number, c.kind, coalesce(c.team_id, 0), c.outcome, array(select item_id from change_items x where x.change_id = c.id order by 1), c.ended_at < $2
		from changes c where c.started_at is not null and coalesce(c.ended_at, 'infinity') >= $1 and c.ended_at < $3 and c.state = 'done' order by c.number`, since, from, to)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change.Result])
	if err != nil {
		return nil, fmt.Errorf("how changes went: %w", err)
	}
	return all, nil
}

// Link is what a ticket has to do with a change.
type Link string

// The links.
const (
	Suspected Link = "suspect"
	Cleared   Link = "cleared"
	Caused    Link = "caused"
	Made      Link = "made" // while the ticket was resolved
)

// TicketChange is a change that a ticket has to do with.
type TicketChange struct {
	Change change.ID       `db:"change_id"`
	Number int64           `db:"number"`
	Title  string          `db:"title"`
	Ended  *time.Time      `db:"ended_at"`
	Link   Link            `db:"link"`
	Item   string          `db:"item"` // key of the one that the suspicion comes from
	By     people.PersonID `db:"by_id"`
	Who    string          `db:"who"` // By's name
}

const ticketChangesOf = `
	select x.change_id, c.number, c.title, c.ended_at, x.link, coalesce(i.key, '') as item,
		coalesce(x.by_id, 0) as by_id, coalesce(p.name, '') as who
	from ticket_changes x join changes c on c.id = x.change_id left join items i on i.id = x.item_id left join people p on p.id = x.by_id
	where x.ticket_id = $1 order by x.link = 'suspect', x.by_id is null, x.at, x.change_id`

// ChangeTicket is a ticket that a change has to do with.
type ChangeTicket struct {
	Kind   ticket.Kind `db:"kind"`
	Number int64       `db:"number"`
	Title  string      `db:"title"`
	Link   Link        `db:"link"`
}

// TicketsOfChange are the tickets that a change has to do with, what was said of them
// before what is only suspected, at most limit.
func (tx *Tx) TicketsOfChange(ctx context.Context, id change.ID, limit int) ([]ChangeTicket, error) {
	rows, _ := tx.Query(ctx, `
		select t.kind, t.number, t.title, x.link from ticket_changes x join tickets t on t.id = x.ticket_id
		where x.change_id = $1 and x.link <> 'cleared' order by x.link = 'suspect', x.at, t.id limit $2`, id, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ChangeTicket])
	if err != nil {
		return nil, fmt.Errorf("tickets of change %d: %w", id, err)
	}
	return all, nil
}

// Suspect stores that a ticket may come from a change, because of an item or,
// if item is 0, because of its service or because by says so, which goes before
// what the desk has found. What has been said of it since stays.
func (tx *Tx) Suspect(ctx context.Context, id ticket.ID, c change.Change, item cmdb.ItemID, by people.PersonID, via string, at time.Time) error {
	tag, err := tx.Exec(ctx, `insert into ticket_changes as x (ticket_id, change_id, link, item_id, by_id, at) values ($1, $2, 'suspect', $3, $4, $5)
		on conflict (ticket_id, change_id) do update set by_id = excluded.by_id
		where x.link = 'suspect' and x.by_id is null and excluded.by_id is not null`, id, c.ID, nullID(item), nullID(by), at)
	if err != nil {
		return fmt.Errorf("suspect %s of ticket %d: %w", c.Ref(), id, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return tx.Audit(ctx, Step{At: at, Action: "change suspected", Person: by, Via: via, Subject: OfTicket, SubjectID: int64(id),
		After: map[string]any{"change": c.Ref()}})
}

// LinkOf is what a ticket, which is locked, has to do with a change; ErrNotFound
// if it has nothing to do with it.
func (tx *Tx) LinkOf(ctx context.Context, id ticket.ID, c change.ID) (l Link, err error) {
	err = tx.QueryRow(ctx, `select link from ticket_changes where ticket_id = $1 and change_id = $2`, id, c).Scan(&l)
	if err != nil {
		return l, fmt.Errorf("change %d and ticket %d: %w", c, id, notFound(err))
	}
	return l, nil
}

// LinkChange stores what somebody has said that a ticket has to do with a
// change.
func (tx *Tx) LinkChange(ctx context.Context, id ticket.ID, c change.Change, l Link, by people.PersonID, via string, at time.Time) error {
	if err := tx.later(ctx, failing("link %s to ticket %d", c.Ref(), id), `
		insert into ticket_changes (ticket_id, change_id, link, by_id, at) values ($1, $2, $3, $4, $5)
		on conflict (ticket_id, change_id) do update set link = excluded.link, by_id = excluded.by_id, at = excluded.at`,
		id, c.ID, l, by, at); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: linkSteps[l], Person: by, Via: via, Subject: OfTicket, SubjectID: int64(id),
		After: map[string]any{"change": c.Ref()}})
}

var linkSteps = map[Link]string{Cleared: "change cleared", Caused: "change blamed", Made: "change found out"}
