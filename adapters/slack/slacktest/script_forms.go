package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostLooks is how often a button is looked for that was there and is not.
const mostLooks = 3

// A spot is an element on the actor's screen.
type spot struct {
	Act
	e widget
	s State
}

// screen is every element that the actor can use, the nearest first: those of the
// open view if there is one, else of the Home tab, else of the messages here from
// the newest back.
func (a *Actor) screen(on func(*Message) bool) []spot {
	w := a.s.w
	var spots []spot
	view := func(v *View) []spot {
		for _, e := range widgets(v.Blocks) {
			spots = append(spots, spot{Act{View: v.ID, Block: e.block, Action: e.action}, e, v.State})
		}
		return spots
	}
	if stack := w.views.stack[a.p.id]; len(stack) > 0 {
		return view(stack[len(stack)-1])
	}
	if a.home {
		if v := w.views.home[a.p.id]; v != nil {
			return view(v)
		}
		return nil
	}
	c := w.convByID[a.channel]
	for _, m := range slices.Backward(a.here()) {
		if on != nil && !on(m) {
			continue
		}
		list := messageWidgets(m)
		if len(list) == 0 {
			continue
		}
		s := where{conv: c, message: m, list: list}.state(a.p.id)
		for _, e := range list {
			spots = append(spots, spot{Act{Channel: c.ID, TS: m.TS, Block: e.block, Action: e.action}, e, s})
		}
	}
	return spots
}

// find waits for an element on the screen.
func (a *Actor) find(on func(*Message) bool, ok func(spot) bool) (spot, bool) {
	var found spot
	there := a.s.wait(func() bool {
		a.s.w.mu.Lock()
		defer a.s.w.mu.Unlock()
		list := a.screen(on)
		i := slices.IndexFunc(list, ok)
		if i >= 0 {
			found = list[i]
		}
		return i >= 0
	})
	return found, there
}

// Press waits for a button with this label, or a line of a menu, and
// presses the newest one, in the open view if there is one.
func (a *Actor) Press(text string) *Actor {
	a.s.t.Helper()
	return a.press(text, nil)
}

// PressOn presses a button on the newest message that contains the text.
func (a *Actor) PressOn(text, button string) *Actor {
	a.s.t.Helper()
	return a.press(button, func(m *Message) bool { return has([]string{a.s.w.message(m)}, []string{text}) })
}

// Holds waits for a button and returns the press of it as it stands now, for
// people who press at the same moment.
func (a *Actor) Holds(text string) func() error {
	a.s.t.Helper()
	at, ok := a.button(text, nil)
	if !ok {
		a.s.fail("%s sees no button %q", a.name(), text)
	}
	return func() error { return a.p.Act(at.Act) }
}

func (a *Actor) press(text string, on func(*Message) bool) *Actor {
	a.s.t.Helper()
	for look := 1; ; look++ {
		at, ok := a.button(text, on)
		if !ok {
			a.s.fail("%s sees no button %q", a.name(), text)
			return a
		}
		// A card that was edited since it was looked at is looked at again.
		if err := a.p.Act(at.Act); look == mostLooks || !errors.Is(err, ErrRefused) {
			return a.did("presses "+text, err)
		}
	}
}

// menu says whether the element is a menu of things to do: an overflow, or a
// select that is no input.
func (e *widget) menu() bool {
	return e.kind == "overflow" || e.kind == "static_select" && e.input == nil
}

// button waits for a button or a line of a menu.
func (a *Actor) button(text string, on func(*Message) bool) (spot, bool) {
	a.s.t.Helper()
	var values []string
	at, ok := a.find(on, func(x spot) bool {
		if x.e.menu() {
			values = valueOf(x.e, text)
			return values != nil
		}
		return strings.HasSuffix(x.e.kind, "button") && label(textOf(x.e.m["text"])) == label(text)
	})
	if ok && at.e.menu() {
		at.Values = values
	}
	return at, ok
}

// Choose chooses an option by its label, in an overflow menu, select, radio group
// or checkbox group, wherever it is newest.
func (a *Actor) Choose(text string) *Actor {
	a.s.t.Helper()
	var values []string
	at, ok := a.find(nil, func(x spot) bool {
		values = valueOf(x.e, text)
		return values != nil
	})
	if !ok {
		a.s.fail("%s sees no option %q", a.name(), text)
		return a
	}
	at.Values = values
	if at.e.kind == "checkboxes" || strings.HasPrefix(at.e.kind, "multi_") {
		at.Values = toggled(at.s.Values[at.Block][at.Action], values[0])
	}
	return a.did("chooses "+text, a.p.Act(at.Act))
}

// valueOf is the value of the option with this label, alone; nil if there is none.
func valueOf(e widget, text string) []string {
	for _, o := range allOptions(e.m) {
		if label(textOf(o["text"])) == label(text) {
			return []string{asString(o["value"])}
		}
	}
	return nil
}

