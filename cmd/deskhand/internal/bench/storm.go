package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage"
)

// storm measures many promises that are missed within a minute over many
// channels, at the pace that the platform allows.
func (p *promises) storm(ctx context.Context) (err error) {
	s := p.o.Scale
	// What was missed before is over, and this Slack has never seen it.
	if err := p.store.InTx(ctx, func(tx *storage.Tx) error {
		for _, sql := range []string{`update breaches set ended_at = now() where ended_at is null`, `update digests set closed_at = now() where closed_at is null`,
			`update tellings set at = at - interval '1 day'`, // or its channels would be busy with them
			`delete from due where kind like 'breach.%'`, `delete from outbox`} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := p.workspace(ctx, slacktest.SlackPacing); err != nil {
		return err
	}
	p.say("%d promises are missed within %v, at Slack's pace", s.Storm, s.Telling)
	c, err := p.desk(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	from := time.Now().Add(ahead)
	seq := p.slack.Seq()
	first, err := p.due(ctx, s.Storm, soonDue, from, s.Telling/time.Duration(s.Storm))
	if err != nil {
		return err
	}
	deadline := from.Add(s.Telling + 10*s.Patience)
	var accepted took
	for {
		if accepted, err = p.accepted(ctx, first, s.Storm); err != nil {
			return err
		}
		if len(accepted) == s.Storm || time.Now().After(deadline) {
			break
		}
		if err := wait(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
	told, messages, err := p.heard(ctx, seq, from)
	if err != nil {
		return err
	}
	var urgent, others float64
	if err := p.store.Pool().QueryRow(ctx, `
		select coalesce(percentile_cont(0.99) within group (order by s) filter (where priority = 1), 0), coalesce(percentile_cont(0.99) within group (order by s) filter (where priority > 1), 0)
		from (select tk.priority, extract(epoch from max(t.accepted_at) - a.due_at)::float8 as s from alerts a join tellings t on t.alert_id = a.id join tickets tk on tk.id = a.ticket_id
			where a.ticket_id >= $1 and a.ticket_id < $1::bigint + $2 group by a.id, tk.priority, a.due_at) x`, first, s.Storm).Scan(&urgent, &others); err != nil {
		return err
	}
	last, most := time.Duration(0), 0
	for channel, at := range told {
		last, most = max(last, at), max(most, messages[channel])
	}
	posted := 0
	for _, n := range messages {
		posted += n
	}
	all := len(accepted) == s.Storm && len(told) == promiseTeams
	p.bench.add(Row{Name: "storm", What: fmt.Sprintf("%d breaches within %v over %d channels at Slack's pace: the last channel hears of it", s.Storm, s.Telling, promiseTeams),
		Value:   fmt.Sprintf("%.1f s; %d of %d told", last.Seconds(), len(accepted), s.Storm),
		Figures: map[string]float64{"last_channel_s": last.Seconds(), "told": float64(len(accepted)), "channels": float64(len(told))}}.
		goal(all && last <= time.Minute, "all, each channel within 60 s"),
		Row{Name: "storm.messages", What: "messages in a channel meanwhile, which keep themselves current", Value: fmt.Sprintf("%d in all, most in one channel: %d", posted, most),
			Figures: map[string]float64{"messages": float64(posted), "most": float64(most)}}.goal(most <= 1, "one a channel"),
		Row{Name: "storm.urgent", What: "the most urgent of them, from breach to taken", Value: fmt.Sprintf("p99 %.1f s", urgent), FloorIs: "the others", Floor: fmt.Sprintf("p99 %.1f s", others),
			Figures: map[string]float64{"p99_s": urgent, "others_p99_s": others}}.goal(urgent <= 1.1*others, "no later than the others, give or take a tenth"))
	return nil
}

// heard is after how long each channel for alerts had its first message, and
// how many each had.
func (p *promises) heard(ctx context.Context, seq int64, from time.Time) (told map[string]time.Duration, messages map[string]int, err error) {
	told, messages = map[string]time.Duration{}, map[string]int{}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for c, err := range p.slack.Follow(ctx, seq) {
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			return nil, nil, err
		}
		if c.Kind != slacktest.MessagePosted || !p.alerts[c.Channel] {
			continue
		}
		messages[c.Channel]++
		if at, ok := told[c.Channel]; !ok || c.At.Sub(from) < at {
			told[c.Channel] = c.At.Sub(from)
		}
	}
	return told, messages, nil
}
