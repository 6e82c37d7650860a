package slacktest

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Which elements may be where; see docs.slack.dev/reference/block-kit/block-elements
// and the types ActionsBlockElement, SectionBlockAccessory and InputBlockElement of
// @slack/types.
var (
	selects = []string{
		"static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select",
	}
	inActions = slices.Concat(selects, []string{
		"button", "checkboxes", "datepicker", "datetimepicker", "overflow", "radio_buttons", "timepicker", "workflow_button", "rich_text_input",
	})
	inSection = slices.Concat(selects, []string{
		"button", "checkboxes", "datepicker", "image", "overflow", "radio_buttons", "timepicker", "workflow_button",
	})
	inInput = slices.Concat(selects, []string{
		"checkboxes", "datepicker", "datetimepicker", "email_text_input", "file_input", "number_input", "plain_text_input",
		"radio_buttons", "rich_text_input", "timepicker", "url_text_input",
	})
	// Elements that are in modals alone.
	modalOnly = set([]string{"email_text_input", "file_input", "number_input", "url_text_input"})
)

// element is an element of one of these types.
func element(types ...string) check {
	allowed := set(types)
	return func(c *checker, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			c.fail("must be an object")
			return
		}
		kind, _ := m["type"].(string)
		s := elementShapes[kind]
		switch {
		case kind == "":
			c.fail("missing required field: type")
			return
		case s == nil || !allowed[kind] || modalOnly[kind] && c.surface != OnModal:
			c.in("type", func() { c.fail("unsupported type: %s", kind) })
			return
		}
		if kind != "image" {
			c.actionID(m)
		}
		if m["focus_on_load"] == true {
			if c.focused {
				c.in("focus_on_load", func() { c.fail("only one element may have `focus_on_load`") })
			}
			c.focused = true
		}
		s.check(c, v)
	}
}

// actionID is unique in its block; see "action_id" on the page of each element.
func (c *checker) actionID(m map[string]any) {
	id, _ := m["action_id"].(string)
	if id == "" {
		if c.ids != nil {
			m["action_id"] = c.ids.next()
		}
		return
	}
	if c.inBlock[id] {
		c.in("action_id", func() { c.fail("`action_id` %q already exists", id) })
	}
	c.inBlock[id] = true
}

// confirm is docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object.
var confirm = shape{fields: map[string]field{
	"title": must(plain(1, 100)), "text": must(rich(1, 300)), "confirm": must(plain(1, 30)), "deny": must(plain(1, 30)),
	"style": maybe(oneOf("primary", "danger")),
}}

// option is docs.slack.dev/reference/block-kit/composition-objects/option-object.
func option(marked, link bool) check {
	words := plain
	if marked {
		words = rich
	}
	s := shape{fields: map[string]field{"text": must(words(1, 75)), "value": must(str(1, 150)), "description": maybe(words(0, 75))}}
	if link {
		s.fields["url"] = maybe(webAddress)
	}
	return s.check
}

// optionGroup is docs.slack.dev/reference/block-kit/composition-objects/option-group-object.
var optionGroup = shape{fields: map[string]field{
	"label": must(plain(1, 75)), "options": must(array(1, 100, option(false, false))),
}}

var dispatchConfig = shape{fields: map[string]field{
	"trigger_actions_on": maybe(array(1, 2, oneOf("on_enter_pressed", "on_character_entered"))),
}}

var conversationFilter = shape{fields: map[string]field{
	"include":                          maybe(array(1, 4, oneOf("im", "mpim", "private", "public"))),
	"exclude_external_shared_channels": maybe(boolean), "exclude_bot_users": maybe(boolean),
}}

func isDate(s string) bool { _, err := time.Parse("2006-01-02", s); return err == nil }
func isTime(s string) bool { _, err := time.Parse("15:04", s); return err == nil }
func isNumber(s string) bool {
	n, err := strconv.ParseFloat(s, 64)
	return err == nil && !math.IsInf(n, 0) && !math.IsNaN(n)
}

