package teamstest

import "time"

// A Place is a conversation seen from above: everything in it as everybody has
// it, but what is for one person's eyes.
type Place struct {
	s        *Script
	id, name string
}

func (p *Place) texts() []string {
	p.s.w.mu.Lock()
	defer p.s.w.mu.Unlock()
	var list []string
	for _, m := range p.s.w.convBy[p.id].msgs {
		if m.To == "" && !m.Deleted {
			list = append(list, p.s.w.line(Seen{Message: *m, Card: m.card()}))
		}
	}
	return list
}

// Sees waits until all these words are on one message there.
func (p *Place) Sees(words ...string) *Place {
	p.s.t.Helper()
	if !p.s.wait(func() bool { return has(p.texts(), words) }) {
		p.s.fail("no message in %s has %q", p.name, words)
	}
	return p
}

// SeesNot fails if a message there has all these words, after the app has gone
// idle.
func (p *Place) SeesNot(words ...string) *Place {
	p.s.t.Helper()
	if err := p.s.settle(); err != nil {
		p.s.fail("the app does not come to rest: %v", err)
	}
	if has(p.texts(), words) {
		p.s.fail("a message in %s has %q", p.name, words)
	}
	return p
}

// A Tab is a page of the app's, open in somebody's client.
type Tab interface {
	Text() (string, error) // what is on it now
	Press(button string) error
}

// OpensHome opens the app's personal tab. What follows is done there.
func (a *Actor) OpensHome() *Actor {
	a.s.t.Helper()
	if a.s.Tab == nil {
		a.s.fail("%s finds no tab", a.name())
		return a
	}
	tab, err := a.s.Tab(a.p)
	return (&Actor{s: a.s, p: a.p, channel: a.channel, tab: tab}).did("opens the tab", err)
}

// tabText is what is on the tab, if the actor is there.
func (a *Actor) tabText() string {
	if a.tab == nil {
		return ""
	}
	said, err := a.tab.Text()
	if err != nil {
		return "\nthe tab: " + err.Error()
	}
	return "\n" + said
}

// wait is Script.wait; on a tab, of which Teams hears nothing, it looks again
// every now and then.
func (a *Actor) wait(ok func() bool) bool {
	if a.tab == nil {
		return a.s.wait(ok)
	}
	ctx, cancel := a.s.patience()
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
