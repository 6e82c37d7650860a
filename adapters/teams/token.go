package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	botScope = "https://api.botframework.com/.default"
	// tokenSpare is how long before its end a token is renewed.
	tokenSpare = 5 * time.Minute
	// tokenAgain is how soon after a failure the next attempt is made.
	tokenAgain = 2 * time.Second
	// tokenYoung is how old a token must be before a 401 has it replaced.
	tokenYoung   = 10 * time.Second
	tokenTimeout = 10 * time.Second
)

// tokens gets the desk's own tokens by its client credentials, for all calls at
// once, and before the last one ends.
// See learn.microsoft.com, "OAuth 2.0 client credentials flow".
type tokens struct {
	address, app, password string
	scope                  string // whose API they are for
	http                   *http.Client
	now                    func() time.Time
	metrics                *metrics

	mu     sync.Mutex
	token  string
	got    time.Time
	renew  time.Time // from when on a new one is asked for
	ends   time.Time
	under  *fetching
	failed time.Time
	err    error // of the last attempt
}

func newTokens(address, app, password, scope string, client *http.Client, now func() time.Time, m *metrics) *tokens {
	return &tokens{address: address, app: app, password: password, scope: scope, http: client, now: now, metrics: m}
}

// get returns a token. While an old one is good, nobody waits for the new one.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	now := t.now()
	good := t.token != "" && now.Before(t.ends)
	if good && now.Before(t.renew) {
		defer t.mu.Unlock()
		return t.token, nil
	}
	f := t.under
	if f == nil {
		if t.err != nil && now.Sub(t.failed) < tokenAgain && !now.Before(t.failed) {
			defer t.mu.Unlock()
			if good {
				return t.token, nil
			}
			return "", t.err
		}
		f = t.begin()
	}
	token := t.token
	t.mu.Unlock()
	if good {
		return token, nil
	}
	if err := f.wait(ctx); err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.token, nil
}

// begin asks for a token; the caller has the lock.
func (t *tokens) begin() *fetching {
	f := &fetching{done: make(chan struct{})}
	t.under = f
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout) // nobody's own: it is for all
		defer cancel()
		start := time.Now()
		token, lives, err := t.fetch(ctx)
		t.metrics.calls.WithLabelValues("token", outcome(err)).Observe(time.Since(start).Seconds())
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.under, f.err, t.err = nil, err, err; err != nil {
			t.failed = t.now()
		} else {
			t.token, t.got = token, t.now()
			t.ends = t.got.Add(lives)
			t.renew = t.ends.Add(-min(tokenSpare, lives/2))
		}
		close(f.done)
	}()
	return f
}

// instead is the token to use in place of one that the Bot Connector has not
// taken, for all who ask at once the same new one. There is none while the old
// one is young: another would fare no better.
func (t *tokens) instead(ctx context.Context, token string) (string, bool) {
	t.mu.Lock()
	if t.token == token {
		if t.now().Sub(t.got) < tokenYoung {
			t.mu.Unlock()
			return "", false
		}
		t.token = ""
	}
	t.mu.Unlock()
	next, err := t.get(ctx)
	return next, err == nil && next != token
}

// authorize makes a call with a token. One that is not taken, as when the app's
// password has been changed, is renewed, and the call made once more: it has had
// no effect.
func (t *tokens) authorize(ctx context.Context, do func(token string) (status int, err error)) error {
	token, err := t.get(ctx)
	if err != nil {
		return err // nothing has been sent
	}
	status, err := do(token)
	if status != http.StatusUnauthorized {
		return err
	}
	if token, ok := t.instead(ctx, token); ok {
		_, err = do(token)
	}
	return err
}

// tokenError is what Microsoft says against the app or its password.
type tokenError struct{ code string }

func (e *tokenError) Error() string {
	return "Microsoft gives no token: " + e.code
}

func (t *tokens) fetch(ctx context.Context) (string, time.Duration, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {t.app}, "client_secret": {t.password}, "scope": {t.scope}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, errors.New("the token address is none")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := t.http.Do(req)
	if err != nil {
		return "", 0, fmt.Errorf("no token: %w", bare(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", 0, fmt.Errorf("no token: %w", bare(err))
	}
	var answer struct {
		Token   string `json:"access_token"`
		Expires any    `json:"expires_in"` // a number, or one in quotes
		Error   string `json:"error"`
		Codes   []int  `json:"error_codes"`
	}
	ok := json.Unmarshal(body, &answer) == nil
	switch {
	case resp.StatusCode == http.StatusOK && ok && answer.Token != "":
		lives := seconds(answer.Expires)
		if lives <= 0 {
			lives = time.Hour
		}
		return answer.Token, lives, nil
	case ok && answer.Error != "" && resp.StatusCode < 500:
		// The description repeats ids and is long; the code says it all.
		code := code(answer.Error)
		if len(answer.Codes) > 0 {
			code = fmt.Sprintf("%s (AADSTS%d)", code, answer.Codes[0])
		}
		return "", 0, &tokenError{code}
	}
	return "", 0, fmt.Errorf("no token: HTTP status %d", resp.StatusCode)
}

func seconds(v any) time.Duration {
	switch v := v.(type) {
	case float64:
		return time.Duration(min(v, 7*86400)) * time.Second
	case string:
		d, err := time.ParseDuration(v + "s")
		if err == nil {
			return min(d, 7*24*time.Hour)
		}
	}
	return 0
}
