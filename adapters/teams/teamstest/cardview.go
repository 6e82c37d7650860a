package teamstest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A sheet is a card as somebody has it before them, with what they have opened
// and entered.
type sheet struct {
	card    map[string]any
	shown   []string
	toggled map[string]bool
	entered map[string]string
}

func sheetOf(card json.RawMessage, shown []string, toggled map[string]bool, entered map[string]string) sheet {
	var m map[string]any
	if json.Unmarshal(card, &m) != nil {
		m = nil
	}
	return sheet{m, shown, toggled, entered}
}

// A part is an element or an action of a card that is on the screen, with the
// pointer to it and those of the ShowCards that it is in.
type part struct {
	path string
	m    map[string]any
	in   []string
}

func (p part) kind() string { return text(p.m, "type") }

// walk gives every part that is on the screen, in reading order: elements, then
// the actions of their card.
func (s sheet) walk(each func(part)) {
	s.walkCard("", s.card, nil, each)
}

func (s sheet) walkCard(at string, card map[string]any, in []string, each func(part)) {
	for i, v := range list(card["body"]) {
		s.walkElement(at+"/body/"+strconv.Itoa(i), v, in, each)
	}
	s.walkActions(at+"/actions", card["actions"], in, each)
}

func (s sheet) visible(m map[string]any) bool {
	if v, changed := s.toggled[text(m, "id")]; changed && text(m, "id") != "" {
		return v
	}
	v, set := m["isVisible"].(bool)
	return !set || v
}

// Containers, by what they hold their parts under.
var holds = map[string]string{"Container": "items", "Column": "items", "TableCell": "items", "ColumnSet": "columns", "ImageSet": "images", "Table": "rows", "TableRow": "cells"}

func (s sheet) walkElement(at string, v any, in []string, each func(part)) {
	m, ok := v.(map[string]any)
	if !ok || !s.visible(m) {
		return
	}
	each(part{at, m, in})
	if a, ok := m["selectAction"].(map[string]any); ok {
		each(part{at + "/selectAction", a, in})
	}
	for i, v := range list(m["inlines"]) {
		run, _ := v.(map[string]any)
		if a, ok := run["selectAction"].(map[string]any); ok {
			each(part{at + "/inlines/" + strconv.Itoa(i) + "/selectAction", a, in})
		}
	}
	key, holder := holds[text(m, "type")]
	switch {
	case text(m, "type") == "ActionSet":
		s.walkActions(at+"/actions", m["actions"], in, each)
		return
	case !holder && m["items"] != nil: // a column need not say that it is one
		key = "items"
	}
	for i, v := range list(m[key]) {
		s.walkElement(at+"/"+key+"/"+strconv.Itoa(i), v, in, each)
	}
}

func (s sheet) walkActions(at string, v any, in []string, each func(part)) {
	for i, v := range list(v) {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		here := at + "/" + strconv.Itoa(i)
		each(part{here, m, in})
		if card, ok := m["card"].(map[string]any); ok && slices.Contains(s.shown, here) {
			s.walkCard(here+"/card", card, append(slices.Clone(in), here), each)
		}
	}
}

// find is the part that the pointer names.
func (s sheet) find(path string) (part, bool) {
	var found part
	s.walk(func(p part) {
		if p.path == path {
			found = p
		}
	})
	return found, found.m != nil
}

func isInput(kind string) bool  { return strings.HasPrefix(kind, "Input.") }
func isAction(kind string) bool { return strings.HasPrefix(kind, "Action.") }

// value is what stands in an input now.
func (s sheet) value(m map[string]any) string {
	if v, ok := s.entered[text(m, "id")]; ok {
		return v
	}
	switch v := m["value"].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if text(m, "type") == "Input.Toggle" {
		return toggleValue(m, false)
	}
	return ""
}

