package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

// turn is one event on its way through a flow.
type turn struct {
	desk        *Desk
	tx          *storage.Tx
	ev          chat.Event
	who         people.Actor
	account     storage.Account
	rules       *rules
	at          time.Time
	due         time.Time // of what the desk does by itself: when it was to be done
	answer      chat.Answer
	calm        ticket.ID         // of whose promises nobody had been told anything when it was locked
	facts       storage.CardFacts // of what is drawn, as far as it has been read
	unseen      *storage.Outage   // see whyLate
	itemsEdited bool              // within this transaction
	advice      *kb.Advice        // nil until somebody was asked for it
	named       []string          // who is mentioned in what was said
	goesOn      bool              // in a flat chat, and plainly so, with what was said before
}

func (d *Desk) turn(ctx context.Context, tx *storage.Tx, ev chat.Event) (*turn, error) {
	r, err := d.rulesIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	t := &turn{desk: d, tx: tx, ev: ev, rules: r, at: d.now()}
	t.who, t.account, err = tx.Actor(ctx, ev.By.Platform, ev.By.Workspace, ev.By.ID)
	return t, err
}

// via is from where the actor acts, for the audit record.
func (t *turn) via() string {
	switch {
	case t.ev.By.ID == "":
		return "the desk"
	case t.ev.By.Platform == pipelines:
		return "pipeline " + t.ev.By.ID
	}
	where := t.ev.Place.Channel
	switch t.ev.Scope {
	case chat.Direct:
		where = "direct message"
	case chat.Open, chat.Group:
		for _, c := range t.rules.channels {
			if c.Channel == where && c.Platform == t.ev.By.Platform {
				where = "#" + c.Name
			}
		}
	}
	if where == "" {
		where = "home"
	}
	return t.ev.By.Platform + ", " + where
}

// body is what a post says that is not a living card.
type body struct {
	Card   chat.Card        `json:"card,omitzero"`
	Words  bool             `json:"words,omitempty"` // in place of Card: those of the message that it passes on
	As     *chat.Persona    `json:"as,omitempty"`
	Files  []storage.FileID `json:"files,omitempty"`
	Emoji  string           `json:"emoji,omitempty"`
	Target string           `json:"target,omitempty"`
	Reply  string           `json:"reply,omitempty"`
	Thread string           `json:"thread,omitempty"` // of a whisper, where no thread is on record
}

func (b body) bytes() []byte {
	out, err := json.Marshal(b)
	if err != nil {
		panic(fmt.Sprintf("bot: a post that can't be stored: %v", err)) // only for a block of a kind that chat doesn't have
	}
	return out
}

// say posts words in a thread.
func (t *turn) say(ctx context.Context, in storage.ThreadID, c chat.Card) error {
	return t.tx.Send(ctx, storage.Post{
		Kind: string(chat.Message), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace,
		Thread: in, Body: body{Card: c}.bytes(),
	}, storage.LaneReply, t.at)
}

// sayIn posts a card in a thread that may be on another platform.
func (t *turn) sayIn(ctx context.Context, in storage.Thread, c chat.Card) error {
	return t.tx.Send(ctx, storage.Post{
		Kind: string(chat.Message), Platform: in.Platform, Workspace: in.Workspace,
		Thread: in.ID, Opened: in.Root != "", Body: body{Card: c}.bytes(),
	}, storage.LaneReply, t.at)
}

// card posts a living card in a thread, as its first message if root.
func (t *turn) card(ctx context.Context, in storage.Thread, name string, subject int64, root bool) error {
	return t.tx.Send(ctx, storage.Post{
		Kind: string(chat.Message), Platform: in.Platform, Workspace: in.Workspace,
		Thread: in.ID, Root: root, Opened: in.Root != "", Card: name, Subject: subject, Unsought: t.unsought(in.Platform),
	}, storage.LaneReply, t.at)
}

