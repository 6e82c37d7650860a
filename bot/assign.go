package bot

import (
	"context"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/assign"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// entrust gives a ticket that nobody has to an agent of its team, if the team
// leaves the choice to the desk. The ticket is locked, and its card stands in
// the team's channel.
func (t *turn) entrust(ctx context.Context, was ticket.Ticket) (ticket.Ticket, error) {
	manner := t.rules.manner(was.Team)
	if !manner.ByDesk() || !was.Open() || was.Owner != 0 {
		return was, nil
	}
	contenders, err := t.tx.Contenders(ctx, was.Team, was.ID, t.at)
	if err != nil {
		return was, err
	}
	names := map[people.PersonID]people.Person{}
	all := make([]assign.Candidate, len(contenders))
	for i, c := range contenders {
		names[c.ID] = c.Person
		all[i] = assign.Candidate{Person: c.ID, Open: c.Open, Given: c.Given, Away: c.Away, Declined: c.Declined}
		hours := t.rules.levels.Working(c.Mail, t.rules.team(was.Team).Slug)
		if all[i].Works = hours.Open(t.at); !all[i].Works {
			all[i].From, _ = hours.NextOpen(t.at)
		} else if until, ends := hours.Closes(t.at); ends {
			all[i].Until = until.In(t.zone(c.Person))
		}
		for _, mail := range manner.Skills[was.Service] {
			all[i].Skilled = all[i].Skilled || strings.EqualFold(mail, c.Mail)
		}
	}
	chosen, ok := assign.Choose(all)
	if !ok {
		return was, t.nobody(ctx, was, assign.Next(all))
	}
	service, _ := t.rules.service(was.Service)
	is, ev, err := was.Entrust(chosen.Person, chosen.Why(service.Name), t.at)
	if err != nil {
		return was, err
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return is, err
	}
	if err := t.tx.ClearDue(ctx, ticketAssign, int64(is.ID)); err != nil {
		return is, err
	}
	return is, t.eachThread(ctx, is, storage.TeamSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, t.mention(ctx, th, names[chosen.Person], is.Ref()+" is for ", " ("+is.Chosen+")."))
	})
}

// nobody tells the team that nobody can be given a ticket now.
func (t *turn) nobody(ctx context.Context, tk ticket.Ticket, next time.Time) error {
	text := "Nobody is left whom I could give " + tk.Ref() + " to. It is free: whoever claims it first has it."
	if !next.IsZero() {
		if err := t.tx.SetDue(ctx, ticketAssign, int64(tk.ID), next); err != nil {
			return err
		}
		text = "Nobody is at work whom I could give " + tk.Ref() + " to. It is free to claim; if nobody does, I choose when somebody is back at work."
	}
	return t.eachThread(ctx, tk, storage.TeamSide, func(th storage.Thread) error { return t.sayIn(ctx, th, cards.Say(text)) })
}

// assignLater chooses again, now that somebody is at work.
func (t *turn) assignLater(ctx context.Context, id ticket.ID) error {
	tk, err := t.tx.TicketForUpdate(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	_, err = t.entrust(ctx, tk)
	return err
}

// notMine is "not me": the next one is asked, and she not again.
func (t *turn) notMine(ctx context.Context) error {
	was, err := t.worker(ctx, "pass on")
	if err != nil {
		return err
	}
	is, ev, err := was.Decline(t.who.ID, t.at)
	if err != nil {
		if said, missed := t.tx.HasDeclined(ctx, was.ID, t.who.ID); missed != nil || (said && was.Owner != t.who.ID) {
			return missed // a double click
		}
		return err
	}
	if err := t.tx.DeclineTicket(ctx, was.ID, t.who.ID, t.at); err != nil {
		return err
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	_, err = t.entrust(ctx, is)
	return err
}

// zone is by whose clock a person's times are told.
func (t *turn) zone(p people.Person) *time.Location {
	for _, name := range []string{p.TimeZone, t.rules.policy.Desk.TimeZone} {
		if loc, err := time.LoadLocation(name); err == nil && name != "" {
			return loc
		}
	}
	return time.UTC
}

// freeIfAway has a ticket come free if its owner is away.
func (t *turn) freeIfAway(ctx context.Context, tk ticket.Ticket) error {
	if tk.Owner == 0 || tk.Owner == t.who.ID {
		return nil
	}
	gone, err := t.tx.Absences(ctx, t.at, tk.Owner)
	if err != nil || !gone[tk.Owner].At(t.at) {
		return err
	}
	return t.tx.SetDue(ctx, ticketVacate, int64(tk.ID), t.at)
}

// vacate takes a ticket from an owner who is away: to the next one, or back to
// the queue. The requester is told.
func (t *turn) vacate(ctx context.Context, id ticket.ID) error {
	was, err := t.tx.TicketForUpdate(ctx, id)
	if err != nil || was.Owner == 0 || was.State != ticket.InProgress {
		return ignoreMissing(err)
	}
	gone, err := t.tx.Absences(ctx, t.at, was.Owner)
	if err != nil || !gone[was.Owner].At(t.at) {
		return err
	}
	wrote, err := t.tx.LastReply(ctx, id, was.Owner)
	if err != nil {
		return err
	}
	if at := assign.Leave(wrote, t.at); at.After(t.at) {
		return t.tx.SetDue(ctx, ticketVacate, int64(id), at)
	}
	owner, err := t.tx.People(ctx, was.Owner)
	if err != nil {
		return err
	}
	away := owner[was.Owner].Name + " is away until " + gone[was.Owner].Back(t.zone(owner[was.Owner]))
	is, ev, err := was.Vacate(away, t.at)
	if err != nil {
		return err
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	free := away + ". " + is.Ref() + " is free again."
	if err := t.eachThread(ctx, is, storage.TeamSide, func(th storage.Thread) error { return t.sayIn(ctx, th, cards.Say(free)) }); err != nil {
		return err
	}
	if is, err = t.entrust(ctx, is); err != nil {
		return err
	}
	has := t.rules.team(is.Team).Name + " sees to it that somebody else takes " + is.Ref() + "."
	if is.Owner != 0 {
		next, err := t.tx.People(ctx, is.Owner)
		if err != nil {
			return err
		}
		has = next[is.Owner].Name + " has " + is.Ref() + " now."
	}
	return t.eachThread(ctx, is, storage.RequesterSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, cards.Say(away+". "+has))
	})
}
