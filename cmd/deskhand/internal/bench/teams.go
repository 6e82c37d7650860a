package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/app"
)

// mostInTeams is how many people of the company are in Teams too.
const mostInTeams = 60

// tenancy is the company's Teams, and what the desk says there.
type tenancy struct {
	*teamstest.Tenant
	people int
	names  []string
	heard  map[string]chan time.Time // by chat: when the desk has spoken

	// Of tickets: where the agents talk in Slack, and in which chats they are heard.
	places []place
	chats  []string
}

func (b *bench) openTenant(ctx context.Context) (*tenancy, error) {
	w, err := teamstest.New(teamstest.Options{KeepMessages: 20_000, KeepChanges: 1 << 17, Record: 1 << 16})
	if err != nil {
		return nil, err
	}
	t := &tenancy{Tenant: w, people: min(mostInTeams, b.company.people-b.company.agents), heard: map[string]chan time.Time{}}
	for i := range t.people {
		n := b.company.agents + i // those who ask
		t.names = append(t.names, userOf(n))
		if _, err := w.AddUser(teamstest.User{Name: userOf(n), DisplayName: fmt.Sprintf("Person %d", n), Mail: mailOf(n), Installed: true}); err != nil {
			return nil, errors.Join(err, w.Close())
		}
		chat, err := t.person(i).Chat()
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
		t.heard[chat] = make(chan time.Time, 64)
	}
	if err := w.Listen("127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	from := w.Seq()
	go func() {
		for c, err := range w.Follow(ctx, from) {
			if err != nil {
				return // who waits for an answer says so
			}
			if c.Kind == teamstest.MessagePosted && c.Message.From == w.BotID() && t.heard[c.Channel] != nil {
				select {
				case t.heard[c.Channel] <- c.At:
				default: // nobody listens
				}
			}
		}
	}()
	return t, nil
}

// person is one of those who are in Teams.
func (t *tenancy) person(i int) *teamstest.Person {
	return t.Tenant.Person(t.names[i])
}

// after waits until the desk speaks in a chat, and says how long that took from
// when do was begun.
func (t *tenancy) after(ctx context.Context, chat string, do func() error) (time.Duration, error) {
	heard := t.heard[chat]
	for len(heard) > 0 {
		<-heard
	}
	began := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	select {
	case at := <-heard:
		return at.Sub(began), nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// press presses the newest button with this title in somebody's chat with the
// desk.
func (t *tenancy) press(i int, chat, title string) error {
	all, err := t.person(i).Messages(chat, "", 20)
	if err != nil {
		return err
	}
	return press(t.person(i), chat, title, all...)
}

// press presses the button with this title on the newest of some messages.
func press(who *teamstest.Person, channel, title string, all ...teamstest.Seen) error {
	for _, m := range slices.Backward(all) {
		var card any
		if json.Unmarshal(m.Card, &card) != nil {
			continue
		}
		if path, ok := pathTo(card, title, ""); ok {
			return who.Press(teamstest.Act{Channel: channel, Message: m.ID, Path: path})
		}
	}
	return fmt.Errorf("%w: %q", errNoButton, title)
}

// pathTo is the JSON pointer to the action with this title.
func pathTo(v any, title, at string) (string, bool) {
	switch v := v.(type) {
	case map[string]any:
		if kind, _ := v["type"].(string); v["title"] == title && strings.HasPrefix(kind, "Action.") {
			return at, true
		}
		for key, x := range v {
			if path, ok := pathTo(x, title, at+"/"+key); ok && key != "fallback" {
				return path, true
			}
		}
	case []any:
		for i, x := range v {
			if path, ok := pathTo(x, title, fmt.Sprintf("%s/%d", at, i)); ok {
				return path, true
			}
		}
	}
	return "", false
}

// paced does something rate times a second, each time with the next of n, for as
// long as questions are asked; no two at once with the same. It returns how long
// each took.
func (b *bench) paced(ctx context.Context, rate float64, n int, do func(context.Context, int) (time.Duration, error)) (took, error) {
	group, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	var all took
	busy := make([]sync.Mutex, n)
	began := time.Now()
	for i := 0; time.Since(began) < b.o.Scale.Asking && ctx.Err() == nil; i++ {
		select {
		case <-time.After(time.Until(began.Add(time.Duration(float64(i) / rate * float64(time.Second))))):
		case <-ctx.Done():
		}
		group.Go(func() error {
			busy[i%n].Lock()
			defer busy[i%n].Unlock()
			patient, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errSilent)
			defer cancel()
			d, err := do(patient, i%n)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, d)
			return nil
		})
	}
	err := group.Wait()
	return all.sorted(), err
}

// inTeams measures what Teams waits for, and what somebody there waits for who
// is answered from Slack.
func (b *bench) inTeams(ctx context.Context) (err error) {
	if err := b.haveArticles(ctx, b.o.Scale.Small); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t, err := b.openTenant(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := b.deskIn(ctx, t, true, func(c *child) error { return b.unhurried(ctx, t, c) }); err != nil {
		return err
	}
	if err := b.bothSides(ctx, t); err != nil {
		return err
	}
	if err := b.deskIn(ctx, t, true, func(*child) error { return b.replies(ctx, t) }); err != nil {
		return err
	}
	return b.deskIn(ctx, t, false, func(c *child) error { return b.limited(ctx, t, c) })
}

// deskIn has a desk in Slack and Teams while something is done.
func (b *bench) deskIn(ctx context.Context, t *tenancy, unpaced bool, do func(*child) error) (err error) {
	c, err := b.startOn(ctx, wholeDesk, app.Teams{AppID: t.App().ID, AppPassword: t.App().Secret, TenantID: t.ID(),
		MetadataURL: t.OpenIDURL(), TokenURL: t.TokenURL(), GraphURL: t.GraphURL(), Unpaced: unpaced})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	t.Connect("http://" + c.Addr)
	b.slack.Connect("http://" + c.Addr)
	return do(c)
}

// unhurried is what is measured of one person after the other in a Teams without
// limits.
func (b *bench) unhurried(ctx context.Context, t *tenancy, c *child) error {
	ask := func(ctx context.Context, i int) (time.Duration, error) { return b.askIn(ctx, t, i) }
	for i := range t.people { // the first of each costs more
		patient, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errSilent)
		_, err := ask(patient, i)
		cancel()
		if err != nil {
			return err
		}
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	first := len(t.Deliveries())

	const asked = 10
	asks, err := b.paced(ctx, asked, t.people, ask)
	if err != nil {
		return fmt.Errorf("questions: %w", err)
	}
	var acks took
	for _, d := range t.Deliveries()[first:] {
		if d.Type == "message" && d.Status/100 == 2 {
			acks = append(acks, d.Took)
		}
	}
	acks = acks.sorted()
	b.add(timed("teams.ack", fmt.Sprintf("Teams: acknowledge an activity, %d questions/s at work", asked), acks),
		timed("teams.ask", fmt.Sprintf("Teams: question to answer delivered, %d/s, %d articles", asked, b.articles), asks))

	const invoked = 20
	invokes, err := b.paced(ctx, invoked, t.people, func(_ context.Context, i int) (time.Duration, error) {
		chat, err := t.person(i).Chat()
		if err != nil {
			return 0, err
		}
		began := time.Now()
		err = t.press(i, chat, "Open a ticket")
		return time.Since(began), errors.Join(err, t.person(i).CloseDialog())
	})
	if err != nil {
		return fmt.Errorf("invokes: %w", err)
	}
	b.add(timed("teams.invoke", fmt.Sprintf("Teams: a press answered with a dialog, %d/s", invoked), invokes).
		goal(invokes.at(99) <= 300*time.Millisecond, "p99 ≤ 300 ms"))
	if err := b.drained(ctx); err != nil {
		return err
	}
	return b.lifeIn(ctx, t, c, "teams.life", "in Slack", func(i int) worker { return &inSlack{b: b, who: b.slack.Person(userOf(i))} })
}

// timed is a row of how long something took.
func timed(name, what string, of took) Row {
	return Row{Name: name, What: what, Value: fmt.Sprintf("p50 %.0f ms, p99 %.0f ms", ms(of.at(50)), ms(of.at(99))),
		Figures: map[string]float64{"p50_ms": ms(of.at(50)), "p99_ms": ms(of.at(99)), "count": float64(len(of))}}
}

// askIn has somebody in Teams ask, and tells how long the answer took.
func (b *bench) askIn(ctx context.Context, t *tenancy, i int) (time.Duration, error) {
	chat, err := t.person(i).Chat()
	if err != nil {
		return 0, err
	}
	return t.after(ctx, chat, func() error {
		_, err := t.person(i).Say(teamstest.Post{Channel: chat, Text: b.company.words[100+i] + " " + b.company.words[200+i] + " is broken"})
		return err
	})
}

// newest is somebody's newest ticket.
func (t *tenancy) newest(i int, chat string) (ref string, err error) {
	all, err := t.person(i).Messages(chat, "", 20)
	for _, m := range all {
		if found := reference.FindString(teamstest.RenderCard(m.Card)); found != "" {
			ref = found
		}
	}
	return ref, err
}

// cardOf is where the card of somebody's newest ticket stands in Slack.
func (b *bench) cardOf(t *tenancy, i int, chat string) (place, error) {
	ref, err := t.newest(i, chat)
	if err != nil {
		return place{}, err
	}
	at, ok := b.listener.triageCard(ref)
	if !ok {
		return at, fmt.Errorf("%w: %q", errNoCard, ref)
	}
	return at, nil
}

// next is the next of n that is one's own of several who share them.
func next(i, step, n int) int {
	if i += step; i < n {
		return i
	}
	return i % step
}

// replies are from agents in Slack to people in Teams, as fast as they come.
func (b *bench) replies(ctx context.Context, t *tenancy) error {
	for i := range min(t.people, 30) {
		chat, err := t.person(i).Chat()
		if err != nil {
			return err
		}
		patient, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errSilent)
		_, err = b.askIn(patient, t, i) // those before are closed
		cancel()
		if err != nil {
			return err
		}
		if err := t.press(i, chat, "Talk to a person"); err != nil {
			return err
		}
		t.chats = append(t.chats, chat)
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	for i, chat := range t.chats {
		at, err := b.cardOf(t, i, chat)
		if err != nil {
			return err
		}
		t.places = append(t.places, at)
	}
	b.listener.forget()
	conns := 4
	if b.o.Scale.Gentle {
		conns = 1
	}
	var group errgroup.Group
	var mu sync.Mutex
	var all took
	began := time.Now()
	for from := range conns {
		group.Go(func() error {
			for i := from; time.Since(began) < b.o.Scale.Asking; i = next(i, conns, len(t.places)) {
				patient, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience, errSilent)
				d, err := t.after(patient, t.chats[i], func() error {
					_, err := b.slack.Person(userOf(0)).Say(slacktest.Post{Channel: t.places[i].channel, Thread: t.places[i].ts, Text: "what does its display say?"})
					return err
				})
				cancel()
				if err != nil {
					return err
				}
				mu.Lock()
				all = append(all, d)
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("replies: %w", err)
	}
	all = all.sorted()
	b.add(timed("teams.reply", fmt.Sprintf("a reply in Slack, delivered in Teams, %d agents as fast as they can", conns), all).
		goal(all.at(99) <= 300*time.Millisecond, "p99 ≤ 300 ms"))
	return b.drained(ctx)
}
