package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// notePrefix keeps a line in the team's thread.
const notePrefix = "note:"

// talk is a message in a ticket's thread, from either side. The two threads
// are one conversation.
func (t *turn) talk(ctx context.Context, th storage.Thread) error {
	tk, err := t.tx.TicketForUpdate(ctx, th.Ticket)
	if err != nil {
		return err
	}
	if th.Side == string(storage.TeamSide) {
		return t.teamSays(ctx, th, tk)
	}
	return t.requesterSays(ctx, th, tk)
}

func (t *turn) requesterSays(ctx context.Context, th storage.Thread, tk ticket.Ticket) error {
	thanked := smallTalk(t.ev.Text) == thanks && len(t.ev.Files) == 0
	if thanked && tk.State == ticket.Done {
		// Thanks never reopen anything.
		return t.react(ctx, "+1", thanks.reply(t.who.FirstName()))
	}
	helper := t.who.ID != tk.Requester && t.who.MayWork(tk.Team)
	if tk.Closed() && !helper {
		return t.followUp(ctx, th, tk)
	}
	m, fresh, err := t.keep(ctx, th, tk.ID, t.readable(ctx, t.ev.Text), false)
	if err != nil || !fresh {
		return err
	}
	threads, err := t.tx.TicketThreads(ctx, tk.ID)
	if err != nil {
		return err
	}
	if err := t.passOn(ctx, threads, tk, storage.TeamSide, th, m); err != nil {
		return err
	}
	if helper { // an agent who answers where the requester asked
		return t.answered(ctx, tk)
	}
	if err := t.wentTo(ctx, th, tk, m); err != nil {
		return err
	}
	if err := t.talks(ctx, th); err != nil {
		return err
	}
	switch {
	case tk.State == ticket.Done:
		return t.reopen(ctx, tk, "")
	case tk.State == ticket.Waiting && tk.WaitsFor == ticket.ForRequester:
		is, ev, err := tk.Wake(t.who.ID, "the requester has answered", t.at)
		if err != nil {
			return err
		}
		if _, err = t.save(ctx, tk, is, ev); err != nil {
			return err
		}
	}
	return nil
}

func (t *turn) teamSays(ctx context.Context, th storage.Thread, tk ticket.Ticket) error {
	text := strings.TrimSpace(t.ev.Text)
	internal := len(text) >= len(notePrefix) && strings.EqualFold(text[:len(notePrefix)], notePrefix)
	outsider := !t.who.MayWork(tk.Team)
	m, fresh, err := t.keep(ctx, th, tk.ID, t.readable(ctx, text), internal || outsider)
	if err != nil || !fresh {
		return err
	}
	threads, err := t.tx.TicketThreads(ctx, tk.ID)
	if err != nil {
		return err
	}
	// A team that works on two platforms reads it in both.
	if err := t.passOn(ctx, threads, tk, storage.TeamSide, th, m); err != nil {
		return err
	}
	switch {
	case internal:
		return t.react(ctx, "lock", "Kept as a note for the team.")
	case outsider:
		return t.private(ctx, "You are not in "+t.rules.team(tk.Team).Name+", so I kept this as a note for the team and did not send it to the requester.")
	}
	if err := t.passOn(ctx, threads, tk, storage.RequesterSide, th, m); err != nil || t.who.ID == tk.Requester {
		return err
	}
	return t.answered(ctx, tk)
}

// keep stores a message of a ticket's conversation with its files.
func (t *turn) keep(ctx context.Context, th storage.Thread, id ticket.ID, text string, internal bool) (storage.Message, bool, error) {
	m, fresh, err := t.tx.AddMessage(ctx, storage.Message{
		Ticket: id, Thread: th.ID, Author: t.who.ID, Body: text, Internal: internal, Side: storage.Side(th.Side), SaidAt: t.ev.At,
		Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, Channel: t.ev.Place.Channel, External: t.ev.Message,
	}, t.via())
	if err != nil || !fresh {
		return m, fresh, err
	}
	for _, f := range t.ev.Files {
		source, err := json.Marshal(f)
		if err != nil {
			return m, fresh, err
		}
		state := storage.FileWanted
		if f.Size > mostFile {
			state = storage.FileTooBig
		}
		if _, err := t.tx.AddFile(ctx, storage.File{Message: m.ID, Name: f.Name, MIME: f.MIME, Size: f.Size, Source: source, State: state}); err != nil {
			return m, fresh, err
		}
		t.desk.filed.Store(true)
		if state == storage.FileTooBig {
			text := fmt.Sprintf("“%s” is %d MB. I can keep files up to %d MB, so it is not in the ticket. A link to it works too.",
				f.Name, f.Size>>20, mostFile>>20)
			if err := t.private(ctx, text); err != nil {
				return m, fresh, err
			}
		}
	}
	return m, fresh, nil
}

