package inbox

import (
	"context"
	"errors"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// errRefused rolls back what was done for a form that stays open.
var errRefused = errors.New("refused")

// Answer handles an event at once, ahead of those that wait, because its
// platform waits for the Answer. An event that has been handled or accepted
// before gets the zero Answer.
//
// When the Answer refuses fields, nothing that the flow did stands, and the
// same event may come again. Kinds that only ask may come as often as they
// like. On an error nothing has happened.
func (in *Inbox) Answer(ctx context.Context, ev chat.Event) (chat.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	ev.InCall = true
	e, err := newEntry(ev)
	if err != nil {
		return chat.Answer{}, err
	}
	prepared, err := in.prepare(ctx, e.ev)
	if err != nil {
		return chat.Answer{}, err
	}
	var answer chat.Answer
	err = in.o.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		answer = chat.Answer{}
		if !ev.Kind.Asks() {
			if err := tx.SeeKey(ctx, e.Key, e.At); err != nil {
				return err
			}
		}
		if answer, err = in.run(ctx, tx, prepared); err == nil && len(answer.Errors) > 0 {
			err = errRefused
		}
		return err
	})
	switch {
	case errors.Is(err, storage.ErrSeen):
		return chat.Answer{}, nil
	case errors.Is(err, errRefused):
		return answer, nil
	case err != nil:
		return chat.Answer{}, err
	}
	in.metrics.handled.WithLabelValues("answered").Inc()
	in.o.OnHandled()
	return answer, nil
}
