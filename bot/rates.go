package bot

import (
	"context"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/storage"
)

// What an agent sees of how changes went, and what it is measured against.
const (
	ratesFor     = 30 * 24 * time.Hour
	baselineDays = 90 // before that
	worstShown   = 3
)

// changeSuccess shows how changes went lately.
func (t *turn) changeSuccess(ctx context.Context) error {
	if !t.who.Agent() && !t.who.Admin {
		return t.private(ctx, "How changes went is for agents.")
	}
	c, _, err := t.rates(ctx, "Changes of the last 30 days", "the 90 days before", t.at.Add(-ratesFor).AddDate(0, 0, -baselineDays), t.at.Add(-ratesFor), t.at)
	if err != nil {
		return err
	}
	return t.privately(ctx, c)
}

// reportChanges posts how the changes of a month went, and sets the next
// report. One that is late, because the desk did not run, comes all the same.
func (t *turn) reportChanges(ctx context.Context, m policy.Month) error {
	p := t.rules.policy
	if len(p.Changes.Report) == 0 {
		return nil // the policy that names a channel again sets it
	}
	zone := p.Desk.Zone()
	channels, unseen := t.rules.named(p.Changes.Report)
	if len(channels) == 0 && unseen {
		return t.tx.SetDue(ctx, storage.ChangesReport, int64(m), t.at.Add(time.Hour))
	}
	from, to, _ := m.Span(zone)
	c, some, err := t.rates(ctx, "Changes of "+from.Format("January 2006"), "the three months before", from.AddDate(0, -3, 0), from, to)
	if err != nil {
		return err
	}
	for _, ch := range channels {
		if !some {
			break // nothing was done, and nobody need read that
		}
		if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: ch.Platform, Workspace: ch.Workspace, Channel: ch.Channel,
			Body: body{Card: c}.bytes()}, storage.LaneDigest, t.at); err != nil {
			return err
		}
	}
	_, _, due := m.Next().Span(zone)
	return t.tx.SetDue(ctx, storage.ChangesReport, int64(m.Next()), due)
}

// rates are how the changes went that ended from from until to, beside those
// since then. some tells whether there are any.
func (t *turn) rates(ctx context.Context, title, baseline string, since, from, to time.Time) (c chat.Card, some bool, err error) {
	results, err := t.tx.Results(ctx, since, from, to)
	if err != nil {
		return c, false, err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return c, false, err
	}
	v := cards.RatesView{Title: title, Baseline: baseline, Report: change.Tally(results)}
	for _, l := range v.Report.Teams {
		v.Teams = append(v.Teams, t.rules.team(l.Of).Name)
	}
	v.Report.Items = v.Report.Items[:min(len(v.Report.Items), worstShown)]
	for _, l := range v.Report.Items {
		it, _ := g.Item(l.Of)
		v.Items = append(v.Items, it.Key)
	}
	return cards.Rates(v), v.All.Done+v.Undocumented > 0, nil
}
