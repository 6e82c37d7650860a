package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	neturl "net/url"
	"slices"
	"strconv"
	"time"
)

// ask brings something to the app that waits for an answer: a click, a form, a
// command, a type-ahead. It is sent once; see
// docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response.
// The caller does not hold w.mu.
func (w *Workspace) ask(surface, typ, channel string, payload map[string]any) answer {
	d := Delivery{Surface: surface, Type: typ, Channel: channel, Attempt: 1, At: w.now()}
	raw := mustJSON(payload)
	body := raw
	if surface == "commands" {
		form := neturl.Values{}
		for k, v := range payload {
			form.Set(k, fmt.Sprint(v))
		}
		body = []byte(form.Encode())
	} else {
		body = []byte(neturl.Values{"payload": {string(raw)}}.Encode())
	}
	d.Body = body
	fault := w.deliveryFault(d)
	select {
	case <-after(fault.Delay):
	case <-w.ctx.Done():
		return answer{reason: "connection_failed"}
	}
	once := func() answer {
		start := time.Now()
		var a answer
		if w.socketMode {
			kind := "interactive"
			if surface == "commands" {
				kind = "slash_commands"
			}
			a = w.sockets.send(w.ctx, w.answerWithin, kind, raw, 0, "")
		} else {
			w.mu.Lock()
			to := map[string]string{
				"commands": w.endpoints.Commands, "interactivity": w.endpoints.Interactivity, "options": w.endpoints.Options,
			}[surface]
			w.mu.Unlock()
			a = w.request(to, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, body)
		}
		d := d
		d.Took, d.Status, d.Err = time.Since(start), a.status, a.reason
		w.note(d)
		return a
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return answer{reason: "connection_failed"}
	}
	for range fault.Copies {
		w.spawn(func() { once() })
	}
	w.mu.Unlock()
	a := once()
	if fault.Lost && a.reason == "" {
		a.reason = "http_timeout"
	}
	return a
}

// code is what Slack's clients call the failure; see
// docs.slack.dev/interactivity/implementing-slash-commands#best-practices and what
// people report of it.
func (a answer) code() string {
	switch {
	case a.reason == "":
		return ""
	case a.reason == "http_timeout":
		return "operation_timeout"
	case a.status >= 500:
		return "http_service_error"
	case a.status >= 400:
		return "http_client_error"
	default:
		return "dispatch_failed"
	}
}

// trouble is what a modal shows when the app did not answer properly.
const trouble = "We had some trouble connecting. Try again?"

// failed tells a person that the app did not answer, and is the error of what they
// did.
func (w *Workspace) failed(n Notice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n.View != "" {
		if v, _ := w.views.byID(n.View); v != nil {
			x := *v
			x.Trouble = trouble
			w.views.put(&x)
			w.showView(&x)
		}
	}
	w.changed(Change{Kind: Noticed, User: n.User, Channel: n.Channel, TS: n.TS, Notice: &n})
	return &AppError{n}
}

// payload is what all interactions have in common. The caller holds w.mu.
func (w *Workspace) payload(typ, user string) map[string]any {
	return map[string]any{
		"type": typ, "token": "verification-token-of-" + w.app.ID, "api_app_id": w.app.ID,
		"team": map[string]any{"id": w.team.ID, "domain": w.team.Domain},
		"user": w.brief(user), "enterprise": nil, "is_enterprise_install": false,
	}
}

func (c *conversation) brief() map[string]any {
	return map[string]any{"id": c.ID, "name": c.briefName()}
}

// A responseURL lets the app answer where something was done; see
// docs.slack.dev/interactivity/handling-user-interaction#message_responses.
type responseURL struct {
	User, Channel string
	TS            string // the message that was used, if any
	Thread        string
	Expires       time.Time
	Uses          int
}

const (
	responseLife = 30 * time.Minute
	responseUses = 5
)

func (w *Workspace) newResponseURL(r responseURL) string {
	now := w.now()
	if w.sweptResponses.due(len(w.responses)) {
		for id, old := range w.responses {
			if now.After(old.Expires) {
				delete(w.responses, id)
			}
		}
		w.sweptResponses.done(len(w.responses))
	}
	r.Expires = now.Add(responseLife)
	id := w.newID("R") + w.shortID()
	w.responses[id] = &r
	return w.url + "/response/" + id
}

