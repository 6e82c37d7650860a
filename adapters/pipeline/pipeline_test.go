package pipeline

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

var monday = time.Date(2026, time.November, 2, 9, 0, 0, 0, time.UTC)

// lab is a desk whose pipelines ask, with a clock that is turned by hand.
type lab struct {
	t     *testing.T
	db    *storage.DB
	desk  *bot.Desk
	s     *Server
	ahead atomic.Int64
	token string // Ben's
	key   []byte // his callbacks are signed with
	hears *httptest.Server

	mu    sync.Mutex
	heard []heard
	says  func(n int) (status int, header http.Header) // to the nth call
}

type heard struct {
	header http.Header
	body   string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, db: pgtest.New(t), says: func(int) (int, http.Header) { return http.StatusOK, nil }}
	l.hears = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		l.heard = append(l.heard, heard{r.Header, string(body)})
		status, header := l.says(len(l.heard))
		l.mu.Unlock()
		for k, v := range header {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(l.hears.Close)
	index, err := kb.Open(kb.Options{Dir: filepath.Join(t.TempDir(), "index")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = index.Close() })
	now := func() time.Time { return monday.Add(time.Duration(l.ahead.Load())) }
	quiet := slog.New(slog.DiscardHandler)
	if l.desk, err = bot.New(bot.Options{DB: l.db, Index: index, Now: now, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	if l.s, err = New(Options{DB: l.db, Desk: l.desk, Now: now, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.ApplyPolicy(ctx, l.policy("127.0.0.1"), "test", monday); err != nil {
			return err
		}
		known, err := tx.KnownItems(ctx)
		if err != nil {
			return err
		}
		plan := cmdb.Compare([]cmdb.Row{{Line: 1, Key: "shop", Type: cmdb.Application, Tier: 3, Users: -1, Downtime: -1},
			{Line: 2, Key: "old", State: cmdb.Retired, Users: -1, Downtime: -1}}, known)
		if err := tx.ImportItems(ctx, plan, "test", monday); err != nil {
			return err
		}
		for _, name := range []string{"ben", "leo"} {
			if _, err := tx.LinkAccount(ctx, storage.Account{Platform: "slack", Workspace: "T1", UserID: "U" + name, Name: name}, name+"@acme.example", "", false, monday); err != nil {
				return err
			}
		}
		return nil
	})
	l.token, l.key = l.makeToken("deploy", "ben", storage.ScopeRaise)
	return l
}

// policy lets the desk call the lab, if that is in one of these networks.
func (l *lab) policy(networks ...string) policy.Policy {
	return policy.Policy{
		People: []policy.Person{{Mail: "ben@acme.example", Name: "Ben"}, {Mail: "leo@acme.example", Name: "Leo"}, {Mail: "ana@acme.example", Name: "Ana"}},
		Teams:  []policy.Team{{Slug: "desk", Name: "Desk", Tier: 1, Lead: "leo@acme.example", Members: []string{"ben@acme.example"}}},
		Changes: policy.Changes{
			Standard:  []policy.Standard{{Slug: "shop", Title: "Roll out the shop", Types: []cmdb.Type{cmdb.Application}, Takes: "30m", Plan: "By halves.", Rollback: "The one before."}},
			Freezes:   []policy.Freeze{{Name: "Year end", From: "2026-12-24", To: "2026-12-31"}},
			Callbacks: policy.Callbacks{Hosts: []string{strings.TrimPrefix(l.hears.URL, "http://")}, Networks: networks},
		},
	}.WithDefaults()
}

func (l *lab) in(do func(context.Context, *storage.Tx) error) {
	l.t.Helper()
	if err := l.db.InTx(l.t.Context(), func(tx *storage.Tx) error { return do(l.t.Context(), tx) }); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) makeToken(name, owner string, scopes ...string) (bearer string, key []byte) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		id, err := tx.PersonByMail(ctx, owner+"@acme.example")
		if err != nil {
			return err
		}
		k, shown, err := tx.MakeToken(ctx, storage.Token{Name: name, Owner: id, Scopes: scopes}, "test", monday)
		bearer, key = shown, k.Secret
		return err
	})
	return bearer, key
}

