package slacktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func TestPacing(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newApp(t, slacktest.Options{Now: c.now, Pacing: slacktest.SlackPacing})
	must(a.w.AddChannel(slacktest.Channel{ID: "Cother", Name: "other", Members: []string{"U0DESK"}}))
	post := func(channel string) error {
		_, _, err := a.PostMessage(channel, slack.MsgOptionText("x", false))
		return err
	}
	for i := range 4 {
		if err := post("Chelp"); err != nil {
			t.Fatalf("post %d of the burst: %v", i, err)
		}
	}
	var limited *slack.RateLimitedError
	if err := post("Chelp"); !errors.As(err, &limited) || limited.RetryAfter != time.Second {
		t.Errorf("the fifth post: %v, want it limited for 1 s", err)
	}
	if err := post("Cother"); err != nil {
		t.Errorf("another channel: %v", err)
	}
	c.pass(time.Second)
	if err := post("Chelp"); err != nil {
		t.Errorf("a second later: %v", err)
	}
	if err := post("Chelp"); !errors.As(err, &limited) {
		t.Errorf("and once more: %v, want it limited", err)
	}
	for range 20 {
		if _, err := a.GetUsersContext(t.Context(), slack.GetUsersOptionLimit(1000)); err != nil {
			break
		}
	}
	if r := call(t, a.w, "users.list"); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "3" || r.str("error") != "ratelimited" {
		t.Errorf("users.list the 21st time in a minute = %d, Retry-After %q, %s", r.status, r.header.Get("Retry-After"), r.raw)
	}
	a.w.SetPacing(slacktest.Pacing{})
	for range 50 {
		if err := post("Chelp"); err != nil {
			t.Fatalf("without limits: %v", err)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{Record: 100})
	post := func(text string, within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, _, err := a.PostMessageContext(ctx, "Chelp", slack.MsgOptionText(text, false))
		return err
	}
	posted := func(text string) bool {
		list := must(a.w.Person("ana").Messages("help", "", 100))
		return slices.ContainsFunc(list, func(m slacktest.Message) bool { return m.Text == text })
	}
	var limited *slack.RateLimitedError
	var status slack.StatusCodeError
	for _, tt := range []struct {
		name   string
		fault  slacktest.Fault
		within time.Duration
		ok     func(error) bool
		posted bool
	}{
		{"limited", slacktest.Fault{RetryAfter: 7 * time.Second}, time.Minute, func(err error) bool { return errors.As(err, &limited) && limited.RetryAfter == 7*time.Second }, false},
		{"broken", slacktest.Fault{Status: 503}, time.Minute, func(err error) bool { return errors.As(err, &status) && status.Code == 503 }, false},
		{"refused", slacktest.Fault{Error: "internal_error"}, time.Minute, func(err error) bool { return err != nil && err.Error() == "internal_error" }, false},
		{"hanging", slacktest.Fault{Hang: true}, 50 * time.Millisecond, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, false},
		{"the answer lost", slacktest.Fault{Lose: true}, time.Minute, func(err error) bool { return err != nil && !errors.Is(err, context.DeadlineExceeded) }, true},
		{"slow", slacktest.Fault{Delay: 20 * time.Millisecond}, time.Minute, func(err error) bool { return err == nil }, true},
		{"nothing", slacktest.Fault{}, time.Minute, func(err error) bool { return err == nil }, true},
	} {
		a.w.FailNext("chat.postMessage", tt.fault)
		if err := post(tt.name, tt.within); !tt.ok(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if posted(tt.name) != tt.posted {
			t.Errorf("%s: posted is %v", tt.name, !tt.posted)
		}
	}
	var n int
	a.w.OnCall(func(c slacktest.Call) slacktest.Fault {
		if c.Method == "chat.postMessage" && c.Args["text"] == "third" && c.Channel == "Chelp" {
			n++
			return slacktest.Fault{Status: 500}
		}
		return slacktest.Fault{}
	})
	for _, text := range []string{"first", "third"} {
		if err := post(text, time.Minute); (err != nil) != (text == "third") {
			t.Errorf("%s: %v", text, err)
		}
	}
	a.w.OnCall(nil)
	if n != 1 || post("third", time.Minute) != nil {
		t.Errorf("the hook was asked %d times, or is still there", n)
	}
	calls := a.w.Calls()
	last := calls[len(calls)-1]
	if last.Method != "chat.postMessage" || last.Args["text"] != "third" || last.Status != 200 || last.Error != "" || last.Args["token"] != nil {
		t.Errorf("the last call was %+v", last)
	}
	if s := a.w.Stats(); s.Calls["chat.postMessage"] != last.N || s.Errors["ratelimited"] != 1 || s.Errors["5xx"] != 2 || s.Posted != 5 {
		t.Errorf("stats = %+v", s)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	m := must(ana.Say(slacktest.Post{Channel: "help", Text: "look", Files: []slacktest.Upload{{Name: "a b.png", Data: []byte("picture")}}}))
	ev := a.one(func(r request) bool { return r.Event["subtype"] == "file_share" }).Event
	file := ev["files"].([]any)[0].(map[string]any)
	if file["name"] != "a b.png" || file["mimetype"] != "image/png" || file["size"] != 7.0 {
		t.Errorf("file = %v", file)
	}
	var got bytes.Buffer
	if err := a.GetFile(file["url_private_download"].(string), &got); err != nil || got.String() != "picture" {
		t.Errorf("GetFile() = %q, %v", got.String(), err)
	}
	resp, err := http.Get(m.Files[0].URLPrivate)
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.Contains(page, []byte("picture")) {
		t.Errorf("without a token: %s %q, want the sign-in page", resp.Header.Get("Content-Type"), page)
	}
	up, err := a.UploadFile(slack.UploadFileParameters{Channel: "Chelp", Filename: "log.txt", Title: "The log", Reader: strings.NewReader("lines"), FileSize: 5, ThreadTimestamp: m.TS, InitialComment: "here"})
	if err != nil {
		t.Fatalf("UploadFile: %v", err)
	}
	thread := must(ana.Thread("help", m.TS))
	last := thread[len(thread)-1]
	if last.Text != "here" || len(last.Files) != 1 || last.Files[0].ID != up.ID || last.Files[0].Title != "The log" || last.Subtype != "file_share" {
		t.Errorf("the upload is shared as %+v", last)
	}
	if f, _, _, err := a.GetFileInfo(up.ID, 0, 0); err != nil || f.Name != "log.txt" || f.Size != 5 {
		t.Errorf("files.info = %+v, %v", f, err)
	}
	if _, data, ok := a.w.FileData(up.ID); !ok || string(data) != "lines" {
		t.Errorf("FileData() = %q, %v", data, ok)
	}
}

func TestOldFilesAreDropped(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{KeepFileBytes: 100})
	ana := a.w.Person("ana")
	var ids []string
	for range 4 {
		ids = append(ids, must(ana.Upload(slacktest.Upload{Name: "x", Data: make([]byte, 40)})).ID)
	}
	for i, id := range ids {
		if _, _, ok := a.w.FileData(id); ok != (i >= 2) {
			t.Errorf("file %d kept: %v", i, ok)
		}
	}
}

func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{KeepMessages: 20, KeepChanges: 30})
	root := must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: "root"}))
	must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: "reply", Thread: root.TS}))
	for i := range 1000 {
		must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: fmt.Sprint(i)}))
	}
	list := must(a.w.Person("ana").Messages("help", "", 10_000))
	if n := len(list); n < 20 || n > 40 || list[n-1].Text != "999" {
		t.Errorf("%d messages are kept, the last %q", n, list[n-1].Text)
	}
	for i, m := range list[1:] {
		if m.TS <= list[i].TS {
			t.Fatalf("timestamps do not grow: %s, %s", list[i].TS, m.TS)
		}
	}
	for _, err := range a.w.Follow(t.Context(), 1) {
		if !errors.Is(err, slacktest.ErrGap) {
			t.Errorf("following from the beginning: %v, want ErrGap", err)
		}
	}
	for c, err := range a.w.Follow(t.Context(), -1) {
		if err != nil || c.Seq <= 1 {
			t.Errorf("following from the oldest: %+v, %v", c, err)
		}
		break
	}
}

