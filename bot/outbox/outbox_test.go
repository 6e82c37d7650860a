package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/outbox"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/ephemeral"
	"github.com/deskhand/deskhand/storage/pglocal"
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
type drawer struct{ broken atomic.Bool }

func (d *drawer) Draw(ctx context.Context, tx *storage.Tx, p storage.Post, in storage.Thread) (chat.Post, error) {
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

func (o *office) thread(channel, user string) (id storage.ThreadID) {
	o.Helper()
	o.inTx(func(ctx context.Context, tx *storage.Tx) (err error) {
		id, err = tx.OpenThread(ctx, storage.Thread{
			Platform: "slack", Workspace: "T1", Channel: channel, User: user, Scope: "open", Side: "team",
		})
		return err
	})
	return id
}

func (o *office) count(sql string, args ...any) (n int) {
	o.Helper()
	if err := o.db.Pool().QueryRow(o.Context(), sql, args...).Scan(&n); err != nil {
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

func TestDeliveryKeepsTheOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open()
	o.open()
	const conversations, each = 10, 20
	want := []string{}
	for n := range each {
		want = append(want, fmt.Sprint(n))
		for c := range conversations {
			o.post(storage.LaneReply, text(fmt.Sprintf("C%d", c), fmt.Sprint(n)))
		}
	}
	o.drained()
	for c := range conversations {
		o.same(fmt.Sprintf("C%d", c), want, o.slack.texts(fmt.Sprintf("C%d", c)))
	}
	if o.slack.overlaps > 0 {
		t.Errorf("%d calls overlapped within a conversation", o.slack.overlaps)
	}
	if n := o.count(`select count(*) from posts where external is not null and sent_channel = channel and sent_at is not null`); n != conversations*each {
		t.Errorf("%d posts have their place recorded, want %d", n, conversations*each)
	}
}

func TestAThreadIsOpenedBeforeWhatFollows(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	th, dm := o.thread("C1", ""), o.thread("", "U1")
	root, first := text("C1", "ticket"), text("", "note")
	root.Thread, root.Root, first.Thread = th, true, th
	hello, second := text("", "hello"), text("", "again")
	hello.User, hello.Thread, hello.Root, second.Thread = "U1", dm, true, dm
	o.post(storage.LaneReply, root, hello, first, second)
	urgent := text("", "late!")
	urgent.Thread = th
	o.post(storage.LaneBreach, urgent)
	o.open()
	o.drained()
	got := o.slack.texts("C1")
	ts := o.slack.standing["C1"][0].ts
	o.same("the channel", []string{"ticket", ts + "/late!", ts + "/note"}, got)
	direct := o.slack.standing["DU1"][0].ts
	o.same("direct messages", []string{"hello", direct + "/again"}, o.slack.texts("DU1"))
	o.inTx(func(ctx context.Context, tx *storage.Tx) error {
		found, err := tx.FindThread(ctx, "slack", "T1", "DU1", direct)
		if err == nil && found.ID != dm {
			err = fmt.Errorf("found thread %d, want %d", found.ID, dm)
		}
		return err
	})
}

func TestARootThatFailsTakesItsThreadAlong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) {
		if p.Card.Text == "ticket" {
			return false, chat.ErrGone
		}
		return false, nil
	}
	th := o.thread("C1", "")
	root, first := text("C1", "ticket"), text("", "note")
	root.Thread, root.Root, first.Thread = th, true, th
	o.post(storage.LaneReply, root, first)
	o.open()
	o.drained()
	o.post(storage.LaneReply, first) // also what is queued later
	o.drained()
	o.same("delivered", []string(nil), o.slack.sent())
	if n := o.count(`select count(*) from dead_letters where source = 'outbox'`); n != 3 {
		t.Errorf("%d dead letters, want 3", n)
	}
}

func TestManyChangesAreOneUpdate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.card(7, "new")
	o.post(storage.LaneReply, storage.Post{Channel: "C1", Card: "card", Subject: 7})
	o.open()
	o.drained()

	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	o.slack.fault = func(_ chat.Post, update bool) (bool, error) {
		if update {
			once.Do(func() { close(entered); <-leave })
		}
		return false, nil
	}
	o.card(7, "claimed")
	<-entered // it was drawn as claimed, and is on its way
	for n := range 100 {
		o.card(7, fmt.Sprint("change ", n))
	}
	close(leave)
	o.drained()
	o.same("updates", []string{"claimed", "change 99"}, o.slack.updated())
	o.same("the channel", []string{"change 99"}, o.slack.texts("C1"))
}

func TestACardWithNothingToShowIsDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.post(storage.LaneReply, storage.Post{Channel: "C1", Card: "card", Subject: 404}, text("C1", "next"))
	o.open()
	o.drained()
	o.same("the channel", []string{"next"}, o.slack.texts("C1"))
}

func TestACardThatCanNotBeDrawnHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.draw.broken.Store(true)
	for n := range 20 {
		o.card(int64(n), fmt.Sprint("card ", n))
		o.post(storage.LaneReply, storage.Post{Channel: fmt.Sprint("C", n), Card: "card", Subject: int64(n)})
	}
	o.open()
	o.stalled(1)
	o.eventually("the other 19", func() bool { return len(o.slack.sent()) == 19 })
	o.draw.broken.Store(false)
	o.clock.pass(time.Minute)
	o.wake()
	o.drained()
	o.same("the broken one", []string{"card 13"}, o.slack.texts("C13"))
}

func TestALostAnswerMakesNoSecondMessage(t *testing.T) {
	t.Parallel()
	for name, landed := range map[string]bool{"that had arrived": true, "that had not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			var once sync.Once
			o.slack.fault = func(chat.Post, bool) (lost bool, err error) {
				once.Do(func() { lost, err = landed, chat.ErrUnsure })
				return lost, err
			}
			o.post(storage.LaneReply, text("C1", "one"), text("C1", "two"))
			o.open()
			o.stalled(1)
			o.clock.pass(time.Minute)
			o.wake()
			o.drained()
			o.same("the channel", []string{"one", "two"}, o.slack.texts("C1"))
			if o.slack.finds != 1 {
				t.Errorf("looked %d times, want once", o.slack.finds)
			}
			if n := o.count(`select count(*) from posts where external is null`); n != 0 {
				t.Errorf("%d posts have no place", n)
			}
		})
	}
}

func TestAProcessThatDiesWhileItSends(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.card(1, "as it was")
	id := o.post(storage.LaneReply, storage.Post{Channel: "C1", Card: "card", Subject: 1})
	o.post(storage.LaneReply, text("C2", "never sent"))
	// It claims both, sends one, and is gone.
	all, err := o.db.ClaimDeliveries(t.Context(), o.clock.now(), time.Minute, 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("claimed %v, %v", all, err)
	}
	if _, err := o.slack.Send(t.Context(), chat.Post{
		ID: fmt.Sprint(id), Kind: chat.Message, Place: chat.Place{Channel: "C1"}, Card: chat.Card{Text: "as it was"},
	}); err != nil {
		t.Fatal(err)
	}
	o.card(1, "as it is")
	o.open()
	o.same("under the lease", []string{"as it was"}, o.slack.sent())
	o.clock.pass(2 * time.Minute)
	o.wake()
	o.drained()
	// Found, and then brought up to date.
	o.same("C1", []string{"as it is"}, o.slack.texts("C1"))
	o.same("C2", []string{"never sent"}, o.slack.texts("C2"))
	o.same("sent", []string{"as it was", "never sent"}, o.slack.sent())
}

func TestAnOutageIsSatOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var down atomic.Bool
	down.Store(true)
	o.slack.fault = func(chat.Post, bool) (bool, error) {
		if down.Load() {
			return false, errors.New("503")
		}
		return false, nil
	}
	o.post(storage.LaneReply, text("C1", "one"), text("C1", "two"))
	o.open()
	for hours := 0; hours < 71; hours++ {
		o.stalled(1)
		o.clock.pass(time.Hour)
		o.wake()
		o.eventually("another attempt", func() bool {
			return o.count(`select count(*) from outbox where attempts > $1`, hours) >= 1
		})
	}
	o.stalled(1)
	down.Store(false)
	o.clock.pass(30 * time.Minute)
	o.wake()
	o.drained()
	o.same("the channel", []string{"one", "two"}, o.slack.texts("C1"))
	if o.slack.finds != 0 {
		t.Errorf("looked %d times for what was not sent", o.slack.finds)
	}
}

