package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

// ItemForUpdate is an item as it is. It keeps others, imports too, from changing
// items until tx ends.
func (tx *Tx) ItemForUpdate(ctx context.Context, id cmdb.ItemID) (cmdb.Item, error) {
	if _, err := tx.Exec(ctx, `select from items_version for update`); err != nil {
		return cmdb.Item{}, fmt.Errorf("item %d: %w", id, err)
	}
	rows, _ := tx.Query(ctx, `select `+itemColumns+` from items i where i.id = $1`, id)
	it, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[cmdb.Item])
	if err != nil {
		return it, fmt.Errorf("item %d: %w", id, notFound(err))
	}
	return it, nil
}

// SaveItem stores what a person has made of the item that was. Imports then no
// longer change it without being told to.
func (tx *Tx) SaveItem(ctx context.Context, was, is cmdb.Item, by people.PersonID, via string, at time.Time) error {
	if err := tx.later(ctx, touching(ErrConflict, "save item %s", is.Key), `
		update items set name = $3, state = $4, tier = $5, owner_id = $6, description = $7, by_hand = true, version = version + 1 where id = $1 and version = $2`,
		is.ID, was.Version, is.Name, is.State, is.Tier, nullID(is.Owner), is.Description); err != nil {
		return err
	}
	if err := tx.itemsMoved(ctx); err != nil {
		return err
	}
	after := changed(was, is)
	return tx.Audit(ctx, Step{At: at, Action: "edited", Person: by, Via: via, Subject: OfItem, SubjectID: int64(is.ID), Before: only(changed(is, was), after), After: after})
}

// Related is a relation of an item, with the item at its other end.
type Related struct {
	Other cmdb.Item
	Kind  cmdb.Kind
}

// RelationsOf are the relations that begin at an item, by kind and the other's
// key.
func (tx *Tx) RelationsOf(ctx context.Context, id cmdb.ItemID) ([]Related, error) {
	rows, _ := tx.Query(ctx, `select `+itemColumns+`, r.kind from relations r join items i on i.id = r.to_id where r.from_id = $1 order by r.kind, i.key`, id)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		cmdb.Item
		Kind cmdb.Kind
	}])
	if err != nil {
		return nil, fmt.Errorf("relations of item %d: %w", id, err)
	}
	all := make([]Related, len(found))
	for i, f := range found {
		all[i] = Related{f.Item, f.Kind}
	}
	return all, nil
}

// Relate says that one item hangs on another, or does not any more; false if
// that is so already. Both are of ItemForUpdate's transaction.
func (tx *Tx) Relate(ctx context.Context, from, to cmdb.Item, kind cmdb.Kind, is bool, by people.PersonID, via string, at time.Time) (bool, error) {
	sql, action := `insert into relations (from_id, to_id, kind) values ($1, $2, $3) on conflict do nothing`, "relation added"
	if !is {
		sql, action = `delete from relations where from_id = $1 and to_id = $2 and kind = $3`, "relation removed"
	}
	done, err := tx.Exec(ctx, sql, from.ID, to.ID, kind)
	if err != nil {
		return false, fmt.Errorf("%s: %s %s %s: %w", action, from.Key, kind.Words(), to.Key, err)
	}
	if done.RowsAffected() == 0 {
		return false, nil
	}
	if err := tx.later(ctx, touching(ErrConflict, "save item %s", from.Key), `update items set by_hand = true, version = version + 1 where id = $1`, from.ID); err != nil {
		return false, err
	}
	if err := tx.itemsMoved(ctx); err != nil {
		return false, err
	}
	return true, tx.Audit(ctx, Step{At: at, Action: action, Person: by, Via: via, Subject: OfItem, SubjectID: int64(from.ID),
		After: map[string]any{"kind": string(kind), "to": to.Key, "to_id": int64(to.ID)}})
}
