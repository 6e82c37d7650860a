package storage_test

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestSeveralProcessesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	pg := pgtest.Cluster(t)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			db, err := storage.Open(t.Context(), pg.URL(), storage.MaxConns(2))
			if err != nil {
				return err
			}
			defer db.Close()
			return storage.Migrate(t.Context(), db)
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), pg.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	applied, known, err := db.Version(t.Context())
	if err != nil || applied != known || known < 1 {
		t.Errorf("Version = %d of %d, %v", applied, known, err)
	}
	var twice int
	if err := db.Pool().QueryRow(t.Context(), `
		select count(*) from (
			select from goose_db_version group by version_id having count(*) > 1) as v`).Scan(&twice); err != nil || twice != 0 {
		t.Errorf("%d migrations ran twice, %v", twice, err)
	}
}

func TestVersionOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	pg := pgtest.Cluster(t)
	db, err := storage.Open(t.Context(), pg.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	applied, known, err := db.Version(t.Context())
	if err != nil || applied != 0 || known < 1 {
		t.Errorf("Version = %d, %d, %v; want 0 of some", applied, known, err)
	}
	if got := rowsIn(t, db, "pg_tables where schemaname = 'public'"); got != 0 {
		t.Errorf("asking for the version made %d tables", got)
	}
}

// address returns the address of a database.
func address(t *testing.T) *url.URL {
	t.Helper()
	u, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOpenSaysWhatIsWrongInOneLine(t *testing.T) {
	t.Parallel()
	other := func(change func(*url.URL)) string {
		u := address(t)
		change(u)
		return u.String()
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })

	tests := map[string]struct {
		dsn         string
		want        []string
		unavailable bool
	}{
		"nobody listens": {
			"postgres://ana:hunter2@127.0.0.1:1/desk",
			[]string{"desk at 127.0.0.1:1", "connection refused", "set DESKHAND_DATABASE_URL"}, true,
		},
		"the host does not exist": {
			"postgres://ana:hunter2@db.invalid/desk", []string{"no such host: db.invalid", "DESKHAND_DATABASE_URL"}, true,
		},
		"the host is silent": {
			"postgres://ana:hunter2@" + silent.Addr().String() + "/desk?connect_timeout=1",
			[]string{"no answer in time", "DESKHAND_DATABASE_URL"}, true,
		},
		"there is no socket": {
			"postgres://ana:hunter2@/desk?host=/nowhere", []string{"on the socket in /nowhere", "DESKHAND_DATABASE_URL"}, true,
		},
		"it speaks no TLS": {
			other(func(u *url.URL) { u.Host = speaking(t, ""); u.RawQuery = "sslmode=require" }), []string{"it speaks no TLS", "sslmode=disable"}, true,
		},
		"it is too old": {
			other(func(u *url.URL) { u.Host = speaking(t, "13.14 (Debian 13.14-1)"); u.RawQuery = "sslmode=disable" }),
			[]string{"13.14 (Debian", "14 or newer", "DESKHAND_DATABASE_URL"}, false,
		},
		"no such database": {
			other(func(u *url.URL) { u.Path = "/nope_" }), []string{"createdb nope_", "DESKHAND_DATABASE_URL"}, false,
		},
		"no such user": {
			other(func(u *url.URL) { u.User = url.UserPassword("nobody", "hunter2") }), []string{"correct the user and the password in DESKHAND_DATABASE_URL"}, false,
		},
		"a password that breaks the URL": {
			"postgres://ana:hunter2/hunter2?x@db/desk", []string{"DESKHAND_DATABASE_URL", "percent-encoded"}, false,
		},
		"not a URL": {
			"hunter2", []string{"DESKHAND_DATABASE_URL can't be read"}, false,
		},
		"a setting with a wrong value": {
			"postgres://ana:hunter2@db/desk?sslmode=yes", []string{"sslmode is invalid"}, false,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := storage.Open(t.Context(), tt.dsn)
			if err == nil {
				db.Close()
				t.Fatal("it opened")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q shows the password", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q has several lines", err)
			}
			if got := errors.Is(err, storage.ErrUnavailable); got != tt.unavailable {
				t.Errorf("error %q is ErrUnavailable: %t, want %t", err, got, tt.unavailable)
			}
		})
	}
}

