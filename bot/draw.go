package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Drawing reads what the cards of posts tell of the record, all at once, in a
// transaction that sees one moment of it. What it returns makes the message of
// one of them.
func (d *Desk) Drawing(ctx context.Context, tx *storage.Tx, all []storage.Draft) (func(context.Context, storage.Draft) (chat.Post, error), error) {
	var of storage.CardSubjects
	for _, p := range all {
		switch p.Card {
		case cards.QuestionCard:
			of.Questions = append(of.Questions, storage.QuestionID(p.Subject))
		case cards.TriageCard, cards.FixedCard:
			of.Superseded = append(of.Superseded, p.ID)
			fallthrough
		case cards.StatusCard:
			if id := ticket.ID(p.Subject); !slices.Contains(of.Tickets, id) {
				of.Tickets = append(of.Tickets, id)
			}
		}
	}
	facts, err := tx.CardFacts(ctx, of)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, p storage.Draft) (chat.Post, error) {
		return d.draw(ctx, tx, p, facts)
	}, nil
}

func (d *Desk) draw(ctx context.Context, tx *storage.Tx, p storage.Draft, facts storage.CardFacts) (chat.Post, error) {
	th := p.In
	out := chat.Post{
		ID: strconv.FormatInt(int64(p.ID), 10), Kind: chat.PostKind(p.Kind),
		Place: chat.Place{Platform: p.Platform, Workspace: p.Workspace, Channel: p.Channel},
		User:  chat.User{Platform: p.Platform, Workspace: p.Workspace, ID: p.User},
	}
	if th.ID != 0 {
		out.Place.Channel = th.Channel
		if out.User.ID == "" {
			out.User.ID = th.User
		}
		if !p.Root {
			out.Place.Thread = th.Root
		}
	}
	var err error
	if p.Card == "" {
		err = d.fillBody(ctx, tx, p, &out)
	} else {
		out.Card, out.Viewers, err = d.drawCard(ctx, tx, p.Post, th, facts, nil)
	}
	if err != nil {
		return out, fmt.Errorf("draw post %d: %w", p.ID, err)
	}
	return out, nil
}

func (d *Desk) fillBody(ctx context.Context, tx *storage.Tx, p storage.Draft, out *chat.Post) error {
	var b body
	if err := json.Unmarshal(p.Body, &b); err != nil {
		return err
	}
	if b.Words {
		b.Card = chat.Words(p.Words)
	}
	out.Card, out.As, out.Emoji, out.Target, out.Reply = b.Card, b.As, b.Emoji, b.Target, b.Reply
	if b.Thread != "" {
		out.Place.Thread = b.Thread
	}
	if len(b.Files) == 0 {
		return nil
	}
	files, err := tx.Files(ctx, b.Files)
	for _, f := range files {
		out.Files = append(out.Files, chat.Attachment{ID: strconv.FormatInt(int64(f.ID), 10), Name: f.Name, MIME: f.MIME, Data: f.Data})
	}
	return err
}

// drawCard draws a living card as it now is: for one person, or for everybody,
// and then with those who are to have a view of their own. What facts don't have
// is read.
func (d *Desk) drawCard(ctx context.Context, tx *storage.Tx, p storage.Post, th storage.Thread, facts storage.CardFacts, one *people.Actor) (c chat.Card, viewers []chat.User, err error) {
	r, err := d.rulesIn(ctx, tx)
	if err != nil {
		return c, nil, err
	}
	t := &turn{desk: d, tx: tx, rules: r, at: d.now(), facts: facts, account: storage.Account{Platform: p.Platform, Workspace: p.Workspace, UserID: p.User}}
	switch p.Card {
	case cards.QuestionCard:
		c, err = t.questionCard(ctx, storage.QuestionID(p.Subject), p.Root)
		return c, nil, err
	case cards.HomeCard:
		c, err = t.homeCard(ctx, people.PersonID(p.Subject))
		return c, nil, err
	case cards.GapsCard:
		c, err = t.gapsCard(ctx, storage.GapReportID(p.Subject))
		return c, nil, err
	case cards.SynonymCard:
		c, err = t.synonymCard(ctx, storage.ProposalID(p.Subject))
		return c, nil, err
	case cards.FlagCard:
		c, err = t.flagCard(ctx, storage.FlagID(p.Subject))
		return c, nil, err
	case cards.ReviewCard:
		c, err = t.reviewCard(ctx, p)
		return c, nil, err
	case cards.ArticleCard:
		c, err = t.articleCard(ctx, knowledge.ArticleID(p.Subject))
		return c, nil, err
	case cards.BreachCard, cards.LateCard:
		c, err = t.breachCard(ctx, p)
		return c, nil, err
	case cards.DigestCard:
		c, err = t.digestCard(ctx, p)
		return c, nil, err
	}
	if slices.Contains(cards.WarningCards, p.Card) {
		c, err = t.warningCard(ctx, p)
		return c, nil, err
	}
	if p.Card == cards.ApproveCard || p.Card == cards.ChangeCard || p.Card == cards.AnnounceCard {
		c, err = t.drawChange(ctx, p)
		return c, nil, err
	}
	v, err := t.view(ctx, ticket.ID(p.Subject))
	if err != nil {
		return c, nil, err
	}
	v.Flat = t.flat(th)
	switch p.Card {
	case cards.TriageCard:
		// A later card is that of another team, which has taken over.
		v.Moved, err = t.superseded(ctx, p)
		if !v.Article.ReadableBy([]string{v.Team.Slug}) {
			v.Article.Title = ""
		}
		return cards.Triage(v), nil, err
	case cards.StatusCard:
		if th.Scope != string(chat.Open) {
			return cards.Status(v), nil, nil
		}
		if one != nil && one.MayWork(v.Ticket.Team) {
			return cards.StatusForTeam(v), nil, nil
		}
		viewers, err = t.viewers(ctx, p, v.Ticket.Team)
		return cards.Status(v), viewers, err
	case cards.FixedCard:
		// A later one asks anew, after the ticket has been reopened.
		if v.Moved, err = t.superseded(ctx, p); err != nil {
			return c, nil, err
		}
		if err := t.hideArticle(ctx, &v, th); err != nil {
			return c, nil, err
		}
		return cards.Fixed(v), nil, nil
	}
	return c, nil, fmt.Errorf("there is no card %q", p.Card)
}

