package teamstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	cardAnswer    = adaptiveType
	messageAnswer = "application/vnd.microsoft.activity.message"
	errorAnswer   = "application/vnd.microsoft.error"
)

// What Teams shows when the app does not answer, or not as it should; page
// "Troubleshoot your bot".
const (
	unreachable = "Unable to reach app. Please try again."
	wentWrong   = "Something went wrong. Please try again."
)

// spot is where an action or an input is: a message's card as this person has
// it, or their open dialog.
type spot struct {
	c *conversation
	u *User
	m *Message // nil in a dialog
	v view
	d *Dialog // nil in a message
	s sheet
}

// at finds the spot. The caller holds t.mu.
func (p *Person) at(act Act) (spot, error) {
	t := p.t
	u, err := p.present()
	if err != nil {
		return spot{}, err
	}
	if act.Dialog != "" {
		d := t.dialogs[p.id]
		if d == nil || d.ID != act.Dialog {
			return spot{}, fmt.Errorf("%w: there is no dialog %s", ErrRefused, act.Dialog)
		}
		if act.Values != nil {
			is := *d
			is.Entered = act.Values
			d = &is
		}
		return spot{c: t.convBy[d.Channel], u: u, d: d, s: sheetOf(d.Card, d.Shown, d.Toggled, d.Entered)}, nil
	}
	c, u, err := p.in(act.Channel)
	if err != nil {
		return spot{}, err
	}
	m := c.message(act.Message)
	if m == nil || m.To != "" && m.To != p.id || m.card() == nil {
		return spot{}, fmt.Errorf("%w: there is no card in %s", ErrRefused, act.Message)
	}
	v := c.view(m, p.id).clone()
	if act.Values != nil {
		v.Entered = act.Values
	}
	card := m.card()
	if v.Card != nil {
		card = v.Card
	}
	return spot{c: c, u: u, m: m, v: v, s: sheetOf(card, v.Shown, v.Toggled, v.Entered)}, nil
}

// keep writes back what this person has done to the card.
func (t *Tenant) keep(x spot) {
	if x.d != nil {
		t.setDialog(x.d)
		return
	}
	x.c.setView(x.m, x.u.ID, x.v)
	t.changed(Change{Kind: CardChanged, Channel: x.c.ID, ID: x.m.ID, User: x.u.ID})
}

// Enter fills in an input without sending it: text, a date, a time, a number,
// true or false of a toggle in its own words, values of choices with commas
// between.
func (p *Person) Enter(at Act, input, value string) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	x, err := p.at(at)
	if err != nil {
		return err
	}
	there := false
	x.s.walk(func(p part) { there = there || isInput(p.kind()) && text(p.m, "id") == input })
	if !there {
		return fmt.Errorf("%w: there is no input %q", ErrRefused, input)
	}
	entered := maps.Clone(x.s.entered)
	if entered == nil {
		entered = map[string]string{}
	}
	entered[input] = value
	if x.d != nil {
		is := *x.d
		is.Entered = entered
		x.d = &is
	} else {
		x.v.Entered = entered
	}
	t.keep(x)
	return nil
}

// Press presses what act.Path points at: a button, or an element with an action.
func (p *Person) Press(act Act) error {
	t := p.t
	t.mu.Lock()
	x, err := p.at(act)
	if err != nil {
		t.mu.Unlock()
		return err
	}
	a, ok := x.s.find(act.Path)
	if enabled, set := a.m["isEnabled"].(bool); !ok || !isAction(a.kind()) || set && !enabled {
		t.mu.Unlock()
		return fmt.Errorf("%w: there is nothing to press at %s", ErrRefused, act.Path)
	}
	if old, has := a.m["fallback"].(map[string]any); act.Old && a.kind() == "Action.Execute" {
		if !has {
			t.mu.Unlock()
			return fmt.Errorf("%w: old clients do not show %s", ErrRefused, act.Path)
		}
		a.m = old
	}
	switch a.kind() {
	case "Action.Execute", "Action.Submit":
		return p.send(x, a) // gives up t.mu
	case "Action.ShowCard":
		p.show(x, a.path)
	case "Action.ToggleVisibility":
		p.toggle(x, a)
	}
	t.mu.Unlock()
	return nil
}

