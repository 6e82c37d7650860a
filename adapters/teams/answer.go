package teams

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/bot/chat"
)

// patience is how long an answer may take, of the 10 s after which Teams shows
// "Unable to reach app"; the rest is for the way.
const patience = 8 * time.Second

// What people read when the desk could not do what they asked for.
const (
	wordsTooLate   = "That took too long, please press again."
	wordsNoRecords = "I can't get to my records just now. Please try again in a minute."
	wordsUnknown   = "I don't know this button any more. Please write to me instead."
	wordsInChat    = "I have written to you in our chat."
	wordsDone      = "Done."
	wordsNoView    = "There is nothing newer to see here."
)

// messageType says that an Action.Execute is answered with words.
const messageType = "application/vnd.microsoft.activity.message"

// answer has the Desk decide and says it in the form that the invoke wants, the
// same to a repetition as to the first. after is what is done once Teams has its
// answer.
func (a *Adapter) answer(ctx context.Context, in inbound) (reply any, after func(context.Context), err error) {
	if a.desk == nil {
		return nil, nil, errors.New("no desk to answer it")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if in.event.Kind.Asks() {
		reply, after, _ = a.decide(ctx, in)
		return reply, after, nil
	}
	key := in.event.By.ID + " " + in.event.Key
	first, r := a.replies.begin(key, a.now())
	if !first {
		select {
		case <-r.done:
			return r.reply, nil, nil
		case <-ctx.Done():
			return a.say(in, wordsTooLate), nil, nil
		}
	}
	final := false
	defer func() { a.replies.end(key, r, reply, final) }()
	reply, after, final = a.decide(ctx, in)
	return reply, after, nil
}

// replies are what was answered lately. Teams sends an invoke again when its
// answer is slow or lost, and the Desk, which takes each event once, would have
// nothing more to say to it.
type replies struct {
	mu   sync.Mutex
	made map[string]*reply
}

type reply struct {
	done  chan struct{} // closed when there is one
	reply any
	until time.Time
}

const (
	replyFor    = time.Minute
	mostReplies = 500
)

// begin says whether this is the first with its key; else it returns the one to
// wait for.
func (r *replies) begin(key string, now time.Time) (first bool, one *reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.made[key]; one != nil && now.Before(one.until) {
		return false, one
	}
	if r.made == nil {
		r.made = map[string]*reply{}
	}
	if len(r.made) >= mostReplies {
		for k, one := range r.made {
			if !now.Before(one.until) {
				delete(r.made, k)
			}
		}
		for k := range r.made { // any will do: the Desk still takes each once
			if len(r.made) < mostReplies {
				break
			}
			delete(r.made, k)
		}
	}
	one = &reply{done: make(chan struct{}), until: now.Add(replyFor)}
	r.made[key] = one
	return true, one
}

// end has those who wait get the reply too; later ones only if it is final.
func (r *replies) end(key string, one *reply, said any, final bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one.reply = said
	close(one.done)
	if !final && r.made[key] == one {
		delete(r.made, key)
	}
}

// ask has the Desk decide. One that can't at the moment, such as while the
// database restarts, is asked again as long as Teams may wait: on an error
// nothing has happened.
func (a *Adapter) ask(ctx context.Context, e chat.Event) (answer chat.Answer, err error) {
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		if answer, err = a.desk.Answer(ctx, e); err == nil || wait > 500*time.Millisecond {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return answer, err
		case <-time.After(wait):
		}
	}
}

