package teamstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// What the table cannot say.

func noBlank(j *judge, at string, m map[string]any) {
	if s, ok := m["text"].(string); ok && strings.TrimSpace(s) == "" {
		j.refuse(at+"/text", "is blank")
	}
}

func alsoCard(j *judge, at string, m map[string]any) {
	alsoActions(j, at, m)
	if at == "" {
		return
	}
	for _, top := range []string{"refresh", "msteams"} {
		if m[top] != nil {
			j.refuse(at+"/"+top, "is for the outermost card")
		}
	}
}

func alsoActions(j *judge, at string, m map[string]any) {
	primary := 0
	for _, v := range list(m["actions"]) {
		a, _ := v.(map[string]any)
		if mode, _ := a["mode"].(string); !strings.EqualFold(mode, "secondary") {
			primary++
		}
		if a["title"] == nil {
			j.refuse(at+"/actions", "an action has no title")
		}
	}
	if primary > maxPrimary {
		j.refuse(at+"/actions", "has %d actions that are not secondary; Teams shows %d", primary, maxPrimary)
	}
}

func alsoRefresh(j *judge, at string, m map[string]any) {
	if j.dialog {
		j.refuse(at, "a dialog is not refreshed")
	}
	if n := len(list(m["userIds"])); n > maxViewers {
		j.refuse(at+"/userIds", "has %d ids; at most %d", n, maxViewers)
	}
	seen := map[any]bool{}
	for i, v := range list(m["userIds"]) {
		// They are MRIs; ids of Entra are not refreshed (page "Work with Universal
		// Actions for Adaptive Cards", "User IDs in refresh").
		if s, _ := v.(string); !strings.HasPrefix(s, "29:") {
			j.refuse(fmt.Sprintf("%s/userIds/%d", at, i), "%v is not an id like 29:…", v)
		}
		if seen[v] {
			j.refuse(fmt.Sprintf("%s/userIds/%d", at, i), "%v is there twice", v)
		}
		seen[v] = true
	}
}

func alsoTable(j *judge, at string, m map[string]any) {
	for i, v := range list(m["rows"]) {
		row, _ := v.(map[string]any)
		if n, max := len(list(row["cells"])), len(list(m["columns"])); n > max {
			j.refuse(fmt.Sprintf("%s/rows/%d/cells", at, i), "has %d cells for %d columns", n, max)
		}
	}
}

// alsoInput: an input says what it is for, and what is wrong with what was
// entered; readers for the blind need the one, everybody the other.
func alsoInput(j *judge, at string, m map[string]any) {
	if m["label"] == nil {
		j.refuse(at, "an input needs a label")
	}
	required, _ := m["isRequired"].(bool)
	if required && m["errorMessage"] == nil {
		j.refuse(at, "a required input needs an errorMessage")
	}
	key, _ := m["id"].(string)
	switch {
	case strings.ContainsAny(key, ",;"):
		j.refuse(at+"/id", "%q cannot be the name of a value", key)
	case key == "msteams":
		j.refuse(at+"/id", "%q has a meaning of its own to Teams", key)
	}
	if key != "" && j.aside == 0 {
		j.inputs[key] = at
	}
}

func alsoToggle(j *judge, at string, m map[string]any) {
	if m["label"] == nil { // its title says what it is for
		m = maps.Clone(m)
		m["label"] = m["title"]
	}
	alsoInput(j, at, m)
	on, off := "true", "false"
	if s, ok := m["valueOn"].(string); ok {
		on = s
	}
	if s, ok := m["valueOff"].(string); ok {
		off = s
	}
	if v, ok := m["value"].(string); ok && v != on && v != off {
		j.refuse(at+"/value", "%q is neither on nor off", v)
	}
	if on == off {
		j.refuse(at, "on and off are the same")
	}
}

func alsoText(j *judge, at string, m map[string]any) {
	alsoInput(j, at, m)
	max, _ := m["maxLength"].(float64)
	if v, _ := m["value"].(string); max > 0 && utf8.RuneCountInString(v) > int(max) {
		j.refuse(at+"/value", "is longer than %v", max)
	}
	if s, ok := m["regex"].(string); ok && s == "" {
		j.refuse(at+"/regex", "is empty")
	}
	multi, _ := m["isMultiline"].(bool)
	if style, _ := m["style"].(string); multi && strings.EqualFold(style, "password") {
		j.refuse(at+"/style", "a password has one line")
	}
}

