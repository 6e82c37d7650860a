package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/outbox"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// platform is a chat platform in memory. Faults are set by the test.
type platform struct {
	// fault is asked before each call, and makes it fail. Lost says that the
	// call has its effect all the same.
	fault  func(p chat.Post, update bool) (lost bool, err error)
	budget func(p chat.Post) []chat.Budget

	mu       sync.Mutex
	seq      int
	standing map[string][]*message // by channel
	busy     map[string]int        // calls for one conversation at a time
	overlaps int
	sends    []string // the texts, in order of acceptance
	updates  []string
	finds    int
}

type message struct {
	id, ts, thread, text string
}

func (f *platform) conversation(p chat.Post) string {
	if p.Place.Channel == "" {
		return "D" + p.User.ID
	}
	return p.Place.Channel
}

func (f *platform) enter(p chat.Post, update bool) (bool, error) {
	key := f.conversation(p) + p.Place.Thread
	f.mu.Lock()
	f.busy[key]++
	if f.busy[key] > 1 {
		f.overlaps++
	}
	f.mu.Unlock()
	var lost bool
	var err error
	if f.fault != nil {
		lost, err = f.fault(p, update)
	}
	f.mu.Lock()
	f.busy[key]--
	f.mu.Unlock()
	return lost, err
}

func (f *platform) Send(_ context.Context, p chat.Post) (chat.Ref, error) {
	lost, err := f.enter(p, false)
	if err != nil && !lost {
		return chat.Ref{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sends = append(f.sends, p.Card.Text)
	if p.Kind != chat.Message {
		return chat.Ref{}, err
	}
	f.seq++
	channel := f.conversation(p)
	m := &message{id: p.ID, ts: fmt.Sprint(f.seq), thread: p.Place.Thread, text: p.Card.Text}
	f.standing[channel] = append(f.standing[channel], m)
	if err != nil {
		return chat.Ref{}, err
	}
	return chat.Ref{Channel: channel, Message: m.ts}, nil
}

func (f *platform) Update(_ context.Context, at chat.Ref, p chat.Post) error {
	lost, err := f.enter(p, true)
	if err != nil && !lost {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.standing[at.Channel] {
		if m.ts == at.Message {
			m.text = p.Card.Text
			f.updates = append(f.updates, p.Card.Text)
			return err
		}
	}
	return chat.ErrGone
}

func (f *platform) Find(_ context.Context, p chat.Post) (chat.Ref, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.finds++
	channel := f.conversation(p)
	for _, m := range f.standing[channel] {
		if m.id == p.ID {
			return chat.Ref{Channel: channel, Message: m.ts}, true, nil
		}
	}
	return chat.Ref{}, false, nil
}

func (f *platform) Budgets(p chat.Post, _ bool) []chat.Budget {
	if f.budget == nil {
		return nil
	}
	return f.budget(p)
}

// texts are what stands in the channel, in order, with the thread before it.
func (f *platform) texts(channel string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []string{}
	for _, m := range f.standing[channel] {
		text := m.text
		if m.thread != "" {
			text = m.thread + "/" + text
		}
		all = append(all, text)
	}
	return all
}

func (f *platform) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sends)
}

func (f *platform) updated() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.updates)
}

func newPlatform() *platform {
	return &platform{standing: map[string][]*message{}, busy: map[string]int{}}
}

// drawer draws a body's text, or for a card the text that the table cards has.
// Subject 13 can be made not to be drawn, or not to be read with others.
type drawer struct{ broken, unread atomic.Bool }

func (d *drawer) Drawing(ctx context.Context, tx *storage.Tx, all []storage.Draft) (func(context.Context, storage.Draft) (chat.Post, error), error) {
	if d.unread.Load() && slices.ContainsFunc(all, func(p storage.Draft) bool { return p.Subject == 13 }) {
		_, err := tx.Exec(ctx, `select 1/0`)
		return nil, err
	}
	return func(ctx context.Context, p storage.Draft) (chat.Post, error) { return d.draw(ctx, tx, p.Post, p.In) }, nil
}

func (d *drawer) draw(ctx context.Context, tx *storage.Tx, p storage.Post, in storage.Thread) (chat.Post, error) {
	c := chat.Post{
		Kind:  chat.PostKind(p.Kind),
		Place: chat.Place{Platform: p.Platform, Workspace: p.Workspace, Channel: p.Channel},
		User:  chat.User{Platform: p.Platform, Workspace: p.Workspace, ID: p.User},
	}
	if in.ID != 0 && !p.Root {
		c.Place.Channel, c.Place.Thread = in.Channel, in.Root
	}
	if p.Card == "" {
		return c, json.Unmarshal(p.Body, &c.Card.Text)
	}
	if d.broken.Load() && p.Subject == 13 {
		_, err := tx.Exec(ctx, `select 1/0`)
		return c, err
	}
	var text *string
	if err := tx.QueryRow(ctx, `select (select text from cards where subject = $1)`, p.Subject).Scan(&text); err != nil {
		return c, err
	}
	if text == nil {
		return c, storage.ErrNotFound
	}
	c.Card.Text = *text
	return c, nil
}

