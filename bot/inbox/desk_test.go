package inbox_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// clock is the time of day, which tests turn by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(noon.UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// desk notes in the database what it handles, so that what was rolled back is
// not there, and what was done twice is there twice.
type desk struct {
	prepare func(context.Context, chat.Event) error
	handle  func(context.Context, *storage.Tx, chat.Event) (chat.Answer, error)
	giveUp  func(context.Context, *storage.Tx, chat.Event, error) error
}

func (d *desk) Prepare(ctx context.Context, ev chat.Event) (chat.Event, error) {
	if d.prepare == nil {
		return ev, nil
	}
	return ev, d.prepare(ctx, ev)
}

func (d *desk) Handle(ctx context.Context, tx *storage.Tx, ev chat.Event) (chat.Answer, error) {
	if _, err := tx.Exec(ctx, `insert into effects (conversation, text) values ($1, $2)`, ev.Conversation(), ev.Text); err != nil {
		return chat.Answer{}, err
	}
	if d.handle == nil {
		return chat.Answer{}, nil
	}
	return d.handle(ctx, tx, ev)
}

func (d *desk) GiveUp(ctx context.Context, tx *storage.Tx, ev chat.Event, cause error) error {
	if _, err := tx.Exec(ctx, `insert into effects (conversation, text) values ($1, $2)`, ev.Conversation(), "sorry for "+ev.Text); err != nil {
		return err
	}
	if d.giveUp == nil {
		return nil
	}
	return d.giveUp(ctx, tx, ev, cause)
}

func newDB(t testing.TB, opts ...storage.Option) *storage.DB {
	t.Helper()
	db := pgtest.New(t, opts...)
	makeEffects(t, db)
	return db
}

func makeEffects(t testing.TB, db *storage.DB) {
	t.Helper()
	_, err := db.Pool().Exec(t.Context(), `create table effects (n bigint generated always as identity, conversation text, text text)`)
	if err != nil {
		t.Fatal(err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newInbox(t testing.TB, o inbox.Options) *inbox.Inbox {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet()
	}
	in, err := inbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// run runs the inbox until the test ends or stop is called.
func run(t testing.TB, in *inbox.Inbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func said(conversation string, n int) chat.Event {
	return chat.Event{
		Key: fmt.Sprintf("%s/%d", conversation, n), At: noon.Add(time.Duration(n) * time.Second), Kind: chat.Said,
		By: chat.User{Platform: "slack", Workspace: "T1", ID: "U1"}, Text: fmt.Sprint(n),
		Place:   chat.Place{Platform: "slack", Workspace: "T1", Channel: conversation, Thread: "1.1"},
		Message: fmt.Sprintf("2.%d", n),
	}
}

func accept(t testing.TB, in *inbox.Inbox, events ...chat.Event) {
	t.Helper()
	if err := in.Accept(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
}

// effects are the texts handled, in order, by the channel of the conversation.
func effects(t testing.TB, db *storage.DB) map[string][]string {
	t.Helper()
	rows, _ := db.Pool().Query(t.Context(), `select conversation, text from effects order by n`)
	all := map[string][]string{}
	var conversation, text string
	_, err := pgx.ForEachRow(rows, []any{&conversation, &text}, func() error {
		channel := strings.Split(conversation, ":")[2]
		all[channel] = append(all[channel], text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func count(t testing.TB, db *storage.DB, sql string) (n int) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits for the database to say so.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func drained(t testing.TB, db *storage.DB) {
	t.Helper()
	eventually(t, "an empty inbox", func() bool { return count(t, db, `select count(*) from inbox`) == 0 })
}
