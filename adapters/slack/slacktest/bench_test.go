package slacktest_test

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func benchmark(b *testing.B, blocks bool) {
	w, err := slacktest.New(slacktest.Options{KeepMessages: 1000})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	if err := w.Listen("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	for i := range 16 {
		if _, err := w.AddChannel(slacktest.Channel{ID: "C" + strconv.Itoa(i), Name: "c" + strconv.Itoa(i), Members: []string{w.App().BotUserID}}); err != nil {
			b.Fatal(err)
		}
	}
	c := slack.New(w.App().BotToken, slack.OptionAPIURL(w.URL()+"/api/"))
	opts := []slack.MsgOption{slack.MsgOptionText("hello", false)}
	if blocks {
		opts = append(opts, slack.MsgOptionBlocks(
			slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "*INC-1* The printer on floor 3", false, false), nil, nil),
			slack.NewActionBlock("acts",
				slack.NewButtonBlockElement("claim", "1", slack.NewTextBlockObject("plain_text", "Claim", true, false)),
				slack.NewButtonBlockElement("resolve", "1", slack.NewTextBlockObject("plain_text", "Resolve", true, false))),
		))
	}
	var n atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, _, err := c.PostMessage("C"+strconv.Itoa(int(n.Add(1)%16)), opts...); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

// The client's share is in these figures too: slack-go and the server run in one
// process.
func BenchmarkPostText(b *testing.B)   { benchmark(b, false) }
func BenchmarkPostBlocks(b *testing.B) { benchmark(b, true) }
