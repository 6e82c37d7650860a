package main

import (
	"context"
	"errors"
	"time"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

type kbCoverageCmd struct {
	storeFlags
	Last int `help:"How many of the newest questions and tickets to ask." default:"1000"`
}

// Help is shown with the command.
func (kbCoverageCmd) Help() string {
	return `It asks the newest questions and tickets on record, imported ones too, of the articles as they are, and nothing is changed. A question counts as much as the desk is sure of its first article.`
}

func (c *kbCoverageCmd) Run(ctx context.Context, e *env) (err error) {
	if c.Last < 1 {
		return errors.New("ask at least one question: --last=1000")
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	index, err := kb.Open(kb.Options{Log: e.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	if err := errors.Join(bot.CatchUp(ctx, db, index, nil), bot.LearnEvidence(ctx, db, index, time.Time{})); err != nil {
		return err
	}
	advised := policy.BuiltIn().Knowledge.Coverage
	var (
		found   storage.Coverage
		without []string
	)
	if err := db.View(ctx, func(tx *storage.Tx) error {
		p, _, err := tx.Policy(ctx)
		switch {
		case err == nil:
			advised = p.Knowledge.Coverage
		case !errors.Is(err, storage.ErrNotFound):
			return err
		}
		found, without, err = bot.Cover(ctx, tx, index, c.Last, time.Now())
		return err
	}); err != nil {
		return err
	}
	if found.Questions == 0 {
		e.say("There is nothing on record that was asked. Bring in the tickets of before, or let a few people try the desk.")
		return nil
	}
	e.say("Articles cover %d %% of the last %d questions; something is shown for %d %%. %d %% covered is advised before people are told of the desk.",
		found.Percent(), found.Questions, 100*found.Shown/found.Questions, advised)
	if most := bot.MostAsked(index, without, 10); len(most) > 0 {
		e.say("Asked most of what nothing is shown for:")
		for _, name := range most {
			e.say("  %s", name)
		}
	}
	return nil
}
