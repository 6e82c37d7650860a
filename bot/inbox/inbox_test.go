package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestAnEventCountsOnce(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	first, second := newInbox(t, inbox.Options{DB: db, Handler: &desk{}}), newInbox(t, inbox.Options{DB: db, Handler: &desk{}})
	run(t, first)
	run(t, second)

	// Two processes are told of everything, several times and all at once.
	const conversations, messages = 20, 10
	var group errgroup.Group
	for c := range conversations {
		for _, in := range []*inbox.Inbox{first, second, first} {
			group.Go(func() error {
				for n := range messages {
					if err := in.Accept(t.Context(), said(fmt.Sprintf("C%d", c), n)); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	drained(t, db)
	want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	got := effects(t, db)
	for c := range conversations {
		if diff := cmp.Diff(want, got[fmt.Sprintf("C%d", c)]); diff != "" {
			t.Errorf("conversation %d (-want +got):\n%s", c, diff)
		}
	}
	// Also after it has been handled and forgotten.
	accept(t, second, said("C1", 3), said("C1", 3))
	if n := count(t, db, `select count(*) from inbox`); n != 0 {
		t.Errorf("%d events of yesterday wait again", n)
	}
}

func TestWhatWasAcceptedSurvivesItsProcess(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	dead := newInbox(t, inbox.Options{DB: db, Handler: &desk{}})
	accept(t, dead, said("C1", 1), said("C2", 1), said("C1", 2))

	run(t, newInbox(t, inbox.Options{DB: db, Handler: &desk{}}))
	drained(t, db)
	want := map[string][]string{"C1": {"1", "2"}, "C2": {"1"}}
	if diff := cmp.Diff(want, effects(t, db)); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestAnotherProcessTakesOverWhatIsLeft(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	run(t, newInbox(t, inbox.Options{DB: db, Handler: &desk{}}))
	accept(t, newInbox(t, inbox.Options{DB: db, Handler: &desk{}}), said("C1", 1)) // it is not run
	drained(t, db)
}

func TestBadTextHarmsNobody(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	in := newInbox(t, inbox.Options{DB: db, Handler: &desk{}})
	run(t, in)
	bad := said("C1", 1)
	bad.Text = "a\x00b\xffc \\u0000 \\"
	bad.Values = chat.Values{"x\x00": {"\x00"}}
	bad.Place.Thread = strings.Repeat("1", 10_000)
	long := said("C1", 2)
	long.Key = strings.Repeat("k", 201)

	var group errgroup.Group
	for n := range 20 {
		group.Go(func() error { return in.Accept(t.Context(), said("C2", n)) })
	}
	group.Go(func() error { return in.Accept(t.Context(), bad) })
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := in.Accept(t.Context(), long); err == nil || errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a key of 201 bytes: %v, want an error that is nobody's outage", err)
	}
	drained(t, db)
	got := effects(t, db)
	if diff := cmp.Diff([]string{"ab\uFFFDc \\u0000 \\"}, got["C1"]); diff != "" {
		t.Errorf("the bad text (-want +got):\n%s", diff)
	}
	if len(got["C2"]) != 20 {
		t.Errorf("%d of its 20 neighbours were handled", len(got["C2"]))
	}
}

// What is not to be kept is neither stored nor handled, whichever way it comes.
func TestWhatIsNotToBeKeptIsNotStored(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	in := newInbox(t, inbox.Options{DB: db, Handler: &desk{}, Hide: func(ev chat.Event) chat.Event {
		ev.Text = strings.ReplaceAll(ev.Text, "secret", "•••")
		return ev
	}})
	ev := said("C1", 1)
	ev.Text = "a secret"
	accept(t, in, ev)
	if n := count(t, db, `select count(*) from inbox where event::text like '%secret%'`); n != 0 {
		t.Error("it is stored")
	}
	ev.Key, ev.Text = "another", "a secret in a form"
	if _, err := in.Answer(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	run(t, in)
	drained(t, db)
	if diff := cmp.Diff([]string{"a ••• in a form", "a •••"}, effects(t, db)["C1"]); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}
}

func TestAFailureHoldsUpItsOwnConversationOnly(t *testing.T) {
	t.Parallel()
	db, now := newDB(t), newClock()
	var broken atomic.Bool
	broken.Store(true)
	d := &desk{handle: func(_ context.Context, _ *storage.Tx, ev chat.Event) (chat.Answer, error) {
		if ev.Place.Channel == "C1" && ev.Text == "1" && broken.Load() {
			if ev.Kind == chat.Said {
				panic("a bug")
			}
		}
		return chat.Answer{}, nil
	}}
	in := newInbox(t, inbox.Options{DB: db, Handler: d, Now: now.now})
	run(t, in)
	accept(t, in, said("C1", 1), said("C1", 2), said("C2", 1), said("C2", 2))
	eventually(t, "C2 handled and C1 put off", func() bool {
		return len(effects(t, db)["C2"]) == 2 && count(t, db, `select count(*) from inbox where attempts = 1`) == 1
	})
	accept(t, in, said("C1", 3)) // it must not overtake
	broken.Store(false)
	if got := effects(t, db)["C1"]; got != nil {
		t.Errorf("C1 did %v before its time", got)
	}
	now.pass(2 * time.Second)
	in.Wake()
	drained(t, db)
	if diff := cmp.Diff([]string{"1", "2", "3"}, effects(t, db)["C1"]); diff != "" {
		t.Errorf("C1 (-want +got):\n%s", diff)
	}
}

func TestALimitOfThePlatformIsNoFailure(t *testing.T) {
	t.Parallel()
	db, now := newDB(t), newClock()
	const wait = 1300 * time.Millisecond // no longer than it says, and a fifth
	well := now.now().Add(20 * wait)
	d := &desk{prepare: func(context.Context, chat.Event) error {
		if now.now().Before(well) {
			return fmt.Errorf("profile: %w", &chat.LimitedError{After: time.Second})
		}
		return nil
	}}
	in := newInbox(t, inbox.Options{DB: db, Handler: d, Now: now.now})
	run(t, in)
	accept(t, in, said("C1", 1))
	for try := range 20 {
		// A look that began before may have it tried once more; that changes nothing.
		eventually(t, fmt.Sprint("put off, after others: ", try), func() bool {
			return count(t, db, `select count(*) from inbox where error like '%limited%' and due_at > '`+now.now().Format(time.RFC3339Nano)+`'`) == 1
		})
		now.pass(wait)
		in.Wake()
	}
	drained(t, db)
	if diff := cmp.Diff([]string{"1"}, effects(t, db)["C1"]); diff != "" {
		t.Errorf("C1 (-want +got):\n%s", diff)
	}
	if n := count(t, db, `select count(*) from dead_letters`); n != 0 {
		t.Errorf("%d dead letters, want none", n)
	}
}

func TestWhatCanNotBeHandledIsBuried(t *testing.T) {
	t.Parallel()
	for name, giveUp := range map[string]func(context.Context, *storage.Tx, chat.Event, error) error{
		"with a word to the person": nil,
		"also if that fails": func(ctx context.Context, tx *storage.Tx, _ chat.Event, _ error) error {
			_, err := tx.Exec(ctx, `select 1/0`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, now := newDB(t), newClock()
			var tries atomic.Int32
			d := &desk{giveUp: giveUp, prepare: func(_ context.Context, ev chat.Event) error {
				if ev.Text == "1" {
					tries.Add(1)
					return errors.New("the platform is down")
				}
				return nil
			}}
			in := newInbox(t, inbox.Options{DB: db, Handler: d, Now: now.now})
			run(t, in)
			accept(t, in, said("C1", 1), said("C1", 2))
			began := now.now()
			for try := 1; try < 8; try++ {
				eventually(t, fmt.Sprint("failures: ", try), func() bool {
					return count(t, db, fmt.Sprintf(`select count(*) from inbox where attempts = %d`, try)) == 1
				})
				var due time.Time
				if err := db.Pool().QueryRow(t.Context(), `select max(due_at) from inbox`).Scan(&due); err != nil {
					t.Fatal(err)
				}
				now.pass(due.Sub(now.now()))
				in.Wake()
			}
			drained(t, db)
			if n := tries.Load(); n < 8 {
				t.Errorf("tried %d times, want 8 and hardly more", n)
			}
			if took := now.now().Sub(began); took < 7*time.Minute || took > 14*time.Minute {
				t.Errorf("gave up after %s, want about ten minutes", took)
			}
			want := []string{"sorry for 1", "2"}
			if giveUp != nil {
				want = want[1:]
			}
			if diff := cmp.Diff(want, effects(t, db)["C1"]); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
			if n := count(t, db, `select count(*) from dead_letters
				where source = 'inbox' and key = 'C1/1' and content->>'text' = '1' and error = 'the platform is down'`); n != 1 {
				t.Errorf("%d dead letters, want 1", n)
			}
		})
	}
}

func TestStoppingFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	begun, end := make(chan struct{}), make(chan struct{})
	d := &desk{handle: func(context.Context, *storage.Tx, chat.Event) (chat.Answer, error) {
		close(begun)
		<-end
		return chat.Answer{}, nil
	}}
	in := newInbox(t, inbox.Options{DB: db, Handler: d})
	stop := run(t, in)
	accept(t, in, said("C1", 1), said("C1", 2))
	<-begun
	go close(end)
	stop()
	if diff := cmp.Diff(map[string][]string{"C1": {"1"}}, effects(t, db)); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	if n := count(t, db, `select count(*) from inbox`); n != 1 {
		t.Errorf("%d events wait, want the one that nobody had begun", n)
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var handled atomic.Int32
	d := &desk{handle: func(_ context.Context, _ *storage.Tx, ev chat.Event) (chat.Answer, error) {
		switch {
		case !ev.InCall:
			return chat.Answer{}, errors.New("nobody waits for this")
		case ev.Text == "7":
			return chat.Answer{Errors: map[string]string{"title": "Say a word or two."}}, nil
		case ev.Text == "8":
			return chat.Answer{}, errors.New("a bug")
		case ev.Text == "9":
			panic("another")
		case ev.Kind == chat.Searched:
			return chat.Answer{Options: []chat.Option{{Value: "a", Label: "A"}}}, nil
		}
		handled.Add(1)
		return chat.Answer{Push: true}, nil
	}}
	told := make(chan struct{}, 100)
	in := newInbox(t, inbox.Options{DB: db, Handler: d, OnHandled: func() { told <- struct{}{} }})

	t.Run("the same event gets no second effect", func(t *testing.T) {
		a, err := in.Answer(t.Context(), said("C1", 1))
		if err != nil || !a.Push {
			t.Errorf("Answer = %+v, %v", a, err)
		}
		<-told
		a, err = in.Answer(t.Context(), said("C1", 1))
		if err != nil || a.Push {
			t.Errorf("Answer to a redelivery = %+v, %v; want none", a, err)
		}
		accept(t, in, said("C1", 1))
		if n := count(t, db, `select count(*) from inbox`); n != 0 {
			t.Error("it was accepted after it had been answered")
		}
	})
	t.Run("a form sent again gets the same answer, from another process too", func(t *testing.T) {
		form := chat.Form{Action: "open.send", Args: chat.Args{"q": "1"}, Title: "Open a ticket", Intro: []chat.Block{chat.Note{Text: chat.T("Nearly there.")}},
			Fields: []chat.Field{{Name: "who", Label: "Who?", Input: chat.Choice, Options: []chat.Option{{Value: "me", Label: "Only me"}}, Value: []string{"me"}}}}
		card := chat.Card{Text: "This is INC-1.", Blocks: []chat.Block{chat.Section{Text: chat.T("This is INC-1.")}}}
		for name, tt := range map[string]struct{ first, again chat.Answer }{
			"the next form":            {chat.Answer{Form: &form}, chat.Answer{Form: &form}},
			"words":                    {chat.Answer{Private: &card}, chat.Answer{Private: &card}},
			"words are not said twice": {chat.Answer{Form: &form, Private: &card}, chat.Answer{Form: &form}},
			"nothing more":             {},
		} {
			runs := 0
			d := &desk{handle: func(context.Context, *storage.Tx, chat.Event) (chat.Answer, error) {
				runs++
				return tt.first, nil
			}}
			ev := said("C9", 1)
			ev.Key, ev.Kind, ev.View = "s:"+name, chat.Submitted, "view"
			for i, want := range []chat.Answer{tt.first, tt.again, tt.again} {
				got, err := newInbox(t, inbox.Options{DB: db, Handler: d}).Answer(t.Context(), ev)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
					t.Errorf("%s: answer %d: %v (-want +got)\n%s", name, i, err, diff)
				}
			}
			if runs != 1 {
				t.Errorf("%s: it had %d effects", name, runs)
			}
		}
	})
	t.Run("a form that is refused leaves nothing and may come again", func(t *testing.T) {
		for range 2 {
			a, err := in.Answer(t.Context(), said("C7", 7))
			if err != nil || a.Errors["title"] == "" {
				t.Errorf("Answer = %+v, %v; want the refusal", a, err)
			}
		}
	})
	t.Run("an error leaves nothing and may come again", func(t *testing.T) {
		for range 2 {
			for n := 8; n <= 9; n++ {
				if a, err := in.Answer(t.Context(), said("C7", n)); err == nil {
					t.Errorf("Answer = %+v, want an error", a)
				}
			}
		}
	})
	t.Run("searches repeat", func(t *testing.T) {
		ev := said("C2", 1)
		ev.Kind = chat.Searched
		for range 2 {
			a, err := in.Answer(t.Context(), ev)
			if err != nil || len(a.Options) != 1 {
				t.Errorf("Answer = %+v, %v; want options", a, err)
			}
		}
	})
	t.Run("of two at once one has the effect", func(t *testing.T) {
		before := handled.Load()
		var group errgroup.Group
		for range 8 {
			group.Go(func() error {
				_, err := in.Answer(t.Context(), said("C3", 1))
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if n := handled.Load() - before; n != 1 {
			t.Errorf("%d effects, want 1", n)
		}
	})
	if got := effects(t, db); got["C7"] != nil || len(got["C1"]) != 1 || len(got["C3"]) != 1 {
		t.Errorf("effects %v", got)
	}
}

// What needs the network in the middle is given up, fetched for while no
// transaction is open, and done in another: once.
func TestTheNetworkIsAskedBetweenTransactions(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	var asked, done atomic.Int32
	var d desk
	d.handle = func(_ context.Context, _ *storage.Tx, ev chat.Event) (chat.Answer, error) {
		return chat.Answer{}, fmt.Errorf("in the middle: %w", &inbox.NeedError{Fetch: func(ctx context.Context) inbox.Handling {
			asked.Add(1)
			if n := count(t, db, `select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`); n != 0 {
				t.Errorf("%d transactions are open meanwhile", n)
			}
			if end, ok := ctx.Deadline(); ev.InCall && (!ok || time.Until(end) > 1250*time.Millisecond) {
				t.Errorf("it may take until %v, and Slack waits for 3 seconds altogether", end)
			}
			if ev.Text == "2" {
				panic("a bug")
			}
			return func(ctx context.Context, tx *storage.Tx) (chat.Answer, error) {
				done.Add(1)
				_, err := tx.Exec(ctx, `insert into effects (conversation, text) values ($1, $2)`, ev.Conversation(), "fetched "+ev.Text)
				if ev.Text == "3" && err == nil {
					err = &inbox.NeedError{}
				}
				return chat.Answer{Push: true}, err
			}
		}})
	}
	in := newInbox(t, inbox.Options{DB: db, Handler: &d})
	for n, ok := range map[int]bool{1: true, 2: false, 3: false} {
		if a, err := in.Answer(t.Context(), said("C1", n)); a.Push != ok || (err == nil) != ok {
			t.Errorf("Answer %d = %+v, %v", n, a, err)
		}
	}
	stop := run(t, in)
	accept(t, in, said("C2", 1), said("C2", 1))
	drained(t, db)
	stop()
	if diff := cmp.Diff(map[string][]string{"C1": {"fetched 1"}, "C2": {"fetched 1"}}, effects(t, db)); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	if asked.Load() != 4 || done.Load() != 3 {
		t.Errorf("asked %d times and done %d times, want 4 and 3", asked.Load(), done.Load())
	}
}

// Whatever comes whenever, to whichever process, and whatever fails: each
// conversation has its effects once and in the order of acceptance.
func TestOrderHoldsUnderAnyInterleaving(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		now := newClock()
		failing := rapid.SliceOfN(rapid.Bool(), 16, 16).Draw(rt, "failing")
		var calls atomic.Int32
		d := &desk{handle: func(context.Context, *storage.Tx, chat.Event) (chat.Answer, error) {
			if failing[int(calls.Add(1))%len(failing)] {
				return chat.Answer{}, errors.New("a bad moment")
			}
			return chat.Answer{}, nil
		}}
		failing[0] = false // something must succeed
		var processes []*inbox.Inbox
		for range 2 {
			in := newInbox(t, inbox.Options{DB: db, Handler: d, Now: now.now, Workers: 3})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- in.Run(ctx) }()
			defer func() { cancel(); <-done }()
			processes = append(processes, in)
		}
		want := map[string][]string{}
		next := map[string]int{}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) [3]int {
			return [3]int{rapid.IntRange(0, 2).Draw(rt, "conversation"), rapid.IntRange(0, 1).Draw(rt, "process"), rapid.IntRange(0, 3).Draw(rt, "again")}
		}), 1, 25).Draw(rt, "steps")
		for _, s := range steps {
			c := fmt.Sprintf("R%d-%d", round, s[0])
			n := next[c]
			if s[2] == 0 && n > 0 { // a redelivery, to either
				accept(t, processes[s[1]], said(c, n-1))
				continue
			}
			accept(t, processes[s[1]], said(c, n))
			want[c] = append(want[c], fmt.Sprint(n))
			next[c]++
		}
		deadline := time.Now().Add(30 * time.Second)
		for count(t, db, `select count(*) from inbox`) > 0 {
			if time.Now().After(deadline) {
				rt.Fatal("not handled within 30 s")
			}
			now.pass(20 * time.Minute)
			for _, in := range processes {
				in.Wake()
			}
			time.Sleep(time.Millisecond)
		}
		got := effects(t, db)
		for c := range want {
			if len(got[c]) > 0 && strings.HasPrefix(got[c][0], "sorry") {
				continue
			}
			if diff := cmp.Diff(want[c], dropSorry(got[c])); diff != "" {
				rt.Fatalf("conversation %s (-want +got):\n%s", c, diff)
			}
		}
	})
}

func dropSorry(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = strings.TrimPrefix(s, "sorry for ") // it had its turn all the same
	}
	return out
}

