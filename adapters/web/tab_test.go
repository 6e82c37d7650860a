package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// openTicket opens a ticket on the page, without script.
func openTicket(t testing.TB, v *visitor, title string) answer {
	t.Helper()
	home := v.get("/tab").want(t, 200)
	kind := v.do("POST", "/tab/press", home.button(t, "Open a ticket")).want(t, 200, "What is it?")
	form := v.do("POST", "/tab/press", kind.button(t, "Something is broken")).want(t, 200, "What is broken?")
	return v.do("POST", "/tab/form", form.form(t, "title", title, "impact", "me", "urgency", "today")).want(t, 200, "Done.")
}

func TestATicketsLifeOnThePageWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.as(ana), w.as(ben)
	a.get("/tab").want(t, 200, "You have none. Long may it last.")

	openTicket(t, a, "The printer is <on> fire").want(t, 200, "INC-1", "The printer is &lt;on&gt; fire", "nobody yet", "Done.")
	work := b.get("/tab").want(t, 200, "Your work", "Unclaimed in your teams: 1", "The printer is &lt;on&gt; fire")
	claim := work.button(t, "Claim INC-1")
	b.do("POST", "/tab/press", claim).want(t, 200, "Yours: 1.")
	b.do("POST", "/tab/press", claim).want(t, 200, "Yours: 1.") // a double click

	form := b.do("POST", "/tab/press", b.get("/tab").button(t, "Resolve INC-1")).want(t, 200, "What fixed it?")
	refused := b.do("POST", "/tab/form", form.form(t, "resolution", " \r\n")).want(t, 422, "Please write something here.", `aria-invalid="true"`)
	b.do("POST", "/tab/form", refused.form(t, "resolution", "Put it out.\r\nTwice.")).want(t, 200, "Yours: 0.")
	if got := w.count(`select count(*) from tickets where resolution = E'Put it out.\nTwice.'`); got != 1 {
		t.Errorf("the resolution is not what was written: %d", got)
	}
	a.get("/tab").want(t, 200, "Resolved", "Ben Weber")
	if got := w.count(`select count(*) from audit where via = 'teams, home' and subject = 'ticket'`); got != 3 {
		t.Errorf("%d steps are on record as done from the page, want 3", got)
	}
}

func TestRightsAreCheckedAtThePress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.as(ana), w.as(ben)
	openTicket(t, a, "No sound")
	claim := b.get("/tab").button(t, "Claim INC-1")
	// A button is for whom it was drawn for: somebody else can't press it.
	a.do("POST", "/tab/press", claim).want(t, http.StatusConflict, "out of date")
	if got := w.count(`select count(*) from tickets where owner_id is not null`); got != 0 {
		t.Error("a requester has claimed a ticket")
	}
	// Ben is no agent any more by the time he presses.
	w.exec(`delete from team_members`)
	b.do("POST", "/tab/press", claim).want(t, 200, "only Service Desk can")
	if got := w.count(`select count(*) from tickets where owner_id is not null`); got != 0 {
		t.Error("somebody outside the team has claimed a ticket")
	}
}

func (w *world) exec(sql string) {
	w.t.Helper()
	if _, err := w.db.Pool().Exec(w.t.Context(), sql); err != nil {
		w.t.Fatal(err)
	}
}

func TestThePagesScriptGetsAView(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	openTicket(t, w.as(ana), "No sound")
	v := w.scripted(ben)
	read := func(a answer) (got struct {
		Card, ETag, Dialog, Say string
		Push, Close             bool
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatalf("%v in %s", err, a.body)
		}
		return got
	}
	first := v.get("/tab/card").want(t, 200)
	card := read(first)
	if first.Header.Get("Set-Cookie") != "" {
		t.Error("a session of the page's memory has set a cookie")
	}
	v.get("/tab/card", "If-None-Match", card.ETag).want(t, http.StatusNotModified)

	page := answer{first.Response, `<form id="card">` + card.Card}
	resolve := func(name string) answer {
		a := v.do("POST", "/tab/press", page.button(t, name))
		return a
	}
	claimed := read(resolve("Claim INC-1").want(t, 200))
	if claimed.Say != "Done." || claimed.ETag == card.ETag || claimed.Dialog != "" {
		t.Errorf("after a claim: %+v", claimed)
	}
	page.body = `<form id="card">` + claimed.Card
	opened := read(resolve("Resolve INC-1").want(t, 200))
	if !opened.Push || !strings.Contains(opened.Dialog, "What fixed it?") {
		t.Fatalf("a form was not opened: %+v", opened)
	}
	dialog := answer{first.Response, opened.Dialog}
	refused := read(v.do("POST", "/tab/form", dialog.form(t, "resolution", "")).want(t, 422))
	if refused.Push || refused.Close || !strings.Contains(refused.Dialog, "Please write something here.") {
		t.Fatalf("a form was not refused in its place: %+v", refused)
	}
	dialog.body = refused.Dialog
	search := dialog.form(t)
	search.Set("field", "article")
	search.Set("text", "paper jam")
	v.do("POST", "/tab/search", search).want(t, 200, "Clear a paper jam")
	done := read(v.do("POST", "/tab/form", dialog.form(t, "resolution", "Turned it up.", "article", "1")).want(t, 200))
	if !done.Close || done.Dialog != "" {
		t.Errorf("a form that was taken did not close: %+v", done)
	}
	if got := w.count(`select count(*) from tickets where state = 'done' and article_id = 1`); got != 1 {
		t.Error("the ticket is not resolved by the article")
	}
}

func TestWhatIsSentTwiceIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.as(ana)
	home := a.get("/tab")
	kind := a.do("POST", "/tab/press", home.button(t, "Open a ticket"))
	form := a.do("POST", "/tab/press", kind.button(t, "I need something"))
	sent := form.form(t, "title", "A second screen", "impact", "me", "urgency", "later")
	done := make(chan int, 4)
	for range cap(done) {
		go func() { done <- a.do("POST", "/tab/form", sent).StatusCode }()
	}
	for range cap(done) {
		if got := <-done; got != 200 {
			t.Errorf("one of the four: %d", got)
		}
	}
	if got := w.count(`select count(*) from tickets`); got != 1 {
		t.Errorf("%d tickets were opened, want 1", got)
	}
}

func TestOldPagesSayHowItStandsNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.scripted(ana)
	page := answer{body: `<form id="card">` + unquote(v.get("/tab/card").body)}
	press := page.button(t, "Open a ticket")
	w.pass(13 * time.Hour)
	v = w.scripted(ana)
	v.do("POST", "/tab/press", press).want(t, http.StatusConflict, "out of date", "Ask the desk")

	for name, form := range map[string]url.Values{
		"nothing":                {},
		"a button made up":       {"press": {`{"a":"ticket.claim"}`}, "drawn": {"1"}, "once": {"x"}},
		"a button half":          {"press": {press.Get("press")[:40]}},
		"a button of the future": {"press": {press.Get("press")}, "drawn": {"99999999999999"}, "once": {"x"}},
	} {
		if got := v.do("POST", "/tab/press", form); got.StatusCode != http.StatusConflict {
			t.Errorf("%s: %s", name, got.Status)
		}
		if got := v.do("POST", "/tab/form", form); got.StatusCode != http.StatusConflict {
			t.Errorf("%s, as a form: %s", name, got.Status)
		}
		if got := v.do("POST", "/tab/search", form); got.StatusCode != http.StatusConflict {
			t.Errorf("%s, as a search: %s", name, got.Status)
		}
	}
}

func TestAFormThatTookLongKeepsWhatIsInIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.as(ana)
	kind := a.do("POST", "/tab/press", a.get("/tab").button(t, "Open a ticket"))
	form := a.do("POST", "/tab/press", kind.button(t, "Something is broken"))
	w.pass(50 * time.Minute)
	again := a.do("POST", "/tab/form", form.form(t, "title", "No sound", "impact", "team", "urgency", "today")).want(t, http.StatusConflict, "Please send it again.", `value="No sound"`, `value="team" checked`)
	if got := w.count(`select count(*) from tickets`); got != 0 {
		t.Error("what was done too long ago counts")
	}
	a.do("POST", "/tab/form", again.form(t, "title", "No sound", "impact", "team", "urgency", "today")).want(t, 200, "INC-1")
}

// unquote is the card in a view.
func unquote(body string) string {
	var v struct{ Card string }
	if json.Unmarshal([]byte(body), &v) != nil {
		return ""
	}
	return v.Card
}

func TestPeopleAreFoundByThoseWhoBelongHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.as(ben)
	kind := b.do("POST", "/tab/press", b.get("/tab").button(t, "Open a ticket"))
	form := b.do("POST", "/tab/press", kind.button(t, "Something is broken")).want(t, 200, "For somebody else?")
	search := form.form(t)
	search.Set("field", "person")
	for text, want := range map[string]string{"an": "Ana Silva", "silva": "Ana Silva", "EVA": "Eva Lind", "zoe": "[]", "nobody": "[]", "%": "[]"} {
		search.Set("text", text)
		if got := b.do("POST", "/tab/search", search); got.StatusCode != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%q finds %s %s, want %s", text, got.Status, got.body, want)
		}
	}
	b.do("POST", "/tab/form", form.form(t, "title", "No sound", "impact", "me", "urgency", "today", "person", "oid-made-up")).want(t, 422, "I don&#39;t know this person")
	b.do("POST", "/tab/form", form.form(t, "title", "No sound", "impact", "me", "urgency", "today", "person", "oid-ana")).want(t, 200)
	w.as(ana).get("/tab").want(t, 200, "INC-1", "No sound")
}
