package adaptive

import (
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// viewVerb is the verb of a card's refresh.
const viewVerb = "deskhand.view"

// data is what an action carries. The inputs of a form are put beside it, each
// under "in." and the field's name.
type data struct {
	Teams   *dataTeams `json:"msteams,omitempty"`
	Do      string     `json:"do,omitempty"` // the button's Action
	Args    chat.Args  `json:"args,omitempty"`
	Form    bool       `json:"form,omitempty"`    // it opens a form
	View    bool       `json:"view,omitempty"`    // somebody's own view is asked for
	Sent    bool       `json:"sent,omitempty"`    // the form's own button
	Changed bool       `json:"changed,omitempty"` // the button beside a field with Refresh
	Dialog  *state     `json:"dialog,omitempty"`  // the form that it stands in
}

type dataTeams struct {
	Type string `json:"type"`
}

// actions draws the buttons, up to six of them side by side, and behind them the
// menu.
func (p *painter) actions(a chat.Actions) {
	set := &actionSet{common: kind("ActionSet")}
	var questions []element
	buttons := slices.DeleteFunc(slices.Clone(a.Buttons), idle)
	all := append(buttons, slices.DeleteFunc(slices.Clone(a.Menu), idle)...)
	main := len(buttons)
	for i, b := range all[:min(len(all), p.buttons)] {
		act, asks := p.button(b)
		if i >= main || i >= maxVisible-1 && len(all) > maxVisible {
			act.Mode = "secondary"
		}
		set.Actions = append(set.Actions, act)
		if asks != nil {
			questions = append(questions, asks)
		}
	}
	if len(set.Actions) > 0 {
		p.add(set)
	}
	for _, q := range questions {
		p.add(q)
	}
	if left := len(all) - len(set.Actions); left > 0 {
		p.add(p.note("… and " + strconv.Itoa(left) + " more than fits here."))
	}
}

// idle says that b does nothing.
func idle(b chat.Button) bool { return b.Action == "" && !webURL(b.URL) }

// button draws b, and what it asks before it acts: a part of the card that the
// button shows and hides, since Adaptive Cards know no confirmations.
func (p *painter) button(b chat.Button) (action, element) {
	c := b.Confirm
	if c == nil {
		return p.act(b), nil
	}
	id := "ask" + strconv.Itoa(p.ids)
	p.ids++
	toggle := func(title string) action {
		return action{Type: "Action.ToggleVisibility", Title: title, Targets: []string{id}}
	}
	first := toggle(label(b.Label, maxButton))
	first.Tooltip, first.Style = tooltip(b), p.style(b)

	yes := b
	yes.Label, yes.Name = c.Yes, ""
	q := &container{common: kind("Container"), Style: "emphasis"}
	hidden := false
	q.ID, q.Visible = id, &hidden
	if s := cut(oneLine(c.Title), 100); s != "" {
		q.Items = append(q.Items, &textBlock{common: kind("TextBlock"), Text: inert(s, true), Wrap: true, Weight: "Bolder"})
	}
	if s := cut(clean(c.Text), 300); strings.TrimSpace(s) != "" {
		q.Items = append(q.Items, &richTextBlock{common: kind("RichTextBlock"), Inlines: runs(chat.T(s), ordinary)})
	}
	act := p.act(yes)
	act.Style = first.Style
	q.Items = append(q.Items, &actionSet{kind("ActionSet"), []action{act, toggle(label(c.No, 30))}})
	return first, q
}

// act draws a button that acts at once.
func (p *painter) act(b chat.Button) action {
	a := action{Title: label(b.Label, maxButton), Tooltip: tooltip(b), Style: p.style(b)}
	if webURL(b.URL) {
		a.Type, a.URL = "Action.OpenUrl", b.URL
		return a
	}
	d := &data{Do: b.Action, Args: b.Args, Form: b.Form}
	switch {
	case p.dialog != nil:
		// Within a dialog everything is submitted, and the answer is the next
		// dialog. It is not the form that is sent: what is still to be filled in
		// must not keep anybody from pressing.
		a.Type, a.Associated, d.Dialog = "Action.Submit", "none", p.dialog
	case b.Form:
		// Action.Execute can't open dialogs.
		a.Type, d.Teams = "Action.Submit", &dataTeams{"task/fetch"}
	default:
		a.Type, a.Verb, a.Associated = "Action.Execute", b.Action, "none"
		a.Fallback = &action{Type: "Action.Submit", Title: a.Title, Data: d}
	}
	a.Data = d
	return a
}

func (p *painter) style(b chat.Button) string {
	switch {
	case b.Style == chat.Danger:
		return "destructive"
	case b.Style == chat.Primary && !p.primary:
		p.primary = true
		return "positive"
	}
	return ""
}

func tooltip(b chat.Button) string { return unbraced(cut(oneLine(b.Name), maxButton)) }
