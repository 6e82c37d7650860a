package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Limits of what a form takes, in characters.
const (
	mostTitle  = 150
	mostDetail = 3000
	mostNote   = 1000
	mostWhy    = 200
	mostRemark = 300
)

// tooLong refuses a field that has more than most characters. Chat clients stop
// at the limit while one types; what comes from elsewhere is told here.
func (t *turn) tooLong(field string, most int) bool {
	n := utf8.RuneCountInString(t.ev.Values.One(field))
	if n <= most {
		return false
	}
	if t.answer.Errors == nil {
		t.answer.Errors = map[string]string{}
	}
	t.answer.Errors[field] = fmt.Sprintf("That is %d characters; %d fit here. Put the rest into the thread.", n, most)
	return true
}

// draft is the ticket that a button or form is about to open: from a question,
// from a message, or from nothing.
func (t *turn) draft(ctx context.Context) (cards.Draft, *storage.Question, error) {
	d := cards.Draft{Kind: ticket.Kind(t.ev.Args["k"]), ForOther: t.who.Agent(), Source: chat.Args{}}
	for _, key := range []string{"c", "m", "th", "s", "x", "for", "r"} {
		if v, ok := t.ev.Args[key]; ok {
			d.Source[key] = v
		}
	}
	text := d.Source["x"]
	var q *storage.Question
	if id := t.id("q"); id != 0 {
		found, err := t.question(ctx)
		if err != nil {
			return d, nil, err
		}
		q, d.Question, text = &found, id, found.Text
	}
	d.For = d.Source["for"]
	d.Title = cards.Title(text)
	if strings.TrimSpace(text) != d.Title {
		d.Detail = text
	}
	if r, ok := t.requestable(d.Source["r"]); ok {
		d.Title, d.Detail, d.Wanted, d.About = r.Name, text, strings.TrimSpace(r.Name+". "+r.Description), about(r.Service, r.Category)
		return d, q, nil
	}
	d.Guess = t.likely(text, true)
	d.About = d.Guess.About
	return d, q, nil
}

// open begins opening a ticket: is something broken, or needed?
func (t *turn) open(ctx context.Context) error {
	d, q, err := t.draft(ctx)
	if err != nil {
		return err
	}
	if q != nil && q.Ticket != 0 {
		return t.alreadyOpen(ctx, q.Ticket)
	}
	f := cards.ChooseKind(d)
	t.answer.Form = &f
	return nil
}

func (t *turn) alreadyOpen(ctx context.Context, id ticket.ID) error {
	tk, err := t.tx.Ticket(ctx, id)
	if err != nil {
		return err
	}
	return t.private(ctx, "This is "+tk.Ref()+" already. Write in its thread to add something.")
}

// openBlank is the same from the slash command.
func (t *turn) openBlank(context.Context) error {
	f := cards.ChooseKind(cards.Draft{ForOther: t.who.Agent()})
	t.answer.Form = &f
	return nil
}

// openFrom is the same from the message menu: whoever wrote the message is the
// requester.
func (t *turn) openFrom(ctx context.Context) error {
	if th, err := t.thread(ctx); err == nil && th.Ticket != 0 {
		return t.alreadyOpen(ctx, th.Ticket)
	}
	text := t.readable(ctx, t.ev.Text)
	d := cards.Draft{ForOther: true, Title: cards.Title(text), Source: chat.Args{
		"c": t.ev.Place.Channel, "m": t.ev.Message, "th": t.ev.Place.Thread, "s": string(t.ev.Scope), "x": clipArg(text)}}
	if t.ev.Author.ID != t.ev.By.ID && t.ev.Author.ID != "" {
		d.Source["for"] = t.ev.Author.ID
	}
	f := cards.ChooseKind(d)
	t.answer.Form = &f
	return nil
}

