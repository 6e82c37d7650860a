package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

const itemColumns = `i.id, i.key, i.name, i.type, i.state, i.tier, coalesce(i.owner_id, 0) as owner, coalesce(i.team_id, 0) as team,
	i.service, i.users, i.downtime, i.description, i.version`

// ItemsVersion is a number that moves with every change of an item or a
// relation.
func (tx *Tx) ItemsVersion(ctx context.Context) (int64, error) {
	var v int64
	if err := tx.QueryRow(ctx, `select version from items_version`).Scan(&v); err != nil {
		return 0, fmt.Errorf("version of the items: %w", err)
	}
	return v, nil
}

// Items returns all items and relations, in order of their numbers.
func (tx *Tx) Items(ctx context.Context) ([]cmdb.Item, []cmdb.Relation, error) {
	rows, _ := tx.Query(ctx, `select `+itemColumns+` from items i order by i.id`)
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[cmdb.Item])
	if err != nil {
		return nil, nil, fmt.Errorf("items: %w", err)
	}
	rows, _ = tx.Query(ctx, `select from_id, to_id, kind from relations order by from_id, to_id, kind`)
	relations, err := pgx.CollectRows(rows, pgx.RowToStructByPos[cmdb.Relation])
	if err != nil {
		return nil, nil, fmt.Errorf("relations: %w", err)
	}
	return items, relations, nil
}

// KnownItems is what an import is compared with. It keeps others from changing
// items until tx ends.
func (tx *Tx) KnownItems(ctx context.Context) (cmdb.Known, error) {
	k := cmdb.Known{People: map[string]people.PersonID{}, Teams: map[string]people.TeamID{}, Services: map[string]bool{}, ByHand: map[cmdb.ItemID]bool{}}
	fail := func(err error) (cmdb.Known, error) { return k, fmt.Errorf("what is known of items: %w", err) }
	if _, err := tx.Exec(ctx, `select from items_version for update`); err != nil {
		return fail(err)
	}
	var err error
	if k.Items, k.Relations, err = tx.Items(ctx); err != nil {
		return fail(err)
	}
	var mail, slug string
	var person people.PersonID
	var team people.TeamID
	var item cmdb.ItemID
	rows, _ := tx.Query(ctx, `select mail, id from people where mail is not null and left_at is null`)
	if _, err := pgx.ForEachRow(rows, []any{&mail, &person}, func() error { k.People[mail] = person; return nil }); err != nil {
		return fail(err)
	}
	rows, _ = tx.Query(ctx, `select slug, id from teams where retired_at is null`)
	if _, err := pgx.ForEachRow(rows, []any{&slug, &team}, func() error { k.Teams[slug] = team; return nil }); err != nil {
		return fail(err)
	}
	rows, _ = tx.Query(ctx, `select slug from services where retired_at is null`)
	if _, err := pgx.ForEachRow(rows, []any{&slug}, func() error { k.Services[slug] = true; return nil }); err != nil {
		return fail(err)
	}
	rows, _ = tx.Query(ctx, `select id from items where by_hand`)
	if _, err := pgx.ForEachRow(rows, []any{&item}, func() error { k.ByHand[item] = true; return nil }); err != nil {
		return fail(err)
	}
	return k, nil
}

