// Package ephemeral keeps what processes share for a short while: half-filled
// forms, cached profiles, rate budgets and wake-ups. Nothing in it is a fact;
// facts are in Postgres, and losing all of this costs a little time.
//
// There are two implementations of [Store]: [Memory] for one process, and
// [Redis] for several. A Redis that is flushed, hangs or goes away is no error
// for the callers: each process goes on with its own memory, and brings what it
// kept back to Redis when that returns.
package ephemeral

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Store is short-lived state. All methods are safe for use by many goroutines.
type Store interface {
	// Get returns the value of the key if there is one. The caller may keep and
	// change it.
	Get(ctx context.Context, key string) ([]byte, bool)

	// Set keeps a value for the given time, which must be positive. It may be
	// dropped before when room is short.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration)

	// Delete forgets the key.
	Delete(ctx context.Context, key string)

	// Take reserves n tokens of a bucket that fills with rate tokens a second up
	// to burst, and returns how long to wait before using them. It does not wait
	// itself. The tokens are the caller's, who must not Take again after the
	// wait: the ones who come later are told to wait longer. The error is that
	// of a cancelled context or of arguments that make no sense.
	Take(ctx context.Context, bucket string, rate float64, burst, n int) (time.Duration, error)

	// Block empties a bucket until the given time, for all who take from it from
	// now on. After it they come one by one.
	Block(ctx context.Context, bucket string, until time.Time)

	// Publish wakes the subscribers of a topic in all processes.
	Publish(ctx context.Context, topic string, payload []byte)

	// Subscribe returns what is published on a topic from now on, until ctx ends
	// and the channel is closed. Payloads must not be changed. A nil payload
	// says that some may have been missed, because the subscriber was slow or
	// Redis was away: it should look for itself.
	Subscribe(ctx context.Context, topic string) <-chan []byte

	// Close ends the subscriptions and the connections.
	Close() error
}

var (
	_ Store = (*Memory)(nil)
	_ Store = (*Redis)(nil)
)

// bucket is the state of a rate limit, as a virtual schedule (GCRA): a token is
// due every interval, and the schedule may run ahead of the clock by a burst.
// It needs no refilling, and its two times are all that has to be shared.
type bucket struct {
	due     time.Time // when the token after all that were taken would be due
	blocked time.Time // nothing before this
}

// take reserves n tokens and returns how long to wait for them. The script in
// redis.go does the same.
func (b *bucket) take(now time.Time, interval time.Duration, burst, n int) time.Duration {
	b.due = later(b.due, now)
	if b.blocked.After(now) {
		// As if the burst had been used up at the end of the block.
		b.due = later(b.due, b.blocked.Add(time.Duration(burst-1)*interval))
	}
	b.due = b.due.Add(time.Duration(n) * interval)
	return max(0, b.due.Add(-time.Duration(burst)*interval).Sub(now))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// interval returns the time between two tokens.
func interval(rate float64, burst, n int) (time.Duration, error) {
	if !(rate > 0) || burst < 1 || n < 1 {
		return 0, fmt.Errorf("take %d tokens at %g a second with a burst of %d: all must be positive", n, rate, burst)
	}
	const slowest = 24 * time.Hour // also keeps the sums below from overflowing
	d := float64(time.Second) / rate
	if d > float64(slowest) || d*float64(max(burst, n)) > float64(365*slowest) {
		return 0, errors.New("take tokens: the rate is less than one in a day")
	}
	return max(1, time.Duration(d)), nil
}
