package ephemeral

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// patience is how long a call waits for Redis before it does without.
	patience = 100 * time.Millisecond

	// look is how often we see whether Redis is there and still has our values.
	// While it is away we look more often.
	look     = time.Second
	lookAway = 200 * time.Millisecond

	// batch is how many values are brought back at once.
	batch = 200
)

// RedisOptions configure [OpenRedis].
type RedisOptions struct {
	// Prefix begins every key and channel, so that several desks can share one
	// Redis. The default is "deskhand:".
	Prefix string

	// Memory bounds what this process keeps itself.
	Memory MemoryOptions

	// Log hears when Redis goes away and when it is back.
	Log *slog.Logger
}

// Redis is the store that several processes share.
//
// Each process also keeps what it has written itself. While Redis is away, that
// is what it works with, and the first call that notices pays a tenth of a
// second, the others nothing. When Redis comes back, or has been emptied, each
// process writes back what it has.
type Redis struct {
	client *redis.Client
	prefix string
	self   string // tells our own messages from those of other processes
	log    *slog.Logger
	memory *Memory

	quit context.Context
	stop context.CancelFunc
	done sync.WaitGroup
	kick chan struct{} // asks for a look now

	mu    sync.Mutex
	away  bool
	told  bool                // and the log has it
	epoch string              // what Redis held at its key when our values were written to it
	dirty map[string]struct{} // keys written or deleted while it was away
}

// OpenRedis connects to the Redis at the URL, redis://user:password@host:6379/0,
// rediss:// for TLS, or unix:///path. A Redis that is not there yet is not an
// error; an address that can't be read, or a password that is refused, is.
func OpenRedis(ctx context.Context, address string, o RedisOptions) (*Redis, error) {
	opt, err := redis.ParseURL(address)
	if err != nil {
		// The text of the error may hold the password.
		return nil, errors.New("DESKHAND_REDIS_URL can't be read; it looks like redis://user:password@host:6379/0, " +
			"with special characters in the password percent-encoded")
	}
	quietDriver()
	opt.MaxRetries = -1 // our memory is the second try
	opt.DialerRetries = 1
	opt.DialTimeout = 2 * time.Second // in the background; callers have less patience
	opt.ReadTimeout, opt.WriteTimeout = time.Second, time.Second
	opt.ContextTimeoutEnabled = true
	opt.DisableIdentity = true
	opt.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	r := &Redis{
		client: redis.NewClient(opt),
		prefix: cmp.Or(o.Prefix, "deskhand:"),
		self:   rand.Text(),
		log:    cmp.Or(o.Log, slog.Default()),
		memory: NewMemory(o.Memory),
		kick:   make(chan struct{}, 1),
		dirty:  map[string]struct{}{},
		away:   true,
	}
	r.quit, r.stop = context.WithCancel(context.Background()) // until Close

	first, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	switch err := r.restore(first); {
	case err == nil:
	case refused(err):
		r.stop()
		_ = r.client.Close()
		return nil, fmt.Errorf("the Redis at %s refuses us: %s; correct the user and the password in DESKHAND_REDIS_URL", place(address), firstLine(err))
	default:
		r.told = true
		r.log.Warn("Redis is not there; going on without it", "address", place(address), "err", err)
	}
	r.done.Add(2)
	go r.watch()
	go r.listen()
	return r, nil
}

