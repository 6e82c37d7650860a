package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/itemfile"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/storage"
)

type cmdbCmd struct {
	Import cmdbImportCmd `cmd:"" help:"Bring in configuration items and their relations."`
}

type cmdbImportCmd struct {
	storeFlags
	File      string   `arg:"" help:"CSV file with a head line, or YAML file." type:"path"`
	DryRun    bool     `help:"Only say what would change."`
	Overwrite bool     `help:"Of items that somebody has changed by hand since the last import, take the file's word." xor:"conflicts"`
	Keep      bool     `help:"Leave these as they are, and take the rest." xor:"conflicts"`
	Take      []string `help:"Take the file's word for these items of them." placeholder:"ITEM"`
}

// unsettled are the conflicts of which nobody has said whose word counts.
func (c *cmdbImportCmd) unsettled(p cmdb.Plan) int {
	if c.Overwrite || c.Keep {
		return 0
	}
	return p.Keep(func(key string) bool { return slices.Contains(c.Take, key) }).Conflicts()
}

// errDry ends the transaction of a dry run.
var errDry = errors.New("only looked at")

func (c *cmdbImportCmd) Run(ctx context.Context, e *env) (err error) {
	rows, wrong, err := itemfile.Load(c.File)
	if err != nil {
		return err
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	var plan cmdb.Plan
	kept := 0
	err = db.InTx(ctx, func(tx *storage.Tx) error {
		known, err := tx.KnownItems(ctx)
		if err != nil {
			return err
		}
		plan = cmdb.Compare(rows, known)
		plan.Problems = append(plan.Problems, wrong...)
		slices.SortStableFunc(plan.Problems, func(a, b cmdb.Problem) int { return a.Line - b.Line })
		if len(plan.Problems) > 0 || c.DryRun || c.unsettled(plan) > 0 {
			return errDry
		}
		settled := plan
		if c.Keep {
			settled = plan.Keep(func(key string) bool { return !slices.Contains(c.Take, key) })
			kept = plan.Conflicts() - settled.Conflicts()
		}
		return tx.ImportItems(ctx, settled, "deskhand cmdb import", time.Now())
	})
	if err != nil && !errors.Is(err, errDry) {
		return err
	}
	if err := c.report(e, plan); err != nil || kept == 0 {
		return err
	}
	e.say("%d of the conflicts stay as people have made them.", kept)
	return nil
}

// most is how many lines of a kind are printed; the rest is counted.
const most = 20

func (c *cmdbImportCmd) report(e *env, p cmdb.Plan) error {
	list := func(n int, line func(int) string) {
		for i := range min(n, most) {
			e.say("  %s", line(i))
		}
		if n > most {
			e.say("  and %d more", n-most)
		}
	}
	if n := len(p.Problems); n > 0 {
		list(n, func(i int) string { return p.Problems[i].String() })
		return fmt.Errorf("%s: %d lines can't be taken, so nothing was", c.File, n)
	}
	if c.DryRun {
		list(len(p.New), func(i int) string { return "new       " + p.New[i].Key })
		var plain, conflicts []cmdb.Change
		for _, ch := range p.Changed {
			if ch.Conflict {
				conflicts = append(conflicts, ch)
			} else {
				plain = append(plain, ch)
			}
		}
		list(len(plain), func(i int) string { return fmt.Sprintf("changed   %s: %v", plain[i].Is.Key, plain[i].Fields) })
		list(len(conflicts), func(i int) string {
			return fmt.Sprintf("conflict  %s: %v, but somebody has changed it by hand", conflicts[i].Is.Key, conflicts[i].Fields)
		})
	}
	e.say("%d new, %d changed, %d conflicts, %d as before; %d relations new, %d gone.",
		len(p.New), len(p.Changed)-p.Conflicts(), p.Conflicts(), p.Same, len(p.Linked), len(p.Unlinked))
	switch {
	case c.DryRun:
		e.say("Nothing was changed: this was only a look.")
	case c.unsettled(p) > 0:
		return errors.New("nothing was taken because of the conflicts; look at them with --dry-run, then leave them as they are with --keep, or take the file's word with --overwrite or, for some, --take ITEM")
	}
	return nil
}
