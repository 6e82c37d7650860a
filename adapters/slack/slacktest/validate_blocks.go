package slacktest

import "strconv"

// A blockShape is a block and the surfaces that it may be on, as its page under
// docs.slack.dev/reference/block-kit/blocks says.
type blockShape struct {
	on []Surface
	shape
}

var everywhere = []Surface{OnMessage, OnModal, OnHome}

// blockShapes is each block by its type. Set in init, because a container holds
// blocks.
var blockShapes map[string]*blockShape

func init() {
	card := map[string]field{
		"hero_image": maybe(element("image")), "icon": maybe(element("image")), "slack_icon": maybe(slackIcon.check),
		"title": maybe(rich(1, 150)), "subtitle": maybe(rich(1, 150)), "body": maybe(rich(1, 200)), "subtext": maybe(rich(1, 150)),
		"actions": maybe(array(1, 3, element("button"))),
	}
	taskCard := map[string]field{
		"task_id": must(str(1, 255)), "title": must(str(1, 3000)), "status": maybe(oneOf("pending", "in_progress", "complete", "error")),
		"details": maybe(richTextBlock), "output": maybe(richTextBlock), "sources": maybe(array(0, 100, anything)), "hide_title": maybe(boolean),
	}
	blockShapes = map[string]*blockShape{
		// https://docs.slack.dev/reference/block-kit/blocks/actions-block
		"actions": block(everywhere, map[string]field{"elements": must(array(1, 25, element(inActions...)))}),
		// …/alert-block: in modals alone
		"alert": block([]Surface{OnModal}, map[string]field{
			"text": must(rich(1, 3000)), "level": maybe(oneOf("default", "info", "warning", "error", "success")),
		}),
		// …/card-block
		"card": block(everywhere, card),
		// …/carousel-block
		"carousel": block([]Surface{OnMessage}, map[string]field{"elements": must(array(1, 10, nested("card")))}),
		// …/container-block
		"container": block(everywhere, map[string]field{
			"title": maybe(plain(1, 150)), "rich_text_title": maybe(richTextBlock), "subtitle": maybe(rich(1, 150)),
			"icon": maybe(element("image")), "width": maybe(oneOf("narrow", "standard", "wide", "full")),
			"is_collapsible": maybe(boolean), "default_collapsed": maybe(boolean), "has_header_divider": maybe(boolean),
			"child_blocks": must(array(1, 10, nested("actions", "context", "divider", "file", "header", "image", "input",
				"rich_text", "section", "table", "video"))),
		}),
		// …/context-block
		"context": block(everywhere, map[string]field{"elements": must(array(1, 10, contextElement))}),
		// …/context-actions-block
		"context_actions": block([]Surface{OnMessage}, map[string]field{
			"elements": must(array(1, 5, element("feedback_buttons", "icon_button"))),
		}),
		// …/data-table-block
		"data_table": block([]Surface{OnMessage}, map[string]field{
			"caption": must(str(1, 3000)), "rows": must(array(2, 101, array(1, 20, anything))),
			"page_size": maybe(integer(1, 100)), "row_header_column_index": maybe(integer(0, 19)),
		}),
		// …/data-visualization-block
		"data_visualization": block([]Surface{OnMessage}, map[string]field{"title": must(str(1, 150)), "chart": must(anything)}),
		// …/divider-block
		"divider": block(everywhere, nil),
		// …/file-block: apps find it in messages, and may give it for remote files
		"file": block([]Surface{OnMessage}, map[string]field{"external_id": must(str(1, 255)), "source": must(oneOf("remote"))}),
		// …/header-block
		"header": block(everywhere, map[string]field{"text": must(plain(1, 150)), "level": maybe(integer(1, 4))}),
		// …/image-block
		"image": blockAlso(everywhere, map[string]field{
			"image_url": maybe(webAddress), "slack_file": maybe(anything), "alt_text": must(str(0, 2000)), "title": maybe(plain(0, 2000)),
		}, imageSource),
		// …/input-block
		"input": blockAlso(everywhere, map[string]field{
			"label": must(plain(1, 2000)), "element": must(element(inInput...)), "hint": maybe(plain(0, 2000)),
			"optional": maybe(boolean), "dispatch_action": maybe(boolean),
		}, nil),
		// …/markdown-block
		"markdown": block([]Surface{OnMessage}, map[string]field{"text": must(markdown)}),
		// …/plan-block
		"plan": block([]Surface{OnMessage}, map[string]field{"title": must(str(1, 3000)), "tasks": maybe(array(0, 50, nested("task_card")))}),
		// …/rich-text-block
		"rich_text": block(everywhere, map[string]field{"elements": must(array(1, 1000, richTextElement))}),
		// …/section-block
		"section": blockAlso(everywhere, map[string]field{
			"text": maybe(rich(1, 3000)), "fields": maybe(array(1, 10, rich(1, 2000))), "accessory": maybe(element(inSection...)),
			"expand": maybe(boolean),
		}, func(c *checker, m map[string]any) {
			if m["text"] == nil && m["fields"] == nil {
				c.fail("missing required field: text")
			}
		}),
		// …/table-block
		"table": blockAlso([]Surface{OnMessage}, map[string]field{
			"rows": must(array(1, 100, array(1, 20, tableCell))), "column_settings": maybe(array(0, 20, columnSetting)),
		}, func(c *checker, _ map[string]any) {
			if c.tables++; c.tables > 1 {
				c.fail("only_one_table_allowed")
			}
		}),
		// …/task-card-block
		"task_card": block([]Surface{OnMessage}, taskCard),
		// …/video-block
		"video": block(everywhere, map[string]field{
			"video_url": must(webAddress), "thumbnail_url": must(webAddress), "alt_text": must(str(1, 2000)), "title": must(plain(1, 200)),
			"title_url": maybe(webAddress), "author_name": maybe(str(0, 50)), "provider_name": maybe(str(0, 3000)),
			"provider_icon_url": maybe(webAddress), "description": maybe(plain(0, 200)),
		}),
	}
}

