package simulator_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// at is when the tests' cards say that something was.
var at = time.Date(2026, 11, 20, 14, 5, 0, 0, time.UTC)

const inTeams = "[data-pane=teams] "

// openTeams opens a window that shows Teams as somebody.
func (w world) openTeams(t *testing.T, as, more string) *window {
	t.Helper()
	win := blank(t)
	win.do(chromedp.Navigate(w.url + "/#show=teams&tas=" + as + more))
	win.sees(inTeams+".composer-input", "")
	return win
}

func (w *window) writes(text string) {
	w.t.Helper()
	w.press(inTeams+".room-foot .composer-input", "")
	w.sends(text)
}

func TestATicketFromTeams(t *testing.T) {
	t.Parallel()
	w, _ := newTeamsWorld(t)
	a := w.openTeams(t, "29:ana", "")
	a.writes("the printer is not printing")
	a.sees(inTeams+".mine .text", "the printer is not printing")
	a.sees(inTeams+".ac", "KB-7")
	a.sees(inTeams+".ac-facts dd", "20 Nov 2026 15:05") // Ana's own zone
	a.sees(inTeams+".ac .mention-me", "Ana Torres")

	// What the app says to her alone, and that it fails, stand under the card.
	a.press(inTeams+"[data-do=overflow]", "")
	a.press("[role=menuitem]", "Show more")
	a.sees(inTeams+".notice", "Only agents can see more.")
	a.press(inTeams+"[data-do=overflow]", "")
	a.press("[role=menuitem]", "Fail")
	a.sees(inTeams+".message-main > .trouble", "")

	// A question before it acts, taken back once.
	a.press(inTeams+"[data-do=overflow]", "")
	a.press("[role=menuitem]", "Withdraw")
	a.sees(inTeams+".ac-container", "Nobody will look at it.")
	a.until("the focus is in the question", `document.activeElement.textContent === "Withdraw it"`)
	a.press(inTeams+".ac-container button", "Keep it")
	a.seesNot(inTeams+".ac-container", "Nobody will look at it.")
	a.until("the focus is back at the menu", `document.activeElement.dataset.do === "overflow"`)

	a.press(inTeams+".ac button", "Open a ticket")
	a.sees("[role=dialog].teams-dialog", "Tell us a little more.")
	a.until("the first field has the focus", `document.activeElement.value === "printer"`)
	a.press(".teams-dialog .modal-foot button", "Open it")
	a.sees(".teams-dialog [data-input='in.who'] .field-error", "Please choose one.")
	a.press(".teams-dialog label.pick", "My team")
	a.press(".teams-dialog label.pick", "Off and on")
	a.press(".teams-dialog label.pick", "The cable")
	a.do(chromedp.SetValue(".teams-dialog select", "print"))
	a.press(".teams-dialog [data-input='in.article'] input", "")
	a.types("prin")
	a.press("[role=option]", "KB-7")
	a.press(".teams-dialog .modal-foot button", "Open it")
	a.sees(".teams-dialog .ac-attention", "Say it in a few words.")
	a.until("the refused field has the focus", `document.activeElement.closest("[data-input]")?.dataset.input === "in.title"`)
	if got := eval[string](a, `document.querySelector(".teams-dialog [data-input='in.article'] input").value`); !strings.Contains(got, "7") {
		t.Errorf("after a refusal the article is %q", got)
	}
	a.types(" on floor 3")
	a.press(".teams-dialog .modal-foot button", "Open it")
	a.seesNot("[role=dialog].teams-dialog", "")
	a.sees(inTeams+".ac", "on floor 3 for team about print with off, on and cable by 7")

	// A card is replaced in place.
	a.press(inTeams+".ac button", "Solved it")
	a.sees(inTeams+".ac", "Glad it works.")
	a.seesNot(inTeams+".ac", "KB-7")
}