type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// office is a database, a platform and what delivers to it.
type office struct {
	testing.TB
	db    *storage.DB
	slack *platform
	draw  *drawer
	clock *clock
	pace  outbox.Pace
	out   []*outbox.Outbox
}

func newOffice(t testing.TB) *office {
	t.Helper()
	db := pgtest.New(t, storage.MaxConns(8))
	o := &office{TB: t, db: db, slack: newPlatform(), draw: &drawer{}, clock: &clock{}}
	o.prepare()
	return o
}

func (o *office) prepare() {
	o.Helper()
	if _, err := o.db.Pool().Exec(o.Context(), `create table cards (subject bigint primary key, text text)`); err != nil {
		o.Fatal(err)
	}
}

// open runs one more process that delivers, until the test ends or it is
// closed.
func (o *office) open() (shut func()) {
	o.Helper()
	out, err := outbox.New(outbox.Options{
		DB: o.db, Platforms: map[string]outbox.Platform{"slack": o.slack}, Drawer: o.draw, Pace: o.pace,
		Now: o.clock.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		o.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- out.Run(ctx) }()
	o.out = append(o.out, out)
	shut = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			o.Errorf("Run: %v", err)
		}
	})
	o.Cleanup(shut)
	return shut
}

func (o *office) wake() {
	for _, out := range o.out {
		out.Wake()
	}
}

func (o *office) inTx(fn func(context.Context, *storage.Tx) error) {
	o.Helper()
	if err := o.db.InTx(o.Context(), func(tx *storage.Tx) error { return fn(o.Context(), tx) }); err != nil {
		o.Fatal(err)
	}
	o.wake()
}

func (o *office) post(lane storage.Lane, all ...storage.Post) (last storage.PostID) {
	o.Helper()
	o.inTx(func(ctx context.Context, tx *storage.Tx) (err error) {
		for _, p := range all {
			if p.Kind == "" {
				p.Kind = "message"
			}
			p.Platform, p.Workspace = "slack", "T1"
			if last, err = tx.Post(ctx, p, lane, o.clock.now()); err != nil {
				return err
			}
		}
		return nil
	})
	return last
}

func (o *office) card(subject int64, text string) {
	o.Helper()
	o.inTx(func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `insert into cards values ($1, $2) on conflict (subject) do update set text = excluded.text`, subject, text)
		if err != nil {
			return err
		}
		return tx.Redraw(ctx, subject, o.clock.now(), "card")
	})
}

func text(channel, s string) storage.Post {
	body, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string is always encoded
	}
	return storage.Post{Channel: channel, Body: body}
}

func (o *office) thread(channel, user string) storage.ThreadID {
	o.Helper()
	var th storage.Thread
	o.inTx(func(ctx context.Context, tx *storage.Tx) (err error) {
		th, err = tx.OpenThread(ctx, storage.Thread{
			Platform: "slack", Workspace: "T1", Channel: channel, User: user, Scope: "open", Side: "team",
		})
		return err
	})
	return th.ID
}

func (o *office) count(sql string, args ...any) (n int) {
	o.Helper()
	ctx := o.Context()
	// In a transaction, which is tried again on a fresh connection after a restart.
	if err := o.db.View(ctx, func(tx *storage.Tx) error { return tx.QueryRow(ctx, sql, args...).Scan(&n) }); err != nil {
		o.Fatal(err)
	}
	return n
}

func (o *office) eventually(what string, ok func() bool) {
	o.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			o.Fatalf("not within 30 s: %s; delivered: %v", what, o.slack.sent())
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (o *office) drained() {
	o.Helper()
	o.eventually("an empty outbox", func() bool { return o.count(`select count(*) from outbox`) == 0 })
}

// stalled waits until n posts have been put off, or are left alone.
func (o *office) stalled(n int) {
	o.Helper()
	o.eventually(fmt.Sprint(n, " posts put off"), func() bool {
		return o.count(`select count(*) from outbox where leased_until is null and due_at > $1`, o.clock.now()) == n
	})
}

func (o *office) same(what string, want, got any) {
	o.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		o.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