func block(on []Surface, fields map[string]field) *blockShape { return blockAlso(on, fields, nil) }

func blockAlso(on []Surface, fields map[string]field, also func(*checker, map[string]any)) *blockShape {
	if fields == nil {
		fields = map[string]field{}
	}
	fields["type"] = must(anything)
	fields["block_id"] = maybe(str(0, 255))
	return &blockShape{on, shape{fields, also}}
}

// nested is a block of one of these types inside another.
func nested(types ...string) check {
	return func(c *checker, v any) {
		known := map[string]*blockShape{}
		for _, t := range types {
			known[t] = blockShapes[t]
		}
		c.block(v, known)
	}
}

func imageSource(c *checker, m map[string]any) {
	if (m["image_url"] == nil) == (m["slack_file"] == nil) {
		c.fail("must provide exactly one of: image_url, slack_file")
	}
}

func contextElement(c *checker, v any) {
	if m, ok := v.(map[string]any); ok && m["type"] == "image" {
		element("image")(c, v)
		return
	}
	rich(1, 3000)(c, v)
}

func markdown(c *checker, v any) {
	s, ok := v.(string)
	if !ok {
		c.fail("must be a string")
		return
	}
	c.markdown += len([]rune(s))
	c.chars += len([]rune(s))
}

func richTextBlock(c *checker, v any) { nested("rich_text")(c, v) }

// richTextElement checks the outer element alone. What is inside has too many
// forms to be refused with certainty.
func richTextElement(c *checker, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.fail("must be an object")
		return
	}
	switch kind, _ := m["type"].(string); kind {
	case "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote":
		list, ok := m["elements"].([]any)
		if !ok {
			c.fail("missing required field: elements")
			return
		}
		for i, e := range list {
			inner, ok := e.(map[string]any)
			if !ok {
				c.in("elements", func() { c.in(strconv.Itoa(i), func() { c.fail("must be an object") }) })
				continue
			}
			if s, ok := inner["text"].(string); ok {
				c.chars += len([]rune(s))
			}
		}
	default:
		c.in("type", func() { c.fail("unsupported type: %s", kind) })
	}
}

func tableCell(c *checker, v any) {
	if v == nil {
		return // an empty cell
	}
	m, ok := v.(map[string]any)
	if !ok {
		c.fail("must be an object")
		return
	}
	switch kind, _ := m["type"].(string); kind {
	case "raw_text":
		s, ok := m["text"].(string)
		if !ok {
			c.fail("missing required field: text")
		}
		c.chars += len([]rune(s))
	case "raw_number":
		if _, ok := m["value"].(float64); !ok {
			c.fail("missing required field: value")
		}
	case "rich_text":
		array(1, 1000, richTextElement)(c, m["elements"])
	default:
		c.in("type", func() { c.fail("unsupported type: %s", kind) })
	}
}

var columnShape = shape{fields: map[string]field{
	"align": maybe(oneOf("left", "center", "right", "")), "is_wrapped": maybe(boolean),
}}

func columnSetting(c *checker, v any) {
	if v != nil {
		columnShape.check(c, v)
	}
}

var slackIcon = shape{fields: map[string]field{"type": must(oneOf("icon")), "name": must(str(1, 255))}}
