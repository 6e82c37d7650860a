package teams

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/bot/chat"
)

// samples are the names of all recorded activities.
func samples(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("there are %d samples: %v", len(files), err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	return files
}

func TestBodies(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return `{"type": "message", "value": ` + strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) + `}`
	}
	tests := map[string]struct {
		body   string
		status int
	}{
		"nothing":                        {"", 400},
		"no JSON":                        {"what is this", 400},
		"half of it":                     {`{"type": "message", `, 400},
		"a list":                         {"[]", 400},
		"null":                           {"null", 400},
		"an empty object":                {"{}", 400},
		"text that is not UTF-8":         {"{\"type\": \"\xff\"}", 400},
		"nested a thousand deep":         {deep(1000), 400},
		"nested a million deep":          {strings.Repeat("[", 1_000_000), 400},
		"just over a megabyte":           {`{"text": "` + strings.Repeat("x", 1<<20) + `"}`, 413},
		"ten megabytes":                  {strings.Repeat(" ", 10<<20), 413},
		"something behind it":            {`{"type": "message"} {"type": "message"}`, 400},
		"an activity without an address": {`{"type": "message", "id": "1", "conversation": {"id": "a:1"}}`, 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			if status, said := o.post(o.ms.sign(o.ms.claims()), []byte(tt.body)); status != tt.status {
				t.Errorf("answered %d %s, want %d", status, said, tt.status)
			}
			if got := o.desk.took(); len(got) > 0 {
				t.Errorf("the desk was given %+v", got)
			}
		})
	}
	t.Run("ten megabytes that do not say how long they are", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.addr+"/api/messages", struct{ *bytes.Buffer }{bytes.NewBuffer(make([]byte, 10<<20))})
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = -1
		req.Header.Set("Authorization", "Bearer "+o.ms.sign(o.ms.claims()))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Skip("the connection was closed in the middle, which is fine too")
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("answered %d, want 413", resp.StatusCode)
		}
	})
}

// leaves calls f with each place in a JSON value and a function that puts
// something else there.
func leaves(v any, path string, put func(any), f func(path string, put func(any))) {
	f(path, put)
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			leaves(v[k], path+"/"+k, func(x any) { v[k] = x }, f)
		}
	case []any:
		for i := range v {
			leaves(v[i], fmt.Sprintf("%s/%d", path, i), func(x any) { v[i] = x }, f)
		}
	}
}

// invoke is an activity that waits for an answer.
func (o *office) invoke(name string, value any) map[string]any {
	act := o.sample("invoke-adaptiveCard-action-personal")
	act["name"], act["value"] = name, value
	return act
}

// dialogData is what a form that was sent carries.
func dialogData(t testing.TB, view string) map[string]any {
	t.Helper()
	f := chat.Form{Action: "ticket.resolve", Title: "Resolve", Submit: "Resolve", Fields: []chat.Field{{Name: "note", Label: "Note", Input: chat.Line}}}
	var card struct {
		Actions []struct {
			Data map[string]any `json:"data"`
		} `json:"actions"`
	}
	js := adaptive.Dialog(f, adaptive.Open{Meta: adaptive.Meta{Channel: "a:personal-alex", View: view}})
	if err := json.Unmarshal(js, &card); err != nil || len(card.Actions) != 1 {
		t.Fatalf("the dialog is %s: %v", js, err)
	}
	data := card.Actions[0].Data
	data["in.note"] = "it works"
	return data
}

