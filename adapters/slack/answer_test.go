package slack

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
)

// answers has the Desk give one answer to all.
func (of *office) answers(a chat.Answer) {
	of.desk.answer = func(chat.Event) (chat.Answer, error) { return a, nil }
}

// card posts a card with these buttons to #general.
func (of *office) card(buttons ...chat.Button) chat.Ref {
	of.t.Helper()
	return of.send(chat.Post{ID: "card", Kind: chat.Message, Place: of.place(of.general, ""),
		Card: chat.Card{Text: "a card", Blocks: []chat.Block{chat.Section{Text: chat.T("a card")}, chat.Actions{Buttons: buttons}}}})
}

// press presses a button of a message.
func (of *office) press(p *slacktest.Person, ref chat.Ref, action string) error {
	return p.Act(slacktest.Act{Channel: ref.Channel, TS: ref.Message, Action: action})
}

func (of *office) form(p *slacktest.Person) slacktest.View {
	of.t.Helper()
	views := p.Views()
	if len(views) == 0 {
		of.t.Fatalf("no form is open\n%s", of.TranscriptAll())
	}
	return views[len(views)-1]
}

var question = chat.Form{
	Action: "ticket.open", Args: chat.Args{"x": "7"}, Title: "Open a ticket", Submit: "Open it", Keep: true,
	Fields: []chat.Field{
		{Name: "title", Label: "What is wrong?", Input: chat.Line, Value: []string{"printer"}},
		{Name: "kind", Label: "Which kind?", Input: chat.Select, Refresh: true, Options: []chat.Option{{Value: "broken", Label: "Broken"}, {Value: "need", Label: "Needed"}}},
		{Name: "kb", Label: "Article", Input: chat.Search, Optional: true},
		{Name: "note", Label: "Note", Input: chat.Paragraph, Optional: true},
	},
}

// The life of a form: opened from a card, changed, searched in, refused, sent.
func TestForm(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ref := of.card(chat.Button{Label: "Open", Action: "ticket.open", Args: chat.Args{"x": "7"}, Form: true})
	ana := of.ana

	of.answers(chat.Answer{Form: &question})
	of.must(of.press(ana, ref, "form:ticket.open:0"))
	v := of.form(ana)

	fill := func(field, id string, values ...string) {
		t.Helper()
		of.must(ana.Act(slacktest.Act{View: v.ID, Block: field, Action: id, Values: values}))
	}
	fill("title", "in:ticket.open:title:0", "printer on floor 3")

	// The form that comes back keeps what was typed, and shows what the desk set.
	changed := question
	changed.Fields = append([]chat.Field(nil), question.Fields...)
	changed.Fields[0].Value = []string{"printer on floor 3"}
	changed.Fields[3].Value = []string{"since when?"}
	of.answers(chat.Answer{Form: &changed})
	fill("kind", "in:ticket.open:kind:0", "broken")
	v = of.form(ana)
	if s := of.RenderView(v); !strings.Contains(s, "printer on floor 3") || !strings.Contains(s, "since when?") {
		t.Errorf("after the change the form reads\n%s", s)
	}

	of.answers(chat.Answer{Options: []chat.Option{{Value: "12", Label: "KB-12 Keep the VPN connected", Hint: "Network"}}})
	options, err := ana.Suggest(slacktest.Act{View: v.ID, Block: "kb", Action: "in:ticket.open:kb:0"}, "vp")
	if err != nil || len(options) != 1 || options[0].Value != "12" || options[0].Text != "KB-12 Keep the VPN connected" {
		t.Errorf("Suggest() = %+v, %v", options, err)
	}

	of.answers(chat.Answer{Errors: map[string]string{"title": "Say a little more.", "elsewhere": "And this."}})
	refused, err := ana.Submit(v.ID)
	of.must(err)
	if diff := cmp.Diff(map[string]string{"title": "Say a little more.", "kb": "And this."}, refused); diff != "" {
		t.Errorf("beside the fields (-want +got):\n%s", diff)
	}

	of.answers(chat.Answer{Private: &chat.Card{Text: "Your ticket is INC-1."}})
	if refused, err := ana.Submit(v.ID); err != nil || len(refused) > 0 {
		t.Fatalf("Submit() = %v, %v", refused, err)
	}
	if n := len(ana.Views()); n != 0 {
		t.Errorf("%d forms are still open", n)
	}
	of.sees(ana, of.general, "Your ticket is INC-1.")

	var kinds []chat.Kind
	for _, e := range of.desk.questions() {
		kinds = append(kinds, e.Kind)
		if !e.InCall || e.By != of.person(ana) || e.Place != of.place(of.general, "") {
			t.Errorf("asked within the call: %+v", e)
		}
	}
	if diff := cmp.Diff([]chat.Kind{chat.Pressed, chat.Changed, chat.Searched, chat.Submitted, chat.Submitted}, kinds); diff != "" {
		t.Errorf("what the desk was asked (-want +got):\n%s", diff)
	}
	sent := of.desk.questions()[4]
	want := chat.Values{"title": {"printer on floor 3"}, "kind": {"broken"}, "note": {"since when?"}}
	if diff := cmp.Diff(want, sent.Values); diff != "" || sent.Args["x"] != "7" || sent.Action != "ticket.open" {
		t.Errorf("sent %+v (-want +got):\n%s", sent, diff)
	}
}

