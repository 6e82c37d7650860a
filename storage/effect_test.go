package storage_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

const day = 24 * time.Hour

// What became of questions is told apart: what held, what came back, what nobody
// spoke of, what an outage answered.
func TestDeflectionsAreToldApart(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	vpn := c.put(t, vpnArticle()).ID
	tk := c.open(t, c.draft(ticket.Incident, "VPN is down"), noon)
	ask := func(at time.Time, shown ...knowledge.ArticleID) (q storage.Question) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			q, err = tx.AskQuestion(ctx, storage.Question{Person: c.cem, Text: "vpn drops", AskedAt: at, Confidence: "low", Shown: shown}, "test")
			return err
		})
		return q
	}
	end := func(q storage.Question, o storage.Outcome, at time.Time) storage.Question {
		q.Outcome = o
		switch o {
		case storage.Solved:
			q.Article = vpn
		case storage.WentTicket:
			q.Ticket = tk.ID
		}
		q, err := c.end(t, q, at)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	in := func(do func(context.Context, *storage.Tx) error) { t.Helper(); inTx(t, c.DB, do) }
	now := noon.Add(20 * day)

	held := end(ask(noon, vpn), storage.Solved, noon)
	back := end(ask(noon, vpn), storage.Solved, noon)
	end(ask(now.Add(-day), vpn), storage.Solved, now.Add(-day)) // too young to tell
	taken := end(ask(noon, vpn), storage.Solved, noon)
	end(ask(noon, vpn), storage.Silent, noon)
	end(ask(noon, vpn), storage.WentTicket, noon)
	ask(now.Add(-time.Hour))
	known := ask(noon)
	in(func(ctx context.Context, tx *storage.Tx) error {
		for range 2 { // a second time changes nothing
			if err := tx.CameBack(ctx, back, held.ID, 0, noon.Add(2*day)); err != nil {
				return err
			}
		}
		if err := tx.CameBack(ctx, taken, taken.ID, 0, noon.Add(day)); err != nil {
			return err
		}
		taken.Outcome, taken.Article = storage.StillOpen, 0
		if _, err := tx.EndQuestion(ctx, taken, c.cem, "test", noon.Add(day)); err != nil {
			return err
		}
		if err := tx.FlagOutage(ctx, storage.KnownOutage{Ticket: tk.ID, What: "VPN", Since: noon}, c.ben, "test", noon); err != nil {
			return err
		}
		known.Outage = tk.ID
		return tx.RewordQuestion(ctx, known, known.Text, "test", noon)
	})
	got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Deflections, error) {
		return tx.Deflections(ctx, noon, now, now.Add(-knowledge.HeldAfter))
	})
	want := storage.Deflections{Asked: 8, Confirmed: 4, Old: 3, Held: 1, Missed: 2, Silent: 1, Open: 1, Tickets: 1, Nothing: 1, Outage: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deflections (-want +got):\n%s", diff)
	}
	// What came back counts against the article; what was taken back does not count.
	against := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (n int, err error) {
		return n, tx.QueryRow(ctx, `select count(*) from evidence where article_id = $1 and not helped and undone_at is null`, vpn).Scan(&n)
	})
	if against != 2 { // that, and the ticket's
		t.Errorf("%d pieces of evidence against the article, want 2", against)
	}
	before := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Beforehand, error) {
		return tx.Beforehand(ctx, c.cem, noon)
	})
	if len(before.Outages) != 1 || before.Outages[0].What != "VPN" || len(before.Solved) != 2 {
		t.Errorf("beforehand: %+v", before)
	}
	// Solved after all.
	in(func(ctx context.Context, tx *storage.Tx) error { return tx.Stayed(ctx, taken.ID) })
	if got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Deflections, error) {
		return tx.Deflections(ctx, noon, now, now.Add(-knowledge.HeldAfter))
	}); got.Missed != 1 {
		t.Errorf("%d came back, want 1", got.Missed)
	}
}