func TestPostsAndAnswersInAChannel(t *testing.T) {
	t.Parallel()
	w, _ := newTeamsWorld(t)
	a, b := w.openTeams(t, "29:ana", "&tin="+triage), w.openTeams(t, "29:ben", "&tin="+triage)
	a.writes("who looks after the *printers*?")
	b.sees(inTeams+".post .message", "who looks after the *printers*?")
	b.press(inTeams+".post [data-do=reply]", "")
	b.types("I do, @Ana Torres\r")
	a.sees(inTeams+".post-replies .mention-me", "Ana Torres")
	a.press(inTeams+".post-replies .toolbar [data-emoji=like]", "")
	b.sees(inTeams+".reaction[data-emoji=like]", "1")
	b.press(inTeams+".post-replies [data-do=more]", "")
	b.press("[role=menuitem]", "Edit")
	b.types(" and the scanners\r")
	a.sees(inTeams+".post-replies .message", "and the scanners")
	b.sees(inTeams+".post-replies .edited", "Edited")
	b.press(inTeams+".post-replies [data-do=more]", "")
	b.press("[role=menuitem]", "Delete")
	b.press("[role=alertdialog] [data-confirm=yes]", "")
	a.sees(inTeams+".post-replies .message", "This message has been deleted.")
	b.press(inTeams+"[data-do=undelete]", "")
	a.sees(inTeams+".post-replies .message", "and the scanners")
	b.sees(inTeams+".post-replies .message", "and the scanners") // what is above moves with it

	// The menu of a message, and the search beside the heading.
	b.press(inTeams+".post > .message [data-do=more]", "")
	b.press("[data-command='ticket.from_message']", "")
	b.sees("[role=dialog].teams-dialog", "Open a ticket")
	b.press(".teams-dialog [data-do=close]", "")
	b.seesNot("[role=dialog].teams-dialog", "")
	b.press(inTeams+"[data-command='desk.find']", "")
	b.press("[data-found]", "Turn it off & on again.")
	a.sees(inTeams+".post .ac h3", "KB-7 The printer is offline")
}

func TestTheKeyboardIsEnoughInTeams(t *testing.T) {
	t.Parallel()
	w, _ := newTeamsWorld(t)
	a := w.openTeams(t, "29:ana", "")
	eval[bool](a, `(document.querySelector("[data-pane=teams] .composer-input").focus(), true)`)
	a.types("the printer is not printing\r")
	a.sees(inTeams+".ac", "KB-7")
	// Back from the field into the messages; R quotes the one in focus.
	a.do(shiftTab())
	a.until("a message or something in it has the focus", `document.activeElement.closest(".message")`)
	eval[bool](a, `([...document.querySelectorAll("[data-pane=teams] .message")].at(-1).focus(), true)`)
	a.types(kb.ArrowUp)
	a.until("the message above has the focus", `document.activeElement.matches(".message.mine")`)
	a.types("r")
	a.sees(inTeams+".quote-bar", "the printer is not printing")
	a.until("the field has the focus", `document.activeElement.matches(".composer-input")`)
	a.types("still not\r")
	a.sees(inTeams+".mine .quote", "the printer is not printing")
	a.seesNot(inTeams+".quote-bar", "")

	eval[bool](a, `([...document.querySelectorAll("[data-pane=teams] .message")].find((x) => x.querySelector(".ac")).focus(), true)`)
	a.types("\r\t") // Enter goes to the first control in the message
	a.until("the second button has the focus", `document.activeElement.textContent === "Open a ticket"`)
	a.types("\t\r")
	a.sees("[role=menu]", "Withdraw")
	a.types(kb.End + "\r")
	a.until("the question has the focus", `document.activeElement.textContent === "Withdraw it"`)
	a.types("\t\r") // Keep it
	a.until("the focus is back at the menu", `document.activeElement.dataset.do === "overflow"`)
	a.do(shiftTab())
	a.types("\r")
	a.sees("[role=dialog].teams-dialog", "Open a ticket")
	a.until("the first field has the focus", `document.activeElement.value === "printer"`)
	for range 30 { // round and round, and never out
		a.types("\t")
		if !eval[bool](a, `document.activeElement === document.body || document.activeElement.closest(".teams-dialog") != null`) {
			t.Fatal("Tab has left the dialog")
		}
	}
	a.types(kb.Escape)
	a.seesNot("[role=dialog].teams-dialog", "")
	a.until("the focus is back at the button", `document.activeElement.textContent === "Open a ticket"`)
}

