package teamstest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// recorded is a payload as Microsoft's emulator sent it.
func recorded(t *testing.T, name string) map[string]any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "recorded", name+".json"))
	must(t, err)
	var m map[string]any
	must(t, json.Unmarshal(b, &m))
	return m
}

// shape is every key of a value with the kind of what is under it, as sorted
// lines. A list has the shapes of all that is in it.
func shape(v any) []string {
	var lines []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			lines = append(lines, at+" {}")
			for k, x := range v {
				walk(at+"/"+k, x)
			}
		case []any:
			lines = append(lines, at+" []")
			for _, x := range v {
				walk(at+"/*", x)
			}
		case string:
			lines = append(lines, at+" text")
		case float64:
			lines = append(lines, at+" number")
		case bool:
			lines = append(lines, at+" bool")
		case nil:
			lines = append(lines, at+" null")
		}
	}
	walk("", v)
	slices.Sort(lines)
	return slices.Compact(lines)
}

// sameShape compares what is sent with what was recorded, but for the lines that
// differ for a reason.
func sameShape(t *testing.T, name string, got any, except ...string) {
	t.Helper()
	drop := func(lines []string) []string {
		return slices.DeleteFunc(lines, func(l string) bool {
			return slices.ContainsFunc(except, func(e string) bool { return strings.HasPrefix(l, e) })
		})
	}
	if diff := cmp.Diff(drop(shape(map[string]any(recorded(t, name)))), drop(shape(got))); diff != "" {
		t.Errorf("%s has another shape (-recorded +sent):\n%s", name, diff)
	}
}

func plainMap(a activity) any { return map[string]any(a) }

