package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// ErrMayStand is why Retry leaves a post alone of which an attempt may have
// succeeded: to be looked at on the platform before anything else.
var ErrMayStand = errors.New("its last answer was lost, so it may stand there already")

// Retry queues once more what a dead letter, which tx has taken, was about. An
// error says why not, in words for an operator, and the letter is to stay; with
// anyway, not because of ErrMayStand.
func Retry(ctx context.Context, tx *storage.Tx, l storage.Letter, anyway bool, now time.Time) error {
	id, err := strconv.ParseInt(l.Key, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not the number of a post", l.Key)
	}
	was := struct {
		Unsure bool         `json:"unsure"`
		Lane   storage.Lane `json:"lane"`
	}{Unsure: true, Lane: storage.LaneReply} // a letter that does not say
	if err := json.Unmarshal(l.Content, &was); err != nil {
		return fmt.Errorf("the letter can't be read: %w", err)
	}
	p, err := tx.DeadPost(ctx, storage.PostID(id))
	if errors.Is(err, storage.ErrNotFound) {
		return errors.New("the message is not on record any more")
	}
	if err != nil {
		return err
	}
	kind := chat.PostKind(p.Kind)
	switch {
	case p.Queued:
		return errors.New("it is on its way already")
	case p.External != "" && p.Failed != "":
		return errors.New("it was removed from the platform since")
	case p.External != "":
		// It stands there, and this was a change of it: the newest is drawn.
		return tx.RedrawPost(ctx, p.ID, was.Lane, now)
	case p.Failed == "":
		return errors.New("it has been delivered since")
	case (kind == chat.Whisper || kind == chat.React || kind == chat.Unreact) && now.Sub(p.CreatedAt) > pointless:
		return fmt.Errorf("it was for the moment, and is pointless after %s", pointless)
	case p.Taken:
		return errors.New("another message has taken its place")
	case p.Opener != 0 && p.Letter != 0:
		return fmt.Errorf("the message that opens its thread has failed too: retry letter %d first", p.Letter)
	case p.Opener != 0:
		return errors.New("the message that was to open its thread is not kept any more")
	case was.Unsure && !anyway:
		return ErrMayStand
	}
	return tx.RetryPost(ctx, p.ID, was.Lane, was.Unsure, now)
}
