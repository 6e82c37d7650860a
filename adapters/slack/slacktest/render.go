package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Transcript is a conversation as text, threads indented under their first
// message; ephemeral messages are shown with their addressee.
func (w *Workspace) Transcript(channel string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.conv(channel)
	if c == nil {
		return "(there is no channel " + channel + ")\n"
	}
	return w.transcript(c)
}

func (w *Workspace) transcript(c *conversation) string {
	var out strings.Builder
	fmt.Fprintf(&out, "── %s ──\n", w.title(c))
	replies := map[string][]*Message{}
	for _, m := range c.msgs {
		if m.ThreadTS != "" && m.ThreadTS != m.TS && c.message(m.ThreadTS) != nil {
			replies[m.ThreadTS] = append(replies[m.ThreadTS], m)
		}
	}
	for _, m := range c.msgs {
		if m.ThreadTS != "" && m.ThreadTS != m.TS && c.message(m.ThreadTS) != nil {
			continue
		}
		out.WriteString(indent(w.line(m), ""))
		for _, r := range replies[m.TS] {
			out.WriteString(indent(w.line(r), "   ↳ "))
		}
	}
	return out.String()
}

func (w *Workspace) title(c *conversation) string {
	if c.Name != "" && c.Kind != GroupDM {
		return "#" + c.Name
	}
	var names []string
	for _, id := range c.Members {
		if u := w.userByID[id]; u != nil {
			names = append(names, u.shownName())
		}
	}
	return strings.Join(names, " and ")
}

// indent puts first before the first line and as much room before the others.
func indent(s, first string) string {
	pad := strings.Repeat(" ", len([]rune(first)))
	return first + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+pad) + "\n"
}

// TranscriptAll is every conversation that has messages, and every open view.
func (w *Workspace) TranscriptAll() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out strings.Builder
	for _, c := range w.convs {
		if len(c.msgs) > 0 {
			out.WriteString(w.transcript(c))
		}
	}
	for _, u := range w.users {
		if v := w.views.home[u.ID]; v != nil {
			fmt.Fprintf(&out, "── Home tab of %s ──\n%s", u.shownName(), w.view(v))
		}
		for _, v := range w.views.stack[u.ID] {
			fmt.Fprintf(&out, "── form open for %s ──\n%s", u.shownName(), w.view(v))
		}
	}
	return out.String()
}

// line is a message with who said it.
func (w *Workspace) line(m *Message) string {
	who := m.Username
	if who == "" {
		who = w.app.Name
		if u := w.userByID[m.User]; u != nil {
			who = u.shownName()
		}
	}
	marks := ""
	if m.Ephemeral {
		to := m.To
		if u := w.userByID[m.To]; u != nil {
			to = u.shownName()
		}
		marks += " (only " + to + " sees this)"
	}
	if m.Edited != nil {
		marks += " (edited)"
	}
	said := w.message(m)
	for _, r := range m.Reactions {
		said += fmt.Sprintf("\n:%s: %d", r.Name, r.Count)
	}
	return indent(said, who+marks+": ")
}

// RenderMessage is a message as text: buttons as [Label], menus as [Label ▾ …].
func (w *Workspace) RenderMessage(m Message) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.message(&m)
}

func (w *Workspace) message(m *Message) string {
	var parts []string
	if m.BotID == "" || len(m.Blocks) == 0 {
		parts = append(parts, w.plain(m.Text))
	} else {
		parts = append(parts, w.blocks(m.Blocks, State{}, nil))
	}
	var attachments []struct {
		Text, Fallback string
		Blocks         json.RawMessage
	}
	if len(m.Attachments) > 0 && json.Unmarshal(m.Attachments, &attachments) == nil {
		for _, a := range attachments {
			switch {
			case len(a.Blocks) > 0:
				parts = append(parts, indent(w.blocks(a.Blocks, State{}, nil), "| "))
			case a.Text != "":
				parts = append(parts, indent(w.plain(a.Text), "| "))
			default:
				parts = append(parts, indent(w.plain(a.Fallback), "| "))
			}
		}
	}
	for _, f := range m.Files {
		parts = append(parts, "(file: "+f.Title+")")
	}
	return joined(parts)
}