// where is a place in which a person uses an element.
type where struct {
	conv    *conversation // in a message
	message *Message
	view    *View // in a view
	list    []widget
}

// place finds where an act happens, and that this person sees it.
func (w *Workspace) place(user string, a Act) (where, error) {
	if a.View != "" {
		v, at := w.views.byID(a.View)
		if v == nil || v.User != user {
			return where{}, fmt.Errorf("%w: the view %s is not open", ErrRefused, a.View)
		}
		if stack := w.views.stack[user]; at >= 0 && at != len(stack)-1 {
			return where{}, fmt.Errorf("%w: another view is on top of %s", ErrRefused, a.View)
		}
		return where{view: v, list: widgets(v.Blocks)}, nil
	}
	c, m, err := w.seen(user, a.Channel, a.TS)
	if err != nil {
		return where{}, err
	}
	return where{conv: c, message: m, list: messageWidgets(m)}, nil
}

// seen finds a message that this person can see.
func (w *Workspace) seen(user, channel, ts string) (*conversation, *Message, error) {
	c := w.conv(channel)
	if c == nil || !w.mayRead(user, c) {
		return nil, nil, fmt.Errorf("%w: there is no channel %q", ErrRefused, channel)
	}
	m := c.message(ts)
	if m == nil || m.Ephemeral && m.To != user {
		return nil, nil, fmt.Errorf("%w: there is no message %s in %s", ErrRefused, ts, channel)
	}
	return c, m, nil
}

// state is what this person has entered there.
func (p where) state(user string) State {
	if p.view != nil {
		return p.view.State
	}
	s := stateOf(p.list)
	keepEntered(s, p.conv.entered[p.message.TS][user])
	return s
}

// remember keeps what this person has entered there.
func (w *Workspace) remember(p where, user string, s State) where {
	if p.view != nil {
		x := *p.view
		x.State, x.Trouble = s, ""
		w.views.put(&x)
		w.showView(&x)
		p.view = &x
		return p
	}
	byUser := p.conv.entered[p.message.TS]
	if byUser == nil {
		byUser = map[string]State{}
		p.conv.entered[p.message.TS] = byUser
	}
	byUser[user] = s
	return p
}

// Act presses a button or chooses or enters something in an element of a message
// or view, and tells the app as block_actions. In an input block it only enters
// the value, and tells the app if the block has dispatch_action.
// See docs.slack.dev/reference/interaction-payloads/block_actions-payload.
func (p *Person) Act(a Act) error {
	w := p.w
	w.mu.Lock()
	u, err := p.present()
	if err != nil {
		w.mu.Unlock()
		return err
	}
	at, err := w.place(u.ID, a)
	if err != nil {
		w.mu.Unlock()
		return err
	}
	e, err := find(at.list, a.Block, a.Action)
	if err != nil {
		w.mu.Unlock()
		return err
	}
	value, err := w.enter(e, a.Values, w.views.suggested[u.ID+" "+e.block+" "+e.action])
	if err != nil {
		w.mu.Unlock()
		return err
	}
	if e.kind == "overflow" && value == nil {
		w.mu.Unlock()
		return fmt.Errorf("%w: an overflow menu wants an option", ErrRefused)
	}
	if valueKey[e.kind].key != "" {
		at = w.remember(at, u.ID, at.state(u.ID).with(e.block, e.action, stateValue(e.kind, value)))
	}
	if !e.dispatches() {
		w.mu.Unlock()
		return nil
	}
	pay := w.actionPayload(u.ID, at, e, value)
	w.mu.Unlock()

	notice := Notice{User: u.ID}
	if at.view != nil {
		if at.view.Type == "modal" {
			notice.View = at.view.ID
		}
	} else {
		notice.Channel, notice.TS = at.conv.ID, at.message.TS
	}
	if code := w.ask("interactivity", "block_actions", notice.Channel, pay).code(); code != "" {
		notice.Code = code
		notice.Text = fmt.Sprintf("%s failed with the error %q", w.app.Name, code)
		return w.failed(notice)
	}
	return nil
}