// openKind has learnt the kind: what is open already comes first, then the
// form.
func (t *turn) openKind(ctx context.Context) error {
	d, _, err := t.draft(ctx)
	if err != nil {
		return err
	}
	if d.Kind != ticket.Incident && d.Kind != ticket.Request {
		d.Kind = ""
		f := cards.ChooseKind(d)
		t.answer.Form = &f
		return nil
	}
	like, err := t.alike(ctx, d)
	if err != nil {
		return err
	}
	if len(like) > 0 {
		f := cards.Duplicates(d, like)
		t.answer.Form = &f
		return nil
	}
	return t.openForm(ctx, d)
}

// openOther goes on after "it is different".
func (t *turn) openOther(ctx context.Context) error {
	d, _, err := t.draft(ctx)
	if err != nil {
		return err
	}
	return t.openForm(ctx, d)
}

func (t *turn) openForm(_ context.Context, d cards.Draft) error {
	if kept := t.ev.Values; kept.One("title") != "" { // a form of this kind was closed half-filled
		d.Title, d.Detail = kept.One("title"), kept.One("detail")
		d.Impact, d.Urgency = ticket.Impact(kept.One("impact")), ticket.Urgency(kept.One("urgency"))
		if s := kept.One("service"); s != "" && s != d.About {
			d.About, d.Guess = s, cards.Guess{}
		}
	}
	if d.Guess.About != "" {
		d.Guess.Arg = guessArg(d.Guess)
	}
	f := cards.OpenForm(d, t.rules.aboutOptions())
	t.answer.Form = &f
	return nil
}

// openAdd adds what was asked to a ticket that is open already.
func (t *turn) openAdd(ctx context.Context) error {
	tk, err := t.ticket(ctx)
	if err != nil {
		return err
	}
	d, q, err := t.draft(ctx)
	if err != nil {
		return err
	}
	mine := tk.Requester == t.who.ID
	if !mine && !(tk.Kind == ticket.Incident && (tk.Impact == ticket.MySite || tk.Impact == ticket.Customers)) {
		return &ticket.RefusedError{Step: "add to", Reason: "it is somebody else's"}
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "add to", Reason: "it has been resolved meanwhile"}
	}
	text := strings.TrimSpace(d.Detail)
	if text == "" {
		text = d.Title
	}
	lead := "Added from another question: "
	if !mine {
		lead = "Me too: "
	}
	if err := t.tell(ctx, tk, storage.TeamSide, t.who.Person, lead+text); err != nil {
		return err
	}
	if err := t.tx.Audit(ctx, storage.Step{At: t.at, Action: "added", Person: t.who.ID, Via: t.via(), Subject: storage.OfTicket,
		SubjectID: int64(tk.ID), Note: text}); err != nil {
		return err
	}
	if q != nil && q.Ticket == 0 {
		if err := t.endWithTicket(ctx, *q, storage.WentTicket, tk.ID); err != nil {
			return err
		}
	}
	if !mine {
		if err := t.tx.Affect(ctx, tk.ID, t.who.ID, true, storage.QuestionID(t.id("q")), t.via(), t.at); err != nil {
			return err
		}
		if err := t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard); err != nil {
			return err
		}
		// Its card, kept current, in their own direct messages.
		th, err := t.directThread(ctx, t.account)
		if err != nil {
			return err
		}
		if err := t.card(ctx, th, cards.StatusCard, int64(tk.ID), true); err != nil {
			return err
		}
	}
	f := cards.Added(tk, mine)
	t.answer.Form = &f
	return nil
}

