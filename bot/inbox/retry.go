package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// Retry has the event handled once more that a dead letter, which tx has taken,
// was about. Nothing that its attempts did has stood, but whoever it came from
// was told that it failed.
func Retry(ctx context.Context, tx *storage.Tx, l storage.Letter, now time.Time) error {
	var ev chat.Event
	if err := json.Unmarshal(l.Content, &ev); err != nil {
		return fmt.Errorf("the letter can't be read: %w", err)
	}
	return tx.RetryIncoming(ctx, storage.Incoming{Key: l.Key, Conversation: ConversationOf(ev), Event: l.Content}, now)
}