// Link is where an Action.OpenUrl leads. The app does not hear of it.
func (p *Person) Link(act Act) (string, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	x, err := p.at(act)
	if err != nil {
		return "", err
	}
	a, _ := x.s.find(act.Path)
	if a.kind() != "Action.OpenUrl" {
		return "", fmt.Errorf("%w: there is no link at %s", ErrRefused, act.Path)
	}
	return text(a.m, "url"), nil
}

func (p *Person) show(x spot, path string) {
	shown := slices.Clone(x.s.shown)
	if i := slices.Index(shown, path); i >= 0 {
		shown = slices.Delete(shown, i, i+1)
	} else {
		shown = append(shown, path)
	}
	if x.d != nil {
		is := *x.d
		is.Shown = shown
		x.d = &is
	} else {
		x.v.Shown = shown
	}
	p.t.keep(x)
}

func (p *Person) toggle(x spot, a part) {
	toggled := maps.Clone(x.s.toggled)
	if toggled == nil {
		toggled = map[string]bool{}
	}
	for _, v := range list(a.m["targetElements"]) {
		id, _ := v.(string)
		to, set := false, false
		if m, ok := v.(map[string]any); ok {
			id = text(m, "elementId")
			to, set = m["isVisible"].(bool)
		}
		now, changed := toggled[id]
		if !changed {
			now = !hidden(x.s.card, id)
		}
		if !set {
			to = !now
		}
		toggled[id] = to
	}
	if x.d != nil {
		is := *x.d
		is.Toggled = toggled
		x.d = &is
	} else {
		x.v.Toggled = toggled
	}
	p.t.keep(x)
}

// hidden says whether the element of this id begins unseen.
func hidden(v any, id string) bool {
	switch v := v.(type) {
	case map[string]any:
		if visible, set := v["isVisible"].(bool); text(v, "id") == id && set {
			return !visible
		}
		for _, x := range v {
			if hidden(x, id) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return hidden(x, id) })
	}
	return false
}

// send carries out Action.Execute and Action.Submit. It gives up t.mu.
func (p *Person) send(x spot, a part) error {
	t := p.t
	values, wrong := x.s.inputs(a)
	if x.d != nil {
		is := *x.d
		is.Errors, is.Trouble = wrong, ""
		x.d = &is
	} else {
		x.v.Errors = wrong
	}
	t.keep(x)
	if len(wrong) > 0 {
		t.mu.Unlock()
		return &InputError{wrong}
	}
	data := map[string]any{}
	if m, ok := a.m["data"].(map[string]any); ok {
		data = maps.Clone(m)
	}
	for id, v := range values {
		data[id] = v
	}
	if x.d != nil {
		return p.sendDialog(x.d, data)
	}
	if a.kind() == "Action.Execute" {
		return p.execute(x, a, data, "")
	}
	switch text(data, "msteams", "type") {
	case "task/fetch":
		act := t.invokeActivity("task/fetch", x.c, x.m, x.u, map[string]any{"data": data, "context": map[string]any{"theme": "default"}})
		t.mu.Unlock()
		return p.openTask(&Dialog{Channel: x.c.ID, On: x.m.ID}, t.invoke(x.c, act))
	case "invoke":
		act := t.invokeActivity("", x.c, x.m, x.u, data["msteams"].(map[string]any)["value"])
		delete(act, "name")
		t.mu.Unlock()
		return p.failed(x.c, x.m.ID, t.invoke(x.c, act))
	case "imBack":
		p.say(x.c, x.u, &Message{Format: "plain", From: x.u.ID, Text: text(data, "msteams", "value")})
	case "messageBack":
		p.messageBack(x, data["msteams"].(map[string]any))
	case "signin":
		t.mu.Unlock()
		return fmt.Errorf("%w: signing in is not played here", ErrRefused)
	default:
		delete(data, "msteams")
		t.send(x.c, t.submitActivity(x.c, x.m, x.u, data), false)
	}
	t.mu.Unlock()
	return nil
}