// Several followers each see every change once and in order, whenever they begin.
func TestFollow(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	from := a.w.Seq()
	const n = 300
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var texts []string
			at := from
			for len(texts) < n { // taken up again after each ten
				for c, err := range a.w.Follow(t.Context(), at) {
					if err != nil || c.Seq != at+1 {
						t.Errorf("change %d after %d, %v", c.Seq, at, err)
						return
					}
					at = c.Seq
					if c.Kind == slacktest.MessagePosted {
						texts = append(texts, c.Message.Text)
						if len(texts)%10 == 0 {
							break
						}
					}
				}
			}
			for i, text := range texts {
				if text != fmt.Sprint(i) {
					t.Errorf("message %d is %q", i, text)
					return
				}
			}
		})
	}
	for i := range n {
		must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: fmt.Sprint(i)}))
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range a.w.Follow(ctx, a.w.Seq()) {
		}
	}()
	cancel()
	<-done
}

func TestEachPersonSeesTheirOwn(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	ana, ben := tw.w.Person("ana"), tw.w.Person("ben")
	from := tw.w.Seq()
	call(t, tw.w, "chat.postEphemeral", "channel", "Chelp", "user", "Uana", "text", "only ana")
	must(ana.Say(slacktest.Post{Channel: "secret", Text: "in secret"}))
	must(ana.Say(slacktest.Post{Channel: "general", Text: "in public"}))
	call(t, tw.w, "views.publish", "user_id", "Uana", "view", `{"type":"home","blocks":[]}`)
	must(ben.Say(slacktest.Post{Channel: "help", Text: "the end"}))
	see := func(p *slacktest.Person) (list []string) {
		for c, err := range p.Follow(t.Context(), from) {
			if err != nil {
				t.Fatal(err)
			}
			switch c.Kind {
			case slacktest.MessagePosted:
				list = append(list, c.Message.Text)
			case slacktest.HomePublished:
				list = append(list, "home")
			}
			if c.Message != nil && c.Message.Text == "the end" {
				break
			}
		}
		return list
	}
	if diff := cmp.Diff([]string{"only ana", "in secret", "in public", "home", "the end"}, see(ana)); diff != "" {
		t.Errorf("ana (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"in public", "the end"}, see(ben)); diff != "" {
		t.Errorf("ben (-want +got):\n%s", diff)
	}
	if _, err := ben.Messages("secret", "", 10); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("ben reading #secret: %v", err)
	}
	list := must(ana.Messages("help", "", 100))
	if got := list[len(list)-2]; !got.Ephemeral || got.Text != "only ana" {
		t.Errorf("ana sees %+v", got)
	}
	if err := ana.Dismiss("help", list[len(list)-2].TS); err != nil {
		t.Fatal(err)
	}
	if again := must(ana.Messages("help", "", 100)); len(again) != len(list)-1 {
		t.Errorf("after dismissing ana sees %d messages, want %d", len(again), len(list)-1)
	}
}

