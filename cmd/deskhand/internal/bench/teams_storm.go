package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// What the storm is: for so long Teams refuses this share of the calls, besides
// those for which its windows have no room.
const (
	refusing     = 5 * time.Second
	refusedShare = 0.5
)

var errLost = errors.New("not all of the replies are in Teams")

// limited measures what becomes of many replies at once in a Teams that keeps
// its rate limits per conversation, and for a while takes fewer calls still.
func (b *bench) limited(ctx context.Context, t *tenancy, c *child) error {
	t.SetPacing(teamstest.TeamsPacing)
	defer t.SetPacing(teamstest.Pacing{})
	share := teamstest.Share(refusedShare, teamstest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}, "send", "update", "create")
	began := time.Now()
	t.OnCall(func(c teamstest.Call) teamstest.Fault {
		if time.Since(began) > refusing {
			return teamstest.Fault{}
		}
		return share(c)
	})
	defer t.OnCall(nil)

	before, seq := t.Stats(), t.Seq()
	used, err := b.usageOf(c)
	if err != nil {
		return err
	}
	lines, all := b.o.Scale.Hurry, b.o.Scale.Hurry*len(t.chats)
	patient, cancel := context.WithTimeoutCause(ctx, b.o.Scale.Patience+time.Duration(lines)*time.Second, errLost)
	defer cancel()
	var saying errgroup.Group
	for i, at := range t.places {
		saying.Go(func() error {
			for n := range lines {
				if _, err := b.slack.Person(userOf(0)).Say(slacktest.Post{Channel: at.channel, Thread: at.ts, Text: fmt.Sprintf("line %d of it", n)}); err != nil {
					return fmt.Errorf("reply %d in ticket %d: %w", n, i, err)
				}
			}
			return nil
		})
	}
	heard, heardErr := t.lines(patient, seq, all)
	if err := errors.Join(saying.Wait(), heardErr); err != nil {
		return err
	}
	if err := b.drained(ctx); err != nil {
		return err
	}
	after := t.Stats()
	calls := after.Calls["send"] + after.Calls["update"] - before.Calls["send"] - before.Calls["update"]
	refusals := after.Errors["Throttled"] + after.Errors["429"] - before.Errors["Throttled"] - before.Errors["429"]
	now, err := b.usageOf(c)
	if err != nil {
		return err
	}
	least := max(windows(lines), time.Duration(all)*time.Second/time.Duration(teamstest.TeamsPacing.PerSecond))
	cost, took := now.since(used).each(all), heard.last.Sub(began)
	b.add(Row{Name: "teams.storm", What: fmt.Sprintf("Teams: %d replies at once to %d people, with its windows kept and half of the calls refused for %v", all, len(t.chats), refusing),
		Value: fmt.Sprintf("%.1f s; %d of %d, %d twice, %d out of order; %d calls refused; CPU %.1f ms and %.2f calls for each",
			took.Seconds(), heard.right, all, heard.twice, heard.astray, refusals, cost, float64(calls)/float64(all)),
		FloorIs: "as fast as Teams takes them when it refuses none", Floor: fmt.Sprintf("%.1f s", least.Seconds()),
		Ratio:   fmt.Sprintf("%.1f", took.Seconds()/least.Seconds()),
		Figures: map[string]float64{"last_s": took.Seconds(), "right": float64(heard.right), "refused": float64(refusals), "calls": float64(calls), "cpu_ms": cost}}.
		goal(heard.right == all && heard.twice == 0 && heard.astray == 0, "all, once, in order"))
	return nil
}

// windows is how long Teams' windows make n messages in one conversation take.
func windows(n int) time.Duration {
	at := make([]time.Duration, n)
	for i := range at {
		for _, w := range []struct {
			most int
			in   time.Duration
		}{{7, time.Second}, {8, 2 * time.Second}, {60, 30 * time.Second}, {1800, time.Hour}} {
			if i >= w.most {
				at[i] = max(at[i], at[i-w.most]+w.in)
			}
		}
		if i > 0 {
			at[i] = max(at[i], at[i-1])
		}
	}
	return at[n-1]
}

// arrived is what came of lines that were numbered in each chat.
type arrived struct {
	right, twice, astray int
	last                 time.Time
}

var numbered = regexp.MustCompile(`line ([0-9]+) of it`)

// lines follows until all have come.
func (t *tenancy) lines(ctx context.Context, seq int64, all int) (arrived, error) {
	var a arrived
	seen, newest := map[string]bool{}, map[string]int{}
	for c, err := range t.Follow(ctx, seq) {
		if err != nil {
			return a, err
		}
		if c.Kind != teamstest.MessagePosted || c.Message.From != t.BotID() {
			continue
		}
		m := numbered.FindStringSubmatch(c.Message.Text + c.Message.Summary)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return a, err
		}
		key := c.Channel + " " + m[1]
		if seen[key] {
			a.twice++
			continue
		}
		if seen[key] = true; n < newest[c.Channel] {
			a.astray++
		}
		newest[c.Channel] = max(newest[c.Channel], n)
		if a.right, a.last = a.right+1, c.At; a.right == all {
			return a, nil
		}
	}
	return a, context.Cause(ctx)
}