func TestAfterThreeDaysDeliveryIsGivenUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) {
		if p.Card.Text == "one" {
			return false, errors.New("503")
		}
		return false, nil
	}
	o.post(storage.LaneReply, text("C1", "one"))
	o.open()
	o.stalled(1)
	o.clock.pass(73 * time.Hour)
	o.post(storage.LaneReply, text("C1", "two"))
	o.drained()
	o.same("the channel", []string{"two"}, o.slack.texts("C1"))
	if n := o.count(`select count(*) from dead_letters where source = 'outbox' and error = '503' and content->>'channel' = 'C1'`); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	answers := map[string]error{"refused": &chat.RefusedError{Reason: "too long"}, "gone": chat.ErrGone}
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) { return false, answers[p.Card.Text] }
	o.post(storage.LaneReply, text("C1", "refused"), text("C1", "next"), text("C2", "gone"), text("C2", "next"))
	o.card(1, "fine")
	o.card(2, "fine too")
	o.post(storage.LaneReply, storage.Post{Channel: "C3", Card: "card", Subject: 1}, storage.Post{Channel: "C4", Card: "card", Subject: 2})
	o.open()
	o.drained()
	o.same("C1", []string{"next"}, o.slack.texts("C1"))
	o.same("C2", []string{"next"}, o.slack.texts("C2"))
	if n := o.count(`select count(*) from dead_letters`); n != 2 {
		t.Errorf("%d dead letters for what was never sent, want 2", n)
	}

	o.card(1, "refused")
	o.drained()
	o.card(1, "fine again")
	o.drained()
	o.same("a card of which one change was refused", []string{"fine again"}, o.slack.texts("C3"))

	o.slack.mu.Lock()
	o.slack.standing["C4"] = nil // somebody has removed it
	o.slack.mu.Unlock()
	o.card(2, "changed")
	o.drained()
	o.card(2, "changed once more") // not even queued
	if n := o.count(`select count(*) from outbox`); n != 0 {
		t.Errorf("%d changes of a removed card are queued", n)
	}
	if n := o.count(`select count(*) from dead_letters`); n != 3 {
		t.Errorf("%d dead letters, want one more for the refused change and none for the removed card", n)
	}
}

func TestOldWhispersAreDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	whisper, react := text("C1", "psst"), text("C2", "eyes")
	whisper.Kind, whisper.User, react.Kind = "whisper", "U1", "react"
	o.post(storage.LaneReply, whisper, react, text("C1", "aloud"))
	o.clock.pass(20 * time.Minute)
	o.post(storage.LaneReply, whisper)
	o.open()
	o.drained()
	o.same("delivered", []string{"aloud", "psst"}, o.slack.sent())
	if n := o.count(`select count(*) from posts where failed is not null`); n != 2 {
		t.Errorf("%d posts have failed, want the old whisper and reaction", n)
	}
}

func TestAHomeIsReplacedByItsNewest(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.card(1, "monday")
	home := storage.Post{Kind: "home", User: "U1", Card: "card", Subject: 1}
	o.post(storage.LaneDigest, home)
	o.open()
	o.drained()
	o.card(1, "tuesday")
	o.post(storage.LaneDigest, home)
	o.drained()
	got := o.slack.sent()
	if got[0] != "monday" || got[len(got)-1] != "tuesday" {
		t.Errorf("homes %v, want monday and then tuesday", got)
	}
	if o.slack.finds != 0 {
		t.Error("a home was looked for")
	}
}

func TestTheMostUrgentGoesFirstAtAPace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.pace = ephemeral.NewMemory(ephemeral.MemoryOptions{})
	o.slack.budget = func(p chat.Post) []chat.Budget {
		return []chat.Budget{{Name: "all", Rate: 1000, Burst: 100}, {Name: p.Place.Channel, Rate: 20, Burst: 1}}
	}
	const digests = 30
	for n := range digests {
		// Threads of their own, so that only the channel's budget is between them.
		th := o.thread("C1", "")
		p := text("C1", fmt.Sprint("digest ", n))
		p.Thread, p.Root = th, true
		o.post(storage.LaneDigest, p)
	}
	o.open()
	began := time.Now()
	o.eventually("five digests", func() bool { return len(o.slack.sent()) >= 5 })
	o.post(storage.LaneReply, text("C1", "reply"))
	o.post(storage.LaneBreach, text("C1", "breach"))
	before := len(o.slack.sent())
	o.drained()
	took := time.Since(began)

	all := o.slack.sent()
	breach, reply := slices.Index(all, "breach"), slices.Index(all, "reply")
	if breach > before+1 || reply > before+2 {
		t.Errorf("breach came as %d and reply as %d, after %d had gone", breach, reply, before)
	}
	if len(all) != digests+2 {
		t.Errorf("%d were delivered, want %d", len(all), digests+2)
	}
	// 32 at 20 a second: 31 waits of 50 ms.
	if took < 31*50*time.Millisecond {
		t.Errorf("took %s: faster than the budget", took)
	}
}