// openSend opens the ticket that the form describes.
func (t *turn) openSend(ctx context.Context) error {
	d, q, err := t.draft(ctx)
	if err != nil {
		return err
	}
	v := t.ev.Values
	wrong := map[string]string{}
	title := knowledge.HideSecrets(strings.Join(strings.Fields(v.One("title")), " "))
	detail := knowledge.HideSecrets(strings.TrimSpace(v.One("detail")))
	switch n := len([]rune(title)); {
	case n == 0:
		wrong["title"] = "Please say in a few words what it is."
	case n > mostTitle:
		wrong["title"] = "That is " + strconv.Itoa(n) + " characters; " + strconv.Itoa(mostTitle) + " fit here. The rest goes into “Anything else?”."
	}
	if n := len([]rune(detail)); n > mostDetail {
		wrong["detail"] = "That is " + strconv.Itoa(n) + " characters; " + strconv.Itoa(mostDetail) + " fit here. Put the rest into the thread."
	}
	impact, urgency := ticket.Impact(v.One("impact")), ticket.Urgency(v.One("urgency"))
	if !slices.Contains(ticket.Impacts, impact) {
		wrong["impact"] = "Please choose who is affected."
	}
	if !slices.Contains(ticket.Urgencies, urgency) {
		wrong["urgency"] = "Please choose by when it hurts more."
	}
	service, category, _ := strings.Cut(v.One("service"), "/")
	if service != "" {
		if _, _, ok := t.rules.offered(v.One("service")); !ok {
			wrong["service"] = "This service is not offered any more. Please choose another."
		}
	}
	requester, account, err := t.requester(ctx, d)
	if errors.Is(err, storage.ErrNotFound) {
		wrong["person"] = "I don't know this account yet. Please try again in a moment."
	} else if err != nil {
		return err
	}
	if d.Kind != ticket.Incident && d.Kind != ticket.Request {
		wrong["title"] = "Please close this form and begin again: it does not say whether something is broken or needed."
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if q != nil && q.Ticket != 0 {
		return t.alreadyOpen(ctx, q.Ticket)
	}
	if q != nil && strings.TrimSpace(q.Text) != title && strings.TrimSpace(q.Text) != detail {
		detail = strings.TrimSpace(detail + "\n\n" + "Asked: " + q.Text)
	}
	th, root, taken, err := t.ticketThread(ctx, d, q, account)
	if err != nil {
		return err
	}
	if taken != 0 {
		return t.alreadyOpen(ctx, taken)
	}
	tk := ticket.Ticket{Kind: d.Kind, Title: title, Detail: detail, Requester: requester.ID, Author: t.who.ID,
		Service: service, Category: category, Impact: impact, Urgency: urgency}
	wanted, known := t.requestable(d.Source["r"])
	if known && wanted.Team != "" && t.ev.Values.One("service") == about(wanted.Service, wanted.Category) {
		tk.Team = t.rules.teamOf(wanted.Team)
	}
	if tk, err = t.openTicket(ctx, tk, t.readGuess(t.ev.Args["g"]), true, th, root, q, storage.WentTicket); err != nil || !known {
		return err
	}
	return t.tx.Requested(ctx, tk.ID, wanted.Slug, storage.QuestionID(d.Question), t.who.ID, t.via(), t.at)
}

// requester is whose ticket the form opens, and where to reach her.
func (t *turn) requester(ctx context.Context, d cards.Draft) (people.Actor, storage.Account, error) {
	id := t.ev.Values.One("person")
	if id == "" {
		id = d.For
	}
	if id == "" || id == t.ev.By.ID {
		return t.who, t.account, nil
	}
	return t.tx.Actor(ctx, t.ev.By.Platform, t.ev.By.Workspace, id)
}

// ticketThread is where the requester will find the ticket: where she asked,
// under the message it began with, or in her direct messages (root: the card
// begins the thread). taken is the ticket that the message has become already.
func (t *turn) ticketThread(ctx context.Context, d cards.Draft, q *storage.Question, a storage.Account) (th storage.Thread, root bool, taken ticket.ID, err error) {
	switch {
	case q != nil && q.Thread != 0:
		th, err = t.tx.Thread(ctx, q.Thread)
	case d.Source["m"] != "":
		th = storage.Thread{Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, Channel: d.Source["c"],
			Root: d.Source["th"], Scope: d.Source["s"], Side: string(storage.RequesterSide)}
		if th.Root == "" {
			th.Root = d.Source["m"]
		}
		th, err = t.tx.OpenThread(ctx, th)
	default:
		th, err = t.directThread(ctx, a)
		return th, true, 0, err
	}
	return th, false, th.Ticket, err
}

// openTicket stores a ticket and tells both sides: its card goes into the
// requester's thread and into the team's channel. guess is what it was taken to
// be about, and asked whether anybody could say otherwise. A ticket that has its
// team already goes there.
func (t *turn) openTicket(ctx context.Context, tk ticket.Ticket, guess cards.Guess, asked bool, th storage.Thread, root bool, q *storage.Question, outcome storage.Outcome) (ticket.Ticket, error) {
	queue, guessed := t.queueFor(tk, guess, asked)
	if tk.Team != 0 { // that of what is requested
		queue, guessed = t.rules.queueOf(tk.Team, tk.Kind), storage.Prediction{}
	}
	tk.Queue, tk.Team = queue.ID, queue.Team
	tk, ev, err := ticket.Open(tk, t.rules.matrix, t.at)
	if err != nil {
		return tk, err
	}
	if tk, err = t.tx.OpenTicket(ctx, tk, ev, t.via()); err != nil {
		return tk, err
	}
	if err := t.predicted(ctx, tk.ID, guessed); err != nil {
		return tk, err
	}
	if err := t.promised(ctx, tk); err != nil {
		return tk, err
	}
	if err := t.suspect(ctx, tk); err != nil {
		return tk, err
	}
	if err := t.countCost(ctx, tk, nil); err != nil {
		return tk, err
	}
	if err := t.tx.LinkThread(ctx, th.ID, tk.ID); err != nil {
		return tk, err
	}
	if err := t.card(ctx, th, cards.StatusCard, int64(tk.ID), root); err != nil {
		return tk, err
	}
	if err := t.triage(ctx, tk); err != nil {
		return tk, err
	}
	if tk, err = t.entrust(ctx, tk); err != nil {
		return tk, err
	}
	if q != nil {
		if err := t.endWithTicket(ctx, *q, outcome, tk.ID); err != nil {
			return tk, err
		}
	} else {
		before, err := t.beforehand(ctx, tk.Requester)
		if err != nil {
			return tk, err
		}
		if err := t.cameBack(ctx, before.Solved, tk.Title+"\n"+tk.Detail, storage.Question{}, tk.ID); err != nil {
			return tk, err
		}
	}
	if err := t.adopt(ctx, th, tk); err != nil {
		return tk, err
	}
	return tk, t.redrawHomes(ctx, tk.Requester)
}

// endWithTicket ends a question, and the others asked in the same thread, that
// have become a ticket.
func (t *turn) endWithTicket(ctx context.Context, q storage.Question, outcome storage.Outcome, id ticket.ID) error {
	all := []storage.Question{q}
	if q.Thread != 0 {
		others, err := t.tx.ThreadQuestions(ctx, q.Thread)
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.ID != q.ID && (o.Outcome == storage.StillOpen || o.Outcome == storage.Silent) {
				all = append(all, o)
			}
		}
	}
	for _, q := range all {
		q.Outcome, q.Ticket, q.Article = outcome, id, 0
		if _, err := t.tx.EndQuestion(ctx, q, t.who.ID, t.via(), t.at); err != nil {
			return err
		}
		if err := t.tx.ClearDue(ctx, questionSilent, int64(q.ID)); err != nil {
			return err
		}
		if err := t.tx.Redraw(ctx, int64(q.ID), t.at, cards.QuestionCard); err != nil {
			return err
		}
	}
	return nil
}

