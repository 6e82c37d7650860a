// Package bot is the conversation: what the desk does when somebody writes,
// presses or sends a form. There is one file for each flow. A flow runs in one
// transaction: it loads, lets package core decide, saves, and queues what is to
// be said; it never waits for a network.
package bot

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/ephemeral"
)

// Platform is what the desk asks of a chat platform besides delivery. Its
// methods use the network, so only Prepare and the background workers call
// them.
type Platform interface {
	// Profile tells who is behind an account.
	Profile(ctx context.Context, u chat.User) (chat.Profile, error)
	// Members lists the accounts in a channel.
	Members(ctx context.Context, p chat.Place) ([]chat.User, error)
	// Accounts finds the accounts with these mail addresses, which are in small
	// letters; who has none, or none that the desk can see, is left out. What was
	// found before an error is returned with it.
	Accounts(ctx context.Context, mails []string) (map[string]chat.User, error)
	// Channel finds a channel by its name, without #, or by its id. An error
	// that is chat.ErrGone says that there is none that the desk can see.
	Channel(ctx context.Context, name string) (chat.Place, error)
	// Message returns a message as a Said event, for steps that begin with a
	// reaction.
	Message(ctx context.Context, p chat.Place, id string) (chat.Event, error)
	// Fetch returns a file's bytes, at most limit.
	Fetch(ctx context.Context, f chat.File, limit int64) ([]byte, error)
	// Ways uses no network.
	Ways() chat.Ways
}

// Options are what a Desk needs.
type Options struct {
	DB        *storage.DB
	Index     *kb.Index
	Platforms map[string]Platform // by chat.User.Platform
	Shared    ephemeral.Store     // drafts and profiles; in memory if nil
	// PageLink makes a link that opens somebody's page of the desk, soon and once;
	// nil: there are no pages. It is called within transactions, so it must not
	// use the database.
	PageLink func(u chat.User) (string, error)
	// ArticlePicture is the address of a picture of an article, for some time;
	// nil: there are none. It must not use the database either.
	ArticlePicture func(p storage.PictureRef) (string, error)
	// CalendarLink is the address of a calendar; nil: there are none.
	CalendarLink func(l storage.CalendarLink) string
	// PictureLink is a link to the picture of a configuration item that is good
	// until a time; nil: there are none.
	PictureLink func(item int64, until time.Time) (string, error)
	Adviser     Adviser // nil: the index decides alone
	Now         func() time.Time
	Log         *slog.Logger
}

// Desk runs the flows. It is the Handler of bot/inbox and bot/watch and the
// Drawer of bot/outbox.
type Desk struct {
	db             *storage.DB
	index          *kb.Index
	platforms      map[string]Platform
	shared         ephemeral.Store
	pageLink       func(chat.User) (string, error)
	articlePicture func(storage.PictureRef) (string, error)
	calendarLink   func(storage.CalendarLink) string
	pictureLink    func(int64, time.Time) (string, error)
	adviser        Adviser
	now            func() time.Time
	log            *slog.Logger

	mu      sync.Mutex
	rules   *rules    // of the policy last seen in force
	doubted time.Time // until then they are read each time
	items   items

	due   atomic.Bool // see DueSoon
	wrote atomic.Bool // see ArticlesWritten
	named atomic.Bool // see ChannelsNamed
	filed atomic.Bool // see WakeFiles
	files chan struct{}
}