func joined(parts []string) string {
	parts = slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" })
	for i := range parts {
		parts[i] = strings.TrimRight(parts[i], "\n")
	}
	return strings.Join(parts, "\n")
}

// RenderView is a view as text, with what has been entered.
func (w *Workspace) RenderView(v View) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view(&v)
}

func (w *Workspace) view(v *View) string {
	var parts []string
	if v.Title != nil {
		parts = append(parts, "# "+v.Title.Text)
	}
	parts = append(parts, w.blocks(v.Blocks, v.State, v.Errors))
	if v.Trouble != "" {
		parts = append(parts, "! "+v.Trouble)
	}
	buttons := ""
	if v.Type == "modal" {
		closing := "Cancel"
		if v.Close != nil {
			closing = v.Close.Text
		}
		buttons = "[" + closing + "]"
		if v.Submit != nil {
			buttons = "[" + v.Submit.Text + "] " + buttons
		}
	}
	return joined(append(parts, buttons)) + "\n"
}

func (w *Workspace) blocks(raw json.RawMessage, s State, errs map[string]string) string {
	var list []map[string]any
	if json.Unmarshal(raw, &list) != nil {
		return ""
	}
	var parts []string
	for _, b := range list {
		parts = append(parts, w.block(b, s, errs))
	}
	return joined(parts)
}

func (w *Workspace) text(v any) string {
	m, _ := v.(map[string]any)
	if m["type"] == "mrkdwn" {
		return w.plain(asString(m["text"]))
	}
	return asString(m["text"])
}

func (w *Workspace) block(b map[string]any, s State, errs map[string]string) string {
	id := asString(b["block_id"])
	elements := func(name string) []string {
		var shown []string
		list, _ := b[name].([]any)
		for _, e := range list {
			m, _ := e.(map[string]any)
			shown = append(shown, w.element(m, s.Values[id][asString(m["action_id"])]))
		}
		return shown
	}
	switch b["type"] {
	case "section":
		parts := []string{w.text(b["text"])}
		fields, _ := b["fields"].([]any)
		for _, f := range fields {
			parts = append(parts, w.text(f))
		}
		if a, ok := b["accessory"].(map[string]any); ok {
			parts = append(parts, w.element(a, s.Values[id][asString(a["action_id"])]))
		}
		return joined(parts)
	case "header":
		return "## " + w.text(b["text"])
	case "alert":
		return "! " + w.text(b["text"])
	case "divider":
		return "---"
	case "actions", "context_actions":
		return strings.Join(elements("elements"), " ")
	case "context":
		return strings.Join(elements("elements"), " · ")
	case "image":
		return "(image: " + asString(b["alt_text"]) + ")"
	case "markdown":
		return asString(b["text"])
	case "input":
		e, _ := b["element"].(map[string]any)
		shown := w.text(b["label"]) + ": " + w.element(e, s.Values[id][asString(e["action_id"])])
		if hint := w.text(b["hint"]); hint != "" {
			shown += "\n  (" + hint + ")"
		}
		if words := errs[id]; words != "" {
			shown += "\n  ! " + words
		}
		return shown
	case "card":
		parts := []string{w.text(b["title"]), w.text(b["subtitle"]), w.text(b["body"]), w.text(b["subtext"])}
		return joined(append(parts, strings.Join(elements("actions"), " ")))
	case "container", "carousel":
		parts := []string{w.text(b["title"])}
		for _, name := range []string{"child_blocks", "elements"} {
			list, _ := b[name].([]any)
			for _, x := range list {
				if m, ok := x.(map[string]any); ok {
					parts = append(parts, w.block(m, s, errs))
				}
			}
		}
		return joined(parts)
	case "table":
		return w.table(b)
	default:
		return w.words(b)
	}
}

