package teamstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	// MaxCard is how many bytes of JSON a card may have. Teams takes more from a
	// bot (100 KB for the whole message, page "Format your bot messages"); this is
	// the bound of its connectors, kept so that a card can go everywhere.
	MaxCard = 28 << 10
	// maxViewers: page "Work with Universal Actions for Adaptive Cards", "User IDs
	// in refresh".
	maxViewers = 60
	// maxPrimary is how many actions are buttons; the rest has to be in the
	// overflow menu. Page "Types of cards" has six for the other cards, and says
	// that what is beyond is not shown.
	maxPrimary = 6
	// maxMinor: page "Types of cards": v1.5 or earlier.
	maxMinor = 5
)

// A CardError is one thing that is wrong with a card.
type CardError struct {
	Pointer string // JSON pointer, "/body/0/text"
	Reason  string
}

func (e *CardError) Error() string { return e.Pointer + ": " + e.Reason }

// CheckCard says what is wrong with an Adaptive Card in a message: each a
// [*CardError], joined. It knows the schema 1.5 as adaptivecards.io publishes
// it, what Teams adds (msteams, choices.data) and takes away, and is stricter
// where a mistake would show nothing: an unknown property, an input that hides
// what a button carries, a mention of nobody, a choice that is not on the list.
func CheckCard(card []byte) error { return check(card, judge{}) }

// CheckDialog is CheckCard for the card in a dialog or in the compose area of a
// message extension. There only Action.Submit reaches the bot, and its data can
// have no msteams (page "Card actions": "does not work with an Adaptive Card
// task module").
func CheckDialog(card []byte) error { return check(card, judge{dialog: true}) }

func check(card []byte, j judge) error {
	if len(card) > MaxCard {
		return &CardError{"", fmt.Sprintf("has %d bytes; at most %d", len(card), MaxCard)}
	}
	v, err := decode(card)
	if err != nil {
		return &CardError{"", err.Error()}
	}
	j.inputs, j.ids = map[string]string{}, map[string]string{}
	m, ok := v.(map[string]any)
	if !ok {
		return &CardError{"", "is not an object"}
	}
	j.minor = maxMinor
	j.root(m)
	return errors.Join(j.wrong...)
}

// decode reads one JSON value and refuses what parsers disagree on: a key that
// comes twice, text that is not UTF-8.
func decode(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("has something behind it")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	if depth > 100 {
		return nil, errors.New("nested too deep")
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		m := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			k := key.(string) // the decoder gives nothing else here
			if _, twice := m[k]; twice {
				return nil, fmt.Errorf("the key %q is there twice", k)
			}
			if m[k], err = decodeValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return m, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return t, nil
}

// A judge goes through one card.
type judge struct {
	dialog bool
	minor  int // of the card's version
	wrong  []error

	inputs  map[string]string // pointer by id of input
	ids     map[string]string // pointer by id of element
	said    []string          // every text that a mention may stand in
	carried []carried         // data of actions
	toggles []toggled
	aside   int // inside a fallback, which stands in place of something and not beside it
}

type carried struct {
	at   string
	data map[string]any
}

type toggled struct{ at, id string }

func (j *judge) refuse(at, format string, args ...any) {
	if len(j.wrong) < 50 {
		j.wrong = append(j.wrong, &CardError{at, fmt.Sprintf(format, args...)})
	}
}

func (j *judge) root(m map[string]any) {
	version, _ := m["version"].(string)
	var minor int
	if n, err := fmt.Sscanf(version, "1.%d", &minor); n != 1 || err != nil || version != fmt.Sprintf("1.%d", minor) || minor > maxMinor {
		j.refuse("/version", "is %q; Teams takes 1.0 to 1.%d", m["version"], maxMinor)
	} else {
		j.minor = minor
	}
	j.object("", m, "AdaptiveCard")
	if len(list(m["body"])) == 0 && len(list(m["actions"])) == 0 {
		j.refuse("", "shows nothing")
	}
	for _, c := range j.carried {
		for id, input := range j.inputs {
			if _, hidden := c.data[id]; hidden {
				j.refuse(c.at+"/"+escape(id), "is overwritten by the input %s", input)
			}
		}
	}
	for _, t := range j.toggles {
		if j.ids[t.id] == "" {
			j.refuse(t.at, "there is no element %q", t.id)
		}
	}
	j.mentions(m)
}

// mentions: page "Format cards in Teams", "Mention support within Adaptive
// Cards".
func (j *judge) mentions(m map[string]any) {
	ms, _ := m["msteams"].(map[string]any)
	for i, v := range list(ms["entities"]) {
		e, _ := v.(map[string]any)
		text, _ := e["text"].(string)
		found := false
		for _, s := range j.said {
			found = found || strings.Contains(s, text)
		}
		if text != "" && !found {
			j.refuse(fmt.Sprintf("/msteams/entities/%d/text", i), "%q stands in no TextBlock or fact", text)
		}
	}
}

// object checks that all that m has is what a thing of this type may have.
func (j *judge) object(at string, m map[string]any, typ string) {
	s := things[typ]
	if s.since > j.minor {
		j.refuse(at, "%s is of version 1.%d, the card of 1.%d", typ, s.since, j.minor)
	}
	for name, v := range m {
		p, known := s.props[name]
		here := at + "/" + escape(name)
		switch {
		case name == "type":
			if v != typ {
				j.refuse(here, "is %v and not %q", v, typ)
			}
		case !known:
			j.refuse(here, "%s has no such property", typ)
		case p.since > j.minor:
			j.refuse(here, "is of version 1.%d, the card of 1.%d", p.since, j.minor)
		case v == nil:
			j.refuse(here, "is null")
		default:
			p.is(j, here, v)
		}
	}
	for name, p := range s.props {
		if _, there := m[name]; p.need && !there {
			j.refuse(at, "%s needs %q", typ, name)
		}
	}
	if _, there := m["type"]; s.typed && !there {
		j.refuse(at, "%s needs its type", typ)
	}
	if s.also != nil {
		s.also(j, at, m)
	}
}

// oneOf checks an object that names its own type.
func (j *judge) oneOf(at string, v any, what string, in map[string]bool) {
	m, ok := v.(map[string]any)
	if !ok {
		j.refuse(at, "is not an object")
		return
	}
	typ, _ := m["type"].(string)
	if !in[typ] {
		j.refuse(at, "%q is no %s that Teams shows here", m["type"], what)
		return
	}
	j.object(at, m, typ)
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// escape writes a key as a part of a JSON pointer.
func escape(key string) string { return pointerKeys.Replace(key) }

var pointerKeys = strings.NewReplacer("~", "~0", "/", "~1")

// webAddress says whether people's clients can open it. Loopback is for
// developers.
func webAddress(s string, plain bool) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && (plain || local)
}