// triage puts a ticket's card into its team's channels, one on each platform,
// where its threads are the team's side of the conversation. Without a channel
// the ticket waits until one is chosen.
func (t *turn) triage(ctx context.Context, tk ticket.Ticket) error {
	for _, c := range t.rules.triage(tk.Team) {
		th, err := t.tx.OpenThread(ctx, storage.Thread{Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel,
			Scope: string(chat.Open), Side: string(storage.TeamSide), Ticket: tk.ID})
		if err != nil {
			return err
		}
		if err := t.card(ctx, th, cards.TriageCard, int64(tk.ID), true); err != nil {
			return err
		}
	}
	return nil
}

// person hands a question to a human at one press, without a form: what is
// known is enough to begin.
func (t *turn) person(ctx context.Context) error {
	q, err := t.question(ctx)
	if err != nil {
		return err
	}
	if q.Ticket != 0 {
		return t.alreadyOpen(ctx, q.Ticket)
	}
	th, root, taken, err := t.ticketThread(ctx, cards.Draft{}, &q, t.account)
	if err != nil {
		return err
	}
	if taken != 0 {
		return t.alreadyOpen(ctx, taken)
	}
	tk, guess := t.quick(q.Text, q.Person, q.Person)
	_, err = t.openTicket(ctx, tk, guess, false, th, root, &q, storage.WentPerson)
	return err
}

