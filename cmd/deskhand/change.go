package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/storage"
)

type changeCmd struct {
	Show changeShowCmd `cmd:"" help:"Show a change, and with --proof who approved exactly what."`
}

type changeShowCmd struct {
	storeFlags
	Ref   string `arg:"" help:"Its reference: CHG-12."`
	Proof bool   `help:"Print each text that was asked about, its hash worked out anew, and every vote for it."`
}

const stamp = "2006-01-02 15:04:05 MST"

func (c *changeShowCmd) Run(ctx context.Context, e *env) (err error) {
	number, ok := change.ParseRef(c.Ref)
	if !ok {
		return fmt.Errorf("%q is no reference of a change; one looks like CHG-12", c.Ref)
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return db.View(ctx, func(tx *storage.Tx) error {
		ch, err := tx.ChangeByNumber(ctx, number)
		if errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("there is no %s", c.Ref)
		}
		if err != nil {
			return err
		}
		e.say("%s  %s", ch.Ref(), ch.Title)
		e.say("  %s; %s; risk %s, because %s", ch.StateWords(), ch.Kind, ch.Risk, ch.Because)
		e.say("  from %s to %s, takes %s", ch.From.Format(stamp), ch.To.Format(stamp), ch.Takes)
		if !c.Proof {
			return nil
		}
		return proof(ctx, e, tx, ch)
	})
}

// proof prints what each round asked about and who said what to it.
func proof(ctx context.Context, e *env, tx *storage.Tx, ch change.Change) error {
	a, err := tx.ApprovalOf(ctx, ch.ID)
	if errors.Is(err, storage.ErrNotFound) {
		e.say("Nobody was asked.")
		return nil
	}
	if err != nil {
		return err
	}
	votes, err := tx.Proof(ctx, ch.ID)
	if err != nil {
		return err
	}
	broken := 0
	for round := 1; round <= a.Round; round++ {
		text, err := tx.RoundText(ctx, ch.ID, round)
		if err != nil {
			return err
		}
		hash := text.Hash()
		e.say("\nRound %d, text %s", round, hash)
		for _, part := range []struct{ name, text string }{{"Plan", text.Plan}, {"Test", text.Test}, {"Way back", text.Rollback}} {
			e.say("  %s: %s", part.name, strings.ReplaceAll(part.text, "\n", "\n    "))
		}
		e.say("  Risk %s; window %s to %s; items %v", text.Risk, text.From.Format(stamp), text.To.Format(stamp), text.Items)
		for _, v := range votes {
			if v.Round != round {
				continue
			}
			line := fmt.Sprintf("  %s  %s: %s by %s", v.At.Format(stamp), v.Stage, v.Answer, v.By)
			if v.By != v.Seat {
				line += " for " + v.Seat
			}
			if v.Note != "" {
				line += ": " + v.Note
			}
			if v.Hash != hash {
				line += "  NOT FOR THIS TEXT: " + v.Hash
				broken++
			}
			e.say("%s", line)
		}
		if round < a.Round {
			e.say("  These answers were voided: the text was changed or asked about anew.")
		}
	}
	if a.State == approval.Approved && a.Subject.Hash != ch.Hash() {
		e.say("\nThe change as it is now is NOT the text that was approved: %s", ch.Hash())
		broken++
	}
	if broken > 0 {
		return fmt.Errorf("%d things don't agree with what was approved", broken)
	}
	e.say("\nEvery answer is for the text that stands above it.")
	return nil
}
