package web_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// A team's changes can be subscribed to until the link is revoked, or whoever it
// was made for is no agent any more.
func TestACalendarOfChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var link storage.CalendarLink
	var one change.Change
	in := func(do func(context.Context, *storage.Tx) error) {
		t.Helper()
		if err := w.db.InTx(t.Context(), func(tx *storage.Tx) error { return do(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
	}
	var team people.TeamID
	var ben people.PersonID
	in(func(ctx context.Context, tx *storage.Tx) error {
		var err error
		if ben, err = tx.PersonByMail(ctx, "ben@acme.example"); err != nil {
			return err
		}
		teams, err := tx.Teams(ctx)
		if err != nil {
			return err
		}
		team = teams[0].ID
		at := w.now()
		one, err = tx.OpenChange(ctx, change.Change{Kind: change.Standard, Rule: "x", Title: "A new disk", Why: "It is full.", Plan: "Add it.", Rollback: "Take it out.", Takes: time.Hour,
			From: at.Add(time.Hour), To: at.Add(2 * time.Hour), Requester: ben, Implementer: ben, Team: team, State: change.Scheduled}, change.Event{Action: change.Raised, By: ben, At: at}, "test")
		if err != nil {
			return err
		}
		link, err = tx.CalendarOf(ctx, team, ben, "test", at)
		return err
	})
	url := w.pages.CalendarLink(link)
	get := func(url, etag string) (int, string, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("ETag"), string(body)
	}
	status, etag, body := get(url, "")
	if status != 200 || etag == "" || !strings.Contains(body, "SUMMARY:CHG-1 A new disk\r\n") || !strings.Contains(body, "STATUS:CONFIRMED\r\n") || !strings.Contains(body, "SEQUENCE:1\r\n") {
		t.Fatalf("answered %d %s: %s", status, etag, body)
	}
	if status, _, body := get(url, etag); status != http.StatusNotModified || body != "" {
		t.Errorf("the same was answered %d %q", status, body)
	}
	in(func(ctx context.Context, tx *storage.Tx) error {
		is, ev, err := one.Cancel("No.", ben, w.now())
		if err == nil {
			_, err = tx.SaveChange(ctx, one, is, ev, "test")
		}
		return err
	})
	if status, other, body := get(url, etag); status != 200 || other == etag || !strings.Contains(body, "STATUS:CANCELLED\r\n") || !strings.Contains(body, "SEQUENCE:2\r\n") {
		t.Errorf("what was called off was answered %d: %s", status, body)
	}
	if status, _, _ := get(strings.Replace(url, "/calendar/1.", "/calendar/1.x", 1), ""); status != 404 {
		t.Errorf("a link that nobody signed was answered %d", status)
	}
	in(func(ctx context.Context, tx *storage.Tx) error {
		return tx.RevokeCalendar(ctx, team, ben, "test", w.now())
	})
	if status, _, _ := get(url, ""); status != 404 {
		t.Errorf("a revoked link was answered %d", status)
	}
	in(func(ctx context.Context, tx *storage.Tx) (err error) {
		if link, err = tx.CalendarOf(ctx, team, ben, "test", w.now()); err != nil {
			return err
		}
		again, err := tx.CalendarOf(ctx, team, ben, "test", w.now())
		if again.ID != link.ID {
			t.Error("who asks again gets another link")
		}
		return err
	})
	if status, _, _ := get(w.pages.CalendarLink(link), ""); status != 200 {
		t.Errorf("the new link was answered %d", status)
	}
	in(func(ctx context.Context, tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `delete from team_members where person_id = $1`, ben)
		return err
	})
	if status, _, _ := get(w.pages.CalendarLink(link), ""); status != 404 {
		t.Errorf("who is no agent any more was answered %d", status)
	}
	if n := w.count(`select count(*) from audit where action like 'calendar link %'`); n != 3 {
		t.Errorf("%d steps on record, want 3", n)
	}
}
