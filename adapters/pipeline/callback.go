package pipeline

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/storage"
)

const (
	answerWithin = 10 * time.Second
	callLease    = time.Minute
	callsAtOnce  = 8
	callsClaimed = 32
	soonest      = 200 * time.Millisecond // between two looks
	lookForCalls = 5 * time.Second        // another process may have queued some
	giveUpAfter  = 24 * time.Hour
)

// waitFor is how long to wait after so many failures.
var waitFor = []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

// Wake says that a callback may have been queued.
func (s *Server) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run calls back until ctx ends; then it lets go whoever waits for a verdict.
func (s *Server) Run(ctx context.Context) error {
	defer s.waits.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looked time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
			// A busy desk wakes us after each event, and few of them are a change's.
			if rest := soonest - time.Since(looked); rest > 0 {
				timer.Reset(rest)
				continue
			}
		case <-timer.C:
		}
		looked = time.Now()
		wait, err := s.callAll(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Log.LogAttrs(ctx, slog.LevelWarn, "pipelines are called back later", slog.Any("err", err))
			wait = lookForCalls
		}
		timer.Reset(wait)
	}
}

// callAll calls what is due and returns when to look again.
func (s *Server) callAll(ctx context.Context) (time.Duration, error) {
	due, next, err := s.o.DB.ClaimCallbacks(ctx, s.o.Now(), callLease, callsClaimed)
	if err != nil {
		return 0, err
	}
	var group errgroup.Group
	group.SetLimit(callsAtOnce)
	for _, c := range due {
		group.Go(func() error { return s.callOne(context.WithoutCancel(ctx), c) }) // short; let it be recorded
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	if len(due) == callsClaimed {
		return time.Millisecond, nil
	}
	if next.IsZero() {
		return lookForCalls, nil
	}
	return min(max(next.Sub(s.o.Now()), time.Millisecond), lookForCalls), nil
}

// callOne calls one pipeline and records what came of it.
func (s *Server) callOne(ctx context.Context, c storage.Callback) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin+10*time.Second)
	defer cancel()
	why, reaches, err := s.o.Desk.MayCall(ctx, c.URL)
	if err != nil {
		return err
	}
	status, after := 0, time.Duration(0)
	if why == "" {
		status, after, why = s.send(ctx, c, reaches)
	}
	delivered := why == ""
	var again time.Time
	if now := s.o.Now(); !delivered && status != http.StatusGone && now.Sub(c.MadeAt) < giveUpAfter {
		wait := waitFor[min(c.Attempt, len(waitFor))-1]
		wait = time.Duration(float64(wait) * (0.8 + 0.4*rand.Float64()))
		again = now.Add(max(wait, min(after, time.Hour)))
	}
	if !delivered {
		s.o.Log.LogAttrs(ctx, slog.LevelInfo, "a pipeline was not told", slog.Int64("callback", c.ID), slog.Int("attempt", c.Attempt), slog.String("why", why))
	}
	if err := s.o.Desk.CalledBack(ctx, c, status, why, delivered, again); err != nil {
		return err
	}
	if again.IsZero() && !delivered {
		s.o.OnHandled()
	}
	return nil
}

// errNotThere is for a host that turned out to be where the desk may not call.
var errNotThere = errors.New("its host is in a network that I may not call into")

// send makes one call. why is empty if it was taken; after is how long it asks
// to be left alone.
func (s *Server) send(ctx context.Context, c storage.Callback, reaches func(ip string) bool) (status int, after time.Duration, why string) {
	// The address that is checked is the one that is called, whatever its name
	// is said to mean a moment later.
	dialer := net.Dialer{Timeout: answerWithin, Control: func(_, address string, _ syscall.RawConn) error {
		host, _, err := net.SplitHostPort(address)
		if err != nil || !reaches(host) {
			return errNotThere
		}
		return nil
	}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: answerWithin, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: 64 << 10}
	client := http.Client{Transport: transport, Timeout: answerWithin, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(c.Body))
	if err != nil {
		return 0, 0, "its address can't be read"
	}
	id, at := "callback-"+strconv.FormatInt(c.ID, 10), strconv.FormatInt(s.o.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "deskhand")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", at)
	r.Header.Set("Webhook-Signature", sign(c.Secret, id, at, c.Body))
	resp, err := client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which may hold a secret
		}
		return 0, 0, clip(err.Error(), 300)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // nobody reads it
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp.StatusCode, 0, ""
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		after = time.Duration(min(n, 86_400)) * time.Second
	}
	return resp.StatusCode, after, fmt.Sprintf("it answered %d", resp.StatusCode)
}

// sign is the signature of a call, by standardwebhooks.com.
func sign(secret []byte, id, at string, body []byte) string {
	h := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(h, "%s.%s.%s", id, at, body) // never fails
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
