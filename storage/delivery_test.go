package storage_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func inTx(t *testing.T, db *storage.DB, fn func(context.Context, *storage.Tx) error) {
	t.Helper()
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func post(t *testing.T, db *storage.DB, p storage.Post, lane storage.Lane) storage.PostID {
	t.Helper()
	if p.Kind == "" {
		p.Kind = "message"
	}
	p.Platform, p.Workspace = "slack", "T1"
	if p.Card == "" && p.Body == nil {
		p.Body = []byte(`{"text": "hello"}`)
	}
	var id storage.PostID
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) (err error) {
		id, err = tx.Post(ctx, p, lane, noon)
		return err
	})
	return id
}

func openThread(t *testing.T, db *storage.DB, channel, root string) storage.ThreadID {
	t.Helper()
	var th storage.Thread
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) (err error) {
		th, err = tx.OpenThread(ctx, storage.Thread{
			Platform: "slack", Workspace: "T1", Channel: channel, Root: root, Scope: "open", Side: "team",
		})
		return err
	})
	return th.ID
}

func claim(t *testing.T, db *storage.DB, now time.Time) []storage.Delivery {
	t.Helper()
	all, err := db.ClaimDeliveries(t.Context(), now, time.Minute, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func ids(all []storage.Delivery) []storage.PostID {
	out := []storage.PostID{}
	for _, d := range all {
		out = append(out, d.ID)
	}
	return out
}

func record(t *testing.T, db *storage.DB, o storage.Outcomes) {
	t.Helper()
	if _, err := db.RecordDeliveries(t.Context(), o, noon); err != nil {
		t.Fatal(err)
	}
}

// draft reads a claimed post as a drawer would.
func draft(t *testing.T, db *storage.DB, d storage.Delivery) (storage.Draft, bool) {
	t.Helper()
	var drafts map[storage.PostID]storage.Draft
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) (err error) {
		drafts, err = tx.Drafts(ctx, []storage.Delivery{d})
		return err
	})
	f, ok := drafts[d.ID]
	return f, ok
}

func count(t *testing.T, db *storage.DB, sql string, args ...any) (n int) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestClaimTakesTheFirstOfEachConversation(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	th := openThread(t, db, "C1", "1.1")
	first := post(t, db, storage.Post{Thread: th}, storage.LaneReply)
	second := post(t, db, storage.Post{Thread: th}, storage.LaneReply)
	elsewhere := post(t, db, storage.Post{Channel: "C2"}, storage.LaneDigest)
	breach := post(t, db, storage.Post{Channel: "C2"}, storage.LaneBreach)
	direct := post(t, db, storage.Post{User: "U1"}, storage.LaneReply)

	got := claim(t, db, noon)
	if diff := cmp.Diff([]storage.PostID{breach, first, direct}, ids(got)); diff != "" {
		t.Errorf("first claim (-want +got):\n%s", diff)
	}
	if again := claim(t, db, noon); len(again) != 0 {
		t.Errorf("claimed %v twice", ids(again))
	}

	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{
		{Delivery: got[0], Wanted: 1, Channel: "C2", External: "9.1"},
		{Delivery: got[1], Wanted: 1, Channel: "C1", External: "9.2"},
	}})
	if diff := cmp.Diff([]storage.PostID{second, elsewhere}, ids(claim(t, db, noon))); diff != "" {
		t.Errorf("second claim (-want +got):\n%s", diff)
	}
	// The lease of direct has run out: its process is dead, and nobody knows
	// whether it has sent.
	late := claim(t, db, noon.Add(2*time.Minute))
	for _, d := range late {
		if d.ID == direct && (!d.Unsure || d.Attempts != 2) {
			t.Errorf("reclaimed: %+v, want unsure and a second attempt", d)
		}
	}
	if diff := cmp.Diff([]storage.PostID{second, direct, elsewhere}, ids(late)); diff != "" {
		t.Errorf("claim of the abandoned (-want +got):\n%s", diff)
	}
}

