// Package model asks a language model which of some articles answers a question
// best, if the company has set one up behind an endpoint that speaks OpenAI's
// API: in its own network or anywhere else. Without one nothing is missing.
//
// The model advises and never decides. It is asked only where the desk has
// found several articles and is not sure of them, and its advice is an order of
// these and a choice of their sentences, in numbers. The desk looks up what is
// shown by itself (kb.Advice says how), so nothing that a model writes is ever
// read by anybody: it can't show a sentence that is in no article, nor an
// article that its reader may not see, nor make the desk surer than it is. An
// instruction that somebody has hidden in a question or an article can change
// the order of articles that would have been shown anyway.
//
// It sees the question without secrets, mail addresses, long numbers and the
// names that the desk knows to be in it, and the titles and some sentences of
// articles that the asker may read. It is told of nobody, and of no ticket.
//
// The answer to a question never waits for it longer than [Wait], and there is
// one call for a question, between two transactions and not in one. A call that
// nobody waits for any more goes on for a while: a server that loads a model
// when it is asked stops loading when whoever asked hangs up, and would never
// be done. A model that fails, or is late, is left alone for some time, and
// longer each time.
//
// The package stands among the adapters because it talks to something outside,
// and it imports what it talks about, articles; the conversation knows it as a
// bot.Adviser.
package model

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/kb"
)

// Wait is how long a question waits for the model: with what the desk itself
// takes, somebody who has asked sees an answer within about a second.
const Wait = 800 * time.Millisecond

const (
	atOnce   = 4                // calls; who comes while so many are made is answered without
	longest  = 30 * time.Second // that a call goes on
	mostRead = 64 << 10         // bytes of an answer
)

// Options are what a Client needs. URL and Name are.
type Options struct {
	// URL is what stands before /chat/completions: https://host/v1. Within one's
	// own network, http will do.
	URL  string
	Key  string // sent as bearer token; empty: none
	Name string // of the model

	Wait    time.Duration // 0: Wait
	Now     func() time.Time
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none are kept
}

// Client asks a model. It is safe for concurrent use.
type Client struct {
	o       Options
	at      string
	http    *http.Client
	calls   chan struct{} // one for each call at a time
	rest    rest
	metrics *metrics

	// life ends with Close: calls outlive the question that they are made for.
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex
	refused map[string]bool // optional fields that this server does not take
}

// New makes a client; it calls nobody yet.
func New(o Options) (*Client, error) {
	at, err := endpoint(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		return nil, errors.New("DESKHAND_MODEL_URL is set: say with DESKHAND_MODEL_NAME which model to ask there")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Wait, o.Log = cmp.Or(o.Wait, Wait), cmp.Or(o.Log, slog.Default())
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: atOnce,
		IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10}
	if at.Scheme == "http" {
		// What is not encrypted stays in one's own network. The address that is
		// checked is the one that is called, whatever its name means a moment later.
		transport.Proxy = nil
		transport.DialContext = (&net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(address); err != nil || !own(to.Addr()) {
				return errNotOwn
			}
			return nil
		}}).DialContext
	}
	c := &Client{o: o, at: at.String(), calls: make(chan struct{}, atOnce), refused: map[string]bool{},
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	c.life, c.end = context.WithCancel(context.Background())
	c.metrics, err = newMetrics(o.Metrics)
	return c, err
}

// Close ends the calls that are being made.
func (c *Client) Close() {
	c.end()
	c.http.CloseIdleConnections()
}

var errNotOwn = errors.New("it is not in a network of your own, so it must be called by https://")

// own tells whether an address is this machine's or of a private network.
func own(at netip.Addr) bool {
	at = at.Unmap()
	return at.IsLoopback() || at.IsPrivate() || at.IsLinkLocalUnicast()
}

// endpoint is where to post, for the base that was set.
func endpoint(base string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.TrimRight(base, "/"), "/chat/completions"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("DESKHAND_MODEL_URL is no address of a model; it looks like https://models.example.com/v1, and the key goes into DESKHAND_MODEL_KEY")
	}
	if at, err := netip.ParseAddr(u.Hostname()); err == nil && u.Scheme == "http" && !own(at) {
		return nil, fmt.Errorf("DESKHAND_MODEL_URL names %s: %w", u.Host, errNotOwn)
	}
	return u.JoinPath("chat/completions"), nil
}

// Advise asks which of the choices answers the question, if the model is well
// and has time. It returns within Options.Wait, perhaps without advice.
func (c *Client) Advise(ctx context.Context, question string, names []string, among []kb.Choice) kb.Advice {
	select {
	case c.calls <- struct{}{}:
	default:
		c.metrics.calls.WithLabelValues("busy").Inc()
		return kb.Advice{}
	}
	if !c.rest.over(c.o.Now()) {
		<-c.calls
		c.metrics.calls.WithLabelValues("resting").Inc()
		return kb.Advice{}
	}
	answer := make(chan kb.Advice, 1)
	go func() {
		defer func() { <-c.calls }()
		advice, err := c.Ask(c.life, question, names, among)
		c.note(err)
		answer <- advice
	}()
	enough := time.NewTimer(c.o.Wait)
	defer enough.Stop()
	select {
	case advice := <-answer:
		return advice
	case <-enough.C:
	case <-ctx.Done():
	}
	return kb.Advice{}
}