var elementShapes = func() map[string]*shape {
	base := func(fields map[string]field) *shape {
		fields["type"] = must(anything)
		fields["action_id"] = maybe(str(0, 255))
		return &shape{fields: fields}
	}
	with := func(fields map[string]field, more map[string]field) map[string]field {
		for k, f := range more {
			fields[k] = f
		}
		return fields
	}
	chosen := func() map[string]field { // what all menus and pickers have
		return map[string]field{"placeholder": maybe(plain(1, 150)), "confirm": maybe(confirm.check), "focus_on_load": maybe(boolean)}
	}
	typed := func() map[string]field { // what all text inputs have
		return map[string]field{
			"placeholder": maybe(plain(1, 150)), "focus_on_load": maybe(boolean), "dispatch_action_config": maybe(dispatchConfig.check),
		}
	}
	listed := func(fields map[string]field) *shape {
		s := base(with(chosen(), fields))
		s.also = optionsOrGroups
		return s
	}
	opts := array(1, 100, option(false, false))
	groups := array(1, 100, optionGroup.check)
	boxes := func(initial string, c check) *shape {
		s := base(map[string]field{
			"options": must(array(1, 10, option(true, false))), initial: maybe(c), "confirm": maybe(confirm.check),
			"focus_on_load": maybe(boolean), "visible_to_user_ids": maybe(anything),
		})
		s.also = initialAmongOptions
		return s
	}
	many := map[string]field{"max_selected_items": maybe(integer(1, math.MaxInt32))}
	ids := array(1, 1000, str(1, 255))
	conv := map[string]field{
		"default_to_current_conversation": maybe(boolean), "response_url_enabled": maybe(boolean), "filter": maybe(conversationFilter.check),
	}
	image := &shape{fields: map[string]field{
		"type": must(anything), "image_url": maybe(webAddress), "slack_file": maybe(anything), "alt_text": must(str(0, 2000)),
	}, also: imageSource}
	return map[string]*shape{
		"image": image,
		"button": base(map[string]field{
			"text": must(plain(1, 75)), "url": maybe(webAddress), "value": maybe(str(0, 2000)), "style": maybe(oneOf("primary", "danger")),
			"confirm": maybe(confirm.check), "accessibility_label": maybe(str(0, 75)), "visible_to_user_ids": maybe(anything),
		}),
		"workflow_button": base(map[string]field{
			"text": must(plain(1, 75)), "workflow": must(anything), "style": maybe(oneOf("primary", "danger")),
			"accessibility_label": maybe(str(0, 75)),
		}),
		"icon_button": base(map[string]field{
			"icon": must(oneOf("trash")), "text": must(plain(1, 75)), "value": maybe(str(0, 2000)), "confirm": maybe(confirm.check),
			"accessibility_label": maybe(str(0, 75)), "visible_to_user_ids": maybe(anything),
		}),
		"feedback_buttons": base(map[string]field{"positive_button": must(anything), "negative_button": must(anything)}),
		"overflow": base(map[string]field{
			"options": must(array(1, 5, option(false, true))), "confirm": maybe(confirm.check),
		}),
		"checkboxes":    boxes("initial_options", array(1, 10, option(true, false))),
		"radio_buttons": boxes("initial_option", option(true, false)),

		"static_select": listed(map[string]field{"options": maybe(opts), "option_groups": maybe(groups), "initial_option": maybe(option(false, false))}),
		"multi_static_select": listed(with(map[string]field{
			"options": maybe(opts), "option_groups": maybe(groups), "initial_options": maybe(opts),
		}, many)),
		"external_select": base(with(chosen(), map[string]field{
			"initial_option": maybe(option(false, false)), "min_query_length": maybe(integer(0, math.MaxInt32)),
		})),
		"multi_external_select": base(with(with(chosen(), many), map[string]field{
			"initial_options": maybe(opts), "min_query_length": maybe(integer(0, math.MaxInt32)),
		})),
		"users_select":               base(with(chosen(), map[string]field{"initial_user": maybe(str(1, 255))})),
		"multi_users_select":         base(with(with(chosen(), many), map[string]field{"initial_users": maybe(ids)})),
		"conversations_select":       base(with(with(chosen(), conv), map[string]field{"initial_conversation": maybe(str(1, 255))})),
		"multi_conversations_select": base(with(with(with(chosen(), many), conv), map[string]field{"initial_conversations": maybe(ids)})),
		"channels_select": base(with(chosen(), map[string]field{
			"initial_channel": maybe(str(1, 255)), "response_url_enabled": maybe(boolean),
		})),
		"multi_channels_select": base(with(with(chosen(), many), map[string]field{"initial_channels": maybe(ids)})),

		"datepicker": base(with(chosen(), map[string]field{"initial_date": maybe(pattern("date", isDate))})),
		"timepicker": base(with(chosen(), map[string]field{
			"initial_time": maybe(pattern("time", isTime)), "timezone": maybe(str(1, 255)),
		})),
		"datetimepicker": base(map[string]field{
			"initial_date_time": maybe(integer(1e9, 9999999999)), "confirm": maybe(confirm.check), "focus_on_load": maybe(boolean),
		}),

		"plain_text_input": withAlso(base(with(typed(), map[string]field{
			"initial_value": maybe(str(0, 3000)), "multiline": maybe(boolean),
			"min_length": maybe(integer(0, 3000)), "max_length": maybe(integer(1, 3000)),
		})), minMax("min_length", "max_length")),
		"rich_text_input": base(with(typed(), map[string]field{
			"initial_value": maybe(anything), "min_lines": maybe(integer(1, 100)), "max_lines": maybe(integer(1, 100)),
		})),
		"email_text_input": base(with(typed(), map[string]field{"initial_value": maybe(str(0, 3000))})),
		"url_text_input":   base(with(typed(), map[string]field{"initial_value": maybe(str(0, 3000))})),
		"number_input": base(with(typed(), map[string]field{
			"is_decimal_allowed": must(boolean), "initial_value": maybe(pattern("number", isNumber)),
			"min_value": maybe(pattern("number", isNumber)), "max_value": maybe(pattern("number", isNumber)),
		})),
		"file_input": base(map[string]field{"filetypes": maybe(array(1, 100, str(1, 50))), "max_files": maybe(integer(1, 10))}),
	}
}()