// A host that is allowed by its name is not called where it turns out to be in a
// network that is not.
func TestAnAllowedNameInAForbiddenNetworkIsNotCalled(t *testing.T) {
	t.Parallel()
	l := &lab{t: t}
	l.hears = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	defer l.hears.Close()
	s := &Server{o: Options{Now: time.Now}}
	address := strings.Replace(l.hears.URL, "127.0.0.1", "localhost", 1)
	allowed := policy.Callbacks{Networks: []string{"10.0.0.0/8"}}
	_, _, why := s.send(t.Context(), storage.Callback{ID: 1, URL: address, Secret: []byte("x")}, func(ip string) bool { return allowed.ReachesIP(ip, true) })
	if !strings.Contains(why, errNotThere.Error()) || strings.Contains(why, "http://") {
		t.Errorf("said %q", why)
	}
}

// ask sends a request and returns what is answered.
func (l *lab) ask(token, method, path, body string, header ...string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	l.s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func (l *lab) must(status int, word, token, method, path, body string) {
	l.t.Helper()
	if got, answer := l.ask(token, method, path, body); got != status || !strings.Contains(answer, word) {
		l.t.Fatalf("%s %s was answered %d, want %d and %q: %s", method, path, got, status, word, answer)
	}
}

// good is what can be asked for, with more or other fields.
func good(more map[string]any) string {
	ask := map[string]any{"title": "Shop 4.2", "why": "Fixes.", "items": []string{"shop"}, "plan": "Roll it out.", "rollback": "Roll it back.", "takes": "20m", "run": "1"}
	for k, v := range more {
		if ask[k] = v; v == nil {
			delete(ask, k)
		}
	}
	b, err := json.Marshal(ask)
	if err != nil {
		panic(err) // of texts and numbers
	}
	return string(b)
}

// votes has Leo answer the question about a change.
func (l *lab) votes(action string, n int64, values chat.Values) {
	l.t.Helper()
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		c, err := tx.ChangeByNumber(ctx, n)
		if err != nil {
			return err
		}
		a, err := tx.ApprovalOf(ctx, c.ID)
		if err != nil {
			return err
		}
		ev := chat.Event{Kind: chat.Pressed, By: chat.User{Platform: "slack", Workspace: "T1", ID: "Uleo"}, Action: action, InCall: true, Values: values,
			Args: chat.Args{"c": strconv.FormatInt(int64(c.ID), 10), "r": strconv.Itoa(a.Round), "s": strconv.Itoa(a.Stage), "h": a.Subject.Hash}}
		if values != nil {
			ev.Kind = chat.Submitted
		}
		answer, err := l.desk.Handle(ctx, tx, ev)
		if err == nil && (answer.Private != nil || len(answer.Errors) > 0) {
			err = fmt.Errorf("the answer is not taken: %+v", answer)
		}
		return err
	})
}

