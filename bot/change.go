package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// failedLately is how far back a failure on an item counts against the next
// change there.
const failedLately = 180 * 24 * time.Hour

// orderedChanges does what is commanded about changes and items. Words that may
// be an answer on a ticket, too, are a command from agents only where there are
// no threads to tell them apart.
func (t *turn) orderedChanges(ctx context.Context, text string) (done bool, err error) {
	if n, ok := change.ParseRef(text); ok {
		c, err := t.tx.ChangeByNumber(ctx, n)
		if err != nil {
			return true, orUnknown(err, "change")
		}
		return true, t.changeShown(ctx, c.ID)
	}
	agent := t.who.Agent() || t.who.Admin
	order, about, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
	switch about = strings.TrimSpace(about); order {
	case "change":
		if (about == "" || about == "new") && (agent || !t.ev.Flat) {
			return true, t.raise(ctx)
		}
	case "changes":
		switch {
		case !agent && t.ev.Flat:
		case about == "":
			return true, t.changesSoon(ctx)
		case about == "success", about == "report":
			return true, t.changeSuccess(ctx)
		}
	case "approvals":
		switch about {
		case "":
			return true, t.approvals(ctx)
		case "hand over", "delegate":
			return true, t.delegate(ctx)
		}
	case "ci":
		if about != "" && t.who.Agent() {
			return true, t.itemNamed(ctx, about)
		}
	}
	return false, nil
}

// itemsOf are the items of a change that are on record.
func itemsOf(g *cmdb.Graph, ids []cmdb.ItemID) []cmdb.Item {
	var items []cmdb.Item
	for _, id := range ids {
		if it, ok := g.Item(id); ok {
			items = append(items, it)
		}
	}
	return items
}

// offTheList says why a standard change can't be chosen; empty: it can.
func (t *turn) offTheList(ctx context.Context, rule string) (string, error) {
	failed, err := t.tx.RuleFailed(ctx, rule)
	if err != nil || failed == "" {
		return "", err
	}
	return fmt.Sprintf("This type is off the list until %s, which did not work, has been reviewed. Please choose Normal.", failed), nil
}

func (t *turn) standard(slug string) (policy.Standard, bool) {
	for _, s := range t.rules.policy.Changes.Standard {
		if s.Slug == slug {
			return s, true
		}
	}
	return policy.Standard{}, false
}

// draftChange is the change that a form is about, locked; a new one if it names
// none. Who may edit it is its requester, who does it, or an admin.
func (t *turn) draftChange(ctx context.Context) (change.Change, error) {
	id := change.ID(t.id("c"))
	if id == 0 {
		if !t.who.Agent() {
			return change.Change{}, &ticket.RefusedError{Step: "raise", Reason: "only agents raise changes"}
		}
		return change.Change{Kind: change.Normal, State: change.Draft, Requester: t.who.ID}, nil
	}
	c, err := t.tx.ChangeForUpdate(ctx, id)
	if err != nil {
		return c, orUnknown(err, "change")
	}
	if c.Requester != t.who.ID && c.Implementer != t.who.ID && !t.who.Admin {
		return c, &ticket.RefusedError{Step: "edit", Reason: "it is somebody else's"}
	}
	return c, nil
}

// keepDraft stores what has been written so far. A change that has been asked
// about stays as it is until the second step is sent.
func (t *turn) keepDraft(ctx context.Context, was, c change.Change) (change.Change, error) {
	ev := change.Event{Action: change.Rewritten, By: t.who.ID, At: t.at}
	if was.ID == 0 {
		ev.Action = change.Raised
		return t.tx.OpenChange(ctx, c, ev, t.via())
	}
	if was.State != change.Draft {
		return c, &ticket.RefusedError{Step: "edit", Reason: "it is " + strings.ToLower(was.StateWords())}
	}
	return t.tx.SaveChange(ctx, was, c, ev, t.via())
}

// changeFacts are what a change's card and its risk are made of.
type changeFacts struct {
	items   []cmdb.Item
	impact  cmdb.Impact
	clashes []change.Clash
	failed  []change.Past
}