// toggled is what is chosen with one value more, or one less.
func toggled(state json.RawMessage, value string) []string {
	var s struct {
		Options []struct{ Value string } `json:"selected_options"`
	}
	if json.Unmarshal(state, &s) != nil {
		return []string{value}
	}
	var values []string
	for _, o := range s.Options {
		values = append(values, o.Value)
	}
	if i := slices.Index(values, value); i >= 0 {
		return slices.Delete(values, i, i+1)
	}
	return append(values, value)
}

// Fill enters a value in the field with this label: the text, the label of an
// option or several, a person's name, a channel's name, a date, a time, or for a
// date with time RFC 3339. The placeholder stands for a label where there is none.
func (a *Actor) Fill(field string, values ...string) *Actor {
	a.s.t.Helper()
	at, ok := a.find(nil, func(x spot) bool {
		words := x.e.label()
		if words == "" {
			words = textOf(x.e.m["placeholder"])
		}
		return valueKey[x.e.kind].key != "" && label(words) == label(field)
	})
	if !ok {
		a.s.fail("%s sees no field %q", a.name(), field)
		return a
	}
	var err error
	if at.Values, err = a.resolve(at, values); err != nil {
		return a.did("fills in "+field, err)
	}
	return a.did("fills in "+field, a.p.Act(at.Act))
}

// resolve turns words into the values that an element takes.
func (a *Actor) resolve(at spot, words []string) ([]string, error) {
	kind := strings.TrimPrefix(at.e.kind, "multi_")
	values := make([]string, len(words))
	for i, word := range words {
		switch kind {
		case "static_select", "radio_buttons", "checkboxes":
			for _, o := range allOptions(at.e.m) {
				if label(textOf(o["text"])) == label(word) {
					values[i] = asString(o["value"])
				}
			}
		case "external_select":
			list, err := a.p.Suggest(at.Act, word)
			if err != nil {
				return nil, err
			}
			for _, o := range slices.Backward(list) {
				if strings.Contains(strings.ToLower(o.Text), strings.ToLower(word)) {
					values[i] = o.Value
				}
			}
		case "users_select":
			for _, u := range a.s.w.Users() {
				if u.ID == word || u.Name == word || u.shownName() == word {
					values[i] = u.ID
				}
			}
		case "channels_select", "conversations_select":
			if c, ok := a.s.w.Channel(word); ok {
				values[i] = c.ID
			}
		case "datetimepicker":
			if t, err := time.Parse(time.RFC3339, word); err == nil {
				values[i] = strconv.FormatInt(t.Unix(), 10)
			}
		default:
			values[i] = word
		}
		if values[i] == "" && word != "" {
			return nil, fmt.Errorf("%w: there is no %q to choose", ErrRefused, word)
		}
	}
	return values, nil
}

// top waits for an open view.
func (a *Actor) top() (View, bool) {
	var v View
	ok := a.s.wait(func() bool {
		stack := a.p.Views()
		if len(stack) > 0 {
			v = stack[len(stack)-1]
		}
		return len(stack) > 0
	})
	return v, ok
}

// SeesForm waits until the open view has these words.
func (a *Actor) SeesForm(words ...string) *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool {
		stack := a.p.Views()
		return len(stack) > 0 && has([]string{a.s.w.RenderView(stack[len(stack)-1])}, words)
	}) {
		a.s.fail("%s sees no form with %q", a.name(), words)
	}
	return a
}

// SeesNoForm waits until no view is open.
func (a *Actor) SeesNoForm() *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool { return len(a.p.Views()) == 0 }) {
		a.s.fail("%s still sees a form", a.name())
	}
	return a
}

// Submits submits the open view, which must be taken.
func (a *Actor) Submits() *Actor {
	a.s.t.Helper()
	refused, err := a.submit()
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("refused: %v", refused)
	}
	return a.did("submits the form", err)
}

// SubmitRefused submits the open view, which must be refused with these words.
func (a *Actor) SubmitRefused(words ...string) *Actor {
	a.s.t.Helper()
	refused, err := a.submit()
	if err != nil {
		return a.did("submits the form", err)
	}
	var said []string
	for _, block := range sortedKeys(refused) {
		said = append(said, refused[block])
	}
	if len(said) == 0 || !has([]string{strings.Join(said, "\n")}, words) {
		a.s.fail("%s submits the form and is not refused with %q but with %q", a.name(), words, said)
	}
	return a
}

func (a *Actor) submit() (map[string]string, error) {
	v, ok := a.top()
	if !ok {
		return nil, fmt.Errorf("%w: no form is open", ErrRefused)
	}
	return a.p.Submit(v.ID)
}

// Closes closes the open view.
func (a *Actor) Closes() *Actor {
	a.s.t.Helper()
	v, ok := a.top()
	if !ok {
		a.s.fail("%s has no form open", a.name())
		return a
	}
	return a.did("closes the form", a.p.CloseView(v.ID, false))
}
