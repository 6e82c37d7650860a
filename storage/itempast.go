package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
)

// ItemPast is what there was with an item, besides one ticket.
type ItemPast struct {
	Key     string `db:"key"`
	Tickets int    `db:"tickets"` // opened about it since

	// The ticket about it that was resolved last; no Number: none was.
	Kind       ticket.Kind         `db:"kind"`
	Number     int64               `db:"number"`
	Resolution string              `db:"resolution"`
	Article    knowledge.ArticleID `db:"article_id"`
	Title      string              `db:"title"` // the article's

	// The change that was done on it last; no Change: none was.
	Change  int64          `db:"change"`
	Who     string         `db:"who"`
	At      *time.Time     `db:"at"`
	Outcome change.Outcome `db:"outcome"` // empty: it is being done
}

// ItemPasts is the past of these items, besides a ticket, by key.
func (tx *Tx) ItemPasts(ctx context.Context, ids []cmdb.ItemID, but ticket.ID, since time.Time) ([]ItemPast, error) {
	rows, _ := tx.Query(ctx, `
		select i.key, (select count(*) from ticket_items x join tickets t on t.id = x.ticket_id where x.item_id = i.id and t.id <> $2 and t.opened_at >= $3) as tickets,
			coalesce(f.kind, '') as kind, coalesce(f.number, 0) as number, coalesce(f.resolution, '') as resolution, coalesce(f.article_id, 0) as article_id,
			coalesce(f.title, '') as title, coalesce(c.number, 0) as change, coalesce(c.name, '') as who, c.at, coalesce(c.outcome, '') as outcome
		from items i
			left join lateral (select t.kind, t.number, t.resolution, a.id as article_id, a.title
				from ticket_items x join tickets t on t.id = x.ticket_id left join articles a on a.id = t.article_id and 'everyone' = any(a.audience)
				where x.item_id = i.id and t.id <> $2 and t.state = 'done' order by t.resolved_at desc limit 1) f on true
			left join lateral (select c.number, p.name, coalesce(c.ended_at, c.started_at) as at, c.outcome
				from change_items x join changes c on c.id = x.change_id left join people p on p.id = c.implementer_id
				where x.item_id = i.id and c.started_at is not null order by c.started_at desc limit 1) c on true
		where i.id = any($1) order by i.key`, ids, but, since)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ItemPast])
	if err != nil {
		return nil, fmt.Errorf("past of items: %w", err)
	}
	return all, nil
}
