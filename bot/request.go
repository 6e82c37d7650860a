package bot

import (
	"context"
	"maps"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
)

// requestable is what can be requested under a slug by whoever this turn is of.
func (t *turn) requestable(slug string) (knowledge.Request, bool) {
	for _, r := range t.rules.requests {
		if slug != "" && r.Slug == slug {
			return r, r.ReadableBy(t.who.Groups())
		}
	}
	return knowledge.Request{}, false
}

// requestIt begins a request of something that an answer names: what is open
// already comes first here too.
func (t *turn) requestIt(ctx context.Context) error {
	if _, ok := t.requestable(t.ev.Args["r"]); !ok {
		return t.private(ctx, "This can't be requested any more. Press “Open a ticket” and say what you need.")
	}
	t.ev.Args = maps.Clone(t.ev.Args)
	t.ev.Args["k"] = string(ticket.Request)
	_, q, err := t.draft(ctx)
	if err != nil {
		return err
	}
	if q != nil && q.Ticket != 0 {
		return t.alreadyOpen(ctx, q.Ticket)
	}
	return t.openKind(ctx)
}
