package inbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
)

// durable is a database that waits for the disk, as a real one does.
func durable(b *testing.B) *storage.DB {
	b.Helper()
	dir, err := os.MkdirTemp("", "deskhand-bench-") // on a disk
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil { // as root, Postgres runs as somebody else
		b.Fatal(err)
	}
	server, err := pglocal.Start(b.Context(), pglocal.Options{Dir: filepath.Join(dir, "cluster")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := server.Stop(); err != nil {
			b.Error(err)
		}
	})
	db, err := storage.Open(b.Context(), server.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(db.Close)
	if err := storage.Migrate(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	return db
}

func question(n int64) chat.Event {
	user := fmt.Sprintf("U%06d", n%500)
	return chat.Event{
		Key: fmt.Sprintf("Ev%012d", n), At: time.Now(), Kind: chat.Said,
		By:    chat.User{Platform: "slack", Workspace: "T0123456", ID: user},
		Place: chat.Place{Platform: "slack", Workspace: "T0123456", Channel: "D" + user}, Scope: chat.Direct,
		Text: "the printer on floor 3 is not printing, it says paper jam but there is none", Message: fmt.Sprintf("1764000000.%06d", n),
	}
}

// each runs fn b.N times on a number of goroutines and reports how long the
// slowest of them took.
func each(b *testing.B, goroutines int, fn func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		group.Go(func() {
			var mine []time.Duration
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					break
				}
				began := time.Now()
				if err := fn(n); err != nil {
					b.Error(err)
					break
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	group.Wait()
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkAccept is what a platform waits for, beside a handler that does one
// insert for each event on the same Postgres.
func BenchmarkAccept(b *testing.B) {
	db := durable(b)
	if _, err := db.Pool().Exec(b.Context(), `
		create table bare (key text primary key, event jsonb not null, at timestamptz not null)`); err != nil {
		b.Fatal(err)
	}
	in := newInbox(b, inbox.Options{DB: db, Handler: &desk{}})
	var keys int64
	for _, goroutines := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("insert/%d", goroutines), func(b *testing.B) {
			base := keys
			keys += int64(b.N)
			each(b, goroutines, func(n int64) error {
				ev := question(base + n)
				body, err := json.Marshal(ev)
				if err != nil {
					return err
				}
				_, err = db.Pool().Exec(context.Background(),
					`insert into bare values ($1, $2, $3) on conflict do nothing`, ev.Key, body, ev.At)
				return err
			})
		})
		b.Run(fmt.Sprintf("accept/%d", goroutines), func(b *testing.B) {
			base := keys
			keys += int64(b.N)
			each(b, goroutines, func(n int64) error { return in.Accept(context.Background(), question(base+n)) })
		})
	}
}

// BenchmarkHandle is how fast events go through, beside the least that any
// handling must do: one transaction with one insert and one delete.
func BenchmarkHandle(b *testing.B) {
	db := durable(b)
	makeEffects(b, db)
	ctx := context.Background()
	b.Run("floor", func(b *testing.B) {
		if _, err := db.Pool().Exec(ctx, `create table if not exists floor (n bigint primary key, event jsonb)`); err != nil {
			b.Fatal(err)
		}
		each(b, 4, func(n int64) error {
			return db.InTx(ctx, func(tx *storage.Tx) error {
				if _, err := tx.Exec(ctx, `delete from floor where n = $1`, n); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, `insert into effects (conversation, text) values ($1, $2)`, "c", "t")
				return err
			})
		})
	})
	b.Run("inbox", func(b *testing.B) {
		var handled atomic.Int64
		done := make(chan struct{})
		in := newInbox(b, inbox.Options{DB: db, Handler: &desk{}, OnHandled: func() {
			if handled.Add(1) == int64(b.N) {
				close(done)
			}
		}})
		all := make([]chat.Event, b.N)
		now := time.Now().UnixNano()
		for n := range all {
			all[n] = question(now + int64(n))
		}
		for part := range slices.Chunk(all, 1000) {
			if err := in.Accept(ctx, part...); err != nil {
				b.Fatal(err)
			}
		}
		b.ResetTimer()
		stop := run(b, in)
		<-done
		b.StopTimer()
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		stop()
	})
}
