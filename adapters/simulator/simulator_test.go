package simulator_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/adapters/simulator"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func postIn(channel, text string) slacktest.Post {
	return slacktest.Post{Channel: channel, Text: text}
}

func TestNewRefusesWhatCannotBeShown(t *testing.T) {
	t.Parallel()
	ws, err := slacktest.New(slacktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	tests := map[string]simulator.Options{
		"no workspace":              {},
		"a person who is not there": {Slack: ws, People: []simulator.Persona{{User: "nobody"}}},
		"a task for nobody":         {Slack: ws, Tasks: []simulator.Task{{Title: "x", As: "nobody"}}},
		"a task in no channel":      {Slack: ws, Tasks: []simulator.Task{{Title: "x", In: "nowhere"}}},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			if s, err := simulator.New(o); err == nil {
				t.Errorf("New() = %v, want an error", s)
			}
		})
	}
}

func TestBadRequestsAreRefusedWithWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.slack.Person("ben").Say(postIn(help, "mine"))
	if err != nil {
		t.Fatal(err)
	}
	ts := `"ts":"` + m.TS + `"`
	tests := map[string]struct {
		method, path, body string
		header             http.Header
		want               int
	}{
		"nobody of that name":           {"GET", "/api/state?as=U0NOBODY", "", nil, 404},
		"the app itself":                {"GET", "/api/state?as=" + w.slack.App().BotUserID, "", nil, 404},
		"a channel that is not there":   {"GET", "/api/messages?as=" + ana + "&channel=C0NONE", "", nil, 409},
		"no such action":                {"POST", "/api/explode?as=" + ana, "{}", nil, 404},
		"reading by POST":               {"POST", "/api/state?as=" + ana, "{}", nil, 404},
		"no JSON":                       {"POST", "/api/react?as=" + ana, "emoji", nil, 400},
		"a field that nobody knows":     {"POST", "/api/react?as=" + ana, `{"admin":true}`, nil, 400},
		"two requests in one":           {"POST", "/api/react?as=" + ana, `{}{}`, nil, 400},
		"too deeply nested":             {"POST", "/api/react?as=" + ana, strings.Repeat("[", 20000), nil, 400},
		"too large":                     {"POST", "/api/react?as=" + ana, `{"emoji":"` + strings.Repeat("x", 2<<20) + `"}`, nil, 413},
		"editing what is not one's own": {"POST", "/api/edit?as=" + ana, `{"channel":"` + help + `",` + ts + `,"text":"yours"}`, nil, 409},
		"a button that is not there":    {"POST", "/api/act?as=" + ana, `{"channel":"` + help + `",` + ts + `,"action":"x"}`, nil, 409},
		"a view that is not open":       {"POST", "/api/submit?as=" + ana, `{"view":"V0"}`, nil, 409},
		"from another site":             {"POST", "/api/react?as=" + ana, "{}", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"a form that is none":           {"POST", "/api/say?as=" + ana, "x", http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}, 400},
		"a page that is not there":      {"GET", "/js/none.js", "", nil, 404},
		"a path that climbs":            {"GET", "/js/..%2f..%2fdoc.go", "", nil, 404},
		"a file that is not there":      {"GET", "/api/file?as=" + ana + "&id=F0", "", nil, 404},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), tt.method, w.url+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range tt.header {
				req.Header[k] = v
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.want {
				t.Errorf("%s %s = %d %s, want %d", tt.method, tt.path, res.StatusCode, body, tt.want)
			}
			if len(bytes.TrimSpace(body)) == 0 {
				t.Errorf("%s %s is refused without a word", tt.method, tt.path)
			}
		})
	}
}

func TestThePageForbidsForeignCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, err := http.Get(w.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("Content-Security-Policy = %q, want %q in it", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("Content-Security-Policy = %q, want nothing unsafe", csp)
	}
	tag := res.Header.Get("ETag")
	req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", tag)
	again, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("asking again with %s = %d, want 304", tag, again.StatusCode)
	}
}

func TestFilesOfPeopleCannotRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("channel", help)
	form.WriteField("text", "look at this")
	part, err := form.CreateFormFile("file", "page.html")
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(part, "<script>alert(1)</script>")
	form.Close()
	res, err := http.Post(w.url+"/api/say?as="+ana, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var said struct{ Channel, TS string }
	if err := json.NewDecoder(res.Body).Decode(&said); err != nil || res.StatusCode != 200 {
		t.Fatalf("say = %d, %v", res.StatusCode, err)
	}
	m, ok := w.slack.Message(said.Channel, said.TS)
	if !ok || len(m.Files) != 1 {
		t.Fatalf("the message %+v has no file", m)
	}
	got, err := http.Get(w.url + "/api/file?as=" + ben + "&id=" + m.Files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	if err != nil || !strings.Contains(string(data), "alert(1)") {
		t.Fatalf("the file is %q, %v", data, err)
	}
	if typ, csp := got.Header.Get("Content-Type"), got.Header.Get("Content-Security-Policy"); typ != "application/octet-stream" || !strings.Contains(csp, "sandbox") {
		t.Errorf("the file comes as %q with policy %q, want bytes in a sandbox", typ, csp)
	}
}

// frame is one server-sent event.
type frame struct{ event, id, data string }

// stream reads events until the connection ends.
func stream(t *testing.T, url, last string) <-chan frame {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("the stream comes as %q", got)
	}
	frames := make(chan frame, 64)
	go func() {
		defer close(frames)
		defer res.Body.Close()
		var f frame
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "":
				if f != (frame{}) {
					frames <- f
				}
				f = frame{}
			case "event":
				f.event = value
			case "id":
				f.id = value
			case "data":
				f.data = value
			}
		}
	}()
	return frames
}

func TestTheStreamIsTakenUpWhereItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var state struct{ Next string }
	res, err := http.Get(w.url + "/api/state?as=" + ana)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	say := func(text string) {
		t.Helper()
		if _, err := w.slack.Person("ben").Say(postIn(help, text)); err != nil {
			t.Fatal(err)
		}
	}
	// next is the next message that the stream tells of.
	next := func(frames <-chan frame) (text, id string) {
		t.Helper()
		for f := range frames {
			var c slacktest.Change
			if err := json.Unmarshal([]byte(f.data), &c); err != nil {
				t.Fatal(err)
			}
			if c.Kind == slacktest.MessagePosted {
				return c.Message.Text, f.id
			}
		}
		t.Fatal("the stream has ended")
		return "", ""
	}
	say("one")
	first := stream(t, w.url+"/api/follow?as="+ana+"&after="+state.Next, "")
	text, id := next(first)
	if text != "one" {
		t.Fatalf("the first message is %q, want one", text)
	}
	say("two")
	say("three")
	again := stream(t, w.url+"/api/follow?as="+ana+"&after="+state.Next, id)
	for _, want := range []string{"two", "three"} {
		if text, _ := next(again); text != want {
			t.Errorf("after %s comes %q, want %q", id, text, want)
		}
	}
	brief := stream(t, w.url+"/api/follow?as="+ana+"&brief=true&after="+state.Next, "")
	for _, want := range []string{"one", "two", "three"} {
		if text, _ := next(brief); text != want {
			t.Errorf("in brief comes %q, want %q", text, want)
		}
	}
	last := frame{}
	for f := range brief {
		last = f
	}
	if last.event != "enough" {
		t.Errorf("a brief stream ends with %+v, want enough", last)
	}
	for name, place := range map[string]string{"of another process": "other.3", "of the future": strings.Split(id, ".")[0] + ".999999", "none": "x"} {
		f := <-stream(t, w.url+"/api/follow?as="+ana+"&after="+place, "")
		if f.event != "gap" {
			t.Errorf("a place %s gives %+v, want a gap", name, f)
		}
	}
}
