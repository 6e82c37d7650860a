package storage

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the files that make the schema, 0001_name.sql and up.
// They only go forward, and each must leave a schema on which the previous
// release still runs: processes are replaced one at a time. To goose each is one
// statement, which takes one trip and is not searched for ends of others.
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
// A schema that is newer than this program is left as it is. One that was made
// by other migrations than its own is a SchemaError.
func Migrate(ctx context.Context, db *DB) error {
	if whole, err := db.schema(ctx); whole || err != nil {
		return err
	}
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
		return Unavailable(db.migrateError(err))
	}
	return db.signSchema(ctx)
}

// migrateError says what to do about a database that is not the desk's to fill.
func (db *DB) migrateError(err error) error {
	c := db.pool.Config().ConnConfig
	switch sqlState(err) {
	case "42501": // insufficient_privilege
		return fmt.Errorf("migrate: %s may not make tables in the database %s (%s); make it the owner: alter database %s owner to %s",
			c.User, c.Database, reason(err), pgx.Identifier{c.Database}.Sanitize(), pgx.Identifier{c.User}.Sanitize())
	case "42P07", "42710": // duplicate_table, duplicate_object
		return fmt.Errorf("migrate: the database %s is another program's (%s); give the desk one of its own in DESKHAND_DATABASE_URL", c.Database, reason(err))
	}
	return fmt.Errorf("migrate: %w", err)
}

// SchemaError is that a database was made by migrations that have the numbers of
// this program's and are others.
type SchemaError struct {
	Version int64  // the first that differs
	Program string // that ran it; empty: one that does not say
}

func (e *SchemaError) Error() string {
	if e.Program == "" {
		return "the database was made by an earlier build of deskhand, and its schema is not this one's; go on with that build, or use another database"
	}
	return fmt.Sprintf("the database was made by deskhand %s, whose migration %d is not this one's; go on with that build, or use another database", e.Program, e.Version)
}

// CheckSchema returns a SchemaError if the database was made by other migrations
// than this program's, as far as it knows them. It changes nothing.
func (db *DB) CheckSchema(ctx context.Context) error {
	_, err := db.schema(ctx)
	return err
}

// schema is CheckSchema, and tells whether all of this program's migrations have
// run and are signed for.
func (db *DB) schema(ctx context.Context) (whole bool, err error) {
	applied, _, err := db.Version(ctx)
	if err != nil || applied == 0 {
		return false, err
	}
	sums, err := migrationSums()
	if err != nil {
		return false, err
	}
	rows, _ := db.pool.Query(ctx, `select version, sum, program from schema_files order by version`)
	var (
		version      int64
		sum, program string
		differs      *SchemaError
		signed       int
	)
	_, err = pgx.ForEachRow(rows, []any{&version, &sum, &program}, func() error {
		known, ok := sums[version]
		if ok {
			signed++
		}
		if ok && known != sum && differs == nil {
			differs = &SchemaError{version, program}
		}
		return nil
	})
	switch {
	case sqlState(err) == "42P01": // undefined_table
		return false, &SchemaError{Version: 1}
	case err != nil:
		return false, Unavailable(fmt.Errorf("check the schema: %w", err))
	case differs != nil:
		return false, differs
	}
	return signed == len(sums), nil
}

// signSchema notes which migrations have run. Several processes may do so at
// once, and one that was killed before it did is made up for.
func (db *DB) signSchema(ctx context.Context) error {
	sums, err := migrationSums()
	if err != nil {
		return err
	}
	versions, texts := make([]int64, 0, len(sums)), make([]string, 0, len(sums))
	for version, sum := range sums {
		versions, texts = append(versions, version), append(texts, sum)
	}
	if _, err := db.pool.Exec(ctx, `
		insert into schema_files (version, sum, program, run_at)
		select version, sum, $3, now() from unnest($1::bigint[], $2::text[]) as f (version, sum)
		where exists (select from `+goose.DefaultTablename+` g where g.version_id = f.version and g.is_applied)
		order by version on conflict do nothing`, versions, texts, Program()); err != nil {
		return Unavailable(fmt.Errorf("sign the schema: %w", err))
	}
	return nil
}

// migrationSums are the sums of this program's migrations, less what says nothing
// to Postgres.
var migrationSums = sync.OnceValues(func() (map[int64]string, error) {
	names, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	sums := make(map[int64]string, len(names))
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		text, err := fs.ReadFile(Migrations(), name)
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		h := sha256.New()
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
				fmt.Fprintln(h, line)
			}
		}
		sums[version] = hex.EncodeToString(h.Sum(nil)[:8])
	}
	return sums, nil
})

// Program is which build this is, as a database names the one that made it.
func Program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of no version"
	}
	name := info.Main.Version
	if name == "" || name == "(devel)" {
		name = "unreleased"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && !strings.Contains(name, s.Value[:12]) {
			name += " (" + s.Value[:12] + ")"
		}
	}
	return name
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
