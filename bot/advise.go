package bot

import (
	"context"
	"strings"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/kb"
)

// Adviser is somebody outside who may be asked which of some articles answers a
// question best: a language model, if the company has set one up.
type Adviser interface {
	// Advise uses the network and comes back soon, whatever happens there; then
	// perhaps with no advice. names are those of people that may be in the
	// question or the choices, and are nobody's business there.
	Advise(ctx context.Context, question string, names []string, among []kb.Choice) kb.Advice
}

// openQuestion ends a flow that has come to where the adviser is to be asked:
// which is beyond the network. The flow runs again with what the adviser says.
type openQuestion struct {
	text  string
	names []string
	among []kb.Choice
}

func (*openQuestion) Error() string { return "the adviser has not been asked yet" }

// advised puts into a query what the adviser says. Only in the middle of a flow
// is it known that something is a question, and what of the articles its asker
// may read. What is shown in the end is looked up when the flow runs again, so
// it is what the asker may read then.
func (t *turn) advised(ctx context.Context, q *kb.Query, asker people.Actor) error {
	switch {
	case t.advice != nil:
		q.Advice = *t.advice
		return nil
	case t.desk.adviser == nil:
		return nil
	}
	among, err := t.desk.index.Choices(ctx, *q)
	if err != nil || len(among) == 0 {
		return nil // what is wrong with the index, Suggest finds too
	}
	text := q.Text
	for _, c := range among {
		text += "\n" + c.Title + "\n" + strings.Join(c.Sentences, "\n")
	}
	names, err := t.tx.NamesIn(ctx, text)
	if err != nil {
		return err
	}
	return &openQuestion{text: q.Text, names: append(names, append(t.named, asker.Name)...), among: among}
}