func toggleValue(m map[string]any, on bool) string {
	key, otherwise := "valueOff", "false"
	if on {
		key, otherwise = "valueOn", "true"
	}
	if s, ok := m[key].(string); ok {
		return s
	}
	return otherwise
}

// inputs are what an action takes with it: those of its own card and of the cards
// that it is in (schema: Action.Submit). Values are text, and empty ones are left
// out (as recorded). It says which the client does not let through.
func (s sheet) inputs(action part) (map[string]string, map[string]string) {
	values, wrong := map[string]string{}, map[string]string{}
	if strings.EqualFold(text(action.m, "associatedInputs"), "none") {
		return values, wrong
	}
	s.walk(func(p part) {
		if !isInput(p.kind()) || !within(p.in, action.in) {
			return
		}
		id, v := text(p.m, "id"), s.value(p.m)
		if why := invalid(p.m, v); why != "" {
			wrong[id] = why
		}
		if v != "" {
			values[id] = v
		}
	})
	return values, wrong
}

// within says whether one card is another, or one that it is in.
func within(outer, inner []string) bool {
	return len(outer) <= len(inner) && slices.Equal(outer, inner[:len(outer)])
}

// invalid says what the client shows beside an input; "" if it is right.
func invalid(m map[string]any, v string) string {
	wrong := text(m, "errorMessage")
	if wrong == "" {
		wrong = "The value is not valid."
	}
	required, _ := m["isRequired"].(bool)
	if v == "" || text(m, "type") == "Input.Toggle" && v == toggleValue(m, false) {
		if required {
			return wrong
		}
		return ""
	}
	ok := true
	switch text(m, "type") {
	case "Input.Text":
		if max, set := m["maxLength"].(float64); set {
			ok = len([]rune(v)) <= int(max)
		}
		if re, err := regexp.Compile(text(m, "regex")); err == nil {
			ok = ok && re.MatchString(v)
		}
	case "Input.Number":
		n, err := strconv.ParseFloat(v, 64)
		ok = err == nil
		if min, set := m["min"].(float64); set {
			ok = ok && n >= min
		}
		if max, set := m["max"].(float64); set {
			ok = ok && n <= max
		}
	case "Input.Date", "Input.Time":
		layout := map[string]string{"Input.Date": "2006-01-02", "Input.Time": "15:04"}[text(m, "type")]
		_, err := time.Parse(layout, v)
		ok = err == nil && (text(m, "min") == "" || v >= text(m, "min")) && (text(m, "max") == "" || v <= text(m, "max"))
	case "Input.ChoiceSet":
		if m["choices.data"] == nil {
			ok = !slices.ContainsFunc(chosen(m, v), func(one string) bool { return choiceTitle(m, one) == "" })
		}
	}
	if ok {
		return ""
	}
	return wrong
}

func chosen(m map[string]any, v string) []string {
	if multi, _ := m["isMultiSelect"].(bool); multi && v != "" {
		return strings.Split(v, ",")
	}
	if v == "" {
		return nil
	}
	return []string{v}
}

func choiceTitle(m map[string]any, value string) string {
	for _, v := range list(m["choices"]) {
		if c, _ := v.(map[string]any); text(c, "value") == value {
			return text(c, "title")
		}
	}
	return ""
}