func TestFormClosedUnsent(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	of.answers(chat.Answer{Form: &question})
	of.must(of.ana.Command(of.general, "/desk", "printer"))
	v := of.form(of.ana)
	of.must(of.ana.CloseView(v.ID, false))
	got := of.desk.all()
	if len(got) != 1 || got[0].Kind != chat.Dismissed || got[0].Action != "ticket.open" || got[0].Values.One("title") != "printer" {
		t.Errorf("stored %+v", got)
	}
}

// Forms on forms: what is sent is followed by another, and what is read lies on
// top.
func TestFormsOnForms(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ana := of.ana
	first := question
	first.Intro = []chat.Block{chat.Actions{Buttons: []chat.Button{{Label: "Steps", Action: "kb.steps", Form: true}, {Label: "Next", Action: "kb.next", Form: true}}}}
	of.answers(chat.Answer{Form: &first})
	of.must(ana.Shortcut("desk.ask"))
	v := of.form(ana)

	steps := chat.Form{Action: "kb.steps", Title: "Steps", Close: "Back", Intro: []chat.Block{chat.Section{Text: chat.T("Turn it off and on.")}}}
	of.answers(chat.Answer{Form: &steps, Push: true})
	of.must(ana.Act(slacktest.Act{View: v.ID, Action: "form:kb.steps:0"}))
	if n := len(ana.Views()); n != 2 || !strings.Contains(of.RenderView(of.form(ana)), "off and on") {
		t.Fatalf("%d forms, on top\n%s", n, of.RenderView(of.form(ana)))
	}
	of.must(ana.CloseView(of.form(ana).ID, false))

	// A private answer to a press in a form lies on top of it too.
	of.answers(chat.Answer{Private: &chat.Card{Text: "Only you can read this."}})
	of.must(ana.Act(slacktest.Act{View: v.ID, Action: "form:kb.steps:0"}))
	if s := of.RenderView(of.form(ana)); !strings.Contains(s, "Only you can read this.") {
		t.Errorf("on top\n%s", s)
	}
	of.must(ana.CloseView(of.form(ana).ID, false))

	of.answers(chat.Answer{Form: &chat.Form{Action: "b", Title: "Instead", Submit: "Send", Fields: []chat.Field{{Name: "title", Label: "Title", Input: chat.Line}}}})
	of.must(ana.Act(slacktest.Act{View: v.ID, Action: "form:kb.next:1"}))
	if s := of.RenderView(of.form(ana)); len(ana.Views()) != 1 || !strings.Contains(s, "Instead") || strings.Contains(s, "printer") {
		t.Errorf("in its place\n%s", s)
	}
	of.must(ana.Act(slacktest.Act{View: v.ID, Block: "title", Action: "in:b:title:0", Values: []string{"scanner"}}))

	// Sent, it is followed by another; the last one has no place to answer in but itself.
	of.answers(chat.Answer{Form: &chat.Form{Action: "c", Title: "Then this", Submit: "Send", Fields: []chat.Field{{Name: "x", Label: "X", Input: chat.Line, Optional: true}}}})
	if refused, err := ana.Submit(v.ID); err != nil || len(refused) > 0 {
		t.Fatalf("Submit() = %v, %v", refused, err)
	}
	of.answers(chat.Answer{Form: &chat.Form{Action: "d", Title: "And this on top", Submit: "Send", Fields: []chat.Field{{Name: "y", Label: "Y", Input: chat.Line, Optional: true}}}, Push: true})
	if refused, err := ana.Submit(v.ID); err != nil || len(refused) > 0 {
		t.Fatalf("Submit() = %v, %v", refused, err)
	}
	if n := len(ana.Views()); n != 2 {
		t.Fatalf("%d forms, want 2", n)
	}
	of.answers(chat.Answer{Private: &chat.Card{Text: "All done."}})
	if refused, err := ana.Submit(of.form(ana).ID); err != nil || len(refused) > 0 {
		t.Fatalf("Submit() = %v, %v", refused, err)
	}
	if s := of.RenderView(of.form(ana)); !strings.Contains(s, "All done.") {
		t.Errorf("on top\n%s", s)
	}
}