// unsought tells whether nobody asks on a platform which of the cards of
// tickets and questions, and of the words passed on, it is that stands somewhere:
// their threads say enough, and everybody sees the same. Of a platform to which
// another process alone is connected nobody can say so here.
func (t *turn) unsought(platform string) bool {
	p := t.desk.platforms[platform]
	if p == nil {
		return false
	}
	w := p.Ways()
	return !w.FlatChats && !w.Views
}

// private answers the actor alone: within the call if the platform waits, else
// with a message that only she sees.
func (t *turn) private(ctx context.Context, text string) error {
	return t.privately(ctx, cards.Say(text))
}

func (t *turn) privately(ctx context.Context, c chat.Card) error {
	if t.ev.InCall {
		t.answer.Private = &c
		return nil
	}
	p := storage.Post{Kind: string(chat.Whisper), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace,
		Channel: t.ev.Place.Channel, User: t.ev.By.ID,
		Body: body{Card: c, Reply: t.ev.Reply, Thread: t.ev.Place.Thread}.bytes()}
	if p.Channel == "" || t.ev.Scope == chat.Direct {
		// In their own direct messages, and from the home, all is private.
		p.Kind = string(chat.Message)
		if th, err := t.thread(ctx); err == nil {
			p.Thread, p.Channel, p.User = th.ID, "", ""
		}
	}
	return t.tx.Send(ctx, p, storage.LaneReply, t.at)
}

// direct writes to a person's direct messages on the platform last used there.
func (t *turn) direct(ctx context.Context, to people.PersonID, c chat.Card) error {
	accounts, err := t.tx.Accounts(ctx, to)
	if err != nil || len(accounts) == 0 {
		return err
	}
	return t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: accounts[0].Platform,
		Workspace: accounts[0].Workspace, User: accounts[0].UserID, Body: body{Card: c}.bytes()}, storage.LaneReply, t.at)
}

// react puts an emoji on the message of the event. Where the desk can't, it
// says the words instead; without words nothing.
func (t *turn) react(ctx context.Context, emoji, words string) error {
	if !t.desk.ways(t.ev.By.Platform).Reactions {
		if words == "" {
			return nil
		}
		return t.private(ctx, words)
	}
	return t.tx.Send(ctx, storage.Post{Kind: string(chat.React), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace,
		Channel: t.ev.Place.Channel, Body: body{Emoji: emoji, Target: t.ev.Message}.bytes()}, storage.LaneReply, t.at)
}

// thread is the one that the event happened in; storage.ErrNotFound if the
// desk has no part in it.
func (t *turn) thread(ctx context.Context) (storage.Thread, error) {
	if t.ev.Flat {
		return t.tx.ThreadOf(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, cmp.Or(t.ev.Message, t.ev.Place.Thread))
	}
	root := t.ev.Place.Thread
	if root == "" {
		root = t.ev.Message
	}
	return t.tx.FindThread(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, root)
}

// openThread is the thread of the event, recorded if it is new.
func (t *turn) openThread(ctx context.Context, side storage.Side) (storage.Thread, error) {
	th := storage.Thread{Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, Channel: t.ev.Place.Channel,
		Root: t.ev.Place.Thread, Scope: string(t.ev.Scope), Side: string(side)}
	if th.Root == "" || t.ev.Flat {
		th.Root = t.ev.Message
	}
	if t.ev.Scope == chat.Direct {
		th.User = t.ev.By.ID
	}
	th, err := t.tx.OpenThread(ctx, th)
	if err != nil {
		return th, err
	}
	return th, t.talks(ctx, th)
}

// directThread is a new thread in somebody's direct messages, which the desk's
// next message will begin.
func (t *turn) directThread(ctx context.Context, a storage.Account) (storage.Thread, error) {
	return t.tx.OpenThread(ctx, storage.Thread{Platform: a.Platform, Workspace: a.Workspace, User: a.UserID,
		Scope: string(chat.Direct), Side: string(storage.RequesterSide)})
}

