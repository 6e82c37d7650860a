package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What Slack refuses in blocks, from the pages under
// docs.slack.dev/reference/block-kit and the maxima in the doc comments of Slack's
// own @slack/types. The words are those that Slack answers with, as far as they
// have been seen.

// Validate says what Slack would refuse in a JSON array of blocks, in reading
// order; nothing if it would take them. Each is a [*BlockError], with pointers
// that begin at /blocks.
func Validate(s Surface, blocks []byte) []error {
	list, err := decodeBlocks(blocks)
	if err != nil {
		return []error{err}
	}
	c := newChecker(s)
	c.push("blocks")
	c.blocks(list)
	return c.errs
}

// ValidateView is Validate for a whole view as given to views.open and
// views.publish, with pointers that begin at /view.
func ValidateView(view []byte) []error {
	var v map[string]any
	if err := json.Unmarshal(view, &v); err != nil || v == nil {
		return []error{&BlockError{Pointer: "/view", Reason: "must be an object"}}
	}
	c, _ := checkView(v, nil)
	return c.errs
}

func decodeBlocks(blocks []byte) ([]any, error) {
	var list []any
	if err := json.Unmarshal(blocks, &list); err != nil || list == nil {
		return nil, &BlockError{Pointer: "/blocks", Reason: "must be an array"}
	}
	return list, nil
}

// A checker walks through blocks and notes what is wrong where.
type checker struct {
	surface Surface
	errs    []error
	at      []string // the pointer

	blockIDs map[string]bool
	inBlock  map[string]bool // action ids in the block at hand
	tables   int
	markdown int // characters in markdown blocks
	chars    int // characters in all texts
	focused  bool
	inputs   []int // blocks that are input blocks
	ids      *idMaker
}

// idMaker gives out block and action ids where there are none. Nil gives none.
type idMaker struct{ next func() string }

func newChecker(s Surface) *checker {
	return &checker{surface: s, blockIDs: map[string]bool{}}
}

func (c *checker) push(s string) { c.at = append(c.at, s) }
func (c *checker) pop()          { c.at = c.at[:len(c.at)-1] }

func (c *checker) fail(format string, args ...any) {
	c.errs = append(c.errs, &BlockError{Pointer: "/" + strings.Join(c.at, "/"), Reason: fmt.Sprintf(format, args...)})
}

// in runs f one step further down.
func (c *checker) in(name string, f func()) {
	c.push(name)
	f()
	c.pop()
}

// messages are the errors as Slack writes them.
func (c *checker) messages() []string {
	list := make([]string, len(c.errs))
	for i, e := range c.errs {
		list[i] = e.Error()
	}
	return list
}

// A check looks at one value.
type check func(c *checker, v any)

// A field of an object.
type field struct {
	must bool
	check
}

// A shape is what an object may have in it.
type shape struct {
	fields map[string]field
	also   func(c *checker, m map[string]any) // what concerns several fields
}

func must(f check) field  { return field{true, f} }
func maybe(f check) field { return field{false, f} }

func (s *shape) check(c *checker, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fail("must be an object")
		return
	}
	for _, name := range sortedKeys(m) {
		f, known := s.fields[name]
		if !known {
			c.fail("invalid additional property: %s", name)
			continue
		}
		if m[name] == nil {
			if f.must {
				c.fail("missing required field: %s", name)
			}
			continue
		}
		c.push(name)
		f.check(c, m[name])
		c.pop()
	}
	for _, name := range sortedKeys(s.fields) {
		if _, there := m[name]; s.fields[name].must && !there {
			c.fail("missing required field: %s", name)
		}
	}
	if s.also != nil {
		s.also(c, m)
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func anything(*checker, any) {}

func boolean(c *checker, v any) {
	if _, ok := v.(bool); !ok {
		c.fail("must be a boolean")
	}
}

func str(least, most int) check {
	return func(c *checker, v any) {
		s, ok := v.(string)
		if !ok {
			c.fail("must be a string")
			return
		}
		c.length(s, least, most)
	}
}

func (c *checker) length(s string, least, most int) {
	n := len(s)
	if n > most { // bytes are at least as many as characters
		n = utf8.RuneCountInString(s)
	}
	switch {
	case n < least:
		c.fail("must be more than %d characters", least-1)
	case n > most:
		c.fail("must be less than %d characters", most+1)
	}
}

func integer(least, most float64) check {
	return func(c *checker, v any) {
		n, ok := v.(float64)
		switch {
		case !ok || n != float64(int64(n)):
			c.fail("must be an integer")
		case n < least:
			c.fail("must be greater than or equal to %d", int64(least))
		case n > most:
			c.fail("must be less than or equal to %d", int64(most))
		}
	}
}

func oneOf(values ...string) check {
	return func(c *checker, v any) {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			c.fail("must be a valid enum value")
		}
	}
}

func pattern(what string, ok func(string) bool) check {
	return func(c *checker, v any) {
		if s, is := v.(string); !is || !ok(s) {
			c.fail("must be a valid %s", what)
		}
	}
}

func array(least, most int, item check) check {
	return func(c *checker, v any) {
		list, ok := v.([]any)
		if !ok {
			c.fail("must be an array")
			return
		}
		switch {
		case len(list) < least:
			c.fail("no less than %d items allowed", least)
		case len(list) > most:
			c.fail("no more than %d items allowed", most)
		}
		for i, x := range list {
			c.push(strconv.Itoa(i))
			item(c, x)
			c.pop()
		}
	}
}