func TestPrivateAnswers(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	of.answers(chat.Answer{Private: &chat.Card{Text: "Ben was first."}})
	ref := of.card(chat.Button{Label: "Claim", Action: "ticket.claim", Form: true})
	of.must(of.press(of.ana, ref, "form:ticket.claim:0"))
	of.sees(of.ana, of.general, "Ben was first.")

	of.answers(chat.Answer{Private: &chat.Card{Text: "Here is what you can ask."}})
	of.must(of.ana.Command(of.general, "/desk", "help"))
	of.sees(of.ana, of.general, "Here is what you can ask.")

	of.answers(chat.Answer{Private: &chat.Card{Text: "That is a ticket already."}})
	of.must(of.ana.MessageShortcut("ticket.from_message", of.general, ref.Message))
	of.sees(of.ana, of.general, "That is a ticket already.")
	if all := strings.Join(of.seen(of.ben, of.general, ""), "\n"); strings.Contains(all, "ticket already") || strings.Contains(all, "was first") {
		t.Errorf("Ben sees\n%s", all)
	}

	// From the Home tab there is no place but a dialog.
	of.send(chat.Post{Kind: chat.Home, User: of.person(of.ana), Card: chat.Card{Blocks: []chat.Block{chat.Actions{Buttons: []chat.Button{{Label: "Mine", Action: "home.mine", Form: true}}}}}})
	home, _ := of.ana.Home()
	of.answers(chat.Answer{Private: &chat.Card{Text: "You have no tickets."}})
	of.must(of.ana.Act(slacktest.Act{View: home.ID, Action: "form:home.mine:0"}))
	if s := of.RenderView(of.form(of.ana)); !strings.Contains(s, "You have no tickets.") {
		t.Errorf("the dialog\n%s", s)
	}
}

// A private answer in a thread is seen in the thread.
func TestPrivateAnswerInAThread(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	root, err := of.ana.Say(slacktest.Post{Channel: of.general, Text: "help"})
	of.must(err)
	ref := of.send(chat.Post{ID: "a", Kind: chat.Message, Place: of.place(of.general, root.TS), Card: chat.Card{Blocks: []chat.Block{
		chat.Actions{Buttons: []chat.Button{{Label: "Who", Action: "who", Form: true}}}}}})
	of.answers(chat.Answer{Private: &chat.Card{Text: "It was you."}})
	of.must(of.press(of.ana, ref, "form:who:0"))
	of.until("whisper in the thread", func() bool {
		return strings.Contains(strings.Join(of.seen(of.ana, of.general, root.TS), "\n"), "It was you.")
	})
}

