package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

const (
	// profileFor is how long the platform's word on an account is taken.
	profileFor = 12 * time.Hour
	// mostMentioned is how many people of one message are looked up.
	mostMentioned = 20
)

const (
	// justSent is longer than it takes to record where a message came to stand.
	justSent = 3 * time.Second
	// recordedWithin is how long a platform that waits for an answer is kept for
	// that, and recordedLook how often it is looked for.
	recordedWithin = time.Second
	recordedLook   = 20 * time.Millisecond
)

// Prepare does what needs the network before an event's transaction: the
// accounts in it become persons of the record, a message that a reaction or a
// form refers to is looked up, and drafts are fetched.
func (d *Desk) Prepare(ctx context.Context, ev chat.Event) (chat.Event, error) {
	if ev.Kind == chat.Reacted && ev.Text == "" {
		r, err := d.rulesNow(ctx)
		if err != nil {
			return ev, err
		}
		if ev.Emoji == r.policy.Desk.Emoji {
			if ev, err = d.lookUp(ctx, ev); err != nil {
				return ev, err
			}
		}
	}
	if over, err := d.overheard(ctx, ev); over || err != nil {
		ev.Kind = chat.Overheard
		return ev, err
	}
	users := []chat.User{ev.By}
	if ev.Author.ID != "" && (ev.Kind == chat.Picked || ev.Kind == chat.Reacted) {
		users = append(users, ev.Author)
	}
	for _, id := range ev.Values["person"] {
		users = append(users, chat.User{Platform: ev.By.Platform, Workspace: ev.By.Workspace, ID: id})
	}
	if id := ev.Args["for"]; id != "" {
		users = append(users, chat.User{Platform: ev.By.Platform, Workspace: ev.By.Workspace, ID: id})
	}
	// Who is mentioned has a name, and on another platform perhaps an account.
	chat.MentionSpans(ev.Text, func(id string) chat.Span {
		if len(users) < mostMentioned {
			users = append(users, chat.User{Platform: ev.By.Platform, Workspace: ev.By.Workspace, ID: id})
		}
		return chat.Span{}
	})
	for _, u := range users {
		if err := d.know(ctx, u); err != nil {
			return ev, err
		}
	}
	if err := d.notice(ctx, ev); err != nil {
		return ev, err
	}
	if ev.Kind == chat.Pressed && ev.InPlace {
		if err := d.recorded(ctx, ev, ev.Message); err != nil {
			return ev, err
		}
	}
	if ev.Kind == chat.Said && ev.Flat && ev.Place.Thread != "" {
		if err := d.recorded(ctx, ev, ev.Place.Thread); err != nil {
			return ev, err
		}
	}
	if ev.Kind == chat.Invited {
		if err := d.arrived(ctx, ev); err != nil {
			return ev, err
		}
	}
	return d.drafts(ctx, ev), nil
}

// overheard tells whether an event is between other people. Then nobody is
// looked up, nothing is kept, and nobody becomes known to the desk by having
// talked near it.
func (d *Desk) overheard(ctx context.Context, ev chat.Event) (bool, error) {
	if ev.Scope == chat.Direct || ev.Mentioned {
		return false, nil
	}
	switch ev.Kind {
	case chat.Said, chat.Edited, chat.Deleted, chat.Joined, chat.Left, chat.Reacted:
	default:
		return false, nil
	}
	r, err := d.rulesNow(ctx)
	if err != nil {
		return false, err
	}
	c, purpose := r.channel(ev.By.Platform, ev.By.Workspace, ev.Place.Channel)
	purpose = purpose && c.Purpose != "alerts" && c.Purpose != "changes"
	switch {
	case ev.Kind == chat.Reacted:
		return ev.Emoji != r.policy.Desk.Emoji, nil
	case purpose:
		return false, nil
	case ev.Kind == chat.Joined || ev.Kind == chat.Left:
		return true, nil
	case ev.Kind == chat.Said && ev.Place.Thread == "":
		return true, nil
	}
	find, root := (*storage.Tx).FindThread, ev.Place.Thread
	if root == "" {
		root = ev.Message
	}
	if ev.Flat {
		find = (*storage.Tx).ThreadOf
	}
	var ours bool
	err = d.db.View(ctx, func(tx *storage.Tx) error {
		_, err := find(tx, ctx, ev.By.Platform, ev.By.Workspace, ev.Place.Channel, root)
		if ours = err == nil; !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		awaits := tx.AwaitsRoot
		if ev.Flat { // any message can be quoted
			awaits = tx.Delivering
		}
		ours, err = awaits(ctx, ev.By.Platform, ev.By.Workspace, ev.Place.Channel, ev.By.ID)
		return err
	})
	return !ours, err
}

