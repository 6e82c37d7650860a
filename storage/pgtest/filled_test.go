//go:build unix

package pgtest

import (
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestEachGetsACopyOfWhatIsFilledOnce(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T, url, sql string) (n int) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var times atomic.Int32
	filled := Fill(func(t *testing.T, url string) {
		times.Add(1)
		ask(t, url, `with made as (insert into people (name, guest) values ('Ana', true) returning 1) select count(*) from made`)
	})
	t.Run("all", func(t *testing.T) {
		for range 3 {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				url := filled.URL(t)
				// With a shared database one of these would find what another has added.
				ask(t, url, `with made as (insert into people (name, guest) values ('Eva', true) returning 1) select count(*) from made`)
				if n := ask(t, url, `select count(*) from people where name in ('Ana', 'Eva')`); n != 2 {
					t.Errorf("%d people, want Ana and this test's Eva", n)
				}
			})
		}
	})
	if n := times.Load(); n != 1 {
		t.Errorf("filled %d times", n)
	}
}
