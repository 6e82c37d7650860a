package bot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/assign"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// The ways to say it: "away until Friday", "I'm away till 14:00", and for
// somebody else "Ben is away until Friday".
var (
	awayWords = regexp.MustCompile(`(?i)^(?:(?:i am|i'm|i’m|im) )?(?:away|out|off|on holiday|on vacation|sick)(?: (?:until|till|til) (.+)|[.!]?)$`)
	goneWords = regexp.MustCompile(`(?i)^(\S.{0,60}?) is (?:away|out|off|on holiday|on vacation|sick) (?:until|till|til) (.+)$`)
	backWords = regexp.MustCompile(`(?i)^(?:(?:i am|i'm|i’m|im) )?back(?: again| now)?[.!]?$`)
)

// absence is what an agent says of being away or back; false: it is nothing of
// the kind.
func (t *turn) absence(ctx context.Context, text string) (chat.Card, bool, error) {
	if !t.who.Agent() && !t.who.Admin {
		return chat.Card{}, false, nil
	}
	text = strings.Join(strings.Fields(text), " ")
	if m := awayWords.FindStringSubmatch(text); m != nil && t.who.Agent() {
		if m[1] == "" {
			return cards.AwayHelp(), true, nil
		}
		c, err := t.awayUntil(ctx, t.who.Person, m[1])
		return c, true, err
	}
	if backWords.MatchString(text) {
		c, was, err := t.comeBack(ctx)
		return c, was, err
	}
	if m := goneWords.FindStringSubmatch(text); m != nil {
		who, err := t.ledBy(ctx, m[1])
		if err != nil || who.ID == 0 {
			return chat.Card{}, false, err
		}
		c, err := t.awayUntil(ctx, who, m[2])
		return c, true, err
	}
	return chat.Card{}, false, nil
}

// awayUntil is an absence that begins now and ends as the words say.
func (t *turn) awayUntil(ctx context.Context, who people.Person, until string) (chat.Card, error) {
	at, ok := assign.Until(until, t.at.In(t.zone(who)))
	if !ok {
		return cards.Say("I don't know when “" + clip(until, 60) + "” is. Write a day or a time within a year, such as “away until Friday”, “away until 27 November” or “away until 14:00”."), nil
	}
	return t.goAway(ctx, assign.Absence{Person: who.ID, Since: t.at, Until: at, By: t.who.ID}, who)
}

// goAway records an absence, and has the tickets of whoever goes now come free.
func (t *turn) goAway(ctx context.Context, a assign.Absence, who people.Person) (chat.Card, error) {
	if err := t.tx.SetAbsence(ctx, a, t.via(), t.at); err != nil {
		return chat.Card{}, err
	}
	if err := t.tx.SetDue(ctx, agentReturns, int64(who.ID), a.Until); err != nil {
		return chat.Card{}, err
	}
	if err := t.redrawHomes(ctx, who.ID); err != nil {
		return chat.Card{}, err
	}
	subject, verb, gets := "You", "are", "you"
	if who.ID != t.who.ID {
		subject, verb, gets = who.Name, "is", who.FirstName()
		if err := t.direct(ctx, who.ID, cards.Say(fmt.Sprintf("%s has noted that you are away, back on %s. You get no tickets until then. If that is wrong, write “back”.",
			t.who.Name, a.Back(t.zone(who))))); err != nil {
			return chat.Card{}, err
		}
	}
	if !a.At(t.at) {
		if err := t.tx.SetDue(ctx, agentLeaves, int64(who.ID), a.Since); err != nil {
			return chat.Card{}, err
		}
		return cards.Say(fmt.Sprintf("Noted: %s %s away from %s, back on %s.", subject, verb,
			assign.Absence{Until: a.Since}.Back(t.zone(who)), a.Back(t.zone(who)))), nil
	}
	if err := t.tx.ClearDue(ctx, agentLeaves, int64(who.ID)); err != nil {
		return chat.Card{}, err
	}
	free, kept, err := t.freeAll(ctx, who.ID)
	if err != nil {
		return chat.Card{}, err
	}
	text := fmt.Sprintf("%s %s away, back on %s. I give %s no tickets until then.", subject, verb, a.Back(t.zone(who)), gets)
	if len(free) > 0 {
		text += " " + refs(free) + cond(len(free) == 1, " comes free.", " come free.")
	}
	if len(kept) > 0 {
		text += " " + refs(kept) + cond(len(kept) == 1, " waits for somebody and stays until it goes on.", " wait for somebody and stay until they go on.")
	}
	if who.ID == t.who.ID {
		text += " Back earlier? Write “back”."
	}
	return cards.Say(text), nil
}