func payloads(t testing.TB, o *office) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, s := range samples(t) {
		all[s] = o.sample(s)
	}
	press := map[string]any{"do": "ticket.claim", "args": map[string]any{"t": "1"}}
	all["press"] = o.invoke("adaptiveCard/action", map[string]any{"action": map[string]any{"type": "Action.Execute", "verb": "ticket.claim", "data": press}})
	all["fetch"] = o.invoke("task/fetch", map[string]any{"data": map[string]any{"do": "ticket.resolve", "form": true}})
	all["submit"] = o.invoke("task/submit", map[string]any{"data": dialogData(t, view(noon))})
	all["submitAction"] = o.invoke("composeExtension/submitAction", map[string]any{"commandId": "ticket.from_message", "data": dialogData(t, view(noon))})
	all["query"] = o.invoke("composeExtension/query", map[string]any{"commandId": "search", "parameters": []any{map[string]any{"name": "words", "value": "toner"}}})
	all["search"] = o.invoke("application/search", map[string]any{"queryText": "vpn", "dataset": "deskhand/article?a.t=1"})
	all["command"] = o.invoke("composeExtension/fetchTask", map[string]any{"commandId": "ticket.from_message", "messagePayload": map[string]any{
		"id": "1611060744833", "replyToId": nil, "body": map[string]any{"contentType": "html", "content": "<p>hello <at id=\"0\">Alex</at></p>"},
		"from":     map[string]any{"user": map[string]any{"id": alex}},
		"mentions": []any{map[string]any{"id": 0, "mentionText": "Alex", "mentioned": map[string]any{"user": map[string]any{"id": alex}}}}}})
	message := o.sample("message-personal")
	message["attachments"] = []any{
		map[string]any{"contentType": "text/html", "content": "<p>hello</p>"},
		map[string]any{"contentType": "image/*", "contentUrl": o.ms.service() + "/v3/attachments/1/views/original"},
		map[string]any{"contentType": "application/vnd.microsoft.teams.file.download.info", "name": "a.txt",
			"contentUrl": "https://acme.sharepoint.com/a.txt", "content": map[string]any{"downloadUrl": "https://acme.sharepoint.com/d", "uniqueId": "1", "fileType": "txt"}},
	}
	all["files"] = message
	reaction := o.sample("message-personal")
	reaction["type"], reaction["replyToId"] = "messageReaction", "1611060744833"
	reaction["reactionsAdded"], reaction["reactionsRemoved"] = []any{map[string]any{"type": "like"}}, []any{map[string]any{"type": "heart"}}
	all["reaction"] = reaction
	return all
}

// A value of another type in each place of each payload is refused, or is of no
// matter; never more.
func TestWrongTypesEverywhere(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.desk.answer = func(chat.Event) (chat.Answer, error) { return chat.Answer{}, nil }
	handler, token := o.Handler(), "Bearer "+o.ms.sign(o.ms.claims())
	tried := 0
	for name, payload := range payloads(t, o) {
		good := encoded(payload)
		fresh := func() any {
			var v any
			if err := json.Unmarshal(good, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		var paths []string
		leaves(fresh(), "", func(any) {}, func(path string, _ func(any)) { paths = append(paths, path) })
		for _, wrong := range []any{nil, true, -1.5, "", "x", []any{}, []any{map[string]any{"id": 1}}, map[string]any{}, map[string]any{"id": []any{}}} {
			for _, target := range paths[1:] {
				act := fresh()
				leaves(act, "", func(any) {}, func(path string, put func(any)) {
					if path == target {
						put(wrong)
					}
				})
				tried++
				js := encoded(act)
				if tried%17 != 0 { // the way over HTTP is the same for all
					if act, err := decodeActivity(js); err == nil && o.match(proof{serviceURL: o.ms.service(), key: signingKey{endorsements: []string{"msteams"}}}, act) == nil {
						o.digest(t, act)
					}
					continue
				}
				w := httptest.NewRecorder()
				req := httptest.NewRequest(http.MethodPost, "/api/messages", bytes.NewReader(js))
				req.Header.Set("Authorization", token)
				handler.ServeHTTP(w, req)
				switch w.Code {
				case 200, 400, 403:
				default:
					t.Errorf("%s with %v at %s is answered %d %s", name, wrong, target, w.Code, w.Body)
				}
			}
		}
	}
	if calls := o.ms.made(); len(calls) > 0 {
		t.Errorf("it has called %+v", calls)
	}
	if tried < 2000 {
		t.Errorf("only %d were tried", tried)
	}
}

// digest does with an activity all that is done behind the token.
func (o *office) digest(t testing.TB, act *activity) {
	t.Helper()
	ctx := t.Context()
	if err := o.note(ctx, act); err != nil {
		t.Errorf("note: %v", err)
	}
	check := func(e chat.Event) {
		if e.Key == "" || len(e.Key) > 200 || e.At.IsZero() || e.By.ID == "" || e.By.Workspace != tenantID || len(e.Place.Channel) > maxID || len(e.Place.Thread) > maxID {
			t.Errorf("an event that is none: %+v", e)
		}
		for _, f := range e.Files {
			address, _ := strings.CutPrefix(strings.TrimPrefix(f.URL, byToken), byLink)
			if !sameHost(address, act.ServiceURL) && !fileAddress(address, act.ServiceURL) {
				t.Errorf("a file of somebody else's: %+v", f)
			}
		}
	}
	if strings.EqualFold(string(act.Type), "invoke") {
		in, err := o.Adapter.invoke(ctx, act)
		if err != nil {
			return
		}
		check(in.event)
		reply, _, err := o.answer(ctx, in)
		if err != nil {
			t.Errorf("answer: %v", err)
		}
		if _, err := json.Marshal(reply); err != nil {
			t.Errorf("a reply that can't be written: %v", err)
		}
		return
	}
	events, err := o.events(ctx, act)
	if err == nil && len(events) == 0 {
		t.Error("no event and no reason")
	}
	for _, e := range events {
		check(e)
	}
}

func TestInvokesThatAreNone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, name := range []string{"", "what/is/this", "ADAPTIVECARD/ACTION", "signin/tokenExchange", "fileConsent/invoke", strings.Repeat("x", 10_000)} {
		if status, _ := o.post(o.ms.sign(o.ms.claims()), encoded(o.invoke(name, map[string]any{}))); status != http.StatusBadRequest {
			t.Errorf("the invoke %.20q is answered %d, want 400", name, status)
		}
	}
	// What no card of the desk's can have sent gets words.
	for name, value := range map[string]any{
		"adaptiveCard/action": map[string]any{"action": map[string]any{"type": "Action.Execute", "verb": "ack", "data": map[string]any{"ticket": "INC0001"}}},
		"task/fetch":          map[string]any{"data": map[string]any{"open": "x"}},
		"task/submit":         map[string]any{"data": map[string]any{"comment": "nobody asked"}},
	} {
		said := o.gets(o.invoke(name, value))
		if !strings.Contains(said, wordsUnknown) {
			t.Errorf("%s of nobody's is answered %s", name, said)
		}
	}
	if got := o.desk.took(); len(got) > 0 {
		t.Errorf("the desk was given %+v", got)
	}
}

func TestTheRecordIsAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.desk.err = errAway
	if status, _ := o.post(o.ms.sign(o.ms.claims()), encoded(o.sample("message-personal"))); status != http.StatusServiceUnavailable {
		t.Errorf("a message that can't be stored is answered %d, want 503", status)
	}
	all := payloads(t, o)
	for name, want := range map[string]string{"press": wordsNoRecords, "fetch": wordsNoRecords, "query": wordsNoRecords, "submit": "it works"} {
		said := o.gets(all[name])
		if !strings.Contains(said, want) || name == "submit" && !strings.Contains(said, wordsNoRecords) {
			t.Errorf("%s is answered %s", name, said)
		}
	}
	// Nothing has happened, so the same may come again.
	o.desk.mu.Lock()
	o.desk.err = nil
	before := len(o.desk.events)
	o.desk.mu.Unlock()
	o.gets(all["submit"])
	if got := o.desk.took(); len(got) != before+1 {
		t.Errorf("what could not be answered does not come again: %d events after %d", len(got), before)
	}
	o.gets(all["submit"])
	if got := o.desk.took(); len(got) != before+1 {
		t.Errorf("what was answered comes again: %d events after %d", len(got), before)
	}
}

func TestRepetitionsGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var held = make(chan struct{})
	o.desk.answer = func(chat.Event) (chat.Answer, error) {
		<-held
		return chat.Answer{Private: &chat.Card{Text: "You have it."}}, nil
	}
	press := payloads(t, o)["press"]
	said := make(chan string, 3)
	for range 3 {
		go func() { said <- o.gets(press) }()
	}
	time.AfterFunc(20*time.Millisecond, func() { close(held) })
	for range 3 {
		if got := <-said; !strings.Contains(got, "You have it.") {
			t.Errorf("answered %s", got)
		}
	}
	if got := o.desk.took(); len(got) != 1 {
		t.Errorf("the desk was asked %d times", len(got))
	}
}

func FuzzActivity(f *testing.F) {
	o := newOffice(f)
	o.desk.answer = func(e chat.Event) (chat.Answer, error) {
		switch len(e.Key) % 4 {
		case 0:
			return chat.Answer{Form: &chat.Form{Action: "a", Title: "A"}}, nil
		case 1:
			return chat.Answer{Errors: map[string]string{"x": "no"}}, nil
		case 2:
			return chat.Answer{Private: &chat.Card{Text: "x"}}, nil
		}
		return chat.Answer{Card: &ticketCard}, nil
	}
	const service = "https://smba.trafficmanager.net/amer/" // the same in every process that fuzzes
	for _, p := range payloads(f, o) {
		js := bytes.ReplaceAll(encoded(p), []byte(o.ms.service()), []byte(service))
		f.Add(js)
	}
	f.Fuzz(func(t *testing.T, js []byte) {
		act, err := decodeActivity(js)
		if err != nil || o.match(proof{serviceURL: service, key: signingKey{endorsements: []string{"msteams"}}}, act) != nil {
			return
		}
		o.digest(t, act)
		if calls := o.ms.made(); len(calls) > 0 {
			t.Fatalf("it has called %+v", calls)
		}
	})
}
