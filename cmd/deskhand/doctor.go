package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/slack"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

type doctorCmd struct {
	storeFlags
	slackFlags
	Callback string `help:"The address that Slack sends events to, checked from here as Slack would." default:"http://127.0.0.1:8080/slack/events" env:"DESKHAND_CALLBACK" placeholder:"URL"`
}

var errUnwell = errors.New("something needs attention, see above")

// Run looks at everything even if the first thing is broken: one run shows all
// that there is to do.
func (c *doctorCmd) Run(ctx context.Context, e *env) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	well := true
	tell := func(name string, ok bool, text, fix string) {
		mark := "ok  "
		if !ok {
			mark, well = "FIX ", false
		}
		e.say("%s %-20s %s", mark, name, text)
		if !ok && fix != "" {
			e.say("     %-20s → %s", "", fix)
		}
	}
	if err := c.checkStores(ctx, e, tell); err != nil {
		tell("database", false, err.Error(), "")
	}
	c.checkSlack(ctx, tell)
	if !well {
		return errUnwell
	}
	return nil
}

type teller func(name string, ok bool, text, fix string)

func (c *doctorCmd) checkStores(ctx context.Context, e *env, tell teller) (err error) {
	if c.DatabaseURL == "" {
		tell("database", true, "none is set: serve runs a private Postgres of its own, and brings its schema up to date", "")
		return nil
	}
	db, err := storage.Open(ctx, c.DatabaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	began := time.Now()
	if err := db.Ping(ctx); err != nil {
		return err
	}
	tell("database", true, fmt.Sprintf("answers in %s", time.Since(began).Round(100*time.Microsecond)), "")
	applied, known, err := db.Version(ctx)
	if err != nil {
		return err
	}
	tell("schema", applied == known, fmt.Sprintf("version %d, this program has %d", applied, known), "run: deskhand migrate")
	if applied != known {
		return nil
	}
	index, err := kb.Open(kb.Options{Log: e.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	began = time.Now()
	if err := bot.CatchUp(ctx, db, index, nil); err != nil {
		tell("index", false, err.Error(), "the articles can't be indexed; see deskhand kb search")
		return nil
	}
	tell("index", index.Len() > 0, fmt.Sprintf("%d articles indexed in %s", index.Len(), time.Since(began).Round(time.Millisecond)),
		"without articles the desk can answer nothing: deskhand kb import DIR")
	var d storage.Backlog
	if err := db.View(ctx, func(tx *storage.Tx) (err error) {
		d, err = tx.Backlog(ctx)
		return err
	}); err != nil {
		return err
	}
	tell("dead letters", d.Dead == 0, fmt.Sprintf("%d; %d events and %d messages wait", d.Dead, d.Inbox, d.Outbox),
		"what could not be handled or delivered is in the table dead_letters, with the reason")
	return nil
}

func (c *doctorCmd) checkSlack(ctx context.Context, tell teller) {
	a, err := slack.New(slack.Options{SigningSecret: c.SlackSigningSecret, BotToken: c.SlackBotToken, AppToken: c.SlackAppToken, APIURL: c.SlackAPIURL})
	if err != nil {
		tell("slack", false, err.Error(), "")
		return
	}
	for _, f := range a.Check(ctx) {
		tell(f.Name, f.OK, f.Text, f.Fix)
	}
	if c.SlackAppToken != "" {
		tell("callback", true, "not needed: socket mode", "")
		return
	}
	if err := c.checkCallback(ctx); err != nil {
		tell("callback", false, err.Error(), "is deskhand serve running, is the address the one under Event Subscriptions, and the signing secret the app's? Name it with --callback")
		return
	}
	tell("callback", true, c.Callback+" answers, and takes the signature", "")
}

// checkCallback sends what Slack sends when the address is entered: a signed
// challenge that is to be sent back.
// See docs.slack.dev/reference/events/url_verification.
func (c *doctorCmd) checkCallback(ctx context.Context) error {
	challenge := strconv.FormatInt(time.Now().UnixNano(), 36)
	body, err := json.Marshal(map[string]string{"type": "url_verification", "challenge": challenge})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Callback, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%q is no address", c.Callback)
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(c.SlackSigningSecret))
	mac.Write([]byte("v0:" + stamp + ":" + string(body)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%s does not answer", c.Callback)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	switch {
	case err != nil || resp.StatusCode >= 500:
		return fmt.Errorf("%s answers %s", c.Callback, resp.Status)
	case resp.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s refuses the signature", c.Callback)
	case !strings.Contains(string(answer), challenge):
		return fmt.Errorf("%s answers %s, but not as the desk would", c.Callback, resp.Status)
	}
	return nil
}