// notice makes an agent of somebody who works in a team's triage channel
// without the desk having seen her come: it may have been invited later, or
// have been away.
func (d *Desk) notice(ctx context.Context, ev chat.Event) error {
	if ev.Kind != chat.Pressed && ev.Kind != chat.Said || ev.Scope == chat.Direct {
		return nil
	}
	r, err := d.rulesNow(ctx)
	if err != nil {
		return err
	}
	c, ok := r.channel(ev.By.Platform, ev.By.Workspace, ev.Place.Channel)
	if !ok && ev.Kind == chat.Pressed { // it may have become one this second
		d.forget()
		if r, err = d.rulesNow(ctx); err != nil {
			return err
		}
		c, ok = r.channel(ev.By.Platform, ev.By.Workspace, ev.Place.Channel)
	}
	p := d.platforms[ev.By.Platform]
	if !ok || c.Purpose != "triage" || p == nil {
		return nil
	}
	key := "noticed:" + ev.By.Platform + ":" + ev.Place.Channel + ":" + ev.By.ID
	if _, done := d.shared.Get(ctx, key); done {
		return nil
	}
	var who people.Actor
	if err := d.db.View(ctx, func(tx *storage.Tx) (err error) {
		who, _, err = tx.Actor(ctx, ev.By.Platform, ev.By.Workspace, ev.By.ID)
		return err
	}); err != nil {
		return err
	}
	if !who.AgentOf(c.Team) { // then others may have come unseen too
		if err := d.adoptMembers(ctx, p, c); err != nil {
			return err
		}
	}
	d.shared.Set(ctx, key, []byte{1}, profileFor/12)
	return nil
}

