package web_test

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

// page opens the page of somebody in a browser.
func (w *world) page(u chat.User) *window {
	w.t.Helper()
	link, err := w.pages.PageLink(u)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.window(link)
}

func TestAnAgentWorksOnThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	openTicket(t, w.as(ana), "The printer on floor 3 is not printing")
	b := w.page(ben)
	eval[bool](b, `(window.here = true)`) // nothing is loaded anew from now on
	b.sees("#card time", ":")
	b.press("#card button", "Claim INC-1")
	b.sees("#say", "Done.")
	b.sees("#card", "Yours: 1.")

	b.press("#card button", "Resolve INC-1")
	b.sees("dialog h2", "Resolve INC-1")
	b.until("the first field has the focus", `document.activeElement.matches("dialog textarea")`)
	b.press("dialog button", "Resolve")
	b.sees("dialog .error", "Please write something here.")
	b.until("the refused field has the focus and its words", `document.activeElement.matches("dialog textarea[aria-invalid=true]") && document.getElementById(document.activeElement.getAttribute("aria-describedby").split(" ")[0]).textContent.includes("Please write")`)
	b.types("Cleared a jam in tray 2")
	b.press("dialog [data-field=article] [role=combobox]", "")
	b.types("paper jam")
	b.sees("dialog [role=option]", "Clear a paper jam")
	b.types("\r")
	b.until("the article is chosen", `document.querySelector("dialog [data-field=article] [role=combobox]").value.includes("Clear a paper jam") && document.querySelector("dialog select").value === "1"`)
	b.press("dialog button", "Resolve")
	b.seesNot("dialog", "")
	b.sees("#card", "Yours: 0.")
	b.focused("Your desk") // the button that opened it is gone
	if !eval[bool](b, `window.here === true`) {
		t.Error("the page was loaded anew")
	}
	if got := w.count(`select count(*) from tickets where state = 'done' and resolution = 'Cleared a jam in tray 2' and article_id = 1`); got != 1 {
		t.Error("the ticket is not resolved")
	}
}

func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.page(ana)
	eval[bool](a, `(document.activeElement.blur(), true)`)
	tab := func(until string) {
		t.Helper()
		for range 20 {
			a.types("\t")
			if eval[bool](a, `(document.activeElement.getAttribute("aria-label") || document.activeElement.textContent || document.activeElement.value || "").trim() === `+quote(until)) {
				return
			}
		}
		a.failed(context.DeadlineExceeded)
	}
	tab("Open a ticket")
	a.types("\r")
	a.sees("dialog h2", "Open a ticket")
	tab("Something is broken")
	a.types("\r")
	a.sees("dialog h2", "Something is broken")
	a.until("the first field has the focus", `document.activeElement.name === "f.title"`)
	a.types("No sound in meetings\t ") // the first radio button
	a.until("it is chosen", `document.querySelector("[name='f.impact']").checked`)
	a.types(kb.ArrowDown)
	a.until("the arrow goes on to the next", `document.querySelectorAll("[name='f.impact']")[1].checked`)
	a.types("\r") // Enter in a field sends the form
	a.sees("dialog .problem", "One answer needs another look.")
	a.until("the refused field has the focus", `document.activeElement.name === "f.urgency"`)
	for range 30 { // round and round, and never into the page behind
		a.types("\t")
		if !eval[bool](a, `document.activeElement === document.body || document.activeElement.closest("dialog") != null`) {
			t.Fatal("Tab has left the dialog")
		}
	}
	a.types(kb.Escape)
	a.seesNot("dialog", "")
	a.focused("Open a ticket")

	// What was in it is there again.
	a.types("\r")
	a.sees("dialog h2", "Open a ticket")
	tab("Something is broken")
	a.types("\r")
	a.until("the title is kept", `document.querySelector("[name='f.title']").value === "No sound in meetings"`)
	a.until("the choice is kept", `document.querySelectorAll("[name='f.impact']")[1].checked`)
	eval[bool](a, `(document.querySelector("[name='f.urgency']").focus(), true)`)
	a.types(" \r")
	a.seesNot("dialog", "")
	a.sees("#card", "INC-1")
	a.focused("Open a ticket")
}

func TestTeamsSignsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.entra.signIn.Store("oid-ana")
	w.entra.theme.Store("dark")
	a := open(t, w.server.URL+"/tab?host=teams")
	a.sees("#card", "You have none.")
	a.until("it is dark", `document.documentElement.dataset.theme === "dark" && microsoftTeams.app.loaded`)
	eval[bool](a, `(microsoftTeams.app.changed("contrast"), true)`)
	a.until("it follows the theme", `document.documentElement.dataset.theme === "contrast"`)
	if got := eval[string](a, `document.cookie`); got != "" {
		t.Errorf("a cookie is set inside Teams: %s", got)
	}
	// The session ends while the page is open: it signs in again by itself.
	w.pass(2 * time.Hour)
	a.refreshes()
	a.until("it has signed in again", `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/tab/session")).length === 2`)
	a.press("#card button", "Open a ticket")
	a.sees("dialog", "What is it?")
	a.types(kb.Escape)
	a.seesNot("dialog", "")
}

func TestTheTabStandsInTeamsFrame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.entra.signIn.Store("oid-ana")
	host := open(t, w.entra.server.URL+"/frame?src="+w.server.URL+"/tab%3Fhost=teams")
	host.sees("p", "shown from "+w.server.URL)
	host.picture("in-a-frame")
}

func TestWhereTeamsCantSignInThePageSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := open(t, w.server.URL+"/tab?host=teams") // consent is missing
	a.sees("#gate", "Write “my page” to the desk in chat.")
	a.seesNot("#card", "")
}

func TestADoubleClickDoesNotMeetTheNextButton(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, title := range []string{"No sound", "No picture"} {
		openTicket(t, w.as(ana), title)
	}
	b := w.page(ben)
	// The second click comes at once when the list has moved up.
	eval[bool](b, `(() => {
		const list = new MutationObserver(() => {
			list.disconnect();
			const next = document.querySelector("#card [aria-label^=Claim]");
			window.second = next.getAttribute("aria-label");
			next.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail: 2 }));
		});
		list.observe(document.querySelector("#card"), { childList: true });
		return true;
	})()`)
	b.press("#card button", "Claim INC-1")
	b.sees("#card", "Yours: 1.")
	b.until("the second click has come", `window.second === "Claim INC-2"`)
	b.press("#card button", "Claim INC-2") // a click of its own counts
	b.sees("#card", "Yours: 2.")
	if got := w.count(`select count(*) from audit where action = 'claimed'`); got != 2 {
		t.Errorf("%d claims are on record, want 2", got)
	}
	if got := w.count(`select count(*) from audit a, audit b where a.action = 'claimed' and b.action = 'claimed' and a.at < b.at and b.at - a.at < interval '450 ms'`); got != 0 {
		t.Error("the second click has claimed what came under it")
	}
}

func TestWhatOthersDoIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.page(ben)
	b.sees("#card", "Nothing waits to be claimed.")
	openTicket(t, w.as(ana), "No sound")
	b.refreshes()
	b.sees("#card", "No sound")
}

func TestALostConnectionIsSaidAndTriedAgainOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.page(ana)
	a.press("#card button", "Open a ticket")
	a.press("dialog button", "I need something")
	a.press("dialog input[type=text]", "")
	a.types("A second screen")
	a.press("dialog label.pick", "Only me")
	a.press("dialog label.pick", "Today")
	// The answer to the first attempt is lost on its way.
	eval[bool](a, `(() => { const real = fetch; window.fetch = async (...args) => { window.fetch = real; await real(...args); throw new TypeError("lost"); }; return true; })()`)
	a.press("dialog button", "Open ticket")
	a.sees("dialog .problem", "There is no connection to the desk.")
	a.press("dialog button", "Open ticket")
	a.seesNot("dialog", "")
	a.sees("#card", "REQ-1")
	if got := w.count(`select count(*) from tickets`); got != 1 {
		t.Errorf("%d tickets were opened, want 1", got)
	}
}

func TestASessionThatEndsTakesNothingAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.page(ana)
	a.press("#card button", "Ask the desk")
	a.sees("dialog", "What is the matter?")
	a.types("my zeppelin is blue")
	w.pass(2 * time.Hour)
	a.press("dialog button", "Ask")
	a.sees("dialog .problem", "You are signed out.")
	a.until("the words are there", `document.querySelector("dialog textarea").value === "my zeppelin is blue"`)
	link, err := w.pages.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	// Signed in again, in another window of the same browser.
	eval[bool](a, `fetch("/tab/open", { method: "POST", body: new URLSearchParams({ link: `+quote(link[strings.LastIndex(link, "/")+1:])+` }) }).then((r) => r.ok)`)
	a.press("dialog button", "Ask")
	a.sees("dialog .told", "Please send it again.") // it was begun long ago
	a.until("the words are still there", `document.querySelector("dialog textarea").value === "my zeppelin is blue"`)
	a.press("dialog button", "Ask")
	a.seesNot("dialog", "")
	if got := w.count(`select count(*) from questions where text = 'my zeppelin is blue'`); got != 1 {
		t.Errorf("it was asked %d times, want once", got)
	}
	w.pass(2 * time.Hour)
	a.refreshes()
	a.sees("#gate", "Nobody is signed in here")
}

// gallery is a desk that shows one card, and one form behind every button.
type gallery struct {
	card chat.Card
	form *chat.Form
	errs map[string]string
}

func (g *gallery) Home(context.Context, chat.User) (chat.Card, error) { return g.card, nil }
func (g *gallery) Answer(_ context.Context, ev chat.Event) (chat.Answer, error) {
	if ev.Kind == chat.Submitted {
		return chat.Answer{Errors: g.errs}, nil
	}
	return chat.Answer{Form: g.form}, nil
}

func TestEverySampleFitsIsNamedAndStandsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := &gallery{}
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	s, err := web.New(t.Context(), web.Options{DB: w.db, Desk: g, URL: server.URL, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.Handler()
	link, err := s.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, link)
	a.press("button", "Open my page")
	a.until("it is open", `location.pathname === "/tab"`)
	a.do(chromedp.EmulateViewport(320, 640))
	look := func(what string) {
		t.Helper()
		if got := eval[[]string](a, wide); len(got) > 0 {
			t.Errorf("%s: these stand out of a window of 320 pixels: %v", what, got)
		}
		for _, n := range a.nameless() {
			t.Errorf("%s: a %s has no name", what, n)
		}
	}
	stands := func(what string) {
		t.Helper()
		for _, theme := range []string{"default", "dark", "contrast"} {
			eval[bool](a, `(document.documentElement.dataset.theme = `+quote(map[string]string{"default": "light"}[theme]+strings.TrimPrefix(theme, "default"))+`, true)`)
			for _, line := range eval[[]string](a, faint) {
				t.Errorf("%s, %s: %s", what, theme, line)
			}
		}
		eval[bool](a, `(delete document.documentElement.dataset.theme, true)`)
		for _, scheme := range []string{"light", "dark"} {
			a.emulate(&emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})
			for _, line := range eval[[]string](a, faint) {
				t.Errorf("%s, %s by the browser: %s", what, scheme, line)
			}
		}
		a.emulate()
	}
	for name, card := range chattest.Cards {
		if strings.Contains(name, "60 blocks") || strings.Contains(name, "far too much") {
			continue // as long as a book, and no different
		}
		g.card = chat.Card{Text: card.Text, Blocks: append([]chat.Block{chat.Section{Text: chat.T("This is " + name)}}, append(card.Blocks[:len(card.Blocks):len(card.Blocks)],
			chat.Actions{Buttons: []chat.Button{{Label: "One", Action: "x"}, {Label: "Two", Action: "y"}, {Label: "Read", URL: "https://desk.example"}}})...)}
		a.refreshes()
		a.sees("#card", "This is "+name)
		look(name)
		switch name {
		case "triage", "suggestion", "rows", "right to left", "hostile text everywhere":
			stands(name)
		}
		if name == "triage" {
			a.press("summary", "More")
			look("a menu")
			a.picture("triage-320")
			a.types(kb.Escape)
			a.seesNot(".menu > div", "")
			a.focused("More")
		}
	}
	if got := eval[int](a, `document.querySelectorAll("script:not([src]), #card [onerror], #card a[href^=javascript]").length`); got != 0 {
		t.Error("what somebody wrote has become markup")
	}
	g.card = chat.Card{Blocks: []chat.Block{chat.Actions{Buttons: []chat.Button{{Label: "Open it", Action: "open", Form: true}}}}}
	a.refreshes()
	for name, f := range chattest.Forms {
		g.form = &f
		a.press("#card button", "Open it")
		a.sees("dialog h2", "")
		look(name)
		if name != "every input" && name != "open a ticket" {
			a.types(kb.Escape)
			a.seesNot("dialog", "")
			continue
		}
		stands(name)
		g.errs = map[string]string{"line": "Not this.", "choice": "Nor this.", "date": "Never.", "title": "No."}
		eval[bool](a, `(document.querySelectorAll("dialog :is(input[type=text], textarea)").forEach((e) => e.value ||= "x"), true)`)
		a.press("dialog [data-submit]", "")
		a.sees("dialog .error", "")
		look(name + ", refused")
		stands(name + ", refused")
		a.picture(strings.ReplaceAll(name, " ", "-") + "-320")
		g.errs = nil
		a.do(chromedp.Navigate(server.URL + "/tab")) // or the next form is filled in with what this one was
	}
}

