package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/cards"
)

// sends posts a body that Slack has signed, unless more spoils that, and
// returns the status.
func (d *desk) sends(path, body string, more ...func(*http.Request)) int {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, "http://"+d.app.Addr()+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	slacktest.Sign(req.Header, "secret", d.now(), []byte(body))
	for _, m := range more {
		m(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatalf("%s: %v", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // only the status matters
	if resp.StatusCode >= 500 && resp.StatusCode != http.StatusServiceUnavailable {
		d.t.Errorf("%s %.200s: status %d", path, body, resp.StatusCode)
	}
	return resp.StatusCode
}

// wire is an event as Slack sends it.
func (d *desk) wire(inner map[string]any, with ...func(map[string]any)) string {
	env := map[string]any{"type": "event_callback", "team_id": d.slack.Team().ID, "api_app_id": d.slack.App().ID,
		"event_id": "Ev" + fmt.Sprint(time.Now().UnixNano()), "event_time": time.Now().Unix(), "event": inner}
	for _, w := range with {
		w(env)
	}
	return js(env)
}

func js(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and strings
	}
	return string(b)
}

func (d *desk) dm(who string) string {
	d.t.Helper()
	id, err := d.Person(who).Person().DM()
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// payload is an interaction of somebody's.
func (d *desk) payload(typ, who string, more map[string]any) string {
	p := map[string]any{"type": typ, "api_app_id": d.slack.App().ID, "team": map[string]any{"id": d.slack.Team().ID},
		"user": map[string]any{"id": d.Person(who).Person().ID(), "team_id": d.slack.Team().ID}, "trigger_id": "t" + fmt.Sprint(time.Now().UnixNano())}
	for k, v := range more {
		p[k] = v
	}
	return url.Values{"payload": {js(p)}}.Encode()
}

// dead checks that nothing was given up.
func (d *desk) dead() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	if err := d.settled(ctx); err != nil {
		d.t.Errorf("it does not settle: %v", err)
	}
	rows, err := d.db.Pool().Query(ctx, `select source || ' ' || key || ': ' || error || ' ' || left(content::text, 300) from dead_letters`)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			d.t.Fatal(err)
		}
		d.t.Errorf("a dead letter: %s", s)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana").Person().ID()
	dm := d.dm("ana")
	said := func(text string) map[string]any {
		return map[string]any{"type": "message", "channel": dm, "channel_type": "im", "user": ana, "text": text, "ts": fmt.Sprintf("%d.000100", time.Now().Unix())}
	}
	deep := strings.Repeat("[", 100_000)
	form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	in := func(payload string) string { return url.Values{"payload": {payload}}.Encode() }
	for _, tt := range []struct {
		name, path, body string
		more             func(*http.Request)
		want             int
	}{
		{"no JSON", "/slack/events", "hello", nil, 400},
		{"nothing", "/slack/events", "", nil, 400},
		{"JSON of another shape", "/slack/events", `[1,2,3]`, nil, 400},
		{"null", "/slack/events", `null`, nil, 200},
		{"deeply nested", "/slack/events", deep, nil, 400},
		{"deeply nested in an event", "/slack/events", `{"type":"event_callback","event":{"type":"message","files":` + deep, nil, 400},
		{"over a megabyte", "/slack/events", `{"type":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413},
		{"over a megabyte, without saying so", "/slack/events", `{"type":"` + strings.Repeat("x", 1<<20) + `"}`, func(r *http.Request) { r.ContentLength = -1 }, 413},
		{"a type of request from the future", "/slack/events", `{"type":"brain_wave","team_id":"T1"}`, nil, 200},
		{"a type of event from the future", "/slack/events", d.wire(map[string]any{"type": "brain_wave", "text": 5}), nil, 200},
		{"a field of the wrong type", "/slack/events", d.wire(map[string]any{"type": "message", "text": 5}), nil, 400},
		{"another workspace", "/slack/events", d.wire(said("hi from elsewhere"), func(m map[string]any) { m["team_id"] = "T0THER" }), nil, 200},
		{"another app", "/slack/events", d.wire(said("hi from elsewhere"), func(m map[string]any) { m["api_app_id"] = "A0THER" }), nil, 200},
		{"a message without a time", "/slack/events", d.wire(map[string]any{"type": "message", "channel": dm, "user": ana, "text": "x", "ts": "soon"}), nil, 400},
		{"a message from outside of time", "/slack/events", d.wire(map[string]any{"type": "message", "channel": dm, "user": ana, "text": "x", "ts": "99999999999999999.1"}), nil, 400},
		{"stale", "/slack/events", d.wire(said("from yesterday")), func(r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
			slacktest.Sign(r.Header, "secret", d.now().Add(-6*time.Minute), b)
		}, 401},
		{"from the future", "/slack/events", d.wire(said("from tomorrow")), func(r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
			slacktest.Sign(r.Header, "secret", d.now().Add(6*time.Minute), b)
		}, 401},
		{"forged", "/slack/events", d.wire(said("from nobody")), func(r *http.Request) {
			r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64))
		}, 401},
		{"signed for another body", "/slack/events", d.wire(said("from nobody")), func(r *http.Request) {
			slacktest.Sign(r.Header, "secret", d.now(), []byte("{}"))
		}, 401},
		{"unsigned", "/slack/events", d.wire(said("from nobody")), func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, 401},
		{"a time that is none", "/slack/events", d.wire(said("from nobody")), func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "now") }, 401},
		{"a click without a payload", "/slack/interactivity", "x=1", form, 400},
		{"a payload that is no JSON", "/slack/interactivity", in("hello"), form, 400},
		{"a payload of nothing", "/slack/interactivity", in("{}"), form, 400},
		{"a payload deeply nested", "/slack/interactivity", in(deep), form, 400},
		{"no form", "/slack/interactivity", "%zz", form, 400},
		{"a click of a type from the future", "/slack/interactivity", d.payload("telepathy", "ana", nil), form, 200},
		{"a click in another workspace", "/slack/interactivity", d.payload("block_actions", "ana", map[string]any{"team": map[string]any{"id": "T0THER"}}), form, 200},
		{"a click on nothing", "/slack/interactivity", d.payload("block_actions", "ana", nil), form, 400},
		{"a form without a view", "/slack/interactivity", d.payload("view_submission", "ana", nil), form, 400},
		{"a form that carries rubbish", "/slack/interactivity", d.payload("view_submission", "ana", map[string]any{"view": map[string]any{"id": "V1", "private_metadata": "rubbish"}}), form, 400},
		{"a command without anything", "/slack/commands", "", form, 400},
		{"a command of nobody", "/slack/commands", "command=%2Fdesk&text=x", form, 400},
		{"a command in another workspace", "/slack/commands", url.Values{"command": {"/desk"}, "user_id": {ana}, "trigger_id": {"1"}, "team_id": {"T0THER"}, "text": {"vpn"}}.Encode(), form, 200},
		{"a path that there is not", "/slack/nothing", "{}", nil, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var more []func(*http.Request)
			if tt.more != nil {
				more = append(more, tt.more)
			}
			if got := d.sends(tt.path, tt.body, more...); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
	if n := d.count(`select (select count(*) from inbox) + (select count(*) from questions) + (select count(*) from seen)`); n != 0 {
		t.Errorf("%d traces of bad requests in the record, want none", n)
	}

	d.Person("ana").Says("the printer is not printing").Sees("Solved it")
	m := said("the printer is not printing")
	m["ts"] = d.message("ana", dm, "the printer is not printing").TS
	again := d.wire(m)
	for range 5 {
		if got := d.sends("/slack/events", again); got != 200 {
			t.Errorf("a replayed event: status %d, want 200", got)
		}
	}
	d.dead()
	if n := d.count(`select count(*) from questions`); n != 1 {
		t.Errorf("a question that came five times is %d questions", n)
	}
}

// What a client can't send, but a request with Slack's signature could hold.
func TestOddText(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, dm := d.Person("ana").Person().ID(), d.dm("ana")
	long := strings.Repeat("the printer eats paper ", 20_000/23+1)[:20_000]
	n := 0
	for name, text := range map[string]string{
		"NUL":             `"printer \u0000 not printing"`,
		"half a pair":     `"printer \ud800 not printing"`,
		"no UTF-8":        "\"printer \xff\xfe not printing\"",
		"all of Unicode":  `"printer 🖨️ \u202e gnitnirp ton \u0007 \ue000U1\ue001"`,
		"20,000 letters":  js(long),
		"only spaces":     `"   \n\t  "`,
		"markup":          `"<!channel> <!here> <!everyone> <@U0NOBODY> <#C0NOWHERE|x> <!subteam^S1> <http://evil.example|bank> printer"`,
		"broken markup":   `"printer <<<@>>> <!> <|> <@|> ` + "```" + ` &lt;!channel&gt; *_~"`,
		"a private use":   `"\ue000\ue000\ue001\ue000"`,
		"a SQL injection": `"printer'); drop table tickets; --"`,
		"many lines":      js(strings.Repeat("printer\n", 2000)),
	} {
		n++
		body := fmt.Sprintf(`{"type":"event_callback","team_id":%q,"api_app_id":%q,"event_id":"EvOdd%d","event_time":1,"event":{"type":"message","channel":%q,"channel_type":"im","user":%q,"ts":"%d.%06d","text":%s}}`,
			d.slack.Team().ID, d.slack.App().ID, n, dm, ana, time.Now().Unix(), n, text)
		if got := d.sends("/slack/events", body); got != 200 {
			t.Errorf("%s: status %d, want 200", name, got)
		}
	}
	// There are no such messages in the double, so answers can't be posted below
	// them; what counts is that all of them are handled.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := d.settled(ctx); err != nil {
		t.Errorf("it does not settle: %v", err)
	}
	if n := d.count(`select count(*) from dead_letters where source = 'inbox'`); n != 0 {
		t.Errorf("%d messages could not be handled", n)
	}
	if got, want := d.count(`select count(*) from questions`), n-3; got < want {
		t.Errorf("%d questions, want at least %d", got, want)
	}
}

// Text of people is shown and never does anything.
func TestTextIsInert(t *testing.T) {
	t.Parallel()
	d := openWith(t, func(*Options) {})
	const evil = "@channel @here <!channel> <!here> <!everyone> <@U0NOBODY> <http://evil.example|your bank> *bold* ```rm -rf /``` zebra"
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says(evil).Press("Open a ticket").Press("Something is broken").SeesForm("Who is affected?")
	ana.Fill("What is broken?", "<!channel> "+"@here <@U0NOBODY> zebra").Fill("Anything else?", evil).
		Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
	ana.Sees("INC-1")
	ben.Press("Claim").Sees("Ben Weber is on it")
	thread := ben.InThread("INC-1")
	thread.Says("agent: " + evil)
	ana.InThread("zebra").Says("requester: " + evil)
	ana.Sees("agent:")
	ben.Sees("requester:")
	ben.Press("Resolve").Fill("What fixed it?", "resolution "+evil).Submits()
	ana.Sees("resolution", "Yes, close")
	ana.Press("No, reopen").Fill("What is still wrong?", "still "+evil).Submits()
	thread.Sees("still")
	ana.Runs("/desk " + evil)
	d.dead()

	seen := 0
	for m := range messagesOf(d.slack) {
		now, ok := d.slack.Message(m.Channel, m.TS)
		if m.BotID == "" || !ok {
			continue
		}
		seen++
		var blocks any
		if err := json.Unmarshal(now.Blocks, &blocks); err != nil && len(now.Blocks) > 0 {
			t.Fatal(err)
		}
		for _, bad := range append(alive(map[string]any{"type": "mrkdwn", "text": now.Text}), alive(blocks)...) {
			t.Errorf("a message of the desk's would do something: %s", bad)
		}
	}
	if seen < 6 {
		t.Errorf("looked at %d messages, want all of the conversation", seen)
	}
}

var (
	// In marked text these notify, or hide where a link leads.
	marks = regexp.MustCompile(`<!(channel|here|everyone|subteam)|<@U0NOBODY|<[a-z]+://[^>]*\|`)
	// In rich text elements of these types do; their text is never read.
	acts = map[any]bool{"broadcast": true, "usergroup": true, "channel": true}
)

// alive finds what Slack would not merely show.
func alive(v any) (found []string) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			found = append(found, alive(x)...)
		}
	case map[string]any:
		text, _ := v["text"].(string)
		if v["type"] == "mrkdwn" && marks.MatchString(text) || acts[v["type"]] || v["user_id"] == "U0NOBODY" || v["type"] == "link" && v["text"] != nil && v["text"] != v["url"] {
			found = append(found, js(v))
		}
		for _, x := range v {
			found = append(found, alive(x)...)
		}
	}
	return found
}

