package teamstest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

func conv(id string) string { return "/v3/conversations/" + url.PathEscape(id) }

func code(body map[string]any) string {
	e, _ := body["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func TestWhatTheConnectorRefuses(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	chat, help := conv(a.chat("ana")), conv("19:help@thread.tacv2")
	own := a.post(a.chat("ana"), map[string]any{"text": "hello"})
	theirs, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: "hi"})
	must(t, err)
	msg := func(more string) string { return `{"type":"message"` + more + `}` }
	mention := `,"text":"Hi <at>Ana</at>","entities":[{"type":"mention","text":"<at>Ana</at>","mentioned":{"id":%q,"name":"Ana"}}]`
	att := func(x string) string { return msg(`,"attachments":[` + x + `]`) }
	cardOf := func(c string) string {
		return `{"contentType":"application/vnd.microsoft.card.adaptive","content":` + c + `}`
	}
	for _, tt := range []struct {
		name, call, body string
		status           int
		code             string
	}{
		{"a conversation that is not there", "POST " + conv("19:none@thread.v2") + "/activities", msg(`,"text":"a"`), 404, "ConversationNotFound"},
		{"a chat with somebody who has not the app", "POST " + conv(a.chat("gus")) + "/activities", msg(`,"text":"a"`), 403, "BotNotInConversationRoster"},
		{"a thread that is not there", "POST " + conv("19:help@thread.tacv2;messageid=1") + "/activities", msg(`,"text":"a"`), 404, "ActivityNotFoundInConversation"},
		{"an answer to nothing", "POST " + help + "/activities/1", msg(`,"text":"a"`), 404, "ActivityNotFoundInConversation"},
		{"a body that is not JSON", "POST " + chat + "/activities", `{"type":`, 400, "BadSyntax"},
		{"a body that is no object", "POST " + chat + "/activities", `[]`, 400, "BadSyntax"},
		{"nothing to say", "POST " + chat + "/activities", msg(""), 400, "BadSyntax"},
		{"a reaction", "POST " + chat + "/activities", `{"type":"messageReaction","reactionsAdded":[{"type":"like"}]}`, 400, "BadSyntax"},
		{"another's name", "POST " + chat + "/activities", msg(`,"text":"a","from":{"id":"28:` + a.w.App().ID + `","name":"Ana Lima"}`), 400, "BadSyntax"},
		{"another's account", "POST " + chat + "/activities", msg(`,"text":"a","from":{"id":"29:ana"}`), 400, "BadSyntax"},
		{"the address of another conversation", "POST " + chat + "/activities", msg(`,"text":"a","conversation":{"id":"19:help@thread.tacv2"}`), 400, "BadSyntax"},
		{"an unknown text format", "POST " + chat + "/activities", msg(`,"text":"a","textFormat":"html"`), 400, "BadSyntax"},
		{"XML that is none", "POST " + chat + "/activities", msg(`,"text":"a <b>c","textFormat":"xml"`), 400, "BadSyntax"},
		{"XML", "POST " + chat + "/activities", msg(`,"text":"a <b>c</b>&nbsp;&lt;d&gt;<br>e","textFormat":"xml"`), 201, ""},
		{"a text that is a number", "POST " + chat + "/activities", msg(`,"text":5`), 400, "BadSyntax"},
		{"a mention", "POST " + chat + "/activities", msg(fmt.Sprintf(mention, "29:ana")), 201, ""},
		{"a mention of somebody who is not there", "POST " + chat + "/activities", msg(fmt.Sprintf(mention, "29:ben")), 400, "BadSyntax"},
		{"a mention that no entity explains", "POST " + chat + "/activities", msg(`,"text":"Hi <at>Ana</at>"`), 400, "BadSyntax"},
		{"a mention that is not in the text", "POST " + chat + "/activities", msg(strings.Replace(fmt.Sprintf(mention, "29:ana"), "Hi <at>", "Hi <b>", 1)), 400, "BadSyntax"},
		{"a bad card", "POST " + chat + "/activities", att(cardOf(card(`{"type":"TextBlock"}`, ""))), 400, "BadSyntax"},
		{"two cards", "POST " + chat + "/activities", att(cardOf(card(hello, "")) + "," + cardOf(card(hello, ""))), 400, "BadSyntax"},
		{"a card for nobody who is there", "POST " + chat + "/activities", att(cardOf(`{"type":"AdaptiveCard","version":"1.5","body":[` + hello + `],"refresh":{"action":{"type":"Action.Execute","verb":"v"},"userIds":["29:nobody"]}}`)), 400, "BadSyntax"},
		{"an attachment of no type", "POST " + chat + "/activities", att(`{"contentType":"application/pdf","contentUrl":"https://a.test/x.pdf"}`), 400, "BadSyntax"},
		{"an image that is none", "POST " + chat + "/activities", att(`{"contentType":"image/png","contentUrl":"data:image/png;base64,%%%"}`), 400, "BadSyntax"},
		{"an image", "POST " + chat + "/activities", att(`{"contentType":"image/png","contentUrl":"data:image/png;base64,aGk="}`), 201, ""},
		{"a file in a channel", "POST " + help + "/activities", att(`{"contentType":"application/vnd.microsoft.teams.card.file.consent","name":"a.txt","content":{}}`), 400, "BadSyntax"},
		{"a private message, which is a preview", "POST " + help + "/activities?isTargetedActivity=true", msg(`,"text":"a","recipient":{"id":"29:ana"}`), 400, "BadArgument"},
		{"another id in the body", "PUT " + chat + "/activities/" + own, msg(`,"text":"a","id":"7"`), 400, "BadArgument"},
		{"a person's message to update", "PUT " + chat + "/activities/" + theirs.ID, msg(`,"text":"a"`), 403, "ForbiddenOperationException"},
		{"a person's message to delete", "DELETE " + chat + "/activities/" + theirs.ID, ``, 403, "ForbiddenOperationException"},
		{"a message that is not there to delete", "DELETE " + chat + "/activities/7", ``, 404, "ActivityNotFoundInConversation"},
		{"a message of another conversation", "PUT " + help + "/activities/" + own, msg(`,"text":"a"`), 404, "ActivityNotFoundInConversation"},
		{"a chat in another tenant", "POST /v3/conversations", `{"members":[{"id":"29:ana"}],"tenantId":"x"}`, 400, "BadSyntax"},
		{"a chat with nobody", "POST /v3/conversations", `{"members":[],"tenantId":"` + a.w.ID() + `"}`, 400, "BadSyntax"},
		{"a chat with somebody unknown", "POST /v3/conversations", `{"members":[{"id":"29:nobody"}],"tenantId":"` + a.w.ID() + `"}`, 404, "MemberNotFoundInConversation"},
		{"a chat with somebody by their handle", "POST /v3/conversations", `{"members":[{"id":"ana"}],"tenantId":"` + a.w.ID() + `"}`, 404, "MemberNotFoundInConversation"},
		{"a chat with somebody who has not the app yet", "POST /v3/conversations", `{"members":[{"id":"29:gus"}],"tenantId":"` + a.w.ID() + `"}`, 403, "ForbiddenOperationException"},
		{"a post in no channel", "POST /v3/conversations", `{"isGroup":true,"channelData":{"channel":{"id":"x"}},"activity":` + msg(`,"text":"a"`) + `}`, 404, "ConversationNotFound"},
		{"an empty post", "POST /v3/conversations", `{"isGroup":true,"channelData":{"channel":{"id":"19:help@thread.tacv2"}}}`, 400, "BadSyntax"},
		{"a member who is not there", "GET " + help + "/members/29:gus", ``, 404, "MemberNotFoundInConversation"},
		{"a team that is not there", "GET /v3/teams/x", ``, 404, "TeamNotFound"},
		{"an image that is not there", "GET /v3/attachments/x/views/original", ``, 404, "AttachmentNotFound"},
	} {
		method, path, _ := strings.Cut(tt.call, " ")
		var body any
		if tt.body != "" {
			body = rawBody(tt.body)
		}
		status, got, _ := a.call(method, path, body)
		if status != tt.status || code(got) != tt.code {
			t.Errorf("%s: %d %v; want %d %s", tt.name, status, got, tt.status, tt.code)
		}
	}
}

