package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func TestRequestablesAreThePolicys(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	p := harbour()
	p.Services[0].Categories = []policy.Category{{Slug: "guests", Name: "Guests"}}
	p.Requests = []policy.Request{
		{Slug: "guest", Name: "Guest Wi-Fi", Words: []string{"visitors"}, Description: "A code for a day.", Service: "wifi", Category: "guests", Team: "network", Audience: []string{"finance"}},
		{Slug: "laptop", Name: "New laptop"},
	}
	apply := func(at time.Time) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			_, err := tx.ApplyPolicy(ctx, p, "test", at)
			return err
		})
	}
	want := func(when string, want ...knowledge.Request) {
		t.Helper()
		got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Request, error) { return tx.Requestables(ctx) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what can be requested %s (-want +got):\n%s", when, diff)
		}
	}
	guest := knowledge.Request{Slug: "guest", Name: "Guest Wi-Fi", Words: []string{"visitors"}, Description: "A code for a day.", Service: "wifi", Category: "guests", Team: "network", Audience: []string{"finance"}}
	laptop := knowledge.Request{Slug: "laptop", Name: "New laptop", Words: []string{}, Audience: []string{knowledge.Everyone}}
	apply(noon.Add(time.Minute))
	want("at first", guest, laptop)
	p.Requests = []policy.Request{{Slug: "laptop", Name: "Laptop"}}
	apply(noon.Add(2 * time.Minute))
	laptop.Name = "Laptop"
	want("when one was taken out and one renamed", laptop)
	p.Requests = nil
	apply(noon.Add(3 * time.Minute))
	if got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Request, error) { return tx.Requestables(ctx) }); len(got) != 0 {
		t.Errorf("after all were taken out there are %v", got)
	}
}

// What became of what was shown is learnt from: the one that was meant, and
// those that were not; once, however often it is told.
func TestRequestsAreEvidence(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Request, "New laptop"), noon)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		p := harbour()
		p.Requests = []policy.Request{{Slug: "laptop", Name: "New laptop"}, {Slug: "phone", Name: "Phone"}}
		if _, err := tx.ApplyPolicy(ctx, p, "test", noon); err != nil {
			return err
		}
		q, err := tx.AskQuestion(ctx, storage.Question{Person: c.ana, Text: "a new ultrabook", AskedAt: noon, Confidence: "low",
			Hits: []knowledge.Hit{{Request: "laptop", Title: "New laptop"}, {Request: "phone", Title: "Phone"}}}, "test")
		if err != nil {
			return err
		}
		q.Outcome, q.Ticket = storage.WentTicket, tk.ID
		if _, err := tx.EndQuestion(ctx, q, c.ana, "test", noon); err != nil {
			return err
		}
		return tx.Requested(ctx, tk.ID, "laptop", q.ID, c.ana, "test", noon)
	})
	number := func() {
		if err := c.NumberEvidence(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	number()
	got := map[string]bool{}
	for _, e := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Evidence, error) {
		return tx.EvidenceSince(ctx, 0, 100)
	}) {
		if e.Text != "a new ultrabook" || e.Article != 0 || e.Undone {
			t.Errorf("there is evidence %+v", e)
		}
		got[e.Request] = e.Helped
	}
	if diff := cmp.Diff(map[string]bool{"laptop": true, "phone": false}, got); diff != "" {
		t.Errorf("what was meant (-want +got):\n%s", diff)
	}
	d := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Deflections, error) {
		return tx.Deflections(ctx, noon.Add(-time.Hour), noon.Add(time.Hour), noon)
	})
	if diff := cmp.Diff(storage.Deflections{Asked: 1, Requested: 1}, d); diff != "" {
		t.Errorf("what became of questions (-want +got):\n%s", diff)
	}
	undone := func() (n int) {
		number()
		for _, e := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Evidence, error) {
			return tx.EvidenceSince(ctx, 0, 100)
		}) {
			if e.Undone {
				n++
			}
		}
		return n
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		if n, err := tx.ForgetRequests(ctx, "laptop", time.Time{}, c.ana, "test", noon.Add(time.Hour)); n != 1 || err != nil {
			t.Errorf("%d pieces of evidence are forgotten, %v, want one", n, err)
		}
		return nil
	})
	if n := undone(); n != 1 {
		t.Errorf("%d pieces of evidence don't count, want one", n)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		if n, err := tx.RecallRequests(ctx, "laptop", noon.Add(time.Hour), c.ana, "test", noon.Add(2*time.Hour)); n != 1 || err != nil {
			t.Errorf("%d pieces of evidence count again, %v, want one", n, err)
		}
		return nil
	})
	if n := undone(); n != 0 {
		t.Errorf("%d pieces of evidence don't count after all, want none", n)
	}
	if err := c.InTx(t.Context(), func(tx *storage.Tx) error {
		return tx.Requested(t.Context(), tk.ID, "laptop", 0, c.ana, "test", noon)
	}); err == nil {
		t.Error("one ticket is two requests")
	}
}