// Ping asks Redis for a sign of life.
func (r *Redis) Ping(ctx context.Context) error {
	if err := r.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// Close implements [Store].
func (r *Redis) Close() error {
	r.stop()
	r.done.Wait()
	_ = r.memory.Close() // has no error
	if err := r.client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}

func (r *Redis) valueKey(key string) string   { return r.prefix + "value:" + key }
func (r *Redis) bucketKey(name string) string { return r.prefix + "rate:" + name }
func (r *Redis) epochKey() string             { return r.prefix + "epoch" }
func (r *Redis) channel(topic string) string  { return r.prefix + "topic:" + topic }

// try runs one call to Redis, unless it is away, and reports whether it was
// answered.
func (r *Redis) try(ctx context.Context, call func(context.Context) error) bool {
	r.mu.Lock()
	away := r.away
	r.mu.Unlock()
	if away {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := call(bounded)
	if err == nil {
		return true
	}
	if ctx.Err() == nil { // a caller who gave up says nothing of Redis
		r.lost(err)
	}
	return false
}

// lost notes that Redis is away.
func (r *Redis) lost(err error) {
	r.mu.Lock()
	told := r.told
	r.away, r.told = true, true
	r.mu.Unlock()
	if !told {
		r.log.Warn("Redis is away; going on without it", "err", err)
	}
}

// Get implements [Store].
func (r *Redis) Get(ctx context.Context, key string) ([]byte, bool) {
	var got []any
	ok := r.try(ctx, func(ctx context.Context) (err error) {
		got, err = r.client.MGet(ctx, r.valueKey(key), r.epochKey()).Result()
		return err
	})
	if !ok {
		return r.memory.Get(ctx, key)
	}
	if value, ok := got[0].(string); ok {
		return []byte(value), true
	}
	epoch, _ := got[1].(string) // "" when there is none
	r.mu.Lock()
	same := epoch == r.epoch
	r.mu.Unlock()
	if same {
		r.memory.Delete(ctx, key) // another process did, or its time is over
		return nil, false
	}
	// Redis has been emptied, so that it misses the value proves nothing.
	r.lookNow()
	return r.memory.Get(ctx, key)
}

// Set implements [Store].
func (r *Redis) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	r.memory.Set(ctx, key, value, ttl)
	r.write(ctx, key, func(ctx context.Context) error {
		if ttl < time.Millisecond {
			return r.client.Del(ctx, r.valueKey(key)).Err()
		}
		return r.client.Set(ctx, r.valueKey(key), value, ttl).Err()
	})
}

// Delete implements [Store].
func (r *Redis) Delete(ctx context.Context, key string) {
	r.memory.Delete(ctx, key)
	r.write(ctx, key, func(ctx context.Context) error { return r.client.Del(ctx, r.valueKey(key)).Err() })
}

// write notes the keys whose change did not, or perhaps not, reach Redis.
func (r *Redis) write(ctx context.Context, key string, call func(context.Context) error) {
	if r.try(ctx, call) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.dirty) >= r.memory.o.MaxEntries {
		return // as when memory is full
	}
	r.dirty[key] = struct{}{}
	if !r.away { // only this call failed, or Redis has just returned
		r.lookNow()
	}
}

// Publish implements [Store]. Subscribers of this process hear it whether or
// not Redis is there.
func (r *Redis) Publish(ctx context.Context, topic string, payload []byte) {
	r.memory.Publish(ctx, topic, payload)
	r.try(ctx, func(ctx context.Context) error {
		return r.client.Publish(ctx, r.channel(topic), r.self+string(payload)).Err()
	})
}

// Subscribe implements [Store].
func (r *Redis) Subscribe(ctx context.Context, topic string) <-chan []byte {
	return r.memory.Subscribe(ctx, topic)
}

// listen passes on what other processes publish. One subscription serves all
// topics; the driver renews it when its connection breaks.
func (r *Redis) listen() {
	defer r.done.Done()
	sub := r.client.PSubscribe(r.quit, escapePattern(r.prefix)+"topic:*")
	defer func() { _ = sub.Close() }()
	ch := sub.ChannelWithSubscriptions(redis.WithChannelHealthCheckInterval(look), redis.WithChannelPingTimeout(look),
		redis.WithChannelReconnectTimeout(lookAway), redis.WithChannelSize(1000))
	for {
		select {
		case <-r.quit.Done():
			return
		case got, ok := <-ch:
			if !ok {
				return
			}
			switch got := got.(type) {
			case *redis.Subscription:
				r.memory.hub.gap() // before this, nothing was heard
			case *redis.Message:
				if len(got.Payload) < len(r.self) || strings.HasPrefix(got.Payload, r.self) {
					continue // ours, which our subscribers have heard
				}
				topic := strings.TrimPrefix(got.Channel, r.channel(""))
				r.memory.hub.publish(topic, []byte(got.Payload[len(r.self):]))
			}
		}
	}
}

