package main

import (
	"context"

	"github.com/deskhand/deskhand/adapters/model"
)

// checkModel asks the language model, if there is one, an invented question.
func (c *doctorCmd) checkModel(ctx context.Context, tell teller) {
	if c.ModelURL == "" {
		return // most desks have none, and miss nothing
	}
	m, err := model.New(model.Options{URL: c.ModelURL, Key: c.ModelKey, Name: c.ModelName})
	if err != nil {
		tell("model", false, err.Error(), "")
		return
	}
	defer m.Close()
	f := m.Check(ctx)
	tell("model", f.OK, f.Text, f.Fix)
}