func TestAcceptSaysWhenTheDatabaseIsAway(t *testing.T) {
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
	makeEffects(t, db)
	in := newInbox(t, inbox.Options{DB: db, Handler: &desk{}})
	run(t, in)

	// Eight senders deliver as a platform does: again until they are told that
	// it has arrived.
	const senders, each = 8, 60
	var refusals atomic.Int32
	var group errgroup.Group
	halfway := make(chan struct{}, 2*senders)
	for s := range senders {
		group.Go(func() error {
			for n := range each {
				for {
					err := in.Accept(t.Context(), said(fmt.Sprintf("C%d", s), n))
					if err == nil {
						break
					}
					if !errors.Is(err, storage.ErrUnavailable) {
						return err
					}
					refusals.Add(1)
					time.Sleep(5 * time.Millisecond)
				}
				if n == each/3 || n == 2*each/3 {
					halfway <- struct{}{}
				}
			}
			return nil
		})
	}
	for range 2 {
		<-halfway
		if err := server.Restart(t.Context(), pglocal.Immediate); err != nil {
			t.Fatal(err)
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	drained(t, db)
	var want []string
	for n := range each {
		want = append(want, fmt.Sprint(n))
	}
	got := effects(t, db)
	for s := range senders {
		if diff := cmp.Diff(want, got[fmt.Sprintf("C%d", s)]); diff != "" {
			t.Errorf("conversation %d (-want +got):\n%s", s, diff)
		}
	}
	t.Logf("%d deliveries were refused", refusals.Load())
}

func TestAcceptGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	db := newDB(t)
	in := newInbox(t, inbox.Options{DB: db, Handler: &desk{}})
	// Nobody gets past this lock.
	tx, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `lock table inbox`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- in.Accept(ctx, said("C1", 1)) }()
	go func() { done <- in.Accept(ctx, said("C1", 2)) }()
	eventually(t, "the statement waits", func() bool {
		return count(t, db, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) > 0
	})
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Accept = %v, want %v", err, context.Canceled)
		}
	}
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	accept(t, in, said("C1", 3)) // and nothing is stuck
}
