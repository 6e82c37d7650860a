package storage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// asked is a change of Cem's on db-3, which Ana and then Ben and Dua are asked
// about.
func (c *company) asked(t *testing.T) (change.Change, approval.Approval, approval.Roster) {
	t.Helper()
	ch := change.Change{Kind: change.Normal, Title: "A bigger disk", Why: "It is full.", Plan: "Add it.", Rollback: "Take it out.", From: noon.Add(48 * time.Hour),
		To: noon.Add(50 * time.Hour), Takes: time.Hour, Requester: c.cem, Implementer: c.cem, Team: c.desk, Risk: change.High, Because: "so", State: change.Draft}
	var roster approval.Roster
	var a approval.Approval
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		known, err := tx.KnownItems(ctx)
		if err != nil {
			return err
		}
		plan := cmdb.Compare([]cmdb.Row{{Line: 1, Key: "db-3", Type: cmdb.Database, Users: -1, Downtime: -1}}, known)
		if err := tx.ImportItems(ctx, plan, "test", noon); err != nil {
			return err
		}
		items, _, err := tx.Items(ctx)
		if err != nil {
			return err
		}
		ch.Items = []cmdb.ItemID{items[0].ID}
		if ch, err = tx.OpenChange(ctx, ch, change.Event{Action: change.Raised, By: c.cem, At: noon}, "slack"); err != nil {
			return err
		}
		was := ch
		ch, ev, err := ch.Submit(c.cem, noon)
		if err != nil {
			return err
		}
		if ch, err = tx.SaveChange(ctx, was, ch, ev, "slack"); err != nil {
			return err
		}
		if roster.Able, err = tx.Able(ctx); err != nil {
			return err
		}
		a, events, err := approval.New(approval.Subject{Hash: ch.Hash(), Own: ch.Own(), Window: ch.From, HighRisk: true},
			[]approval.Stage{{Name: "Lead", Rule: approval.Rule{Quorum: approval.AnyOne}, Ask: []approval.Who{{Person: c.ana}}, Within: time.Hour},
				{Name: "Board", Rule: approval.Rule{Quorum: approval.Everybody}, Ask: []approval.Who{{Person: c.ana}, {Person: c.ben}}, Within: time.Hour}}, roster, c.cem, noon)
		if err != nil {
			return err
		}
		return tx.SaveApproval(ctx, ch, a, events, "slack")
	})
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		if ch, err = tx.Change(ctx, ch.ID); err == nil {
			a, err = tx.ApprovalOf(ctx, ch.ID)
		}
		return err
	})
	return ch, a, roster
}

func (c *company) votes(t *testing.T, ch change.Change, a approval.Approval, r approval.Roster, by people.PersonID) approval.Approval {
	t.Helper()
	a, events, err := a.Vote(approval.Ballot{By: by, Answer: approval.Yes, Round: a.Round, Stage: a.Stage, Hash: a.Subject.Hash, Confirmed: true}, r, noon.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error { return tx.SaveApproval(ctx, ch, a, events, "slack") })
	return a
}

func TestAnApprovalComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, a, r := c.asked(t)
	if ch.Ref() != "CHG-1" || ch.State != change.Asked || len(ch.Items) != 1 {
		t.Errorf("the change is %+v", ch)
	}
	a = c.votes(t, ch, a, r, c.ana)
	a = c.votes(t, ch, a, r, c.ana)
	a = c.votes(t, ch, a, r, c.ben)
	if a.State != approval.Approved {
		t.Fatalf("it is %s", a.State)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		back, err := tx.ApprovalOf(ctx, ch.ID)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(a, back, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0), cmpopts.SortSlices(func(x, y approval.Vote) bool {
			return x.Stage < y.Stage || x.Stage == y.Stage && x.Seat < y.Seat
		})); diff != "" {
			t.Errorf("approval (-stored +read):\n%s", diff)
		}
		text, err := tx.RoundText(ctx, ch.ID, 1)
		if err != nil {
			return err
		}
		if text.Hash() != ch.Hash() {
			t.Error("the text of the round has another hash")
		}
		steps, err := tx.History(ctx, storage.OfChange, int64(ch.ID), 50)
		if err != nil {
			return err
		}
		votes := 0
		for _, s := range steps {
			if s.Action == "approval: voted" {
				votes++
			}
		}
		if votes != 3 {
			t.Errorf("%d votes in the audit record, want 3", votes)
		}
		return nil
	})
}

