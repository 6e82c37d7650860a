package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
)

// draftFor is how long a form that was closed half-filled is kept. Drafts are
// short-lived shared state and no record: losing one costs some typing.
const draftFor = 2 * time.Hour

// drafts keeps what was in a closed form, puts it into the event that opens
// the same form again, and forgets it once the form is sent.
func (d *Desk) drafts(ctx context.Context, ev chat.Event) chat.Event {
	kind := ev.Args["k"]
	if ev.Action == cards.RequestIt {
		kind = string(ticket.Request)
	}
	key := fmt.Sprintf("draft:%s:%s:%s:%s:%s:%s:%s", ev.By.Platform, ev.By.Workspace, ev.By.ID, ev.Args["q"], ev.Args["m"], kind, ev.Args["r"])
	switch {
	case ev.Kind == chat.Dismissed && ev.Action == cards.OpenSend && len(ev.Values) > 0:
		value, _ := json.Marshal(ev.Values) // strings only
		d.shared.Set(ctx, key, value, draftFor)
	case ev.Kind == chat.Pressed && (ev.Action == cards.OpenKind || ev.Action == cards.OpenOther || ev.Action == cards.RequestIt):
		if value, found := d.shared.Get(ctx, key); found {
			if err := json.Unmarshal(value, &ev.Values); err != nil {
				d.log.WarnContext(ctx, "a half-filled form can't be read", "err", err)
			}
		}
	case ev.Kind == chat.Submitted && ev.Action == cards.OpenSend:
		d.shared.Delete(ctx, key)
	}
	return ev
}
