package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// In a chat without threads nothing shows what a message belongs to. The desk
// goes by what a listener would: what was quoted, else what was just being
// talked of. It says where a message went when that isn't plain, and takes it
// back at one press.
const (
	// answersFor is how long a message is taken for the answer to what the team
	// has said of a ticket.
	answersFor = 24 * time.Hour
	// goesOnFor is how long somebody is taken to go on with a ticket that they
	// have just written on; after a pause of plainFor that is said aloud.
	goesOnFor = 30 * time.Minute
	plainFor  = 5 * time.Minute
	// asksOnFor is the same for a question that has no ticket yet.
	asksOnFor = 5 * time.Minute
)

// ways are the platform's; those of Slack in a desk that isn't connected to it.
func (d *Desk) ways(platform string) chat.Ways {
	if p := d.platforms[platform]; p != nil {
		return p.Ways()
	}
	return chat.Ways{Command: "/desk ", Reactions: true}
}

// talked is the thread that a message in a flat chat belongs to; ErrNotFound:
// a new one.
func (t *turn) talked(ctx context.Context) (storage.Thread, error) {
	ev := t.ev
	if ev.Place.Thread != "" {
		th, err := t.tx.ThreadOf(ctx, ev.By.Platform, ev.By.Workspace, ev.Place.Channel, ev.Place.Thread)
		if !errors.Is(err, storage.ErrNotFound) {
			return th, err
		}
		if err := t.sureOfQuote(ctx); err != nil {
			return th, err
		}
	}
	talk, err := t.tx.TalkWith(ctx, ev.By.Platform, ev.By.Workspace, t.chatOf(ev), ev.By.ID)
	if err != nil {
		return storage.Thread{}, err
	}
	th, err := t.tx.Thread(ctx, talk.Thread)
	if err != nil {
		return th, err
	}
	since := t.at.Sub(talk.At)
	if th.Ticket == 0 {
		if since > asksOnFor {
			err = storage.ErrNotFound
		}
		return th, err
	}
	tk, err := t.tx.Ticket(ctx, th.Ticket)
	if err != nil {
		return th, err
	}
	t.goesOn = !talk.ByTeam && since <= plainFor
	thanked := smallTalk(ev.Text) == thanks
	switch {
	case tk.State == ticket.Done && !thanked:
		// A new trouble must not reopen an old ticket; the question's card names
		// it, and its own card has the button.
		return th, storage.ErrNotFound
	case talk.ByTeam && since <= answersFor, since <= goesOnFor, thanked && since <= answersFor:
		return th, nil
	}
	return th, storage.ErrNotFound
}

// sureOfQuote fails if the message that is quoted may be one of the desk's that
// is shown already and of which the id is not on record yet: the event is tried
// again in a second, for whoever answers quickly must be heard.
func (t *turn) sureOfQuote(ctx context.Context) error {
	if t.at.Sub(t.ev.At) > justSent {
		return nil
	}
	delivering, err := t.tx.Delivering(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.ev.By.ID)
	if err == nil && delivering {
		err = errors.New("it may quote a message of the desk's that is just being sent")
	}
	return err
}

// chatOf is the channel under which talk is kept: none for direct messages.
func (t *turn) chatOf(ev chat.Event) string {
	if ev.Scope == chat.Direct {
		return ""
	}
	return ev.Place.Channel
}

// talks notes that the actor is talking in a thread of a flat chat.
func (t *turn) talks(ctx context.Context, in storage.Thread) error {
	if !t.ev.Flat {
		return nil
	}
	return t.tx.SetTalk(ctx, storage.Talk{Platform: in.Platform, Workspace: in.Workspace, Channel: t.chatOf(t.ev), User: t.ev.By.ID,
		Thread: in.ID, At: t.at})
}

// endTalk has the next message of a flat chat begin something new.
func (t *turn) endTalk(ctx context.Context) error {
	if !t.ev.Flat {
		return nil
	}
	return t.tx.EndTalk(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.chatOf(t.ev), t.ev.By.ID)
}

// flat tells whether a thread is one of a chat that shows none.
func (t *turn) flat(th storage.Thread) bool {
	return th.Scope != string(chat.Open) && t.desk.ways(th.Platform).FlatChats
}

// talkedTo notes that the team has said something in a requester's thread.
func (t *turn) talkedTo(ctx context.Context, th storage.Thread) error {
	if th.User == "" || th.Side != string(storage.RequesterSide) || !t.flat(th) {
		return nil
	}
	return t.tx.SetTalk(ctx, storage.Talk{Platform: th.Platform, Workspace: th.Workspace, User: th.User, Thread: th.ID, At: t.at, ByTeam: true})
}

// wentTo says where a message of a flat chat has gone, if it was not a quote
// and does not just follow another that went there.
func (t *turn) wentTo(ctx context.Context, th storage.Thread, tk ticket.Ticket, m storage.Message) error {
	if !t.ev.Flat || t.ev.Place.Thread != "" {
		return nil
	}
	if t.goesOn {
		// With the question that became the ticket nothing has been said on it yet:
		// what comes next may well be another question.
		said, err := t.tx.Conversation(ctx, tk.ID, 30)
		if err != nil || slices.ContainsFunc(said, func(o storage.Message) bool { return o.ID != m.ID && o.Author == m.Author }) {
			return err
		}
	}
	to := t.rules.team(tk.Team).Name
	if tk.Owner != 0 {
		owner, err := t.tx.People(ctx, tk.Owner)
		if err != nil {
			return err
		}
		to = owner[tk.Owner].Name
	}
	text := fmt.Sprintf("Passed on to %s for %s.", to, tk.Ref())
	return t.sayIn(ctx, th, chat.Card{Text: text, Blocks: []chat.Block{
		chat.Note{Text: chat.T(text)},
		chat.Actions{Buttons: []chat.Button{{Label: "It's something else", Action: cards.Elsewhere,
			Args: chat.Args{"m": strconv.FormatInt(int64(m.ID), 10)}}}},
	}})
}

// elsewhere takes a message back from the ticket it went to and answers it as
// a question of its own.
func (t *turn) elsewhere(ctx context.Context) error {
	m, err := t.tx.MessageByID(ctx, storage.MessageID(t.id("m")))
	if err != nil {
		return orUnknown(err, "message")
	}
	switch {
	case m.Author != t.who.ID:
		return &ticket.RefusedError{Step: "take back", Reason: "somebody else wrote it"}
	case m.DeletedAt != nil:
		return nil // a second click
	}
	text := m.Body
	if err := t.replaceMessage(ctx, m, "", true, t.at); err != nil {
		return err
	}
	if err := t.settle(ctx, "Taken back. I look for an answer instead."); err != nil {
		return err
	}
	th, err := t.tx.OpenThread(ctx, storage.Thread{Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, Channel: t.ev.Place.Channel,
		User: t.ev.By.ID, Scope: string(t.ev.Scope), Side: string(storage.RequesterSide)})
	if err != nil {
		return err
	}
	if err := t.talks(ctx, th); err != nil {
		return err
	}
	return t.askIn(ctx, th, text, true)
}
