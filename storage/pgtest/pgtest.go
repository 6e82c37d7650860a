//go:build unix

// Package pgtest gives each test a database of its own on a real Postgres.
//
// The schema is migrated once into a template, of which a test gets a copy in
// some tens of milliseconds. All packages of a `go test ./...` share one
// throwaway cluster; see keeper.go for how it comes and goes. Setting
// TEST_DATABASE_URL to a superuser's URL uses that server instead.
package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
)

const (
	prefix = "deskhand_test_"

	// abandoned is the age at which a database of a killed run is dropped from a
	// server that is not ours to throw away.
	abandoned = 2 * time.Hour
)

// New returns an empty, migrated database for this test alone. It is closed and
// dropped when the test ends.
func New(t testing.TB, opts ...storage.Option) *storage.DB {
	t.Helper()
	db, err := storage.Open(context.Background(), URL(t), append([]storage.Option{storage.MaxConns(8)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close) // before the database is dropped
	return db
}

// URL is like [New] for a test that starts programs of its own: it returns the
// address of the database.
func URL(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.copyOf(t, s.template)
}

// copyOf is a copy of a database for one test.
func (s *server) copyOf(t testing.TB, template string) (url string) {
	t.Helper()
	ctx := context.Background() // a clean-up outlives the context of the test
	name, err := s.create(ctx, template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(ctx, name); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

// Cluster returns a private cluster with an empty database, for a test that
// restarts or kills Postgres. Commits survive both. It is gone with the test.
func Cluster(t testing.TB) *pglocal.Server {
	t.Helper()
	s, err := pglocal.Start(context.Background(), pglocal.Options{Throwaway: true, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// progress shows what takes long, such as the download of Postgres, of which a
// silent test run would tell nothing.
func progress(line string) {
	if strings.HasPrefix(line, "Fetching") {
		fmt.Fprintln(os.Stderr, "pgtest:", line)
	}
}

// server is the Postgres that the tests of this process use.
type server struct {
	base     *url.URL
	admin    *pgxpool.Pool
	template string
	strategy string // clause of create database
}

// shared finds or starts the server, once in a process.
var shared = sync.OnceValues(connect)

func connect() (*server, error) {
	ctx := context.Background() // it is for all tests of the process
	raw := os.Getenv("TEST_DATABASE_URL")
	given := raw != ""
	if !given {
		var err error
		if raw, err = join(ctx); err != nil {
			return nil, err
		}
	}
	base, err := url.Parse(raw)
	if err != nil || base.Scheme == "" {
		return nil, errors.New("TEST_DATABASE_URL must look like postgres://user:password@host:5432/postgres")
	}
	cfg, err := pgxpool.ParseConfig(raw)
	if err != nil {
		return nil, errors.New("TEST_DATABASE_URL can't be read; it must look like postgres://user:password@host:5432/postgres")
	}
	cfg.MaxConns = 4
	cfg.ConnConfig.RuntimeParams["application_name"] = "pgtest"
	s := &server{base: base}
	if s.admin, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("connect to the test server: %w", err)
	}
	if given {
		if err := s.dropAbandoned(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.migrateTemplate(ctx); err != nil {
		return nil, fmt.Errorf("make the template of the test databases: %w", err)
	}
	// Where nothing is flushed, copying files takes a fifth of the time of
	// copying blocks through the log. Before version 15 it is the only way.
	var version int
	if err := s.admin.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return nil, fmt.Errorf("ask the test server for its version: %w", err)
	}
	if !given && version >= 150000 {
		s.strategy = " strategy file_copy"
	}
	return s, nil
}

// url returns the address of another database of the server.
func (s *server) url(name string) string {
	u := *s.base
	u.Path = "/" + name
	return u.String()
}

// create copies a database. The copy's name tells when, so that a database that a
// killed run left behind can be known.
func (s *server) create(ctx context.Context, template string) (string, error) {
	name := prefix + strconv.FormatInt(time.Now().Unix(), 10) + "_" + suffix()
	if _, err := s.admin.Exec(ctx, `create database `+name+` template `+template+s.strategy); err != nil {
		return "", fmt.Errorf("create a test database: %w", err)
	}
	return name, nil
}

func (s *server) drop(ctx context.Context, name string) error {
	// A test may have restarted programs that are still about to connect.
	if _, err := s.admin.Exec(ctx, `drop database if exists `+name+` with (force)`); err != nil {
		return fmt.Errorf("drop a test database: %w", err)
	}
	return nil
}

// migrateTemplate makes the template of this schema unless it is there. Its
// name holds a digest of the migrations, so a changed one makes a new template.
func (s *server) migrateTemplate(ctx context.Context) error {
	digest, err := digest(storage.Migrations())
	if err != nil {
		return err
	}
	s.template = "deskhand_template_" + digest

	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	// The first of the processes makes it while the others wait.
	if _, err := conn.Exec(ctx, `select pg_advisory_lock(hashtext($1))`, s.template); err != nil {
		return err
	}
	defer func() {
		_, _ = conn.Exec(ctx, `select pg_advisory_unlock(hashtext($1))`, s.template) // else it goes with the session
	}()

	var ready bool
	err = conn.QueryRow(ctx, `select datistemplate from pg_database where datname = $1`, s.template).Scan(&ready)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if ready {
		return nil
	}
	// A run that was killed here left an unfinished one.
	for _, sql := range []string{
		`drop database if exists ` + s.template + ` with (force)`,
		`create database ` + s.template,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	db, err := storage.Open(ctx, s.url(s.template), storage.MaxConns(2))
	if err != nil {
		return err
	}
	err = storage.Migrate(ctx, db)
	db.Close()
	if err != nil {
		return err
	}
	// A session that begins after the last change leaves a file of what is known
	// of the catalogue, which then comes with each copy.
	one, err := pgx.Connect(ctx, s.url(s.template))
	if err != nil {
		return err
	}
	if err := one.Close(ctx); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `alter database `+s.template+` with is_template true allow_connections false`)
	return err
}

// digest tells one set of migrations from another.
func digest(files fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:12], err
}

var madeAt = regexp.MustCompile(`^` + prefix + `([0-9]+)_`)

// dropAbandoned drops what killed runs left on a server that outlives them.
func (s *server) dropAbandoned(ctx context.Context) error {
	rows, _ := s.admin.Query(ctx, `select datname from pg_database where starts_with(datname, $1)`, prefix)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for old test databases: %w", err)
	}
	for _, name := range names {
		m := madeAt.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		made, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || time.Since(time.Unix(made, 0)) < abandoned {
			continue
		}
		_, err = s.admin.Exec(ctx, `drop database if exists `+name)
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "55006" { // object_in_use
			continue // a long run, then
		}
		if err != nil {
			return fmt.Errorf("drop an old test database: %w", err)
		}
	}
	return nil
}