// TestPictures keeps pictures of the page, if TEST_ARTIFACTS says where.
func TestPictures(t *testing.T) {
	if os.Getenv("TEST_ARTIFACTS") == "" {
		t.Skip("TEST_ARTIFACTS is not set: no picture is kept")
	}
	t.Parallel()
	w := newWorld(t)
	a, e := w.as(ana), w.as(eva)
	for _, title := range []string{"The printer on floor 3 is not printing", "No sound in meetings", "Outlook asks for my password every hour"} {
		openTicket(t, a, title)
	}
	openTicket(t, e, "I can't open the budget file")
	b := w.page(ben)
	b.do(chromedp.EmulateViewport(760, 900))
	b.picture("agent")
	b.press("#card button", "Claim INC-1")
	b.sees("#card", "Yours: 1.")
	b.press("#card button", "Claim INC-4")
	b.sees("#card", "Yours: 2.")
	b.picture("agent-claimed")
	b.press("#card button", "Resolve INC-1")
	b.sees("dialog", "What fixed it?")
	b.press("dialog button", "Resolve")
	b.sees("dialog .error", "")
	b.picture("agent-form")
	b.press("dialog [data-close]", "")
	b.seesNot("dialog", "")
	for _, theme := range []string{"dark", "contrast"} {
		eval[bool](b, `(document.documentElement.dataset.theme = `+quote(theme)+`, true)`)
		b.picture("agent-" + theme)
	}
	b.press("#card button", "Open a ticket")
	b.press("dialog button", "Something is broken")
	b.sees("dialog", "What is broken?")
	b.picture("form-contrast")
	eval[bool](b, `(document.documentElement.dataset.theme = "dark", true)`)
	b.picture("form-dark")

	r := w.page(ana)
	r.do(chromedp.EmulateViewport(760, 600))
	r.picture("requester")
	r.do(chromedp.EmulateViewport(320, 640))
	r.picture("requester-320")
	link, err := w.pages.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, link)
	g.sees("h1", "Hello Ana Silva")
	g.do(chromedp.EmulateViewport(760, 500))
	g.picture("link")
}
