package slacktest

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A widget is one element that a person can use, and where it stands.
type widget struct {
	block, action, kind string
	m                   map[string]any
	input               map[string]any // the input block around it, if any
}

func (e *widget) label() string { return textOf(e.input["label"]) }

// dispatches says whether using the element tells the app.
func (e *widget) dispatches() bool { return e.input == nil || e.input["dispatch_action"] == true }

// widgets are the elements in blocks, in reading order.
func widgets(blocks json.RawMessage) []widget {
	var list []any
	if json.Unmarshal(blocks, &list) != nil {
		return nil
	}
	var found []widget
	for _, b := range list {
		found = inBlock(found, b)
	}
	return found
}

func inBlock(found []widget, v any) []widget {
	b, _ := v.(map[string]any)
	id := asString(b["block_id"])
	add := func(v any, input map[string]any) {
		if m, ok := v.(map[string]any); ok && m["action_id"] != nil {
			found = append(found, widget{id, asString(m["action_id"]), asString(m["type"]), m, input})
		}
	}
	switch b["type"] {
	case "actions", "context_actions":
		list, _ := b["elements"].([]any)
		for _, e := range list {
			add(e, nil)
		}
	case "card":
		list, _ := b["actions"].([]any)
		for _, e := range list {
			add(e, nil)
		}
	case "section":
		add(b["accessory"], nil)
	case "input":
		add(b["element"], b)
	case "container", "carousel":
		for _, name := range []string{"child_blocks", "elements"} {
			list, _ := b[name].([]any)
			for _, child := range list {
				found = inBlock(found, child)
			}
		}
	}
	return found
}

// messageWidgets are those of a message, its attachments included.
func messageWidgets(m *Message) []widget {
	found := widgets(m.Blocks)
	var attachments []struct{ Blocks json.RawMessage }
	if len(m.Attachments) > 0 && json.Unmarshal(m.Attachments, &attachments) == nil {
		for _, a := range attachments {
			found = append(found, widgets(a.Blocks)...)
		}
	}
	return found
}

// find is the widget with this action id, in this block if one is named.
func find(list []widget, block, action string) (widget, error) {
	var found []widget
	for _, e := range list {
		if e.action == action && (block == "" || e.block == block) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return widget{}, fmt.Errorf("%w: there is no element %q %q here", ErrRefused, block, action)
	case 1:
		return found[0], nil
	}
	return widget{}, fmt.Errorf("%w: there are %d elements %q; say in which block", ErrRefused, len(found), action)
}

// valueKey is where each kind of element keeps its value in state.values, and
// empty what it has there when nothing is entered; see "state" in
// docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
var valueKey = map[string]struct{ key, empty string }{
	"plain_text_input": {"value", "null"}, "email_text_input": {"value", "null"}, "url_text_input": {"value", "null"},
	"number_input": {"value", "null"}, "rich_text_input": {"rich_text_value", "null"},
	"static_select": {"selected_option", "null"}, "external_select": {"selected_option", "null"}, "radio_buttons": {"selected_option", "null"},
	"multi_static_select": {"selected_options", "[]"}, "multi_external_select": {"selected_options", "[]"}, "checkboxes": {"selected_options", "[]"},
	"users_select": {"selected_user", "null"}, "conversations_select": {"selected_conversation", "null"}, "channels_select": {"selected_channel", "null"},
	"multi_users_select": {"selected_users", "[]"}, "multi_conversations_select": {"selected_conversations", "[]"}, "multi_channels_select": {"selected_channels", "[]"},
	"datepicker": {"selected_date", "null"}, "timepicker": {"selected_time", "null"}, "datetimepicker": {"selected_date_time", "null"},
	"file_input": {"files", "[]"},
}

// initialKeys are the fields that an element may begin with.
var initialKeys = []string{
	"initial_value", "initial_option", "initial_options", "initial_user", "initial_users", "initial_conversation",
	"initial_conversations", "initial_channel", "initial_channels", "initial_date", "initial_time", "initial_date_time",
}

func stateValue(kind string, v any) json.RawMessage {
	k := valueKey[kind]
	if v == nil {
		v = json.RawMessage(k.empty)
	}
	return mustJSON(map[string]any{"type": kind, k.key: v})
}

// initialState is what stands in blocks before anybody has entered anything.
func initialState(blocks json.RawMessage) State { return stateOf(widgets(blocks)) }

func stateOf(list []widget) State {
	s := State{Values: map[string]map[string]json.RawMessage{}}
	for _, e := range list {
		if valueKey[e.kind].key == "" {
			continue // buttons and overflow menus remember nothing
		}
		var v any
		for _, k := range initialKeys {
			if e.m[k] != nil {
				v = e.m[k]
			}
		}
		if s.Values[e.block] == nil {
			s.Values[e.block] = map[string]json.RawMessage{}
		}
		s.Values[e.block][e.action] = stateValue(e.kind, v)
	}
	return s
}

// with is a copy of the state with one value changed.
func (s State) with(block, action string, raw json.RawMessage) State {
	values := make(map[string]map[string]json.RawMessage, len(s.Values)+1)
	for b, actions := range s.Values {
		values[b] = actions
	}
	inner := map[string]json.RawMessage{}
	for a, v := range values[block] {
		inner[a] = v
	}
	inner[action] = raw
	values[block] = inner
	return State{values}
}

