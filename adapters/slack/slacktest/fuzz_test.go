package slacktest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// Whatever an app sends, Slack answers with JSON, or with a status where it always
// does.
func FuzzWebAPI(f *testing.F) {
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for _, s := range [][3]string{
		{"chat.postMessage", form, "channel=C1&text=x&blocks=" + section},
		{"chat.postMessage", js, `{"channel":"C1","text":7,"blocks":"[]","metadata":{"event_type":"a","event_payload":{}}}`},
		{"chat.postMessage", js, `{"channel":["C1"],"attachments":[{"blocks":[1]}],"thread_ts":"1.0"}`},
		{"chat.update", js, `{"channel":"C1","ts":"1.","text":null}`},
		{"conversations.history", form, "channel=C1&limit=-1&cursor=bmV4dF90czox&oldest=.5"},
		{"conversations.open", form, "users=U1,U2,U1"},
		{"views.publish", js, `{"user_id":"U1","view":{"type":"home","blocks":` + section + `}}`},
		{"views.open", js, `{"trigger_id":{},"view":"{}"}`},
		{"files.completeUploadExternal", form, `files=[{}]&channels=C1`},
		{"reactions.add", form, "channel=C1&timestamp=9999999999999999999.1&name=x"},
		{"users.list", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"limit\"\r\n\r\n1\r\n--x--"},
		{"apps.connections.open", js, "null"},
	} {
		f.Add(s[0], s[1], s[2])
	}
	w := must(slacktest.New(slacktest.Options{KeepMessages: 10}))
	f.Cleanup(func() { w.Close() })
	must(w.AddUser(slacktest.User{ID: "U1", Name: "ana"}))
	must(w.AddUser(slacktest.User{ID: "U2", Name: "ben"}))
	must(w.AddChannel(slacktest.Channel{ID: "C1", Name: "c", Members: []string{"U1", "U0DESK"}}))
	f.Fuzz(func(t *testing.T, method, contentType, body string) {
		if strings.ContainsAny(method, "/?#% \x00") {
			return // another path
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL.Path = "/api/" + method
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", "Bearer "+w.App().BotToken)
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		if !slices.Contains([]int{200, 307, 301, 404}, rec.Code) {
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		}
		if rec.Code == 200 && !json.Valid(rec.Body.Bytes()) {
			t.Errorf("no JSON: %s", rec.Body)
		}
		_ = w.TranscriptAll()
		if err := w.Restore(must(w.Snapshot())); err != nil {
			t.Fatalf("what was taken cannot be kept and read again: %v", err)
		}
	})
}

func FuzzResponseURL(f *testing.F) {
	for _, s := range []string{`{"text":"x"}`, `{"replace_original":true,"text":"x"}`, `{"delete_original":true}`, `{"blocks":` + section + `,"response_type":"in_channel","thread_ts":"1.0"}`, `[]`, `null`} {
		f.Add(s)
	}
	w := must(slacktest.New(slacktest.Options{KeepMessages: 10}))
	f.Cleanup(func() { w.Close() })
	must(w.AddUser(slacktest.User{ID: "U1", Name: "ana"}))
	must(w.AddChannel(slacktest.Channel{ID: "C1", Name: "c", Members: []string{"U1"}}))
	var url string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { url = r.FormValue("response_url") }))
	f.Cleanup(srv.Close)
	w.Connect(srv.URL)
	f.Fuzz(func(t *testing.T, body string) {
		if err := w.Person("ana").Command("c", "/desk", "x"); err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodPost, url, strings.NewReader(body)))
		if rec.Code >= 500 {
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		}
		_ = w.TranscriptAll()
	})
}