// messageBack sends text and value, and shows displayText as said; page "Card
// actions".
func (p *Person) messageBack(x spot, ms map[string]any) {
	t := p.t
	if s := text(ms, "displayText"); s != "" {
		m := &Message{Format: "plain", From: x.u.ID, Text: s}
		m.Thread = rootOf(x.c, x.m)
		t.post(x.c, m)
	}
	value := ms["value"]
	if s, ok := value.(string); ok {
		if v, err := decode([]byte(s)); err == nil {
			value = v
		}
	}
	a := t.submitActivity(x.c, x.m, x.u, value)
	if s := text(ms, "text"); s != "" {
		a["text"] = s
	}
	t.send(x.c, a, false)
}

// execute asks the app what an Action.Execute does; trigger is empty for a press.
// It gives up t.mu.
func (p *Person) execute(x spot, a part, data map[string]any, trigger string) error {
	t := p.t
	action := map[string]any{"type": "Action.Execute", "data": data}
	for _, key := range []string{"title", "verb", "id"} {
		if s := text(a.m, key); s != "" {
			action[key] = s
		}
	}
	value := map[string]any{"action": action}
	if trigger != "" {
		value["trigger"] = trigger
	}
	act := t.invokeActivity("adaptiveCard/action", x.c, x.m, x.u, value)
	t.mu.Unlock()
	return p.answered(x, t.invoke(x.c, act), trigger)
}

// failed tells a person that the app did not answer, if it did not.
func (p *Person) failed(c *conversation, message string, got answer) error {
	if got.reason == "" {
		return nil
	}
	n := Notice{User: p.id, Channel: c.ID, Message: message, Code: "unreachable", Text: unreachable}
	if got.status >= 400 && got.status < 500 && got.status != http.StatusRequestTimeout {
		n.Code, n.Text = "failed", wentWrong
	}
	return p.notice(c, n, true)
}

// notice shows something to one person. It is also the error if it is trouble.
func (p *Person) notice(c *conversation, n Notice, trouble bool) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	n.At = t.now()
	if all := c.notices[p.id]; len(all) > 200 {
		c.notices[p.id] = slices.Clone(all[100:])
	}
	c.notices[p.id] = append(c.notices[p.id], n)
	t.changed(Change{Kind: Noticed, User: p.id, Channel: c.ID, ID: n.Message, Notice: &n})
	if trouble {
		return &AppError{n}
	}
	return nil
}

// answered reads what the app says to an Action.Execute. What it answers is shown
// to this person alone; page "Work with Universal Actions for Adaptive Cards",
// and "Universal action model", "Response format".
func (p *Person) answered(x spot, got answer, trigger string) error {
	t, quietly := p.t, trigger == "automatic"
	if got.reason != "" {
		if quietly {
			return &AppError{Notice{User: p.id, Channel: x.c.ID, Message: x.m.ID, Code: "unreachable", Text: unreachable}}
		}
		return p.failed(x.c, x.m.ID, got)
	}
	n := Notice{User: p.id, Channel: x.c.ID, Message: x.m.ID, Code: "failed", Text: wentWrong}
	v, err := decode(got.body)
	is, _ := v.(map[string]any)
	status, _ := is["statusCode"].(float64)
	switch kind, value := text(is, "type"), is["value"]; {
	case err != nil || is == nil || status == 0 || kind == "":
		t.log.Warn("the answer to an invoke is not {statusCode, type, value}", "answer", string(got.body))
	case status == 200 && kind == cardAnswer:
		err = p.replaceCard(x, raw(value), trigger)
		if err == nil {
			return nil
		}
		n.Text += " (the card: " + err.Error() + ")"
	case status == 200 && kind == messageAnswer:
		s, ok := value.(string)
		if !ok || strings.TrimSpace(s) == "" {
			break
		}
		n.Code, n.Text = "message", s
		return p.notice(x.c, n, false)
	case status >= 400 && kind == errorAnswer:
		m, _ := value.(map[string]any)
		if s := text(m, "message"); s != "" && text(m, "code") != "" {
			n.Code, n.Text = "error", s
		}
	}
	if quietly {
		return &AppError{n}
	}
	return p.notice(x.c, n, true)
}