// enter turns what a person chose or typed into the value on the wire: the fields
// of the action, and its state. known is the last type-ahead list.
func (w *Workspace) enter(e widget, values []string, known []Option) (any, error) {
	one := ""
	if len(values) > 0 {
		one = values[0]
	}
	several := strings.HasPrefix(e.kind, "multi_") || e.kind == "checkboxes" || e.kind == "file_input"
	if len(values) > 1 && !several {
		return nil, fmt.Errorf("%w: %s %q takes one value, not %d", ErrRefused, e.kind, e.action, len(values))
	}
	if most, ok := e.m["max_selected_items"].(float64); ok && len(values) > int(most) {
		return nil, fmt.Errorf("%w: %q takes at most %d", ErrRefused, e.action, int(most))
	}
	if len(values) == 0 || one == "" && !several {
		return nil, nil
	}
	switch e.kind {
	case "static_select", "radio_buttons", "overflow", "multi_static_select", "checkboxes":
		return chosen(e, allOptions(e.m), values, several)
	case "external_select", "multi_external_select":
		var offered []map[string]any
		for _, o := range known {
			var m map[string]any
			if json.Unmarshal(o.Raw, &m) == nil {
				offered = append(offered, m)
			}
		}
		return chosen(e, offered, values, several)
	case "users_select", "multi_users_select":
		return ids(values, several, "person", func(id string) bool { return w.userByID[id] != nil })
	case "channels_select", "multi_channels_select":
		return ids(values, several, "channel", func(id string) bool { c := w.convByID[id]; return c != nil && c.Kind == Public })
	case "conversations_select", "multi_conversations_select":
		return ids(values, several, "conversation", func(id string) bool { return w.convByID[id] != nil })
	case "datepicker":
		return one, refuse(isDate(one), "%q is not a date", one)
	case "timepicker":
		return one, refuse(isTime(one), "%q is not a time", one)
	case "datetimepicker":
		n, err := strconv.ParseInt(one, 10, 64)
		return n, refuse(err == nil && n >= 1e9 && n < 1e10, "%q is no number of seconds since 1970", one)
	case "file_input":
		return w.chosenFiles(e, values)
	case "rich_text_input":
		var block []json.RawMessage
		if json.Unmarshal(w.richText(one, w.shortID()), &block) != nil {
			return nil, fmt.Errorf("%w: this is no text", ErrRefused)
		}
		return block[0], nil
	default: // the other text inputs
		return one, nil
	}
}

func refuse(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

func chosen(e widget, offered []map[string]any, values []string, several bool) (any, error) {
	list := []map[string]any{}
	for _, v := range values {
		at := slices.IndexFunc(offered, func(o map[string]any) bool { return o["value"] == v })
		if at < 0 {
			return nil, fmt.Errorf("%w: %q offers no option with the value %q", ErrRefused, e.action, v)
		}
		list = append(list, offered[at])
	}
	if several {
		return list, nil
	}
	return list[0], nil
}

func ids(values []string, several bool, what string, ok func(string) bool) (any, error) {
	for _, v := range values {
		if !ok(v) {
			return nil, fmt.Errorf("%w: there is no %s %q", ErrRefused, what, v)
		}
	}
	if several {
		return values, nil
	}
	return values[0], nil
}

// chosenFiles checks a file input; see docs.slack.dev/reference/block-kit/block-elements/file-input-element.
func (w *Workspace) chosenFiles(e widget, values []string) (any, error) {
	most, ok := e.m["max_files"].(float64)
	if !ok {
		most = 10
	}
	if len(values) > int(most) {
		return nil, fmt.Errorf("%w: at most %d files", ErrRefused, int(most))
	}
	types, _ := e.m["filetypes"].([]any)
	var list []File
	for _, id := range values {
		f := w.files.byID[id]
		if f == nil {
			return nil, fmt.Errorf("%w: there is no file %q", ErrRefused, id)
		}
		if len(types) > 0 && !slices.Contains(types, any(f.Filetype)) {
			return nil, fmt.Errorf("%w: files of type %q are not taken here", ErrRefused, f.Filetype)
		}
		list = append(list, f.File)
	}
	return list, nil
}

// complaint is what Slack's own client says of a field before it submits; empty if
// it is content (words unpublished).
func complaint(e widget, raw json.RawMessage) string {
	k := valueKey[e.kind]
	var s map[string]json.RawMessage
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	v := s[k.key]
	if len(v) == 0 || string(v) == k.empty || string(v) == `""` || string(v) == "null" {
		if e.input["optional"] == true {
			return ""
		}
		return "Please complete this required field."
	}
	var typed string
	if json.Unmarshal(v, &typed) != nil {
		return ""
	}
	switch e.kind {
	case "plain_text_input":
		n := utf8.RuneCountInString(typed)
		if least, ok := e.m["min_length"].(float64); ok && n < int(least) {
			return fmt.Sprintf("This entry must be at least %d characters long.", int(least))
		}
		most, ok := e.m["max_length"].(float64)
		if !ok {
			most = 3000
		}
		if n > int(most) {
			return fmt.Sprintf("This entry must be at most %d characters long.", int(most))
		}
	case "email_text_input":
		if a, err := mail.ParseAddress(typed); err != nil || a.Address != typed {
			return "Must be a valid email address"
		}
	case "url_text_input":
		if u, err := url.ParseRequestURI(typed); err != nil || u.Host == "" {
			return "Must be a valid URL"
		}
	case "number_input":
		return badNumber(e, typed)
	}
	return ""
}

func badNumber(e widget, typed string) string {
	n, err := strconv.ParseFloat(typed, 64)
	if err != nil || !isNumber(typed) {
		return "Must be a number"
	}
	if e.m["is_decimal_allowed"] != true && n != float64(int64(n)) {
		return "Must be a whole number"
	}
	if least, err := strconv.ParseFloat(asString(e.m["min_value"]), 64); err == nil && n < least {
		return "Must be at least " + asString(e.m["min_value"])
	}
	if most, err := strconv.ParseFloat(asString(e.m["max_value"]), 64); err == nil && n > most {
		return "Must be at most " + asString(e.m["max_value"])
	}
	return ""
}
