package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/watch"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// clock is a time of day that goes on and can be turned ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// desk notes in the database what fell due, so that what was rolled back is
// not there.
type desk struct {
	due func(context.Context, *storage.Tx, string, int64, time.Time) error
}

func (d *desk) Due(ctx context.Context, tx *storage.Tx, kind string, subject int64, at time.Time) error {
	if _, err := tx.Exec(ctx, `insert into effects values ($1, $2, $3)`, kind, subject, at); err != nil {
		return err
	}
	if d.due == nil {
		return nil
	}
	return d.due(ctx, tx, kind, subject, at)
}

func (d *desk) Clocks(context.Context, *storage.Tx, []ticket.ID) error { return nil }
func (d *desk) Tell(context.Context, *storage.Tx, []int64) error       { return nil }

func newDB(t *testing.T) *storage.DB {
	t.Helper()
	db := pgtest.New(t)
	if _, err := db.Pool().Exec(t.Context(), `create table effects (kind text, subject bigint, at timestamptz)`); err != nil {
		t.Fatal(err)
	}
	return db
}

func run(t *testing.T, db *storage.DB, d *desk, c *clock) *watch.Watch {
	t.Helper()
	w, err := watch.New(watch.Options{DB: db, Handler: d, Now: c.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return w
}

func set(t *testing.T, db *storage.DB, kind string, subject int64, at time.Time) {
	t.Helper()
	err := db.InTx(t.Context(), func(tx *storage.Tx) error { return tx.SetDue(t.Context(), kind, subject, at) })
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *storage.DB, sql string, args ...any) (n int) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestEachThingFallsDueOnceAndInTime(t *testing.T) {
	t.Parallel()
	db, c := newDB(t), &clock{}
	first := run(t, db, &desk{}, c)
	second := run(t, db, &desk{}, c)
	const things = 300 // more than one round
	for n := range things {
		set(t, db, "close", int64(n), c.now().Add(time.Hour))
	}
	set(t, db, "cleared", 1, c.now().Add(time.Hour))
	set(t, db, "moved", 1, c.now().Add(time.Hour))
	set(t, db, "moved", 1, c.now().Add(48*time.Hour))
	err := db.InTx(t.Context(), func(tx *storage.Tx) error { return tx.ClearDue(t.Context(), "cleared", 1) })
	if err != nil {
		t.Fatal(err)
	}
	c.pass(59 * time.Minute)
	first.Wake()
	second.Wake()
	if n := count(t, db, `select count(*) from effects`); n != 0 {
		t.Errorf("%d things were early", n)
	}
	c.pass(2 * time.Minute)
	first.Wake()
	second.Wake()
	eventually(t, "all but the one that was moved", func() bool { return count(t, db, `select count(*) from due`) == 1 })
	if n := count(t, db, `select count(*) from effects where kind = 'close'`); n != things {
		t.Errorf("%d effects, want %d", n, things)
	}
	if n := count(t, db, `select count(distinct subject) from effects where kind = 'close'`); n != things {
		t.Errorf("%d different effects, want %d", n, things)
	}
}

func TestTheWatchWakesByItself(t *testing.T) {
	t.Parallel()
	db, c := newDB(t), &clock{}
	w := run(t, db, &desk{}, c)
	set(t, db, "close", 1, c.now().Add(150*time.Millisecond))
	w.Wake()
	eventually(t, "its time", func() bool { return count(t, db, `select count(*) from effects`) == 1 })
}

func TestAFailureComesAgainAndHoldsUpNothing(t *testing.T) {
	t.Parallel()
	db, c := newDB(t), &clock{}
	var tries atomic.Int32
	d := &desk{due: func(_ context.Context, _ *storage.Tx, kind string, _ int64, _ time.Time) error {
		switch kind {
		case "broken":
			if tries.Add(1) < 4 {
				return errors.New("a bug")
			}
		case "panics":
			panic("another")
		}
		return nil
	}}
	at := c.now().Add(-time.Minute).Truncate(time.Microsecond)
	set(t, db, "broken", 1, at)
	set(t, db, "panics", 1, at)
	set(t, db, "fine", 1, at.Add(time.Second))
	w := run(t, db, d, c)
	eventually(t, "the one that is fine", func() bool { return count(t, db, `select count(*) from effects where kind = 'fine'`) == 1 })
	for failures := 1; failures < 4; failures++ {
		eventually(t, fmt.Sprint(failures, " failures noted"), func() bool {
			return count(t, db, `select count(*) from due where kind = 'broken' and attempts = $1`, failures) == 1
		})
		if wait := count(t, db, `select (extract(epoch from try_at - $1) * 1000)::int from due where kind = 'broken'`, c.now()); wait < 500 || wait > 6000 {
			t.Errorf("after %d failures it waits %d ms", failures, wait)
		}
		c.pass(time.Minute)
		w.Wake()
	}
	eventually(t, "success", func() bool { return count(t, db, `select count(*) from due where kind = 'broken'`) == 0 })
	var got time.Time
	if err := db.Pool().QueryRow(t.Context(), `select at from effects where kind = 'broken'`).Scan(&got); err != nil || !got.Equal(at) {
		t.Errorf("it was told that it was due at %s, %v; want %s", got, err, at)
	}
	if n := count(t, db, `select count(*) from due where kind = 'panics'`); n != 1 {
		t.Error("what panics is forgotten")
	}
}

func TestWhatIsSetAnewIsKept(t *testing.T) {
	t.Parallel()
	db, c := newDB(t), &clock{}
	var mu sync.Mutex
	var seen []int
	began := c.now().Truncate(time.Microsecond) // as Postgres has it
	d := &desk{due: func(ctx context.Context, tx *storage.Tx, kind string, subject int64, at time.Time) error {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, int(at.Sub(began)/time.Hour))
		if len(seen) == 3 {
			return nil
		}
		return tx.SetDue(ctx, kind, subject, at.Add(time.Hour))
	}}
	w := run(t, db, d, c)
	set(t, db, "remind", 1, began.Add(time.Hour))
	for n := 1; n <= 3; n++ {
		c.pass(time.Hour + time.Minute)
		w.Wake()
		eventually(t, "the reminder", func() bool { mu.Lock(); defer mu.Unlock(); return len(seen) == n })
	}
	eventually(t, "the end", func() bool { return count(t, db, `select count(*) from due`) == 0 })
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff([]int{1, 2, 3}, seen); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
}

func TestTheHouseIsKept(t *testing.T) {
	t.Parallel()
	db, c := newDB(t), &clock{}
	now := c.now()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Pool().Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	old := now.AddDate(0, -6, 0)
	exec(`insert into dead_letters (source, key, content, error, died_at) values ('inbox', 'old', '{}', '', $1), ('inbox', 'new', '{}', '', $2)`, old, now)
	exec(`insert into seen (key, at) values ('old', $1), ('today', $2)`, old, now)
	for _, kind := range []string{"whisper", "message"} {
		exec(`insert into posts (kind, platform, workspace, channel, body, created_at) values ($1, 'slack', 'T1', 'C1', '{}', $2), ($1, 'slack', 'T1', 'C1', '{}', $3)`, kind, old, now)
	}
	w := run(t, db, &desk{}, c)
	left := func(sql string) func() bool { return func() bool { return count(t, db, sql) == 1 } }
	eventually(t, "old dead letters are gone", left(`select count(*) from dead_letters`))
	eventually(t, "old keys are gone", left(`select count(*) from seen`))
	eventually(t, "old whispers are gone", left(`select count(*) from posts where kind = 'whisper'`))
	if n := count(t, db, `select count(*) from posts where kind = 'message'`); n != 2 {
		t.Errorf("%d messages are left, want both", n)
	}
	// A week later, in the same process.
	c.pass(7 * 24 * time.Hour)
	w.Wake()
	day := c.now().UTC().AddDate(0, 0, 2).Format("20060102")
	eventually(t, "the partition of the day after tomorrow", func() bool {
		return count(t, db, `select count(*) from pg_class where relname = 'seen_' || $1`, day) == 1
	})
	eventually(t, "the partitions of last week are dropped", func() bool {
		return count(t, db, `select count(*) from pg_class where relname = 'seen_' || $1`, now.UTC().Format("20060102")) == 0
	})
}
