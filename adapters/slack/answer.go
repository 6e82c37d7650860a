package slack

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/blockkit"
	"github.com/deskhand/deskhand/bot/chat"
)

// What people read when the desk could not do what they asked for.
const (
	wordsTooLate   = "That took too long, please press again."
	wordsNotOpened = "I could not open that just now. Please try again in a moment."
	wordsNoRecords = "I can't get to my records just now. Please try again in a minute."
)

// handle does what an interaction or a command asks for: it is stored, or
// answered. reply is what Slack gets, after what is done when it has it.
func (a *Adapter) handle(ctx context.Context, in inbound) (reply any, after func(context.Context), err error) {
	if !in.inCall {
		return nil, nil, a.accept(ctx, in.event)
	}
	if a.desk == nil {
		return nil, nil, errors.New("no desk to answer it")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	in.event.InCall = true
	answer, err := a.desk.Answer(ctx, in.event)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "event not answered", slog.String("kind", string(in.event.Kind)), slog.String("key", in.event.Key), slog.Any("err", err))
		if in.event.Kind == chat.Commanded {
			// Slack's own words for a failed command are "dispatch_failed".
			return ephemeral(sorry(wordsNoRecords)), nil, nil
		}
		return nil, nil, err
	}
	// The answer is in the record: it is carried out even if Slack hangs up.
	deadline, _ := ctx.Deadline()
	ctx, done := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer done()
	reply, after = a.carryOut(ctx, in, answer)
	return reply, after, nil
}

// carryOut shows an answer: in the reply where the call allows it, else by a
// call of its own.
func (a *Adapter) carryOut(ctx context.Context, in inbound, answer chat.Answer) (reply any, after func(context.Context)) {
	private := answer.Private
	switch in.event.Kind {
	case chat.Searched:
		return found(answer.Options), nil

	case chat.Submitted:
		if private != nil && (answer.Form == nil && len(answer.Errors) == 0) && in.event.Place.Channel == "" {
			// It was opened from the Home tab or a shortcut: the form is the
			// only place there is.
			answer.Form, private = reading(*private), nil
		}
		reply = in.submission(answer)

	case chat.Commanded:
		if answer.Form != nil {
			after = a.show(ctx, in, *answer.Form, false)
		}
		if private != nil {
			reply, private = ephemeral(*private), nil
		}

	default:
		if answer.Form == nil && private != nil && (in.onForm || in.event.Place.Channel == "") {
			answer.Form, answer.Push, private = reading(*private), in.onForm, nil
		}
		if answer.Form != nil {
			after = a.show(ctx, in, *answer.Form, answer.Push)
		}
	}
	if private != nil {
		before := after
		after = func(ctx context.Context) {
			if before != nil {
				before(ctx)
			}
			a.tell(ctx, in.event, *private)
		}
	}
	return reply, after
}

// show opens a form, or puts it in the place of the open one. What went wrong is
// told by the function that it returns.
func (a *Adapter) show(ctx context.Context, in inbound, form chat.Form, push bool) (after func(context.Context)) {
	var err error
	switch {
	case in.onForm && push:
		v := blockkit.RenderForm(form, blockkit.Open{Meta: in.open.Meta})
		err = a.call(ctx, "views.push", repeatable, func(ctx context.Context) error {
			_, err := a.api.PushViewContext(ctx, in.trigger, v)
			return err
		})
	case in.onForm:
		v := blockkit.RenderForm(form, in.open)
		err = a.call(ctx, "views.update", repeatable, func(ctx context.Context) error {
			_, err := a.api.UpdateViewContext(ctx, v, "", in.hash, in.event.View)
			return err
		})
		if code(err) == "hash_conflict" {
			return nil // a newer answer is on the screen already
		}
	default:
		v := blockkit.RenderForm(form, blockkit.Open{Meta: in.open.Meta})
		err = a.call(ctx, "views.open", repeatable, func(ctx context.Context) error {
			_, err := a.api.OpenViewContext(ctx, in.trigger, v)
			return err
		})
	}
	if err == nil {
		return nil
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "form not opened", slog.String("form", form.Action), slog.Any("err", err))
	words := wordsNotOpened
	switch code(err) {
	case "expired_trigger_id", "exchanged_trigger_id", "trigger_expired", "trigger_exchanged":
		words = wordsTooLate
	}
	if errors.Is(err, context.DeadlineExceeded) {
		words = wordsTooLate
	}
	return func(ctx context.Context) { a.tell(ctx, in.event, sorry(words)) }
}

