package outbox

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/deskhand/deskhand/storage"
)

const (
	// maxParked is how many deliveries wait in memory for one budget.
	maxParked = 64
	// maxPutOff bounds how far ahead a delivery is put off for its budget, for
	// those before it may turn out to be fewer.
	maxPutOff = 5 * time.Minute
	// keepToken is how long a reserved call that nobody needed is kept.
	keepToken = 30 * time.Second
)

// pacer has deliveries wait for their budgets. A call is reserved for a budget
// and not for a delivery: when its time has come, the most urgent that waits
// then makes it. Only so many wait in memory as will have their turn soon; the
// rest go back to the database, so that others can be claimed meanwhile.
type pacer struct {
	mu      sync.Mutex
	buckets map[string]*bucket
	closed  bool
}

// bucket is the deliveries that wait for one budget.
type bucket struct {
	rate   float64
	burst  int
	parked []*delivery // the most urgent first

	asking   bool      // somebody is reserving a call, for whoever is first then
	reserved time.Time // when the next call may be made; zero: none is reserved
	spare    bool      // a reserved call of which the time has come, and nobody was there
	timer    *time.Timer

	// tails is for each lane when those put off, in it and before it, will have
	// had their turns.
	tails [storage.LaneDigest + 1]time.Time
}

// enter has the delivery wait for its next budget.
func (out *Outbox) enter(ctx context.Context, d *delivery) {
	budget := d.budgets[d.taken]
	p := &out.pace
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		out.putOff(d, 0, d.Unsure, false, nil)
		return
	}
	b := p.buckets[budget.Name]
	if b == nil {
		b = &bucket{}
		p.buckets[budget.Name] = b
	}
	b.rate, b.burst = budget.Rate, budget.Burst
	at, _ := slices.BinarySearchFunc(b.parked, d, byUrgency)
	b.parked = slices.Insert(b.parked, at, d)
	if !b.reserved.IsZero() {
		out.trim(b)
		p.mu.Unlock()
		return
	}
	if b.asking {
		p.mu.Unlock()
		return
	}
	b.asking = true
	p.mu.Unlock()
	out.ask(ctx, budget.Name, b)
}

func byUrgency(a, b *delivery) int {
	if a.Lane != b.Lane {
		return int(a.Lane - b.Lane)
	}
	return int(a.Seq - b.Seq)
}

// ask reserves calls and lets deliveries make them, until there are no more of
// them or a call is reserved for later. Only one goroutine asks for a budget.
func (out *Outbox) ask(ctx context.Context, name string, b *bucket) {
	p := &out.pace
	for {
		p.mu.Lock()
		switch {
		case p.closed:
			b.asking = false
			p.mu.Unlock()
			return
		case len(b.parked) == 0:
			b.asking = false
			if !b.spare {
				delete(p.buckets, name)
			}
			p.mu.Unlock()
			return
		case b.spare:
			b.spare = false
			b.timer.Stop()
			out.release(ctx, b)
			p.mu.Unlock()
			continue
		}
		rate, burst := b.rate, b.burst
		p.mu.Unlock()
		wait, err := out.o.Pace.Take(ctx, name, rate, burst, 1)
		if err != nil {
			// A budget that makes no sense is none: the platform's own refusals
			// will set the pace.
			out.o.Log.LogAttrs(ctx, slog.LevelError, "a budget can't be kept", slog.String("budget", name), slog.Any("err", err))
			wait = 0
		}
		p.mu.Lock()
		if wait <= 0 {
			if len(b.parked) > 0 {
				out.release(ctx, b)
			}
			p.mu.Unlock()
			continue
		}
		b.asking = false
		b.reserved = out.o.Now().Add(wait)
		b.timer = time.AfterFunc(wait, func() { out.mature(ctx, name, b) })
		out.trim(b)
		p.mu.Unlock()
		return
	}
}

// mature is when the time of a reserved call has come.
func (out *Outbox) mature(ctx context.Context, name string, b *bucket) {
	p := &out.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	b.reserved = time.Time{}
	if len(b.parked) == 0 {
		b.spare = true
		b.timer = time.AfterFunc(keepToken, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if b.spare && !b.asking {
				delete(p.buckets, name)
			}
		})
		return
	}
	out.release(ctx, b)
	b.asking = true
	out.rounds.Go(func() { out.ask(ctx, name, b) })
}

// release sends the most urgent of those that wait on its way. The caller has
// the pacer's lock.
func (out *Outbox) release(ctx context.Context, b *bucket) {
	d := b.parked[0]
	b.parked = slices.Delete(b.parked, 0, 1)
	d.taken++
	out.rounds.Go(func() { out.next(ctx, d) })
}

// trim puts off those that will not have their turn soon. The caller has the
// pacer's lock.
func (out *Outbox) trim(b *bucket) {
	now := out.o.Now()
	each := time.Duration(float64(time.Second) / b.rate)
	room := 0
	if wait := b.reserved.Sub(now); wait < parkTime {
		room = 1 + min(int((parkTime-wait)/each), maxParked-1)
	}
	for _, d := range b.parked {
		d.waited = true
	}
	if len(b.parked) <= room {
		return
	}
	first := b.reserved.Add(time.Duration(room) * each)
	for _, d := range b.parked[room:] {
		lane := min(max(d.Lane, 0), storage.LaneDigest)
		if b.tails[lane].Before(first) {
			b.tails[lane] = first
		}
		out.putOff(d, min(b.tails[lane].Sub(now), maxPutOff), d.Unsure, false, nil)
		for l := lane; int(l) < len(b.tails); l++ {
			b.tails[l] = b.tails[l].Add(each)
		}
	}
	b.parked = slices.Clip(b.parked[:room])
}

// close puts off all that wait, to be delivered by another process or after a
// restart.
func (p *pacer) close(putOff func(*delivery)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, b := range p.buckets {
		if b.timer != nil {
			b.timer.Stop()
		}
		for _, d := range b.parked {
			putOff(d)
		}
		b.parked = nil
	}
}