// New makes a desk.
func New(o Options) (*Desk, error) {
	if o.DB == nil || o.Index == nil {
		return nil, errors.New("bot: need a database and an index")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Shared == nil {
		o.Shared = ephemeral.NewMemory(ephemeral.MemoryOptions{})
	}
	return &Desk{db: o.DB, index: o.Index, platforms: o.Platforms, shared: o.Shared, pageLink: o.PageLink, calendarLink: o.CalendarLink, pictureLink: o.PictureLink, articlePicture: o.ArticlePicture, adviser: o.Adviser, now: o.Now, log: o.Log, files: make(chan struct{}, 1)}, nil
}

// Hide takes passwords and keys out of what somebody says or fills in, whichever
// way it comes. An article keeps them: that of the guests' network is one.
func (d *Desk) Hide(ev chat.Event) chat.Event {
	ev.Text = knowledge.HideSecrets(ev.Text)
	if ev.Action == cards.ArticleEdit || len(ev.Values) == 0 {
		return ev
	}
	values := make(chat.Values, len(ev.Values))
	for name, all := range ev.Values {
		values[name] = make([]string, len(all))
		for i, s := range all {
			values[name][i] = knowledge.HideSecrets(s)
		}
	}
	ev.Values = values
	return ev
}

// Handle runs the flow of one event.
func (d *Desk) Handle(ctx context.Context, tx *storage.Tx, ev chat.Event) (chat.Answer, error) {
	answer, err := d.handle(ctx, tx, ev, nil)
	if q, ok := errors.AsType[*openQuestion](err); ok {
		err = &inbox.NeedError{Fetch: func(ctx context.Context) inbox.Handling {
			advice := d.adviser.Advise(ctx, q.text, q.names, q.among)
			return func(ctx context.Context, tx *storage.Tx) (chat.Answer, error) { return d.handle(ctx, tx, ev, &advice) }
		}}
	}
	return answer, err
}

// handle is Handle with the advice that was asked for, if it was.
func (d *Desk) handle(ctx context.Context, tx *storage.Tx, ev chat.Event, advice *kb.Advice) (chat.Answer, error) {
	if ev.Kind == chat.Overheard {
		return chat.Answer{}, nil
	}
	t, err := d.turn(ctx, tx, ev)
	if err != nil {
		return chat.Answer{}, err
	}
	t.advice = advice
	err = t.route(ctx)
	if refused, ok := errors.AsType[*ticket.RefusedError](err); ok {
		err = t.refuse(ctx, refused)
	}
	if f := t.answer.Form; err == nil && f != nil && !ev.InCall && f.Submit == "" {
		// What is only to be read can be said where no form can be opened.
		err = t.privately(ctx, chat.Card{Text: f.Title, Blocks: f.Intro})
	}
	if err == nil && ev.InPlace && ev.Kind == chat.Pressed && t.answer.Form == nil {
		err = t.viewed(ctx)
	}
	if err != nil {
		return chat.Answer{}, err
	}
	return t.answer, nil
}

const hasLeft = "Your account is marked as having left the company, so I can't help you here. Please ask your manager."

// flow is one thing that the desk can do.
type flow func(*turn, context.Context) error

func (t *turn) route(ctx context.Context) error {
	if t.who.Left {
		return t.private(ctx, hasLeft)
	}
	var f flow
	switch t.ev.Kind {
	case chat.Said:
		f = (*turn).hear
	case chat.Edited, chat.Deleted:
		f = (*turn).revise
	case chat.Reacted:
		f = (*turn).reacted
	case chat.Commanded:
		f = (*turn).command
	case chat.Visited:
		f = (*turn).visit
	case chat.Joined, chat.Left:
		f = (*turn).membership
	case chat.Invited:
		f = (*turn).invited
	case chat.Searched:
		f = (*turn).search
	case chat.Browsed:
		f = (*turn).browse
	case chat.Viewed:
		f = (*turn).viewed
	case chat.Pressed, chat.Picked, chat.Started:
		f = presses[t.ev.Action]
	case chat.Submitted:
		f = forms[t.ev.Action]
	case chat.Dismissed:
		if f = dismissals[t.ev.Action]; f == nil {
			return nil
		}
	case chat.Unreacted, chat.Changed:
		return nil
	}
	if f == nil {
		// A button of a release that has gone, or of one that is yet to come.
		t.desk.log.WarnContext(ctx, "no flow for this", "kind", t.ev.Kind, "action", t.ev.Action)
		if t.ev.Kind == chat.Pressed || t.ev.Kind == chat.Submitted {
			return t.private(ctx, "I don't know this button any more. Please write to me instead.")
		}
		return nil
	}
	return f(t, ctx)
}