// ImportItems does what a plan without problems says, in the transaction of its
// KnownItems. Conflicts are overwritten.
func (tx *Tx) ImportItems(ctx context.Context, p cmdb.Plan, via string, at time.Time) error {
	fail := func(err error) error { return fmt.Errorf("import items: %w", err) }
	write := make([]cmdb.Item, 0, len(p.New)+len(p.Changed))
	write = append(write, p.New...)
	for _, c := range p.Changed {
		write = append(write, c.Is)
	}
	if len(write)+len(p.Linked)+len(p.Unlinked) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, `create temporary table import_items (key text, name text, type text, state text, tier int, owner_id bigint,
		team_id bigint, service text, users int, downtime bigint, description text) on commit drop`); err != nil {
		return fail(err)
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"import_items"},
		[]string{"key", "name", "type", "state", "tier", "owner_id", "team_id", "service", "users", "downtime", "description"},
		pgx.CopyFromSlice(len(write), func(i int) ([]any, error) {
			it := write[i]
			return []any{it.Key, it.Name, string(it.Type), string(it.State), int32(it.Tier), nullID(it.Owner), nullID(it.Team), it.Service, int32(it.Users), it.Downtime, it.Description}, nil
		})); err != nil {
		return fail(err)
	}
	rows, _ := tx.Query(ctx, `
		insert into items as i (key, name, type, state, tier, owner_id, team_id, service, users, downtime, description)
		select key, name, type, state, tier, owner_id, team_id, service, users, downtime, description from import_items
		on conflict (key) do update set name = excluded.name, type = excluded.type, state = excluded.state, tier = excluded.tier,
			owner_id = excluded.owner_id, team_id = excluded.team_id, service = excluded.service, users = excluded.users,
			downtime = excluded.downtime, description = excluded.description, by_hand = false, version = i.version + 1
		returning i.key, i.id`)
	ids := make(map[string]cmdb.ItemID, len(write))
	var key string
	var id cmdb.ItemID
	if _, err := pgx.ForEachRow(rows, []any{&key, &id}, func() error { ids[key] = id; return nil }); err != nil {
		return fail(err)
	}
	if err := tx.linkItems(ctx, p); err != nil {
		return fail(err)
	}
	steps := make([]Step, 0, len(write))
	for _, it := range p.New {
		steps = append(steps, Step{At: at, Action: "imported", Via: via, Subject: OfItem, SubjectID: int64(ids[it.Key]), After: changed(cmdb.Item{}, it)})
	}
	for _, c := range p.Changed {
		after := changed(c.Was, c.Is)
		steps = append(steps, Step{At: at, Action: "imported", Via: via, Subject: OfItem, SubjectID: int64(ids[c.Is.Key]),
			Before: only(changed(c.Is, c.Was), after), After: after})
	}
	if err := tx.copyAudit(ctx, steps); err != nil {
		return fail(err)
	}
	return tx.itemsMoved(ctx)
}

func (tx *Tx) linkItems(ctx context.Context, p cmdb.Plan) error {
	columns := func(links []cmdb.Link) (from, to, kind []string) {
		for _, l := range links {
			from, to, kind = append(from, l.From), append(to, l.To), append(kind, string(l.Kind))
		}
		return from, to, kind
	}
	from, to, kind := columns(p.Unlinked)
	if _, err := tx.Exec(ctx, `
		delete from relations r using unnest($1::text[], $2::text[], $3::text[]) as l (f, t, k), items a, items b
		where a.key = l.f and b.key = l.t and r.from_id = a.id and r.to_id = b.id and r.kind = l.k`, from, to, kind); err != nil {
		return err
	}
	from, to, kind = columns(p.Linked)
	_, err := tx.Exec(ctx, `
		insert into relations (from_id, to_id, kind)
		select a.id, b.id, l.k from unnest($1::text[], $2::text[], $3::text[]) as l (f, t, k) join items a on a.key = l.f join items b on b.key = l.t
		on conflict do nothing`, from, to, kind)
	return err
}

func (tx *Tx) itemsMoved(ctx context.Context) error {
	return tx.later(ctx, failing("move the items' version"), `update items_version set version = version + 1`)
}

// ItemTickets are the open tickets about an item, the most urgent first, at
// most limit.
func (tx *Tx) ItemTickets(ctx context.Context, id cmdb.ItemID, limit int) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "tickets of an item", `
		select `+ticketColumns+` from tickets t join ticket_items x on x.ticket_id = t.id
		where x.item_id = $1 and t.state <> 'done' order by t.priority, t.opened_at limit $2`, id, limit)
}

// ItemsOf are the items that a ticket is about, by key.
func (tx *Tx) ItemsOf(ctx context.Context, id ticket.ID) ([]cmdb.Item, error) {
	rows, _ := tx.Query(ctx, `select `+itemColumns+` from items i join ticket_items x on x.item_id = i.id where x.ticket_id = $1 order by i.key`, id)
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[cmdb.Item])
	if err != nil {
		return nil, fmt.Errorf("items of ticket %d: %w", id, err)
	}
	return items, nil
}

// TicketAbout says that a ticket is about an item, or is not any more.
func (tx *Tx) TicketAbout(ctx context.Context, id ticket.ID, item cmdb.Item, is bool, by people.PersonID, via string, at time.Time) error {
	sql, action := `insert into ticket_items (ticket_id, item_id) values ($1, $2) on conflict do nothing`, "item added"
	if !is {
		sql, action = `delete from ticket_items where ticket_id = $1 and item_id = $2`, "item removed"
	}
	done, err := tx.Exec(ctx, sql, id, item.ID)
	if err != nil {
		return fmt.Errorf("%s of ticket %d: %w", action, id, err)
	}
	if done.RowsAffected() == 0 {
		return nil
	}
	return tx.Audit(ctx, Step{At: at, Action: action, Person: by, Via: via, Subject: OfTicket, SubjectID: int64(id),
		After: map[string]any{"item": item.Key, "item_id": int64(item.ID)}})
}