func (w *Workspace) actionPayload(user string, at where, e widget, value any) map[string]any {
	pay := w.payload("block_actions", user)
	action := map[string]any{
		"type": e.kind, "block_id": e.block, "action_id": e.action, "action_ts": slackTS(w.now().UnixMicro()),
	}
	for _, k := range append([]string{"text", "value", "style", "placeholder", "timezone", "confirm"}, initialKeys...) {
		if e.m[k] != nil && (k != "text" || e.kind == "button" || e.kind == "workflow_button") {
			action[k] = e.m[k]
		}
	}
	if k := valueKey[e.kind]; k.key != "" {
		if value == nil {
			value = json.RawMessage(k.empty)
		}
		action[k.key] = value
	} else if e.kind == "overflow" {
		action["selected_option"] = value
	}
	pay["actions"] = []any{action}
	if at.view != nil {
		pay["trigger_id"] = w.newTrigger(user, at.view.ID)
		pay["view"] = at.view
		pay["container"] = map[string]any{"type": "view", "view_id": at.view.ID}
		return pay
	}
	w.messagePlace(pay, user, at)
	pay["trigger_id"] = w.newTrigger(user, "")
	pay["state"] = at.state(user)
	pay["response_url"] = w.newResponseURL(responseURL{User: user, Channel: at.conv.ID, TS: at.message.TS, Thread: at.message.ThreadTS})
	return pay
}

// messagePlace says in which message something happened. Of an ephemeral one the
// app is given only where it was.
func (w *Workspace) messagePlace(pay map[string]any, user string, at where) {
	container := map[string]any{
		"type": "message", "message_ts": at.message.TS, "channel_id": at.conv.ID, "is_ephemeral": at.message.Ephemeral,
	}
	if at.message.ThreadTS != "" {
		container["thread_ts"] = at.message.ThreadTS
	}
	pay["container"], pay["channel"] = container, at.conv.brief()
	if !at.message.Ephemeral {
		pay["message"] = at.message.wire(false)
	}
}

// Shortcut runs a global shortcut.
// See docs.slack.dev/interactivity/implementing-shortcuts#global.
func (p *Person) Shortcut(callbackID string) error {
	return p.shortcut(callbackID, "", "")
}

// MessageShortcut runs a shortcut from the menu of a message.
// See docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload.
func (p *Person) MessageShortcut(callbackID, channel, ts string) error {
	return p.shortcut(callbackID, channel, ts)
}

func (p *Person) shortcut(callbackID, channel, ts string) error {
	w := p.w
	w.mu.Lock()
	u, err := p.present()
	if err != nil {
		w.mu.Unlock()
		return err
	}
	onMessage := ts != ""
	i := slices.IndexFunc(w.app.Shortcuts, func(s Shortcut) bool { return s.CallbackID == callbackID && s.OnMessage == onMessage })
	if i < 0 {
		w.mu.Unlock()
		return fmt.Errorf("%w: there is no such shortcut %q", ErrRefused, callbackID)
	}
	typ := "shortcut"
	if onMessage {
		typ = "message_action"
	}
	pay := w.payload(typ, u.ID)
	pay["callback_id"], pay["trigger_id"] = callbackID, w.newTrigger(u.ID, "")
	pay["action_ts"] = strconv.FormatFloat(float64(w.now().UnixMicro())/1e6, 'f', 6, 64)
	if onMessage {
		c, m, err := w.seen(u.ID, channel, ts)
		if err == nil && m.Ephemeral {
			err = fmt.Errorf("%w: an ephemeral message has no such menu", ErrRefused)
		}
		if err != nil {
			w.mu.Unlock()
			return err
		}
		channel = c.ID
		pay["channel"], pay["message_ts"], pay["message"] = c.brief(), m.TS, m.wire(false)
		pay["response_url"] = w.newResponseURL(responseURL{User: u.ID, Channel: c.ID, TS: m.TS, Thread: m.ThreadTS})
	}
	name := w.app.Shortcuts[i].Name
	w.mu.Unlock()
	if code := w.ask("interactivity", typ, channel, pay).code(); code != "" {
		return w.failed(Notice{User: u.ID, Channel: channel, TS: ts, Code: code, Text: fmt.Sprintf("%s failed with the error %q", name, code)})
	}
	return nil
}
