package slacktest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxText       = 40_000 // docs.slack.dev/reference/methods/chat.postMessage: cut above
	maxUpdateText = 4_000  // docs.slack.dev/reference/methods/chat.update: msg_too_long above
	// maxBlockChars is about where Slack begins to answer msg_blocks_too_long
	// (unpublished).
	maxBlockChars  = 13_200
	maxAttachments = 100
	maxMetadata    = 16 << 10 // docs.slack.dev/messaging/message-metadata
	maxView        = 250_000  // view_too_large
)

// content is what a message says, checked and completed as Slack completes it.
type content struct {
	text                                   string
	blocks, attachments                    json.RawMessage
	metadata                               *Metadata
	hasBlocks, hasAttachments, hasMetadata bool // the field was given, if only to empty it
	cut                                    bool
}

// content reads the arguments that chat.* methods and response URLs share. It needs
// no lock.
func (w *Workspace) content(r *request) (content, error) {
	c := content{text: r.str("text")}
	blocks := r.raw("blocks")
	if md := r.str("markdown_text"); md != "" {
		if c.text != "" || len(blocks) > 0 {
			return c, &APIError{Code: "markdown_text_conflict"}
		}
		if utf8.RuneCountInString(md) > maxMarkdown {
			return c, &APIError{Code: "msg_too_long"}
		}
		c.text = md
		blocks = mustJSON([]any{map[string]string{"type": "markdown", "text": md}})
	}
	c.text = appText(c.text)
	if n := utf8.RuneCountInString(c.text); len(c.text) > maxText && n > maxText {
		c.text, c.cut = string([]rune(c.text)[:maxText]), true
	}
	c.hasBlocks = len(blocks) > 0
	if c.hasBlocks {
		var err error
		if c.blocks, err = w.messageBlocks(blocks); err != nil {
			return c, err
		}
	}
	if err := w.attach(&c, r.raw("attachments")); err != nil {
		return c, err
	}
	return c, c.setMetadata(r.raw("metadata"))
}

// messageBlocks checks blocks and gives them ids; nil if there are none.
func (w *Workspace) messageBlocks(raw json.RawMessage) (json.RawMessage, error) {
	list, err := decodeBlocks(raw)
	if err != nil {
		return nil, &APIError{Code: "invalid_blocks_format"}
	}
	if len(list) == 0 {
		return nil, nil
	}
	ch := newChecker(OnMessage)
	ch.ids = &idMaker{w.shortID}
	ch.push("blocks")
	ch.blocks(list)
	if len(ch.errs) > 0 {
		return nil, &APIError{Code: "invalid_blocks", Messages: ch.messages()}
	}
	if ch.chars > maxBlockChars {
		return nil, &APIError{Code: "msg_blocks_too_long"}
	}
	return mustJSON(list), nil
}

func (w *Workspace) attach(c *content, raw json.RawMessage) error {
	c.hasAttachments = len(raw) > 0
	if !c.hasAttachments {
		return nil
	}
	var list []map[string]any
	if json.Unmarshal(raw, &list) != nil {
		return &APIError{Code: "invalid_attachments"}
	}
	if len(list) > maxAttachments {
		return &APIError{Code: "too_many_attachments"}
	}
	if len(list) == 0 {
		return nil
	}
	ch := newChecker(OnMessage)
	ch.ids = &idMaker{w.shortID}
	ch.push("attachments")
	for i, a := range list {
		a["id"] = i + 1
		blocks, ok := a["blocks"].([]any)
		if !ok {
			continue
		}
		ch.in(strconv.Itoa(i), func() { ch.in("blocks", func() { ch.blocks(blocks) }) })
	}
	if len(ch.errs) > 0 {
		return &APIError{Code: "invalid_attachments", Messages: ch.messages()}
	}
	c.attachments = mustJSON(list)
	return nil
}

var eventTypeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._:-]{0,254}$`)

// setMetadata reads {"event_type":…,"event_payload":{…}}. An empty object takes
// metadata away in chat.update.
func (c *content) setMetadata(raw json.RawMessage) error {
	if len(raw) == 0 {
		return nil
	}
	c.hasMetadata = true
	if len(raw) > maxMetadata {
		return &APIError{Code: "metadata_too_large"}
	}
	var m Metadata
	var payload map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return &APIError{Code: "invalid_metadata_format"}
	}
	if m.EventType == "" && len(m.EventPayload) == 0 {
		return nil
	}
	if !eventTypeName.MatchString(m.EventType) || json.Unmarshal(m.EventPayload, &payload) != nil || payload == nil {
		return &APIError{Code: "invalid_metadata_schema"}
	}
	c.metadata = &m
	return nil
}

func (c *content) empty() bool { return c.text == "" && c.blocks == nil && c.attachments == nil }

// shown is the text of a message that was posted with blocks alone: Slack fills in
// a sentence for those who cannot see blocks.
func (c *content) shown() string {
	if c.text == "" && c.blocks != nil {
		return "This content can't be displayed."
	}
	return c.text
}

// shortID makes ids like those that Slack gives to blocks and elements without
// one. It needs no lock.
func (w *Workspace) shortID() string {
	const space = 36 * 36 * 36 * 36 * 36
	n := w.lastShort.Add(1) * 7_654_321 % space
	id := strconv.FormatUint(n, 36)
	return strings.Repeat("0", 5-len(id)) + id
}
