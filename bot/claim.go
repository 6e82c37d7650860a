package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// claim takes a ticket; whoever comes second learns privately who was first.
func (t *turn) claim(ctx context.Context) error {
	was, err := t.worker(ctx, "claim")
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
	was, err := t.worker(ctx, "give back")
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
	f := cards.AssignForm(tk, agents)
	t.answer.Form = &f
	return nil
}

func (t *turn) assignSend(ctx context.Context) error {
	was, err := t.worker(ctx, "give away")
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(t.ev.Values.One("agent"), 10, 64)
	to, err := t.tx.ActorByID(ctx, people.PersonID(n))
	if err != nil || !to.AgentOf(was.Team) {
		if err = ignoreMissing(err); err == nil {
			t.answer.Errors = map[string]string{"agent": "This person is not in the team any more. Please choose another."}
		}
		return err
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

// handOver asks to which team a ticket shall go.
func (t *turn) handOver(ctx context.Context) error {
	tk, err := t.worker(ctx, "hand over")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "hand over", Reason: "it is already resolved"}
	}
	f := cards.HandOverForm(tk, t.rules.teams)
	t.answer.Form = &f
	return nil
}

func (t *turn) handOverSend(ctx context.Context) error {
	was, err := t.worker(ctx, "hand over")
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(t.ev.Values.One("team"), 10, 64)
	queue := t.rules.queueOf(people.TeamID(n), was.Kind)
	note := strings.TrimSpace(t.ev.Values.One("note"))
	wrong := map[string]string{}
	if queue.ID == 0 {
		wrong["team"] = "This team is not there any more. Please choose another."
	}
	if note == "" {
		wrong["note"] = "Please say what you have found out, so that they don't begin again."
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if t.tooLong("note", mostNote) {
		return nil
	}
	is, ev, err := was.Move(queue.ID, queue.Kind, queue.Team, t.who.ID, note, t.at)
	if err != nil {
		return err
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	if err := t.triage(ctx, is); err != nil {
		return err
	}
	return t.soFar(ctx, is, note)
}

// soFar tells the new team what has been said already.
func (t *turn) soFar(ctx context.Context, tk ticket.Ticket, note string) error {
	said, err := t.tx.Conversation(ctx, tk.ID, 20)
	if err != nil {
		return err
	}
	var ids []people.PersonID
	for _, m := range said {
		ids = append(ids, m.Author)
	}
	names, err := t.tx.People(ctx, ids...)
	if err != nil {
		return err
	}
	lines := []string{fmt.Sprintf("%s handed this over: %s", t.who.Name, note)}
	if len(said) > 0 {
		lines = append(lines, "", "Said so far:")
	}
	for _, m := range said {
		if m.DeletedAt != nil || m.Body == "" {
			continue
		}
		note := ""
		if m.Internal {
			note = " (note)"
		}
		lines = append(lines, names[m.Author].Name+note+": "+m.Body)
	}
	return t.eachThread(ctx, tk, storage.TeamSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, cards.Say(clip(strings.Join(lines, "\n"), 2900)))
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
