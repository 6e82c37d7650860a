package slacktest_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

func TestConversationOfAPersonAndTheApp(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	s := a.w.Script(t)
	ana := s.Person("ana")
	ana.Says("the printer & I <3 https://example.com @desk")
	ev := a.one(ofType("message")).Event
	if got, want := ev["text"], "the printer &amp; I &lt;3 <https://example.com> <@U0DESK>"; got != want {
		t.Errorf("the text arrived as %q, want %q", got, want)
	}
	if ev["channel_type"] != "im" || ev["user"] != "Uana" || ev["client_msg_id"] == nil {
		t.Errorf("the event is %v", ev)
	}
	channel, ts := ev["channel"].(string), ev["ts"].(string)
	_, reply, err := a.PostMessage(channel, slack.MsgOptionTS(ts), slack.MsgOptionText("fallback", false), slack.MsgOptionBlocks(
		slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "*KB-12* Keep the VPN connected", false, false), nil, nil),
		slack.NewActionBlock("acts", slack.NewButtonBlockElement("solved", "12", slack.NewTextBlockObject("plain_text", "Solved it", true, false))),
	))
	if err != nil {
		t.Fatalf("PostMessage: %v", err)
	}
	ana.Sees("KB-12 Keep the VPN connected").Press("Solved it")
	click := a.one(ofType("block_actions"))
	if got := click.ActionCallback.BlockActions[0]; got.ActionID != "solved" || got.Value != "12" || click.Container.MessageTs != reply || click.TriggerID == "" || click.ResponseURL == "" {
		t.Errorf("the click is %+v", click.Payload)
	}
	if _, _, err := a.PostMessage(channel, slack.MsgOptionResponseURL(click.ResponseURL, slack.ResponseTypeEphemeral), slack.MsgOptionText("Glad it worked", false)); err != nil {
		t.Fatalf("by response URL: %v", err)
	}
	ana.Sees("only ana sees this", "Glad it worked")
}
