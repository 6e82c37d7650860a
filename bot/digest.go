package bot

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Alerts are many if there are more than mostOwn for one place within stormTime
// or, in a place that has had one, if more than mostLately have been told
// wherever within a moment. They share one message then, which takes in more of
// them as long as it is not older than digestTime. A message calls whoever is
// there, and a change of it does not: what is urgent and comes later than
// recently calls anew.
const (
	stormTime  = 5 * time.Minute
	digestTime = 30 * time.Minute
	mostOwn    = 5
	mostUrgent = 10
	recently   = 2 * time.Minute
	moment     = 10 * time.Second
	mostLately = 10
)

// deliver queues what is told in each place: in messages of their own or, if
// it is much, in one.
func (t *turn) deliver(ctx context.Context, all []told) error {
	if len(all) == 0 {
		return nil
	}
	names := make([]string, len(all))
	wanted := map[string]int{}
	for i, x := range all {
		names[i] = x.place
		wanted[x.place]++
	}
	busy, lately, err := t.tx.LockPlaces(ctx, names, t.at.Add(-stormTime), t.at.Add(-moment), mostLately)
	if err != nil {
		return err
	}
	tellings := make([]storage.Telling, 0, len(all))
	// A platform takes fewer changes than messages: those that bring something
	// urgent go first.
	lane := map[bool]storage.Lane{true: storage.LaneBreach, false: storage.LaneApproval}
	joined := map[*storage.Digest]storage.Lane{}
	for _, x := range all {
		p := busy[x.place]
		if p.Digest != nil && t.at.Sub(p.Digest.Opened) > digestTime {
			if err := t.tx.CloseDigest(ctx, p.Digest.ID, t.at); err != nil {
				return err
			}
			p.Digest = nil
		}
		telling := storage.Telling{Alert: x.news.alert.ID, Ticket: x.news.ticket.ID, Place: x.place, Due: x.news.alert.Due, At: t.at}
		n := p.Lately + wanted[x.place]
		storm := p.Digest != nil || n > mostOwn || n > 1 && lately+len(all) > mostLately
		urgent := x.news.ticket.Priority == ticket.Critical
		called := p.Called
		if p.Digest != nil && p.Digest.Posted.After(called) {
			called = p.Digest.Posted
		}
		calls := urgent && t.at.Sub(called) > recently && (p.Digest != nil || p.Newest != 0) && p.Lately < mostUrgent
		if storm && !calls {
			if p.Digest == nil {
				if p.Digest, err = t.newDigest(ctx, x, p); err != nil {
					return err
				}
			}
			if _, more := joined[p.Digest]; !more || urgent {
				joined[p.Digest] = lane[urgent]
			}
			telling.Digest, telling.Post = p.Digest.ID, p.Digest.Post
		} else {
			if telling.Post, err = t.tx.Post(ctx, x.post, storage.LaneBreach, t.at); err != nil {
				return err
			}
			p.Lately++
			p.Called = t.at
			wanted[x.place]--
		}
		busy[x.place] = p
		tellings = append(tellings, telling)
	}
	for _, d := range slices.SortedFunc(maps.Keys(joined), func(x, y *storage.Digest) int { return cmp.Compare(x.Post, y.Post) }) {
		if err := t.tx.JoinDigest(ctx, d.ID, t.at); err != nil {
			return err
		}
		if err := t.tx.RedrawPost(ctx, d.Post, joined[d], t.at); err != nil {
			return err
		}
	}
	return t.tx.AddTellings(ctx, tellings)
}

// newDigest opens the one message that stands for many in a place: the newest of
// those that stand there, or else another.
func (t *turn) newDigest(ctx context.Context, x told, in storage.Place) (*storage.Digest, error) {
	d, err := t.tx.StartDigest(ctx, x.place, t.at)
	if err != nil {
		return nil, err
	}
	if in.Newest != 0 {
		d.Post, d.Posted = in.Newest, in.Called
		return &d, t.tx.BecomeDigest(ctx, in.Newest, d.ID)
	}
	p := x.post
	if p.Thread != 0 { // a digest is about more than the thread's ticket
		th, err := t.tx.Thread(ctx, p.Thread)
		if err != nil {
			return nil, err
		}
		p.Thread, p.Channel = 0, th.Channel
	}
	p.Card, p.Subject = cards.DigestCard, int64(d.ID)
	d.Post, err = t.tx.Post(ctx, p, storage.LaneBreach, t.at)
	return &d, err
}

const (
	digestLines = 10
	listLines   = 80
)

// digestView is a digest as it now stands.
func (t *turn) digestView(ctx context.Context, id storage.DigestID, most int) (cards.DigestView, error) {
	d, err := t.tx.Digest(ctx, id)
	if err != nil {
		return cards.DigestView{}, err
	}
	v := cards.DigestView{ID: int64(d.ID), Since: d.Opened}
	if v.All, v.Over, err = t.tx.DigestCounts(ctx, id); err != nil {
		return v, err
	}
	list, err := t.tx.DigestTickets(ctx, id, most)
	if err != nil {
		return v, err
	}
	owners, err := t.owners(ctx, list)
	if err != nil {
		return v, err
	}
	ids := make([]ticket.ID, len(list))
	for i, tk := range list {
		ids[i] = tk.ID
	}
	standings, err := t.tx.Standings(ctx, ids...)
	if err != nil {
		return v, err
	}
	for _, tk := range list {
		line := cards.DigestLine{Ticket: tk, Owner: owners[tk.Owner], Clocks: t.clockViews(standings[tk.ID].Clocks, nil)}
		for _, b := range standings[tk.ID].Breaches {
			if b.TakenBy == 0 {
				line.Breach = int64(b.ID)
			}
		}
		v.Lines = append(v.Lines, line)
	}
	slug, n, err := t.tx.DigestAbout(ctx, id)
	if err != nil {
		return v, err
	}
	if s, ok := t.rules.service(slug); ok && 2*n > v.All {
		v.About, v.AboutN = s.Name, n
	}
	return v, nil
}

func (t *turn) digestCard(ctx context.Context, p storage.Post) (chat.Card, error) {
	v, err := t.digestView(ctx, storage.DigestID(p.Subject), digestLines)
	if err != nil {
		return chat.Card{}, err
	}
	v.ToldLate, err = t.toldLate(ctx, p)
	return cards.Digest(v), err
}

// digestList shows the whole list to an agent.
func (t *turn) digestList(ctx context.Context) error {
	if !t.who.Agent() && !t.who.Admin {
		return &ticket.RefusedError{Step: "show", Reason: "this list is for the teams that work on tickets"}
	}
	v, err := t.digestView(ctx, storage.DigestID(t.id("d")), listLines)
	if err != nil {
		return orUnknown(err, "list")
	}
	f := cards.DigestForm(v)
	t.answer.Form = &f
	return nil
}
