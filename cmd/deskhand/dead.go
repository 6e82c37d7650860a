package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/bot/outbox"
	"github.com/deskhand/deskhand/storage"
)

type deadCmd struct {
	List  deadListCmd  `cmd:"" help:"List them, the oldest first, with the reason. Nothing that was said is shown."`
	Show  deadShowCmd  `cmd:"" help:"Show all of one, with what was said."`
	Retry deadRetryCmd `cmd:"" help:"Try them again. What stands on the platform is never posted a second time."`
	Drop  deadDropCmd  `cmd:"" help:"Forget them."`
}

const byDead = "deskhand dead"

type deadListCmd struct {
	storeFlags
	Source string `enum:",inbox,outbox" default:"" help:"Only what came in and was not handled (inbox), or what was not delivered (outbox)." placeholder:"inbox|outbox"`
	Limit  int    `default:"50" help:"How many."`
}

func (c *deadListCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return db.View(ctx, func(tx *storage.Tx) error {
		all, err := tx.Letters(ctx, storage.LetterSource(c.Source), 0, c.Limit+1)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			e.say("There are none.")
		}
		for _, l := range all[:min(len(all), c.Limit)] {
			e.say("%d  %s  %s, %s: %s", l.ID, l.DiedAt.Format("2006-01-02 15:04"), l.Source, letterWords(l), strings.Join(strings.Fields(l.Error), " "))
		}
		if len(all) > c.Limit {
			e.say("And more; see --limit.")
		}
		return nil
	})
}

// letterWords say what a letter is about without what was said.
func letterWords(l storage.Letter) string {
	if l.Source == storage.FromInbox {
		var ev chat.Event
		_ = json.Unmarshal(l.Content, &ev) // what can't be read has no words, and is listed all the same
		return strings.Join(strings.Fields(fmt.Sprintf("%s %s by %s on %s in %s", ev.Kind, ev.Action, ev.By.ID, ev.By.Platform, ev.Place.Channel)), " ")
	}
	var p struct {
		Kind, Card, Platform, Channel string
		User                          string `json:"user_id"`
		Thread                        int64  `json:"thread_id"`
		External                      string
	}
	_ = json.Unmarshal(l.Content, &p)
	what := p.Kind
	if p.Card != "" {
		what = p.Card + " card"
	}
	if p.External != "" {
		what = "change of a " + what
	}
	where := p.Channel
	switch {
	case p.Thread != 0:
		where = fmt.Sprintf("thread %d", p.Thread)
	case where == "":
		where = p.User
	}
	return fmt.Sprintf("%s (post %s) on %s to %s", what, l.Key, p.Platform, where)
}

type deadShowCmd struct {
	storeFlags
	ID int64 `arg:"" help:"Its number in the list."`
}

func (c *deadShowCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return db.View(ctx, func(tx *storage.Tx) error {
		l, err := tx.Letter(ctx, storage.LetterID(c.ID))
		if err != nil {
			return noLetter(c.ID, err)
		}
		var content bytes.Buffer
		if err := json.Indent(&content, l.Content, "", "  "); err != nil {
			return err
		}
		e.say("%s, given up %s\n%s\n%s", letterWords(l), l.DiedAt.Format("2006-01-02 15:04:05"), l.Error, content.String())
		return nil
	})
}

func noLetter(id int64, err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no letter %d; see deskhand dead list", id)
	}
	return err
}

// which are the letters that a command is for.
type which struct {
	IDs    []int64 `arg:"" optional:"" name:"id" help:"Their numbers in the list."`
	All    bool    `help:"All of them."`
	Source string  `enum:",inbox,outbox" default:"" help:"With --all: only those." placeholder:"inbox|outbox"`
}

// each does something to each letter in a transaction of its own, and says what
// came of it. One that is refused does not keep the others from being done.
func (w which) each(ctx context.Context, e *env, db *storage.DB, done string, do func(context.Context, *storage.Tx, storage.LetterID) error) error {
	if w.All == (len(w.IDs) > 0) {
		return errors.New("say which: their numbers in the list, or --all")
	}
	left := 0
	one := func(id int64) error {
		err := db.InTx(ctx, func(tx *storage.Tx) error { return do(ctx, tx, storage.LetterID(id)) })
		switch {
		case err == nil:
			e.say("%d %s.", id, done)
		case errors.Is(err, storage.ErrUnavailable), ctx.Err() != nil:
			return err
		default:
			left++
			e.say("%d is left: %v.", id, noLetter(id, err))
		}
		return nil
	}
	for _, id := range w.IDs {
		if err := one(id); err != nil {
			return err
		}
	}
	for after := storage.LetterID(0); w.All; {
		var page []storage.Letter
		if err := db.View(ctx, func(tx *storage.Tx) (err error) {
			page, err = tx.Letters(ctx, storage.LetterSource(w.Source), after, 500)
			return err
		}); err != nil || len(page) == 0 {
			if err == nil && after == 0 {
				e.say("There are none.")
			}
			return errors.Join(err, leftOver(left))
		}
		for _, l := range page {
			after = l.ID
			if err := one(int64(l.ID)); err != nil {
				return err
			}
		}
	}
	return leftOver(left)
}

func leftOver(n int) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d left as they were", n)
}

type deadRetryCmd struct {
	storeFlags
	which
	Anyway bool `help:"Also post what may stand there already, because its last answer was lost. Where the platform lets the desk look, it looks first."`
}

func (c *deadRetryCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return c.each(ctx, e, db, "is tried again", func(ctx context.Context, tx *storage.Tx, id storage.LetterID) error {
		now := time.Now()
		l, err := tx.TakeLetter(ctx, id, "retried", byDead, now)
		if err != nil {
			return err
		}
		if l.Source == storage.FromInbox {
			return inbox.Retry(ctx, tx, l, now)
		}
		err = outbox.Retry(ctx, tx, l, c.Anyway, now)
		if errors.Is(err, outbox.ErrMayStand) {
			err = fmt.Errorf("%w; look, and then drop it or retry it with --anyway", err)
		}
		return err
	})
}

type deadDropCmd struct {
	storeFlags
	which
}

func (c *deadDropCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return c.each(ctx, e, db, "is dropped", func(ctx context.Context, tx *storage.Tx, id storage.LetterID) error {
		_, err := tx.TakeLetter(ctx, id, "dropped", byDead, time.Now())
		return err
	})
}
