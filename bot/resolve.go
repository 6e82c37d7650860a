package bot

import (
	"context"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

// resolve asks how a ticket was resolved.
func (t *turn) resolve(ctx context.Context) error {
	tk, err := t.worker(ctx, "resolve")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "resolve", Reason: "it is already resolved"}
	}
	used, err := t.usedArticle(ctx, tk)
	if err != nil {
		return err
	}
	f := cards.ResolveForm(tk, used)
	t.answer.Form = &f
	return nil
}

// usedArticle is the article that a ticket was answered with, as a choice.
func (t *turn) usedArticle(ctx context.Context, tk ticket.Ticket) (chat.Option, error) {
	id, err := t.tx.UsedArticle(ctx, tk.ID)
	if err != nil || id == 0 {
		return chat.Option{}, err
	}
	found, err := t.tx.Articles(ctx, id)
	if a, ok := found[id]; ok && a.ReadableBy(t.who.Groups()) {
		return articleOption(id, a.Title), err
	}
	return chat.Option{}, err
}

// search finds articles, or items, as somebody types.
func (t *turn) search(ctx context.Context) error {
	if t.ev.Action == cards.ItemField {
		return t.searchItems(ctx)
	}
	hits, err := t.desk.index.Search(ctx, kb.Query{Text: t.ev.Text, Groups: t.who.Groups(), Limit: 20})
	if err != nil {
		return err
	}
	for _, h := range hits {
		t.answer.Options = append(t.answer.Options, articleOption(h.Article, h.Title))
	}
	if !t.who.Agent() {
		return nil
	}
	// The index has what is published; an agent may link what is being written.
	drafts, err := t.tx.DraftsNamed(ctx, t.ev.Text, 5)
	if err != nil {
		return err
	}
	for _, a := range drafts {
		if t.sees(a) {
			o := articleOption(a.ID, a.Title)
			o.Hint = cards.Badge(a.State)
			t.answer.Options = append(t.answer.Options, o)
		}
	}
	return nil
}

// browse finds what somebody may want to show to others: articles that
// everybody may read, and tickets of their own.
func (t *turn) browse(ctx context.Context) error {
	const most = 10
	text := strings.TrimSpace(t.ev.Text)
	mine, err := t.tx.TicketsOf(ctx, t.who.ID, t.at.Add(-recentlyClosed), homeTickets)
	if err != nil {
		return err
	}
	if kind, number, ok := ticket.ParseRef(strings.ToLower(text)); ok {
		tk, err := t.tx.TicketByRef(ctx, kind, number)
		if err != nil || !t.maySee(tk) {
			return ignoreMissing(err)
		}
		mine, text = []ticket.Ticket{tk}, ""
	}
	for _, tk := range mine {
		if text != "" && !shareWords(telling(text), telling(tk.Title+" "+tk.Detail)) {
			continue
		}
		v, err := t.view(ctx, tk.ID)
		if err != nil {
			return err
		}
		t.answer.Finds = append(t.answer.Finds, cards.FoundTicket(v))
	}
	if text == "" {
		return nil
	}
	everybody := []string{knowledge.Everyone}
	hits, err := t.desk.index.Search(ctx, kb.Query{Text: text, Groups: everybody, Limit: most})
	if err != nil {
		return err
	}
	var ids []knowledge.ArticleID
	for _, h := range hits {
		ids = append(ids, h.Article)
	}
	found, err := t.tx.Articles(ctx, ids...)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if a, ok := found[id]; ok && a.State == knowledge.Published && a.ReadableBy(everybody) {
			t.answer.Finds = append(t.answer.Finds, cards.FoundArticle(a))
		}
	}
	return nil
}

func articleOption(id knowledge.ArticleID, title string) chat.Option {
	return chat.Option{Value: strconv.FormatInt(int64(id), 10), Label: clip(id.Ref()+" "+title, 75)}
}