func TestBothPlatformsInOneWindow(t *testing.T) {
	t.Parallel()
	w, _ := newTeamsWorld(t)
	a := blank(t)
	a.do(chromedp.EmulateViewport(1500, 900), chromedp.Navigate(w.url+"/"))
	a.sees("#you[data-user="+ben+"]", "In Slack you are")
	a.sees("#you-teams[data-user='29:ana']", "In Teams you are")
	a.press(".try", "Try it") // the last of them: in Slack, the help channel
	a.sees(".room-head h1", "it-help")
	inSlack(t, w, "ana", help, "hello from Slack")
	a.sees(".room .message", "hello from Slack")
	a.writes("hello from Teams")
	a.sees(inTeams+".ac", "KB-7")

	a.do(chromedp.EmulateViewport(300, 700)) // one above the other
	if got := eval[[]string](a, `[...document.querySelectorAll("#stage, #stage *")].filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className).slice(0, 5)`); len(got) > 0 {
		t.Errorf("these stand out of a window of 300 pixels: %v", got)
	}
	a.do(chromedp.EmulateViewport(1500, 900))

	a.press("[data-show=slack]", "")
	a.seesNot("[data-pane=teams]", "")
	for _, line := range eval[[]string](a, contrast) {
		t.Errorf("with the pointer over what is chosen: %s", line)
	}
	a.press("[data-show=teams]", "")
	a.seesNot("[data-pane=slack]", "")
	a.sees(inTeams+".mine", "hello from Teams")
	a.press("#you-teams", "")
	a.press(".person > button", "Ben Okafor")
	a.sees("#you-teams[data-user='29:ben']", "You are")
	a.do(chromedp.Reload())
	a.sees("#you-teams[data-user='29:ben']", "")
	a.seesNot("[data-pane=slack]", "")
}

func TestTeamsShowsWhatPeopleWriteAndNeverRunsIt(t *testing.T) {
	t.Parallel()
	w, _ := newTeamsWorld(t)
	a, b := w.openTeams(t, "29:ana", "&tin="+triage), w.openTeams(t, "29:ben", "&tin="+triage)
	for _, evil := range []string{
		`<img src=x onerror="document.title='owned'">`,
		`<script>document.title='owned'</script>`,
		`[click](javascript:document.title='owned') <at>Ben Okafor</at> **bold**`,
	} {
		a.writes(evil)
		b.sees(inTeams+".post .text", evil)
	}
	if got := eval[string](b, `document.title`); strings.Contains(got, "owned") {
		t.Error("a message has run a script")
	}
	if got := eval[int](b, `document.querySelectorAll(".message-body img, .message-body script, .message-body a[href^=javascript], .message-body .mention").length`); got != 0 {
		t.Errorf("%d elements were made of what somebody wrote, want 0", got)
	}
}

// TestPictures keeps pictures of the simulator, if TEST_ARTIFACTS says where.
func TestPictures(t *testing.T) {
	if os.Getenv("TEST_ARTIFACTS") == "" {
		t.Skip("TEST_ARTIFACTS is not set: no picture is kept")
	}
	t.Parallel()
	w, _ := newTeamsWorld(t)
	a := blank(t)
	a.do(chromedp.EmulateViewport(1600, 950), chromedp.Navigate(w.url+"/"))
	a.sees(inTeams+".composer-input", "")
	picture := func(name string) {
		t.Helper()
		pic, err := chromedp.Run(a.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(artefacts(), name+".png"), pic, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a.writes("the printer is not printing")
	a.sees(inTeams+".ac", "KB-7")
	a.says("the printer is not printing")
	a.sees(".room .thread-summary", "1 reply")
	picture("both")
	a.press(inTeams+".ac button", "Open a ticket")
	a.sees("[role=dialog].teams-dialog", "Tell us a little more.")
	a.press(".teams-dialog .modal-foot button", "Open it")
	a.sees(".teams-dialog .field-error", "Please choose one.")
	picture("teams-dialog")
	a.press(".teams-dialog [data-do=close]", "")
	a.press("[data-show=slack]", "")
	a.press(".thread-summary", "")
	a.sees(".thread [data-block-id=kb]", "KB-7")
	picture("simulator")
	a.press("[data-do='close-thread']", "")
	a.press("[data-show='slack,teams']", "")
	a.sees(inTeams+".ac", "KB-7")
	dark(a)
	picture("both-dark")
	a.press("[data-show=teams]", "")
	a.press("[data-teams-place='"+triage+"']", "")
	a.writes("who looks after the printers?")
	a.press(inTeams+".post [data-do=reply]", "")
	a.types("I do, @Ben Okafor\r")
	a.sees(inTeams+".post-replies .message", "I do")
	picture("teams-channel-dark")
	a.do(chromedp.EmulateViewport(420, 800))
	picture("teams-narrow-dark")
}

// dark turns the lights out.
func dark(w *window) {
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return err
	}))
}