func TestALongWaitGoesBackToTheDatabase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.pace = ephemeral.NewMemory(ephemeral.MemoryOptions{})
	o.slack.budget = func(p chat.Post) []chat.Budget {
		if strings.HasPrefix(p.Place.Channel, "C") {
			return []chat.Budget{{Name: "slow", Rate: 0.1, Burst: 1}}
		}
		return nil
	}
	const slow = 600 // more than a process holds
	var all []storage.Post
	for n := range slow {
		all = append(all, text(fmt.Sprint("C", n), "slow"))
	}
	o.post(storage.LaneReply, all...)
	shut := o.open()
	o.post(storage.LaneReply, text("D1", "quick"))
	o.eventually("the other channel's message", func() bool { return len(o.slack.texts("D1")) == 1 })
	o.eventually("the rest to wait in the database", func() bool {
		return o.count(`select count(*) from outbox where due_at > $1 and attempts = 0 and not unsure`, o.clock.now()) >= slow-4
	})
	shut() // and gives back what it has in memory
	if n := o.count(`select count(*) from outbox where leased_until is not null or unsure`); n != 0 {
		t.Errorf("%d are still claimed after the end", n)
	}
	if n := len(o.slack.sent()); n != 2 {
		t.Errorf("%d were delivered, want one slow and one quick", n)
	}
}

func TestThePlatformsOwnLimitIsHonoured(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	store := ephemeral.NewMemory(ephemeral.MemoryOptions{Now: o.clock.now})
	o.pace = store
	o.slack.budget = func(p chat.Post) []chat.Budget {
		return []chat.Budget{{Name: p.Place.Channel, Rate: 100, Burst: 10}}
	}
	var calls atomic.Int32
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) {
		if p.Place.Channel == "C1" && calls.Add(1) == 1 {
			return false, &chat.LimitedError{After: time.Hour}
		}
		return false, nil
	}
	o.post(storage.LaneReply, text("C1", "one"))
	o.open()
	o.stalled(1)
	th := o.thread("C1", "")
	other := text("C1", "other thread")
	other.Thread, other.Root = th, true
	o.post(storage.LaneReply, other, text("C2", "elsewhere"))
	o.eventually("the other channel's message", func() bool { return len(o.slack.texts("C2")) == 1 })
	o.stalled(2)
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls while the channel is limited, want 1", n)
	}
	if n := o.count(`select count(*) from outbox where attempts > 0 and leased_until is null`); n != 0 {
		t.Errorf("%d attempts were counted", n)
	}
	wait, err := store.Take(t.Context(), "C1", 100, 10, 1)
	if err != nil || wait < 59*time.Minute {
		t.Errorf("another process would wait %s, %v; want about an hour", wait, err)
	}
}

func TestDeliveryBeginsAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open()
	o.post(storage.LaneReply, text("C0", "warm"))
	o.drained()
	best := time.Hour
	for n := range 10 {
		sent := make(chan time.Time, 1)
		o.slack.fault = func(chat.Post, bool) (bool, error) {
			sent <- time.Now()
			return false, nil
		}
		began := time.Now()
		o.post(storage.LaneReply, text("C1", fmt.Sprint(n)))
		best = min(best, (<-sent).Sub(began))
		o.drained()
	}
	// Ten times what it takes at rest, and far below the polls.
	if best > 50*time.Millisecond {
		t.Errorf("the best of ten deliveries began after %s", best)
	}
}

