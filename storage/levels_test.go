package storage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func gold() policy.Policy {
	p := harbour()
	p.Levels = []policy.ServiceLevel{
		{Slug: "gold", Name: "Gold", For: policy.Tickets{Kinds: []ticket.Kind{ticket.Incident}}, Calendar: policy.Always, Response: policy.Target{Within: "1h"}},
		{Slug: "rest", Name: "Rest", For: policy.Tickets{Kinds: []ticket.Kind{ticket.Request}}, Calendar: policy.Always, Response: policy.Target{Within: "8h"}},
	}
	return p
}

// started is a ticket with a clock on a service level.
func (c *company) started(t *testing.T, level string, at time.Time) ticket.Ticket {
	t.Helper()
	tk := c.open(t, c.draft(ticket.Incident, "It hums"), at)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		_, in, err := tx.Policy(ctx)
		if err != nil {
			return err
		}
		if err := tx.AddEntries(ctx, storage.LedgerEntry{Ticket: tk.ID, Seq: 1, At: at, Step: sla.Opened, Policy: in, Level: level, Priority: tk.Priority, Team: tk.Team}); err != nil {
			return err
		}
		due := at.Add(time.Hour)
		return tx.SetClocks(ctx, storage.Clock{Ticket: tk.ID, Kind: sla.Response, Level: level, State: sla.Running, Since: at, Round: 1, Due: &due, Left: time.Hour, Look: &due})
	})
	return tk
}

func TestAServiceLevelWithRunningClocksIsNotDroppedUnawares(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	apply(t, c.DB, gold(), noon)
	c.started(t, "gold", noon)
	without := gold()
	without.Levels = without.Levels[1:]
	before := rowsIn(t, c.DB, "policies")
	err := c.InTx(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(t.Context(), without, "test", noon.Add(time.Hour))
		return err
	})
	if wrong, ok := errors.AsType[*storage.PolicyError](err); !ok || !strings.Contains(wrong.Error(), `service_levels: "gold" is gone, and clocks still run on it (1)`) {
		t.Errorf("dropping a level with a running clock: %v", err)
	}
	if n := rowsIn(t, c.DB, "policies"); n != before {
		t.Errorf("%d policies on record, want %d: the old one stays in force", n, before)
	}
	for _, what := range []policy.AfterRemoval{policy.Move, policy.Keep} {
		without.Removed = map[string]policy.AfterRemoval{"gold": what}
		apply(t, c.DB, without, noon.Add(2*time.Hour))
	}
}

// The ledger is what deadlines follow from, so nobody rewrites it.
func TestTheLedgerIsForever(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	apply(t, c.DB, gold(), noon)
	c.started(t, "gold", noon)
	for _, sql := range []string{`update ledger set at = at - interval '1 hour'`, `delete from ledger`} {
		if _, err := c.Pool().Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was allowed", sql)
		}
	}
}

func TestAnAlertIsStoredOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	apply(t, c.DB, gold(), noon)
	tk := c.started(t, "gold", noon)
	alert := func(round, percent int) storage.Alert {
		return storage.Alert{Ticket: tk.ID, Kind: sla.Response, Round: round, Mark: sla.Mark{Percent: percent}, Due: noon, At: noon}
	}
	for i, tt := range []struct {
		all   []storage.Alert
		fresh []bool
	}{
		{[]storage.Alert{alert(1, 75), alert(1, 90)}, []bool{true, true}},
		{[]storage.Alert{alert(1, 90), alert(1, 100)}, []bool{false, true}},
		{[]storage.Alert{alert(2, 90)}, []bool{true}},
	} {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error { return tx.AddAlerts(ctx, tt.all) })
		for j, a := range tt.all {
			if (a.ID != 0) != tt.fresh[j] {
				t.Errorf("alert %d of batch %d has the number %d, fresh should be %v", j, i, a.ID, tt.fresh[j])
			}
		}
	}
	_, err := c.Pool().Exec(t.Context(), `insert into alerts (ticket_id, kind, round, percent, beyond_ns, due_at, at, outcome) values ($1, 'response', 1, 75, 0, now(), now(), 'told')`, tk.ID)
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "alerts_once" {
		t.Errorf("a second alert for the same mark: %v, want it refused by alerts_once", err)
	}
}

// Whoever looks for what is due never waits for who works on a ticket, and does
// not see to a ticket in whose thread something has just been said.
func TestLockDuePassesOverWhatIsBusy(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	apply(t, c.DB, gold(), noon)
	free, busy, talking := c.started(t, "gold", noon), c.started(t, "gold", noon), c.started(t, "gold", noon)
	now := noon.Add(time.Hour)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.OpenThread(ctx, storage.Thread{Platform: "slack", Workspace: "T1", Channel: "C1", Root: "5.5", Scope: "open", Side: "team", Ticket: talking.ID})
		return err
	})
	if _, err := c.Pool().Exec(t.Context(), `insert into inbox (key, conversation, event, received_at, due_at) values ('k', 'slack:T1:C1:5.5', '{}', $1, $1)`, now.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	ids := []ticket.ID{free.ID, busy.ID, talking.ID}
	locked := func(at time.Time) (got []ticket.ID) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			all, err := tx.LockDue(ctx, at, ids)
			for _, tk := range all {
				got = append(got, tk.Ticket)
			}
			return err
		})
		return got
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.TicketForUpdate(ctx, busy.ID); err != nil {
			return err
		}
		if got := locked(now); len(got) != 1 || got[0] != free.ID {
			t.Errorf("locked %v, want only %d", got, free.ID)
		}
		return nil
	})
	if got := locked(now.Add(-time.Minute)); len(got) != 0 {
		t.Errorf("locked %v before anything was due", got)
	}
	if got := locked(now.Add(time.Minute)); len(got) != 3 {
		t.Errorf("locked %v a minute later, want all: an event that can't be read must not hold up an alert for ever", got)
	}
}