// What package approval never lets happen the record refuses too.
func TestTheRecordRefusesWhatIsUnlawful(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, a, _ := c.asked(t)
	insert := `insert into votes (approval_id, round, stage, seat_id, by_id, capacity, answer, hash, at) select id, round, $2, $3, $4, $5, 'yes', $6, now() from approvals where change_id = $1`
	for name, tt := range map[string]struct {
		sql  string
		args []any
		want string
	}{
		"a vote on one's own":           {insert, []any{ch.ID, 0, c.ana, c.cem, "delegate", a.Subject.Hash}, "votes_not_own"},
		"a vote by somebody not asked":  {insert, []any{ch.ID, 0, c.ben, c.ben, "holder", a.Subject.Hash}, "votes_have_a_seat"},
		"a vote in another's seat":      {insert, []any{ch.ID, 0, c.ana, c.ben, "holder", a.Subject.Hash}, "votes_own_seat"},
		"a vote for another text":       {insert, []any{ch.ID, 0, c.ana, c.ana, "holder", "0000"}, "votes_approval_id_round_hash_fkey"},
		"a verdict without its quorum":  {`update approvals set state = 'approved' where change_id = $1`, []any{ch.ID}, "approvals_quorum"},
		"a stage before the one before": {`insert into approval_stages (approval_id, round, stage, name, need, seats, asked_at) select id, round, 1, '', 1, array[$2::bigint], now() from approvals where change_id = $1`, []any{ch.ID, c.ben}, "approval_stages_in_order"},
		"a change without a way back":   {`update changes set rollback = ' ' where id = $1`, []any{ch.ID}, "changes_rollback_plan"},
		"a window that ends first":      {`update changes set window_to = window_from where id = $1`, []any{ch.ID}, "changes_window"},
		"a find that is not over":       {`update changes set kind = 'undocumented' where id = $1`, []any{ch.ID}, "changes_undocumented_is_over"},
		"an end without an outcome":     {`update changes set state = 'done', started_at = now() where id = $1`, []any{ch.ID}, "changes_done_has_outcome"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.InTx(t.Context(), func(tx *storage.Tx) error {
				_, err := tx.Exec(t.Context(), tt.sql, tt.args...)
				return err
			})
			refused, ok := errors.AsType[*pgconn.PgError](err)
			if !ok || refused.ConstraintName != tt.want {
				t.Errorf("said %v, want %s", err, tt.want)
			}
		})
	}
}

func TestTheFactsOfAChange(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ch, _, _ := c.asked(t)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		near, err := tx.ChangesAround(ctx, ch.From.Add(-time.Hour), ch.From.Add(time.Minute), ch.Items, 5)
		if err != nil || len(near) != 1 {
			t.Errorf("around its window: %v, %v", near, err)
		}
		if near, err = tx.ChangesAround(ctx, ch.To, ch.To.Add(time.Hour), nil, 5); err != nil || len(near) != 0 {
			t.Errorf("when it is over: %v, %v", near, err)
		}
		for who, want := range map[people.PersonID]int{c.ana: 1, c.ben: 0} {
			if waits, err := tx.AskedOf(ctx, []people.PersonID{who}, 5); err != nil || len(waits) != want {
				t.Errorf("%d changes wait for %d, %v", len(waits), who, err)
			}
		}
		_, err = tx.Exec(ctx, `update changes set state = 'done', outcome = 'failed', started_at = $2, ended_at = $2 where id = $1`, ch.ID, noon)
		if err != nil {
			return err
		}
		past, err := tx.FailedOn(ctx, ch.Items, noon.Add(-time.Hour), 0)
		if diff := cmp.Diff([]change.Past{{Ref: "CHG-1", Item: "db-3", Last: true}}, past); diff != "" || err != nil {
			t.Errorf("what failed (-want +got):\n%s%v", diff, err)
		}
		return err
	})
}
