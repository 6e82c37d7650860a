package teamstest

import (
	"context"
	"iter"
	"sync"
	"time"
)

// changeLog keeps the last changes, numbered without gaps. The tenant's lock
// guards it.
type changeLog struct {
	keep  int
	seq   int64    // of the newest
	kept  []Change // in order; the last has Seq == seq
	awake chan struct{}
}

func (l *changeLog) append(c Change) {
	l.seq++
	c.Seq = l.seq
	if len(l.kept) >= 2*l.keep { // cut now and then, not on each
		l.kept = append(l.kept[:0:0], l.kept[len(l.kept)-l.keep:]...)
	}
	l.kept = append(l.kept, c)
	l.wake()
}

func (l *changeLog) wake() {
	if l.awake != nil {
		close(l.awake)
		l.awake = nil
	}
}

// forget drops everything, so that each follower has to read anew.
func (l *changeLog) forget() {
	l.seq++
	l.kept = nil
	l.wake()
}

// after gives at most max changes after the one numbered seq, and whether none
// between is missing.
func (l *changeLog) after(seq int64, max int) ([]Change, bool) {
	if seq >= l.seq {
		return nil, seq == l.seq
	}
	first := l.seq - int64(len(l.kept)) + 1
	if seq+1 < first {
		return nil, false
	}
	from := l.kept[seq+1-first:]
	return append([]Change(nil), from[:min(max, len(from))]...), true
}

// next is closed when there is another change.
func (l *changeLog) next() <-chan struct{} {
	if l.awake == nil {
		l.awake = make(chan struct{})
	}
	return l.awake
}

// changed writes a change down. The caller holds t.mu.
func (t *Tenant) changed(c Change) {
	c.At = t.now()
	t.changes.append(c)
}

// Seq is the number of the newest change; read it before reading the state, then
// Follow from it.
func (t *Tenant) Seq() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changes.seq
}

// Follow gives each change after the one numbered after, as it happens, until ctx
// ends or the tenant is closed. A negative number begins with the oldest that is
// kept. If changes in between are no longer kept, it gives ErrGap once and ends.
// A slow follower holds nobody up. What a change points to is shared: read it,
// and do not write to it.
func (t *Tenant) Follow(ctx context.Context, after int64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		at := after
		for {
			t.mu.Lock()
			if at < 0 {
				at = t.changes.seq - int64(len(t.changes.kept))
			}
			batch, whole := t.changes.after(at, 256)
			var more <-chan struct{}
			if len(batch) == 0 {
				more = t.changes.next()
			}
			t.mu.Unlock()
			if !whole {
				yield(Change{}, ErrGap)
				return
			}
			for _, c := range batch {
				if ctx.Err() != nil || !yield(c, nil) {
					return
				}
				at = c.Seq
			}
			if more == nil {
				continue
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			case <-t.ctx.Done():
				return
			}
		}
	}
}

// Wait returns when ok does, looking again after each change; or with ctx's
// error. ok may call any method of the tenant.
func (t *Tenant) Wait(ctx context.Context, ok func() bool) error {
	for {
		t.mu.Lock()
		more := t.changes.next()
		t.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		case <-t.ctx.Done():
			return t.ctx.Err()
		}
	}
}

// Idle waits until no activity is under way or waiting to be sent again, and no
// call of the app's is being carried out.
func (t *Tenant) Idle(ctx context.Context) error {
	return t.Wait(ctx, func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.pending == 0 && t.stats.busy == 0
	})
}

// settle counts an activity as done with, and wakes who waits for idleness. The
// caller holds t.mu.
func (t *Tenant) settle() {
	t.pending--
	if t.pending == 0 {
		t.changes.wake()
	}
}

// ring keeps the last so many values.
type ring[T any] struct {
	keep int
	mu   sync.Mutex
	kept []T
}

func (r *ring[T]) add(v T) {
	if r.keep == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept) >= 2*r.keep {
		r.kept = append(r.kept[:0:0], r.kept[len(r.kept)-r.keep:]...)
	}
	r.kept = append(r.kept, v)
}

func (r *ring[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]T(nil), r.kept[max(0, len(r.kept)-r.keep):]...)
}

// after is time.After that does not make somebody wait for no time at all.
func after(d time.Duration) <-chan time.Time {
	if d <= 0 {
		c := make(chan time.Time, 1)
		c <- time.Time{}
		return c
	}
	return time.After(d)
}
