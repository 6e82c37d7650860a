package bot

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// claimDue puts on record what is due, and returns the alerts that are still to
// be told.
func (l *lab) claimDue() []int64 {
	l.t.Helper()
	ctx := l.t.Context()
	ids, _, err := l.db.DueClocks(ctx, l.now(), 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error { return l.Clocks(ctx, tx, ids) })
	untold, err := l.db.UntoldAlerts(ctx, l.now(), 1000)
	if err != nil {
		l.t.Fatal(err)
	}
	return untold
}

const inChannel = `select count(*) from posts where card in ('breach', 'digest') and channel = 'C1'`

// Of many promises that are missed at one instant all are on record first. They
// are told once however many processes tell them, in one message, with what was
// done meanwhile.
func TestManyAtOneInstant(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	const many = 30
	var first ticket.ID
	for range many {
		first = l.open()
	}
	l.pass(time.Hour)
	untold := l.claimDue()
	if len(untold) != many {
		t.Fatalf("%d alerts are to be told, want %d", len(untold), many)
	}
	if n := l.count(`select count(*) from tellings`); n != 0 {
		t.Errorf("%d were told before all were on record", n)
	}
	l.does(l.says(first))
	// One ticket is being worked on, and waits for the next round.
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.TicketForUpdate(ctx, first); err != nil {
			return err
		}
		l.in(func(ctx context.Context, tx *storage.Tx) error { return l.Tell(ctx, tx, untold) })
		return nil
	})
	if n := l.count(`select count(*) from alerts where tell_at is not null`); n != 1 {
		t.Errorf("%d alerts are left, want the one whose ticket is being worked on", n)
	}
	var tellers sync.WaitGroup
	for range 3 {
		tellers.Go(func() {
			if err := l.db.InTx(t.Context(), func(tx *storage.Tx) error { return l.Tell(t.Context(), tx, untold) }); err != nil {
				t.Error(err)
			}
		})
	}
	tellers.Wait()
	for what, want := range map[string]int{
		`select count(*) from alerts where outcome = 'told'`:                                 many,
		`select count(*) from alerts where tell_at is not null`:                              0,
		`select count(*) from tellings where place like 'channel %'`:                         many,
		`select count(*) from audit where action = 'alerted'`:                                many,
		`select count(*) from breaches`:                                                      many,
		`select count(*) from breaches where ended_at is not null`:                           1,
		`select count(*) from due where kind = 'breach.apology'`:                             many,
		`select count(*) from due where kind = 'breach.count'`:                               many,
		`select count(*) from outbox o join posts p on p.id = o.post_id where card = 'late'`: 0,
		inChannel: 1,
	} {
		if n := l.count(what); n != want {
			t.Errorf("%s: %d, want %d", what, n, want)
		}
	}
	if more := l.claimDue(); len(more) != 0 {
		t.Errorf("%d alerts came again", len(more))
	}
}

// Promises that are missed one after the other begin with messages of their own;
// when they are many, the newest of these stands for all that follow.
func TestOneAfterTheOther(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Ladders = []policy.Ladder{{Slug: "once", Steps: []policy.Step{{At: 100, Channel: true}}}}
	p.Levels[1].Ladder = "once"
	l := newLab(t, p)
	const many = 12
	for range many {
		l.open()
		l.pass(time.Second)
	}
	l.pass(time.Hour - many*time.Second - time.Second)
	for range many {
		l.pass(time.Second)
		l.mustLook()
	}
	if n := l.count(`select count(*) from tellings where place = 'channel slack T1 C1'`); n != many {
		t.Errorf("%d were told, want %d", n, many)
	}
	if n := l.count(inChannel); n != mostOwn {
		t.Errorf("%d messages, want the %d before it was many", n, mostOwn)
	}
	if n := l.count(`select count(*) from tellings t join posts p on p.id = t.post_id where p.card = 'digest' and t.digest_id = p.subject`); n != many-mostOwn+1 {
		t.Errorf("%d are in the digest, want %d", n, many-mostOwn+1)
	}
}

// What is urgent is a message of its own again when nobody has been called there
// for a while: the change of a message calls nobody.
func TestWhatIsUrgentCallsAnew(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Levels = p.Levels[1:] // for all priorities
	l := newLab(t, p)
	urgently := func() {
		l.does(l.event(l.ben, chat.Submitted, l.open(), cards.Priority,
			chat.Values{"impact": {string(ticket.Customers)}, "urgency": {string(ticket.Now)}, "why": {"the shop is shut"}, "priority": {"0"}}))
	}
	for range mostOwn + 1 {
		l.open()
	}
	l.pass(time.Minute)
	urgently()
	l.pass(5 * time.Minute)
	urgently()
	l.pass(54 * time.Minute)
	want := 0
	for _, tt := range []struct {
		after time.Duration
		what  string
		more  int
	}{
		{0, "many at once", 1},
		{time.Minute, "an urgent one soon after", 0},
		{5 * time.Minute, "an urgent one later", 1},
	} {
		l.pass(tt.after)
		l.mustLook()
		want += tt.more
		if n := l.count(inChannel); n != want {
			t.Errorf("%s: %d messages, want %d", tt.what, n, want)
		}
	}
}

// The clock of the machine is set back and far ahead: what has been told is not
// told again, and what is overdue at once is one alert, which says why.
func TestAClockThatIsSet(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.pass(time.Hour)
	l.mustLook()
	told := func() int {
		t.Helper()
		return l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and outcome = 'told'`, id)
	}
	for _, by := range []time.Duration{-2 * time.Hour, 30 * time.Minute, 90 * time.Minute} {
		l.pass(by)
		l.mustLook()
		if n := told(); n != 1 {
			t.Fatalf("%d alerts after the clock was set by %v, want the one of before", n, by)
		}
	}
	l.pass(30 * 24 * time.Hour)
	l.mustLook()
	l.mustLook()
	if n := told(); n != 2 {
		t.Errorf("%d alerts a month ahead, want one more", n)
	}
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and outcome = 'told' and late = 'I was busy, or my clock was set'`, id); n != 1 {
		t.Errorf("%d alerts say that the clock was set, want 1", n)
	}
	if n := l.count(`select count(*) from (select alert_id, place from tellings group by 1, 2 having count(*) > 1) twice`); n != 0 {
		t.Errorf("%d alerts were told twice in a place", n)
	}
}