// tell shows a card to one person alone, where they are: at the event's own
// address, in its place, or else in their direct messages.
func (a *Adapter) tell(ctx context.Context, e chat.Event, card chat.Card) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := chat.Post{Kind: chat.Whisper, Place: e.Place, User: e.By, Card: card, Reply: e.Reply}
	_, err := a.Send(ctx, p)
	if errors.Is(err, chat.ErrGone) && e.Place.Channel != "" {
		p.Place = a.me().place("", "")
		_, err = a.Send(ctx, p)
	}
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "private answer not shown", slog.Any("err", err))
	}
}

// submission is the answer to a form that was sent; nil closes it.
// See docs.slack.dev/surfaces/modals#response_actions.
func (in inbound) submission(answer chat.Answer) any {
	switch {
	case len(answer.Errors) > 0:
		return slack.NewErrorsViewSubmissionResponse(in.besideFields(answer.Errors))
	case answer.Form != nil && answer.Push:
		v := blockkit.RenderForm(*answer.Form, blockkit.Open{Meta: in.open.Meta})
		return slack.NewPushViewSubmissionResponse(&v)
	case answer.Form != nil:
		v := blockkit.RenderForm(*answer.Form, in.open)
		return slack.NewUpdateViewSubmissionResponse(&v)
	}
	return nil
}

// besideFields keeps each error beside its field. Slack fails the whole answer
// if one names no field of the form, so such a one goes beside the first.
func (in inbound) besideFields(errs map[string]string) map[string]string {
	fields := slices.Sorted(maps.Keys(in.open.Fields))
	shown := make(map[string]string, len(errs))
	var stray []string
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		if _, ok := in.open.Fields[name]; ok || len(fields) == 0 {
			shown[name] = errs[name]
		} else {
			stray = append(stray, errs[name])
		}
	}
	if len(stray) > 0 {
		if first := shown[fields[0]]; first != "" {
			stray = append([]string{first}, stray...)
		}
		shown[fields[0]] = strings.Join(stray, " ")
	}
	return shown
}

// found are the options of a type-ahead.
func found(options []chat.Option) slack.OptionsResponse {
	r := slack.OptionsResponse{Options: []*slack.OptionBlockObject{}}
	for _, o := range options[:min(len(options), 100)] {
		r.Options = append(r.Options, blockkit.Option(o))
	}
	return r
}

// private is a message for one person's eyes, as the answer to a command or to
// a response URL.
type private struct {
	Type    string        `json:"response_type"`
	Replace bool          `json:"replace_original"`
	Text    string        `json:"text"`
	Blocks  []slack.Block `json:"blocks"`
	Thread  string        `json:"thread_ts,omitempty"`
}

func ephemeral(card chat.Card) private {
	blocks, text := blockkit.Render(card)
	return private{Type: slack.ResponseTypeEphemeral, Text: text, Blocks: blocks}
}

// reading is a card as a form with nothing to send.
func reading(card chat.Card) *chat.Form {
	blocks := card.Blocks
	if len(blocks) == 0 {
		blocks = []chat.Block{chat.Section{Text: chat.T(card.Text)}}
	}
	return &chat.Form{Title: "Just for you", Close: "Close", Intro: blocks}
}

func sorry(words string) chat.Card { return chat.Card{Text: words} }