// decide is answer for the first of its kind. The reply is not final if the same
// event may come again and be answered otherwise: nothing has happened yet.
func (a *Adapter) decide(ctx context.Context, in inbound) (reply any, after func(context.Context), final bool) {
	if in.event.Kind == chat.Submitted && in.form != nil {
		if wrong := adaptive.Check(*in.form, in.event.Values); len(wrong) > 0 {
			return a.again(in, wrong), nil, false
		}
	}
	if in.event.Action == "" && (in.event.Kind == chat.Pressed || in.event.Kind == chat.Submitted) {
		return a.say(in, wordsUnknown), nil, true
	}
	in.event.InCall = true
	if in.opens {
		in.event.Key = key(in.event.Key, rand.Text()[:8]) // looking into a form twice is no harm, seeing none is
	}
	answer, err := a.ask(ctx, in.event)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "event not answered", slog.String("kind", string(in.event.Kind)), slog.String("key", in.event.Key), slog.Any("err", err))
		return a.sorry(in), nil, false
	}
	if in.event.InPlace && in.event.Kind == chat.Pressed && nothing(answer) {
		// Somebody's other click, or a repetition: they see how it stands.
		in.event.Kind = chat.Viewed
		if answer, err = a.ask(ctx, in.event); err != nil {
			answer = chat.Answer{}
		}
		in.event.Kind = chat.Pressed
	}
	switch in.manner {
	case asFinds:
		return adaptive.Finds(answer.Finds, a.drawing(ctx)), nil, true
	case asSearch:
		return adaptive.Found(answer.Options), nil, true
	case asCard:
		reply, after = a.inPlace(ctx, in, answer)
	default:
		reply, after = a.inDialog(in, answer)
	}
	return reply, after, len(answer.Errors) == 0
}

// cardAnswer is what an Action.Execute is answered with; anything else shows
// nothing at all.
type cardAnswer struct {
	Status int    `json:"statusCode"`
	Type   string `json:"type"`
	Value  any    `json:"value"`
}

func message(words string) cardAnswer { return cardAnswer{200, messageType, words} }

// inPlace answers a press, or a look, with the card as that person is to see it.
// Words for them alone go first, as only one of the two can be shown: the card
// is brought up to date by its own way too.
func (a *Adapter) inPlace(ctx context.Context, in inbound, answer chat.Answer) (reply any, after func(context.Context)) {
	if p := answer.Private; p != nil {
		if brief(*p) {
			return message(p.Text), nil
		}
		after = func(ctx context.Context) { a.tell(ctx, in.event, *p) }
		if answer.Card == nil {
			return message(wordsInChat), after
		}
	}
	if answer.Form != nil {
		// Action.Execute can't open a dialog; such a button is an Action.Submit.
		a.log.LogAttrs(ctx, slog.LevelError, "a form for a button that opens none", slog.String("action", in.event.Action))
		return message(wordsUnknown), after
	}
	switch {
	case answer.Card == nil && in.event.Kind == chat.Viewed:
		// The card stands as it is; words would be shown to whoever only looks.
		return cardAnswer{404, "application/vnd.microsoft.error", map[string]string{"code": "NoView", "message": wordsNoView}}, after
	case answer.Card == nil:
		return message(wordsDone), after
	}
	return cardAnswer{200, adaptive.ContentType, adaptive.Card(chat.Post{Card: *answer.Card}, a.drawing(ctx))}, after
}

// nothing says that an answer has nothing to show.
func nothing(a chat.Answer) bool {
	return a.Form == nil && a.Private == nil && a.Card == nil && len(a.Errors) == 0
}

// brief says that a card is no more than a few words.
func brief(c chat.Card) bool {
	if len(c.Text) > 400 {
		return false
	}
	for _, b := range c.Blocks {
		switch b.(type) {
		case chat.Section, chat.Note, chat.Heading:
		default:
			return false
		}
	}
	return true
}

// task is the answer to what is done with dialogs; nil closes it.
type task struct {
	Task taskModule `json:"task"`
}

type taskModule struct {
	Type  string `json:"type"` // continue: the next dialog; message: words in its place
	Value any    `json:"value"`
}

type dialog struct {
	Title  string `json:"title"`
	Height any    `json:"height"`
	Width  any    `json:"width"`
	Card   struct {
		Type    string          `json:"contentType"`
		Content json.RawMessage `json:"content"`
	} `json:"card"`
}

// open shows a form.
func (a *Adapter) open(f chat.Form, o adaptive.Open) task {
	if o.Meta.View == "" {
		o.Meta.View = view(a.now())
	}
	if a.anonymous {
		f.Intro = append(f.Intro[:len(f.Intro):len(f.Intro)], chat.Note{Text: chat.T(footer)})
	}
	d := dialog{Title: adaptive.Title(f), Height: "medium", Width: "medium"}
	if len(f.Fields) > 5 {
		d.Height = "large"
	}
	d.Card.Type, d.Card.Content = adaptive.ContentType, adaptive.Dialog(f, o)
	return task{taskModule{"continue", d}}
}