// rawBody is sent as it is, JSON or not.
type rawBody string

func TestTooMuchIsRefusedWithAPage(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	long := func(n int) map[string]any {
		return map[string]any{"type": "message", "text": strings.Repeat("x", n)}
	}
	if status, _, _ := a.try("POST", conv(a.chat("ana"))+"/activities", long(30_000)); status != 201 {
		t.Errorf("30,000 characters: %d", status)
	}
	status, page, _ := a.try("POST", conv(a.chat("ana"))+"/activities", long(120_000))
	if s, _ := page.(string); status != 413 || !strings.Contains(s, "<pre>") {
		t.Errorf("120,000 characters: %d %v", status, page)
	}
	id := a.post(a.chat("ana"), map[string]any{"text": "a"})
	if status, _, _ := a.try("PUT", conv(a.chat("ana"))+"/activities/"+id, long(60_000)); status != 413 {
		t.Errorf("60,000 characters in an update: %d", status)
	}
}

func TestAChannelHasThreads(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	root := a.post("19:help@thread.tacv2", map[string]any{"text": "a post"})
	inThread := a.post("19:help@thread.tacv2;messageid="+root, map[string]any{"text": "in it"})
	_, reply, _ := a.call("POST", conv("19:help@thread.tacv2")+"/activities/"+inThread, map[string]any{"type": "message", "text": "a reply to the reply"})
	_, made, _ := a.call("POST", "/v3/conversations", map[string]any{
		"isGroup": true, "channelData": map[string]any{"channel": map[string]any{"id": "19:help@thread.tacv2"}},
		"activity": map[string]any{"type": "message", "text": "another post"},
	})
	posts, err := a.w.Person("ana").Messages("Help", "", 10)
	must(t, err)
	if len(posts) != 2 || posts[0].Text != "a post" || posts[0].Replies != 2 || posts[1].ID != made["activityId"] {
		t.Errorf("the channel has %+v", posts)
	}
	thread, err := a.w.Person("ben").Thread("Help", root)
	must(t, err)
	if len(thread) != 3 || thread[2].ID != reply["id"] || thread[2].Thread != root {
		t.Errorf("the thread has %+v", thread)
	}
}