// A press that needs no form is stored, and answered with nothing.
func TestPressIsStored(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ref := of.send(chat.Post{ID: "card", Kind: chat.Message, Place: of.place(of.general, ""), Card: chat.Card{Blocks: []chat.Block{chat.Actions{
		Buttons: []chat.Button{{Label: "Claim", Action: "ticket.claim", Args: chat.Args{"t": "42"}}},
		Menu:    []chat.Button{{Label: "History", Action: "ticket.history", Args: chat.Args{"t": "42", "of": "a&b=c"}}}}}}})
	of.must(of.press(of.ana, ref, "do:ticket.claim:0"))
	of.must(of.ana.Act(slacktest.Act{Channel: ref.Channel, TS: ref.Message, Action: "menu:1", Values: []string{"ticket.history?of=a%26b%3Dc&t=42"}}))
	got := of.desk.all()
	if len(got) != 2 || len(of.desk.questions()) != 0 {
		t.Fatalf("stored %+v, asked %+v", got, of.desk.questions())
	}
	if e := got[0]; e.Action != "ticket.claim" || e.Args["t"] != "42" || e.Message != ref.Message || e.Place != of.place(of.general, "") || e.Reply == "" {
		t.Errorf("the button: %+v", e)
	}
	if diff := cmp.Diff(chat.Args{"t": "42", "of": "a&b=c"}, got[1].Args); diff != "" || got[1].Action != "ticket.history" {
		t.Errorf("the menu: %+v\n%s", got[1], diff)
	}
	if got[0].Key == got[1].Key {
		t.Errorf("two presses under one key %q", got[0].Key)
	}

	// The address of the press takes an answer for a while, and then the place does.
	for range 7 {
		of.send(chat.Post{Kind: chat.Whisper, Place: got[0].Place, User: got[0].By, Reply: got[0].Reply, Card: chat.Card{Text: "seen"}})
	}
	if n := of.Stats().Calls["chat.postEphemeral"]; n != 2 {
		t.Errorf("%d whispers went by the place, want 2 after 5 by the address", n)
	}
}

// A form that comes too late, or not at all, is explained in words.
func TestFormThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ref := of.card(chat.Button{Label: "Open", Action: "ticket.open", Form: true})
	of.answers(chat.Answer{Form: &question})
	for _, tt := range []struct {
		fault slacktest.Fault
		words string
	}{
		{slacktest.Fault{Error: "expired_trigger_id"}, wordsTooLate},
		{slacktest.Fault{Hang: true}, wordsTooLate},
		{slacktest.Fault{Status: 500}, wordsNotOpened},
	} {
		of.FailNext("views.open", tt.fault)
		of.must(of.press(of.ana, ref, "form:ticket.open:0"))
		of.sees(of.ana, of.general, tt.words)
	}
	of.FailNext("views.open", slacktest.Fault{Error: "expired_trigger_id"})
	of.must(of.ben.Command(of.general, "/desk", "printer"))
	of.sees(of.ben, of.general, wordsTooLate)
}

// While the database is down, what is asked within the call fails as Slack shows
// it, a command in words.
func TestDeskThatCannotAnswer(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ref := of.card(chat.Button{Label: "Open", Action: "ticket.open", Form: true}, chat.Button{Label: "Claim", Action: "ticket.claim"})
	of.answers(chat.Answer{Form: &question})
	of.must(of.press(of.ana, ref, "form:ticket.open:0"))
	v := of.form(of.ana)
	of.must(of.ana.Act(slacktest.Act{View: v.ID, Block: "kind", Action: "in:ticket.open:kind:0", Values: []string{"need"}}))
	of.desk.setDown(true)
	if refused, err := of.ana.Submit(v.ID); err == nil {
		t.Errorf("a form was sent to a desk that is down; refused: %v", refused)
	}
	if n := len(of.ana.Views()); n != 1 {
		t.Errorf("%d forms are open, want the one that could not be sent", n)
	}
	for _, action := range []string{"form:ticket.open:0", "do:ticket.claim:1"} {
		if err := of.press(of.ana, ref, action); err == nil {
			t.Errorf("%s was taken by a desk that is down", action)
		}
	}
	of.must(of.ana.Command(of.general, "/desk", "printer"))
	of.sees(of.ana, of.general, "I can't get to my records just now.")
}

// A desk that is too slow does not make Slack wait: the call ends before Slack
// gives up.
func TestSlowDesk(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	if patience >= 3*time.Second {
		t.Fatalf("patience is %s, and Slack's is 3 s", patience)
	}
	of.a.desk = slow{}
	of.must(of.ana.Command(of.general, "/desk", "printer"))
	of.sees(of.ana, of.general, "I can't get to my records just now.")
}
