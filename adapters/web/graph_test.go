package web_test

import (
	"context"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/storage"
)

// Whoever has a link sees an item and what is around it, and goes on from there,
// until the link's time is over.
func TestAGraphBehindALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var db cmdb.ItemID
	if err := w.db.InTx(t.Context(), func(tx *storage.Tx) error {
		known, err := tx.KnownItems(t.Context())
		if err != nil {
			return err
		}
		plan := cmdb.Compare([]cmdb.Row{
			{Line: 1, Key: "db-3", Name: `Orders <script>alert(1)</script>`, Type: cmdb.Database, Tier: 2, Users: -1, Downtime: -1},
			{Line: 2, Key: "app-1", Type: cmdb.Application, Tier: 1, Users: -1, Downtime: -1, Relations: map[cmdb.Kind][]string{cmdb.RunsOn: {"db-3"}}},
		}, known)
		if err := tx.ImportItems(context.WithoutCancel(t.Context()), plan, "test", w.now()); err != nil {
			return err
		}
		items, _, err := tx.Items(t.Context())
		for _, it := range items {
			if it.Key == "db-3" {
				db = it.ID
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	get := func(url string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
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
		return resp.StatusCode, string(body)
	}
	link, err := w.pages.GraphLink(int64(db), w.now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	status, body := get(link)
	for _, want := range []string{"app-1 runs on db-3", "<title>db-3, Orders &lt;script&gt;alert(1)&lt;/script&gt;: database, tier 2</title>", `aria-label="app-1: application, tier 1"`} {
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("answered %d, without %q: %s", status, want, body)
		}
	}
	on := regexp.MustCompile(`<a href="([^"]+)"`).FindStringSubmatch(body)
	if on == nil {
		t.Fatal("there is no way on")
	}
	next := w.server.URL + html.UnescapeString(on[1])
	if status, body := get(next); status != 200 || !strings.Contains(body, `<title id="t">app-1 and`) {
		t.Errorf("the next was answered %d: %s", status, body)
	}
	if status, _ := get(strings.Replace(link, "/graph/", "/graph/x", 1)); status != 404 {
		t.Errorf("a link that nobody signed was answered %d", status)
	}
	w.pass(61 * time.Minute)
	for _, l := range []string{link, next} {
		if status, body := get(l); status != 404 || !strings.Contains(body, "seven days") {
			t.Errorf("after its time it was answered %d", status)
		}
	}
}