// lines is the card as text: buttons as [Title], inputs with their values.
func (s sheet) lines(errors map[string]string) []string {
	var out []string
	add := func(f string, args ...any) { out = append(out, fmt.Sprintf(f, args...)) }
	s.walk(func(p part) {
		m := p.m
		switch kind := p.kind(); {
		case kind == "TextBlock":
			add("%s", plain(text(m, "text")))
		case kind == "RichTextBlock":
			var b strings.Builder
			for _, v := range list(m["inlines"]) {
				if run, ok := v.(map[string]any); ok {
					b.WriteString(text(run, "text"))
				} else {
					fmt.Fprint(&b, v)
				}
			}
			add("%s", times(b.String()))
		case kind == "FactSet":
			for _, v := range list(m["facts"]) {
				f, _ := v.(map[string]any)
				add("%s: %s", plain(text(f, "title")), plain(text(f, "value")))
			}
		case kind == "Image":
			add("(%s)", text(m, "altText"))
		case isInput(kind):
			out = append(out, s.inputLines(m)...)
			if wrong := errors[text(m, "id")]; wrong != "" {
				add("  ⚠ %s", wrong)
			}
		case strings.HasSuffix(p.path, "/selectAction"):
			if title := text(m, "title"); title != "" {
				add("[%s]", title)
			}
		case isAction(kind) && strings.EqualFold(text(m, "mode"), "secondary"):
			add("[… %s]", text(m, "title"))
		case isAction(kind):
			add("[%s]", text(m, "title"))
		}
	})
	return out
}

func (s sheet) inputLines(m map[string]any) []string {
	label, value := plain(text(m, "label")), s.value(m)
	switch text(m, "type") {
	case "Input.Toggle":
		mark := " "
		if value == toggleValue(m, true) {
			mark = "x"
		}
		if label != "" {
			label += ": "
		}
		return []string{fmt.Sprintf("%s[%s] %s", label, mark, plain(text(m, "title")))}
	case "Input.ChoiceSet":
		var all []string
		for _, v := range list(m["choices"]) {
			c, _ := v.(map[string]any)
			mark := "( ) "
			if slices.Contains(chosen(m, value), text(c, "value")) {
				mark = "(x) "
			}
			all = append(all, mark+plain(text(c, "title")))
		}
		if len(all) == 0 {
			all = []string{value}
		}
		return []string{label + ": " + strings.Join(all, " ")}
	}
	if value == "" {
		value = "____"
		if p := text(m, "placeholder"); p != "" {
			value = "____ " + p
		}
	}
	return []string{label + ": " + value}
}

var (
	mdLink = regexp.MustCompile(`\[([^\]\n]*)\]\(([^)\s]*)\)`)
	mdMark = regexp.MustCompile(`\\([\\` + "`" + `*_{}\[\]()#+\-.!~>|<&])`)
	mdTime = regexp.MustCompile(`\{\{(DATE|TIME)\(([^,)]+)(?:,\s*(SHORT|LONG|COMPACT))?\)\}\}`)
)

// times writes the moments in a text out, as they are in UTC; page "Text
// features" of adaptivecards.io. A client does so in text blocks and runs.
func times(s string) string {
	if !strings.Contains(s, "{{") {
		return s
	}
	return mdTime.ReplaceAllStringFunc(s, func(m string) string {
		part := mdTime.FindStringSubmatch(m)
		at, err := time.Parse(time.RFC3339, strings.TrimSpace(part[2]))
		switch {
		case err != nil:
			return m
		case part[1] == "TIME":
			return at.UTC().Format("3:04 PM")
		case part[3] == "SHORT":
			return at.UTC().Format("Mon, Jan 2, 2006")
		case part[3] == "LONG":
			return at.UTC().Format("Monday, January 2, 2006")
		}
		return at.UTC().Format("1/2/2006")
	})
}

// plain is a text without its marks, as words to compare: links keep their text.
func plain(s string) string {
	s = times(s)
	s = without(s, "](", mdLink, "$1")
	s = without(s, "<at", atTag, "@$1")
	return without(s, `\`, mdMark, "$1")
}

// without replaces what re matches, which has the given mark in it: few texts
// have, and a look for it costs next to nothing.
func without(s, mark string, re *regexp.Regexp, by string) string {
	if !strings.Contains(s, mark) {
		return s
	}
	return re.ReplaceAllString(s, by)
}

// cardText is a card as one text.
func (t *Tenant) cardText(card json.RawMessage) string {
	if card == nil {
		return ""
	}
	return strings.Join(sheetOf(card, nil, nil, nil).lines(nil), "\n")
}