// replaceCard puts a card of this person's own in the message's place. A view
// that was asked for before the app edited the message is not shown: the client
// asks again. After a press it shows the answer first.
func (p *Person) replaceCard(x spot, card json.RawMessage, trigger string) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.checkCard(x.c, card); err != nil {
		return err
	}
	m := x.c.message(x.m.ID)
	edited := m != nil && m.Version != x.v.Version
	if m == nil || m.Deleted || edited && trigger != "" {
		return nil
	}
	v := view{Version: m.Version, Card: card, Asked: x.v.Asked}
	if edited {
		v.Asked = time.Time{}
	}
	x.c.setView(m, p.id, v)
	t.changed(Change{Kind: CardChanged, Channel: x.c.ID, ID: m.ID, User: p.id})
	return nil
}

// Look shows this person the newest messages of a conversation: cards that are
// to refresh themselves for them do, once, and again after each edit; page "User
// Specific Views". It returns when the app has answered.
func (p *Person) Look(channel string) error {
	t := p.t
	t.mu.Lock()
	c, u, err := p.in(channel)
	if err != nil {
		t.mu.Unlock()
		return err
	}
	var due []spot
	for _, m := range c.msgs[max(0, len(c.msgs)-50):] {
		v := c.view(m, p.id).clone()
		if v.Asked.IsZero() && t.refreshes(c, m, p.id) {
			v.Asked = t.now()
			c.setView(m, p.id, v)
			due = append(due, spot{c: c, u: u, m: m, v: v})
		}
	}
	t.mu.Unlock()
	for _, x := range due {
		if err := p.refresh(x, "automatic"); err != nil {
			t.log.Warn("a card did not refresh", "user", p.id, "err", err)
		}
	}
	return nil
}

// Refresh asks for this person's view of a card now: Refresh card in the menu of
// a message.
func (p *Person) Refresh(channel, message string) error {
	t := p.t
	t.mu.Lock()
	x, err := p.at(Act{Channel: channel, Message: message})
	if err == nil && refreshOf(x.m) == nil {
		err = fmt.Errorf("%w: the card has nothing to refresh", ErrRefused)
	}
	if err == nil {
		x.v.Asked = t.now()
	}
	t.mu.Unlock()
	if err != nil {
		return err
	}
	return p.refresh(x, "manual")
}

func (p *Person) refresh(x spot, trigger string) error {
	a, _ := refreshOf(x.m)["action"].(map[string]any)
	data := map[string]any{}
	if m, ok := a["data"].(map[string]any); ok {
		data = maps.Clone(m)
	}
	p.t.mu.Lock()
	return p.execute(x, part{m: a}, data, trigger)
}

func refreshOf(m *Message) map[string]any {
	var card struct {
		Refresh map[string]any `json:"refresh"`
	}
	if m.card() == nil || json.Unmarshal(m.card(), &card) != nil {
		return nil
	}
	return card.Refresh
}

// refreshes says whether the client asks by itself: for those listed, or, without
// a list, where 60 people or fewer are.
func (t *Tenant) refreshes(c *conversation, m *Message, user string) bool {
	r := refreshOf(m)
	if r == nil || m.From != t.botID || m.To != "" && m.To != user {
		return false
	}
	if ids, listed := r["userIds"].([]any); listed {
		return slices.Contains(ids, any(user))
	}
	return len(t.members(c)) <= maxViewers
}
