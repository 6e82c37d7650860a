package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// items are the configuration items as they were last read.
type items struct {
	mu      sync.Mutex
	version int64
	graph   *cmdb.Graph
}

// graph is all configuration items as they are now. Asking whether they have
// changed costs a look at one row; only then are they read again.
func (t *turn) graph(ctx context.Context) (*cmdb.Graph, error) {
	if t.itemsEdited { // what is read now may never be committed: it is not kept
		all, relations, err := t.tx.Items(ctx)
		return cmdb.NewGraph(all, relations), err
	}
	version, err := t.tx.ItemsVersion(ctx)
	if err != nil {
		return nil, err
	}
	return t.graphAt(ctx, version)
}

// graphAt is graph where it is known which version of the items there is.
func (t *turn) graphAt(ctx context.Context, version int64) (*cmdb.Graph, error) {
	if t.itemsEdited {
		return t.graph(ctx)
	}
	held := &t.desk.items
	held.mu.Lock()
	defer held.mu.Unlock()
	if held.graph == nil || held.version != version {
		all, relations, err := t.tx.Items(ctx)
		if err != nil {
			return nil, err
		}
		held.graph, held.version = cmdb.NewGraph(all, relations), version
	}
	return held.graph, nil
}

// What an item's card shows of its neighbours.
const (
	levelsShown    = 2
	neighbourShown = 15
)

// itemNamed shows the item of that name, or asks which one is meant.
func (t *turn) itemNamed(ctx context.Context, name string) error {
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	it, ok := g.ByKey(name)
	if !ok {
		found := g.Find(name, 5)
		if len(found) != 1 {
			return t.privately(ctx, cards.ItemChoice(clip(name, 60), found))
		}
		it = found[0]
	}
	return t.showItem(ctx, g, it)
}

func (t *turn) itemShow(ctx context.Context) error {
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	it, ok := g.Item(cmdb.ItemID(t.id("i")))
	if !ok || !t.who.Agent() {
		return t.private(ctx, "I know no such item.")
	}
	return t.showItem(ctx, g, it)
}

func (t *turn) showItem(ctx context.Context, g *cmdb.Graph, it cmdb.Item) error {
	v := cards.ItemView{Item: it, Impact: g.Impact(0, it.ID), Below: g.Below(1, it.ID), Beside: g.Beside(it.ID)}
	above := g.Impact(levelsShown, it.ID)
	v.Above = above.Nearest(neighbourShown)
	v.More = above.Count - len(v.Above)
	v.Below = v.Below[:min(len(v.Below), neighbourShown)]
	v.Beside = v.Beside[:min(len(v.Beside), neighbourShown)]
	var err error
	if v.Picture, err = t.pictureURL(it.ID); err != nil {
		return err
	}
	v.MayEdit = t.mayEditItem(it)
	who, err := t.tx.People(ctx, it.Owner)
	if err != nil {
		return err
	}
	v.Owner = who[it.Owner].Name
	if it.Team != 0 {
		v.Team = t.rules.team(it.Team).Name
	}
	if v.Tickets, err = t.tx.ItemTickets(ctx, it.ID, 5); err != nil {
		return err
	}
	if v.Changes, err = t.doneOn(ctx, it.ID, 5); err != nil {
		return err
	}
	return t.privately(ctx, cards.Item(v))
}

// doneOn are the latest changes on an item.
func (t *turn) doneOn(ctx context.Context, id cmdb.ItemID, limit int) ([]cards.ChangeDone, error) {
	done, err := t.tx.ChangesOn(ctx, id, limit)
	if err != nil || len(done) == 0 {
		return nil, err
	}
	var ids []people.PersonID
	for _, c := range done {
		ids = append(ids, c.Implementer)
	}
	names, err := t.tx.People(ctx, ids...)
	if err != nil {
		return nil, err
	}
	all := make([]cards.ChangeDone, len(done))
	for i, c := range done {
		since := c.EndedAt
		if since.IsZero() {
			since = c.StartedAt
		}
		all[i] = cards.ChangeDone{Change: c, Who: names[c.Implementer].Name, Ago: t.at.Sub(since)}
	}
	return all, nil
}

// What a ticket's card tells of the past of its items.
const (
	pastFor   = 90 * 24 * time.Hour
	pastShown = 3
)

