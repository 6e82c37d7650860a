package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// raise opens the form for a change; where none can be opened it offers it.
func (t *turn) raise(ctx context.Context) error {
	if !t.who.Agent() {
		return t.private(ctx, "Changes are raised by the teams that look after things. Tell me what you need, and they will see it.")
	}
	if !t.ev.InCall {
		return t.privately(ctx, cards.RaiseCard())
	}
	drafts, err := t.tx.ChangesOf(ctx, t.who.ID, 20)
	if err != nil {
		return err
	}
	drafts = slices.DeleteFunc(drafts, func(c change.Change) bool { return c.State != change.Draft || c.Requester != t.who.ID })
	return t.whatForm(ctx, change.Change{}, drafts[:min(len(drafts), 3)])
}

func (t *turn) whatForm(ctx context.Context, c change.Change, drafts []change.Change) error {
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	var standard []cards.StandardOption
	for _, s := range t.rules.policy.Changes.Standard {
		standard = append(standard, cards.StandardOption{Slug: s.Slug, Title: s.Title})
	}
	f := cards.WhatForm(c, standard, itemsOf(g, c.Items), t.rules.serviceOptions(), drafts)
	t.answer.Form = &f
	return nil
}

// whatSend keeps the first step as a draft and asks for the second.
func (t *turn) whatSend(ctx context.Context) error {
	was, err := t.draftChange(ctx)
	if err != nil {
		return err
	}
	c, wrong, err := t.whatFilled(ctx, was)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if t.tooLong("title", change.MostTitle) || t.tooLong("why", change.MostText) {
		return nil
	}
	if c, err = t.keepDraft(ctx, was, c); err != nil {
		return err
	}
	f := cards.PlanForm(c, t.keptWords())
	t.answer.Form = &f
	return nil
}

// keptWords say what is kept of a form that is closed.
func (t *turn) keptWords() string {
	if t.desk.ways(t.ev.By.Platform).Closings {
		return "Close this at any time: what you have written is kept, and “change” goes on with it."
	}
	return "What you have sent with “Go on” is kept: “change” goes on with it."
}

// whatFilled takes over the first step, as far as it is filled in, and says what
// is wrong with it.
func (t *turn) whatFilled(ctx context.Context, was change.Change) (c change.Change, wrong map[string]string, err error) {
	g, err := t.graph(ctx)
	if err != nil {
		return was, nil, err
	}
	c = was
	v := t.ev.Values
	wrong = map[string]string{}
	kind, rule, _ := strings.Cut(v.One("kind"), ":")
	c.Kind, c.Rule = change.Kind(kind), rule
	standard, known := t.standard(rule)
	switch {
	case !slices.Contains(change.Kinds, c.Kind), c.Kind == change.Standard && !known:
		wrong["kind"] = "This kind is not offered any more. Please choose another."
	case c.Kind == change.Standard:
		off, err := t.offTheList(ctx, rule)
		if err != nil {
			return c, nil, err
		}
		if off != "" {
			wrong["kind"] = off
		}
		if c.Plan == "" && c.Rollback == "" {
			c.Plan, c.Test, c.Rollback = standard.Plan, standard.Test, standard.Rollback
		}
	}
	c.Title, c.Why = strings.Join(strings.Fields(v.One("title")), " "), strings.TrimSpace(v.One("why"))
	if c.Title == "" {
		wrong["title"] = "Please say in a few words what is changed."
	}
	c.Service = v.One("service")
	if _, ok := t.rules.service(c.Service); c.Service != "" && !ok {
		wrong["service"] = "This service is not offered any more. Please choose another."
	}
	var unknown []string
	c.Items, unknown = t.chosenItems(g)
	if len(unknown) > 0 {
		wrong["items"] = "I know no " + strings.Join(unknown, ", ") + ". Type a few letters in the field above to find it."
	} else if problem := c.CheckItems(itemsOf(g, c.Items)); problem != "" {
		wrong["items"] = problem
	}
	for _, it := range itemsOf(g, c.Items) {
		if c.Service == "" {
			c.Service = it.Service
		}
	}
	return c, wrong, nil
}

// whatKept keeps a first step that was closed half-filled, if it says what is
// changed.
func (t *turn) whatKept(ctx context.Context) error {
	was, err := t.draftChange(ctx)
	if refused, ok := errors.AsType[*ticket.RefusedError](err); ok {
		t.desk.log.DebugContext(ctx, "nothing to keep", "why", refused.Reason)
		return nil
	}
	if err != nil || was.State != change.Draft {
		return err
	}
	c, wrong, err := t.whatFilled(ctx, was)
	if err != nil {
		return err
	}
	if wrong["kind"] != "" {
		c.Kind, c.Rule = change.Normal, ""
	}
	if wrong["service"] != "" {
		c.Service = ""
	}
	if c.Title == "" || len([]rune(c.Title)) > change.MostTitle || len([]rune(c.Why)) > change.MostText || c.Hash() == was.Hash() {
		return nil
	}
	_, err = t.keepDraft(ctx, was, c)
	return err
}

