package slacktest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func TestSnapshot(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	ana := tw.w.Person("ana")
	must(ana.Say(slacktest.Post{Channel: "help", Text: "a file", Files: []slacktest.Upload{{Name: "a.txt", Data: []byte("x")}}}))
	call(t, tw.w, "views.publish", "user_id", "Uana", "view", `{"type":"home","blocks":`+section+`}`)
	if err := ana.React("help", tw.byBot, "eyes"); err != nil {
		t.Fatal(err)
	}
	if err := ana.Command("help", "/desk", "x"); err != nil {
		t.Fatal(err)
	}
	url := tw.one(func(r request) bool { return r.Path == "/slack/commands" }).Form["response_url"]
	snap := must(tw.w.Snapshot())

	again := must(slacktest.New(slacktest.Options{}))
	defer again.Close()
	seq := again.Seq()
	if err := again.Restore(snap); err != nil {
		t.Fatal(err)
	}
	if err := again.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tw.w.TranscriptAll(), again.TranscriptAll()); diff != "" {
		t.Errorf("transcript (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(tw.w.Users(), again.Users()); diff != "" {
		t.Errorf("people (-before +after):\n%s", diff)
	}
	moved := func(s string) string { return strings.ReplaceAll(s, tw.w.URL(), again.URL()) }
	if got := string(must(again.Snapshot())); got != moved(string(snap)) {
		t.Errorf("a snapshot of the restored workspace is another one:\n%s\n%s", got, moved(string(snap)))
	}
	for _, err := range again.Follow(t.Context(), seq) {
		if !errors.Is(err, slacktest.ErrGap) {
			t.Errorf("a follower of the time before: %v, want ErrGap", err)
		}
	}
	list := must(again.Person("ana").Messages("help", "", 100))
	next := must(again.Person("ana").Say(slacktest.Post{Channel: "help", Text: "next"}))
	if next.TS <= list[len(list)-1].TS {
		t.Errorf("a new message has %s, which is not after %s", next.TS, list[len(list)-1].TS)
	}
	if n := len(must(again.Person("ana").Thread("help", tw.byAna))); n != 2 {
		t.Errorf("the thread has %d messages, want 2", n)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, moved(url), strings.NewReader(`{"text":"later"}`))
	if err != nil {
		t.Fatal(err)
	}
	if r := do(t, req); r.body["ok"] != true {
		t.Errorf("a response URL of the time before: %d %s", r.status, r.raw)
	}
	for name, bad := range map[string]string{
		"no JSON": "x", "another version": `{"version":7}`,
		"an unknown member": `{"version":1,"app":"A0DESK","team":"T0SLACKTEST","channels":[{"id":"C1","members":["U9"]}]}`,
		"nobody in it":      `{"version":1,"app":"A0DESK","team":"T0SLACKTEST"}`,
		"messages out of order": `{"version":1,"app":"A0DESK","team":"T0SLACKTEST","users":[{"id":"U0DESK","name":"desk"}],
			"channels":[{"id":"C1","messages":[{"ts":"2.000000"},{"ts":"1.000000"}]}]}`,
	} {
		before := again.TranscriptAll()
		if err := again.Restore([]byte(bad)); err == nil || again.TranscriptAll() != before {
			t.Errorf("%s: restored (%v), or something was changed", name, err)
		}
	}
}

func FuzzRestore(f *testing.F) {
	w := must(slacktest.New(slacktest.Options{}))
	must(w.AddUser(slacktest.User{ID: "U1", Name: "ana"}))
	must(w.AddChannel(slacktest.Channel{ID: "C1", Name: "c", Members: []string{"U1", "U0DESK"}}))
	must(w.Person("ana").Say(slacktest.Post{Channel: "c", Text: "x", Files: []slacktest.Upload{{Name: "f", Data: []byte("x")}}}))
	f.Add(must(w.Snapshot()))
	f.Add([]byte(`{"version":1,"app":"A0DESK","team":"T0SLACKTEST","users":[{"id":"U0DESK","name":"desk"}],"homes":{"U0DESK":null},"channels":[{"id":"C1","messages":[null]}]}`))
	f.Cleanup(func() { w.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		w := must(slacktest.New(slacktest.Options{}))
		defer w.Close()
		if w.Restore(b) != nil {
			return
		}
		_ = w.TranscriptAll()
		again := must(w.Snapshot())
		if err := w.Restore(again); err != nil {
			t.Errorf("its own snapshot is refused: %v\n%s", err, again)
		}
	})
}