// Whoever may not do something can't do it with a button or a form of their own
// making either, whatever it names.
func TestForgedButtons(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("a quixotic zebra hums").Press("Talk to a person").Sees("INC-1")
	ben.Press("Claim").Sees("Ben Weber is on it")
	d.dead()
	const record = `select to_jsonb(t)::text || (select string_agg(action, ' ') from audit where subject in ('ticket', 'question')) ||
		(select count(*) from questions) from tickets t`
	before := d.text(record)

	actions := []string{cards.Solved, cards.NotAfter, cards.Steps, cards.Open, cards.OpenKind, cards.OpenOther, cards.OpenAdd, cards.Talk,
		cards.Claim, cards.Release, cards.Assign, cards.PassOn, cards.Away, cards.Back, cards.HandOver, cards.Wait, cards.Wake, cards.Resolve, cards.Priority, cards.Correct, cards.History,
		cards.Yes, cards.No, cards.Rate, cards.Remark, cards.TellLead, cards.MyTickets, cards.ItsMe, cards.Ask, "no.such.button", ""}
	ids := []string{"1", "0", "-1", "9223372036854775807", "99999999999999999999", "abc", "\x00"}
	form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
	dm := map[string]string{"zoe": d.dm("zoe"), "eva": d.dm("eva")}
	for who, channel := range dm {
		for _, action := range actions {
			for _, id := range ids {
				if who == "eva" && id != "1" {
					continue // what can't be read is the same from everybody
				}
				args := map[string]string{"t": id, "q": id, "a": id, "v": id, "k": "incident", "r": id}
				value, _ := json.Marshal(args)
				for _, prefix := range []string{"do:", "form:"} {
					got := d.sends("/slack/interactivity", d.payload("block_actions", who, map[string]any{
						"channel": map[string]any{"id": channel, "name": "directmessage"}, "container": map[string]any{"type": "message", "message_ts": "1700000000.000100", "channel_id": channel},
						"actions": []any{map[string]any{"type": "button", "action_id": prefix + action + ":0", "action_ts": fmt.Sprintf("%d.000100", time.Now().Unix()), "value": string(value)}},
					}), form)
					if got != 200 {
						t.Errorf("%s presses a forged %s%s with %s: status %d", who, prefix, action, id, got)
					}
				}
				if action == cards.Ask {
					continue // is for everybody
				}
				meta, _ := json.Marshal(map[string]any{"a": args, "c": channel})
				got := d.sends("/slack/interactivity", d.payload("view_submission", who, map[string]any{
					"view": map[string]any{"id": "V" + fmt.Sprint(time.Now().UnixNano()), "type": "modal", "callback_id": action, "private_metadata": string(meta),
						"state": map[string]any{"values": map[string]any{}}}}), form)
				if got != 200 {
					t.Errorf("%s sends a forged form %s with %s: status %d", who, action, id, got)
				}
			}
		}
	}
	d.dead()
	if after := d.text(record); after != before {
		t.Errorf("the record was\n%s\nand is\n%s", before, after)
	}
	for _, who := range []string{"zoe", "eva"} {
		d.Person(who).SeesNot("zebra")
	}
}

