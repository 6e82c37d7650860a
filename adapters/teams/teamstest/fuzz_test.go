package teamstest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// Whatever an app sends, Teams answers with what it documents, and what it has
// taken is what people see.
func FuzzOutbound(f *testing.F) {
	for _, s := range []string{
		`{"type":"message","text":"hello"}`, `{"type":"typing"}`, `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` + card(hello, claim) + `}]}`,
		`{"type":"message","text":"Hi <at>Ana</at>","entities":[{"type":"mention","text":"<at>Ana</at>","mentioned":{"id":"29:ana","name":"Ana"}}]}`,
		`{"type":"message","text":"a","textFormat":"xml","from":{"id":"x"},"conversation":{"id":5}}`, `[]`, `{"type":["message"]}`,
	} {
		f.Add(s)
	}
	w, err := teamstest.New(teamstest.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = w.Close() })
	if _, err := w.AddUser(teamstest.User{Name: "ana", Installed: true}); err != nil {
		f.Fatal(err)
	}
	if err := w.Listen("127.0.0.1:0"); err != nil {
		f.Fatal(err)
	}
	chat, err := w.Person("ana").Chat()
	if err != nil {
		f.Fatal(err)
	}
	token, err := w.AppToken()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		req, err := http.NewRequest("POST", w.ServiceURL()+"v3/conversations/"+url.PathEscape(chat)+"/activities", strings.NewReader(s))
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusAccepted, http.StatusRequestEntityTooLarge:
		case http.StatusBadRequest:
			var is struct {
				Error struct{ Code, Message string }
			}
			if err := json.NewDecoder(resp.Body).Decode(&is); err != nil || is.Error.Code == "" || is.Error.Message == "" {
				t.Errorf("%q is refused without a reason: %+v, %v", s, is, err)
			}
		case http.StatusCreated:
			var made struct{ ID string }
			must(t, json.NewDecoder(resp.Body).Decode(&made))
			m, ok := w.Message(chat, made.ID)
			if !ok || !json.Valid([]byte(s)) {
				t.Errorf("%q is taken and not there: %+v", s, m)
			}
			seen, err := w.Person("ana").See(chat, made.ID)
			must(t, err)
			if w.Render(seen) == "" && len(m.Attachments) == 0 {
				t.Errorf("%q shows nothing: %+v", s, seen)
			}
		default:
			t.Errorf("%q: %d", s, resp.StatusCode)
		}
	})
}

// Whatever an app answers to an invoke, people see something: the card, a
// dialog, words, or that it went wrong.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"hi"}`,
		`{"statusCode":200,"type":"application/vnd.microsoft.card.adaptive","value":` + card(hello, claim) + `}`,
		`{"statusCode":400,"type":"application/vnd.microsoft.error","value":{"code":"BadRequest","message":"no"}}`,
		`{"task":{"type":"continue","value":{"title":"a","card":{"contentType":"application/vnd.microsoft.card.adaptive","content":` + ask("") + `}}}}`,
		`{"task":{"type":"message","value":"x"}}`, `{"task":null}`, `{}`, ``, `null`,
		`{"composeExtension":{"type":"result","attachmentLayout":"list","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` + card(hello, "") + `,"preview":{"contentType":"application/vnd.microsoft.card.thumbnail","content":{"title":"t"}}}]}}`,
		`{"composeExtension":{"type":"message","text":"x"}}`, `{"composeExtension":{"type":"message","text":" "}}`, `[]`,
		`{"composeExtension":{"type":"result","attachmentLayout":"list","attachments":[{"contentType":"x"}]}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := teamstest.New(teamstest.Options{App: teamstest.App{Commands: []teamstest.Command{
			{ID: "act", OnMessage: true}, {ID: "find", Search: true, Parameter: "q"},
		}}, InvokeWithin: 5 * time.Second})
		must(t, err)
		defer func() { must(t, w.Close()) }()
		_, err = w.AddUser(teamstest.User{Name: "ana", Installed: true})
		must(t, err)
		must(t, w.Answers([]byte(s)))
	})
}