// id reads an argument that names something by number; 0 if it is not there.
func (t *turn) id(key string) int64 {
	n, err := strconv.ParseInt(t.ev.Args[key], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// ticket is the one that the button or form is about, locked.
func (t *turn) ticket(ctx context.Context) (ticket.Ticket, error) {
	tk, err := t.tx.TicketForUpdate(ctx, ticket.ID(t.id("t")))
	return tk, orUnknown(err, "ticket")
}

// orUnknown makes a refusal of what a button or form names and the record has
// not: trying again would not help.
func orUnknown(err error, what string) error {
	if errors.Is(err, storage.ErrNotFound) {
		return &ticket.RefusedError{Step: "find", Reason: "there is no such " + what}
	}
	return err
}

// worker is ticket for steps that only the team may take.
func (t *turn) worker(ctx context.Context, step string) (ticket.Ticket, error) {
	tk, err := t.ticket(ctx)
	if err == nil {
		err = t.mayWork(tk, step)
	}
	return tk, err
}

func (t *turn) mayWork(tk ticket.Ticket, step string) error {
	if t.who.MayWork(tk.Team) {
		return nil
	}
	return &ticket.RefusedError{Step: step, Reason: "only " + t.rules.team(tk.Team).Name + " can, and you are not in that team"}
}

// taker is worker for steps that change only who has a ticket.
func (t *turn) taker(ctx context.Context, step string) (ticket.Ticket, error) {
	tk, calm, err := t.tx.CalmForUpdate(ctx, ticket.ID(t.id("t")))
	if err != nil {
		return tk, orUnknown(err, "ticket")
	}
	if calm {
		t.calm = tk.ID
	}
	return tk, t.mayWork(tk, step)
}

// save stores a step of a ticket and has its cards drawn anew, wherever they
// are.
func (t *turn) save(ctx context.Context, was, is ticket.Ticket, ev ticket.Event) (ticket.Ticket, error) {
	is, err := t.tx.SaveTicket(ctx, was, is, ev, t.via())
	if err != nil {
		return is, err
	}
	if err := t.kept(ctx, was, is, ev); err != nil {
		return is, err
	}
	if err := t.outageStep(ctx, was, is); err != nil {
		return is, err
	}
	if err := t.tx.Redraw(ctx, int64(is.ID), t.at, cards.TriageCard, cards.StatusCard, cards.FixedCard); err != nil {
		return is, err
	}
	if is.State == ticket.InProgress && was.State != is.State && is.Owner == was.Owner {
		// It goes on, and whoever had it may have gone.
		if err := t.freeIfAway(ctx, is); err != nil {
			return is, err
		}
	}
	return is, t.redrawHomes(ctx, was.Owner, is.Owner, is.Requester)
}

// refuse tells why a step can't be taken, and has the card brought up to date:
// it may be an old one.
func (t *turn) refuse(ctx context.Context, r *ticket.RefusedError) error {
	text := fmt.Sprintf("I can't %s that: %s.", r.Step, r.Reason)
	if r.Owner != 0 && r.Owner != t.who.ID && (r.Step == "claim" || r.Step == "take") {
		people, err := t.tx.People(ctx, r.Owner)
		if err != nil {
			return err
		}
		text = fmt.Sprintf("%s took it %s before you.", people[r.Owner].Name, ago(t.at.Sub(r.Since)))
	}
	if id := t.id("t"); id != 0 {
		if err := t.tx.Redraw(ctx, id, t.at, cards.TriageCard, cards.StatusCard, cards.FixedCard); err != nil {
			return err
		}
	}
	return t.private(ctx, text)
}

// ago is a length of time as one would say it.
func ago(d time.Duration) string {
	plural := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return strconv.Itoa(n) + " " + unit + "s"
	}
	switch {
	case d < time.Second:
		return "a moment"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return plural(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return plural(int(d.Hours()), "hour")
	}
	return plural(int(d.Hours()/24), "day")
}
