package bench

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage"
)

// place is where a message stands.
type place struct{ channel, ts string }

// listener reads along what the desk says, as people's clients do.
type listener struct {
	stop context.CancelFunc
	done chan struct{}
	err  error // once done

	mu      sync.Mutex
	newest  map[place][]*slacktest.Message // the desk's messages by the first of their thread, each as it now is
	triage  map[string]place               // by reference, once it has been asked for
	answers map[place]chan time.Time       // when the desk first spoke in a thread
}

func listen(w *slacktest.Workspace) *listener {
	ctx, stop := context.WithCancel(context.Background())
	l := &listener{stop: stop, done: make(chan struct{}), newest: map[place][]*slacktest.Message{}, answers: map[place]chan time.Time{}}
	go func() {
		defer close(l.done)
		for c, err := range w.Follow(ctx, w.Seq()) {
			if err != nil {
				l.err = err
				return
			}
			if c.Message != nil && c.Message.BotID != "" && !c.Message.Ephemeral {
				l.heard(c)
			}
		}
	}()
	return l
}

func (l *listener) close() {
	l.stop()
	<-l.done
}

func (l *listener) heard(c slacktest.Change) {
	m := c.Message
	root := place{c.Channel, m.ThreadTS}
	if m.ThreadTS == "" {
		root.ts = m.TS
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, had := range l.newest[root] {
		if had.TS == m.TS {
			l.newest[root][i] = m
			return
		}
	}
	if c.Kind != slacktest.MessagePosted {
		return
	}
	l.newest[root] = append(l.newest[root], m)
	select {
	case l.answer(root) <- c.At:
	default: // only the first counts
	}
}

// answer is where the time of the first answer in a thread comes. The caller
// has the lock.
func (l *listener) answer(root place) chan time.Time {
	a := l.answers[root]
	if a == nil {
		a = make(chan time.Time, 1)
		l.answers[root] = a
	}
	return a
}

// answered waits until the desk has spoken in the thread.
func (l *listener) answered(ctx context.Context, root place) (time.Time, error) {
	l.mu.Lock()
	a := l.answer(root)
	l.mu.Unlock()
	select {
	case at := <-a:
		return at, nil
	case <-l.done:
		return time.Time{}, l.err
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

// inThread are the desk's messages in a thread, as they now are.
func (l *listener) inThread(root place) []*slacktest.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*slacktest.Message(nil), l.newest[root]...)
}

// forget drops what was heard.
func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.newest)
	clear(l.triage)
	clear(l.answers)
}

// drained waits until the desk has nothing left to do.
func (b *bench) drained(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 5*b.o.Scale.Patience, errStuck)
	defer cancel()
	for {
		if err := b.slack.Idle(ctx); err != nil {
			return err
		}
		var left storage.Backlog
		if err := b.db.View(ctx, func(tx *storage.Tx) (err error) {
			left, err = tx.Backlog(ctx, time.Now())
			return err
		}); err != nil {
			return err
		}
		if left.Settled() {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// having are the threads in somebody's direct messages whose first message has a
// button, in the order in which they came.
func (l *listener) having(button string, who *slacktest.Person) []place {
	dm, err := who.DM()
	if err != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []place
	for root, said := range l.newest {
		if root.channel == dm && len(said) > 0 && action(said[0].Blocks, button) != "" {
			found = append(found, root)
		}
	}
	slices.SortFunc(found, func(a, b place) int { return strings.Compare(a.ts, b.ts) })
	return found
}

// until waits until the first message of a thread says something.
func (l *listener) until(ctx context.Context, root place, says func(text string) bool) error {
	for {
		if all := l.inThread(root); len(all) > 0 && says(all[0].Text) {
			return nil
		}
		select {
		case <-l.done:
			return l.err
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(500 * time.Microsecond):
		}
	}
}
