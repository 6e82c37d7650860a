package teamstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// setDialog opens, replaces or fills in a person's dialog. The caller holds t.mu.
func (t *Tenant) setDialog(d *Dialog) {
	t.dialogs[d.User] = d
	t.changed(Change{Kind: DialogChanged, User: d.User, Dialog: d})
}

func (t *Tenant) closeDialog(user string) {
	if d := t.dialogs[user]; d != nil {
		delete(t.dialogs, user)
		t.changed(Change{Kind: DialogClosed, User: user, Dialog: d})
	}
}

// Dialog is what is open, if anything is.
func (p *Person) Dialog() (Dialog, bool) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if d := p.t.dialogs[p.id]; d != nil {
		return *d, true
	}
	return Dialog{}, false
}

// CloseDialog closes it. The app hears nothing of it; page "Use dialogs in
// Microsoft Teams bots".
func (p *Person) CloseDialog() error {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if p.t.dialogs[p.id] == nil {
		return fmt.Errorf("%w: nothing is open", ErrRefused)
	}
	p.t.closeDialog(p.id)
	return nil
}

// Submit presses the dialog's own button: the first Action.Submit below the card.
// What it is refused with is given by input id: by the client for values that are
// none, and else, if the app answers with a card of the same inputs, the words in
// the colour attention that it has now.
func (p *Person) Submit(dialog string) (map[string]string, error) {
	p.t.mu.Lock()
	x, err := p.at(Act{Dialog: dialog})
	p.t.mu.Unlock()
	if err != nil {
		return nil, err
	}
	path := ""
	for i, v := range list(x.s.card["actions"]) {
		if a, _ := v.(map[string]any); path == "" && text(a, "type") == "Action.Submit" && !strings.EqualFold(text(a, "mode"), "secondary") {
			path = fmt.Sprintf("/actions/%d", i)
		}
	}
	if path == "" {
		return nil, fmt.Errorf("%w: there is nothing to submit", ErrRefused)
	}
	return p.SubmitWith(Act{Dialog: dialog, Path: path})
}

// SubmitWith presses a certain button of the dialog, and says as Submit does what
// it is refused with.
func (p *Person) SubmitWith(act Act) (map[string]string, error) {
	before, _ := p.Dialog()
	err := p.Press(act)
	if wrong, ok := err.(*InputError); ok {
		return wrong.Errors, nil
	}
	if err != nil {
		return nil, err
	}
	now, open := p.Dialog()
	if !open {
		return nil, nil
	}
	was, is := sheetOf(before.Card, nil, nil, nil), sheetOf(now.Card, nil, nil, nil)
	if !slices.Equal(inputIDs(was), inputIDs(is)) {
		return nil, nil
	}
	// The same words may come twice: a form can be wrong in the same way again.
	if refused := attention(is); len(refused) > 0 {
		return refused, nil
	}
	return nil, nil
}

func inputIDs(s sheet) []string {
	var ids []string
	s.walk(func(p part) {
		if isInput(p.kind()) {
			ids = append(ids, text(p.m, "id"))
		}
	})
	return ids
}

// attention are the words in that colour, by the id of the input before them.
func attention(s sheet) map[string]string {
	said := map[string]string{}
	last := ""
	s.walk(func(p part) {
		switch {
		case isInput(p.kind()):
			last = text(p.m, "id")
		case p.kind() == "TextBlock" && strings.EqualFold(text(p.m, "color"), "attention"):
			said[last] = strings.TrimSpace(said[last] + "\n" + plain(text(p.m, "text")))
		}
	})
	return said
}

// sendDialog sends what is in a dialog to the app. It gives up t.mu.
func (p *Person) sendDialog(d *Dialog, data map[string]any) error {
	t := p.t
	c, u := t.convBy[d.Channel], t.userBy[p.id]
	value := map[string]any{"data": data, "context": map[string]any{"theme": "default"}}
	name := "task/submit"
	if d.command != "" {
		name = "composeExtension/submitAction"
		for k, v := range t.commandValue(d.command, d.payload) {
			value[k] = v
		}
	}
	on := c.message(d.On)
	act := t.invokeActivity(name, c, on, u, value)
	if d.command != "" || on == nil || on.From != t.botID {
		delete(act, "replyToId") // no card of the app's was pressed
	}
	t.mu.Unlock()
	return p.openTask(d, t.invoke(c, act))
}

