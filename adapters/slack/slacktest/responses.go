package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// serveResponseURL takes what the app has to say about something a person did; see
// docs.slack.dev/interactivity/handling-user-interaction#message_responses. The
// statuses of refusals are unpublished.
func (w *Workspace) serveResponseURL(rw http.ResponseWriter, r *http.Request) {
	w.stats.busy.Add(1)
	defer w.notBusy()
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	if err != nil {
		http.Error(rw, "invalid_payload", http.StatusBadRequest)
		return
	}
	call := Call{Method: "response_url", At: w.now()}
	req := &request{method: call.Method}
	if json.Unmarshal(body, &req.json) != nil || req.json == nil {
		http.Error(rw, "invalid_payload", http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.stats.calls[call.Method]++
	call.N = w.stats.calls[call.Method]
	w.mu.Unlock()
	call.Args = req.args()
	fault := w.faultFor(&call)
	if fault.Hang {
		select {
		case <-r.Context().Done():
		case <-w.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	}
	select {
	case <-after(fault.Delay):
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
	if fault.Status != 0 || fault.RetryAfter > 0 {
		w.fail(rw, call, fault.Status, fault.RetryAfter)
		return
	}
	if fault.Error != "" {
		err = &APIError{Code: fault.Error}
	} else {
		err = w.respond(r.PathValue("token"), req)
	}
	if fault.Lose {
		w.end(call, 0, "connection cut")
		panic(http.ErrAbortHandler)
	}
	answer, code := encode(nil, err, w.scopeList, "")
	status := http.StatusOK
	switch code {
	case "":
	case "used_url", "expired_url":
		status = http.StatusNotFound
	default:
		status = http.StatusBadRequest
	}
	w.end(call, status, code)
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(answer)
}

// respond carries a response out. One that is refused for what it says does not
// count as a use.
func (w *Workspace) respond(token string, r *request) error {
	if raw := r.json["metadata"]; string(raw) == `{"event_type":"","event_payload":null}` {
		delete(r.json, "metadata") // what some clients send for none
	}
	ct, err := w.content(r)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	to := w.responses[token]
	switch {
	case to == nil || w.now().After(to.Expires):
		return &APIError{Code: "expired_url"}
	case to.Uses >= responseUses:
		return &APIError{Code: "used_url"}
	}
	c := w.convByID[to.Channel]
	if c == nil {
		return &APIError{Code: "channel_not_found"}
	}
	var origin *Message
	if to.TS != "" {
		origin = c.message(to.TS)
	}
	switch {
	case r.bool("delete_original"):
		if origin == nil || origin.BotID != w.app.BotID {
			return &APIError{Code: "message_not_found"}
		}
		to.Uses++
		w.delete(c, origin)
		return nil
	case ct.empty():
		return &APIError{Code: "no_text"}
	case r.bool("replace_original"):
		if origin == nil || origin.BotID != w.app.BotID {
			return &APIError{Code: "message_not_found"}
		}
		to.Uses++
		is := *origin
		is.Text, is.Blocks, is.Attachments = ct.shown(), ct.blocks, ct.attachments
		if ct.hasMetadata {
			is.Metadata = ct.metadata
		}
		w.change(c, origin, &is, w.app.BotUserID)
		return nil
	}
	to.Uses++
	w.reply(c, to, ct, r)
	return nil
}

// reply posts a new message through a response URL, for which the bot need not be
// in the channel: ephemeral unless response_type says in_channel.
func (w *Workspace) reply(c *conversation, to *responseURL, ct content, r *request) {
	m := w.botMessage(ct)
	m.ThreadTS = r.str("thread_ts")
	if r.str("response_type") == "in_channel" {
		m.Subtype, m.User = "bot_message", ""
	} else {
		m.Ephemeral, m.To, m.Metadata = true, to.User, nil
		if m.ThreadTS == "" {
			m.ThreadTS = to.Thread // shown where the person is
		}
	}
	if c.thread(m.ThreadTS) != nil {
		m.ThreadTS = ""
	}
	w.post(c, m)
}

// Command types a slash command in a channel: command "/desk", text "vpn is down".
// See docs.slack.dev/interactivity/implementing-slash-commands.
func (p *Person) Command(channel, command, text string) error {
	w := p.w
	w.mu.Lock()
	u, err := p.present()
	if err != nil {
		w.mu.Unlock()
		return err
	}
	c := w.conv(channel)
	i := slices.IndexFunc(w.app.Commands, func(x Command) bool { return x.Name == command })
	switch {
	case c == nil || !c.member[u.ID]:
		err = fmt.Errorf("%w: %s is not in %q", ErrRefused, u.Name, channel)
	case i < 0 || !w.scopes["commands"]:
		err = fmt.Errorf("%w: %s is not a valid command", ErrRefused, command)
	}
	if err != nil {
		w.mu.Unlock()
		return err
	}
	words := escaper.Replace(text)
	if w.app.Commands[i].Escape {
		words = w.escapeNamed(text)
	}
	to := responseURL{User: u.ID, Channel: c.ID}
	url := w.newResponseURL(to)
	pay := map[string]any{
		"token": "verification-token-of-" + w.app.ID, "team_id": w.team.ID, "team_domain": w.team.Domain,
		"channel_id": c.ID, "channel_name": c.briefName(), "user_id": u.ID, "user_name": u.Name,
		"command": command, "text": words, "api_app_id": w.app.ID, "is_enterprise_install": "false",
		"response_url": url, "trigger_id": w.newTrigger(u.ID, ""),
	}
	w.mu.Unlock()

	ans := w.ask("commands", command, c.ID, pay)
	code := ans.code()
	if code == "" {
		code = w.commandAnswer(c, to, ans)
	}
	if code != "" {
		return w.failed(Notice{User: u.ID, Channel: c.ID, Code: code, Text: fmt.Sprintf("%s failed with the error %q", command, code)})
	}
	return nil
}

// escapeNamed is the text of a command that has "escape channels, users and links"
// on: mentions carry the name too.
func (w *Workspace) escapeNamed(text string) string {
	var out strings.Builder
	for _, t := range w.tokens(text) {
		if u := w.userByID[asString(t.element["user_id"])]; u != nil {
			out.WriteString("<@" + u.ID + "|" + u.Name + ">")
			continue
		}
		out.WriteString(t.wire)
	}
	return out.String()
}

// commandAnswer shows what the app answered in the call itself: nothing, a message
// as JSON, or plain text.
func (w *Workspace) commandAnswer(c *conversation, to responseURL, ans answer) (code string) {
	body := bytes.TrimSpace(ans.body)
	if len(body) == 0 {
		return ""
	}
	r := &request{}
	if json.Unmarshal(body, &r.json) != nil || r.json == nil {
		r.json = map[string]json.RawMessage{"text": mustJSON(string(body))}
	}
	if !r.has("text") && !r.has("blocks") && !r.has("attachments") {
		return "" // {} in socket mode
	}
	ct, err := w.content(r)
	if err != nil || ct.empty() {
		w.log.Warn("the answer to a command was refused", "err", err)
		return "invalid_command_response" // unpublished
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reply(c, &to, ct, r)
	return ""
}