func (l *lab) calls() []heard {
	l.t.Helper()
	if _, err := l.s.callAll(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	reader, _ := l.makeToken("reader", "leo", storage.ScopeRead)
	other, _ := l.makeToken("other", "leo", storage.ScopeRaise)
	gone, _ := l.makeToken("gone", "ben", storage.ScopeRaise)
	user, _ := l.makeToken("user", "ana", storage.ScopeRaise)
	l.in(func(ctx context.Context, tx *storage.Tx) error { return tx.RevokeToken(ctx, "gone", "test", monday) })
	l.must(401, "not known", "deskhand_wrong", "POST", Path, good(nil))
	l.must(401, "not known", "", "POST", Path, good(nil))
	l.must(401, "revoked", gone, "GET", Path+"/CHG-1", "")
	l.must(403, "scope raise", reader, "POST", Path, good(nil))
	l.must(409, "does not raise changes", user, "POST", Path, good(nil))
	if status, _ := l.ask(l.token, "POST", Path, good(nil), "Content-Type", "text/plain"); status != 415 {
		t.Errorf("plain text was answered %d", status)
	}
	l.must(201, `"verdict":"waiting"`, l.token, "POST", Path, good(nil))
	l.must(200, `"change":"CHG-1"`, reader, "GET", Path+"/chg-1", "")
	l.must(404, "not this token's", other, "GET", Path+"/CHG-1", "")
	l.must(404, "not this token's", other, "POST", Path+"/CHG-1/result", `{"outcome": "success"}`)
	l.must(403, "scope raise", reader, "POST", Path+"/CHG-1/result", `{"outcome": "success"}`)
	l.must(404, "", l.token, "GET", Path+"/CHG-99", "")
	l.must(404, "", l.token, "GET", Path+"/INC-1", "")
	l.must(400, "60s", l.token, "GET", Path+"/CHG-1?wait=long", "")
	if status, answer := l.ask(l.token, "POST", Path, `{"title": "`+strings.Repeat("x", 1<<20)+`"}`); status != 413 {
		t.Errorf("2 MB were answered %d: %s", status, answer)
	}
}

func TestWhatIsRefusedAtItsField(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, tt := range map[string]struct {
		more map[string]any
		want map[string]string
	}{
		"no way back":               {map[string]any{"rollback": " "}, map[string]string{"#/rollback": "No change without a way back. What will you do if it goes wrong?"}},
		"an item that is not there": {map[string]any{"items": []string{"shop", "db-9"}}, map[string]string{"#/items/1": "I know no “db-9”."}},
		"an item that is retired":   {map[string]any{"items": []string{"old"}}, map[string]string{"#/items": "old is retired. Please choose what has taken its place."}},
		"a window in the past":      {map[string]any{"from": "2026-11-02T08:00:00Z"}, map[string]string{"#/from": "This time has passed. Please choose a later one."}},
		"a freeze": {map[string]any{"from": "2026-12-24T09:00:00Z", "to": "2026-12-24T12:00:00Z"},
			map[string]string{"#/from": "This is in the freeze “Year end”. Move it, or say below why it can't wait."}},
		"longer than the window":    {map[string]any{"takes": "9h"}, map[string]string{"#/takes": "The work takes longer than its window."}},
		"who has left":              {map[string]any{"implementer": "nobody@acme.example"}, map[string]string{"#/implementer": "This person can't do changes here."}},
		"a callback anywhere":       {map[string]any{"callback": "https://evil.example/x"}, map[string]string{"#/callback": "I may not call evil.example. Hosts that I may call stand in the policy, under changes.callbacks."}},
		"a standard that is none":   {map[string]any{"kind": "standard", "standard": "x"}, map[string]string{"#/standard": "This kind is not offered any more. Please choose another."}},
		"a kind that is none":       {map[string]any{"kind": "quick"}, map[string]string{"#/kind": "There are standard, normal and emergency."}},
		"a commit without a name":   {map[string]any{"commits": []any{map[string]any{"title": "x"}}}, map[string]string{"#/commits/0/id": "Please say which commit this is."}},
		"a link that runs":          {map[string]any{"url": "javascript:alert(1)"}, map[string]string{"#/url": "That is no address such as https://ci.example.com/runs/42."}},
		"a field that is not there": {map[string]any{"rolback": "x"}, map[string]string{"#/rolback": "There is no such field."}},
		"a number for a text":       {map[string]any{"title": 5}, map[string]string{"#/title": "This must be a text."}},
		"no run and no key":         {map[string]any{"run": nil}, map[string]string{"#/run": "Please name the run, or send an Idempotency-Key."}},
	} {
		_, answer := l.ask(l.token, "POST", Path, good(tt.more))
		var p problem
		if err := json.Unmarshal([]byte(answer), &p); err != nil {
			t.Fatalf("%s: %v in %s", name, err, answer)
		}
		got := map[string]string{}
		for _, e := range p.Errors {
			got[e.Pointer] = e.Detail
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for text, want := range map[string]string{`[]`: "a JSON object", `{`: "not JSON", `{} {}`: "behind the JSON", "{\"title\": \"\xff\"}": "UTF-8", ``: "not JSON"} {
		l.must(400, want, l.token, "POST", Path, text)
	}
	l.must(422, "twice", l.token, "POST", Path, `{"title": "a", "title": "b"}`)
	l.must(422, "no such field", l.token, "POST", Path, `{"TITLE": "a"}`)
}

func TestAskingTwiceIsAskingOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var created, found atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			switch status, answer := l.ask(l.token, "POST", Path, good(nil)); status {
			case 201:
				created.Add(1)
			case 200:
				found.Add(1)
			default:
				t.Errorf("answered %d: %s", status, answer)
			}
		})
	}
	all.Wait()
	if created.Load() != 1 || found.Load() != 7 {
		t.Errorf("%d were raised and %d found, want 1 and 7", created.Load(), found.Load())
	}
	// The same run with other commits would have what nobody has seen approved.
	l.must(422, "another Idempotency-Key", l.token, "POST", Path, good(map[string]any{"commits": []any{map[string]any{"id": "1"}}}))
	l.must(200, "CHG-1", l.token, "POST", Path, good(map[string]any{"from": "2026-11-02T10:00:00Z"}))
	if status, answer := l.ask(l.token, "POST", Path, good(nil), "Idempotency-Key", `"again"`); status != 201 {
		t.Errorf("another key was answered %d: %s", status, answer)
	}
}

func TestThePipelineIsCalledBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.says = func(n int) (int, http.Header) {
		switch n {
		case 1:
			return http.StatusServiceUnavailable, http.Header{"Retry-After": {"100"}}
		case 2:
			return http.StatusFound, http.Header{"Location": {l.hears.URL + "/elsewhere"}}
		}
		return http.StatusNoContent, nil
	}
	l.must(201, "waiting", l.token, "POST", Path, good(map[string]any{"callback": l.hears.URL + "/hook"}))
	if n := len(l.calls()); n != 0 {
		t.Fatalf("called %d times before there is a verdict", n)
	}
	l.votes(cards.ChangeYes, 1, nil)
	if n := len(l.calls()); n != 1 {
		t.Fatalf("called %d times, want once", n)
	}
	l.ahead.Store(int64(99 * time.Second))
	if n := len(l.calls()); n != 1 {
		t.Fatalf("called %d times, before the time that it asked for", n)
	}
	for i, later := range []time.Duration{101 * time.Second, 130 * time.Second, time.Hour} {
		l.ahead.Store(int64(later))
		if n := len(l.calls()); n != min(i+2, 3) {
			t.Fatalf("called %d times after %s", n, later)
		}
	}
	last := l.heard[2]
	at, id := last.header.Get("Webhook-Timestamp"), last.header.Get("Webhook-Id")
	mac := hmac.New(sha256.New, l.key)
	mac.Write([]byte(id + "." + at + "." + last.body))
	if got, want := last.header.Get("Webhook-Signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
	if want := strconv.FormatInt(monday.Add(130*time.Second).Unix(), 10); at != want || id != l.heard[0].header.Get("Webhook-Id") {
		t.Errorf("sent as %s at %s, want as the first at %s", id, at, want)
	}
	var told, asked bot.Verdict
	_, answer := l.ask(l.token, "GET", Path+"/CHG-1", "")
	for text, v := range map[string]*bot.Verdict{last.body: &told, answer: &asked} {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(asked, told); diff != "" || told.Verdict != change.VerdictApproved || len(told.Answers) != 1 || told.Answers[0].By != "Leo" {
		t.Errorf("told of %+v (-asked +told):\n%s", told, diff)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		var record string
		err := tx.QueryRow(ctx, `select string_agg(attempt || ' ' || status || ' ' || coalesce(error, ''), ', ' order by attempt) from callback_attempts`).Scan(&record)
		if want := "1 503 it answered 503, 2 302 it answered 302, 3 204 "; record != want {
			t.Errorf("on record is %q, want %q", record, want)
		}
		return err
	})
	for _, kept := range []struct{ days, want int }{{89, 3}, {91, 0}} {
		if err := l.db.KeepHouse(t.Context(), monday.AddDate(0, 0, kept.days)); err != nil {
			t.Fatal(err)
		}
		l.in(func(ctx context.Context, tx *storage.Tx) error {
			var n int
			err := tx.QueryRow(ctx, `select count(*) from callback_attempts`).Scan(&n)
			if n != kept.want {
				t.Errorf("after %d days %d attempts are on record, want %d", kept.days, n, kept.want)
			}
			return err
		})
	}
}

