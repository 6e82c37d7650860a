package bot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// historyLimit is how many steps are shown: what fits into a form.
const historyLimit = 60

// history shows what has happened to a ticket, in words.
func (t *turn) history(ctx context.Context) error {
	tk, err := t.tx.Ticket(ctx, ticket.ID(t.id("t")))
	if errors.Is(err, storage.ErrNotFound) {
		return t.private(ctx, "I know no such ticket of yours.")
	}
	if err != nil {
		return err
	}
	return t.showHistory(ctx, tk)
}

// historyOf is the same for a reference that was typed.
func (t *turn) historyOf(ctx context.Context, ref string) error {
	kind, number, ok := ticket.ParseRef(ref)
	if !ok {
		return t.private(ctx, "“"+clip(ref, 40)+"” is no reference. One looks like INC-42 or REQ-7.")
	}
	tk, err := t.tx.TicketByRef(ctx, kind, number)
	if errors.Is(err, storage.ErrNotFound) {
		return t.private(ctx, "I know no such ticket of yours.")
	}
	if err != nil {
		return err
	}
	return t.showHistory(ctx, tk)
}

func (t *turn) showHistory(ctx context.Context, tk ticket.Ticket) error {
	if !t.maySee(tk) {
		return t.private(ctx, "I know no such ticket of yours.")
	}
	steps, err := t.tx.History(ctx, storage.OfTicket, int64(tk.ID), historyLimit)
	if err != nil {
		return err
	}
	trail, err := t.trail(ctx, tk)
	if err != nil {
		return err
	}
	names, err := t.given(ctx, steps)
	if err != nil {
		return err
	}
	inside := t.who.MayWork(tk.Team) || t.who.Agent()
	lines := make([]cards.HistoryLine, 0, len(steps))
	for _, s := range steps {
		what := t.stepWords(s, names)
		if strings.HasPrefix(what, "wrote a note") && !inside {
			continue // internal notes stay with the team
		}
		switch ticket.Action(s.Action) {
		case ticket.Declined:
			if !inside {
				continue // who did not want it is the team's own affair
			}
		case ticket.Moved, ticket.Assigned:
			if !inside {
				s.Note = "" // one team's word to the next, and how much somebody has to do
			}
		case ticket.Corrected:
			what, s.Note = what+" "+s.Note, "" // the desk's words, not theirs
		}
		lines = append(lines, cards.HistoryLine{At: s.At, Who: s.Person, What: what, Via: s.Via, Note: s.Note})
	}
	f := cards.HistoryForm(tk.Ref(), trail, lines)
	t.answer.Form = &f
	return nil
}

// given are the persons to whom the ticket went in these steps.
func (t *turn) given(ctx context.Context, steps []storage.HistoryEntry) (map[people.PersonID]people.Person, error) {
	var ids []people.PersonID
	for _, s := range steps {
		var after map[string]any
		_ = json.Unmarshal(s.After, &after) // null, or what the store has written
		if id := number(after, "owner"); id != 0 {
			ids = append(ids, people.PersonID(id))
		}
	}
	return t.tx.People(ctx, ids...)
}

// number is a field of the record that names something; 0 if it is not there.
func number(m map[string]any, key string) int64 {
	n, _ := m[key].(float64)
	return int64(n)
}

// stepWords is a step as a sentence that goes on from the person's name.
func (t *turn) stepWords(s storage.HistoryEntry, names map[people.PersonID]people.Person) string {
	var after, before map[string]any
	_ = json.Unmarshal(s.After, &after) // null, or what the store has written
	_ = json.Unmarshal(s.Before, &before)
	text := func(m map[string]any, key string) string { v, _ := m[key].(string); return v }
	switch ticket.Action(s.Action) {
	case ticket.Opened:
		return "opened it, " + prioWords(after)
	case ticket.Claimed:
		return "took it"
	case ticket.Assigned:
		if p, ok := names[people.PersonID(number(after, "owner"))]; ok {
			return "gave it to " + p.Name
		}
		return "gave it to somebody else"
	case ticket.Declined:
		return "passed it on"
	case ticket.Vacated:
		return "freed it"
	case ticket.Released:
		return "gave it back to the team"
	case ticket.Moved:
		if id := number(after, "team"); id != 0 {
			return "handed it over to " + t.rules.team(people.TeamID(id)).Name
		}
		return "handed it over to another team"
	case ticket.Waited:
		return "put it on hold, waiting for " + ticket.Reason(text(after, "waits_for")).Words()
	case ticket.Woken:
		return "went on with it"
	case ticket.Resolved:
		return "resolved it"
	case ticket.ClosedStep:
		return "closed it"
	case ticket.ReopenStep:
		return "reopened it"
	case ticket.Rated:
		return "rated it"
	case ticket.Prioritised:
		return "changed its priority " + prioChange(before, after)
	case ticket.Corrected:
		return "changed what it is about"
	}
	switch s.Action {
	case "requested":
		for _, r := range t.rules.requests {
			if r.Slug == text(after, "request") {
				return "asked for “" + r.Name + "”"
			}
		}
		return "asked for what was offered then"
	case "predicted":
		return t.guessWords(after)
	case "said":
		if internal, _ := after["internal"].(bool); internal {
			return "wrote a note for the team"
		}
		return "wrote a message"
	case "edited":
		return "edited a message"
	case "deleted":
		return "deleted a message"
	case "added":
		return "added to it"
	case "alerted":
		if p, _ := after["percent"].(float64); p < 100 {
			return "told that the time runs out to " + clockWords(after)
		}
		return "told that it is late to " + clockWords(after)
	case "breach.taken":
		return "sees to what is late"
	case "requester.told":
		return "told the requester that it is late"
	case "escalated":
		return "asked for somebody higher up"
	case "lead.told":
		return "told the team lead"
	case "article.used":
		return "answered with " + knowledge.ArticleID(number(after, "article")).Ref()
	case "change suspected":
		return "named " + text(after, "change") + " as a possible cause"
	case "change blamed":
		return "named " + text(after, "change") + " as the cause"
	case "change cleared":
		return "ruled out " + text(after, "change") + " as the cause"
	case "change found out":
		return "recorded what was changed in production as " + text(after, "change")
	}
	return s.Action
}

func clockWords(m map[string]any) string {
	if m["clock"] == "response" {
		return "answer"
	}
	return "fix it"
}

func prioWords(m map[string]any) string {
	p, ok := m["priority"].(float64)
	if !ok {
		return "with no priority"
	}
	return "priority " + strings.ToLower(ticket.Priority(p).String())
}

func prioChange(before, after map[string]any) string {
	p, ok := before["priority"].(float64)
	if !ok {
		return "reason"
	}
	return "from " + strings.ToLower(ticket.Priority(p).String()) + " to " + strings.TrimPrefix(prioWords(after), "priority ")
}
