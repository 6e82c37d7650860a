package storage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func TestAuditRecordIsForEver(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	c.open(t, c.draft(ticket.Incident, "Of long ago"), noon.AddDate(-3, 0, 0)) // in another partition
	before := rowsIn(t, c.DB, "audit")
	for _, sql := range []string{
		`update audit set note = 'nothing happened'`,
		`update audit set at = at + interval '1 hour'`,
		`delete from audit`,
		fmt.Sprintf(`delete from audit where subject = 'ticket' and subject_id = %d`, tk.ID),
		`update audit_rest set person_id = 1`,
		`delete from audit_rest`,
	} {
		if _, err := c.Pool().Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "the audit record is never changed") {
			t.Errorf("%s: %v, want it refused", sql, err)
		}
	}
	if n := rowsIn(t, c.DB, "audit"); n != before {
		t.Errorf("the record has %d entries, had %d", n, before)
	}
	if rest := rowsIn(t, c.DB, "audit_rest"); rest == 0 {
		t.Error("nothing was in the oldest partition, so that it was not tried")
	}
}

func TestHistoryIsInOrderAndEndsWithTheNewest(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	// Brought in out of order, several at one moment.
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		for i, minute := range []int{3, 1, 2, 2, 5, 4} {
			if err := tx.Audit(ctx, storage.Step{At: noon.Add(time.Duration(minute) * time.Minute), Action: fmt.Sprintf("step %d at %d", i, minute),
				Subject: storage.OfTicket, SubjectID: 7, Via: "test"}); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, storage.Step{At: noon, Action: "of another", Subject: storage.OfQuestion, SubjectID: 7, Via: "test"})
	})
	all := actions(history(t, c.DB, storage.OfTicket, 7))
	if want := []string{"step 1 at 1", "step 2 at 2", "step 3 at 2", "step 0 at 3", "step 5 at 4", "step 4 at 5"}; !slices.Equal(all, want) {
		t.Errorf("history = %q, want %q", all, want)
	}
	last := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.HistoryEntry, error) {
		return tx.History(ctx, storage.OfTicket, 7, 2)
	})
	if got, want := actions(last), all[4:]; !slices.Equal(got, want) {
		t.Errorf("the last two = %q, want %q", got, want)
	}
}

func TestOnceIsOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	once := func(id int64, action string) (first bool) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			first, err = tx.OnceFor(ctx, storage.OfTicket, id, action, c.cem, "test", noon)
			return err
		})
		return first
	}
	for _, tt := range []struct {
		name   string
		id     int64
		action string
		want   bool
	}{
		{"the first time", 7, "lead.told", true},
		{"the second time", 7, "lead.told", false},
		{"something else", 7, "asked", true},
		{"another ticket", 8, "lead.told", true},
	} {
		if got := once(tt.id, tt.action); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	// Also twice within one transaction, where the first is yet to be committed.
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		for _, want := range []bool{true, false} {
			if got, err := tx.OnceFor(ctx, storage.OfTicket, 9, "lead.told", c.cem, "test", noon); err != nil || got != want {
				t.Errorf("OnceFor in one transaction = %v, %v; want %v", got, err, want)
			}
		}
		return nil
	})
}
