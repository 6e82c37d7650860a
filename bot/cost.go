package bot

import (
	"context"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/ticket"
)

// cost is what an hour of an incident costs: of the items that it is about and
// all that stops with them. Of one about a service without a word on items it
// is the service's, if more than a few people are affected. 0: not known.
func (t *turn) cost(ctx context.Context, tk ticket.Ticket, about []cmdb.Item, impact cmdb.Impact) (int64, error) {
	switch {
	case tk.Kind != ticket.Incident:
		return 0, nil
	case len(about) > 0:
		return impact.Downtime, nil
	case tk.Service == "" || tk.Impact != ticket.MySite && tk.Impact != ticket.Customers:
		return 0, nil
	}
	g, err := t.graph(ctx)
	if err != nil {
		return 0, err
	}
	var services []cmdb.Item
	for _, it := range g.OfService(tk.Service) {
		if it.Type == cmdb.Service && it.State == cmdb.Live {
			services = append(services, it)
		}
	}
	return impactOf(g, services).Downtime, nil
}

// countCost has the card of an incident say anew what it costs, ever more
// seldom, as long as it is open and costs something. about is what it is about.
func (t *turn) countCost(ctx context.Context, tk ticket.Ticket, about []cmdb.Item) error {
	if tk.Kind != ticket.Incident || !tk.Open() {
		return nil
	}
	var impact cmdb.Impact
	if len(about) > 0 {
		g, err := t.graph(ctx)
		if err != nil {
			return err
		}
		impact = impactOf(g, about)
	}
	cost, err := t.cost(ctx, tk, about, impact)
	if err != nil || cost == 0 {
		return err
	}
	return t.tx.SetDue(ctx, ticketCost, int64(tk.ID), t.at.Add(recount(t.at.Sub(tk.OpenedAt))))
}

// countCostOf is countCost for a ticket of which only the number is at hand.
func (t *turn) countCostOf(ctx context.Context, id ticket.ID) error {
	tk, err := t.tx.Ticket(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	about, err := t.tx.ItemsOf(ctx, id)
	if err != nil {
		return err
	}
	if tk.Open() {
		if err := t.tx.Redraw(ctx, int64(id), t.at, cards.TriageCard); err != nil {
			return err
		}
	}
	return t.countCost(ctx, tk, about)
}
