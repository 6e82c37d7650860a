package slack

import (
	"bytes"
	"slices"
)

// Slack sends back what the desk has just posted, as an event and as the echo in
// an answer, each with all of its blocks. Decoding them only to throw them away
// took an eighth of what a press costs, so they are skimmed: of JSON only quotes
// and brackets are looked at, and what is found is right if it is JSON.

// fromBot tells of most messages that a bot has written or changed, the desk
// among them, that they are.
func fromBot(body []byte) bool {
	top := pick(body, "type", "event")
	if string(top[0]) != `"event_callback"` {
		return false
	}
	event := pick(top[1], "type", "subtype", "bot_id", "message")
	if string(event[0]) != `"message"` {
		return false
	}
	bot := event[2]
	switch string(event[1]) {
	case "":
	case `"message_changed"`:
		changed := pick(event[3], "subtype", "bot_id")
		if len(changed[0]) > 0 {
			return false
		}
		bot = changed[1]
	default:
		return false
	}
	return len(bot) > 2 && bot[0] == '"'
}

// pick returns the values of some names in an object, as they are written; empty
// for those that are not there.
func pick(object []byte, names ...string) [][]byte {
	found := make([][]byte, len(names))
	members(object, func(name, value []byte, _, _ int) bool {
		if i := slices.Index(names, string(name)); i >= 0 {
			found[i] = value
		}
		return true
	})
	return found
}

// without leaves a name and its value out of an object, in the same memory.
func without(object []byte, name string) []byte {
	members(object, func(n, _ []byte, from, to int) bool {
		if string(n) != name {
			return true
		}
		if rest := skipSpace(object, to); rest < len(object) && object[rest] == ',' {
			to = rest + 1
		} else if before := bytes.TrimRight(object[:from], " \t\r\n"); bytes.HasSuffix(before, []byte(",")) {
			from = len(before) - 1
		}
		object = slices.Delete(object, from, to)
		return false
	})
	return object
}

// members visits the members of an object, which stand from one index to
// another, as long as visit wants more and it looks like one.
func members(b []byte, visit func(name, value []byte, from, to int) (more bool)) {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return
	}
	for {
		from := skipSpace(b, i+1)
		if from >= len(b) || b[from] != '"' {
			return
		}
		end := skipString(b, from)
		colon := skipSpace(b, end)
		if colon >= len(b) || b[colon] != ':' {
			return
		}
		value := skipSpace(b, colon+1)
		to := skipValue(b, value)
		if to <= value || !visit(b[from+1:end-1], b[value:to], from, to) {
			return
		}
		if i = skipSpace(b, to); i >= len(b) || b[i] != ',' {
			return
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns where the string ends that begins at i.
func skipString(b []byte, i int) int {
	for i++; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		escapes := 0
		for i += n; b[i-1-escapes] == '\\'; escapes++ {
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

// skipValue returns where the value ends that begins at i.
func skipValue(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
			i++
		case ',':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return i
}
