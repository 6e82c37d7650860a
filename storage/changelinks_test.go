package storage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Two processes may see to the same announcement: a channel gets one message.
func TestAChangeIsAnnouncedOnceInAChannel(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, _, _ := c.asked(t)
	in := storage.DeskChannel{Platform: "slack", Workspace: "T1", Channel: "C7", Name: "sales"}
	announce := func() error {
		return c.InTx(t.Context(), func(tx *storage.Tx) error {
			post, err := tx.Post(t.Context(), storage.Post{Kind: "message", Platform: in.Platform, Workspace: in.Workspace, Channel: in.Channel, Card: "announce", Subject: int64(ch.ID)}, storage.LaneReply, noon)
			if err != nil {
				return err
			}
			return tx.Announce(t.Context(), ch.ID, in, post, noon)
		})
	}
	if err := announce(); err != nil {
		t.Fatal(err)
	}
	refused, ok := errors.AsType[*pgconn.PgError](announce())
	if !ok || refused.ConstraintName != "announcements_once" {
		t.Errorf("announced again: %v", refused)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		posts, err := tx.Announced(ctx, ch.ID)
		if err != nil || len(posts) != 1 || posts[0].Channel != "C7" {
			t.Errorf("announced by %+v, %v", posts, err)
		}
		steps, err := tx.History(ctx, storage.OfChange, int64(ch.ID), 50)
		if n := len(steps); n == 0 || steps[n-1].Action != "announced" {
			t.Errorf("the record ends with %+v", steps)
		}
		return err
	})
}

func TestWhatATicketHasToDoWithAChange(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, _, _ := c.asked(t)
	tk := c.open(t, c.draft(ticket.Incident, "orders are slow"), noon)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `update changes set state = 'doing', started_at = $2 where id = $1`, ch.ID, noon)
		return err
	})
	facts := func() []storage.TicketChange {
		var all []storage.TicketChange
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			f, err := tx.TicketFacts(ctx, tk.ID)
			all = f.Changes
			return err
		})
		return all
	}
	suspect := func(by people.PersonID) {
		t.Helper()
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			return tx.Suspect(ctx, tk.ID, ch, ch.Items[0], by, "desk", noon)
		})
	}
	suspect(0)
	suspect(0)
	if got := facts(); len(got) != 1 || got[0].Link != storage.Suspected || got[0].Item != "db-3" || got[0].Who != "" {
		t.Errorf("the desk suspects %+v", got)
	}
	suspect(c.ana) // somebody who says so goes before the desk
	if got := facts(); len(got) != 1 || got[0].By != c.ana || got[0].Who == "" {
		t.Errorf("a person suspects %+v", got)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		return tx.LinkChange(ctx, tk.ID, ch, storage.Cleared, c.ben, "slack", noon)
	})
	suspect(c.ana)
	if got := facts(); len(got) != 1 || got[0].Link != storage.Cleared || got[0].By != c.ben {
		t.Errorf("what was said is %+v", got)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		done, err := tx.DoneLately(ctx, noon.Add(time.Hour), 5)
		if err != nil || len(done) != 1 || done[0].ID != ch.ID {
			t.Errorf("what is being done: %+v, %v", done, err)
		}
		if _, err := tx.Exec(ctx, `update changes set state = 'done', outcome = 'worked', ended_at = $2 where id = $1`, ch.ID, noon); err != nil {
			return err
		}
		if done, err = tx.DoneLately(ctx, noon.Add(time.Hour), 5); err != nil || len(done) != 0 {
			t.Errorf("what was over before: %+v, %v", done, err)
		}
		return nil
	})
	for link, want := range map[string]string{"caused": "ticket_changes_said", "blamed": "ticket_changes_link_check"} {
		err := c.InTx(t.Context(), func(tx *storage.Tx) error {
			_, err := tx.Exec(t.Context(), `update ticket_changes set link = $1, by_id = null`, link)
			return err
		})
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.ConstraintName != want {
			t.Errorf("%s by nobody: %v, want %s", link, err, want)
		}
	}
}

