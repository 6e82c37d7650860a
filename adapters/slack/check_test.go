package slack

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	auth := func(scopes, date string) answerer {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-OAuth-Scopes", scopes)
			w.Header().Set("Date", date)
			ok(`{"ok":true,"team":"Acme","team_id":"T1","user":"desk","user_id":"U0DESK","bot_id":"B1"}`)(w, r)
		}
	}
	right := now.UTC().Format(http.TimeFormat)
	opens := ok(`{"ok":true,"url":"wss://example.com/link"}`)
	for _, tt := range []struct {
		name    string
		answers map[string]answerer
		want    map[string]bool // check → fine
		words   string
	}{
		{"all is well", map[string]answerer{"auth.test": auth(strings.Join(Scopes, ","), right), "apps.connections.open": opens},
			map[string]bool{"Slack token": true, "Slack scopes": true, "Clock": true, "Slack socket mode": true}, "Acme"},
		{"a scope is missing", map[string]answerer{"auth.test": auth(strings.Join(Scopes[1:], ","), right), "apps.connections.open": opens},
			map[string]bool{"Slack token": true, "Slack scopes": false, "Clock": true, "Slack socket mode": true}, Scopes[0]},
		{"the clock is wrong", map[string]answerer{"auth.test": auth(strings.Join(Scopes, ","), now.Add(7*time.Minute).UTC().Format(http.TimeFormat)), "apps.connections.open": opens},
			map[string]bool{"Slack token": true, "Slack scopes": true, "Clock": false, "Slack socket mode": true}, "7m0s"},
		{"the app was removed", map[string]answerer{"auth.test": ok(`{"ok":false,"error":"account_inactive"}`), "apps.connections.open": ok(`{"ok":false,"error":"invalid_auth"}`)},
			map[string]bool{"Slack token": false, "Slack socket mode": false}, "install it again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.answers)
			a := newAdapter(t, Options{APIURL: s.URL + "/api/", AppToken: testAppToken, Now: func() time.Time { return now }})
			got, words := map[string]bool{}, ""
			for _, f := range a.Check(t.Context()) {
				got[f.Name] = f.OK
				words += f.Text + f.Fix
				if f.Text == "" || f.OK != (f.Fix == "") {
					t.Errorf("finding %+v: it needs words, and a fix if it is not fine", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || !strings.Contains(words, tt.words) {
				t.Errorf("words %q (-want +got):\n%s", words, diff)
			}
		})
	}
}