func TestChangesDuringDeliveryAreDeliveredAfterIt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	id := post(t, db, storage.Post{Channel: "C1", Card: "ticket", Subject: 7}, storage.LaneReply)
	d := claim(t, db, noon)[0]
	drawn, ok := draft(t, db, d)
	if !ok || drawn.Wanted != 1 || drawn.Card != "ticket" || drawn.Subject != 7 {
		t.Fatalf("draft: %+v, %v", drawn, ok)
	}
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
		for range 100 {
			if err := tx.Redraw(ctx, 7, noon, "other", "ticket"); err != nil {
				return err
			}
		}
		return tx.Redraw(ctx, 8, noon, "ticket")
	})
	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: d, Wanted: drawn.Wanted, Channel: "C1", External: "5.5"}}})

	again := claim(t, db, noon)
	if diff := cmp.Diff([]storage.PostID{id}, ids(again)); diff != "" {
		t.Fatalf("after 100 changes (-want +got):\n%s", diff)
	}
	if again[0].Unsure {
		t.Error("a change of what is known to stand there is unsure")
	}
	drawn, _ = draft(t, db, again[0])
	if drawn.External != "5.5" || drawn.SentChannel != "C1" || drawn.Wanted != 101 {
		t.Errorf("draft of the change: %+v", drawn)
	}
	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: again[0], Wanted: 101}}})
	if n := count(t, db, `select count(*) from outbox`); n != 0 {
		t.Errorf("%d posts are left in the outbox", n)
	}

	inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
		at, err := tx.PostAt(ctx, "slack", "T1", "C1", "5.5")
		if err == nil && at.ID != id {
			err = fmt.Errorf("post at 5.5 is %d, want %d", at.ID, id)
		}
		if _, none := tx.PostAt(ctx, "slack", "T1", "C1", "5.6"); !errors.Is(none, storage.ErrNotFound) {
			err = errors.Join(err, fmt.Errorf("post at 5.6: %v, want ErrNotFound", none))
		}
		return err
	})
}

// A post that nobody looks for by where it stands leaves all its index entries
// as they are when it is sent.
func TestUnsoughtPostsAreSentWithoutTouchingAnIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	th := openThread(t, db, "C1", "1.1")
	for _, unsought := range []bool{true, false} {
		post(t, db, storage.Post{Thread: th, Card: "ticket", Subject: 7, Unsought: unsought}, storage.LaneReply)
		d, at := claim(t, db, noon)[0], fmt.Sprintf("5.%v", unsought)
		drawn, _ := draft(t, db, d)
		record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: d, Wanted: drawn.Wanted, Channel: "C1", External: at}}})
		inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
			_, err := tx.PostAt(ctx, "slack", "T1", "C1", at)
			if found := err == nil; found == unsought {
				t.Errorf("post that is unsought: %v, is found: %v", unsought, found)
			}
			if errors.Is(err, storage.ErrNotFound) {
				err = nil
			}
			return err
		})
	}
	if n := count(t, db, `
		select count(*) from pg_index i join pg_attribute a on a.attrelid = i.indrelid
		where i.indrelid = 'posts'::regclass and a.attname in ('sent_at', 'sent_channel', 'external')
			and (a.attnum = any(i.indkey) or pg_get_expr(i.indpred, i.indrelid) ~ ('\m' || a.attname || '\M'))`); n != 0 {
		t.Errorf("%d indexes have a column that is set when a post is sent", n)
	}
}

