package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// claim takes a ticket; whoever comes second learns privately who was first.
func (t *turn) claim(ctx context.Context) error {
	was, err := t.taker(ctx, "claim")
	if err != nil {
		return err
	}
	is, ev, err := was.Claim(t.who.ID, t.at)
	if err != nil {
		if was.Owner == t.who.ID && was.Open() {
			return nil // a double click
		}
		return err
	}
	_, err = t.save(ctx, was, is, ev)
	return err
}

// release gives a ticket back to its queue.
func (t *turn) release(ctx context.Context) error {
	was, err := t.taker(ctx, "give back")
	if err != nil {
		return err
	}
	is, ev, err := was.Release(t.who.ID, t.at)
	if err != nil {
		return err
	}
	_, err = t.save(ctx, was, is, ev)
	return err
}

// assign asks to whom a ticket shall go.
func (t *turn) assign(ctx context.Context) error {
	tk, err := t.worker(ctx, "give away")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "give away", Reason: "it is already resolved"}
	}
	agents, err := t.tx.TeamAgents(ctx, tk.Team)
	if err != nil {
		return err
	}
	ids := make([]people.PersonID, len(agents))
	for i, a := range agents {
		ids[i] = a.ID
	}
	gone, err := t.tx.Absences(ctx, t.at, ids...)
	if err != nil {
		return err
	}
	away := map[people.PersonID]string{}
	for _, a := range agents {
		if gone[a.ID].At(t.at) {
			away[a.ID] = "Away, back on " + gone[a.ID].Back(t.zone(a))
		}
	}
	f := cards.AssignForm(tk, agents, away)
	t.answer.Form = &f
	return nil
}

func (t *turn) assignSend(ctx context.Context) error {
	was, err := t.worker(ctx, "give away")
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(t.ev.Values.One("agent"), 10, 64)
	to, err := t.tx.AgentForUpdate(ctx, people.PersonID(n))
	if err != nil || !to.AgentOf(was.Team) {
		if err = ignoreMissing(err); err == nil {
			t.answer.Errors = map[string]string{"agent": "This person is not in the team any more. Please choose another."}
		}
		return err
	}
	gone, err := t.tx.Absences(ctx, t.at, to.ID)
	if err != nil {
		return err
	}
	if gone[to.ID].At(t.at) && to.ID != t.who.ID {
		t.answer.Errors = map[string]string{"agent": fmt.Sprintf("%s is away, back on %s. Please choose another.", to.Name, gone[to.ID].Back(t.zone(to.Person)))}
		return nil
	}
	is, ev, err := was.Assign(to.ID, t.who.ID, t.at)
	if err != nil {
		return err
	}
	if _, err = t.save(ctx, was, is, ev); err != nil || to.ID == t.who.ID {
		return err
	}
	return t.eachThread(ctx, is, storage.TeamSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, t.mention(ctx, th, to.Person, t.who.Name+" gave "+is.Ref()+" to ", "."))
	})
}

// membership follows who comes into a triage channel and who leaves it:
// membership makes the agent.
func (t *turn) membership(ctx context.Context) error {
	c, ok := t.rules.channel(t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel)
	if !ok || c.Purpose != "triage" || t.who.Guest {
		return nil
	}
	in := t.ev.Kind == "joined"
	if in == slices.Contains(t.who.Teams, c.Team) && in {
		return nil
	}
	return t.tx.AdoptMember(ctx, c.Team, t.who.ID, in, t.via(), t.at)
}
