package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// notice is how long before its window a change is announced.
const notice = 24 * time.Hour

// announce tells those whom a change affects of it, once in each of their
// channels; what becomes of it is seen in the same message. One that is not
// approved now is announced when it is again.
func (t *turn) announce(ctx context.Context, id change.ID) error {
	c, err := t.tx.ChangeForUpdate(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	if c.State != change.Scheduled && c.State != change.Doing || t.at.Before(c.From.Add(-notice)) {
		return nil
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	services := []string{c.Service}
	for _, it := range impactOf(g, itemsOf(g, c.Items)).Services {
		services = append(services, it.Service)
	}
	told, err := t.tx.Announced(ctx, id)
	if err != nil {
		return err
	}
	channels, unseen := t.rules.changeChannels(services)
	if unseen && t.at.Before(c.To) {
		if err := t.tx.SetDue(ctx, changeNotice, int64(id), t.at.Add(10*time.Minute)); err != nil {
			return err
		}
	}
	var all []storage.DeskChannel
	for _, ch := range channels {
		there := slices.ContainsFunc(told, func(p storage.Post) bool {
			return p.Platform == ch.Platform && p.Workspace == ch.Workspace && p.Channel == ch.Channel
		})
		if !there {
			all = append(all, ch)
		}
	}
	for _, ch := range all {
		post, err := t.tx.Post(ctx, storage.Post{Kind: string(chat.Message), Platform: ch.Platform, Workspace: ch.Workspace, Channel: ch.Channel,
			Card: cards.AnnounceCard, Subject: int64(id)}, storage.LaneReply, t.at)
		if err != nil {
			return err
		}
		if err := t.tx.Announce(ctx, id, ch, post, t.at); err != nil {
			return err
		}
	}
	return nil
}

// changeChannels are where changes of these services are announced: in the
// channels of each or, where none has any, in that for all changes. unseen tells
// that the desk can't see one of them yet.
func (r *rules) changeChannels(services []string) (all []storage.DeskChannel, unseen bool) {
	for _, s := range r.policy.Services {
		if !slices.Contains(services, s.Slug) {
			continue
		}
		own, hidden := r.named(s.Channel)
		unseen = unseen || hidden
		for _, c := range own {
			if !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	if len(all) == 0 && !unseen {
		return r.named(r.policy.Changes.Channel)
	}
	return all, unseen
}

// named are the channels of these names. unseen tells that the desk can't see
// one of them yet.
func (r *rules) named(names policy.Channels) (all []storage.DeskChannel, unseen bool) {
	for _, c := range r.channels {
		name, ok := names[c.Platform]
		switch {
		case !ok || strings.TrimPrefix(name, "#") != c.Name:
		case c.Channel == "":
			unseen = true
		default:
			all = append(all, c)
		}
	}
	return all, unseen
}

// broke asks somebody what a change has broken.
func (t *turn) broke(ctx context.Context) error {
	c, err := t.tx.Change(ctx, change.ID(t.id("c")))
	if err != nil {
		return orUnknown(err, "change")
	}
	f := cards.BrokeForm(c)
	t.answer.Form = &f
	return nil
}

// brokeSend opens an incident of which the change is the suspect.
func (t *turn) brokeSend(ctx context.Context) error {
	c, err := t.tx.Change(ctx, change.ID(t.id("c")))
	if err != nil {
		return orUnknown(err, "change")
	}
	title := strings.Join(strings.Fields(t.ev.Values.One("title")), " ")
	impact := ticket.Impact(t.ev.Values.One("impact"))
	wrong := map[string]string{}
	if title == "" {
		wrong["title"] = "Please say in a few words what it is."
	}
	if !slices.Contains(ticket.Impacts, impact) {
		wrong["impact"] = "Please choose who is affected."
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if t.tooLong("title", mostTitle) {
		return nil
	}
	tk := ticket.Ticket{Kind: ticket.Incident, Title: title, Requester: t.who.ID, Author: t.who.ID, Service: c.Service, Impact: impact, Urgency: ticket.Now}
	var guess cards.Guess
	if _, offered := t.rules.service(tk.Service); !offered {
		guess = t.likely(title, false)
		tk.Service, tk.Category, _ = strings.Cut(guess.About, "/")
	}
	th, err := t.directThread(ctx, t.account)
	if err != nil {
		return err
	}
	if tk, err = t.openTicket(ctx, tk, guess, false, th, true, nil, storage.WentTicket); err != nil {
		return err
	}
	if err := t.tx.Suspect(ctx, tk.ID, c, 0, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	if c.Implementer != t.who.ID {
		if err := t.direct(ctx, c.Implementer, cards.Say(t.who.Name+" says that "+c.Ref()+" “"+c.Title+"” broke something. It is "+tk.Ref()+": "+title)); err != nil {
			return err
		}
	}
	if err := t.redrawChange(ctx, c); err != nil {
		return err
	}
	return t.private(ctx, "Thank you. This is "+tk.Ref()+" now; its team sees that it may come from "+c.Ref()+". You find how it stands in your direct messages with me.")
}
