package inbox

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// errRefused rolls back what was done for a form that stays open.
var errRefused = errors.New("refused")

// Answer handles an event at once, ahead of those that wait, because its
// platform waits for the Answer. An event that has been handled or accepted
// before gets the zero Answer, or, if it was sent from within a form, the Answer
// that it got then: whoever sends a form again never saw what came of it.
//
// When the Answer refuses fields, nothing that the flow did stands, and the
// same event may come again. Kinds that only ask may come as often as they
// like. On an error nothing has happened.
func (in *Inbox) Answer(ctx context.Context, ev chat.Event) (chat.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	ev.InCall = true
	e, err := newEntry(in.o.Hide(ev))
	if err != nil {
		return chat.Answer{}, err
	}
	prepared, err := in.prepare(ctx, e.ev)
	if err != nil {
		return chat.Answer{}, err
	}
	var answer chat.Answer
	err = in.attempt(ctx, prepared, func(do Handling) error {
		return in.o.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
			answer = chat.Answer{}
			if !ev.Kind.Asks() {
				if err := tx.SeeKey(ctx, e.Key, e.At); err != nil {
					return err
				}
			}
			if answer, err = in.run(ctx, tx, prepared, do); err == nil && len(answer.Errors) > 0 {
				err = errRefused
			}
			if err != nil || ev.View == "" || ev.Kind.Asks() {
				return err
			}
			return keep(ctx, tx, e, answer)
		})
	})
	switch {
	case errors.Is(err, storage.ErrSeen) && ev.View != "":
		return in.kept(ctx, e)
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

func keep(ctx context.Context, tx *storage.Tx, e entry, a chat.Answer) error {
	if a.Form != nil {
		a.Private = nil // it is said beside the form, and a second time it would be said twice
	}
	if a.Form == nil && a.Private == nil {
		return nil
	}
	js, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return tx.KeepAnswer(ctx, e.Key, e.At, js)
}

// kept is what was answered to an event before.
func (in *Inbox) kept(ctx context.Context, e entry) (a chat.Answer, err error) {
	var js []byte
	if err := in.o.DB.View(ctx, func(tx *storage.Tx) (err error) {
		js, err = tx.KeptAnswer(ctx, e.Key, e.At)
		return err
	}); err != nil || js == nil {
		return a, err
	}
	if json.Unmarshal(js, &a) != nil {
		return chat.Answer{}, nil // it is of a later release: the first answer is all that there is
	}
	return a, nil
}
