package teamstest

import (
	"regexp"
	"strings"
)

// What one value may be.

func isText(j *judge, at string, v any) {
	if _, ok := v.(string); !ok {
		j.refuse(at, "is not text")
	}
}

// isWords: what is shown cannot be nothing.
func isWords(j *judge, at string, v any) {
	if s, ok := v.(string); !ok || strings.TrimSpace(s) == "" {
		j.refuse(at, "is not text, or blank")
	}
}

// isSpoken: words in which a mention may stand.
func isSpoken(j *judge, at string, v any) {
	s, ok := v.(string)
	if !ok {
		j.refuse(at, "is not text")
	}
	j.said = append(j.said, s)
}

func isBool(j *judge, at string, v any) {
	if _, ok := v.(bool); !ok {
		j.refuse(at, "is not true or false")
	}
}

func isNumber(j *judge, at string, v any) {
	if _, ok := v.(float64); !ok {
		j.refuse(at, "is not a number")
	}
}

func isCount(j *judge, at string, v any) {
	if n, ok := v.(float64); !ok || n < 1 || n != float64(int(n)) {
		j.refuse(at, "is not a whole number above 0")
	}
}

func isAnyElement(j *judge, at string, v any) { j.oneOf(at, v, "element", elements) }

func isAnyAction(j *judge, at string, v any) {
	if j.dialog {
		j.oneOf(at, v, "action", inDialog)
	} else {
		j.oneOf(at, v, "action", actions)
	}
}

func isTap(j *judge, at string, v any) {
	m, _ := v.(map[string]any)
	if typ, _ := m["type"].(string); j.dialog && typ == "Action.Execute" {
		j.refuse(at, "no Action.Execute in a dialog")
		return
	}
	j.oneOf(at, v, "action", selectable)
}

func isPicture(j *judge, at string, v any) {
	s, _ := v.(string)
	if !webAddress(s, false) && !strings.HasPrefix(s, "data:image/") {
		j.refuse(at, "%.100q is no https address", s)
	}
}

func isLink(j *judge, at string, v any) {
	s, _ := v.(string)
	if !webAddress(s, true) && !strings.HasPrefix(s, "mailto:") && !strings.HasPrefix(s, "tel:") && !strings.HasPrefix(s, "msteams:") {
		j.refuse(at, "%.100q is no address that a client opens", s)
	}
}

func isBackground(j *judge, at string, v any) {
	if m, ok := v.(map[string]any); ok {
		j.object(at, m, "BackgroundImage")
		return
	}
	isPicture(j, at, v)
}

func isWidth(j *judge, at string, v any) {
	switch v := v.(type) {
	case float64:
		if v <= 0 {
			j.refuse(at, "is not above 0")
		}
	case string:
		if !columnWidth.MatchString(v) {
			j.refuse(at, "%q is no width", v)
		}
	default:
		j.refuse(at, "is no width")
	}
}

func isID(j *judge, at string, v any) {
	s, _ := v.(string)
	if s == "" {
		j.refuse(at, "is not text, or empty")
		return
	}
	if j.aside > 0 {
		return
	}
	if was := j.ids[s]; was != "" {
		j.refuse(at, "the id %q is that of %s already", s, was)
	}
	j.ids[s] = at
}

func isRequires(j *judge, at string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		j.refuse(at, "is not an object")
	}
	for k, v := range m {
		isText(j, at+"/"+escape(k), v)
	}
}

func isObject(j *judge, at string, v any) {
	if _, ok := v.(map[string]any); !ok {
		j.refuse(at, "is not an object")
	}
}

var columnWidth = regexp.MustCompile(`^(auto|stretch|\d+|\d+px)$`)

func isInline(j *judge, at string, v any) {
	if m, ok := v.(map[string]any); ok {
		j.object(at, m, "TextRun")
		return
	}
	isText(j, at, v)
}

func isTarget(j *judge, at string, v any) {
	switch v := v.(type) {
	case string:
		j.toggles = append(j.toggles, toggled{at, v})
	case map[string]any:
		j.object(at, v, "TargetElement")
	default:
		j.refuse(at, "is no element")
	}
}