func TestUnread(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana, ben := a.w.Person("ana"), a.w.Person("ben")
	dm := must(ana.OpenDM("ben"))
	root := must(ana.Say(slacktest.Post{Channel: "help", Text: "mine"}))
	must(ben.Say(slacktest.Post{Channel: "help", Text: "one"}))
	must(ben.Say(slacktest.Post{Channel: "help", Text: "@ana two"}))
	must(ben.Say(slacktest.Post{Channel: "help", Text: "a reply", Thread: root.TS}))
	must(ben.Say(slacktest.Post{Channel: dm, Text: "psst"}))
	call(t, a.w, "chat.postEphemeral", "channel", "Chelp", "user", "Uben", "text", "for ben")
	look := func() map[string][2]int {
		m := map[string][2]int{}
		for _, c := range ana.Conversations() {
			m[c.ID] = [2]int{c.Unread, c.Mentions}
		}
		return m
	}
	if diff := cmp.Diff(map[string][2]int{"Chelp": {2, 2}, dm: {1, 1}}, look()); diff != "" {
		t.Errorf("unread and mentions (-want +got):\n%s", diff)
	}
	list := must(ana.Messages("help", "", 100))
	if err := ana.MarkRead("help", list[len(list)-1].TS); err != nil {
		t.Fatal(err)
	}
	if got := look()["Chelp"]; got[0] != 0 {
		t.Errorf("after reading: %v", got)
	}
}