// past is what there was with the items of an open ticket. What is said of a
// change on its card already is left out.
func (t *turn) past(ctx context.Context, tk ticket.Ticket, about []cmdb.Item, named []storage.TicketChange) ([]cards.PastView, error) {
	if !tk.Open() {
		return nil, nil
	}
	var ids []cmdb.ItemID
	for _, it := range about[:min(len(about), pastShown)] {
		ids = append(ids, it.ID)
	}
	all, err := t.tx.ItemPasts(ctx, ids, tk.ID, tk.OpenedAt.Add(-pastFor))
	if err != nil {
		return nil, err
	}
	out := make([]cards.PastView, len(all))
	for i, p := range all {
		v := cards.PastView{Key: p.Key, Tickets: p.Tickets}
		if p.Number != 0 {
			v.Fixed, v.With = ticket.Ticket{Kind: p.Kind, Number: p.Number}.Ref(), strings.TrimRight(p.Resolution, ". \n")
			if p.Article != 0 {
				v.With = p.Article.Ref() + " " + p.Title
			}
		}
		if p.Change != 0 && !slices.ContainsFunc(named, func(x storage.TicketChange) bool { return x.Number == p.Change && x.Link != storage.Cleared }) {
			v.Change, v.Who, v.At, v.How = change.Change{Number: p.Change}.Ref(), p.Who, *p.At, p.Outcome.Words()
			if p.Outcome == "" {
				v.How = "being done"
			}
		}
		out[i] = v
	}
	return out, nil
}

// searchItems finds items as somebody types.
func (t *turn) searchItems(ctx context.Context) error {
	g, err := t.graph(ctx)
	if err != nil || !t.who.Agent() {
		return err
	}
	for _, it := range g.Find(t.ev.Text, 20) {
		t.answer.Options = append(t.answer.Options, cards.ItemOption(it))
	}
	return nil
}

// about asks which item a ticket is about.
func (t *turn) about(ctx context.Context) error {
	tk, err := t.worker(ctx, "say what is affected by")
	if err != nil {
		return err
	}
	return t.aboutForm(ctx, tk)
}

func (t *turn) aboutForm(ctx context.Context, tk ticket.Ticket) error {
	now, err := t.tx.ItemsOf(ctx, tk.ID)
	if err != nil {
		return err
	}
	o, err := t.tx.KnownOutage(ctx, tk.ID)
	if ignoreMissing(err) != nil {
		return err
	}
	f := cards.AboutForm(tk, now, err == nil && o.EndedAt == nil)
	t.answer.Form = &f
	return nil
}

func (t *turn) aboutSend(ctx context.Context) error {
	tk, err := t.worker(ctx, "say what is affected by")
	if err != nil {
		return err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(t.ev.Values.One(cards.ItemField), 10, 64)
	it, ok := g.Item(cmdb.ItemID(n))
	switch {
	case !ok:
		t.answer.Errors = map[string]string{cards.ItemField: "Please choose an item from the list."}
		return nil
	case it.State == cmdb.Retired:
		t.answer.Errors = map[string]string{cards.ItemField: it.Key + " is retired. Please choose what has taken its place."}
		return nil
	}
	return t.isAbout(ctx, tk, it, true)
}

// notAbout takes an item off a ticket, within the form.
func (t *turn) notAbout(ctx context.Context) error {
	tk, err := t.worker(ctx, "say what is affected by")
	if err != nil {
		return err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	if it, ok := g.Item(cmdb.ItemID(t.id("i"))); ok {
		if err := t.isAbout(ctx, tk, it, false); err != nil {
			return err
		}
	}
	return t.aboutForm(ctx, tk)
}

func (t *turn) isAbout(ctx context.Context, tk ticket.Ticket, it cmdb.Item, is bool) error {
	if err := t.tx.TicketAbout(ctx, tk.ID, it, is, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	if is {
		if err := t.suspect(ctx, tk); err != nil {
			return err
		}
	}
	if err := t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard, cards.StatusCard); err != nil {
		return err
	}
	return t.countCostOf(ctx, tk.ID)
}

// impactOf is what stops with these items.
func impactOf(g *cmdb.Graph, items []cmdb.Item) cmdb.Impact {
	ids := make([]cmdb.ItemID, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return g.Impact(0, ids...)
}
