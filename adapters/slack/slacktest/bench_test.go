package slacktest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
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

// The server's share alone, without a client and without a network.
func BenchmarkServePost(b *testing.B) {
	w := must(slacktest.New(slacktest.Options{KeepMessages: 1000}))
	defer w.Close()
	must(w.AddChannel(slacktest.Channel{ID: "C1", Name: "c", Members: []string{w.App().BotUserID}}))
	body := url.Values{
		"token": {w.App().BotToken}, "channel": {"C1"}, "text": {"INC-1 the printer on floor 3"},
		"blocks": {`[{"type":"section","text":{"type":"mrkdwn","text":"*INC-1* The printer on floor 3"}},{"type":"actions","block_id":"acts","elements":[` +
			`{"type":"button","action_id":"claim","value":"1","text":{"type":"plain_text","text":"Claim"}},` +
			`{"type":"button","action_id":"resolve","value":"1","text":{"type":"plain_text","text":"Resolve"}}]}]`},
	}.Encode()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/api/chat.postMessage", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		if w.Handler().ServeHTTP(rec, r); rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), `"ok":false`) {
			b.Fatal(rec.Body)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

// Events to an app that takes everything, from 64 conversations at once. The app's
// share of the work is in the figure.
func BenchmarkDeliver(b *testing.B) {
	w := must(slacktest.New(slacktest.Options{KeepMessages: 100}))
	defer w.Close()
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer app.Close()
	var people []*slacktest.Person
	var dms []string
	for i := range 64 {
		must(w.AddUser(slacktest.User{Name: "u" + strconv.Itoa(i)}))
		people = append(people, w.Person("u"+strconv.Itoa(i)))
		dms = append(dms, must(people[i].OpenDM(w.App().BotUserID)))
	}
	w.Connect(app.URL)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		must(people[n%64].Say(slacktest.Post{Channel: dms[n%64], Text: "vpn drops every ten minutes"}))
		if n++; n%2048 == 0 { // never more than Slack takes in an hour
			if err := w.Idle(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Idle(b.Context()); err != nil {
		b.Fatal(err)
	}
	if s := w.Stats(); s.GaveUp > 0 {
		b.Errorf("%d events were given up", s.GaveUp)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