// hideArticle leaves out of what a requester sees an article that is not for
// their eyes, nor for those of who reads along, or for nobody's yet.
func (t *turn) hideArticle(ctx context.Context, v *cards.TicketView, th storage.Thread) error {
	if v.Article.ID == 0 {
		return nil
	}
	var groups []string
	if th.Scope == string(chat.Direct) {
		who, err := t.tx.ActorByID(ctx, v.Ticket.Requester)
		if err != nil {
			return err
		}
		groups = who.Groups()
	}
	if v.Article.State != knowledge.Published || !v.Article.ReadableBy(groups) {
		v.Article = knowledge.Article{}
	}
	return nil
}

// mostViewers is how many can have a view of their own: Teams takes 60 in a
// card's refresh.userIds. A larger team works from its own channel.
const mostViewers = 60

// viewers are the accounts of a team's agents where a post stands, if cards can
// have views there.
func (t *turn) viewers(ctx context.Context, p storage.Post, team people.TeamID) ([]chat.User, error) {
	if !t.desk.ways(p.Platform).Views {
		return nil, nil
	}
	accounts, err := t.tx.TeamAccounts(ctx, team, p.Platform, p.Workspace)
	if err != nil || len(accounts) > mostViewers {
		return nil, err
	}
	var all []chat.User
	for _, id := range accounts {
		all = append(all, chat.User{Platform: p.Platform, Workspace: p.Workspace, ID: id})
	}
	return all, nil
}

// viewed answers somebody who looks at a card: as they are to see it.
func (t *turn) viewed(ctx context.Context) error {
	p, err := t.tx.PostAt(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.ev.Message)
	if err != nil || p.Card == "" && len(p.Body) == 0 {
		return ignoreMissing(err)
	}
	if p.Card == "" {
		var b body
		if err := json.Unmarshal(p.Body, &b); err != nil {
			return fmt.Errorf("post %d: %w", p.ID, err)
		}
		if b.Words {
			m, err := t.tx.MessageByID(ctx, p.Message)
			if err != nil {
				return err
			}
			b.Card = chat.Words(m.Body)
		}
		t.answer.Card = &b.Card
		return nil
	}
	var th storage.Thread
	if p.Thread != 0 {
		if th, err = t.tx.Thread(ctx, p.Thread); err != nil {
			return err
		}
	}
	c, _, err := t.desk.drawCard(ctx, t.tx, p, th, storage.CardFacts{}, &t.who)
	if err == nil {
		t.answer.Card = &c
	}
	return ignoreMissing(err)
}

// superseded tells whether another card has taken the place of a living one.
func (t *turn) superseded(ctx context.Context, p storage.Post) (bool, error) {
	if t.facts.Superseded == nil {
		return t.tx.Superseded(ctx, p.ID)
	}
	return t.facts.Superseded[p.ID], nil
}