// passOn shows a message in those of a ticket's threads that are of one side, in
// the name of whoever wrote it, but not in the one that it was written in.
func (t *turn) passOn(ctx context.Context, threads []storage.Thread, tk ticket.Ticket, to storage.Side, from storage.Thread, m storage.Message) error {
	if strings.TrimSpace(m.Body) == "" {
		return nil // only files: they follow when they have been fetched
	}
	return t.eachOf(ctx, threads, tk, to, func(th storage.Thread) error {
		if th.ID == from.ID {
			return nil
		}
		card, err := t.spoken(ctx, m, th.Platform, th.Workspace)
		if err != nil {
			return err
		}
		as := t.persona()
		if t.flat(th) {
			as.Name += " · " + tk.Ref() // there is no thread to tell it by
		}
		if err := t.talkedTo(ctx, th); err != nil {
			return err
		}
		b := body{Card: card, As: as}
		if card.Says(m.Body) {
			b.Card, b.Words = chat.Card{}, true // they are on record once
		}
		return t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: th.Platform, Workspace: th.Workspace,
			Thread: th.ID, Opened: th.Root != "", Message: m.ID, Body: b.bytes(), Unsought: t.unsought(th.Platform)}, storage.LaneReply, t.at)
	})
}

// spoken is the message of the event as it is shown elsewhere: who is mentioned
// in it is mentioned there, if they have an account, and named if not.
func (t *turn) spoken(ctx context.Context, m storage.Message, platform, workspace string) (chat.Card, error) {
	if m.DeletedAt != nil {
		return chat.Card{Text: "This message was deleted by its author.",
			Blocks: []chat.Block{chat.Note{Text: chat.Rich{{Text: "This message was deleted by its author.", Italic: true}}}}}, nil
	}
	var failed error
	text := chat.MentionSpans(knowledge.HideSecrets(tidy(t.ev.Text)), func(id string) chat.Span {
		who, _, err := t.tx.Actor(ctx, t.ev.By.Platform, t.ev.By.Workspace, id)
		if err != nil {
			failed = errors.Join(failed, ignoreMissing(err))
			return chat.Span{Text: "@someone"}
		}
		at, err := t.accountOn(ctx, who.ID, platform, workspace)
		if err != nil {
			failed = errors.Join(failed, ignoreMissing(err))
			return chat.Span{Text: "@" + who.Name}
		}
		return chat.Span{User: at, Text: who.Name}
	})
	note := ""
	if m.Internal && m.Side == storage.TeamSide && len(text) > 0 {
		note = "Note for the team: "
		if first := text[0].Text; len(first) >= len(notePrefix) && strings.EqualFold(first[:len(notePrefix)], notePrefix) {
			text[0].Text = strings.TrimLeft(first[len(notePrefix):], " ")
		}
		text = chat.Join(chat.Rich{{Text: note, Italic: true}}, text)
	}
	if m.EditedAt != nil {
		text = chat.Join(text, chat.Rich{{Text: " (edited)", Italic: true}})
	}
	return chat.Card{Text: m.Body, Blocks: []chat.Block{chat.Section{Text: text}}}, failed
}

// accountOn is a person's account in a workspace; ErrNotFound if they have none
// there.
func (t *turn) accountOn(ctx context.Context, id people.PersonID, platform, workspace string) (chat.User, error) {
	accounts, err := t.tx.Accounts(ctx, id)
	if err != nil {
		return chat.User{}, err
	}
	for _, a := range accounts {
		if a.Platform == platform && a.Workspace == workspace {
			return chat.User{Platform: platform, Workspace: workspace, ID: a.UserID}, nil
		}
	}
	return chat.User{}, storage.ErrNotFound
}

