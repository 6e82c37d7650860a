package inbox

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/deskhand/deskhand/storage"
)

// maxHeld is how many events a process holds in memory for its workers. The
// rest stay in the database until there is room.
const maxHeld = 4096

// queue has the events that this process knows of and could handle, by
// conversation. It is only what saves looking into the database: whether it is
// an event's turn is decided there.
type queue struct {
	// ready has each conversation that has events and nobody at them. It has
	// room for all that can be held.
	ready chan *conversation

	mu            sync.Mutex
	running       bool
	conversations map[string]*conversation
	held          map[storage.IncomingID]struct{} // also those that a worker has in hand
	short         bool                            // there is more in the database than is held
}

// conversation is the events of one conversation, in order, less the one that
// a worker has in hand.
type conversation struct {
	name     string
	events   []entry
	stumbles int // how often in a row it was not its turn
}

func (q *queue) init() {
	q.ready = make(chan *conversation, maxHeld)
	q.conversations = map[string]*conversation{}
	q.held = map[storage.IncomingID]struct{}{}
}

// run says whether anybody handles what is added.
func (q *queue) run(running bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = running
	q.short = true
}

// add puts the events where they belong and returns how many of them are new.
func (q *queue) add(events []entry) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.running {
		return 0
	}
	n := 0
	var fresh []*conversation
	for _, e := range events {
		if _, known := q.held[e.ID]; known {
			continue
		}
		if len(q.held) == maxHeld {
			q.short = true
			break
		}
		q.held[e.ID] = struct{}{}
		n++
		c := q.conversations[e.Conversation]
		if c == nil {
			c = &conversation{name: e.Conversation}
			q.conversations[c.name] = c
			fresh = append(fresh, c)
		}
		at, _ := slices.BinarySearchFunc(c.events, e, func(a, b entry) int { return int(a.ID - b.ID) })
		c.events = slices.Insert(c.events, at, e)
	}
	for _, c := range fresh {
		q.ready <- c
	}
	return n
}

// next takes the first event of a conversation from ready.
func (q *queue) next(c *conversation) entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := c.events[0]
	c.events = c.events[1:]
	return e
}

// done says that the event is no longer there. It returns whether it is time
// to look for more.
func (q *queue) done(c *conversation, e entry) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.held, e.ID)
	c.stumbles = 0
	if len(c.events) > 0 {
		q.ready <- c
	} else {
		delete(q.conversations, c.name)
	}
	if q.short && len(q.held) < maxHeld/2 {
		q.short = false
		return true
	}
	return false
}

// drop forgets the event and all that follow it in its conversation: the
// database knows when they can be handled.
func (q *queue) drop(c *conversation, e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.held, e.ID)
	for _, later := range c.events {
		delete(q.held, later.ID)
	}
	delete(q.conversations, c.name)
}

// again puts the event back, to be tried after the time given.
func (q *queue) again(c *conversation, e entry, after time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	at, _ := slices.BinarySearchFunc(c.events, e, func(a, b entry) int { return int(a.ID - b.ID) })
	c.events = slices.Insert(c.events, at, e)
	time.AfterFunc(after, func() { q.ready <- c })
}

// room is how many more events can be held.
func (q *queue) room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return maxHeld - len(q.held)
}

// stumbleFor is how long a conversation rests whose turn it is not, because
// another process is at it: mostly that is over in milliseconds. After some
// times it is left to the next look into the database.
func stumbleFor(times int) (time.Duration, bool) {
	const most = 7
	return (2 * time.Millisecond) << times, times < most
}

// putOff is how long an event waits after a number of failures: one second
// and then each time 2.7 times as long, ten minutes in all for eight attempts,
// give or take a fifth, so that what failed together does not come together.
func putOff(failures int) time.Duration {
	d := float64(time.Second)
	for range failures - 1 {
		d *= 2.7
	}
	return time.Duration(d * (0.8 + 0.4*rand.Float64()))
}

// jittered is at least d and at most a fifth more.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration(0.2*rand.Float64()*float64(d))
}
