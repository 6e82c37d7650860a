package teams

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// Time limits of one call.
const (
	callTimeout = 10 * time.Second
	fileTimeout = 60 * time.Second
	maxAnswer   = 8 << 20 // bytes; a page of 500 members has about 200 KB
)

// effect says what it means to make a call twice.
type effect int

const (
	repeatable effect = iota // the same again
	creating                 // a second message
)

// request is one call of the Bot Connector, or of Microsoft Graph.
type request struct {
	name   string // for metrics and errors
	method string
	path   []string // below the service URL; encoded here
	query  url.Values
	body   any
	effect effect
	about  string // the post that it delivers; see correlation
}

// correlation is the header that names the post which a call delivers, by which
// the call is found again in the log of whoever stands between.
const correlation = "X-Correlation-ID"

// call makes one call of the Bot Connector at service, a URL that came in a
// verified activity: within a time limit, measured, and with its error in chat's
// terms.
func (a *Adapter) call(ctx context.Context, service string, r request, into any) error {
	return a.measured(ctx, r.name, callTimeout, func(ctx context.Context) error { return a.send(ctx, service, r, into) })
}

func (a *Adapter) measured(ctx context.Context, name string, limit time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	err := f(ctx)
	a.metrics.calls.WithLabelValues(name, outcome(err)).Observe(time.Since(start).Seconds())
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*chat.LimitedError](err); ok {
		a.metrics.limited.WithLabelValues(name).Inc()
	}
	return fmt.Errorf("teams: %s: %w", name, err)
}

func (a *Adapter) send(ctx context.Context, service string, r request, into any) error {
	if !trustworthy(service) || a.anonymous && !loopbackURL(service) {
		return goneError("NoServiceURL")
	}
	address := strings.TrimSuffix(service, "/") + escapePath(r.path)
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var js []byte
	if r.body != nil {
		var err error
		if js, err = json.Marshal(r.body); err != nil {
			return &chat.RefusedError{Reason: "it can't be written as JSON"}
		}
	}
	if a.anonymous {
		_, err := a.once(ctx, address, "", js, r, into)
		return err
	}
	return a.tokens.authorize(ctx, func(token string) (int, error) { return a.once(ctx, address, token, js, r, into) })
}

// once makes the call itself. The status is 0 if there was no answer.
func (a *Adapter) once(ctx context.Context, address, token string, js []byte, r request, into any) (int, error) {
	// What has not left whole can't have had an effect.
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) { left.Store(i.Err == nil) }})
	var body io.Reader
	if js != nil {
		body = bytes.NewReader(js)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return 0, goneError("NoServiceURL")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	req.Header.Set("Accept", "application/json")
	if r.about != "" {
		req.Header.Set(correlation, r.about)
	}
	client := *a.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil && !left.Load() {
		return 0, bare(err)
	}
	if err != nil {
		return 0, unsure(bare(err), r.effect)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return resp.StatusCode, refused(resp.StatusCode, resp.Header, said, r.effect)
	}
	if err != nil {
		return resp.StatusCode, unsure(bare(err), r.effect)
	}
	if into == nil || len(bytes.TrimSpace(said)) == 0 {
		return resp.StatusCode, nil
	}
	if json.Unmarshal(said, into) != nil && r.effect != creating {
		return resp.StatusCode, errors.New("the answer is not what it should be")
	}
	return resp.StatusCode, nil
}

// escapePath encodes all but letters, digits and "-._~", as ids have ":", ";"
// and "@" in them.
func escapePath(parts []string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		for _, c := range []byte(p) {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '~' || c == '.' && p != "." && p != ".." {
				b.WriteByte(c)
				continue
			}
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// bare is an error without the address that it may carry, which may be secret.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// unsure marks an error after which nobody knows whether Teams has done it.
func unsure(err error, what effect) error {
	if what == creating {
		return fmt.Errorf("%w: %w", chat.ErrUnsure, err)
	}
	return err
}

// codeError is an error code of Teams' that is none of chat's errors.
type codeError string

func (e codeError) Error() string { return string(e) }

// goneError is one that says that something is not there, or not for the desk.
type goneError string

func (e goneError) Error() string { return string(e) }
func (e goneError) Unwrap() error { return chat.ErrGone }

// code is what may be shown of an error code of Teams'.
func code(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 60)]
}

// gone are the codes of a 400 that say that a place, a message or a person is
// not there, or not open to the desk.
var gone = map[string]bool{
	"ConversationNotFound": true, "ActivityNotFoundInConversation": true, "BotNotInConversationRoster": true,
	"MemberNotFoundInConversation": true, "NotFound": true, "UserNotFound": true, "ChannelNotFound": true, "TeamNotFound": true,
	"ConversationBlockedByUser": true, "BotDisabledByAdmin": true, "MessageWritesBlocked": true, "Forbidden": true,
}

// refused is the error of a call that Teams has answered with a status. The
// statuses to try again are those that learn.microsoft.com names under "Optimize
// your bot with rate limiting": 412, 429, 502 and 504.
func refused(status int, h http.Header, said []byte, what effect) error {
	var answer struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	named := ""
	if json.Unmarshal(said, &answer) == nil { // else it is a page, which nobody wants to read
		named = code(answer.Error.Code)
	}
	reason := cmp.Or(named, "HTTPStatus"+strconv.Itoa(status))
	switch {
	case status == http.StatusTooManyRequests:
		return &chat.LimitedError{After: retryAfter(h)}
	case status == http.StatusUnauthorized, status == http.StatusPreconditionFailed, status == http.StatusConflict:
		return codeError(reason) // it was not done
	case status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusGone, gone[named]:
		return goneError(reason)
	case status == http.StatusRequestTimeout, status >= 500 && status != http.StatusNotImplemented:
		return unsure(codeError(reason), what)
	case status >= 300 && status < 400:
		return codeError(reason)
	}
	return &chat.RefusedError{Reason: reason}
}

// retryAfter is how long Teams wants to be left alone: what it says, or two
// seconds and a little, so that not all come back at once.
func retryAfter(h http.Header) time.Duration {
	if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil && s > 0 {
		return max(time.Duration(min(s, 3600)*float64(time.Second)), time.Second)
	}
	return 2*time.Second + rand.N(time.Second)
}

// outcome names how a call ended, for metrics.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	if _, ok := errors.AsType[*chat.LimitedError](err); ok {
		return "limited"
	}
	if _, ok := errors.AsType[*chat.RefusedError](err); ok {
		return "refused"
	}
	if _, ok := errors.AsType[*tokenError](err); ok {
		return "token"
	}
	switch {
	case errors.Is(err, chat.ErrGone):
		return "gone"
	case errors.Is(err, chat.ErrUnsure):
		return "unsure"
	}
	return "failed"
}
