package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/assign"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

const (
	homeTickets    = 10                  // of each list; more is not read
	recentlyClosed = 14 * 24 * time.Hour // how long a closed ticket stays in its requester's list
	// homeCurrent is how long a home is kept current after it was last opened.
	// Opening it again draws it anew in any case.
	homeCurrent = 12 * time.Hour
)

// visit draws the home of whoever opens it.
func (t *turn) visit(ctx context.Context) error {
	return t.tx.Send(ctx, storage.Post{Kind: string(chat.Home), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace,
		User: t.ev.By.ID, Card: cards.HomeCard, Subject: int64(t.who.ID)}, storage.LaneReply, t.at)
}

// redrawHomes has the homes of these persons drawn anew, if they have been
// opened lately.
func (t *turn) redrawHomes(ctx context.Context, who ...people.PersonID) error {
	return t.tx.RedrawHomes(ctx, who, t.at.Add(-homeCurrent), t.at)
}

// homeCard is a person's home as it is now.
func (t *turn) homeCard(ctx context.Context, id people.PersonID) (chat.Card, error) {
	who, err := t.tx.ActorByID(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	v := cards.HomeView{Person: who.Person, Agent: who.Agent()}
	if v.Mine, err = t.tx.TicketsOf(ctx, id, t.at.Add(-recentlyClosed), homeTickets); err != nil {
		return chat.Card{}, err
	}
	if v.Agent {
		if v.Owned, err = t.tx.Owned(ctx, id, homeTickets); err != nil {
			return chat.Card{}, err
		}
		if v.Unclaimed, err = t.tx.Unclaimed(ctx, who.Teams, homeTickets); err != nil {
			return chat.Card{}, err
		}
		n, err := t.tx.Counts(ctx, id, who.Teams)
		if err != nil {
			return chat.Card{}, err
		}
		gone, err := t.tx.Absences(ctx, t.at, id)
		if err != nil {
			return chat.Card{}, err
		}
		if a, ok := gone[id]; ok {
			v.Away = "away, back on " + a.Back(t.zone(who.Person))
			if !a.At(t.at) {
				v.Away = "away from " + assign.Absence{Until: a.Since}.Back(t.zone(who.Person)) + " and back on " + a.Back(t.zone(who.Person))
			}
		}
		v.OwnedAll, v.FreeAll, v.WaitOnMe = n.Mine, n.Unclaimed, n.WaitingOnMe
	}
	if v.Names, err = t.owners(ctx, v.Mine, v.Owned, v.Unclaimed); err != nil {
		return chat.Card{}, err
	}
	if who.Admin {
		if v.Setup, err = t.leftToSetUp(ctx); err != nil {
			return chat.Card{}, err
		}
	}
	return cards.Home(v), nil
}

// Home is what somebody finds at the desk's home, for platforms where that is a
// page of the desk's own. It may ask the platform who the account is.
func (d *Desk) Home(ctx context.Context, u chat.User) (chat.Card, error) {
	if err := d.know(ctx, u); err != nil {
		return chat.Card{}, err
	}
	var c chat.Card
	err := d.db.View(ctx, func(tx *storage.Tx) error {
		t, err := d.turn(ctx, tx, chat.Event{Kind: chat.Visited, By: u})
		if err != nil {
			return err
		}
		if t.who.Left {
			c = cards.Say(hasLeft)
			return nil
		}
		c, err = t.homeCard(ctx, t.who.ID)
		return err
	})
	return c, err
}

// myTickets answers the button of that name.
func (t *turn) myTickets(ctx context.Context) error {
	c, err := t.mineCard(ctx)
	if err != nil {
		return err
	}
	return t.privately(ctx, c)
}

func (t *turn) mineCard(ctx context.Context) (chat.Card, error) {
	mine, err := t.tx.TicketsOf(ctx, t.who.ID, t.at.Add(-recentlyClosed), homeTickets)
	if err != nil {
		return chat.Card{}, err
	}
	names, err := t.owners(ctx, mine)
	return cards.MyTicketsCard(mine, names, t.desk.pageLink != nil), err
}

// owners are the persons who have these tickets.
func (t *turn) owners(ctx context.Context, lists ...[]ticket.Ticket) (map[people.PersonID]people.Person, error) {
	var ids []people.PersonID
	for _, list := range lists {
		for _, tk := range list {
			if tk.Owner != 0 {
				ids = append(ids, tk.Owner)
			}
		}
	}
	return t.tx.People(ctx, ids...)
}

// showTicket is how a ticket stands, for its requester and for agents.
func (t *turn) showTicket(ctx context.Context, kind ticket.Kind, number int64) (chat.Card, error) {
	tk, err := t.tx.TicketByRef(ctx, kind, number)
	if errors.Is(err, storage.ErrNotFound) || (err == nil && !t.maySee(tk)) {
		// The same words for both: a reference tells nothing to whoever guesses.
		return cards.Say(fmt.Sprintf("I know no ticket %s-%d of yours.", kind.Prefix(), number)), nil
	}
	if err != nil {
		return chat.Card{}, err
	}
	v, err := t.view(ctx, tk.ID)
	if err != nil {
		return chat.Card{}, err
	}
	v.Flat, v.Glance = t.ev.Flat, true
	return cards.Status(v), nil
}

// takeUp answers the requester who names a ticket in direct messages with its
// living card, where what is written next belongs to the ticket: in a new thread
// of its conversation, or in the one that a flat chat has. It is false if that is
// not what the text does.
func (t *turn) takeUp(ctx context.Context, text string) (bool, error) {
	kind, number, ok := ticket.ParseRef(shownRef(text))
	if !ok || t.ev.Scope != chat.Direct {
		return false, nil
	}
	tk, err := t.tx.TicketByRef(ctx, kind, number)
	if errors.Is(err, storage.ErrNotFound) || err == nil && (tk.Requester != t.who.ID || !tk.Open()) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var th storage.Thread
	if t.ev.Flat {
		threads, err := t.tx.TicketThreads(ctx, tk.ID)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(threads, func(th storage.Thread) bool {
			return th.Side == string(storage.RequesterSide) && th.Platform == t.ev.By.Platform && th.Workspace == t.ev.By.Workspace && th.User == t.ev.By.ID
		})
		if i < 0 {
			return false, nil // it is talked of elsewhere
		}
		th = threads[i]
		if err := t.talkedTo(ctx, th); err != nil {
			return false, err
		}
	} else {
		if th, err = t.openThread(ctx, storage.RequesterSide); err != nil {
			return false, err
		}
		if err := t.tx.LinkThread(ctx, th.ID, tk.ID); err != nil {
			return false, err
		}
	}
	return true, t.card(ctx, th, cards.StatusCard, int64(tk.ID), false)
}

// shownRef is what a message that wants to see a ticket calls it.
func shownRef(text string) string {
	lower := strings.ToLower(strings.Trim(text, " .!?"))
	return strings.TrimPrefix(strings.TrimPrefix(lower, "status "), "show ")
}

func (t *turn) maySee(tk ticket.Ticket) bool {
	return t.who.ID == tk.Requester || t.who.ID == tk.Author || t.who.Agent() || t.who.Admin
}
