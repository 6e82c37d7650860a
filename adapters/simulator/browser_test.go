package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestTwoPeopleInTwoWindows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.open(t, ana, ""), w.open(t, ben, "&in="+help)

	// What is new elsewhere is counted.
	b.says("who can help @ana with mail?")
	a.sees("[data-place="+help+"].unread .badge", "1")
	a.press("[data-place="+help+"]", "")
	a.sees(".room .message .mention-me", "@Ana Torres")
	a.seesNot("[data-place="+help+"].unread", "")

	a.says("good morning *everybody*")
	b.sees(".room .message[data-user="+ana+"]", "good morning everybody")
	b.press(".room .message .toolbar [data-emoji=eyes]", "")
	a.sees(".reaction[data-emoji=eyes]", "1")
	a.press(".reaction[data-emoji=eyes]", "")
	b.sees(".reaction[data-emoji=eyes]", "2")

	b.press(".room .message .toolbar [data-do=thread]", "")
	b.sees(".thread", "good morning")
	b.types("a reply\r")
	b.sees(".thread .message", "a reply")
	a.sees(".thread-summary", "1 reply")
	a.press(".thread-summary", "")
	a.sees(".thread .message[data-user="+ben+"]", "a reply")

	a.press(".room .composer-input", "")
	a.types(kb.ArrowUp)
	a.sees(".edit-box textarea", "")
	a.types(", both of you\r")
	b.sees(".room .message", "(edited)")
	b.sees(".room .message", "both of you")

	// What the app shows to one is not shown to the other.
	a.says("hello @desk")
	a.sees(".room .message[data-ephemeral]", "Only visible to you")
	a.sees(".room .message[data-ephemeral]", "I will write to you.")
	// What Ben gets after it has come past where it would have been.
	a.says("thank you")
	b.sees(".room .message", "thank you")
	b.seesNot(".room .message", "I will write to you.")
	a.press(".room .message[data-ephemeral] [data-do=dismiss]", "")
	a.seesNot(".room .message", "I will write to you.")
}

func TestTheAppAnswersWithoutReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "")
	a.says("the printer is not printing")
	a.sees(".thread-summary", "1 reply")
	a.press(".thread-summary", "")
	a.sees(".thread [data-block-id=kb] b", "KB-7")

	a.press(".thread [data-action-id=slow]", "")
	a.sees(".thread [data-action-id=slow][aria-busy=true]", "")
	select {
	case <-w.app.hold:
	case <-time.After(patience):
		t.Fatal("the app has not heard of the press")
	}
	a.seesNot(".thread .busy", "")
	a.seesNot(".thread .trouble", "")

	a.press(".thread [data-action-id=broken]", "")
	a.sees(".thread .trouble", "http_service_error")
	a.press(".thread [data-action-id=withdraw]", "")
	a.sees("[role=alertdialog]", "Nobody will look at it.")
	a.press("[role=alertdialog] button", "Keep it")
	a.seesNot("[role=alertdialog]", "")
	a.press(".thread [data-action-id=solved]", "")
	a.sees(".thread .message", "Glad it works.")
	if got := eval[int](a, `document.querySelectorAll(".thread [data-action-id]").length`); got != 0 {
		t.Errorf("%d elements are left of a card that was replaced, want 0", got)
	}
}

func TestAFormIsRefusedAtItsFieldAndThenTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "")
	a.says("the printer is not printing")
	a.press(".thread-summary", "")
	a.press(".thread [data-action-id=ticket]", "")
	a.sees("[role=dialog].modal[data-callback-id=ticket]", "Open a ticket")

	a.press(".modal [data-do=submit]", "")
	a.sees(".modal [data-block-id=who] .field-error", "required")
	a.press(".modal [data-block-id=who] label.pick", "My team")
	a.press(".modal [data-action-id=service] input", "")
	a.types("prin")
	a.sees("[role=option]", "Printing")
	a.seesNot("[role=option]", "Mail")
	a.types("\r")
	a.press(".modal [data-action-id=device] input", "")
	a.types("x")
	a.press("[role=option]", "Laptop x")

	a.press(".modal [data-do=submit]", "")
	a.sees(".modal [data-block-id=title] .field-error", "Say it in a few words.")
	a.until("the refused field has the focus", `document.activeElement.closest("[data-block-id]")?.dataset.blockId === "title"`)
	if got := eval[string](a, `document.querySelector(".modal [data-action-id=service]").dataset.value`); got != "print" {
		t.Errorf("after a refusal the service is %q, want it kept as print", got)
	}
	a.press(".modal [data-action-id=title]", "")
	a.types(kb.End + " on floor 3")
	a.press(".modal [data-do=submit]", "")
	a.seesNot("[role=dialog].modal", "")
	a.sees(".room .message", "INC-1 printer on floor 3 for team about print on \"laptop\"")
}

