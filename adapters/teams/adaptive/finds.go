package adaptive

import (
	"encoding/json"
	"html"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

const (
	// ContentType is that of a card in a message's attachments.
	ContentType = "application/vnd.microsoft.card.adaptive"

	thumbnailType = "application/vnd.microsoft.card.thumbnail"
	maxFinds      = 15
	maxFound      = 15 // Teams shows no more options of a search field
)

type found struct {
	ContentType string          `json:"contentType"`
	Content     json.RawMessage `json:"content"`
	Preview     preview         `json:"preview"`
}

type preview struct {
	ContentType string    `json:"contentType"`
	Content     thumbnail `json:"content"`
}

type thumbnail struct {
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
}

// Finds draws the answer to a composeExtension/query.
func Finds(fs []chat.Find, o Options) json.RawMessage {
	all := make([]found, 0, len(fs))
	for _, f := range fs[:min(len(fs), maxFinds)] {
		all = append(all, found{
			ContentType: ContentType,
			Content:     Card(chat.Post{Card: f.Card}, o),
			// A thumbnail's text is HTML.
			Preview: preview{thumbnailType, thumbnail{label(f.Title, maxLabel), html.EscapeString(cut(oneLine(f.Text), maxLabel))}},
		})
	}
	return encode(map[string]any{"composeExtension": map[string]any{
		"type": "result", "attachmentLayout": "list", "attachments": all,
	}})
}

// Found draws the answer to an application/search invoke.
func Found(options []chat.Option) json.RawMessage {
	all := make([]choice, 0, len(options))
	for _, o := range options[:min(len(options), maxFound)] {
		c := choice{label(o.Label, maxOptionText), o.Value}
		if hint := cut(oneLine(o.Hint), maxOptionText); hint != "" {
			c.Title += " (" + strings.TrimSpace(hint) + ")"
		}
		all = append(all, c)
	}
	return encode(map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.search.searchResponse", "value": map[string]any{"results": all}})
}