// Everything at once, for the race detector.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{KeepMessages: 50, Record: 50})
	ctx, cancel := context.WithCancel(t.Context())
	var wg, followers sync.WaitGroup
	for range 3 {
		followers.Go(func() {
			for range a.w.Follow(ctx, -1) {
			}
		})
	}
	for i := range 6 {
		p := a.w.Person([]string{"ana", "ben"}[i%2])
		wg.Go(func() {
			for n := range 30 {
				m, err := p.Say(slacktest.Post{Channel: "help", Text: fmt.Sprint(n, " @desk")})
				if err != nil {
					t.Error(err)
				}
				_, ts, err := a.PostMessage("Chelp", slack.MsgOptionText("x", false), slack.MsgOptionBlocks(
					slack.NewActionBlock("b", slack.NewButtonBlockElement("go", "v", slack.NewTextBlockObject("plain_text", "Go", false, false)))))
				if err != nil {
					t.Error(err)
				}
				_ = p.Act(slacktest.Act{Channel: "help", TS: ts, Action: "go"})
				_ = p.React("help", m.TS, "eyes")
				_, _, _, _ = a.UpdateMessage("Chelp", ts, slack.MsgOptionText("y", false))
				_ = p.Delete("help", m.TS)
				_, _ = p.Messages("help", "", 10)
				_ = a.w.TranscriptAll()
				_, _ = a.w.Snapshot()
			}
		})
	}
	wg.Wait()
	idle(t, a.w)
	cancel()
	followers.Wait()
	if s := a.w.Stats(); s.Pending != 0 || s.GaveUp != 0 {
		t.Errorf("stats = %+v", s)
	}
}

// Whatever goes wrong on the way: an event has been taken by the app at least once,
// or it is counted as given up.
func TestNoEventIsForgotten(t *testing.T) {
	t.Parallel()
	w := must(slacktest.New(slacktest.Options{Redeliver: []time.Duration{0, time.Millisecond, 2 * time.Millisecond}, AnswerWithin: 250 * time.Millisecond}))
	t.Cleanup(func() { w.Close() })
	var mu sync.Mutex
	taken := map[string]int{}
	chances := rand.New(rand.NewPCG(1, 2))
	chance := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return chances.IntN(n) == 0
	}
	w.Connect(serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ev := parse(t, r.URL.Path, r.Header, readAll(r)).Event
		switch {
		case chance(5):
			rw.WriteHeader(http.StatusInternalServerError)
			return
		case chance(5):
			panic(http.ErrAbortHandler)
		case chance(50):
			<-r.Context().Done() // too slow
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if text, ok := ev["text"].(string); ok {
			taken[text]++
		}
	})))
	w.OnDelivery(func(slacktest.Delivery) (f slacktest.DeliveryFault) {
		switch {
		case chance(10):
			f.Delay = time.Millisecond
		case chance(10):
			f.Copies = 1
		case chance(10):
			f.Lost = true
		}
		return f
	})
	const people, words = 8, 40
	var wg sync.WaitGroup
	for i := range people {
		must(w.AddUser(slacktest.User{Name: fmt.Sprint("u", i)}))
		p := w.Person(fmt.Sprint("u", i))
		dm := must(p.OpenDM("U0DESK"))
		wg.Go(func() {
			for n := range words {
				must(p.Say(slacktest.Post{Channel: dm, Text: fmt.Sprint(i, " says ", n)}))
			}
		})
	}
	wg.Wait()
	idle(t, w)
	missing := int64(people*words - len(taken))
	if s := w.Stats(); missing > s.GaveUp || s.GaveUp > people*(words+1)/4 {
		t.Errorf("%d events were never taken, and %d were given up", missing, s.GaveUp)
	}
}

func TestCloseWhileBusy(t *testing.T) {
	t.Parallel()
	w := must(slacktest.New(slacktest.Options{}))
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	must(w.AddUser(slacktest.User{Name: "ana"}))
	dm := must(w.Person("ana").OpenDM("U0DESK"))
	reached, never := make(chan struct{}, 10), make(chan struct{})
	url := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached <- struct{}{}; <-never }))
	t.Cleanup(func() { close(never) })
	w.Connect(url)
	for range 5 {
		must(w.Person("ana").Say(slacktest.Post{Channel: dm, Text: "x"}))
	}
	<-reached
	for range 2 {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := w.Person("ana").Say(slacktest.Post{Channel: dm, Text: "x"}); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("after closing: %v", err)
	}
}
