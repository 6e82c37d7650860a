package teamstest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// mostLooks is how often a button is looked for that was there and is not.
const mostLooks = 3

// A thingSeen is an action or an input on the actor's screen.
type thingSeen struct {
	Act
	part
	s sheet
}

// screen is every action and input that the actor can use, the nearest first:
// those of the open dialog if there is one, else of the messages here from the
// newest back.
func (a *Actor) screen(on func(Seen) bool) []thingSeen {
	var all []thingSeen
	add := func(at Act, s sheet) {
		s.walk(func(p part) {
			if isInput(p.kind()) || isAction(p.kind()) {
				at.Path = p.path
				all = append(all, thingSeen{at, p, s})
			}
		})
	}
	if d, open := a.p.Dialog(); open {
		add(Act{Dialog: d.ID}, d.sheet())
		return all
	}
	for _, m := range slices.Backward(a.here()) {
		if on == nil || on(m) {
			add(Act{Channel: a.channel, Message: m.ID}, m.sheet())
		}
	}
	return all
}

// find waits for something on the screen.
func (a *Actor) find(on func(Seen) bool, ok func(thingSeen) bool) (thingSeen, bool) {
	var found thingSeen
	there := a.s.wait(func() bool {
		list := a.screen(on)
		i := slices.IndexFunc(list, ok)
		if i >= 0 {
			found = list[i]
		}
		return i >= 0
	})
	return found, there
}

// Press waits for a button with this title and presses the newest one, in the
// open dialog if there is one.
func (a *Actor) Press(text string) *Actor {
	a.s.t.Helper()
	return a.press(text, nil)
}

// PressOn presses a button on the newest message that contains the text.
func (a *Actor) PressOn(text, button string) *Actor {
	a.s.t.Helper()
	return a.press(button, func(m Seen) bool { return a.own(m, text) })
}

// Holds waits for a button and returns the press of it as it stands now, for
// people who press at the same moment.
func (a *Actor) Holds(title string) func() error {
	a.s.t.Helper()
	at, ok := a.button(title, nil)
	if !ok {
		a.s.fail("%s sees no button %q", a.name(), title)
	}
	return func() error { return a.p.Press(at.Act) }
}

// PressSure presses a button that asks first, in a part of the card that it
// shows, and says yes by the title of the button there, which may be the same.
func (a *Actor) PressSure(title, yes string) *Actor {
	a.s.t.Helper()
	a.Press(title)
	at, ok := a.find(nil, func(x thingSeen) bool {
		return isAction(x.kind()) && x.kind() != "Action.ToggleVisibility" && label(text(x.m, "title")) == label(yes)
	})
	if !ok {
		a.s.fail("%s is not asked whether to %q", a.name(), yes)
		return a
	}
	return a.did("says "+yes, a.p.Press(at.Act))
}

// button waits for a button with this title.
func (a *Actor) button(title string, on func(Seen) bool) (thingSeen, bool) {
	return a.find(on, func(x thingSeen) bool { return isAction(x.kind()) && label(text(x.m, "title")) == label(title) })
}

func (a *Actor) press(title string, on func(Seen) bool) *Actor {
	a.s.t.Helper()
	if a.tab != nil {
		return a.did("presses "+title+" on the tab", a.tab.Press(title))
	}
	for look := 1; ; look++ {
		at, ok := a.button(title, on)
		if !ok {
			a.s.fail("%s sees no button %q", a.name(), title)
			return a
		}
		// A card that was edited since it was looked at is looked at again.
		if err := a.p.Press(at.Act); look == mostLooks || !errors.Is(err, ErrRefused) {
			return a.did("presses "+title, err)
		}
	}
}

// Choose chooses by its title, wherever it is newest: a choice of an input, a
// toggle, or a button in the overflow menu.
func (a *Actor) Choose(title string) *Actor {
	a.s.t.Helper()
	value := ""
	at, ok := a.find(nil, func(x thingSeen) bool {
		switch {
		case isAction(x.kind()):
			return strings.EqualFold(text(x.m, "mode"), "secondary") && label(text(x.m, "title")) == label(title)
		case x.kind() == "Input.Toggle":
			return label(text(x.m, "title")) == label(title)
		}
		value = choiceValue(x.m, title)
		return value != ""
	})
	if !ok {
		a.s.fail("%s sees no option %q", a.name(), title)
		return a
	}
	what := "chooses " + title
	switch multi, _ := at.m["isMultiSelect"].(bool); {
	case isAction(at.kind()):
		return a.did(what, a.p.Press(at.Act))
	case at.kind() == "Input.Toggle":
		value = toggleValue(at.m, at.s.value(at.m) != toggleValue(at.m, true))
	case multi:
		now := chosen(at.m, at.s.value(at.m))
		if i := slices.Index(now, value); i >= 0 {
			now = slices.Delete(now, i, i+1)
		} else {
			now = append(now, value)
		}
		value = strings.Join(now, ",")
	}
	return a.did(what, a.p.Enter(at.Act, text(at.m, "id"), value))
}

