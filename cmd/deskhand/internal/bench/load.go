package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A gun fires signed message events at an app over connections that it keeps,
// and costs as little as it can, because it shares the machine with what it
// measures.
type gun struct {
	addr, secret   string
	team, app, bot string
	channel        string
	users          []string
	n              *atomic.Int64 // events fired, by all guns: each is another event
}

// took are latencies.
type took []time.Duration

func (t took) sorted() took {
	slices.Sort(t)
	return t
}

// at is a percentile of sorted latencies.
func (t took) at(percent float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[min(int(float64(len(t))*percent/100), len(t)-1)]
}

// volley fires over conns connections, as fast as it is answered or, with a
// rate, so many a second, for the time given.
func (g *gun) volley(ctx context.Context, conns int, rate float64, howLong time.Duration) (took, error) {
	ctx, cancel := context.WithTimeout(ctx, howLong)
	defer cancel()
	var group errgroup.Group
	var mu sync.Mutex
	var all took
	began := time.Now()
	var turn atomic.Int64
	for range conns {
		group.Go(func() error {
			mine, err := g.fire(ctx, func() bool {
				if rate == 0 {
					return ctx.Err() == nil
				}
				at := began.Add(time.Duration(float64(turn.Add(1)-1) / rate * float64(time.Second)))
				select {
				case <-time.After(time.Until(at)):
					return ctx.Err() == nil
				case <-ctx.Done():
					return false
				}
			})
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
			return err
		})
	}
	err := group.Wait()
	return all.sorted(), err
}

func (g *gun) fire(ctx context.Context, next func() bool) (mine took, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", g.addr)
	if err != nil {
		return nil, fmt.Errorf("bench: connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	mac := hmac.New(sha256.New, []byte(g.secret))
	var body, request []byte
	for next() {
		n := g.n.Add(1)
		now := time.Now()
		stamp := strconv.FormatInt(now.Unix(), 10)
		body = g.event(body[:0], n, now)
		mac.Reset()
		mac.Write([]byte("v0:" + stamp + ":"))
		mac.Write(body)
		request = fmt.Appendf(request[:0], "POST /slack/events HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"+
			"X-Slack-Request-Timestamp: %s\r\nX-Slack-Signature: v0=%s\r\n\r\n", len(body), stamp, hex.EncodeToString(mac.Sum(nil)))
		request = append(request, body...)
		began := time.Now()
		if _, err := conn.Write(request); err != nil {
			return mine, fmt.Errorf("bench: send an event: %w", err)
		}
		status, err := readAnswer(answers)
		if err != nil {
			return mine, fmt.Errorf("bench: read an answer: %w", err)
		}
		if status != 200 {
			return mine, fmt.Errorf("bench: an event was answered with %d", status)
		}
		mine = append(mine, time.Since(began))
	}
	return mine, nil
}

// event is what Slack sends for a message in a channel, about 1.1 KB.
// See docs.slack.dev/reference/events/message.channels.
func (g *gun) event(buf []byte, n int64, now time.Time) []byte {
	// Slack's ts tell messages apart: seconds, and six digits that count.
	ts := fmt.Sprintf("%d.%06d", now.Unix()-now.Unix()%1000+n/1_000_000, n%1_000_000)
	user := g.users[int(n)%len(g.users)]
	return fmt.Appendf(buf, `{"token":"one-long-verification-token","team_id":%[1]q,"context_team_id":%[1]q,"context_enterprise_id":null,"api_app_id":%[2]q,`+
		`"event":{"type":"message","user":%[3]q,"ts":%[4]q,"client_msg_id":"3f0d6e6c-0000-4000-8000-%012[5]d","text":"the printer on the third floor does not print since this morning, number %[5]d",`+
		`"team":%[1]q,"blocks":[{"type":"rich_text","block_id":"b%[5]d","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"the printer on the third floor does not print since this morning, number %[5]d"}]}]}],`+
		`"channel":%[6]q,"event_ts":%[4]q,"channel_type":"channel"},"type":"event_callback","event_id":"Ev%010[5]d","event_time":%[7]d,`+
		`"authorizations":[{"enterprise_id":null,"team_id":%[1]q,"user_id":%[8]q,"is_bot":true,"is_enterprise_install":false}],"is_ext_shared_channel":false,`+
		`"event_context":"4-eyJldCI6Im1lc3NhZ2UiLCJ0aWQiOiJUMDAwMDAwMDEiLCJhaWQiOiJBMDAwMDAwMDEiLCJjaWQiOiJDMDAwMDAwMDEifQ%[5]d"}`,
		g.team, g.app, user, ts, n, g.channel, now.Unix(), g.bot)
}

var errLongAnswer = errors.New("an answer without a length")

// readAnswer reads one answer off a connection that is kept.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, errLongAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errLongAnswer
	}
	_, err = io.CopyN(io.Discard, r, int64(length))
	return status, err
}