func TestAPrivateMessageWhereThePreviewIsOn(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{Targeted: true})
	status, _, _ := a.call("POST", conv("19:group@thread.v2")+"/activities?isTargetedActivity=true", map[string]any{
		"type": "message", "text": "for you", "recipient": map[string]any{"id": "29:ana"},
	})
	ana, err := a.w.Person("ana").Messages("Lunch", "", 10)
	must(t, err)
	ben, err := a.w.Person("ben").Messages("Lunch", "", 10)
	must(t, err)
	if status != 201 || len(ana) != 1 || len(ben) != 0 {
		t.Errorf("%d: ana sees %d, ben sees %d", status, len(ana), len(ben))
	}
}

func TestMembersComeInPages(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	var names []string
	for i := range 120 {
		u, err := a.w.AddUser(teamstest.User{Name: fmt.Sprintf("p%d", i)})
		must(t, err)
		names = append(names, u.Name)
	}
	_, err := a.w.AddTeam(teamstest.Team{ID: "19:big@thread.tacv2", Name: "Big", Members: names, Installed: true})
	must(t, err)
	seen := map[any]bool{}
	at, pages := "?pageSize=1", 0
	for at != "" {
		_, page, _ := a.call("GET", conv("19:big@thread.tacv2")+"/pagedmembers"+at, nil)
		for _, m := range page["members"].([]any) {
			seen[m.(map[string]any)["aadObjectId"]] = true
		}
		at = ""
		if next, ok := page["continuationToken"].(string); ok {
			at = "?pageSize=1&continuationToken=" + url.QueryEscape(next)
		}
		pages++
	}
	if len(seen) != 120 || pages != 3 {
		t.Errorf("%d members on %d pages; a page has 50 at least", len(seen), pages)
	}
	ana, _ := a.w.User("p7")
	if _, m, _ := a.call("GET", conv("19:big@thread.tacv2")+"/members/"+ana.ObjectID, nil); m["id"] != ana.ID {
		t.Errorf("by the object id: %v", m)
	}
}