// recorded waits until it is on record where the message stands that was pressed
// or quoted: a quick hand is faster than the record.
func (d *Desk) recorded(ctx context.Context, ev chat.Event, message string) error {
	for late := time.Now().Add(recordedWithin); ; {
		err := d.db.View(ctx, func(tx *storage.Tx) error {
			_, err := tx.PostAt(ctx, ev.By.Platform, ev.By.Workspace, ev.Place.Channel, message)
			if ev.Flat && errors.Is(err, storage.ErrNotFound) { // it may be somebody's own
				_, err = tx.ThreadOf(ctx, ev.By.Platform, ev.By.Workspace, ev.Place.Channel, message)
			}
			return err
		})
		if !errors.Is(err, storage.ErrNotFound) || time.Now().After(late) {
			return ignoreMissing(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(recordedLook):
		}
	}
}

// lookUp adds the message's text and thread to a reaction.
func (d *Desk) lookUp(ctx context.Context, ev chat.Event) (chat.Event, error) {
	p := d.platforms[ev.By.Platform]
	if p == nil {
		return ev, nil
	}
	said, err := p.Message(ctx, ev.Place, ev.Message)
	if errors.Is(err, chat.ErrGone) {
		return ev, nil // it was deleted meanwhile, or the desk may not read there
	}
	if err != nil {
		return ev, fmt.Errorf("look up a message: %w", err)
	}
	ev.Text, ev.Place.Thread = said.Text, said.Place.Thread
	if said.By.ID != "" {
		ev.Author = said.By
	}
	return ev, nil
}

func (d *Desk) rulesNow(ctx context.Context) (r *rules, err error) {
	if r := d.fresh(); r != nil {
		return r, nil
	}
	err = d.db.View(ctx, func(tx *storage.Tx) error {
		r, err = d.rulesIn(ctx, tx)
		return err
	})
	return r, err
}

// know makes sure that an account is on record. While the platform can't be
// asked, an account seen before stays who it was.
func (d *Desk) know(ctx context.Context, u chat.User) error {
	if u.ID == "" {
		return nil
	}
	key := "account:" + u.Platform + ":" + u.Workspace + ":" + u.ID
	if _, fresh := d.shared.Get(ctx, key); fresh {
		return nil
	}
	var had storage.Account
	err := d.db.View(ctx, func(tx *storage.Tx) (err error) {
		_, had, err = tx.Actor(ctx, u.Platform, u.Workspace, u.ID)
		return err
	})
	missing := errors.Is(err, storage.ErrNotFound)
	if err != nil && !missing {
		return err
	}
	if missing || d.now().Sub(had.CheckedAt) > profileFor {
		p := d.platforms[u.Platform]
		if p == nil {
			return fmt.Errorf("no platform %q is connected", u.Platform)
		}
		profile, err := p.Profile(ctx, u)
		switch {
		case err == nil:
			err = d.link(ctx, u, profile)
		case missing && errors.Is(err, chat.ErrGone):
			err = d.link(ctx, u, chat.Profile{User: u, Name: "Somebody", Guest: true})
		case !missing:
			d.log.WarnContext(ctx, "a profile could not be renewed", "platform", u.Platform, "err", err)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	d.shared.Set(ctx, key, []byte{1}, profileFor/12)
	return nil
}

func (d *Desk) link(ctx context.Context, u chat.User, p chat.Profile) error {
	return d.db.InTx(ctx, func(tx *storage.Tx) error {
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		mail := p.Mail
		if p.Guest || p.Bot {
			mail = "" // a guest of the workspace is a guest of the desk
		}
		a := storage.Account{Platform: u.Platform, Workspace: u.Workspace, UserID: u.ID, Name: p.Name, Avatar: p.Avatar}
		// Where a policy lists the people, somebody who isn't on the list is a guest.
		person, err := tx.LinkAccount(ctx, a, mail, p.TimeZone, len(r.policy.People) > 0, d.now())
		if err != nil {
			return err
		}
		// Without a policy, whoever administers the workspace administers the desk.
		named := slices.ContainsFunc(r.policy.Desk.Admins, func(a string) bool { return strings.EqualFold(a, mail) })
		if mail != "" && (named || p.Admin && len(r.policy.Desk.Admins) == 0) {
			return tx.MakeAdmin(ctx, person, u.Platform, d.now())
		}
		return nil
	})
}

// greet says, once for each account and to that one, whom the desk takes it for:
// beside the thread, where it does not stand between the question and its
// answer, or after them where there are no threads.
func (t *turn) greet(ctx context.Context, th storage.Thread) error {
	if t.account.GreetedAt != nil || t.who.Guest || t.ev.Scope != chat.Direct {
		return nil
	}
	first, err := t.tx.Greet(ctx, t.account.Platform, t.account.Workspace, t.account.UserID, t.at)
	if err != nil || !first {
		return err
	}
	who := t.who.Name
	if t.who.Department != "" {
		who += " (" + t.rules.policy.DepartmentName(t.who.Department) + ")"
	}
	if err := t.remind(ctx); err != nil {
		return err
	}
	text := "By the way, I know you as " + who + "."
	c := chat.Card{Text: text, Blocks: []chat.Block{
		chat.Note{Text: chat.T(text)},
		chat.Actions{Buttons: []chat.Button{
			{Label: "That's right", Action: cards.ItsMe},
			{Label: "That's not me", Action: cards.NotMe,
				Confirm: &chat.Confirm{Title: "Not you?", Text: "Until it is put right you are a guest here: you can ask and open tickets, but you don't see what is only for your department.", Yes: "Not me", No: "Cancel"}},
		}},
	}}
	if t.flat(th) {
		return t.sayIn(ctx, th, c)
	}
	return t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: t.account.Platform, Workspace: t.account.Workspace,
		User: t.account.UserID, Body: body{Card: c}.bytes()}, storage.LaneReply, t.at)
}

// remind tells an admin, when she first writes, what is left to set up. The
// home tab goes on saying so.
func (t *turn) remind(ctx context.Context) error {
	if !t.who.Admin {
		return nil
	}
	left, err := t.leftToSetUp(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	text := "You look after this desk, so before others ask me:"
	var items []chat.Rich
	for _, l := range left {
		items = append(items, chat.T(l))
	}
	return t.direct(ctx, t.who.ID, chat.Card{Text: text + " " + strings.Join(left, " "), Blocks: []chat.Block{
		chat.Section{Text: chat.T(text)}, chat.List{Items: items}, chat.Note{Text: chat.T("My home tab shows this list as long as something is left.")}}})
}

// itsMe settles the card that asked.
func (t *turn) itsMe(ctx context.Context) error {
	return t.settle(ctx, "I know you as "+t.who.Name+".")
}

// settle has the card that was pressed say something for good.
func (t *turn) settle(ctx context.Context, text string) error {
	p, err := t.tx.PostAt(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.ev.Message)
	if errors.Is(err, storage.ErrNotFound) && (t.ev.InCall && !t.ev.InPlace || t.at.Sub(t.ev.At) > justSent) {
		return t.private(ctx, text)
	}
	if err != nil {
		return err // tried again: a quick hand presses before the card's place is on record
	}
	c := chat.Card{Text: text, Blocks: []chat.Block{chat.Note{Text: chat.T(text)}}}
	return t.tx.ReplaceBody(ctx, p.ID, body{Card: c}.bytes(), t.at)
}

func (t *turn) notMe(ctx context.Context) error {
	if t.who.Guest {
		return t.private(ctx, "You are a guest here already. Please ask your IT admin to put your mail address right.")
	}
	if err := t.tx.Disown(ctx, t.account.Platform, t.account.Workspace, t.account.UserID, t.at); err != nil {
		return err
	}
	return t.settle(ctx, "Thank you for saying so. From now on I treat this account as a guest's. Please ask your IT admin to put its mail address right.")
}