func (t *turn) changeFacts(ctx context.Context, c change.Change) (f changeFacts, err error) {
	g, err := t.graph(ctx)
	if err != nil {
		return f, err
	}
	if len(c.Items) > 0 {
		if f.failed, err = t.tx.FailedOn(ctx, c.Items, t.at.Add(-failedLately), c.ID); err != nil {
			return f, err
		}
	}
	err = t.around(ctx, g, c, &f)
	return f, err
}

// around fills in what a change touches and what is in its way.
func (t *turn) around(ctx context.Context, g *cmdb.Graph, c change.Change, f *changeFacts) error {
	f.items = itemsOf(g, c.Items)
	f.impact = impactOf(g, f.items)
	if len(c.Items) == 0 || !c.Open() || c.State == change.Doing || c.State == change.Done {
		return nil // what is done clashes with nothing
	}
	busy, others, err := t.tx.InTheWay(ctx, c)
	if err == nil {
		f.clashes = c.Clashes(others, t.rules.freezes(), busy, itemKey(g))
	}
	return err
}

// freezes are those of the policy.
func (r *rules) freezes() []change.Freeze {
	zone := r.policy.Desk.Zone()
	var all []change.Freeze
	for _, f := range r.policy.Changes.Freezes {
		if from, to, err := f.Span(zone); err == nil {
			all = append(all, change.Freeze{Name: f.Name, From: from, To: to, Services: f.Services})
		}
	}
	return all
}

// howTop is the first field of the last step, where it is said what is wrong
// with the change as a whole.
func (t *turn) howTop() string {
	if t.ev.Args[cards.WholeArg] != "" {
		return "plan"
	}
	return "from"
}