func TestWhatCantBeToldIsGivenUp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.says = func(int) (int, http.Header) { return http.StatusGone, nil }
	standard := map[string]any{"kind": "standard", "standard": "shop", "plan": nil, "rollback": nil, "takes": nil, "callback": l.hears.URL}
	l.must(201, `"verdict":"approved","may_begin":true`, l.token, "POST", Path, good(standard))
	if n := len(l.calls()); n != 1 {
		t.Fatalf("called %d times", n)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		var state, words string
		if err := tx.QueryRow(ctx, `select state from callbacks`).Scan(&state); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `select body ->> 'card' from posts where card = '' order by id desc limit 1`).Scan(&words)
		if state != "given_up" || !strings.Contains(words, "I could not tell the pipeline of CHG-1") {
			t.Errorf("it is %s, and its owner is told %q", state, words)
		}
		return err
	})
}

func TestTheResultClosesTheRecord(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.must(201, "waiting", l.token, "POST", Path, good(nil))
	at := Path + "/CHG-1/result"
	l.must(409, "it is not approved", l.token, "POST", at, `{"outcome": "success"}`)
	l.ahead.Store(int64(10 * time.Minute))
	l.votes(cards.ChangeYes, 1, nil)
	l.ahead.Store(int64(30 * time.Minute))
	l.must(422, "There are success", l.token, "POST", at, `{"outcome": "ok"}`)
	l.must(422, "must be a time", l.token, "POST", at, `{"outcome": "success", "ended_at": "yesterday"}`)
	l.must(409, "before it was approved", l.token, "POST", at, `{"outcome": "success", "started_at": "2026-11-02T09:05:00Z"}`)
	l.must(409, "before it was started", l.token, "POST", at, `{"outcome": "success", "started_at": "2026-11-02T09:20:00Z", "ended_at": "2026-11-02T09:15:00Z"}`)
	l.must(409, "in the future", l.token, "POST", at, `{"outcome": "success", "started_at": "2026-11-02T09:20:00Z", "ended_at": "2026-11-02T10:15:00Z"}`)
	l.must(200, `"outcome":"failed"`, l.token, "POST", at, `{"outcome": "failed", "note": "Out of memory.", "started_at": "2026-11-02T09:15:00Z", "ended_at": "2026-11-02T09:25:00Z"}`)
	l.must(200, `"outcome":"failed"`, l.token, "POST", at, `{"outcome": "failed", "note": "Out of memory."}`)
	l.must(409, "it failed", l.token, "POST", at, `{"outcome": "success"}`)
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		c, err := tx.ChangeByNumber(ctx, 1)
		if err == nil && (!c.StartedAt.Equal(monday.Add(15*time.Minute)) || !c.EndedAt.Equal(monday.Add(25*time.Minute)) || !c.WantsReview()) {
			t.Errorf("on record from %s to %s", c.StartedAt, c.EndedAt)
		}
		return err
	})
}

func TestWhoWaitsIsToldAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.must(201, "waiting", l.token, "POST", Path, good(nil))
	answered := make(chan string)
	hasty := httptest.NewUnstartedServer(l.s.Handler()) // has less time for others than this takes
	hasty.Config.WriteTimeout = 50 * time.Millisecond
	hasty.Start()
	defer hasty.Close()
	go func() {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", hasty.URL+Path+"/CHG-1?wait=30s", nil)
		r.Header.Set("Authorization", "Bearer "+l.token)
		resp, err := hasty.Client().Do(r)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	l.votes(cards.ChangeNo, 1, chat.Values{"why": {"Not today."}})
	if answer := <-answered; !strings.Contains(answer, `"verdict":"rejected"`) || !strings.Contains(answer, "Not today.") {
		t.Errorf("told %s", answer)
	}
	l.must(201, "waiting", l.token, "POST", Path, good(map[string]any{"run": "2"}))
	go func() {
		_, answer := l.ask(l.token, "GET", Path+"/CHG-2?wait=30s", "")
		answered <- answer
	}()
	l.s.waits.close() // as when the desk stops
	if answer := <-answered; !strings.Contains(answer, `"verdict":"waiting"`) {
		t.Errorf("let go with %s", answer)
	}
}
