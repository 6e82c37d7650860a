//go:build unix

package pglocal

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// directory names a directory for a cluster, which is not there yet.
func directory(t *testing.T) string {
	t.Helper()
	return filepath.Join(reachable(t), "pg")
}

// made is the directory of a cluster that was made before. Tests that are not
// about making one begin with a copy, which takes a fraction of the time.
func made(t *testing.T) string {
	t.Helper()
	model.once.Do(func() {
		if model.dir, model.err = os.MkdirTemp(TempDir(), "pglocal-test-"); model.err != nil {
			return
		}
		if model.err = os.Chmod(model.dir, 0o755); model.err != nil {
			return
		}
		var s *Server
		if s, model.err = Start(context.Background(), Options{Dir: filepath.Join(model.dir, "pg")}); model.err == nil { // for all tests
			model.err = s.Stop()
		}
	})
	if model.err != nil {
		t.Fatal(model.err)
	}
	dir := directory(t)
	if out, err := exec.Command("cp", "-a", filepath.Join(model.dir, "pg"), dir).CombinedOutput(); err != nil {
		t.Fatalf("copy a cluster: %v: %s", err, out)
	}
	return dir
}

// model is what is copied. TestMain removes it.
var model struct {
	once sync.Once
	dir  string
	err  error
}

// reachable returns a temporary directory that every user can reach, which
// t.TempDir's is not.
func reachable(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp(TempDir(), "pglocal-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	return base
}

func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
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

func startError(t *testing.T, o Options) string {
	t.Helper()
	s, err := Start(t.Context(), o)
	if err == nil {
		_ = s.Stop()
		t.Fatal("it started")
	}
	return err.Error()
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query1(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var got string
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDataStayBetweenRuns(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	first := start(t, Options{Dir: dir})
	exec1(t, first.URL(), `create table kept as select 'here' as word`)
	if got := query1(t, first.URL(), `show fsync`); got != "on" {
		t.Errorf("fsync = %s for data that are kept", got)
	}
	for range 2 {
		if err := first.Stop(); err != nil {
			t.Fatal(err)
		}
	}

	second := start(t, Options{Dir: dir})
	if got := query1(t, second.URL(), `select word from kept`); got != "here" {
		t.Errorf("word = %q", got)
	}
	if fi, err := os.Stat(filepath.Join(dir, "data")); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v; want mode 0700", fi.Mode(), err)
	}
}

func TestACommandFindsTheClusterThatRuns(t *testing.T) {
	t.Parallel()
	dir := made(t)
	if url, ok := Running(dir); ok {
		t.Errorf("Running before the start = %q", url)
	}
	s := start(t, Options{Dir: dir})
	if url, ok := Running(dir); !ok || url != s.URL() {
		t.Errorf("Running = %q, %v; want %q", url, ok, s.URL())
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if url, ok := Running(dir); ok {
		t.Errorf("Running after the stop = %q", url)
	}
}

func TestThrowawayBeginsEmpty(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	first := start(t, Options{Dir: dir, Throwaway: true, Settings: map[string]string{"max_connections": "17"}})
	exec1(t, first.URL(), `create table kept ()`)
	if got := query1(t, first.URL(), `show max_connections`); got != "17" {
		t.Errorf("max_connections = %s, want the given 17", got)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, Options{Dir: dir, Throwaway: true})
	if got := query1(t, second.URL(), `select count(*)::text from pg_tables where tablename = 'kept'`); got != "0" {
		t.Error("the table is still there")
	}
}

func TestFreshStart(t *testing.T) {
	t.Parallel()
	dir := made(t)
	first := start(t, Options{Dir: dir})
	exec1(t, first.URL(), `create table kept ()`)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, Options{Dir: dir, Fresh: true})
	if got := query1(t, second.URL(), `select count(*)::text from pg_tables where tablename = 'kept'`); got != "0" {
		t.Error("the table is still there")
	}
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	// Data of another version are not ours to discard, not even then.
	version := filepath.Join(dir, "data", "PG_VERSION")
	if err := os.WriteFile(version, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := startError(t, Options{Dir: dir, Fresh: true}); !strings.Contains(got, "made with Postgres 9") {
		t.Errorf("error %q, want the version that made the data", got)
	}
	if _, err := os.Stat(version); err != nil {
		t.Error(err)
	}
}

func TestCommitsSurviveRestarts(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Throwaway: true}, {Dir: made(t)}} {
		s := start(t, o)
		exec1(t, s.URL(), `create table t (n int)`)
		for i, m := range []Mode{Immediate, Fast, Immediate} {
			exec1(t, s.URL(), `insert into t values (1)`)
			if err := s.Restart(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if got, want := query1(t, s.URL(), `select count(*)::text from t`), strconv.Itoa(i+1); got != want {
				t.Errorf("%s rows after restart %d, want %s", got, i, want)
			}
		}
		if err := s.Halt(Fast); err != nil {
			t.Fatal(err)
		}
		if conn, err := pgx.Connect(t.Context(), s.URL()); err == nil {
			_ = conn.Close(t.Context())
			t.Error("a halted server takes connections")
		}
		if err := s.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		query1(t, s.URL(), `select 'back'`)
	}
}

func TestDirectoriesOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"files of another program": {
			map[string]string{"thesis.odt": "chapter one"}, "was not made by deskhand",
		},
		"another Postgres": {
			map[string]string{"PG_VERSION": "15\n", "base/1/2619": "x"}, "data directory of another Postgres",
		},
		"our directory with data of a version that is nowhere to be had": {
			map[string]string{lockName: "", "data/PG_VERSION": "9\n"}, "made with Postgres 9",
		},
		"our directory with data that are none": {
			map[string]string{lockName: "", "data/notes": "x"}, "not a Postgres data directory",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := directory(t)
			for f, text := range tt.files {
				path := filepath.Join(dir, f)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := startError(t, Options{Dir: dir, Cache: filepath.Join(directory(t), "cache")})
			if !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("error %q, want one line with %q", got, tt.want)
			}
			for f, text := range tt.files {
				if f == lockName {
					continue
				}
				if now, err := os.ReadFile(filepath.Join(dir, f)); err != nil || string(now) != text {
					t.Errorf("%s is now %q, %v", f, now, err)
				}
			}
		})
	}
}

func TestLongDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(directory(t), strings.Repeat("long/", 30), "pg")
	s := start(t, Options{Dir: dir})
	query1(t, s.URL(), `select 'fine'`)
	fi, err := os.Stat(s.sockets)
	if err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("directory of the socket: %v, %v; want mode 0700", fi.Mode(), err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.sockets); !os.IsNotExist(err) {
		t.Errorf("%s: %v, want it gone", s.sockets, err)
	}
}

func TestSettingThatPostgresRefusesIsNamed(t *testing.T) {
	t.Parallel()
	got := startError(t, Options{Throwaway: true, Settings: map[string]string{"shared_buffers": "many"}})
	if !strings.Contains(got, `shared_buffers`) {
		t.Errorf("error %q, want the setting in it", got)
	}
}

// What any cluster shows is shown by one, since making them is what these tests
// take their time for.
func TestAThrowawayCluster(t *testing.T) {
	t.Setenv("DESKHAND_SLACK_BOT_TOKEN", "xoxb-secret")
	t.Setenv("PGPORT", "1")
	s := start(t, Options{Throwaway: true})
	t.Run("folds letters of all languages", func(t *testing.T) {
		if got := query1(t, s.URL(), `select lower('ÉÄŁ')`); got != "éäł" {
			t.Errorf("lower = %q", got)
		}
	})
	t.Run("opens no port", func(t *testing.T) {
		if got := query1(t, s.URL(), `show listen_addresses`); got != "" {
			t.Errorf("listen_addresses = %q", got)
		}
		conn, err := net.Dial("unix", filepath.Join(s.sockets, ".s.PGSQL."+port))
		if err != nil {
			t.Fatalf("the socket: %v", err)
		}
		_ = conn.Close()
	})
	t.Run("is not told the desk's secrets", func(t *testing.T) {
		raw, err := os.ReadFile("/proc/" + strconv.Itoa(s.current.process.Pid) + "/environ")
		if err != nil {
			t.Skip("reading another process's environment needs /proc")
		}
		if strings.Contains(string(raw), "xoxb") {
			t.Error("the server's environment has the token")
		}
	})
	t.Run("takes its temporary directory along", func(t *testing.T) {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.Dir()); !os.IsNotExist(err) {
			t.Errorf("%s: %v, want it gone", s.Dir(), err)
		}
		if err := s.Resume(t.Context()); err == nil {
			t.Error("a stopped server resumed")
		}
	})
}

func TestDroppingRootNeedsAWayIn(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs Postgres as somebody else")
	}
	got := startError(t, Options{Dir: filepath.Join(t.TempDir(), "pg")}) // below a directory of mode 0700
	if !strings.Contains(got, "can't get into") {
		t.Errorf("error %q, want the directory that is closed", got)
	}
}

func TestContextEndsTheStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := directory(t)
	if s, err := Start(ctx, Options{Dir: dir}); err == nil {
		_ = s.Stop()
		t.Fatal("it started")
	}
	s := start(t, Options{Dir: dir})
	query1(t, s.URL(), `select 'fine'`)
}

func TestComplaint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ log, want string }{
		"the fatal line, not what follows it": {
			"2026-01-01 LOG:  starting\n2026-01-01 FATAL:  could not map anonymous shared memory\n2026-01-01 LOG:  database system is shut down\n",
			"could not map anonymous shared memory",
		},
		"the last line when none is fatal": {"one\n\ntwo\n", "two"},
		"nothing from nothing":             {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := complaint(tt.log); got != tt.want {
				t.Errorf("complaint = %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkStart(b *testing.B) {
	for name, o := range map[string]Options{"kept": {}, "throwaway": {Throwaway: true}} {
		b.Run(name+", first time", func(b *testing.B) {
			for b.Loop() {
				o := o
				o.Dir = filepath.Join(b.TempDir(), "pg")
				if os.Geteuid() == 0 {
					b.StopTimer()
					tmp, err := os.MkdirTemp("", "pglocal-bench-")
					if err != nil {
						b.Fatal(err)
					}
					_ = os.Chmod(tmp, 0o755)
					o.Dir = filepath.Join(tmp, "pg")
					b.Cleanup(func() { _ = os.RemoveAll(tmp) })
					b.StartTimer()
				}
				s, err := Start(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = s.Stop()
				b.StartTimer()
			}
		})
	}
}