// freeAll has the tickets of somebody who is away come free, each in a
// transaction of its own: there may be many. It returns those, and those that
// stay because they wait.
func (t *turn) freeAll(ctx context.Context, who people.PersonID) (free, kept []ticket.Ticket, err error) {
	owned, err := t.tx.AllOwned(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	for _, tk := range owned {
		if tk.State == ticket.Waiting {
			kept = append(kept, tk)
			continue
		}
		free = append(free, tk)
		if err := t.tx.SetDue(ctx, ticketVacate, int64(tk.ID), t.at); err != nil {
			return nil, nil, err
		}
	}
	return free, kept, nil
}

// refs names tickets, the first five of many.
func refs(all []ticket.Ticket) string {
	var names []string
	for i, tk := range all {
		if i == 5 {
			names = append(names, strconv.Itoa(len(all)-5)+" more")
			break
		}
		names = append(names, tk.Ref())
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func cond(one bool, singular, plural string) string {
	if one {
		return singular
	}
	return plural
}

// comeBack ends the absence of whoever says so; false if she was not away.
func (t *turn) comeBack(ctx context.Context) (chat.Card, bool, error) {
	was, err := t.tx.EndAbsence(ctx, t.who.ID, t.who.ID, t.via(), t.at)
	if err != nil || !was {
		return chat.Card{}, false, err
	}
	for _, kind := range []string{agentLeaves, agentReturns} {
		if err := t.tx.ClearDue(ctx, kind, int64(t.who.ID)); err != nil {
			return chat.Card{}, false, err
		}
	}
	return cards.Say("Welcome back, " + t.who.FirstName() + ". You get tickets again."), true, t.redrawHomes(ctx, t.who.ID)
}

// back is the button of that name.
func (t *turn) back(ctx context.Context) error {
	c, was, err := t.comeBack(ctx)
	if err != nil || !was {
		return err // a double click
	}
	return t.privately(ctx, c)
}

// leaves is an absence that begins, and returns one that has ended.
func (t *turn) leaves(ctx context.Context, who people.PersonID) error {
	gone, err := t.tx.Absences(ctx, t.at, who)
	if err != nil || !gone[who].At(t.at) {
		return err
	}
	if _, _, err := t.freeAll(ctx, who); err != nil {
		return err
	}
	return t.redrawHomes(ctx, who)
}

func (t *turn) returns(ctx context.Context, who people.PersonID) error {
	was, err := t.tx.EndAbsence(ctx, who, 0, t.via(), t.at)
	if err != nil || !was {
		return err
	}
	p, err := t.tx.People(ctx, who)
	if err != nil {
		return err
	}
	if err := t.direct(ctx, who, cards.Say("Welcome back, "+p[who].FirstName()+". You get tickets again.")); err != nil {
		return err
	}
	return t.redrawHomes(ctx, who)
}

// led are the agents for whom the actor may say that they are away: those of
// the teams that she leads, for an admin all.
func (t *turn) led(ctx context.Context) ([]people.Person, error) {
	var all []people.Person
	for _, team := range t.rules.teams {
		if team.Lead != t.who.ID && !t.who.Admin {
			continue
		}
		agents, err := t.tx.TeamAgents(ctx, team.ID)
		if err != nil {
			return nil, err
		}
		for _, a := range agents {
			if a.ID != t.who.ID && !slices.ContainsFunc(all, func(p people.Person) bool { return p.ID == a.ID }) {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, func(a, b people.Person) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// ledBy finds one of them by her name, or her first name if no other has it;
// nobody otherwise.
func (t *turn) ledBy(ctx context.Context, name string) (people.Person, error) {
	all, err := t.led(ctx)
	if err != nil {
		return people.Person{}, err
	}
	var found []people.Person
	for _, p := range all {
		switch {
		case strings.EqualFold(p.Name, name):
			return p, nil
		case strings.EqualFold(p.FirstName(), name):
			found = append(found, p)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return people.Person{}, nil
}

// awayForm asks who is away until when.
func (t *turn) awayForm(ctx context.Context) error {
	others, err := t.led(ctx)
	if err != nil {
		return err
	}
	if !t.who.Agent() && len(others) == 0 {
		return t.private(ctx, "This is for agents of the desk: it sees to it that they get no tickets while they are away.")
	}
	v := cards.AwayView{Others: others}
	if t.who.Agent() {
		v.Name = t.who.Name
	}
	f := cards.AwayForm(v)
	t.answer.Form = &f
	return nil
}

func (t *turn) awaySend(ctx context.Context) error {
	who := t.who.Person
	if n, _ := strconv.ParseInt(t.ev.Values.One("who"), 10, 64); n != 0 {
		others, err := t.led(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(others, func(p people.Person) bool { return int64(p.ID) == n })
		if i < 0 {
			t.answer.Errors = map[string]string{"who": "Only the lead of this person's team can say that."}
			return nil
		}
		who = others[i]
	} else if !t.who.Agent() {
		return t.awayForm(ctx)
	}
	zone := t.zone(who)
	a := assign.Absence{Person: who.ID, Since: t.at, By: t.who.ID}
	wrong := map[string]string{}
	until, err := time.ParseInLocation(time.DateOnly, t.ev.Values.One("until"), zone)
	if a.Until = until; err != nil {
		wrong["until"] = "Please choose a day."
	}
	if s := t.ev.Values.One("since"); s != "" {
		since, err := time.ParseInLocation(time.DateOnly, s, zone)
		if err != nil {
			wrong["since"] = "Please choose a day, or none."
		} else if since.After(t.at) {
			a.Since = since
		}
	}
	switch {
	case len(wrong) > 0:
	case !a.Until.After(a.Since):
		wrong["until"] = "This day is not after the first day away."
	case a.Until.Sub(t.at) > 2*366*24*time.Hour:
		wrong["until"] = "That is more than two years from now."
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	c, err := t.goAway(ctx, a, who)
	if err != nil {
		return err
	}
	return t.direct(ctx, t.who.ID, c)
}