func TestWhatPeopleWriteIsShownAndNeverRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.open(t, ana, "&in="+help), w.open(t, ben, "&in="+help)
	for _, evil := range []string{
		`<img src=x onerror="document.title='owned'">`,
		`<script>document.title='owned'</script>`,
		`<javascript:document.title='owned'|click> and <!channel> <@U0ANA> &lt;`,
		"```<b>`*x*` ```",
	} {
		a.says(evil)
		last := strings.Trim(evil, "`")
		b.sees(".room .message-body", strings.TrimSpace(last))
	}
	if got := eval[string](b, `document.title`); strings.Contains(got, "owned") {
		t.Error("a message has run a script")
	}
	if got := eval[int](b, `document.querySelectorAll(".message-body img, .message-body script, .message-body a[href^=javascript]").length`); got != 0 {
		t.Errorf("%d elements were made of what somebody wrote, want 0", got)
	}
}

func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "")
	a.until("the writing field has the focus", `document.activeElement.matches(".room .composer-input")`)
	a.types("the printer is not printing\r")
	a.sees(".thread-summary", "1 reply")
	// Back from the field into the messages; T opens the thread of the one in focus.
	a.do(shiftTab())
	a.until("a message or something in it has the focus", `document.activeElement.closest(".message")`)
	eval[bool](a, `(document.activeElement.closest(".message").focus(), true)`)
	a.types("t")
	a.until("the thread's field has the focus", `document.activeElement.matches(".thread .composer-input")`)
	a.do(shiftTab())
	a.until("something in the thread has the focus", `document.activeElement.closest(".thread .message")`)
	eval[bool](a, `(document.activeElement.closest(".message").focus(), true)`)
	a.types("\r") // Enter goes to the first control in the message
	a.until("the first control has the focus", `document.activeElement.dataset.actionId === "more"`)
	a.types("\t\t")
	a.until("the second button has the focus", `document.activeElement.dataset.actionId === "ticket"`)
	a.types("\r")
	a.sees("[role=dialog].modal", "Open a ticket")
	a.until("the first field has the focus", `document.activeElement.dataset.actionId === "title"`)
	for range 40 { // round and round, and never out
		a.types("\t")
		if !eval[bool](a, `document.activeElement === document.body || document.activeElement.closest(".modal") != null`) {
			t.Fatal("Tab has left the modal")
		}
	}
	a.types(kb.Escape)
	a.seesNot("[role=dialog].modal", "")
	a.until("the focus is back at the button", `document.activeElement.dataset.actionId === "ticket"`)
	a.types(kb.Escape)
	a.seesNot(".thread", "")
	a.until("the focus is back in the messages", `document.activeElement.closest(".room")`)
}

func shiftTab() chromedp.Action[chromedp.Void] {
	return chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
}

func TestCommandsShortcutsAndTheHomeTab(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "")
	a.press(".room .composer-input", "")
	a.types("/de")
	a.sees("[role=option]", "/desk")
	a.types("\rvpn is down\r")
	a.sees(".room .message[data-ephemeral]", "Looking into: vpn is down")
	a.says("/nothing")
	a.sees(".composer-problem", "/nothing is not a command here")

	a.press("[data-do=shortcuts]", "")
	a.press("[data-shortcut='ticket.new']", "")
	a.sees("[role=dialog].modal", "Open a ticket")
	a.press(".modal [data-do=back]", "")
	a.seesNot("[role=dialog].modal", "")

	a.press("[data-tab=home]", "")
	a.sees("[data-home]", "Good to see you")
	a.press("[data-home] [data-action-id='home.press']", "Pressed 1")
	a.sees("[data-home] [data-action-id='home.press']", "Pressed 2")
	a.press("[data-tab=messages]", "")

	a.press(".room .composer-input", "")
	a.types(kb.Control + "a")
	a.press("[data-place="+help+"]", "")
	a.says("my keyboard is broken")
	a.press(".room .message[data-user="+ana+"] [data-do=more]", "")
	a.press("[data-shortcut='ticket.from']", "")
	a.until("the form has the message's words", `document.querySelector(".modal [data-action-id=title]").value === "my keyboard is broken"`)
}

func TestSomebodyElseInTheSameWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "")
	a.press("#you", "Ana Torres")
	a.sees(".person", "Chloé Martin")
	a.press(".person > button", "Ben Okafor")
	a.sees("#you[data-user="+ben+"]", "Agent, Service desk")
	a.sees(".room-head", "Desk")
	a.press(".try", "Try it") // the last of them: as Ben, in the help channel
	a.sees(".room-head h1", "it-help")
	if got := eval[string](a, `location.hash`); !strings.Contains(got, "as="+ben) {
		t.Errorf("the address is %q, want it to say who I am", got)
	}
	a.press("[data-do=hide-help]", "")
	a.seesNot(".help-card", "")
}

func TestAWindowTakesUpWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "&in="+help)
	a.do(chromedp.Reload())
	a.sees(".room-head h1", "it-help")
	inSlack(t, w, "ben", help, "while you were away")
	a.sees(".room .message", "while you were away")

	// A lost connection loses nothing.
	w.srv.CloseClientConnections()
	inSlack(t, w, "ben", help, "said in between")
	a.sees(".room .message", "said in between")
	a.seesNot(".connection", "")
}