func (w *Workspace) table(b map[string]any) string {
	var lines []string
	rows, _ := b["rows"].([]any)
	for _, r := range rows {
		var cells []string
		list, _ := r.([]any)
		for _, c := range list {
			m, _ := c.(map[string]any)
			cells = append(cells, w.words(m))
		}
		lines = append(lines, strings.Join(cells, " | "))
	}
	return strings.Join(lines, "\n")
}

// words is every text in rich text and in what is not known better.
func (w *Workspace) words(v any) string {
	switch x := v.(type) {
	case map[string]any:
		switch x["type"] {
		case "user":
			return w.plain("<@" + asString(x["user_id"]) + ">")
		case "channel":
			return w.plain("<#" + asString(x["channel_id"]) + ">")
		case "emoji":
			return ":" + asString(x["name"]) + ":"
		case "date":
			return asString(x["fallback"])
		case "broadcast":
			return "@" + asString(x["range"])
		case "link":
			if x["text"] == nil {
				return asString(x["url"])
			}
		case "raw_number":
			if x["text"] == nil {
				return fmt.Sprint(x["value"])
			}
		}
		if s, ok := x["text"].(string); ok {
			return s
		}
		out := ""
		for _, k := range []string{"title", "text", "elements", "tasks", "details"} {
			sep := ""
			if out != "" {
				sep = "\n"
			}
			if s := w.words(x[k]); s != "" {
				out += sep + s
			}
		}
		return out
	case []any:
		out := ""
		for _, e := range x {
			m, _ := e.(map[string]any)
			if out != "" && strings.HasPrefix(asString(m["type"]), "rich_text_") {
				out += "\n"
			}
			out += w.words(e)
		}
		return out
	case string:
		return x
	}
	return ""
}

// element shows one element with what stands in it.
func (w *Workspace) element(e map[string]any, state json.RawMessage) string {
	kind := asString(e["type"])
	switch kind {
	case "button", "workflow_button", "icon_button":
		return "[" + textOf(e["text"]) + "]"
	case "image":
		return "(image: " + asString(e["alt_text"]) + ")"
	case "plain_text", "mrkdwn":
		return w.text(e)
	case "feedback_buttons":
		return "[👍] [👎]"
	}
	var options []string
	for _, o := range allOptions(e) {
		options = append(options, textOf(o["text"]))
	}
	in := w.shownState(kind, state)
	switch kind {
	case "overflow":
		return "[⋯ " + strings.Join(options, " | ") + "]"
	case "radio_buttons", "checkboxes":
		for i, o := range options {
			mark := "( ) "
			if slices.Contains(in, o) {
				mark = "(x) "
			}
			options[i] = mark + o
		}
		return strings.Join(options, " ")
	}
	shown := strings.Join(in, ", ")
	if shown == "" {
		shown = textOf(e["placeholder"])
	}
	if strings.HasSuffix(kind, "_select") {
		if len(options) > 0 {
			return "[" + shown + " ▾ " + strings.Join(options, " | ") + "]"
		}
		return "[" + shown + " ▾]"
	}
	return "[" + shown + "]"
}

// shownState is what has been entered, in words.
func (w *Workspace) shownState(kind string, state json.RawMessage) []string {
	var s map[string]any
	if json.Unmarshal(state, &s) != nil {
		return nil
	}
	name := func(v any) string {
		switch x := v.(type) {
		case string:
			if u := w.userByID[x]; u != nil {
				return u.shownName()
			}
			if c := w.convByID[x]; c != nil {
				return w.title(c)
			}
			return x
		case float64:
			return fmt.Sprintf("%.0f", x)
		case map[string]any:
			if x["elements"] != nil {
				return w.words(x)
			}
			if t := textOf(x["text"]); t != "" {
				return t
			}
			return asString(x["name"])
		}
		return ""
	}
	v := s[valueKey[kind].key]
	list, several := v.([]any)
	if !several {
		list = []any{v}
	}
	var words []string
	for _, x := range list {
		if n := name(x); n != "" {
			words = append(words, n)
		}
	}
	return words
}