// text is the one text that a query returns.
func (d *desk) text(query string) string {
	d.t.Helper()
	var s string
	if err := d.db.Pool().QueryRow(d.t.Context(), query).Scan(&s); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return s
}

// A field over its limit is refused beside the field, in words, and an option
// that was never offered too.
func TestFieldsOverTheirLimits(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("a quixotic zebra hums").Press("Talk to a person").Sees("INC-1")
	ben.Press("Claim").Sees("Ben Weber is on it")
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		who, action string
		values      map[string]string
		field       string
	}{
		{"ana", cards.OpenSend, map[string]string{"title": long, "impact": "me", "urgency": "now"}, "title"},
		{"ana", cards.OpenSend, map[string]string{"title": "x", "impact": "me", "urgency": "now", "detail": long}, "detail"},
		{"ana", cards.OpenSend, map[string]string{"title": "x", "impact": "everyone", "urgency": "now"}, "impact"},
		{"ana", cards.OpenSend, map[string]string{"title": "x", "impact": "me", "urgency": "yesterday"}, "urgency"},
		{"ana", cards.OpenSend, map[string]string{"title": "x", "impact": "me", "urgency": "now", "service": "coffee"}, "service"},
		{"ana", cards.OpenSend, map[string]string{"title": " \t ", "impact": "me", "urgency": "now"}, "title"},
		{"ana", cards.Ask, map[string]string{"text": long}, "text"},
		{"ben", cards.Resolve, map[string]string{"resolution": long}, "resolution"},
		{"ben", cards.Resolve, map[string]string{"resolution": ""}, "resolution"},
		{"ben", cards.Resolve, map[string]string{"resolution": "x", "article": "99999"}, "article"},
		{"ben", cards.Wait, map[string]string{"reason": "coffee"}, "reason"},
		{"ben", cards.Wait, map[string]string{"reason": "part", "note": long}, "note"},
		{"ben", cards.Assign, map[string]string{"agent": "-1"}, "agent"},
		{"ben", cards.HandOver, map[string]string{"team": "-1", "note": "x"}, "team"},
		{"ben", cards.HandOver, map[string]string{"team": "2", "note": long}, "note"},
		{"ben", cards.HandOver, map[string]string{"team": "2", "tried": long}, "tried"},
		{"ben", cards.HandOver, map[string]string{"team": "2", "note": "x", "tried": ""}, "tried"},
		{"ben", cards.Away, map[string]string{"until": "Friday"}, "until"},
		{"ben", cards.Away, map[string]string{"until": "2020-01-01"}, "until"},
		{"ben", cards.Away, map[string]string{"until": "2099-01-01"}, "until"},
		{"ben", cards.Away, map[string]string{"until": "2099-01-01", "who": "5"}, "who"},
		{"ben", cards.Correct, map[string]string{"service": "coffee"}, "service"},
		{"ben", cards.Priority, map[string]string{"impact": "x", "urgency": "now", "why": "y"}, "impact"},
		{"ben", cards.Priority, map[string]string{"impact": "me", "urgency": "now", "why": long}, "why"},
	} {
		t.Run(tt.action+" "+tt.field, func(t *testing.T) {
			values := map[string]any{}
			for name, v := range tt.values {
				values[name] = map[string]any{"in:" + tt.action + ":" + name + ":0": map[string]any{"type": "plain_text_input", "value": v}}
			}
			body := d.payload("view_submission", tt.who, map[string]any{"view": map[string]any{"id": "V" + fmt.Sprint(time.Now().UnixNano()), "type": "modal",
				"callback_id": tt.action, "private_metadata": js(map[string]any{"a": map[string]string{"t": "1", "k": "incident"}}), "state": map[string]any{"values": values}}})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+d.app.Addr()+"/slack/interactivity", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			slacktest.Sign(req.Header, "secret", d.now(), []byte(body))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			var answer struct {
				Action string            `json:"response_action"`
				Errors map[string]string `json:"errors"`
			}
			if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Action != "errors" || answer.Errors[tt.field] == "" {
				t.Errorf("the answer is %d %+v (%v), want words beside %s", resp.StatusCode, answer, err, tt.field)
			}
		})
	}
	if got := d.text(`select string_agg(action, ' ' order by id) from audit where subject = 'ticket'`); got != "opened claimed" {
		t.Errorf("the steps of the ticket are %q, want only: opened claimed", got)
	}
	d.dead()
}
