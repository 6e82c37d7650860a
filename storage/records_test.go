package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/rehearsal"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// A rehearsal sees of what a ticket was taken to be about when it was opened, and
// what it was about from when on.
func TestRecordsKnowWhatATicketWasAbout(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	correct := func(was ticket.Ticket, service string, at time.Time) ticket.Ticket {
		t.Helper()
		is, ev, err := was.Correct(service, "", c.ben, at)
		return c.take(t, was, is, ev, err)
	}
	nothing := c.draft(ticket.Incident, "no signal")
	nothing.Service = ""
	wifi := nothing
	wifi.Service = "wifi"
	for _, draft := range []ticket.Ticket{nothing, wifi} {
		tk := correct(c.open(t, draft, noon), "mail", noon.Add(time.Minute))
		correct(tk, "wifi", noon.Add(2*time.Minute))
	}
	c.open(t, wifi, noon)
	all := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]rehearsal.Record, error) {
		return tx.Records(ctx, noon.Add(-time.Hour), 0, 10)
	})
	type about struct {
		Opened string
		Then   []string
	}
	var got []about
	for _, r := range all {
		a := about{Opened: r.Service}
		for _, s := range r.Steps {
			if s.Step == sla.Changed {
				a.Then = append(a.Then, s.Service)
			}
		}
		got = append(got, a)
	}
	want := []about{{"", []string{"mail", "wifi"}}, {"wifi", []string{"mail", "wifi"}}, {"wifi", nil}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