// openTask reads what the app answers where a dialog may come: page "Use dialogs
// in Microsoft Teams bots", "Responding to the submit request". d is the dialog
// that was open, or where one would be.
func (p *Person) openTask(d *Dialog, got answer) error {
	t := p.t
	trouble := ""
	is := *d
	is.User, is.Errors, is.Trouble = p.id, nil, ""
	switch answer, err := readTask(got); {
	case err != nil:
		trouble = err.Error()
	case answer == nil && d.ID == "":
		trouble = wentWrong // no dialog came
	case answer == nil:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.closeDialog(p.id)
		return nil
	case answer.say != "":
		is = Dialog{User: p.id, Title: t.app.Name, Message: answer.say, Channel: d.Channel, On: d.On}
	case answer.insert != nil:
		return p.insert(d, *answer.insert)
	default:
		is.Title, is.Height, is.Width, is.Card, is.URL = answer.title, answer.height, answer.width, answer.card, answer.url
		is.Entered, is.Shown, is.Toggled = nil, nil, nil
	}
	t.mu.Lock()
	if trouble == "" {
		is.ID = t.newID("dialog")
		t.setDialog(&is)
		t.mu.Unlock()
		return nil
	}
	if d.ID != "" { // the dialog stays as it is, with the trouble at its foot
		now := *d
		now.Trouble = trouble
		t.setDialog(&now)
	}
	c := t.convBy[d.Channel]
	t.mu.Unlock()
	code := "failed"
	if got.reason != "" {
		code = "unreachable"
	}
	return p.notice(c, Notice{User: p.id, Channel: d.Channel, Message: d.On, Code: code, Text: trouble}, true)
}

// A task is what an app may answer to open or change a dialog.
type task struct {
	title         string
	height, width json.RawMessage
	card          json.RawMessage
	url           string
	say           string      // instead of all that
	insert        *Attachment // a message extension's card, for a message of the person's
}

// readTask gives nil for an answer that closes the dialog.
func readTask(got answer) (*task, error) {
	if got.reason != "" {
		return nil, fmt.Errorf("%s", unreachable)
	}
	if s := strings.TrimSpace(string(got.body)); s == "" || s == "null" || s == "{}" {
		return nil, nil
	}
	v, err := decode(got.body)
	if err != nil {
		return nil, fmt.Errorf("%s (the answer %w)", wentWrong, err)
	}
	m, _ := v.(map[string]any)
	if ext, ok := m["composeExtension"].(map[string]any); ok {
		return readExtension(ext)
	}
	in, ok := m["task"].(map[string]any)
	if !ok {
		if v, there := m["task"]; there && v == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("%s (the answer has no task)", wentWrong)
	}
	switch text(in, "type") {
	case "message":
		if s := text(in, "value"); strings.TrimSpace(s) != "" {
			return &task{say: s}, nil
		}
		return nil, fmt.Errorf("%s (the message is no text)", wentWrong)
	case "continue":
		return readContinue(in)
	}
	return nil, fmt.Errorf("%s (the task has the type %q)", wentWrong, text(in, "type"))
}

func readContinue(in map[string]any) (*task, error) {
	value, _ := in["value"].(map[string]any)
	x := &task{title: text(value, "title"), url: text(value, "url")}
	for key, into := range map[string]*json.RawMessage{"height": &x.height, "width": &x.width} {
		switch v := value[key].(type) {
		case nil:
		case float64:
			*into = raw(v)
		case string:
			if v != "small" && v != "medium" && v != "large" {
				return nil, fmt.Errorf("%s (the %s is %q)", wentWrong, key, v)
			}
			*into = raw(v)
		default:
			return nil, fmt.Errorf("%s (the %s is no size)", wentWrong, key)
		}
	}
	card, _ := value["card"].(map[string]any)
	switch {
	case card != nil && text(card, "contentType") == adaptiveType:
		x.card = raw(card["content"])
		if err := CheckDialog(x.card); err != nil {
			return nil, fmt.Errorf("%s (the card: %w)", wentWrong, err)
		}
	case card == nil && webAddress(x.url, false):
	default:
		return nil, fmt.Errorf("%s (there is neither a card nor an https address)", wentWrong)
	}
	if strings.TrimSpace(x.title) == "" {
		return nil, fmt.Errorf("%s (a dialog has a title)", wentWrong)
	}
	return x, nil
}
