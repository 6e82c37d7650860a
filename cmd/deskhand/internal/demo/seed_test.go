package demo

import (
	"testing"
	"time"

	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// The record refuses what must never be; that it takes the whole history is
// the proof that nothing in it could not have happened.
func TestSeedIsTakenByTheRecord(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.New(t), t.Context()
	h := generate(t, today)
	want := map[string]int{"tickets": len(h.Tickets), "questions": len(h.Questions), "articles": len(h.Articles), "people": len(h.People)}
	for _, x := range h.Tickets {
		want["messages"] += len(x.Messages)
	}
	for _, run := range []string{"first", "second"} {
		if err := Seed(ctx, db, today, func(string) {}); err != nil {
			t.Fatalf("%s time: %v", run, err)
		}
		for table, n := range want {
			if got := count(t, db, table); got != n {
				t.Errorf("%s time: %d %s, want %d", run, got, table, n)
			}
		}
	}
}

func count(t *testing.T, db *storage.DB, table string) (n int) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func BenchmarkSeed(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		db := pgtest.New(b)
		b.StartTimer()
		if err := Seed(b.Context(), db, today, func(string) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Second)/float64(b.N), "s/seed")
}