// choiceValue is what a choice stands for, named by its title with or without
// what it says in brackets after it.
func choiceValue(m map[string]any, title string) string {
	for _, v := range list(m["choices"]) {
		c, _ := v.(map[string]any)
		short, _, _ := strings.Cut(text(c, "title"), " (")
		if label(text(c, "title")) == label(title) || label(short) == label(title) {
			return text(c, "value")
		}
	}
	return ""
}

// Fill enters a value in the input with this label: the text, the title of a
// choice or several, a person's name, a date, a time, "true" or "false". The
// placeholder, or a toggle's title, stands for a label where there is none.
func (a *Actor) Fill(field string, values ...string) *Actor {
	a.s.t.Helper()
	at, ok := a.find(nil, func(x thingSeen) bool {
		words := text(x.m, "label")
		for _, key := range []string{"title", "placeholder"} {
			if words == "" {
				words = text(x.m, key)
			}
		}
		return isInput(x.kind()) && label(strings.TrimSuffix(words, " *")) == label(field)
	})
	if !ok {
		a.s.fail("%s sees no field %q", a.name(), field)
		return a
	}
	value, err := a.resolve(at, values)
	if err == nil {
		err = a.p.Enter(at.Act, text(at.m, "id"), value)
	}
	return a.did("fills in "+field, err)
}

// resolve turns words into the value that an input takes.
func (a *Actor) resolve(at thingSeen, words []string) (string, error) {
	var values []string
	for _, word := range words {
		value := word
		switch at.kind() {
		case "Input.Toggle":
			value = toggleValue(at.m, word == "true")
		case "Input.ChoiceSet":
			if value = choiceValue(at.m, word); value == "" && at.m["choices.data"] != nil {
				search := word
				if u, ok := a.s.w.User(word); ok {
					search = u.DisplayName
				}
				found, err := a.p.Suggest(at.Act, text(at.m, "id"), search)
				if err != nil {
					return "", err
				}
				for _, o := range slices.Backward(found) {
					if strings.Contains(strings.ToLower(o.Title), strings.ToLower(search)) {
						value = o.Value
					}
				}
			}
		}
		if value == "" && word != "" {
			return "", fmt.Errorf("%w: there is no %q to choose", ErrRefused, word)
		}
		values = append(values, value)
	}
	return strings.Join(values, ","), nil
}

// top waits for an open dialog.
func (a *Actor) top() (Dialog, bool) {
	var d Dialog
	ok := a.s.wait(func() bool {
		var open bool
		d, open = a.p.Dialog()
		return open
	})
	return d, ok
}

// SeesForm waits until the open dialog has these words.
func (a *Actor) SeesForm(words ...string) *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool {
		d, open := a.p.Dialog()
		return open && has([]string{a.s.w.named(d.text())}, words)
	}) {
		a.s.fail("%s sees no form with %q", a.name(), words)
	}
	return a
}

// SeesNoForm waits until no dialog is open.
func (a *Actor) SeesNoForm() *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool { _, open := a.p.Dialog(); return !open }) {
		a.s.fail("%s still sees a form", a.name())
	}
	return a
}

// Submits submits the open dialog, which must be taken.
func (a *Actor) Submits() *Actor {
	a.s.t.Helper()
	refused, err := a.submit()
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("refused: %v", refused)
	}
	return a.did("submits the form", err)
}

// SubmitRefused submits the open dialog, which must be refused with these words.
func (a *Actor) SubmitRefused(words ...string) *Actor {
	a.s.t.Helper()
	refused, err := a.submit()
	if err != nil {
		return a.did("submits the form", err)
	}
	var said []string
	for _, words := range refused {
		said = append(said, words)
	}
	slices.Sort(said)
	if len(said) == 0 || !has([]string{strings.Join(said, "\n")}, words) {
		a.s.fail("%s submits the form and is not refused with %q but with %q", a.name(), words, said)
	}
	return a
}

func (a *Actor) submit() (map[string]string, error) {
	d, ok := a.top()
	if !ok {
		return nil, fmt.Errorf("%w: no form is open", ErrRefused)
	}
	return a.p.Submit(d.ID)
}

// Closes closes the open dialog.
func (a *Actor) Closes() *Actor {
	a.s.t.Helper()
	if _, ok := a.top(); !ok {
		a.s.fail("%s has no form open", a.name())
		return a
	}
	return a.did("closes the form", a.p.CloseDialog())
}
