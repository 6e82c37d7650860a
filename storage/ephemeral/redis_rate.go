package ephemeral

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// takeScript is bucket.take on the clock of Redis, in microseconds. Its floors
// are what the calling process knows of the bucket, as offsets from now: after
// Redis has been emptied the budget goes on where it was. It answers how long to
// wait, and the state in the same form.
var takeScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local interval, burst, n = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local s = redis.call('HMGET', KEYS[1], 'due', 'blocked')
local due = math.max(now, tonumber(s[1] or 0), now + tonumber(ARGV[4]))
local blocked = math.max(tonumber(s[2] or 0), now + tonumber(ARGV[5]))
if n > 0 then
	if blocked > now then
		due = math.max(due, blocked + (burst - 1) * interval)
	end
	due = due + n * interval
end
redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due), 'blocked', string.format('%.0f', blocked))
redis.call('PEXPIRE', KEYS[1], math.ceil((math.max(due, blocked) - now) / 1000) + 1000)
return {math.ceil(math.max(0, due - burst * interval - now)), math.ceil(due - now), math.max(0, blocked - now)}
`)

// Take implements [Store].
func (r *Redis) Take(ctx context.Context, name string, rate float64, burst, n int) (time.Duration, error) {
	every, err := interval(rate, burst, n)
	if err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if wait, ok := r.take(ctx, name, every, burst, n); ok {
		return wait, nil
	}
	return r.memory.Take(ctx, name, rate, burst, n)
}

func (r *Redis) take(ctx context.Context, name string, every time.Duration, burst, n int) (time.Duration, bool) {
	due, blocked := r.memory.known(name)
	var got []int64
	ok := r.try(ctx, func(ctx context.Context) (err error) {
		got, err = takeScript.Run(ctx, r.client, []string{r.bucketKey(name)},
			float64(every)/float64(time.Microsecond), burst, n, due.Microseconds(), blocked.Microseconds()).Int64Slice()
		if err == nil && len(got) != 3 {
			err = fmt.Errorf("take: %d numbers from the script", len(got))
		}
		return err
	})
	if !ok {
		return 0, false
	}
	r.memory.learn(name, time.Duration(got[1])*time.Microsecond, time.Duration(got[2])*time.Microsecond)
	return time.Duration(got[0]) * time.Microsecond, true
}

// Block implements [Store].
func (r *Redis) Block(ctx context.Context, name string, until time.Time) {
	r.memory.Block(ctx, name, until)
	r.take(ctx, name, time.Millisecond, 1, 0) // takes nothing, and hands on what we know
}