func TestPoolSize(t *testing.T) {
	t.Parallel()
	u := address(t)
	plain := u.String()
	q := u.Query()
	q.Set("pool_max_conns", "3")
	u.RawQuery = q.Encode()
	tests := map[string]struct {
		dsn  string
		opts []storage.Option
		want func(int32) bool
	}{
		"at least eight by itself": {plain, nil, func(n int32) bool { return n >= 8 }},
		"as the URL says":          {u.String(), nil, func(n int32) bool { return n == 3 }},
		"as the program says":      {plain, []storage.Option{storage.MaxConns(5)}, func(n int32) bool { return n == 5 }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := storage.Open(t.Context(), tt.dsn, tt.opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if got := db.Pool().Config().MaxConns; !tt.want(got) {
				t.Errorf("at most %d connections", got)
			}
			var name string
			if err := db.Pool().QueryRow(t.Context(), `show application_name`).Scan(&name); err != nil || name != "deskhand" {
				t.Errorf("application_name = %q, %v", name, err)
			}
		})
	}
}

// A database whose migrations have this program's numbers and another text is
// refused in one line, before anything is done to it.
func TestASchemaOfAnotherBuildIsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	does := func(sql string) {
		t.Helper()
		if _, err := db.Pool().Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	applied, known, err := db.Version(ctx)
	if n := rowsIn(t, db, "schema_files where sum <> '' and program <> ''"); err != nil || int64(n) != known || applied != known {
		t.Fatalf("%d of %d migrations are signed, %v", n, known, err)
	}
	does(`delete from schema_files where version = 2`) // by a process that was killed
	if err := storage.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	if n := rowsIn(t, db, "schema_files where version = 2"); n != 1 {
		t.Errorf("what was missing is not made up for")
	}
	does(`insert into schema_files select 9999, 'newer', 'a newer one', now()`)
	if err := storage.Migrate(ctx, db); err != nil {
		t.Errorf("a schema that is newer: %v", err)
	}
	refused := func(name string, version int64, words string) {
		t.Helper()
		err := storage.Migrate(ctx, db)
		other, ok := errors.AsType[*storage.SchemaError](err)
		if !ok || other.Version != version || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want migration %d refused, saying %q", name, err, version, words)
		}
	}
	does(`update schema_files set sum = 'another', program = 'v0.3.1' where version in (3, 5)`)
	refused("another text", 3, "made by deskhand v0.3.1, whose migration 3 is not this one's")
	does(`drop table schema_files`)
	refused("no sums", 1, "made by an earlier build of deskhand")
}

// speaking is the address of what speaks Postgres' language for as long as a
// client needs to learn its release. It has no TLS.
func speaking(t *testing.T, release string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				b := pgproto3.NewBackend(c, c)
				hello, err := b.ReceiveStartupMessage()
				if _, tls := hello.(*pgproto3.SSLRequest); err == nil && tls {
					_, err = c.Write([]byte("N"))
				}
				if err != nil || release == "" {
					return
				}
				b.Send(&pgproto3.AuthenticationOk{})
				b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: release})
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				for b.Flush() == nil {
					if _, err := b.Receive(); err != nil {
						return
					}
					b.Send(&pgproto3.EmptyQueryResponse{})
					b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				}
			}()
		}
	}()
	return l.Addr().String()
}

// A database that is not the desk's to fill is left alone, in words.
func TestMigrateSaysWhoseDatabaseItIs(t *testing.T) {
	t.Parallel()
	u, ctx := address(t), t.Context()
	db, err := storage.Open(ctx, u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, err := db.Pool().Exec(ctx, `create schema theirs; create table theirs.people (id int); create schema closed; grant usage on schema closed to pg_monitor`); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ settings, want string }{
		"another program's tables are there": {"-c search_path=theirs", "is another program's (relation \"people\" already exists); give the desk one of its own in DESKHAND_DATABASE_URL"},
		"the role may not make tables in it": {"-c search_path=closed -c role=pg_monitor", "make it the owner: alter database"},
	} {
		q := u.Query()
		q.Set("options", tt.settings)
		u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
		as, err := storage.Open(ctx, u.String(), storage.MaxConns(2))
		if err != nil {
			t.Fatal(err)
		}
		if err := storage.Migrate(ctx, as); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: Migrate() = %v, want a line with %q", name, err, tt.want)
		}
		as.Close()
	}
}
