package storage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// KeepReference stores how something is reached on a platform, in place of what
// was known before. Value is JSON of the adapter's own.
func (db *DB) KeepReference(ctx context.Context, platform, key string, value []byte, now time.Time) error {
	_, err := db.pool.Exec(ctx, `
		insert into references_kept (platform, key, value, kept_at) values (@platform, @key, @value, @now)
		on conflict (platform, key) do update set value = excluded.value, kept_at = excluded.kept_at`,
		named{"platform": platform, "key": key, "value": value, "now": now})
	if err != nil {
		return Unavailable(fmt.Errorf("keep a reference: %w", err))
	}
	return nil
}

// Reference returns what was kept, or ErrNotFound.
func (db *DB) Reference(ctx context.Context, platform, key string) ([]byte, error) {
	rows, _ := db.pool.Query(ctx, `select value from references_kept where platform = $1 and key = $2`, platform, key)
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]byte])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("reference: %w", ErrNotFound)
	}
	if err != nil {
		return nil, Unavailable(fmt.Errorf("reference: %w", err))
	}
	return value, nil
}

// References returns all of a platform's whose keys begin with prefix.
func (db *DB) References(ctx context.Context, platform, prefix string) (map[string][]byte, error) {
	like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(prefix) + "%"
	rows, _ := db.pool.Query(ctx, `select key, value from references_kept where platform = $1 and key like $2`, platform, like)
	all := map[string][]byte{}
	var key string
	var value []byte
	_, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		all[key] = value
		value = nil
		return nil
	})
	if err != nil {
		return nil, Unavailable(fmt.Errorf("references: %w", err))
	}
	return all, nil
}