func (t *turn) resolveSend(ctx context.Context) error {
	was, err := t.worker(ctx, "resolve")
	if err != nil {
		return err
	}
	resolution := strings.TrimSpace(t.ev.Values.One("resolution"))
	if resolution == "" {
		t.answer.Errors = map[string]string{"resolution": "Please say what fixed it. The requester reads it, and the next person."}
		return nil
	}
	if t.tooLong("resolution", mostDetail) {
		return nil
	}
	n, _ := strconv.ParseInt(t.ev.Values.One("article"), 10, 64)
	article := knowledge.ArticleID(n)
	if article != 0 {
		found, err := t.tx.Articles(ctx, article)
		if err != nil {
			return err
		}
		if a, ok := found[article]; !ok || !t.sees(a) {
			t.answer.Errors = map[string]string{"article": "This article is not there any more. Please choose another, or none."}
			return nil
		}
	}
	found, wrong, err := t.foundOut(ctx, was)
	if err != nil || len(wrong) > 0 {
		t.answer.Errors = wrong
		return err
	}
	is, ev, err := was.Resolve(t.who.ID, resolution, article, t.at)
	if err != nil {
		return err
	}
	if found.Title != "" {
		if err := t.recordFound(ctx, was, found); err != nil {
			return err
		}
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	if err := t.tx.SetDue(ctx, ticketClose, int64(is.ID), t.at.Add(t.rules.policy.Desk.CloseAfter.Value())); err != nil {
		return err
	}
	return t.eachThread(ctx, is, storage.RequesterSide, func(th storage.Thread) error {
		return t.card(ctx, th, cards.FixedCard, int64(is.ID), false)
	})
}

// requesters returns the ticket for steps that only its requester, or whoever
// opened it for her, may take.
func (t *turn) requesters(ctx context.Context, step string) (ticket.Ticket, error) {
	tk, err := t.ticket(ctx)
	if err != nil {
		return tk, err
	}
	if t.who.ID != tk.Requester && t.who.ID != tk.Author {
		p, err := t.tx.People(ctx, tk.Requester)
		if err != nil {
			return tk, err
		}
		return tk, &ticket.RefusedError{Step: step, Reason: "it is for " + p[tk.Requester].Name + " to say"}
	}
	return tk, nil
}

// yes closes a ticket: it is fixed.
func (t *turn) yes(ctx context.Context) error {
	was, err := t.requesters(ctx, "close")
	if err != nil {
		return err
	}
	if was.Closed() {
		return nil // a double click
	}
	is, ev, err := was.Close(t.who.ID, "", t.at)
	if err != nil {
		return err
	}
	if _, err := t.save(ctx, was, is, ev); err != nil {
		return err
	}
	return t.tx.ClearDue(ctx, ticketClose, int64(is.ID))
}

// no asks what is still wrong.
func (t *turn) no(ctx context.Context) error {
	tk, err := t.requesters(ctx, "reopen")
	if err != nil {
		return err
	}
	if tk.Closed() || tk.State != ticket.Done {
		_, _, err := tk.Reopen(t.who.ID, "", t.at)
		return err
	}
	f := cards.ReopenForm(tk)
	t.answer.Form = &f
	return nil
}

func (t *turn) noSend(ctx context.Context) error {
	tk, err := t.requesters(ctx, "reopen")
	if err != nil || t.tooLong("why", mostDetail) {
		return err
	}
	return t.reopen(ctx, tk, strings.TrimSpace(t.ev.Values.One("why")))
}

// reopen takes a resolved ticket up again and tells its owner.
func (t *turn) reopen(ctx context.Context, was ticket.Ticket, why string) error {
	is, ev, err := was.Reopen(t.who.ID, why, t.at)
	if err != nil {
		return err
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	if err := t.tx.ClearDue(ctx, ticketClose, int64(is.ID)); err != nil {
		return err
	}
	if err := t.countCostOf(ctx, is.ID); err != nil {
		return err
	}
	owner, err := t.tx.People(ctx, is.Owner)
	if err != nil {
		return err
	}
	after := " " + t.who.Name + " says that " + is.Ref() + " is not fixed."
	if why != "" {
		after += " “" + why + "”"
	}
	return t.eachThread(ctx, is, storage.TeamSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, t.mention(ctx, th, owner[is.Owner], "", after))
	})
}

// mention is a line that mentions a person, who is notified if she has an
// account where it is said.
func (t *turn) mention(ctx context.Context, th storage.Thread, p people.Person, before, after string) chat.Card {
	if p.ID == 0 {
		return cards.Say(strings.TrimSpace(before + after))
	}
	name := chat.B(p.Name)
	if at, err := t.accountOn(ctx, p.ID, th.Platform, th.Workspace); err == nil {
		name = chat.Rich{{User: at, Text: p.Name}}
	}
	line := chat.Join(chat.T(before), name, chat.T(after))
	return chat.Card{Text: strings.TrimSpace(line.Plain()), Blocks: []chat.Block{chat.Section{Text: line}}}
}

// rate keeps one of five faces.
func (t *turn) rate(ctx context.Context) error {
	was, err := t.requesters(ctx, "rate")
	if err != nil {
		return err
	}
	return t.rated(ctx, was, int(t.id("r")), was.Comment)
}

func (t *turn) rated(ctx context.Context, was ticket.Ticket, faces int, comment string) error {
	is, ev, err := was.Rate(faces, comment, t.who.ID, t.at)
	if err != nil {
		if was.Rating == faces && was.Comment == comment {
			return nil // a double click
		}
		return err
	}
	_, err = t.save(ctx, was, is, ev)
	return err
}

// remark asks for the one line.
func (t *turn) remark(ctx context.Context) error {
	tk, err := t.requesters(ctx, "rate")
	if err != nil {
		return err
	}
	f := cards.RemarkForm(tk)
	t.answer.Form = &f
	return nil
}

func (t *turn) remarkSend(ctx context.Context) error {
	was, err := t.requesters(ctx, "rate")
	if err != nil {
		return err
	}
	comment := strings.TrimSpace(t.ev.Values.One("comment"))
	if comment == "" {
		t.answer.Errors = map[string]string{"comment": "Please write a line, or press Cancel."}
		return nil
	}
	if t.tooLong("comment", mostRemark) {
		return nil
	}
	return t.rated(ctx, was, was.Rating, comment)
}

// tellLead passes a low rating on to the team's lead, because the requester
// wants it.
func (t *turn) tellLead(ctx context.Context) error {
	tk, err := t.requesters(ctx, "tell the lead about")
	if err != nil {
		return err
	}
	if tk.Rating == 0 {
		return &ticket.RefusedError{Step: "tell the lead about", Reason: "you have not said yet how it was"}
	}
	lead := t.rules.team(tk.Team).Lead
	if lead == 0 {
		return t.private(ctx, "This team has no lead on record. Please tell your IT admin.")
	}
	told, err := t.tx.OnceFor(ctx, storage.OfTicket, int64(tk.ID), "lead.told", t.who.ID, t.via(), t.at)
	if err != nil {
		return err
	}
	if told {
		v, err := t.view(ctx, tk.ID)
		if err != nil {
			return err
		}
		if err := t.direct(ctx, lead, cards.LowRating(v)); err != nil {
			return err
		}
	}
	names, err := t.tx.People(ctx, lead)
	if err != nil {
		return err
	}
	return t.private(ctx, names[lead].Name+" knows. Thank you for saying so.")
}