func webAddress(c *checker, v any) {
	s, ok := v.(string)
	if !ok {
		c.fail("must be a string")
		return
	}
	c.length(s, 1, 3000)
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || rest == "" || scheme == "" || strings.ContainsAny(s, " \n\t") {
		c.fail("must be a valid url")
	}
}

// plain and rich are text objects; see
// docs.slack.dev/reference/block-kit/composition-objects/text-object.
func plain(least, most int) check { return text(least, most, "plain_text") }
func rich(least, most int) check  { return text(least, most, "plain_text", "mrkdwn") }

func text(least, most int, kinds ...string) check {
	return func(c *checker, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			c.fail("must be an object")
			return
		}
		kind, _ := m["type"].(string)
		if !slices.Contains(kinds, kind) {
			c.in("type", func() { c.fail("unsupported type: %s", kind) })
			return
		}
		for _, k := range sortedKeys(m) {
			switch {
			case k == "type", k == "text":
			case k == "emoji" && kind == "plain_text", k == "verbatim" && kind == "mrkdwn":
				c.in(k, func() { boolean(c, m[k]) })
			default:
				c.fail("invalid additional property: %s", k)
			}
		}
		s, ok := m["text"].(string)
		if !ok {
			c.fail("missing required field: text")
			return
		}
		c.chars += utf8.RuneCountInString(s)
		c.in("text", func() { c.length(s, least, most) })
		if c.ids != nil { // as Slack gives text objects back
			if kind == "plain_text" {
				if _, has := m["emoji"]; !has {
					m["emoji"] = true
				}
			} else if _, has := m["verbatim"]; !has {
				m["verbatim"] = false
			}
		}
	}
}

// limits of whole surfaces; see docs.slack.dev/reference/block-kit/blocks.
func (s Surface) maxBlocks() int {
	if s == OnMessage {
		return 50
	}
	return 100
}

// maxMarkdown is for all markdown blocks of a message together; see
// docs.slack.dev/reference/block-kit/blocks/markdown-block.
const maxMarkdown = 12_000

// blocks checks the list at the pointer.
func (c *checker) blocks(list []any) {
	if len(list) > c.surface.maxBlocks() {
		c.fail("no more than %d items allowed", c.surface.maxBlocks())
	}
	for i, b := range list {
		c.push(strconv.Itoa(i))
		c.block(b, blockShapes)
		if m, ok := b.(map[string]any); ok && m["type"] == "input" {
			c.inputs = append(c.inputs, i)
		}
		c.pop()
	}
	if c.markdown > maxMarkdown {
		c.fail("markdown blocks must be less than %d characters together", maxMarkdown+1)
	}
}

func (c *checker) block(v any, known map[string]*blockShape) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fail("must be an object")
		return
	}
	kind, _ := m["type"].(string)
	s := known[kind]
	switch {
	case kind == "":
		c.fail("missing required field: type")
		return
	case s == nil || !slices.Contains(s.on, c.surface):
		c.in("type", func() { c.fail("unsupported type: %s", kind) })
		return
	}
	id, given := m["block_id"].(string)
	switch {
	case given && id != "":
		if c.blockIDs[id] {
			c.in("block_id", func() { c.fail("`block_id` %q already exists", id) })
		}
		c.blockIDs[id] = true
	case c.ids != nil:
		for id = c.ids.next(); c.blockIDs[id]; id = c.ids.next() {
		}
		m["block_id"], c.blockIDs[id] = id, true
	}
	outer := c.inBlock
	c.inBlock = map[string]bool{}
	s.check(c, v)
	c.inBlock = outer
}

// checkView checks a view and says on which surface it is.
// See docs.slack.dev/reference/views.
func checkView(v map[string]any, ids *idMaker) (*checker, Surface) {
	c := newChecker(OnModal)
	c.ids = ids
	c.push("view")
	kind, _ := v["type"].(string)
	s := modalShape
	switch kind {
	case "modal":
	case "home":
		c.surface, s = OnHome, homeShape
	case "":
		c.fail("missing required field: type")
		return c, c.surface
	default:
		c.in("type", func() { c.fail("unsupported type: %s", kind) })
		return c, c.surface
	}
	s.check(c, v)
	if c.surface == OnModal && v["submit"] == nil {
		for _, i := range c.inputs {
			c.errs = append(c.errs, &BlockError{
				Pointer: "/view/blocks/" + strconv.Itoa(i) + "/input",
				Reason:  "must define `submit` to use an `input` block in modals",
			})
		}
	}
	return c, c.surface
}

func viewBlocks(c *checker, v any) {
	list, ok := v.([]any)
	if !ok {
		c.fail("must be an array")
		return
	}
	c.blocks(list)
}

var modalShape, homeShape *shape

func init() {
	// Set here, because shapes name each other.
	home := map[string]field{
		"type": must(anything), "blocks": must(viewBlocks), "private_metadata": maybe(str(0, 3000)),
		"callback_id": maybe(str(0, 255)), "external_id": maybe(str(0, 255)),
	}
	homeShape = &shape{fields: home}
	modal := map[string]field{
		"title": must(plain(1, 24)), "submit": maybe(plain(1, 24)), "close": maybe(plain(1, 24)),
		"clear_on_close": maybe(boolean), "notify_on_close": maybe(boolean), "submit_disabled": maybe(boolean),
	}
	for k, f := range home {
		modal[k] = f
	}
	modalShape = &shape{fields: modal}
}