func alsoChoices(j *judge, at string, m map[string]any) {
	alsoInput(j, at, m)
	multi, _ := m["isMultiSelect"].(bool)
	offered := map[string]bool{}
	for i, v := range list(m["choices"]) {
		c, _ := v.(map[string]any)
		value, _ := c["value"].(string)
		if offered[value] {
			j.refuse(fmt.Sprintf("%s/choices/%d/value", at, i), "%q is there twice", value)
		}
		if multi && strings.Contains(value, ",") {
			j.refuse(fmt.Sprintf("%s/choices/%d/value", at, i), "%q has a comma, which parts values", value)
		}
		offered[value] = true
	}
	if m["choices.data"] != nil {
		return // there are others
	}
	if len(offered) == 0 {
		j.refuse(at, "has nothing to choose")
	}
	value, _ := m["value"].(string)
	chosen := []string{value}
	if multi {
		chosen = strings.Split(value, ",")
	}
	for _, v := range chosen {
		if v != "" && !offered[v] {
			j.refuse(at+"/value", "%q is not among the choices", v)
		}
	}
}

func titled(j *judge, at string, m map[string]any) {
	if s, _ := m["iconUrl"].(string); m["title"] == nil && s != "" {
		j.refuse(at, "an icon alone says nothing")
	}
}

func alsoShow(j *judge, at string, m map[string]any) { titled(j, at, m) }

func alsoExecute(j *judge, at string, m map[string]any) {
	titled(j, at, m)
	// Page "Work with Universal Actions for Adaptive Cards", "Backward
	// compatibility": older clients show what stands here. The client itself runs
	// what refreshes a card.
	if m["fallback"] == nil && !strings.HasSuffix(at, "/refresh/action") {
		j.refuse(at, "Action.Execute needs a fallback for older clients: an Action.Submit, or drop")
	}
	if f, ok := m["fallback"].(map[string]any); ok && text(f, "type") != "Action.Submit" {
		j.refuse(at+"/fallback", "is no Action.Submit")
	}
	data, _ := m["data"].(map[string]any)
	// Page "Card actions": msteams is for Action.Submit.
	if data["msteams"] != nil {
		j.refuse(at+"/data/msteams", "only Action.Submit has it; Action.Execute opens no dialog")
	}
	j.carries(at, m, data)
}

func alsoSubmit(j *judge, at string, m map[string]any) {
	titled(j, at, m)
	data, _ := m["data"].(map[string]any)
	j.carries(at, m, data)
	v, there := data["msteams"]
	if !there {
		return
	}
	ms, ok := v.(map[string]any)
	at += "/data/msteams"
	switch {
	case !ok:
		j.refuse(at, "is not an object")
		return
	case j.dialog:
		j.refuse(at, "has no meaning in a dialog")
		return
	}
	allowed := map[string][]string{
		"task/fetch":  {},
		"invoke":      {"value"},
		"imBack":      {"value"},
		"signin":      {"value"},
		"messageBack": {"text", "displayText", "value"},
	}
	typ, _ := ms["type"].(string)
	fields, known := allowed[typ]
	if !known {
		j.refuse(at+"/type", "%v is no action of Teams", ms["type"])
		return
	}
	for k := range ms {
		if k != "type" && !slices.Contains(fields, k) {
			j.refuse(at+"/"+escape(k), "%s has no such property", typ)
		}
	}
	switch value, text := ms["value"].(string); {
	case (typ == "imBack" || typ == "signin") && (!text || value == ""):
		j.refuse(at+"/value", "is not text, or empty")
	case typ == "messageBack" && ms["text"] == nil && ms["value"] == nil:
		j.refuse(at, "brings nothing back")
	case typ == "messageBack" && text && !json.Valid([]byte(value)):
		j.refuse(at+"/value", "is text, but not of JSON")
	}
}

// carries remembers the data of an action that takes the inputs with it.
func (j *judge) carries(at string, m, data map[string]any) {
	if s, _ := m["associatedInputs"].(string); !strings.EqualFold(s, "none") {
		j.carried = append(j.carried, carried{at + "/data", data})
	}
}
