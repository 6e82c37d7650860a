package model

import (
	"sync"
	"time"
)

// A model that has failed so often in a row is left alone for that long, twice
// as long each time it fails again.
const (
	patience    = 3
	firstRest   = 10 * time.Second
	longestRest = 10 * time.Minute
)

// rest says when a model that fails may be asked again. Then one question goes
// ahead, and the others go on without until it is back.
type rest struct {
	mu       sync.Mutex
	failures int
	until    time.Time
	trying   bool
}

// over tells whether the model may be asked; whoever asks says what came of it.
func (r *rest) over(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.failures < patience && !now.Before(r.until):
		return true
	case now.Before(r.until), r.trying:
		return false
	}
	r.trying = true
	return true
}

// succeeded tells whether the model had been left alone before.
func (r *rest) succeeded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	rested := !r.until.IsZero()
	r.failures, r.until, r.trying = 0, time.Time{}, false
	return rested
}

// failed returns for how long the model is left alone from now on; 0 if it
// isn't, or already was. least is what it has asked for itself.
func (r *rest) failed(now time.Time, least time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trying = false
	if now.Before(r.until) {
		return 0 // it was asked before the rest began
	}
	r.failures++
	pause := least
	if over := r.failures - patience; over >= 0 {
		pause = max(least, min(firstRest<<min(over, 10), longestRest))
	}
	if pause > 0 {
		r.until = now.Add(pause)
	}
	return pause
}

// undecided says that a call told nothing of how the model is.
func (r *rest) undecided() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trying = false
}