// howSend submits a change: it is judged from the record and those who must
// approve it are asked, or, as a standard change, it is scheduled.
func (t *turn) howSend(ctx context.Context) error {
	was, err := t.draftChange(ctx)
	if err != nil {
		return err
	}
	c, wrong, err := t.howFilled(ctx, was)
	if err != nil {
		return err
	}
	c, refused, err := t.judged(ctx, c)
	if err != nil {
		return err
	}
	for field, words := range refused {
		name := string(field)
		switch field {
		case change.FieldImplementer:
			name = "person"
		case change.FieldTitle, change.FieldWhy, change.FieldItems, change.FieldPlan, change.FieldTest, change.FieldRollback:
			if t.ev.Args[cards.WholeArg] == "" || field == change.FieldTitle || field == change.FieldWhy || field == change.FieldItems {
				name = t.howTop() // its own field is in an earlier step
			}
		}
		if wrong[name] == "" {
			wrong[name] = words
		}
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	return t.submit(ctx, was, c)
}

// judged is a change with its risk worked out from the record, and what keeps it
// from being submitted.
func (t *turn) judged(ctx context.Context, c change.Change) (change.Change, map[change.Field]string, error) {
	facts, err := t.changeFacts(ctx, c)
	if err != nil {
		return c, nil, err
	}
	wrong := c.Check(facts.items, facts.clashes, t.at)
	if s, ok := t.standard(c.Rule); c.Kind == change.Standard && ok && len(wrong) == 0 {
		if beyond := s.Allows(c, facts.items); beyond != "" {
			wrong[change.FieldPlan] = "Not as a standard change: " + beyond + ". Raise it as a normal one."
		}
	}
	c.Risk, c.Because = c.Judge(change.Facts{Impact: facts.impact, Items: facts.items, Failed: facts.failed, Clashes: len(facts.clashes)})
	return c, wrong, nil
}

// submit schedules a standard change and asks for any other.
func (t *turn) submit(ctx context.Context, was, c change.Change) error {
	if c.Kind == change.Standard {
		s, _ := t.standard(c.Rule)
		return t.schedule(ctx, was, c, s.Title)
	}
	return t.askApproval(ctx, was, c)
}

// schedule lets a standard change be done.
func (t *turn) schedule(ctx context.Context, was, c change.Change, rule string) error {
	c, ev, err := c.Preapprove(rule, t.who.ID, t.at)
	if err != nil {
		return err
	}
	if c, err = t.tx.SaveChange(ctx, was, c, ev, t.via()); err != nil {
		return err
	}
	return t.changeMoved(ctx, was, c, nil)
}

// askApproval asks those who must approve a change, or asks them anew after an edit.
func (t *turn) askApproval(ctx context.Context, was, c change.Change) error {
	c, ev, err := c.Submit(t.who.ID, t.at)
	if err != nil {
		return err
	}
	var stages []approval.Stage
	for _, s := range t.rules.policy.Changes.StagesFor(c) {
		stages = append(stages, approval.Stage{Name: s.Name, Rule: s.Rule(), Ask: t.whoOf(s.Ask), Deputies: t.whoOf(s.Deputies), Within: s.Within.Value()})
	}
	subject := approval.Subject{Hash: c.Hash(), Own: c.Own(), Window: c.Deadline(), HighRisk: c.Risk == change.High}
	roster, err := t.roster(ctx, c, stages)
	if err != nil {
		return err
	}
	a, err := t.tx.ApprovalOf(ctx, c.ID)
	var events []approval.Event
	switch {
	case errors.Is(err, storage.ErrNotFound):
		a, events, err = approval.New(subject, stages, roster, t.who.ID, t.at)
	case err == nil:
		a, events, err = a.Edit(subject, roster, t.who.ID, t.at)
		if refused, ok := errors.AsType[*approval.RefusedError](err); ok && refused.Why == approval.Twice && a.State == approval.ChangesRequested {
			t.answer.Errors = map[string]string{t.howTop(): "Nothing has been changed since it was sent back."}
			return nil
		}
	}
	if refused, ok := errors.AsType[*approval.RefusedError](err); ok {
		t.answer.Errors = map[string]string{t.howTop(): strings.ToUpper(refused.Reason[:1]) + refused.Reason[1:] + "."}
		return nil
	}
	if err != nil {
		return err
	}
	if c, err = t.tx.SaveChange(ctx, was, c, ev, t.via()); err != nil {
		return err
	}
	if err := t.tx.SaveApproval(ctx, c, a, events, t.via()); err != nil {
		return err
	}
	if err := t.dueApproval(ctx, c, a); err != nil {
		return err
	}
	return t.changeMoved(ctx, was, c, events)
}

// changesSoon is the calendar of the next days.
func (t *turn) changesSoon(ctx context.Context) error {
	if !t.who.Agent() {
		return t.private(ctx, "The calendar of changes is for agents.")
	}
	until := t.at.AddDate(0, 0, 7)
	all, err := t.tx.ChangesAround(ctx, t.at, until, nil, 20)
	if err != nil {
		return err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	freezes := t.rules.freezes()
	clashes := map[change.ID][]change.Clash{}
	for _, c := range all {
		clashes[c.ID] = c.Clashes(all, freezes, nil, itemKey(g))
	}
	c := cards.ChangeList("Changes of the next seven days:", "No change is planned for the next seven days.", all, clashes)
	if len(c.Blocks) == 0 {
		c.Blocks = []chat.Block{chat.Section{Text: chat.T(c.Text)}}
	}
	zone := t.zone(t.who.Person)
	for _, f := range freezes {
		if f.From.Before(until) && f.To.After(t.at) {
			text := fmt.Sprintf("Freeze “%s” from %s to %s", f.Name, f.From.In(zone).Format("Mon 2 Jan 15:04"), f.To.In(zone).Format("Mon 2 Jan 15:04"))
			c.Text += " " + text + "."
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("❄️ " + text)})
		}
	}
	c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("“changes success” shows how they went lately.")})
	if t.desk.calendarLink != nil {
		c.Blocks = append(c.Blocks, cards.CalendarButton())
	}
	return t.privately(ctx, c)
}