// Everybody whom a ticket concerns is counted once and told once, and once more
// when it came back.
func TestEverybodyAffectedIsToldOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "VPN is down"), noon)
	in := func(do func(context.Context, *storage.Tx) error) { t.Helper(); inTx(t, c.DB, do) }
	in(func(ctx context.Context, tx *storage.Tx) error {
		for _, a := range []struct {
			who   int
			meToo bool
		}{{1, false}, {1, true}, {1, true}, {1, false}, {2, false}} {
			who := c.ana
			if a.who == 2 {
				who = c.ben
			}
			if err := tx.Affect(ctx, tk.ID, who, a.meToo, 0, "test", noon); err != nil {
				return err
			}
		}
		return nil
	})
	facts := func() storage.TicketFacts {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.TicketFacts, error) {
			return tx.TicketFacts(ctx, tk.ID)
		})
	}
	if f := facts(); f.MeToo != 1 || f.Waiting != 1 || f.Outage != "" {
		t.Errorf("%d say me too, %d wait, outage %q; want one each, and none", f.MeToo, f.Waiting, f.Outage)
	}
	tell := func() (n int) {
		in(func(ctx context.Context, tx *storage.Tx) error {
			for {
				some, err := tx.TellAffected(ctx, tk.ID, 1, noon)
				if err != nil || len(some) == 0 {
					return err
				}
				n += len(some)
			}
		})
		return n
	}
	if n := tell() + tell(); n != 2 {
		t.Errorf("%d were told, want both once", n)
	}
	in(func(ctx context.Context, tx *storage.Tx) error { return tx.ResumeOutage(ctx, tk.ID, noon) })
	if n := tell(); n != 2 {
		t.Errorf("after it came back %d were told, want both", n)
	}
	if n := len(steps(t, history(t, c.DB, storage.OfTicket, int64(tk.ID)))); n != 4 { // opened, two came, one changed their mind
		t.Errorf("%d steps on record, want 4", n)
	}
}

// A flag counts once, its owner hears what their articles did, and an answer to
// a review is not undone by an older day.
func TestOwnersHearOfTheirArticles(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	a := vpnArticle()
	a.Owner, a.State = "Ben@Harbour.example", knowledge.Published
	id := c.put(t, a).ID
	q := c.ask(t, storage.Question{Text: "vpn drops", Confidence: "low", Shown: []knowledge.ArticleID{id}})
	q.Outcome, q.Article = storage.Solved, id
	if _, err := c.end(t, q, noon); err != nil {
		t.Fatal(err)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		f := storage.Flag{Article: id, Question: q.ID, Person: c.cem, Reason: "no such menu", At: noon}
		first, err := tx.PutFlag(ctx, f, "test")
		if err != nil {
			return err
		}
		if again, err := tx.PutFlag(ctx, f, "test"); err != nil || first == 0 || again != 0 {
			t.Errorf("flagged as %d, then as %d, %v", first, again, err)
		}
		for _, want := range []int{1, 0} {
			if ended, err := tx.EndFlags(ctx, id, 0, true, c.ben, "test", noon); err != nil || len(ended) != want {
				t.Errorf("%d flags are ended, want %d; %v", len(ended), want, err)
			}
		}
		return nil
	})
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		owners, err := tx.Owners(ctx, noon, noon.Add(day))
		if err != nil || len(owners) != 1 || owners[0] != c.ben {
			t.Errorf("owners %v, %v", owners, err)
		}
		effects, all, err := tx.Effects(ctx, c.ben, noon, noon.Add(day), 10)
		if diff := cmp.Diff([]storage.Effect{{Article: id, Title: a.Title, Helped: 1, Reasons: []string{"no such menu"}}}, effects); diff != "" || all != 1 || err != nil {
			t.Errorf("effects of %d, %v (-want +got):\n%s", all, err, diff)
		}
		if later, err := tx.Owners(ctx, noon.Add(day), noon.Add(2*day)); err != nil || len(later) != 0 {
			t.Errorf("owners of a day without anything: %v, %v", later, err)
		}
		return nil
	})
	review := func(by time.Time) []knowledge.Review {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]knowledge.Review, error) {
			return tx.ToReview(ctx, by, 365*day, 10)
		})
	}
	due := a.ReviewBy
	if due.IsZero() {
		due = noon.Add(365 * day)
	}
	if n := len(review(due.Add(-time.Hour))); n != 0 {
		t.Errorf("%d articles are to be looked at before their day", n)
	}
	if got := review(due); len(got) != 1 || got[0].ID != id {
		t.Errorf("on its day: %+v", got)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		return tx.StillRight(ctx, id, due.Add(100*day), c.ben, "test", noon)
	})
	if n := len(review(due.Add(99 * day))); n != 0 {
		t.Errorf("%d articles are to be looked at that somebody said are right", n)
	}
	if n := len(review(due.Add(100 * day))); n != 1 {
		t.Errorf("%d articles are to be looked at after that, want 1", n)
	}
}
