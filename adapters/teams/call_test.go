package teams

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

func message1() chat.Post {
	return chat.Post{ID: "1", Kind: chat.Message, Place: chat.Place{Platform: "teams", Workspace: tenantID, Channel: "a:personal-alex"}, Card: chat.Card{Text: "hello"}}
}

func message2() chat.Post {
	p := message1()
	p.Card = ticketCard
	return p
}

// must sends to where something has come from.
func (o *office) must(t testing.TB, p chat.Post) chat.Ref {
	t.Helper()
	ref, err := o.Send(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// heard is an office to which alex has written.
func heard(t testing.TB, change ...func(*Options)) *office {
	o := newOffice(t, change...)
	o.gets(o.sample("message-personal"))
	o.gets(o.sample("message-channel"))
	return o
}

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	o := heard(t)
	ref := o.must(t, message1())
	if want := (chat.Ref{Channel: "a:personal-alex", Message: "1795227415262"}); ref != want {
		t.Errorf("the message stands at %+v, want %+v", ref, want)
	}
	c := o.ms.made()[0]
	if c.Method != http.MethodPost || c.Path != "/amer/v3/conversations/a%3Apersonal-alex/activities" || c.Auth != "Bearer out-1" || c.Body["text"] != "hello" {
		t.Errorf("sent as %+v", c)
	}
	if _, both := c.Body["attachments"]; both {
		t.Error("a message with text and attachments is split by Teams")
	}
	if err := o.Update(t.Context(), ref, message2()); err != nil {
		t.Fatal(err)
	}
	c = o.ms.made()[1]
	if c.Method != http.MethodPut || c.Path != "/amer/v3/conversations/a%3Apersonal-alex/activities/1795227415262" || c.Body["text"] != nil || c.Body["summary"] == "" {
		t.Errorf("updated as %+v", c)
	}
	// A channel's thread has its own address.
	p := message1()
	p.Place = o.place(incident, "1795227394790")
	o.must(t, p)
	if c := o.ms.made()[2]; c.Path != "/amer/v3/conversations/19%3Ateam-incidents%40thread.tacv2%3Bmessageid%3D1795227394790/activities" {
		t.Errorf("an answer in a thread went to %s", c.Path)
	}
	o.ms.answers(func(call) (int, map[string]string, string) {
		return 201, nil, `{"id": "19:team-incidents@thread.tacv2;messageid=1795227398020", "activityId": "1795227398020"}`
	})
	p.Place.Thread = ""
	if ref := o.must(t, p); ref != (chat.Ref{Channel: incident, Message: "1795227398020"}) {
		t.Errorf("a new post stands at %+v", ref)
	}
	if c := o.ms.made()[3]; c.Path != "/amer/v3/conversations" {
		t.Errorf("a new post went to %s", c.Path)
	}
	if _, tokens := o.ms.counted(); tokens != 1 {
		t.Errorf("%d tokens were asked for", tokens)
	}
}

const page = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><pre>Payload Too Large</pre></body></html>\n"

func TestWhatTeamsSays(t *testing.T) {
	t.Parallel()
	is := func(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }
	refusal := func(err error) bool { _, ok := errors.AsType[*chat.RefusedError](err); return ok }
	limited := func(after time.Duration) func(error) bool {
		return func(err error) bool {
			l, ok := errors.AsType[*chat.LimitedError](err)
			return ok && l.After >= after && l.After <= after+time.Second
		}
	}
	passing := func(err error) bool {
		return err != nil && !errors.Is(err, chat.ErrGone) && !errors.Is(err, chat.ErrUnsure) && !refusal(err) && outcome(err) != "limited"
	}
	fail := func(code string) string {
		return `{"error": {"code": "` + code + `", "message": "out-1 is not a good token"}}`
	}
	tests := []struct {
		name    string
		status  int
		body    string
		header  map[string]string
		create  func(error) bool
		replace func(error) bool
	}{
		{"too many requests", 429, fail("Throttled"), map[string]string{"Retry-After": "17"}, limited(17 * time.Second), limited(17 * time.Second)},
		{"too many, without a time", 429, page, nil, limited(2 * time.Second), limited(2 * time.Second)},
		{"too many, for absurdly long", 429, "", map[string]string{"Retry-After": "999999999"}, limited(time.Hour), limited(time.Hour)},
		{"precondition failed", 412, fail("PreconditionFailed"), nil, passing, passing},
		{"bad gateway", 502, page, nil, is(chat.ErrUnsure), passing},
		{"gateway timeout", 504, page, nil, is(chat.ErrUnsure), passing},
		{"service error", 500, fail("ServiceError"), nil, is(chat.ErrUnsure), passing},
		{"unavailable", 503, page, nil, is(chat.ErrUnsure), passing},
		{"unknown message", 404, fail("ActivityNotFoundInConversation"), nil, is(chat.ErrGone), is(chat.ErrGone)},
		{"unknown conversation", 404, fail("ConversationNotFound"), nil, is(chat.ErrGone), is(chat.ErrGone)},
		{"the bot was removed", 403, fail("BotNotInConversationRoster"), nil, is(chat.ErrGone), is(chat.ErrGone)},
		{"blocked", 403, fail("MessageWritesBlocked"), nil, is(chat.ErrGone), is(chat.ErrGone)},
		{"gone, as a bad request", 400, fail("ConversationNotFound"), nil, is(chat.ErrGone), is(chat.ErrGone)},
		{"bad syntax", 400, fail("BadSyntax"), nil, refusal, refusal},
		{"too large, as a page", 413, page, nil, refusal, refusal},
		{"not implemented", 501, fail("DeleteActivityAPINotImplemented"), nil, refusal, refusal},
		{"the token is not taken", 401, fail("Unauthorized"), nil, passing, passing},
		{"a redirection", 302, "", map[string]string{"Location": "https://evil.example/"}, passing, passing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := heard(t)
			o.ms.answers(func(call) (int, map[string]string, string) { return tt.status, tt.header, tt.body })
			_, err := o.Send(t.Context(), message1())
			if !tt.create(err) {
				t.Errorf("Send: %v", err)
			}
			err2 := o.Update(t.Context(), chat.Ref{Channel: "a:personal-alex", Message: "1"}, message1())
			if !tt.replace(err2) {
				t.Errorf("Update: %v", err2)
			}
			for _, err := range []error{err, err2} {
				if err == nil {
					continue
				}
				quiet(t, err.Error())
				if strings.ContainsAny(err.Error(), "<>") {
					t.Errorf("a page is shown: %v", err)
				}
			}
			for _, c := range o.ms.made() {
				if !strings.HasPrefix(c.Path, "/amer/") {
					t.Errorf("it has called %s", c.Path)
				}
			}
		})
	}
}

func TestAnAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	o := heard(t)
	cut := func(w http.ResponseWriter) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = c.Close()
		}
	}
	inner := o.ms.Config.Handler
	o.ms.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/amer/") {
			cut(w)
			return
		}
		inner.ServeHTTP(w, r)
	})
	if _, err := o.Send(t.Context(), message1()); !errors.Is(err, chat.ErrUnsure) {
		t.Errorf("Send with its answer lost: %v, want ErrUnsure", err)
	}
	if err := o.Update(t.Context(), chat.Ref{Channel: "a:personal-alex", Message: "1"}, message1()); err == nil || errors.Is(err, chat.ErrUnsure) {
		t.Errorf("Update with its answer lost: %v", err)
	}
	// What has not left the house has had no effect.
	o.ms.Close()
	if _, err := o.Send(t.Context(), message1()); err == nil || errors.Is(err, chat.ErrUnsure) {
		t.Errorf("Send to nobody: %v", err)
	}
	o.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done() // as when all the ports are used up
		return nil, ctx.Err()
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := o.Send(ctx, message1()); err == nil || errors.Is(err, chat.ErrUnsure) {
		t.Errorf("Send that never got a connection: %v", err)
	}
}

func TestTokensForCalls(t *testing.T) {
	t.Parallel()
	o := heard(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := o.Send(t.Context(), message1()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, tokens := o.ms.counted(); tokens != 1 {
		t.Errorf("%d tokens were asked for by 20 calls at once", tokens)
	}
	// Near its end it is renewed, and nobody waits for that.
	o.pass(56 * time.Minute)
	o.must(t, message1())
	deadline := time.After(5 * time.Second)
	for _, tokens := o.ms.counted(); tokens != 2; _, tokens = o.ms.counted() {
		select {
		case <-deadline:
			t.Fatal("a token is not renewed before it ends")
		case <-time.After(time.Millisecond):
		}
	}
	if auth := o.ms.made()[20].Auth; auth != "Bearer out-1" {
		t.Errorf("while it is renewed the call is made with %q", auth)
	}
}

func TestATokenThatIsNotTaken(t *testing.T) {
	t.Parallel()
	o := heard(t)
	ref := o.must(t, message1())
	only := func(good string) func(call) (int, map[string]string, string) {
		return func(c call) (int, map[string]string, string) {
			if c.Auth == "Bearer "+good {
				return http.StatusCreated, nil, `{"id": "1795227415262"}`
			}
			return http.StatusUnauthorized, nil, `{"error": {"code": "Unauthorized"}}`
		}
	}
	o.pass(tokenYoung)
	o.ms.answers(only("out-2"))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := o.Send(t.Context(), message1()); err != nil {
				t.Errorf("a message whose token is not taken: %v", err)
			}
		})
	}
	all.Wait()
	if _, tokens := o.ms.counted(); tokens != 2 {
		t.Errorf("%d tokens were asked for, want one in place of the first", tokens)
	}
	o.pass(tokenYoung)
	o.ms.answers(only("out-3"))
	if err := o.Update(t.Context(), ref, message1()); err != nil {
		t.Errorf("an update whose token is not taken: %v", err)
	}
	// When none is taken, each call is tried twice at most, and tokens are left alone.
	o.pass(tokenYoung)
	o.ms.answers(only("none at all"))
	before := len(o.ms.made())
	for range 10 {
		if _, err := o.Send(t.Context(), message1()); err == nil || errors.Is(err, chat.ErrUnsure) {
			t.Errorf("Send without a token that is taken: %v", err)
		}
	}
	if calls := len(o.ms.made()) - before; calls != 11 {
		t.Errorf("10 messages are %d calls, want 11", calls)
	}
	if _, tokens := o.ms.counted(); tokens != 4 {
		t.Errorf("%d tokens were asked for, want 4", tokens)
	}
}