// watch looks after Redis until Close.
func (r *Redis) watch() {
	defer r.done.Done()
	for {
		r.mu.Lock()
		away := r.away
		r.mu.Unlock()
		wait := look
		if away {
			wait = lookAway
		}
		select {
		case <-r.quit.Done():
			return
		case <-r.kick:
		case <-time.After(wait):
		}
		ctx, cancel := context.WithTimeout(r.quit, 2*time.Second)
		err := r.restore(ctx)
		cancel()
		if err != nil && r.quit.Err() == nil {
			r.lost(err)
		}
	}
}

// lookNow asks watch for a look.
func (r *Redis) lookNow() {
	select {
	case r.kick <- struct{}{}:
	default: // asked for already
	}
}

// restore sees whether Redis is there, brings it what it should have from us,
// and goes back to it.
func (r *Redis) restore(ctx context.Context) error {
	epoch, err := r.readEpoch(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	emptied := epoch != r.epoch
	r.mu.Unlock()
	if emptied {
		// Never over what another process wrote in the meantime.
		if err := r.push(ctx, r.memory.all(), nil, func(p redis.Pipeliner, h held) {
			p.SetNX(ctx, r.valueKey(h.key), h.value, h.ttl)
		}); err != nil {
			return err
		}
	}
	for {
		r.mu.Lock()
		r.epoch = epoch
		if len(r.dirty) == 0 {
			told := r.told
			r.away, r.told = false, false
			r.mu.Unlock()
			if told {
				r.log.Info("Redis is back")
			}
			return nil
		}
		changed := r.dirty
		r.dirty = map[string]struct{}{}
		r.mu.Unlock()

		if err := r.pushChanged(ctx, changed); err != nil {
			r.mu.Lock()
			maps.Copy(r.dirty, changed)
			r.mu.Unlock()
			return err
		}
	}
}

// readEpoch returns the mark that Redis keeps for as long as it keeps anything
// of ours, setting one if it has none.
func (r *Redis) readEpoch(ctx context.Context) (string, error) {
	fresh := rand.Text()
	set, err := r.client.SetNX(ctx, r.epochKey(), fresh, 0).Result()
	if err != nil {
		return "", err
	}
	if set {
		return fresh, nil
	}
	return r.client.Get(ctx, r.epochKey()).Result()
}

func (r *Redis) pushChanged(ctx context.Context, keys map[string]struct{}) error {
	var values []held
	var gone []string
	for key := range keys {
		if h, ok := r.memory.one(key); ok {
			values = append(values, h)
		} else {
			gone = append(gone, r.valueKey(key))
		}
	}
	return r.push(ctx, values, gone, func(p redis.Pipeliner, h held) {
		p.Set(ctx, r.valueKey(h.key), h.value, h.ttl)
	})
}

// push writes values and deletes keys, a batch at a time.
func (r *Redis) push(ctx context.Context, values []held, gone []string, set func(redis.Pipeliner, held)) error {
	for len(values) > 0 || len(gone) > 0 {
		p := r.client.Pipeline()
		n := min(batch, len(values))
		for _, h := range values[:n] {
			if h.ttl >= time.Millisecond {
				set(p, h)
			}
		}
		values = values[n:]
		n = min(batch, len(gone))
		if n > 0 {
			p.Del(ctx, gone[:n]...)
		}
		gone = gone[n:]
		if _, err := p.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}

// quietDriver keeps the driver from writing to the standard error what we tell
// in the log.
var quietDriver = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}

// refused reports whether Redis is there but does not let us in.
func refused(err error) bool {
	for _, code := range []string{"WRONGPASS", "NOAUTH", "NOPERM", "ERR AUTH", "ERR invalid password"} {
		if strings.Contains(err.Error(), code) {
			return true
		}
	}
	return false
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// place names a Redis without its password.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the given address"
	}
	return cmp.Or(u.Host, u.Path)
}

// escapePattern makes a pattern that matches nothing but the text.
func escapePattern(s string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `\`, `\\`).Replace(s)
}