func TestPostgresGoesAwayDuringDelivery(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	db, err := storage.Open(t.Context(), server.URL(), storage.MaxConns(8))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := storage.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	o := &office{TB: t, db: db, slack: newPlatform(), draw: &drawer{}, clock: &clock{}}
	o.prepare()
	var all []storage.Post
	const conversations, each = 8, 60
	want := []string{}
	for n := range each {
		want = append(want, fmt.Sprint(n))
		for c := range conversations {
			all = append(all, text(fmt.Sprint("C", c), fmt.Sprint(n)))
		}
	}
	o.post(storage.LaneReply, all...)

	// Each time in the middle of calls whose outcome must then be kept.
	calls := make(chan int, len(all)*2)
	var n atomic.Int32
	o.slack.fault = func(chat.Post, bool) (bool, error) {
		calls <- int(n.Add(1))
		return false, nil
	}
	shut := o.open()
	for restarts := 0; restarts < 2; {
		if <-calls == (restarts+1)*len(all)/3 {
			if err := server.Restart(t.Context(), pglocal.Immediate); err != nil {
				t.Fatal(err)
			}
			restarts++
		}
	}
	deadline := time.Now().Add(60 * time.Second)
	for len(o.slack.sent()) < len(all) || o.count(`select count(*) from outbox`) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d delivered", len(o.slack.sent()), len(all))
		}
		if o.count(`select count(*) from outbox where leased_until > $1`, o.clock.now()) == o.count(`select count(*) from outbox`) {
			o.clock.pass(10 * time.Second) // a claim whose answer was lost
		}
		o.wake()
		time.Sleep(2 * time.Millisecond)
	}
	shut()
	for c := range conversations {
		o.same(fmt.Sprint("C", c), want, o.slack.texts(fmt.Sprint("C", c)))
	}
}

// Whatever the platform does: each message stands once, in order, and shows
// what the record says at last.
func TestOrderHoldsWhateverThePlatformDoes(t *testing.T) {
	t.Parallel()
	base := newOffice(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		faults := rapid.SliceOfN(rapid.IntRange(0, 7), 8, 40).Draw(rt, "faults")
		o := &office{TB: t, db: base.db, slack: newPlatform(), draw: &drawer{}, clock: &clock{}}
		var calls atomic.Int32
		o.slack.fault = func(chat.Post, bool) (bool, error) {
			n := int(calls.Add(1))
			if n > len(faults) {
				return false, nil
			}
			switch faults[n-1] {
			case 0:
				return false, errors.New("500")
			case 1:
				return true, chat.ErrUnsure
			case 2:
				return false, chat.ErrUnsure
			case 3:
				return false, &chat.LimitedError{After: time.Second}
			}
			return false, nil
		}
		shut := []func(){o.open(), o.open()}
		defer func() {
			for _, s := range shut {
				s()
			}
		}()
		channel := func(c int) string { return fmt.Sprintf("R%d-%d", round, c) }
		want := map[string][]string{}
		cards := map[int64]string{}
		for i, step := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 30).Draw(rt, "steps") {
			c := step % 3
			if step < 3 {
				s := fmt.Sprint(i)
				o.post(storage.LaneReply, text(channel(c), s))
				want[channel(c)] = append(want[channel(c)], s)
				continue
			}
			subject := int64(round*10 + c)
			if _, known := cards[subject]; !known {
				o.card(subject, fmt.Sprint("card ", i))
				o.post(storage.LaneReply, storage.Post{Channel: channel(c), Card: "card", Subject: subject})
				want[channel(c)] = append(want[channel(c)], fmt.Sprint("=", subject))
			}
			cards[subject] = fmt.Sprint("card ", i)
			o.card(subject, cards[subject])
		}
		deadline := time.Now().Add(30 * time.Second)
		for o.count(`select count(*) from outbox`) > 0 {
			if time.Now().After(deadline) {
				rt.Fatal("not delivered within 30 s")
			}
			// Not in the middle of a call: that would be a call of minutes.
			if o.count(`select count(*) from outbox where leased_until > $1`, o.clock.now()) == 0 {
				o.clock.pass(3 * time.Second)
			}
			o.wake()
			time.Sleep(time.Millisecond)
		}
		for name, texts := range want {
			for i, s := range texts {
				if id, isCard := strings.CutPrefix(s, "="); isCard {
					var subject int64
					if _, err := fmt.Sscan(id, &subject); err != nil {
						rt.Fatal(err)
					}
					texts[i] = cards[subject]
				}
			}
			if diff := cmp.Diff(texts, o.slack.texts(name)); diff != "" {
				rt.Fatalf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}