func TestAChangeThatIsBeingCommittedIsNotLost(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	id := post(t, db, storage.Post{Channel: "C1", Card: "ticket", Subject: 7}, storage.LaneReply)
	d := claim(t, db, noon)[0]

	redrawn, commit, done := make(chan error), make(chan struct{}), make(chan error)
	go func() {
		done <- db.InTx(t.Context(), func(tx *storage.Tx) error {
			err := tx.Redraw(t.Context(), 7, noon, "ticket")
			if err == nil { // it goes with the next statement
				_, err = tx.Backlog(t.Context(), time.Now())
			}
			redrawn <- err
			<-commit
			return err
		})
	}()
	if err := <-redrawn; err != nil {
		t.Fatal(err)
	}
	recorded := make(chan error)
	go func() {
		_, err := db.RecordDeliveries(t.Context(), storage.Outcomes{
			Delivered: []storage.Delivered{{Delivery: d, Wanted: 1, Channel: "C1", External: "5.5"}},
		}, noon)
		recorded <- err
	}()
	// The record waits for the change, and then must see it.
	for count(t, db, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 0 {
		select {
		case err := <-recorded:
			t.Fatalf("recorded before the change was committed: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	close(commit)
	if err := errors.Join(<-done, <-recorded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]storage.PostID{id}, ids(claim(t, db, noon))); diff != "" {
		t.Errorf("claimable after the change (-want +got):\n%s", diff)
	}
}

func TestAPersonHasOneHome(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	first := post(t, db, storage.Post{Kind: "home", User: "U1", Card: "home", Subject: 1}, storage.LaneDigest)
	second := post(t, db, storage.Post{Kind: "home", User: "U1", Card: "home", Subject: 1}, storage.LaneReply)
	if first != second {
		t.Errorf("homes %d and %d, want one", first, second)
	}
	all := claim(t, db, noon)
	if len(all) != 1 || all[0].Lane != storage.LaneReply {
		t.Errorf("claimed %+v, want one in the more urgent lane", all)
	}
}

func TestWhatFollowsInAThread(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*storage.DB, storage.ThreadID, storage.PostID, storage.PostID) {
		db := pgtest.New(t)
		th := openThread(t, db, "C1", "")
		root := post(t, db, storage.Post{Thread: th, Root: true, Channel: "C1", Card: "triage", Subject: 1}, storage.LaneReply)
		post(t, db, storage.Post{Channel: "C9"}, storage.LaneApproval)
		follower := post(t, db, storage.Post{Thread: th}, storage.LaneBreach)
		return db, th, root, follower
	}
	t.Run("goes after its root, which takes over the haste", func(t *testing.T) {
		t.Parallel()
		db, th, root, follower := setup(t)
		all := claim(t, db, noon)
		if len(all) != 2 || all[0].ID != root || all[0].Lane != storage.LaneBreach {
			t.Fatalf("claimed %+v, want the root first, as a breach", all)
		}
		inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
			for channel, want := range map[string]bool{"C1": true, "C2": false} {
				if got, err := tx.AwaitsRoot(ctx, "slack", "T1", channel, "U1"); err != nil || got != want {
					t.Errorf("AwaitsRoot(%s) = %v, %v; want %v", channel, got, err, want)
				}
				if got, err := tx.Delivering(ctx, "slack", "T1", channel, "U1"); err != nil || got != want {
					t.Errorf("Delivering(%s) = %v, %v; want %v", channel, got, err, want)
				}
			}
			return nil
		})
		record(t, db, storage.Outcomes{Delivered: []storage.Delivered{
			{Delivery: all[0], Wanted: 1, Root: true, Channel: "C1", External: "3.3"},
		}})
		inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
			if got, err := tx.Delivering(ctx, "slack", "T1", "C1", "U1"); err != nil || got {
				t.Errorf("Delivering, once it is known where it stands: %v, %v", got, err)
			}
			return nil
		})
		next := claim(t, db, noon)
		if diff := cmp.Diff([]storage.PostID{follower}, ids(next)); diff != "" {
			t.Fatalf("after the root (-want +got):\n%s", diff)
		}
		f, _ := draft(t, db, next[0])
		if f.In.ID != th || f.In.Root != "3.3" || f.In.Channel != "C1" || f.Orphan {
			t.Errorf("the follower's thread: %+v", f.In)
		}
	})
	t.Run("fails with its root", func(t *testing.T) {
		t.Parallel()
		db, th, _, _ := setup(t)
		all := claim(t, db, noon)
		record(t, db, storage.Outcomes{Failed: []storage.Failed{{Delivery: all[0], Reason: "no such channel", Letter: true}}})
		if n := count(t, db, `select count(*) from dead_letters where source = 'outbox'`); n != 2 {
			t.Errorf("%d dead letters, want the root and its follower", n)
		}
		if n := count(t, db, `select count(*) from posts where failed like '%no such channel'`); n != 2 {
			t.Errorf("%d posts have failed, want 2", n)
		}
		// What is queued later has no thread to go to either.
		late := post(t, db, storage.Post{Thread: th}, storage.LaneReply)
		next := claim(t, db, noon)
		if diff := cmp.Diff([]storage.PostID{late}, ids(next)); diff != "" {
			t.Fatalf("after the failure (-want +got):\n%s", diff)
		}
		if f, _ := draft(t, db, next[0]); !f.Orphan {
			t.Errorf("the late follower is no orphan: %+v", f)
		}
	})
	t.Run("stays together when somebody answered before the root was recorded", func(t *testing.T) {
		t.Parallel()
		db, th, root, follower := setup(t)
		all := claim(t, db, noon)
		twin := openThread(t, db, "C1", "3.3")
		quick := post(t, db, storage.Post{Thread: twin}, storage.LaneReply)
		record(t, db, storage.Outcomes{Delivered: []storage.Delivered{
			{Delivery: all[0], Wanted: 1, Root: true, Channel: "C1", External: "3.3"},
		}})
		inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
			got, err := tx.FindThread(ctx, "slack", "T1", "C1", "3.3")
			if err == nil && got.ID != th {
				err = fmt.Errorf("thread 3.3 is %d, want %d", got.ID, th)
			}
			return err
		})
		if n := count(t, db, `select count(*) from posts where thread_id = $1`, th); n != 3 {
			t.Errorf("%d posts in the thread, want %d, %d and %d", n, root, follower, quick)
		}
		if diff := cmp.Diff([]storage.PostID{follower}, ids(claim(t, db, noon))); diff != "" {
			t.Errorf("one conversation (-want +got):\n%s", diff)
		}
	})
}

