package storage

import (
	"context"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// RedrawHomes has the homes of these persons drawn again, but only those that
// were opened after since: a home that nobody looks at costs nothing.
func (tx *Tx) RedrawHomes(ctx context.Context, who []people.PersonID, since, now time.Time) error {
	return tx.later(ctx, failing("redraw homes"), requeue+`p.kind = 'home' and p.subject = any(@who) and p.card <> '' and p.created_at > @since`+requeueAgain,
		named{"who": who, "since": since, "lane": LaneDigest, "now": now})
}
