//go:build unix

package pgtest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
)

// useVar makes this test binary a test run that takes a database and hangs.
const useVar = "DESKHAND_PGTEST_USE"

func TestUse(t *testing.T) {
	if os.Getenv(useVar) == "" {
		return
	}
	os.Stdout.WriteString("using " + URL(t) + "\n")
	select {}
}

// run is a test run of another package.
func run(t *testing.T, tmp string) (url string, cmd *exec.Cmd) {
	t.Helper()
	cmd = exec.Command(os.Args[0], "-test.run=^TestUse$")
	cmd.Env = append(os.Environ(), useVar+"=1", graceVar+"=1s", "TMPDIR="+tmp, "TEST_DATABASE_URL=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(cmd) })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "using "); ok {
			return url, cmd
		}
	}
	t.Fatal("the other test run got no database")
	return "", nil
}

func TestRunsShareAClusterThatEndsWithTheLast(t *testing.T) {
	t.Parallel()
	tmp, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o755); err != nil { // for the user that Postgres runs as
		t.Fatal(err)
	}
	first, one := run(t, tmp)
	second, two := run(t, tmp)
	if a, b := strings.SplitN(first, "?", 2)[1], strings.SplitN(second, "?", 2)[1]; a != b || first == second {
		t.Errorf("databases %s and %s, want two on one server", first, second)
	}
	conn, err := pgx.Connect(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()

	// One run is killed, the other still works after the grace.
	end(one)
	quiet, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := conn.WaitForNotification(quiet); quiet.Err() == nil {
		t.Fatalf("the cluster ended under a run: %v", err)
	}
	ended(t, second, two)

	// And the next run starts anew.
	third, three := run(t, tmp)
	ended(t, third, three)
	cluster := filepath.Join(tmp, "deskhand-pgtest-"+strconv.Itoa(os.Geteuid()), "cluster")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); ; { // the session ends a little before its server
		if _, err := os.Stat(cluster); os.IsNotExist(err) {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s is still there", cluster)
		}
	}
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// ended kills the last run and waits for the cluster to end.
func ended(t *testing.T, url string, last *exec.Cmd) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	end(last)
	if _, err := conn.WaitForNotification(ctx); err == nil || ctx.Err() != nil {
		t.Fatalf("the session after the last run: %v, want it cut", err)
	}
}

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 8)
	t.Run("all", func(t *testing.T) {
		for range cap(seen) {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				db := New(t)
				// With a shared database the second of these would fail.
				if _, err := db.Pool().Exec(t.Context(), `create table mine ()`); err != nil {
					t.Fatal(err)
				}
				applied, known, err := db.Version(t.Context())
				if err != nil || applied != known || known == 0 {
					t.Errorf("version %d of %d, %v; want a migrated database", applied, known, err)
				}
				seen <- db.Pool().Config().ConnConfig.Database
			})
		}
	})
	close(seen)

	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name := range seen {
		n++
		var left bool
		if err := s.admin.QueryRow(t.Context(), `select exists (select from pg_database where datname = $1)`, name).Scan(&left); err != nil || left {
			t.Errorf("%s: left behind %t, %v", name, left, err)
		}
	}
	if n != cap(seen) {
		t.Errorf("%d databases, want %d", n, cap(seen))
	}
}

func TestAbandonedDatabasesAreDropped(t *testing.T) {
	t.Parallel()
	URL(t) // the server has a fresh database, which must stay
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := s.create(t.Context(), s.template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(context.Background(), fresh); err != nil {
			t.Error(err)
		}
	})
	old := prefix + "1700000000_" + suffix()
	if _, err := s.admin.Exec(t.Context(), `create database `+old); err != nil {
		t.Fatal(err)
	}
	if err := s.dropAbandoned(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{old: false, fresh: true} {
		var got bool
		if err := s.admin.QueryRow(t.Context(), `select exists (select from pg_database where datname = $1)`, name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is there: %t, %v; want %t", name, got, err, want)
		}
	}
}

func TestDigestTellsMigrationsApart(t *testing.T) {
	t.Parallel()
	files := func(names ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i := 0; i < len(names); i += 2 {
			m[names[i]] = &fstest.MapFile{Data: []byte(names[i+1])}
		}
		return m
	}
	seen := map[string]int{}
	for i, f := range []fstest.MapFS{
		files("0001_a.sql", "x"), files("0001_a.sql", "y"), files("0001_b.sql", "x"),
		files("0001_a.sql", "x", "0002_b.sql", ""), files(),
	} {
		d, err := digest(f)
		if err != nil {
			t.Fatal(err)
		}
		if j, ok := seen[d]; ok {
			t.Errorf("sets %d and %d have one digest", i, j)
		}
		seen[d] = i
	}
}

func BenchmarkNew(b *testing.B) {
	URL(b) // the template
	for b.Loop() {
		db := New(b)
		b.StopTimer()
		db.Close()
		b.StartTimer()
	}
}