func TestNoTokenForTheApp(t *testing.T) {
	t.Parallel()
	o := heard(t, func(o *Options) { o.AppPassword = "wrong" })
	_, err := o.Send(t.Context(), message1())
	if err == nil || errors.Is(err, chat.ErrUnsure) || !strings.Contains(err.Error(), "invalid_client (AADSTS7000215)") {
		t.Errorf("Send without a token: %v", err)
	}
	quiet(t, err.Error())
	if err := o.Connect(t.Context()); err == nil {
		t.Error("it connects with a wrong password")
	}
	if o.Receives() {
		t.Error("it says that it receives")
	}
	findings := o.Check(t.Context())
	for _, f := range findings {
		quiet(t, f.Text+f.Fix)
		if f.OK == (f.Name == "Teams password") && f.Name != "Teams clock" {
			t.Errorf("Check finds %+v", f)
		}
	}
	o.ms.mu.Lock()
	o.ms.onToken = func() (int, string) { return 500, page }
	o.ms.mu.Unlock()
	o.pass(tokenAgain)
	if _, err := o.Send(t.Context(), message1()); err == nil || strings.Contains(err.Error(), "<") {
		t.Errorf("Send while tokens are away: %v", err)
	}
}

func TestPathsAreEncoded(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"19:a@thread.tacv2;messageid=1": "/19%3Aa%40thread.tacv2%3Bmessageid%3D1",
		"../../admin":                   "/..%2F..%2Fadmin",
		"..":                            "/%2E%2E",
		"a b?c#d%2F":                    "/a%20b%3Fc%23d%252F",
		"ümlaut":                        "/%C3%BCmlaut",
	} {
		if got := escapePath([]string{in}); got != want {
			t.Errorf("escapePath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBudgetsKeepToTheWindows(t *testing.T) {
	t.Parallel()
	o := heard(t)
	windows := []struct{ seconds, most float64 }{{1, 7}, {2, 8}, {30, 60}, {3600, 1800}}
	budgets := o.Budgets(message1(), false)
	for _, w := range windows {
		least := 1e9
		for _, b := range budgets[:2] { // of the conversation
			least = min(least, float64(b.Burst)+b.Rate*w.seconds)
		}
		if least > w.most {
			t.Errorf("%v calls fit into %v s, Teams takes %v", least, w.seconds, w.most)
		}
	}
	if app := budgets[2]; float64(app.Burst)+app.Rate > 50 {
		t.Errorf("%+v lets more than 50 calls through in a second", app)
	}
	toUser := chat.Post{Kind: chat.Message, User: o.person(alex)}
	if got := o.Budgets(toUser, false); got[0].Name != budgets[0].Name {
		t.Errorf("a person's chat has the budgets %q and %q", got[0].Name, budgets[0].Name)
	}
	if got := o.Budgets(chat.Post{Kind: chat.React}, false); got != nil {
		t.Errorf("what makes no call has the budgets %+v", got)
	}
}
