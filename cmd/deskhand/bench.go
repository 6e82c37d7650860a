package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/bench"
)

type benchCmd struct {
	Stage   []string `arg:"" optional:"" help:"What to measure: ${stages}. By default all of it."`
	Quick   bool     `help:"A look in about five minutes, with less of everything. The goals are meant for the whole."`
	Only    []string `hidden:"" help:"The same."`
	JSON    string   `help:"Write the figures to this file too." type:"path" placeholder:"FILE"`
	Profile string   `help:"Write CPU profiles of the desk into this directory." type:"path" placeholder:"DIR"`
	Dir     string   `help:"Directory on the disk to measure, empty or not there yet. By default a temporary one." type:"path" placeholder:"DIR"`
}

// Help is shown with the command.
func (benchCmd) Help() string {
	return `It starts what it needs: a private Postgres that keeps its promises, a double of Slack, and the desk as a process of its own.
Each figure that has a floor is measured beside it, in turns; the ratio says more than the figure, which is your machine's.`
}

func (c *benchCmd) Run(ctx context.Context, e *env) error {
	if os.Getenv(bench.ChildVariable) != "" {
		return bench.Child(ctx, os.Stdin, os.Stdout)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	scale := bench.Full
	if c.Quick {
		scale = bench.Quick
	}
	rows, err := bench.Run(ctx, bench.Options{Child: []string{self, "bench"}, Scale: scale, Only: append(c.Stage, c.Only...), Dir: c.Dir, Profile: c.Profile, Progress: e.progress})
	if len(rows) > 0 { // also what was measured before something failed
		err = errors.Join(err, bench.Print(e.out, rows))
	}
	if err != nil || c.JSON == "" {
		return err
	}
	f, err := os.Create(c.JSON)
	if err != nil {
		return err
	}
	return errors.Join(bench.WriteJSON(f, rows), f.Close())
}

// stages are the names for --only.
func stages() string { return strings.Join(bench.Stages(), ", ") }
