package ephemeral

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"sync"
	"time"
)

// Limits of a [Memory]. A form takes a few kB, a profile less.
const (
	defaultEntries = 10_000
	defaultBytes   = 16 << 20
	sweepEvery     = time.Minute
)

// MemoryOptions bound a [Memory]. The zero value has sensible bounds.
type MemoryOptions struct {
	MaxEntries int              // values and buckets, each
	MaxBytes   int              // of values and their keys
	Now        func() time.Time // the clock; time.Now by default
}

// Memory is the store of a single process. When it is full, the values that
// were not used for longest give way.
type Memory struct {
	o   MemoryOptions
	hub hub

	mu      sync.Mutex
	values  map[string]*list.Element // of *entry
	recent  *list.List               // the most recently used first
	bytes   int
	buckets map[string]*bucket
	swept   time.Time
}

type entry struct {
	key     string
	value   []byte
	expires time.Time
}

func (e *entry) size() int { return len(e.key) + len(e.value) }

// NewMemory returns an empty store.
func NewMemory(o MemoryOptions) *Memory {
	o.MaxEntries = cmp.Or(o.MaxEntries, defaultEntries)
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultBytes)
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Memory{
		o:       o,
		values:  map[string]*list.Element{},
		recent:  list.New(),
		buckets: map[string]*bucket{},
		swept:   o.Now(),
	}
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.values[key]
	if !ok {
		return nil, false
	}
	e := el.Value.(*entry)
	if !m.o.Now().Before(e.expires) {
		m.remove(el)
		return nil, false
	}
	m.recent.MoveToFront(el)
	return bytes.Clone(e.value), true
}

// Set implements [Store].
func (m *Memory) Set(_ context.Context, key string, value []byte, ttl time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	m.sweep(now)
	if el, ok := m.values[key]; ok {
		m.remove(el)
	}
	e := &entry{key: key, value: append([]byte{}, value...), expires: now.Add(ttl)}
	if ttl <= 0 || e.size() > m.o.MaxBytes {
		return
	}
	m.values[key] = m.recent.PushFront(e)
	m.bytes += e.size()
	for len(m.values) > m.o.MaxEntries || m.bytes > m.o.MaxBytes {
		m.remove(m.recent.Back())
	}
}

// Delete implements [Store].
func (m *Memory) Delete(_ context.Context, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if el, ok := m.values[key]; ok {
		m.remove(el)
	}
}

func (m *Memory) remove(el *list.Element) {
	e := m.recent.Remove(el).(*entry)
	delete(m.values, e.key)
	m.bytes -= e.size()
}

// sweep forgets what has expired, once in a while.
func (m *Memory) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	for _, el := range m.values {
		if !now.Before(el.Value.(*entry).expires) {
			m.remove(el)
		}
	}
	for name, b := range m.buckets {
		if b.idle(now) {
			delete(m.buckets, name)
		}
	}
}

// idle reports whether the bucket is as good as new.
func (b *bucket) idle(now time.Time) bool { return !b.due.After(now) && !b.blocked.After(now) }

// Take implements [Store].
func (m *Memory) Take(ctx context.Context, name string, rate float64, burst, n int) (time.Duration, error) {
	every, err := interval(rate, burst, n)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	m.sweep(now)
	return m.bucket(name, now).take(now, every, burst, n), nil
}

// Block implements [Store].
func (m *Memory) Block(_ context.Context, name string, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.bucket(name, m.o.Now())
	b.blocked = later(b.blocked, until)
}

// bucket returns the named bucket, making room for it if need be.
func (m *Memory) bucket(name string, now time.Time) *bucket {
	if b, ok := m.buckets[name]; ok {
		return b
	}
	if len(m.buckets) >= m.o.MaxEntries {
		m.dropBucket(now)
	}
	b := &bucket{}
	m.buckets[name] = b
	return b
}

// dropBucket forgets an idle bucket, or else one of those nearest to it among a
// few: a full table must not cost a pass over all of it for each newcomer.
func (m *Memory) dropBucket(now time.Time) {
	const look = 32
	var worst string
	var free time.Time
	seen := 0
	for name, b := range m.buckets { // in random order
		at := later(b.due, b.blocked)
		if seen == 0 || at.Before(free) {
			worst, free = name, at
		}
		if seen++; seen == look || b.idle(now) {
			break
		}
	}
	delete(m.buckets, worst)
}

// known returns a bucket's state as offsets from now, for Redis to go on from.
func (m *Memory) known(name string) (due, blocked time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.buckets[name]
	if !ok {
		return 0, 0
	}
	now := m.o.Now()
	return max(0, b.due.Sub(now)), max(0, b.blocked.Sub(now))
}

// learn takes over a bucket's state from Redis.
func (m *Memory) learn(name string, due, blocked time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	m.sweep(now)
	b := m.bucket(name, now)
	b.due, b.blocked = later(b.due, now.Add(due)), later(b.blocked, now.Add(blocked))
}

// held is a value and for how long it is still good.
type held struct {
	key   string
	value []byte
	ttl   time.Duration
}

// all returns all values that are good.
func (m *Memory) all() []held {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.o.Now()
	got := make([]held, 0, len(m.values))
	for key, el := range m.values {
		e := el.Value.(*entry)
		if now.Before(e.expires) {
			got = append(got, held{key, e.value, e.expires.Sub(now)}) // values are replaced, never changed
		}
	}
	return got
}

// one returns a value like [Memory.all].
func (m *Memory) one(key string) (held, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, ok := m.values[key]
	if !ok {
		return held{}, false
	}
	e := el.Value.(*entry)
	ttl := e.expires.Sub(m.o.Now())
	return held{key, e.value, ttl}, ttl > 0
}

// Publish implements [Store].
func (m *Memory) Publish(_ context.Context, topic string, payload []byte) {
	m.hub.publish(topic, append([]byte{}, payload...))
}

// Subscribe implements [Store].
func (m *Memory) Subscribe(ctx context.Context, topic string) <-chan []byte {
	return m.hub.subscribe(ctx, topic)
}

// Close implements [Store].
func (m *Memory) Close() error {
	m.hub.close()
	return nil
}