func TestWhatIsSentHasTheRecordedShape(t *testing.T) {
	t.Parallel()
	press := card(`{"type":"TextBlock","text":"INC-1"},{"type":"Input.Text","id":"prio","label":"P","value":"P3"}`,
		`{"type":"Action.Execute","title":"Acknowledge","verb":"ack","fallback":"drop","data":{"ticket":"1","notify":"false"}},{"type":"Action.Submit","title":"Send","data":{"action":"echo","need":"yes","due":"2026-03-09","at":"14:30","n":"7","many":"red,blue"}}`)
	for _, tt := range []struct {
		name   string
		kind   string
		do     func(t *testing.T, a *app)
		except []string
	}{
		{"in-message-personal", "message", func(t *testing.T, a *app) {
			_, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: "hello"})
			must(t, err)
		}, nil},
		{"in-message-groupChat", "message", func(t *testing.T, a *app) {
			_, err := a.w.Person("ana").Say(teamstest.Post{Channel: "Lunch", Text: "@Desk members"})
			must(t, err)
		}, nil},
		{"in-message-channel", "message", func(t *testing.T, a *app) {
			_, err := a.w.Person("ana").Say(teamstest.Post{Channel: "Help", Text: "@desk hello"})
			must(t, err)
		}, nil},
		{"in-message-channel-thread-reply", "message", func(t *testing.T, a *app) {
			id := a.post("19:help@thread.tacv2", map[string]any{"text": "hi"})
			_, err := a.w.Person("ana").Say(teamstest.Post{Channel: "Help", Thread: id, Text: "@Desk more about it"})
			must(t, err)
		}, nil},
		{"in-message-submit-personal", "message", func(t *testing.T, a *app) {
			id := a.post(a.chat("ana"), withCard(press))
			must(t, a.w.Person("ana").Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/1"}))
		}, []string{"/value/prio"}},
		{"in-invoke-adaptiveCard-action-channel", "invoke", func(t *testing.T, a *app) {
			a.on("invoke", cardReply(press))
			id := a.post("19:help@thread.tacv2", withCard(press))
			must(t, a.w.Person("ana").Press(teamstest.Act{Channel: "Help", Message: id, Path: "/actions/0"}))
		}, nil},
		{"in-invoke-adaptiveCard-action-personal", "invoke", func(t *testing.T, a *app) {
			a.on("invoke", cardReply(press))
			id := a.post(a.chat("ana"), withCard(press))
			must(t, a.w.Person("ana").Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/0"}))
		}, []string{"/value/action/data/"}},
		{"in-installationUpdate-add-personal", "installationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("gus").Install("")) }, nil},
		{"in-conversationUpdate-membersAdded-personal", "conversationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("gus").Install("")) }, nil},
		{"in-mock-installationUpdate-remove-personal", "installationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("ana").Uninstall("")) }, nil},
		{"in-installationUpdate-add-groupChat", "installationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("ana").Install("New")) }, nil},
		{"in-conversationUpdate-membersAdded-groupChat", "conversationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("ana").Install("New")) }, nil},
		{"in-installationUpdate-add-channel", "installationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("ana").Install("Ops/Alerts")) }, nil},
		{"in-conversationUpdate-membersAdded-channel", "conversationUpdate", func(t *testing.T, a *app) { must(t, a.w.Person("ana").Invite("Help", "gus")) }, nil},
		{"in-mock-conversationUpdate-channelCreated", "conversationUpdate", func(t *testing.T, a *app) {
			_, err := a.w.Person("ana").CreateChannel("Service Desk", "Printers")
			must(t, err)
		}, nil},
		{"in-mock-conversationUpdate-channelRenamed", "conversationUpdate", func(t *testing.T, a *app) {
			must(t, a.w.Person("ana").RenameChannel("Help", "Help desk"))
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{})
			_, err := a.w.AddChannel(teamstest.Channel{Name: "New", Kind: teamstest.GroupChat, Members: []string{"ana", "ben"}})
			must(t, err)
			_, err = a.w.AddTeam(teamstest.Team{Name: "Ops", Members: []string{"ana"}})
			must(t, err)
			_, err = a.w.AddChannel(teamstest.Channel{Name: "Alerts", Team: "Ops"})
			must(t, err)
			tt.do(t, a)
			sameShape(t, tt.name, plainMap(a.only(tt.kind)), tt.except...)
		})
	}
}

func TestWhatIsAnsweredHasTheRecordedShape(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	group := "/v3/conversations/" + url.PathEscape("19:group@thread.v2")
	chat := "/v3/conversations/" + url.PathEscape(a.chat("ana"))
	hello := map[string]any{"type": "message", "text": "hello"}
	id := a.post(a.chat("ana"), map[string]any{"text": "hello"})
	for _, tt := range []struct {
		name, method, path string
		body               any
		except             []string
	}{
		{"out-GET-members-200", "GET", group + "/members", nil, nil},
		{"out-GET-activity-members-200", "GET", group + "/activities/1/members", nil, nil},
		{"out-GET-member-200", "GET", group + "/members/" + url.PathEscape("29:ana"), nil, nil},
		{"out-GET-pagedmembers-200", "GET", group + "/pagedmembers?pageSize=2", nil, nil},
		{"out-GET-team-200", "GET", "/v3/teams/" + url.PathEscape("19:general@thread.tacv2"), nil, nil},
		{"out-GET-team-conversations-200", "GET", "/v3/teams/" + url.PathEscape("19:general@thread.tacv2") + "/conversations", nil, nil},
		{"out-POST-send-to-conversation-201", "POST", chat + "/activities", hello, nil},
		{"out-POST-reply-to-activity-201", "POST", chat + "/activities/" + id, hello, nil},
		{"out-POST-typing-202", "POST", chat + "/activities", map[string]any{"type": "typing"}, []string{" text"}},
		{"out-PUT-update-200", "PUT", chat + "/activities/" + id, hello, nil},
		{"out-PUT-update-unknown-404", "PUT", chat + "/activities/no-such-activity", hello, nil},
		{"out-POST-conversations-personal-201", "POST", "/v3/conversations", map[string]any{
			"isGroup": false, "members": []any{map[string]any{"id": "29:ana"}}, "tenantId": a.w.ID(),
		}, nil},
		{"out-POST-conversations-channel-201", "POST", "/v3/conversations", map[string]any{
			"isGroup": true, "channelData": map[string]any{"channel": map[string]any{"id": "19:help@thread.tacv2"}}, "activity": hello,
		}, nil},
	} {
		status, body, _ := a.try(tt.method, tt.path, tt.body)
		rec := recorded(t, tt.name)["response"].(map[string]any)
		if want := int(rec["status"].(float64)); status != want {
			t.Errorf("%s: %d, recorded %d (%v)", tt.name, status, want, body)
		}
		want, got := shape(rec["body"]), shape(body)
		if rec["body"] == "" {
			want, got = nil, nil
			if body != nil {
				t.Errorf("%s: answered %v, recorded nothing", tt.name, body)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s has another shape (-recorded +answered):\n%s", tt.name, diff)
		}
	}
}

// What the emulator's bot sent is taken as it was sent.
func TestRecordedCallsAreTaken(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{App: teamstest.App{ID: "22222222-2222-4222-8222-222222222222", Name: "Desk Bot"}})
	id := a.post(a.chat("ana"), map[string]any{"text": "hello"})
	for _, name := range []string{"out-POST-send-to-conversation-201", "out-POST-reply-to-activity-201", "out-POST-typing-202", "out-PUT-update-200"} {
		req := recorded(t, name)["request"].(map[string]any)
		b, err := json.Marshal(req["body"])
		must(t, err)
		text := strings.NewReplacer("a:personal-alex", a.chat("ana"), "1795227415241", id).Replace(string(b))
		path := strings.TrimPrefix(req["path"].(string), "/_connector")
		path = strings.NewReplacer("a%3Apersonal-alex", url.PathEscape(a.chat("ana")), "1795227415241", id).Replace(path)
		status, body, _ := a.try(req["method"].(string), path, json.RawMessage(text))
		if status >= 300 {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	// The emulator deletes nothing; Teams does.
	status, _, _ := a.try("DELETE", "/v3/conversations/"+url.PathEscape(a.chat("ana"))+"/activities/"+id, nil)
	if status != http.StatusOK {
		t.Errorf("DELETE: %d", status)
	}
	if m, ok := a.w.Message(a.chat("ana"), id); !ok || !m.Deleted {
		t.Errorf("the message is still there: %v", m)
	}
}

func TestRecordedAnswersAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, says string }{
		{"answer-invoke-message", "message from invoke"},
		{"answer-invoke-error", "error from invoke"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{})
			a.on("invoke", recorded(t, tt.name))
			id := a.post(a.chat("ana"), withCard(card(hello, claim)))
			err := a.w.Person("ana").Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/0"})
			if (err != nil) != strings.Contains(tt.name, "error") {
				t.Errorf("Press: %v", err)
			}
			seen, err := a.w.Person("ana").See(a.chat("ana"), id)
			must(t, err)
			if len(seen.Notices) != 1 || seen.Notices[0].Text != tt.says {
				t.Errorf("ana is told %v, want %q", seen.Notices, tt.says)
			}
			other, err := a.w.Person("ana").See(a.chat("ana"), id)
			must(t, err)
			if other.Own {
				t.Errorf("the card changed")
			}
		})
	}
	// The emulator shows eight buttons, where a client has room for six, and those
	// of old clients need something to press.
	b, err := json.Marshal(recorded(t, "answer-invoke-card")["value"])
	must(t, err)
	err = teamstest.CheckCard(b)
	if err == nil || !strings.Contains(err.Error(), "8 actions") || strings.Count(err.Error(), "needs a fallback") != 3 || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("CheckCard of the recorded card: %v", err)
	}
}
