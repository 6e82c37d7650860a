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

// handOver asks to which team a ticket shall go.
func (t *turn) handOver(ctx context.Context) error {
	tk, err := t.worker(ctx, "hand over")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "hand over", Reason: "it is already resolved"}
	}
	way, err := t.way(ctx, tk, people.Team{})
	if err != nil {
		return err
	}
	if err := tk.Stuck(way); err != nil {
		return err
	}
	f := cards.HandOverForm(tk, t.rules.teams, cards.HandOverView{})
	t.answer.Form = &f
	return nil
}

// way is what the rules look at when a ticket goes to another team.
func (t *turn) way(ctx context.Context, tk ticket.Ticket, to people.Team) (ticket.Handover, error) {
	h := ticket.Handover{From: t.rules.team(tk.Team), To: to, Enough: t.rules.enough(tk.Service), Most: t.rules.policy.Desk.MostTeams,
		Lead: t.who.Admin || slices.ContainsFunc(t.rules.teams, func(team people.Team) bool { return team.Lead == t.who.ID && t.who.ID != 0 })}
	queue := t.rules.queueOf(to.ID, tk.Kind)
	h.Queue, h.Kind = queue.ID, queue.Kind
	var err error
	h.Leader, err = t.leader(ctx, h.From)
	return h, err
}

// leader is who hands on what has been with too many teams.
func (t *turn) leader(ctx context.Context, team people.Team) (string, error) {
	if team.Lead == 0 {
		return "an admin of the desk", nil
	}
	lead, err := t.tx.People(ctx, team.Lead)
	return lead[team.Lead].Name + ", who leads " + team.Name, err
}

func (t *turn) handOverSend(ctx context.Context) error {
	was, err := t.worker(ctx, "hand over")
	if err != nil {
		return err
	}
	v := t.ev.Values
	n, _ := strconv.ParseInt(v.One("team"), 10, 64)
	if t.rules.queueOf(people.TeamID(n), was.Kind).ID == 0 {
		t.answer.Errors = map[string]string{"team": "This team is not there any more. Please choose another."}
		return nil
	}
	if t.tooLong("note", mostNote) || t.tooLong("tried", mostNote) || t.tooLong("why", mostWhy) {
		return nil
	}
	way, err := t.way(ctx, was, t.rules.team(people.TeamID(n)))
	if err != nil {
		return err
	}
	way.Found, way.Tried, way.Why = strings.TrimSpace(v.One("note")), strings.TrimSpace(v.One("tried")), strings.TrimSpace(v.One("why"))
	if t.askBack(was, way) {
		return nil
	}
	is, ev, err := was.HandOver(way, t.who.ID, t.at)
	if err != nil {
		return err
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	if err := t.triage(ctx, is); err != nil {
		return err
	}
	if err := t.soFar(ctx, is, ev.Note); err != nil {
		return err
	}
	if is, err = t.entrust(ctx, is); err != nil {
		return err
	}
	return t.tellLeader(ctx, is, way)
}

// askBack asks for what a hand-over still has to say: beside the fields, or,
// for a tier that is not needed, in a form that asks whether it is really meant.
func (t *turn) askBack(tk ticket.Ticket, way ticket.Handover) bool {
	asks := way.Asks()
	wrong := map[string]string{}
	for _, a := range asks {
		switch a {
		case ticket.AskFound:
			wrong["note"] = "Please say what you have found out, so that they don't begin again."
		case ticket.AskTried:
			wrong["tried"] = fmt.Sprintf("%s is tier %d. Please say what was tried already, so that nobody tries it again.", way.To.Name, way.To.Tier)
		case ticket.AskWhy:
			if _, asked := t.ev.Values["why"]; asked {
				wrong["why"] = fmt.Sprintf("Please say why tier %d is needed.", way.To.Tier)
			}
		}
	}
	switch {
	case len(wrong) > 0:
		t.answer.Errors = wrong
	case slices.Contains(asks, ticket.AskWhy):
		service, _ := t.rules.service(tk.Service)
		f := cards.HandOverForm(tk, t.rules.teams, cards.HandOverView{To: way.To, Filled: t.ev.Values,
			Really: fmt.Sprintf("%s is work for tier %d. Really send it to %s, tier %d?", service.Name, way.Enough, way.To.Name, way.To.Tier)})
		t.answer.Form = &f
	}
	return len(asks) > 0
}

// tellLeader tells the lead of the last team that a ticket may go to without
// her that it has come there.
func (t *turn) tellLeader(ctx context.Context, tk ticket.Ticket, way ticket.Handover) error {
	if way.Most == 0 || tk.Seen() < way.Most || way.To.Lead == 0 || way.To.Lead == t.who.ID {
		return nil
	}
	return t.direct(ctx, way.To.Lead, cards.Say(fmt.Sprintf("%s (%s) is now with its %s team: %s, which you lead. From here only you can hand it on. %s handed it over: %s",
		tk.Ref(), tk.Title, ticket.Ordinal(tk.Seen()), way.To.Name, t.who.Name, clip(way.Note(), mostNote))))
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
