package slack

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
)

// newSocketOffice is an office that is reached over socket mode.
func newSocketOffice(t *testing.T) *office {
	t.Helper()
	of := newOffice(t, slacktest.Options{SocketMode: true, Redeliver: []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 2 * time.Second}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- of.a.RunSocket(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("RunSocket() = %v after its context had ended", err)
		}
	})
	// Only events wait for a connection.
	_, err := of.ben.Say(slacktest.Post{Channel: of.general, Text: "are you there?"})
	of.must(err)
	of.idle()
	if len(of.desk.all()) != 1 {
		t.Fatal("nothing comes over the socket")
	}
	return of
}

func TestSocketMode(t *testing.T) {
	t.Parallel()
	of := newSocketOffice(t)
	ref := of.card(chat.Button{Label: "Claim", Action: "ticket.claim"}, chat.Button{Label: "Open", Action: "ticket.open", Form: true})
	of.must(of.press(of.ana, ref, "do:ticket.claim:0"))
	of.answers(chat.Answer{Form: &question})
	of.must(of.press(of.ana, ref, "form:ticket.open:1"))
	v := of.form(of.ana)
	of.answers(chat.Answer{Options: []chat.Option{{Value: "12", Label: "KB-12"}}})
	if options, err := of.ana.Suggest(slacktest.Act{View: v.ID, Block: "kb", Action: "in:ticket.open:kb:0"}, "vp"); err != nil || len(options) != 1 {
		t.Errorf("Suggest() = %+v, %v", options, err)
	}
	of.answers(chat.Answer{})
	of.must(of.ana.Act(slacktest.Act{View: v.ID, Block: "kind", Action: "in:ticket.open:kind:0", Values: []string{"need"}}))
	of.answers(chat.Answer{Errors: map[string]string{"title": "Say more."}})
	if refused, err := of.ana.Submit(v.ID); err != nil || refused["title"] != "Say more." {
		t.Errorf("Submit() = %v, %v", refused, err)
	}
	of.answers(chat.Answer{Private: &chat.Card{Text: "INC-1"}})
	if refused, err := of.ana.Submit(v.ID); err != nil || len(refused) > 0 {
		t.Errorf("Submit() = %v, %v", refused, err)
	}
	of.sees(of.ana, of.general, "INC-1")
	of.answers(chat.Answer{Private: &chat.Card{Text: "what you can ask"}})
	of.must(of.ana.Command(of.general, "/desk", "help"))
	of.sees(of.ana, of.general, "what you can ask")

	if got := of.desk.all(); len(got) != 2 || got[0].Text != "are you there?" || got[1].Action != "ticket.claim" {
		t.Errorf("stored %+v", got)
	}

	// Slack asks for a new connection every few hours; nothing is lost over it.
	for range 3 {
		of.Refresh()
		_, err := of.ana.Say(slacktest.Post{Channel: of.general, Text: "after"})
		of.must(err)
		of.idle()
	}
	keys := map[string]bool{}
	for _, e := range of.desk.all()[2:] {
		keys[e.Key] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d of 3 messages arrived around new connections", len(keys))
	}
}

// What can't be stored is not acknowledged, and Slack sends it again.
func TestSocketModeWhileTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	of := newSocketOffice(t)
	of.desk.setDown(true)
	of.OnDelivery(func(d slacktest.Delivery) slacktest.DeliveryFault {
		if d.Attempt > 1 {
			of.desk.setDown(false)
		}
		return slacktest.DeliveryFault{}
	})
	_, err := of.ana.Say(slacktest.Post{Channel: of.general, Text: "one"})
	of.must(err)
	of.until("event", func() bool { return len(of.desk.all()) > 1 })
}

// Slack drops an acknowledgement of 20 KB; a form of that size comes by another way.
func TestLargeFormsOverTheSocket(t *testing.T) {
	t.Parallel()
	of := newSocketOffice(t)
	for _, push := range []bool{false, true} {
		of.answers(chat.Answer{Form: &chat.Form{Action: "a", Title: "Small", Submit: "Send", Fields: []chat.Field{{Name: "x", Label: "X", Input: chat.Line, Optional: true}}}})
		of.must(of.ana.Shortcut("desk.ask"))
		large := chat.Form{Action: "b", Title: "Large", Intro: []chat.Block{chat.Section{Text: chat.T(strings.Repeat("Steps and steps. ", 2500) + "The end.")}}}
		of.answers(chat.Answer{Form: &large, Push: push})
		if refused, err := of.ana.Submit(of.form(of.ana).ID); err != nil || len(refused) > 0 {
			t.Fatalf("Submit() = %v, %v", refused, err)
		}
		of.until("large form", func() bool {
			views := of.ana.Views()
			return len(views) > 0 && strings.Contains(of.RenderView(views[len(views)-1]), "The end.")
		})
		of.must(of.ana.CloseView(of.form(of.ana).ID, true))
	}
}

func TestSocketModeThatCannotBegin(t *testing.T) {
	t.Parallel()
	if err := newAdapter(t, Options{}).RunSocket(t.Context()); err == nil || !strings.Contains(err.Error(), "DESKHAND_SLACK_APP_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	s := newScripted(t, map[string]answerer{"apps.connections.open": ok(`{"ok":false,"error":"invalid_auth"}`)})
	a := newAdapter(t, Options{APIURL: s.URL + "/api/", AppToken: testAppToken})
	if err := a.RunSocket(t.Context()); err == nil || !strings.Contains(err.Error(), "invalid_auth") || strings.Contains(err.Error(), "hushhush") {
		t.Errorf("with a wrong token: %v", err)
	}
}