func TestThrottlingByTheDocumentedWindows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		every  time.Duration // between calls
		pacing teamstest.Pacing
		passes int
		wait   string
	}{
		{"all at once: 7 in a second", 0, teamstest.TeamsPacing, 7, "1"},
		{"5 a second: 8 in two seconds", 200 * time.Millisecond, teamstest.TeamsPacing, 8, "1"},
		{"3 a second: 60 in half a minute", 334 * time.Millisecond, teamstest.TeamsPacing, 60, "10"},
		{"one in a second and a half: 1,800 in an hour", 1500 * time.Millisecond, teamstest.TeamsPacing, 1800, "900"},
		{"half as many", 0, teamstest.Pacing{Windows: true, Times: 0.5}, 3, "1"},
		{"50 a second in all", 0, teamstest.Pacing{PerSecond: 50}, 50, "1"},
		{"without limits", 0, teamstest.Pacing{}, 100, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
			a := newApp(t, teamstest.Options{Now: func() time.Time { return now }, TokenLife: 100 * time.Hour, Pacing: tt.pacing})
			a.login()
			passed := 0
			for range tt.passes + 1 {
				status, body, resp := a.call("POST", conv(a.chat("ana"))+"/activities", map[string]any{"type": "message", "text": "x"})
				if status == 201 {
					passed++
					now = now.Add(tt.every)
					continue
				}
				if passed != tt.passes || status != 429 || code(body) != "Throttled" || resp.Header.Get("Retry-After") != tt.wait {
					t.Errorf("after %d: %d %v, Retry-After %s; want it after %d, %s", passed, status, body, resp.Header.Get("Retry-After"), tt.passes, tt.wait)
				}
				if tt.pacing.Windows {
					if status, _, _ := a.call("POST", conv(a.chat("ben"))+"/activities", map[string]any{"type": "message", "text": "x"}); status != 201 {
						t.Errorf("another conversation has to wait too: %d", status)
					}
				}
				return
			}
			if tt.wait != "" {
				t.Errorf("all of %d passed", passed)
			}
		})
	}
}

func TestCallsFailOnDemand(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	send := func() (int, any) {
		status, body, _ := a.try("POST", conv(a.chat("ana"))+"/activities", map[string]any{"type": "message", "text": "x"})
		return status, body
	}
	posted := func() int {
		list, err := a.w.Person("ana").Messages(a.chat("ana"), "", 100)
		must(t, err)
		return len(list)
	}
	a.w.FailNext("send", teamstest.Fault{Status: 412}, teamstest.Fault{Status: 502}, teamstest.Fault{RetryAfter: 3 * time.Second}, teamstest.Fault{Status: 500})
	for _, want := range []int{412, 502, 429, 500} {
		status, body := send()
		_, page := body.(string)
		if status != want || page != (want == 502) {
			t.Errorf("%d %v; want %d", status, body, want)
		}
	}
	if n := posted(); n != 0 {
		t.Errorf("%d messages came of calls that failed", n)
	}
	a.w.FailNext("send", teamstest.Fault{After: 504}, teamstest.Fault{Lose: true})
	if status, _ := send(); status != 504 || posted() != 1 {
		t.Errorf("a gateway that gave up: %d, %d messages", status, posted())
	}
	if status, _ := send(); status != 0 || posted() != 2 {
		t.Errorf("a lost answer: %d, %d messages", status, posted())
	}
	a.w.OnCall(teamstest.Share(0.5, teamstest.Fault{Status: 504}, "send"))
	failed := 0
	for range 200 {
		if status, _ := send(); status == 504 {
			failed++
		}
	}
	if failed < 70 || failed > 130 {
		t.Errorf("%d of 200 failed; half were to", failed)
	}
	a.w.OnCall(nil)
	a.w.FailNext("token", teamstest.Fault{Status: 502})
	resp, err := http.PostForm(a.w.TokenURL(), url.Values{})
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != 502 {
		t.Errorf("the token endpoint: %d", resp.StatusCode)
	}
	calls := a.w.Calls()
	if last := calls[len(calls)-1]; last.Op != "token" || last.Status != 502 {
		t.Errorf("the last call was %+v", last)
	}
	if s := a.w.Stats(); s.Errors["412"] != 1 || s.Errors["connection cut"] != 1 {
		t.Errorf("the counters are %+v", s)
	}
}