func TestOutcomesOfALeaseThatRanOut(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	post(t, db, storage.Post{Channel: "C1"}, storage.LaneReply)
	first := claim(t, db, noon)[0]
	second := claim(t, db, noon.Add(time.Hour))[0]
	if _, ours := draft(t, db, first); ours {
		t.Error("what another process has claimed is still ours")
	}
	// The slow process must not release what the other is at.
	record(t, db, storage.Outcomes{PutOff: []storage.PutOff{{Delivery: first, Until: noon, Cause: "slow"}}})
	if all := claim(t, db, noon.Add(time.Hour)); len(all) != 0 {
		t.Errorf("claimed %v under another's lease", ids(all))
	}
	// But what it has sent is sent.
	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: first, Wanted: 1, Channel: "C1", External: "1.1"}}})
	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: second, Wanted: 1, Channel: "C1", External: "1.1"}}})
	if n := count(t, db, `select count(*) from outbox`); n != 0 {
		t.Errorf("%d posts are left in the outbox", n)
	}
}

func TestPutOffKeepsTheOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	first := post(t, db, storage.Post{Channel: "C1"}, storage.LaneReply)
	post(t, db, storage.Post{Channel: "C1"}, storage.LaneReply)
	d := claim(t, db, noon)[0]
	record(t, db, storage.Outcomes{PutOff: []storage.PutOff{{Delivery: d, Until: noon.Add(time.Minute), Cause: "limited"}}})
	if all := claim(t, db, noon.Add(30*time.Second)); len(all) != 0 {
		t.Errorf("claimed %v while the first waits", ids(all))
	}
	all := claim(t, db, noon.Add(time.Minute))
	if len(all) != 1 || all[0].ID != first || all[0].Attempts != 1 || all[0].Unsure {
		t.Errorf("claimed %+v, want the first, sure, its uncounted attempt forgotten", all)
	}
}

func TestARefusedChangeLeavesThePost(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	id := post(t, db, storage.Post{Channel: "C1"}, storage.LaneReply)
	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: claim(t, db, noon)[0], Wanted: 1, Channel: "C1", External: "1.1"}}})
	replace := func(body string) {
		inTx(t, db, func(ctx context.Context, tx *storage.Tx) error { return tx.ReplaceBody(ctx, id, []byte(body), noon) })
	}
	replace(`{"text": "too much"}`)
	record(t, db, storage.Outcomes{Delivered: []storage.Delivered{{Delivery: claim(t, db, noon)[0], Wanted: 1, Letter: "too long"}}})
	if n := count(t, db, `select count(*) from dead_letters where error = 'too long'`); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
	replace(`{"text": "less"}`)
	all := claim(t, db, noon)
	if len(all) != 1 {
		t.Fatal("a later change is not queued")
	}
	if f, _ := draft(t, db, all[0]); string(f.Body) != `{"text": "less"}` {
		t.Errorf("body %s", f.Body)
	}
}

func TestThreadsAreOpenedOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	first, second := openThread(t, db, "C1", "1.1"), openThread(t, db, "C1", "1.1")
	if first != second {
		t.Errorf("threads %d and %d, want one", first, second)
	}
	if other := openThread(t, db, "C2", "1.1"); other == first {
		t.Error("threads of two channels are one")
	}
	if a, b := openThread(t, db, "C1", ""), openThread(t, db, "C1", ""); a == b {
		t.Error("two threads to be opened are one")
	}
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.FindThread(ctx, "slack", "T1", "C1", "7.7"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("FindThread: %v, want ErrNotFound", err)
		}
		return nil
	})
}
