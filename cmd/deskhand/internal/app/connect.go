package app

import (
	"context"
	"sync"
	"time"

	"github.com/deskhand/deskhand/adapters/slack"
	"github.com/deskhand/deskhand/adapters/teams"
)

// connect makes the desk known to its platforms and keeps trying: a platform
// that is away must not keep the desk, or the other one, from working.
func (a *App) connect(ctx context.Context) error {
	var known sync.WaitGroup
	for name, p := range a.platforms() {
		known.Add(1)
		a.work.Go(func() error {
			if !a.persist(ctx, titles[name]+" can't be reached yet", p.Connect) {
				known.Done()
				return nil
			}
			// Finding the channels takes many calls. What fails is found later; what
			// is known from before works meanwhile.
			if err := a.findChannels(ctx); err != nil {
				a.o.Log.WarnContext(ctx, "not all channels were found yet", "err", err)
				a.work.Go(func() error {
					a.persist(ctx, "not all channels were found yet", a.findChannels)
					return nil
				})
			}
			known.Done()
			if name == slack.Platform && a.o.Slack.AppToken != "" {
				return a.slack.RunSocket(ctx)
			}
			return nil
		})
	}
	if known.Wait(); ctx.Err() == nil {
		close(a.ready)
	}
	return nil
}

// titles are the platforms' names for people.
var titles = map[string]string{slack.Platform: "Slack", teams.Platform: "Teams"}

func (a *App) findChannels(ctx context.Context) error { return a.find(ctx, a.Desk.FindChannels) }
func (a *App) findNew(ctx context.Context) error      { return a.find(ctx, a.Desk.FindNewChannels) }

func (a *App) find(ctx context.Context, do func(context.Context) (missing []string, err error)) error {
	a.finding.Lock() // each platform asks for it
	defer a.finding.Unlock()
	missing, err := do(ctx)
	if err == nil {
		for _, m := range missing {
			a.o.Log.WarnContext(ctx, m)
		}
	}
	return err
}

// findNamed looks for what a policy names that is applied while the desk runs.
func (a *App) findNamed(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.named:
			a.persist(ctx, "not all channels that the policy names were found yet", a.findNew)
		}
	}
}

// persist does something until it succeeds; false if ctx ends before. What fails
// at first may be only a moment late, and what comes in waits for it: the first
// tries are near to each other, and only the first of them is told.
func (a *App) persist(ctx context.Context, complaint string, do func(context.Context) error) bool {
	const first = 100 * time.Millisecond
	for wait := first; ; wait = min(2*wait, time.Minute) {
		err := do(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if wait == first || wait > time.Second {
			a.o.Log.WarnContext(ctx, complaint, "err", err, "again_in", wait)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}