func TestFilesAndImages(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	ana := a.w.Person("ana")
	_, err := ana.Say(teamstest.Post{
		Channel: a.chat("ana"), Text: "look", Files: []teamstest.Upload{{Name: "log é.txt", Data: []byte("the log")}},
		Images: []teamstest.Upload{{Name: "shot.png", Data: []byte("the picture")}},
	})
	must(t, err)
	list := a.only("message")["attachments"].([]any)
	if len(list) != 3 {
		t.Fatalf("attachments are %v", list)
	}
	image, file, html := activity(list[0].(map[string]any)), activity(list[1].(map[string]any)), activity(list[2].(map[string]any))
	if image.text("contentType") != "image/*" || file.text("contentType") != "application/vnd.microsoft.teams.file.download.info" || html.text("contentType") != "text/html" {
		t.Errorf("attachments are %v", list)
	}
	fetch := func(at, token string) (int, string) {
		req, err := http.NewRequest("GET", at, nil)
		must(t, err)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		must(t, err)
		return resp.StatusCode, string(b)
	}
	at := image.text("contentUrl")
	if !strings.HasPrefix(at, a.w.ServiceURL()) {
		t.Errorf("the picture is at %s", at)
	}
	if status, _ := fetch(at, ""); status != 401 {
		t.Errorf("the picture without a token: %d", status)
	}
	if status, b := fetch(at, a.login()); status != 200 || b != "the picture" {
		t.Errorf("the picture: %d %q", status, b)
	}
	if status, b := fetch(file.text("content", "downloadUrl"), ""); status != 200 || b != "the log" {
		t.Errorf("the file: %d %q", status, b)
	}
	if up, ok := ana.Attachment(at); !ok || string(up.Data) != "the picture" {
		t.Errorf("ana's client shows %v", up)
	}
	if _, ok := a.w.Person("ben").Attachment(at); ok {
		t.Errorf("ben's client shows ana's picture")
	}
	// In a channel the file is only named.
	_, err = ana.Say(teamstest.Post{Channel: "Help", Text: "@Desk look", Files: []teamstest.Upload{{Name: "log.txt", Data: []byte("x")}}})
	must(t, err)
	a.idle()
	all := a.sent("message")
	list = all[len(all)-1]["attachments"].([]any)
	if len(list) != 1 || !strings.Contains(activity(list[0].(map[string]any)).text("content"), "<attachment id=") {
		t.Errorf("in a channel the attachments are %v", list)
	}
}

func TestAFileComesByConsent(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	id := a.post(a.chat("ana"), map[string]any{"attachments": []any{map[string]any{
		"contentType": "application/vnd.microsoft.teams.card.file.consent", "name": "report.csv",
		"content": map[string]any{"description": "The report", "sizeInBytes": 3, "acceptContext": map[string]any{"k": "v"}, "declineContext": map[string]any{}},
	}}})
	must(t, a.w.Person("ana").Consent(id, true))
	act := a.only("fileConsent/invoke")
	if act.text("value", "context", "k") != "v" || act.text("value", "action") != "accept" {
		t.Errorf("the app is told %v", act["value"])
	}
	at := act.text("value", "uploadInfo", "uploadUrl")
	put := func(rng string) int {
		req, err := http.NewRequest("PUT", at, strings.NewReader("a,b"))
		must(t, err)
		req.Header.Set("Content-Range", rng)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, want := range []struct {
		rng    string
		status int
	}{{"", 400}, {"bytes 0-2/3", 201}, {"bytes 0-2/3", 404}} {
		if status := put(want.rng); status != want.status {
			t.Errorf("uploading %q: %d, want %d", want.rng, status, want.status)
		}
	}
	resp, err := http.Get(act.text("value", "uploadInfo", "contentUrl"))
	must(t, err)
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "a,b" {
		t.Errorf("the file is %q", b)
	}
}