func withAlso(s *shape, also func(*checker, map[string]any)) *shape {
	s.also = also
	return s
}

func minMax(least, most string) func(*checker, map[string]any) {
	return func(c *checker, m map[string]any) {
		a, ok1 := m[least].(float64)
		b, ok2 := m[most].(float64)
		if ok1 && ok2 && a > b {
			c.in(least, func() { c.fail("must be less than or equal to %s", most) })
		}
	}
}

// optionsOrGroups: one of the two, and what is chosen at first is among them.
func optionsOrGroups(c *checker, m map[string]any) {
	if (m["options"] == nil) == (m["option_groups"] == nil) {
		c.fail("must provide exactly one of: options, option_groups")
		return
	}
	initialAmongOptions(c, m)
}

func initialAmongOptions(c *checker, m map[string]any) {
	var initial []any
	name := "initial_option"
	if one, ok := m[name].(map[string]any); ok {
		initial = []any{one}
	} else if list, ok := m["initial_options"].([]any); ok {
		initial, name = list, "initial_options"
	}
	if len(initial) == 0 {
		return
	}
	offered := allOptions(m)
	for _, one := range initial {
		i, _ := one.(map[string]any)
		if !slices.ContainsFunc(offered, func(o map[string]any) bool { return sameOption(o, i) }) {
			c.in(name, func() { c.fail("must exactly match one of the provided options") })
			return
		}
	}
}

// allOptions are the options of a menu, those in groups too.
func allOptions(m map[string]any) []map[string]any {
	var list []map[string]any
	add := func(v any) {
		opts, _ := v.([]any)
		for _, o := range opts {
			if om, ok := o.(map[string]any); ok {
				list = append(list, om)
			}
		}
	}
	add(m["options"])
	groups, _ := m["option_groups"].([]any)
	for _, g := range groups {
		if gm, ok := g.(map[string]any); ok {
			add(gm["options"])
		}
	}
	return list
}

func sameOption(a, b map[string]any) bool {
	return asString(a["value"]) == asString(b["value"]) && textOf(a["text"]) == textOf(b["text"]) &&
		textOf(a["description"]) == textOf(b["description"])
}

// textOf is the text of a text object.
func textOf(v any) string {
	m, _ := v.(map[string]any)
	return asString(m["text"])
}

func asString(v any) string {
	s, _ := v.(string)
	return s
}