func (t *turn) questionCard(ctx context.Context, id storage.QuestionID, quoted bool) (chat.Card, error) {
	facts, ok := t.facts.Questions[id]
	if !ok {
		var err error
		if facts, err = t.tx.QuestionFacts(ctx, id); err != nil {
			return chat.Card{}, err
		}
	}
	q := facts.Question
	v := cards.QuestionView{ID: int64(q.ID), Version: q.Version, Text: q.Text, Hits: q.Hits, Confidence: q.Confidence, Later: q.Confidence == searchLater,
		Outcome: string(q.Outcome), Quoted: quoted, Ticket: facts.Became}
	if q.Outage != 0 {
		var err error
		if v.Outage, err = t.outageView(ctx, q); err != nil {
			return chat.Card{}, err
		}
	}
	if q.Outcome == storage.StillOpen {
		v.Mine = facts.Open // people answer beside the thread too, and mean a ticket they have
	}
	for _, h := range q.Hits {
		if h.Article == q.Article {
			v.Solved = h
		}
	}
	if q.Article != 0 && v.Solved.Article == 0 {
		found, err := t.tx.Articles(ctx, q.Article)
		if err != nil {
			return chat.Card{}, err
		}
		v.Solved = knowledge.Hit{Article: q.Article, Title: found[q.Article].Title}
	}
	return cards.Question(v), nil
}

// open are the hits that may be named where others read.
func open(hits []knowledge.Hit) []knowledge.Hit {
	return slices.DeleteFunc(slices.Clone(hits), func(h knowledge.Hit) bool { return h.Closed })
}

// view is a ticket with all that its cards name.
func (t *turn) view(ctx context.Context, id ticket.ID) (cards.TicketView, error) {
	facts, ok := t.facts.Tickets[id]
	if !ok {
		var err error
		if facts, err = t.tx.TicketFacts(ctx, id); err != nil {
			return cards.TicketView{}, err
		}
	}
	tk, who := facts.Ticket, facts.People
	v := cards.TicketView{Ticket: tk, Team: t.rules.team(tk.Team), CloseAfter: t.rules.policy.Desk.CloseAfter.Value(),
		Requester: who[tk.Requester], Department: t.rules.policy.DepartmentName(who[tk.Requester].Department),
		Author: who[tk.Author], Owner: who[tk.Owner], Shown: open(facts.Question.Hits),
		Clocks: t.clockViews(facts.Clocks, facts.NewDue)}
	v.Outage, v.MeToo, v.Waiting = facts.Outage, facts.MeToo, facts.Waiting
	if tk.Service != "" {
		v.Service = t.rules.aboutName(about(tk.Service, tk.Category))
	}
	v.Guess = t.guessView(tk, facts.Guessed)
	var err error
	if tk.Moves > 0 {
		if v.Trail, err = t.trail(ctx, tk); err != nil {
			return v, err
		}
		if most := t.rules.policy.Desk.MostTeams; most > 0 && tk.Seen() >= most {
			if v.Leader, err = t.leader(ctx, v.Team); err != nil {
				return v, err
			}
		}
	}
	if v.Items = facts.Items; len(v.Items) > 0 {
		g, err := t.graph(ctx)
		if err != nil {
			return v, err
		}
		v.Impact = impactOf(g, v.Items)
		if v.Past, err = t.past(ctx, tk, v.Items, facts.Changes); err != nil {
			return v, err
		}
	}
	if v.Cost, err = t.cost(ctx, tk, v.Items, v.Impact); err != nil {
		return v, err
	}
	if v.Down = t.at.Sub(tk.OpenedAt); tk.State == ticket.Done {
		v.Down = tk.ResolvedAt.Sub(tk.OpenedAt)
	}
	v.Changes = linkViews(tk, facts.Changes)
	if tk.Article != 0 {
		found, err := t.tx.Articles(ctx, tk.Article)
		if err != nil {
			return v, err
		}
		v.Article = found[tk.Article]
	}
	if tk.Follows != 0 {
		before, err := t.tx.Ticket(ctx, tk.Follows)
		if err != nil {
			return v, err
		}
		v.Follows = before.Ref()
	}
	return v, nil
}

// trail is with whom a ticket has been, in words.
func (t *turn) trail(ctx context.Context, tk ticket.Ticket) (string, error) {
	trail, err := t.tx.Trail(ctx, tk.ID)
	if err != nil {
		return "", err
	}
	names, err := t.tx.People(ctx, trail.People()...)
	return trail.Words(func(id people.TeamID) string { return t.rules.team(id).Name }, func(id people.PersonID) string { return names[id].Name }), err
}

// GiveUp tells somebody that what she did could not be worked on. The event
// itself is kept with the dead letters.
func (d *Desk) GiveUp(ctx context.Context, tx *storage.Tx, ev chat.Event, cause error) error {
	t, err := d.turn(ctx, tx, ev)
	if err != nil {
		return err
	}
	if ev.Kind != chat.Said && ev.Kind != chat.Pressed && ev.Kind != chat.Commanded {
		return nil
	}
	t.ev.InCall = false
	return t.private(ctx, "Something went wrong on my side, so I could not do this. Nothing you wrote is lost: it is kept for the people who run me. Please try again, or tell them directly if it is urgent.")
}
