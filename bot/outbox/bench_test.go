package outbox_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/outbox"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/ephemeral"
	"github.com/deskhand/deskhand/storage/pglocal"
)

// durable is an office whose database waits for the disk, as a real one does.
func durable(b *testing.B) *office {
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
	o := &office{TB: b, db: db, draw: &drawer{}, clock: &clock{}}
	o.prepare()
	return o
}

// instant is a platform that takes everything at once.
type instant struct {
	n    atomic.Int64
	want int64
	done chan struct{}
	sent func(chat.Post)
}

func (p *instant) Send(_ context.Context, post chat.Post) (chat.Ref, error) {
	if p.sent != nil {
		p.sent(post)
	}
	n := p.n.Add(1)
	if n == p.want {
		close(p.done)
	}
	return chat.Ref{Channel: post.Place.Channel, Message: fmt.Sprint(n)}, nil
}

func (p *instant) Update(context.Context, chat.Ref, chat.Post) error { return nil }
func (p *instant) Find(context.Context, chat.Post) (chat.Ref, bool, error) {
	return chat.Ref{}, false, nil
}
func (p *instant) Budgets(post chat.Post, _ bool) []chat.Budget {
	return []chat.Budget{{Name: post.Place.Channel, Rate: 1e6, Burst: 1000}, {Name: "all", Rate: 1e6, Burst: 1000}}
}

func (o *office) deliver(p outbox.Platform) (out *outbox.Outbox, stop func()) {
	o.Helper()
	out, err := outbox.New(outbox.Options{
		DB: o.db, Platforms: map[string]outbox.Platform{"slack": p}, Drawer: o.draw,
		Pace: ephemeral.NewMemory(ephemeral.MemoryOptions{}), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		o.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- out.Run(ctx) }()
	return out, func() {
		cancel()
		if err := <-done; err != nil {
			o.Errorf("Run: %v", err)
		}
	}
}

// BenchmarkDeliver is how many posts a second go out, in 500 conversations, to
// a platform that takes no time.
func BenchmarkDeliver(b *testing.B) {
	o := durable(b)
	var all []storage.Post
	for n := range b.N {
		all = append(all, text(fmt.Sprintf("C%d", n%500), "Your ticket has been claimed by Ben."))
	}
	for part := range slices.Chunk(all, 1000) {
		o.post(storage.LaneReply, part...)
	}
	p := &instant{want: int64(b.N), done: make(chan struct{})}
	b.ResetTimer()
	_, stop := o.deliver(p)
	<-p.done
	stop() // when all is recorded
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
	if n := o.count(`select count(*) from outbox`); n != 0 {
		b.Errorf("%d posts are left", n)
	}
}

// BenchmarkDelay is how long after the commit of a single post its delivery
// begins.
func BenchmarkDelay(b *testing.B) {
	o := durable(b)
	sent := make(chan time.Time, 1)
	p := &instant{want: -1, sent: func(chat.Post) { sent <- time.Now() }}
	out, stop := o.deliver(p)
	defer stop()
	o.out = append(o.out, out)
	var all []time.Duration
	for n := range b.N {
		post := text(fmt.Sprintf("C%d", n), "Your ticket has been claimed by Ben.")
		post.Kind, post.Platform, post.Workspace = "message", "slack", "T1"
		err := o.db.InTx(b.Context(), func(tx *storage.Tx) error {
			_, err := tx.Post(b.Context(), post, storage.LaneReply, time.Now())
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		out.Wake()
		all = append(all, (<-sent).Sub(began))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
}