// again shows the form that was sent, with what was entered and what is wrong
// with it.
func (a *Adapter) again(in inbound, wrong map[string]string) any {
	meta := in.meta // the same showing: a repetition of what was sent is still known
	if a.anonymous && in.form != nil {
		in.form.Intro = withoutFooter(in.form.Intro)
	}
	return a.open(*in.form, adaptive.Open{Meta: meta, Values: in.event.Values, Errors: wrong})
}

// inDialog answers what was done with a dialog, or a button that opens one.
func (a *Adapter) inDialog(in inbound, answer chat.Answer) (reply any, after func(context.Context)) {
	private := answer.Private
	switch {
	case len(answer.Errors) > 0 && in.form != nil:
		return a.again(in, answer.Errors), nil
	case answer.Form != nil:
		o := adaptive.Open{Meta: in.meta}
		o.Meta.View = ""
		if in.event.Kind == chat.Changed {
			o.Meta.View, o.Values = in.meta.View, in.event.Values
		}
		reply = a.open(*answer.Form, o)
		if private != nil {
			after = func(ctx context.Context) { a.tell(ctx, in.event, *private) }
		}
		return reply, after
	case private != nil && brief(*private):
		return task{taskModule{"message", private.Text}}, nil
	case private != nil:
		return a.open(reading(*private), adaptive.Open{Meta: adaptive.Meta{Channel: in.meta.Channel, Thread: in.meta.Thread}}), nil
	case in.event.Kind == chat.Changed && in.form != nil:
		return a.open(*in.form, adaptive.Open{Meta: in.meta, Values: in.event.Values}), nil
	case in.form == nil:
		// It has been answered before, and that answer was lost.
		return task{taskModule{"message", wordsTooLate}}, nil
	}
	return nil, nil // done: the dialog closes
}

// reading is a card as a form with nothing to send.
func reading(card chat.Card) chat.Form {
	blocks := card.Blocks
	if len(blocks) == 0 {
		blocks = []chat.Block{chat.Section{Text: chat.T(card.Text)}}
	}
	return chat.Form{Title: "Just for you", Close: "Close", Intro: blocks}
}

// say answers with words alone.
func (a *Adapter) say(in inbound, words string) any {
	switch in.manner {
	case asCard:
		return message(words)
	case asFinds:
		return map[string]any{"composeExtension": map[string]any{"type": "message", "text": words}}
	case asSearch:
		return adaptive.Found(nil)
	}
	return task{taskModule{"message", words}}
}

// sorry answers when the desk could not: nothing has happened, and a form keeps
// what was entered.
func (a *Adapter) sorry(in inbound) any {
	if in.form != nil && in.event.Kind != chat.Pressed {
		return a.again(in, map[string]string{"": wordsNoRecords})
	}
	return a.say(in, wordsNoRecords)
}

// tell shows a card to one person alone, in their chat with the desk.
func (a *Adapter) tell(ctx context.Context, e chat.Event, card chat.Card) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := a.Send(ctx, chat.Post{Kind: chat.Whisper, Place: e.Place, User: e.By, Card: card}); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "private answer not shown", slog.Any("err", err))
	}
}

// footer is under every card while tokens are not checked.
const footer = "Development mode: this desk does not check who is calling. Never use it with real people."

func withoutFooter(blocks []chat.Block) []chat.Block {
	if n := len(blocks); n > 0 {
		if note, ok := blocks[n-1].(chat.Note); ok && note.Text.Plain() == footer {
			return blocks[:n-1]
		}
	}
	return blocks
}

// drawing is how cards are drawn here.
func (a *Adapter) drawing(ctx context.Context) adaptive.Options {
	o := adaptive.Options{ViewerID: func(u chat.User) string {
		ref, _, err := a.book.look(ctx, userKey(u.ID))
		if err != nil || !strings.HasPrefix(ref.Account, "29:") {
			return "" // without a view of their own they see what all see
		}
		return ref.Account
	}}
	if a.anonymous {
		o.Footer = footer
	}
	return o
}