// quick is a ticket made of a text alone, and what it was taken to be about.
func (t *turn) quick(text string, requester, author people.PersonID) (ticket.Ticket, cards.Guess) {
	guess := t.likely(text, false)
	tk := ticket.Ticket{Kind: guessKind(text), Title: cards.Title(text), Requester: requester, Author: author, Impact: ticket.OnlyMe, Urgency: ticket.Today}
	tk.Service, tk.Category, _ = strings.Cut(guess.About, "/")
	if tk.Title == "" {
		tk.Title = "Help needed"
	}
	if strings.TrimSpace(text) != tk.Title {
		tk.Detail = text
	}
	return tk, guess
}

// guessKind is for the ways to a ticket that leave no room for the question.
// In doubt something is broken: that is the queue that is looked at first.
func guessKind(text string) ticket.Kind {
	words := wordsOf(text)
	joined := " " + strings.Join(words, " ") + " "
	for _, broken := range []string{" not ", " cant ", " cannot ", " wont ", " doesnt ", " isnt ", " broken ", " error ", " fails ", " failed ", " crash", " stuck ", " down ", " slow ", " lost "} {
		if strings.Contains(joined, broken) {
			return ticket.Incident
		}
	}
	for _, need := range []string{" i need ", " we need ", " need a ", " need an ", " need access ", " request ", " access to ", " new ", " order ", " could i get ", " can i get ",
		" can i have ", " could i have ", " please install ", " licence ", " license ", " would like "} {
		if strings.Contains(joined, need) {
			return ticket.Request
		}
	}
	return ticket.Incident
}

// reacted opens a ticket from the emoji that the policy names, once however
// often it is put there. The message's text has been looked up by Prepare.
func (t *turn) reacted(ctx context.Context) error {
	if t.ev.Emoji != t.rules.policy.Desk.Emoji || t.ev.Author.ID == "" {
		return nil
	}
	if t.who.Guest && t.ev.Author.ID != t.ev.By.ID {
		return nil
	}
	author, account, err := t.tx.Actor(ctx, t.ev.Author.Platform, t.ev.Author.Workspace, t.ev.Author.ID)
	if err != nil {
		return err
	}
	d := cards.Draft{Source: chat.Args{"c": t.ev.Place.Channel, "m": t.ev.Message, "th": t.ev.Place.Thread, "s": string(t.ev.Scope)}}
	th, root, taken, err := t.ticketThread(ctx, d, nil, account)
	if err != nil || taken != 0 {
		return err
	}
	questions, err := t.tx.ThreadQuestions(ctx, th.ID)
	if err != nil {
		return err
	}
	var q *storage.Question
	for i := range questions {
		if questions[i].Ticket == 0 {
			q = &questions[i]
			break
		}
	}
	tk, guess := t.quick(t.readable(ctx, t.ev.Text), author.ID, t.who.ID)
	_, err = t.openTicket(ctx, tk, guess, false, th, root, q, storage.WentTicket)
	return err
}

// mostArg is how much of a message travels in a form's arguments, in bytes as
// they are encoded: an angle bracket is six of them.
const mostArg = 600

func clipArg(s string) string {
	for n := mostArg; ; n = n * 3 / 4 {
		short := clip(s, n)
		if encoded, err := json.Marshal(short); err != nil || len(encoded) <= mostArg+2 || n < 40 {
			return short
		}
	}
}

// clip cuts s to at most n bytes at a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "…"
}