// planSend keeps the second step and asks for the last.
func (t *turn) planSend(ctx context.Context) error {
	was, err := t.draftChange(ctx)
	if err != nil {
		return err
	}
	c := t.planFilled(was)
	all := c.Check(nil, nil, t.at)
	wrong := map[string]string{}
	for _, f := range []change.Field{change.FieldPlan, change.FieldTest, change.FieldRollback} {
		if words := all[f]; words != "" {
			wrong[string(f)] = words
		}
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if c, err = t.keepDraft(ctx, was, c); err != nil {
		return err
	}
	return t.howForm(ctx, c)
}

func (t *turn) planFilled(c change.Change) change.Change {
	v := t.ev.Values
	c.Plan, c.Test, c.Rollback = strings.TrimSpace(v.One("plan")), strings.TrimSpace(v.One("test")), strings.TrimSpace(v.One("rollback"))
	return c
}

// chosenItems are the items of the first step, and what of it is none.
func (t *turn) chosenItems(g *cmdb.Graph) (ids []cmdb.ItemID, unknown []string) {
	add := func(id cmdb.ItemID) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if n, err := strconv.ParseInt(t.ev.Values.One(cards.ItemField), 10, 64); err == nil {
		if _, ok := g.Item(cmdb.ItemID(n)); ok {
			add(cmdb.ItemID(n))
		}
	}
	for _, name := range strings.FieldsFunc(t.ev.Values.One("items"), func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' }) {
		if it, ok := g.ByKey(name); ok {
			add(it.ID)
		} else {
			unknown = append(unknown, "“"+clip(name, 60)+"”")
		}
	}
	slices.Sort(ids)
	return ids, unknown
}

func (t *turn) howForm(ctx context.Context, c change.Change) error {
	facts, err := t.changeFacts(ctx, c)
	if err != nil {
		return err
	}
	account := t.ev.By.ID
	if c.Implementer != 0 && c.Implementer != t.who.ID {
		if at, err := t.accountOn(ctx, c.Implementer, t.ev.By.Platform, t.ev.By.Workspace); err == nil {
			account = at.ID
		}
	}
	clashes := facts.clashes
	if c.From.IsZero() {
		clashes = nil
	}
	f := cards.HowForm(c, c.State != change.Draft, t.zone(t.who.Person), account, t.keptWords(), clashes)
	t.answer.Form = &f
	return nil
}

// howFilled takes over the last step, as far as it is filled in.
func (t *turn) howFilled(ctx context.Context, c change.Change) (change.Change, map[string]string, error) {
	v, wrong := t.ev.Values, map[string]string{}
	if t.ev.Args[cards.WholeArg] != "" {
		c = t.planFilled(c)
	}
	c.Exception = strings.TrimSpace(v.One("exception"))
	moment := func(day, clock string) time.Time {
		if v.One(day) == "" || v.One(clock) == "" {
			return time.Time{}
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", v.One(day)+" "+v.One(clock), t.zone(t.who.Person))
		if err != nil {
			wrong[day] = "Please choose a day and a time."
		}
		return at
	}
	c.From, c.To = moment("from", "from_time"), moment("to", "to_time")
	if d, err := time.ParseDuration(v.One("takes")); err == nil {
		c.Takes = d
	}
	if id := v.One("person"); id != "" {
		who, _, err := t.tx.Actor(ctx, t.ev.By.Platform, t.ev.By.Workspace, id)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			wrong["person"] = "I don't know this account yet. Please try again in a moment."
		case err != nil:
			return c, nil, err
		case who.Guest || who.Left:
			wrong["person"] = "This person can't do changes here."
		default:
			c.Implementer, c.Team = who.ID, 0
			if len(who.Teams) > 0 {
				c.Team = who.Teams[0]
			}
		}
	}
	return c, wrong, nil
}

// planKept and howKept keep a step that was closed half-filled.
func (t *turn) planKept(ctx context.Context) error {
	return t.stepKept(ctx, func(c change.Change) (change.Change, error) { return t.planFilled(c), nil })
}

func (t *turn) howKept(ctx context.Context) error {
	return t.stepKept(ctx, func(c change.Change) (change.Change, error) {
		c, _, err := t.howFilled(ctx, c)
		return c, err
	})
}

func (t *turn) stepKept(ctx context.Context, filled func(change.Change) (change.Change, error)) error {
	was, err := t.draftChange(ctx)
	if _, refused := errors.AsType[*ticket.RefusedError](err); refused || was.State != change.Draft {
		return nil // it is gone, somebody else's or not being written any more
	}
	if err != nil {
		return err
	}
	c, err := filled(was)
	if err != nil || c.Hash() == was.Hash() {
		return err
	}
	_, err = t.keepDraft(ctx, was, c)
	return err
}

// goOn opens the step that is next in a change that was begun or sent back, or
// the whole of what is to be edited.
func (t *turn) goOn(ctx context.Context) error {
	c, err := t.draftChange(ctx)
	if err != nil {
		return err
	}
	switch c.State {
	case change.Doing, change.Done, change.Rejected, change.Cancelled:
		return &ticket.RefusedError{Step: "edit", Reason: "it is " + strings.ToLower(c.StateWords())}
	case change.Draft:
		if len(c.Items) == 0 || c.Why == "" {
			return t.whatForm(ctx, c, nil)
		}
		f := cards.PlanForm(c, t.keptWords())
		t.answer.Form = &f
		return nil
	}
	return t.howForm(ctx, c)
}
