//go:build unix

package pgtest

import (
	"testing"
	"testing/fstest"
)

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
	fresh, err := s.create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.drop(t.Context(), fresh); err == nil {
			return
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