func TestHowChangesWent(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, _, _ := c.asked(t)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `update changes set state = 'done', outcome = 'failed', started_at = $2, ended_at = $2 where id = $1`, ch.ID, noon); err != nil {
			return err
		}
		for name, tt := range map[string]struct {
			since, from, to time.Duration
			want            []change.Result
		}{
			"in the time":   {-2 * time.Hour, -time.Hour, time.Hour, []change.Result{{Number: ch.Number, Kind: ch.Kind, Team: ch.Team, Outcome: change.Failed, Items: ch.Items}}},
			"before it":     {-time.Hour, time.Second, time.Hour, []change.Result{{Number: ch.Number, Kind: ch.Kind, Team: ch.Team, Outcome: change.Failed, Items: ch.Items, Before: true}}},
			"as it ends":    {-2 * time.Hour, -time.Hour, 0, nil},
			"long ago":      {time.Second, time.Minute, time.Hour, nil},
			"as it begins":  {-time.Hour, 0, time.Hour, []change.Result{{Number: ch.Number, Kind: ch.Kind, Team: ch.Team, Outcome: change.Failed, Items: ch.Items}}},
			"as all begins": {0, time.Second, time.Hour, []change.Result{{Number: ch.Number, Kind: ch.Kind, Team: ch.Team, Outcome: change.Failed, Items: ch.Items, Before: true}}},
		} {
			got, err := tx.Results(ctx, noon.Add(tt.since), noon.Add(tt.from), noon.Add(tt.to))
			if err != nil {
				return err
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		return nil
	})
}

// The first report is set with the policy that names a channel for it, and a
// policy applied in the same month leaves it where it is.
func TestTheReportOfTheMonthIsSet(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	due := func() (n int, at time.Time) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			return tx.QueryRow(ctx, `select count(*), coalesce(max(due_at), 'epoch') from due where kind = 'changes.report'`).Scan(&n, &at)
		})
		return n, at
	}
	if n, _ := due(); n != 0 {
		t.Errorf("%d reports without a channel", n)
	}
	for i, p := range []string{"it-leads", "it-board"} {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			now, _, err := tx.Policy(ctx)
			if err != nil {
				return err
			}
			now.Changes.Report = policy.Channels{"slack": p}
			_, err = tx.ApplyPolicy(ctx, now, "test", noon.Add(time.Duration(i)*time.Hour))
			return err
		})
	}
	want := time.Date(noon.Year(), noon.Month()+1, 1, 9, 0, 0, 0, time.UTC)
	if n, at := due(); n != 1 || !at.Truncate(24*time.Hour).Equal(want.Truncate(24*time.Hour)) {
		t.Errorf("%d reports, at %s; want one on %s", n, at, want)
	}
}

// A type is off the list from a failure, or from the moment that an incident
// comes from a run of it, until that has been reviewed.
func TestWhenAStandardTypeIsOffTheList(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, _, _ := c.asked(t)
	for _, tt := range []struct{ name, set, want string }{
		{"it runs", `state = 'doing', started_at = now()`, ""},
		{"an incident comes from it as it runs", `caused = '{7}'`, "CHG-1"},
		{"it has worked", `state = 'done', outcome = 'worked', caused = '{}', ended_at = now()`, ""},
		{"it has failed after all", `outcome = 'failed', caused = '{7}'`, "CHG-1"},
		{"it is reviewed", `reviewed_at = now(), review = 'so'`, ""},
	} {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			if _, err := tx.Exec(ctx, `update changes set rule = 'patches', `+tt.set+` where id = $1`, ch.ID); err != nil {
				return err
			}
			got, err := tx.RuleFailed(ctx, "patches")
			if got != tt.want {
				t.Errorf("%s: %q keeps it off the list, want %q", tt.name, got, tt.want)
			}
			return err
		})
	}
}

func TestThePastOfAnItem(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, _, _ := c.asked(t)
	past := func(but ticket.ID) storage.ItemPast {
		t.Helper()
		var all []storage.ItemPast
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			all, err = tx.ItemPasts(ctx, ch.Items, but, noon.AddDate(0, 0, -90))
			return err
		})
		if len(all) != 1 {
			t.Fatalf("there are %d pasts of one item", len(all))
		}
		return all[0]
	}
	if diff := cmp.Diff(storage.ItemPast{Key: "db-3"}, past(0)); diff != "" {
		t.Errorf("of nothing (-want +got):\n%s", diff)
	}
	about := func(title string, at time.Time) ticket.Ticket {
		tk := c.open(t, c.draft(ticket.Incident, title), at)
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			return tx.TicketAbout(ctx, tk.ID, cmdb.Item{ID: ch.Items[0], Key: "db-3"}, true, c.ana, "test", at)
		})
		return tk
	}
	long := about("slow last year", noon.AddDate(-1, 0, 0))
	c.resolve(t, c.claim(t, long, c.ana, noon.AddDate(-1, 0, 0)), c.ana, noon.AddDate(-1, 0, 0))
	now := about("slow again", noon)
	about("slow too", noon)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `update changes set state = 'doing', started_at = $2 where id = $1`, ch.ID, noon)
		return err
	})
	got := past(now.ID)
	if got.Tickets != 1 || got.Kind != ticket.Incident || got.Number != long.Number || got.Resolution == "" || got.Change != ch.Number || got.Who == "" || got.Outcome != "" || !got.At.Equal(noon) {
		t.Errorf("it has %+v", got)
	}
}
