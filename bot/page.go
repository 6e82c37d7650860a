package bot

import (
	"context"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
)

// asksForPage tells whether a message asks for the link to one's page. Without
// pages these are words like others.
func (t *turn) asksForPage(text string) bool {
	if t.desk.pageLink == nil {
		return false
	}
	switch strings.ToLower(strings.Trim(text, " .!?\n")) {
	case "my page", "page":
		return true
	}
	return false
}

// myPage gives somebody the link to their page. Whoever has the link is taken
// for them, so it is for their eyes only.
func (t *turn) myPage(ctx context.Context) error {
	if t.desk.pageLink == nil {
		return t.private(ctx, "There are no pages here any more. Write “my tickets” to see how yours stand.")
	}
	link, err := t.desk.pageLink(t.ev.By)
	if err != nil {
		return err
	}
	return t.privately(ctx, cards.PageLink(link))
}