// note remembers how a call went.
func (c *Client) note(err error) {
	var failure *callError
	switch {
	case err == nil:
		if c.rest.succeeded() {
			c.o.Log.Info("the model answers again")
		}
	case errors.As(err, &failure) && failure.result != "left" && failure.result != "adapted":
		if pause := c.rest.failed(c.o.Now(), failure.after); pause > 0 {
			c.o.Log.LogAttrs(c.life, slog.LevelWarn, "the model fails, and questions are answered without it for a while", slog.Duration("for", pause), slog.Any("err", err))
		}
	default:
		c.rest.undecided()
	}
}

// Ask is one call, however the calls before it went. It waits longer than a
// question would, but advice that comes late is an error like others. Errors
// say nothing of what was asked, so they can be logged.
func (c *Client) Ask(ctx context.Context, question string, names []string, among []kb.Choice) (kb.Advice, error) {
	began := c.o.Now()
	advice, err := c.once(ctx, question, names, among)
	took := c.o.Now().Sub(began)
	if err == nil && took > c.o.Wait {
		err = &callError{result: "late", why: "it answers later than after " + c.o.Wait.String()}
	}
	result := "advised"
	if failure := (*callError)(nil); errors.As(err, &failure) {
		advice, result = kb.Advice{}, failure.result
	}
	c.metrics.calls.WithLabelValues(result).Inc()
	c.metrics.seconds.Observe(took.Seconds())
	return advice, err
}

// once is one call, late or not. Its error is a callError.
func (c *Client) once(ctx context.Context, question string, names []string, among []kb.Choice) (kb.Advice, error) {
	within, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	text, err := c.call(within, prompt(question, names, among))
	if err == nil {
		if advice, ok := read(text, among); ok {
			return advice, nil
		}
		err = &callError{result: "unreadable", why: "its answer names none of the articles"}
	}
	switch failure := (*callError)(nil); {
	case ctx.Err() != nil:
		return kb.Advice{}, &callError{result: "left", why: "nobody waits for it any longer"}
	case within.Err() != nil:
		return kb.Advice{}, &callError{result: "late", why: "it did not answer within " + longest.String()}
	case errors.As(err, &failure):
		return kb.Advice{}, failure
	}
	return kb.Advice{}, &callError{result: "failed", why: plain(err)}
}

// callError is why a call brought no advice.
type callError struct {
	result string // for the metrics
	why    string
	status int           // of the answer, if there was one
	after  time.Duration // for which the server asks to be left alone
	said   string        // by the server; it may quote what was asked, so it is for Check alone
}

func (e *callError) Error() string { return "model: " + e.why }

// plain is an error without the address.
func plain(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return err.Error()
}

// call makes one call and returns what the model has written.
func (c *Client) call(ctx context.Context, messages []message) (string, error) {
	body, sent, err := c.request(messages)
	if err != nil {
		return "", err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "deskhand")
	if c.o.Key != "" {
		r.Header.Set("Authorization", "Bearer "+c.o.Key)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostRead+1))
	switch {
	case err != nil:
		return "", err
	case resp.StatusCode != http.StatusOK:
		return "", c.refusal(resp, answer, sent)
	case len(answer) > mostRead:
		return "", &callError{result: "unreadable", why: "its answer is too long"}
	}
	var completion struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(answer, &completion); err != nil || len(completion.Choices) == 0 {
		return "", &callError{result: "unreadable", why: "its answer is not that of a chat completion"}
	}
	return completion.Choices[0].Message.Content, nil
}

// refusal is what an answer with another status than 200 means. A server that
// does not take an optional field gets the next call without it.
func (c *Client) refusal(resp *http.Response, answer []byte, sent []string) error {
	e := &callError{result: "refused", why: "it answered " + strconv.Itoa(resp.StatusCode), status: resp.StatusCode, said: string(answer[:min(len(answer), 300)])}
	if resp.StatusCode >= 500 {
		e.result = "failed"
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		e.after = time.Duration(min(n, 3600)) * time.Second
	}
	if resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusUnprocessableEntity || len(sent) == 0 {
		return e
	}
	e.result, e.why = "adapted", "it does not take all that was sent; the next call has less"
	var said struct {
		Error struct {
			Param string `json:"param"`
		} `json:"error"`
	}
	_ = json.Unmarshal(answer, &said) // not every server says so
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, field := range sent {
		if field == said.Error.Param {
			c.refused[field] = true
			return e
		}
	}
	for _, field := range sent {
		c.refused[field] = true
	}
	return e
}

type metrics struct {
	calls   *prometheus.CounterVec
	seconds prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_model_calls_total",
			Help: "Questions for the model, by what came of them: advised, late, failed, refused, unreadable, adapted, left; not asked: busy, resting.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deskhand_model_seconds", Help: "Time that calls of the model took.",
			Buckets: []float64{.1, .2, .3, .4, .6, .8, 1, 2, 5, 10, 30},
		}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.calls), r.Register(m.seconds))
}
