package storage

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the files that make the schema, 0001_name.sql and up.
// They only go forward, and each must leave a schema on which the previous
// release still runs: processes are replaced one at a time.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the name is a constant, and valid
	}
	return sub
}

// Migrate brings the schema up to date. Several processes may do so at once:
// one works while the others wait, and find nothing left to do.
//
// A schema that is newer than this program is left as it is.
func Migrate(ctx context.Context, db *DB) error {
	// The waiting processes look once a second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	sqlDB := stdlib.OpenDBFromPool(db.pool)
	defer func() { _ = sqlDB.Close() }() // only this view of the pool; it holds no connection by now
	p, err := goose.NewProvider(goose.DialectPostgres, sqlDB, Migrations(),
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return Unavailable(fmt.Errorf("migrate: %w", err))
	}
	return nil
}

// Version returns the newest migration that the database has and the newest
// that this program knows. It changes nothing; a database without our schema
// has version 0.
func (db *DB) Version(ctx context.Context) (applied, known int64, err error) {
	files, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return 0, 0, fmt.Errorf("version: %w", err)
	}
	for _, name := range files {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return 0, 0, fmt.Errorf("version: %w", err)
		}
		known = max(known, n)
	}
	err = db.pool.QueryRow(ctx, `
		select coalesce(max(version_id), 0) from `+goose.DefaultTablename+` where is_applied`).Scan(&applied)
	if sqlState(err) == "42P01" { // undefined_table
		return 0, known, nil
	}
	if err != nil {
		return 0, known, Unavailable(fmt.Errorf("version: %w", err))
	}
	return applied, known, nil
}