func (t *turn) persona() *chat.Persona {
	return &chat.Persona{Name: t.who.Name, Avatar: t.account.Avatar}
}

// tell says something to one side in a person's name without it being a
// message of theirs.
func (t *turn) tell(ctx context.Context, tk ticket.Ticket, to storage.Side, who people.Person, text string) error {
	return t.eachThread(ctx, tk, to, func(th storage.Thread) error {
		return t.sayIn(ctx, th, chat.Card{Text: who.Name + ": " + text,
			Blocks: []chat.Block{chat.Section{Text: chat.B(who.Name)}, chat.Quote{Text: chat.T(text)}}})
	})
}

// followUp opens a new ticket that goes on from a closed one.
func (t *turn) followUp(ctx context.Context, th storage.Thread, old ticket.Ticket) error {
	text := t.readable(ctx, t.ev.Text)
	if text == "" {
		text = "A file about " + old.Ref()
	}
	tk := ticket.Ticket{Kind: old.Kind, Title: cards.Title(text), Detail: "After " + old.Ref() + " “" + old.Title + "”: " + text,
		Requester: t.who.ID, Author: t.who.ID, Service: old.Service, Category: old.Category, Impact: old.Impact, Urgency: old.Urgency, Follows: old.ID}
	if _, known := t.rules.service(tk.Service); !known {
		tk.Service, tk.Category = "", ""
	}
	tk, err := t.openTicket(ctx, tk, cards.Guess{}, false, th, false, nil, storage.WentTicket)
	if err != nil {
		return err
	}
	if len(t.ev.Files) == 0 {
		return nil
	}
	_, _, err = t.keep(ctx, th, tk.ID, text, false)
	return err
}

// adopt gives a new ticket what its requester had put into the thread before:
// files above all.
func (t *turn) adopt(ctx context.Context, th storage.Thread, tk ticket.Ticket) error {
	earlier, err := t.tx.AdoptMessages(ctx, th.ID, tk.ID)
	if err != nil {
		return err
	}
	for _, m := range earlier {
		files, err := t.tx.FilesOf(ctx, m.ID)
		if err != nil {
			return err
		}
		for _, f := range files {
			if f.State == storage.FileKept {
				if err := t.passFile(ctx, tk, storage.TeamSide, m, f); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keepBefore stores a message with files that comes before there is a ticket.
func (t *turn) keepBefore(ctx context.Context, th storage.Thread) error {
	if len(t.ev.Files) == 0 {
		return nil
	}
	_, _, err := t.keep(ctx, th, 0, t.readable(ctx, t.ev.Text), false)
	return err
}

// reviseMessage takes an edit or a deletion over to the other side and keeps
// both versions; done says that the message was part of a ticket.
func (t *turn) reviseMessage(ctx context.Context) (done bool, err error) {
	m, err := t.tx.MessageAt(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.ev.Message)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if m.EditedAt != nil && t.ev.At.Before(*m.EditedAt) && t.ev.Kind == chat.Edited {
		return true, nil // a later edit has overtaken this one
	}
	return true, t.replaceMessage(ctx, m, t.readable(ctx, t.ev.Text), t.ev.Kind == chat.Deleted, t.ev.At)
}

// replaceMessage keeps how a message now reads, and shows it wherever it has
// been passed on to.
func (t *turn) replaceMessage(ctx context.Context, m storage.Message, text string, deleted bool, at time.Time) error {
	m, err := t.tx.EditMessage(ctx, m, text, deleted, m.Author, t.via(), at)
	if err != nil {
		return err
	}
	copies, err := t.tx.PostsOfMessage(ctx, m.ID)
	if err != nil {
		return err
	}
	for _, p := range copies {
		var b body
		if err := json.Unmarshal(p.Body, &b); err != nil {
			return fmt.Errorf("post %d: %w", p.ID, err)
		}
		if len(b.Files) > 0 {
			continue
		}
		b.Words = false
		if b.Card, err = t.spoken(ctx, m, p.Platform, p.Workspace); err != nil {
			return err
		}
		if err := t.tx.ReplaceBody(ctx, p.ID, b.bytes(), t.at); err != nil {
			return err
		}
	}
	return nil
}
