package pipeline

import (
	"context"
	"sync"
	"time"
)

// lookEvery is how often it is looked whether a change that somebody waits for
// has changed: in one query for all of them, while there are any.
const lookEvery = 500 * time.Millisecond

// mostWaiting is how many may wait in one process; others are answered at once.
const mostWaiting = 2000

// waits are those who wait for a change to change, which another process may do.
type waits struct {
	versions func(context.Context, []int64) (map[int64]int, error)

	mu      sync.Mutex
	of      map[int64][]waiter
	n       int
	looking bool
	closed  bool
}

type waiter struct {
	version int
	changed chan struct{}
}

// changed waits until a change has another version than this one; false if it
// has not within a time.
func (w *waits) changed(ctx context.Context, id int64, version int, within time.Duration) bool {
	if within <= 0 {
		return false
	}
	me := waiter{version, make(chan struct{})}
	w.mu.Lock()
	if w.closed || w.n >= mostWaiting {
		w.mu.Unlock()
		return false
	}
	w.n++
	w.of[id] = append(w.of[id], me)
	if !w.looking {
		w.looking = true
		go w.look()
	}
	w.mu.Unlock()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-me.changed:
		return ctx.Err() == nil && !w.ended()
	case <-timer.C:
	case <-ctx.Done():
	}
	w.leave(id, me)
	return false
}

func (w *waits) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

func (w *waits) leave(id int64, me waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, one := range w.of[id] {
		if one == me {
			w.drop(id, i)
			return
		}
	}
}

// drop takes one out; w.mu is held.
func (w *waits) drop(id int64, i int) {
	all := w.of[id]
	all[i] = all[len(all)-1]
	if w.of[id] = all[:len(all)-1]; len(all) == 1 {
		delete(w.of, id)
	}
	w.n--
}

// look goes on while somebody waits.
func (w *waits) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for range tick.C {
		w.mu.Lock()
		if w.n == 0 || w.closed {
			w.looking = false
			w.mu.Unlock()
			return
		}
		ids := make([]int64, 0, len(w.of))
		for id := range w.of {
			ids = append(ids, id)
		}
		w.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		now, err := w.versions(ctx, ids)
		cancel()
		if err != nil {
			continue // the next look may succeed; those who wait have a time of their own
		}
		w.mu.Lock()
		for id, version := range now {
			for i := len(w.of[id]) - 1; i >= 0; i-- {
				if one := w.of[id][i]; one.version != version {
					close(one.changed)
					w.drop(id, i)
				}
			}
		}
		w.mu.Unlock()
	}
}

// close lets everybody go.
func (w *waits) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for id, all := range w.of {
		for _, one := range all {
			close(one.changed)
		}
		delete(w.of, id)
	}
	w.n = 0
}
