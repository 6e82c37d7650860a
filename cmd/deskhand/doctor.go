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
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/slack"
	"github.com/deskhand/deskhand/adapters/teams"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/app"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

type doctorCmd struct {
	storeFlags
	slackFlags
	teamsFlags
	modelFlags
	URL      string `name:"url" help:"Address at which people's browsers reach the desk, checked as they would." env:"DESKHAND_URL" placeholder:"URL"`
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
	if c.slackFlags != (slackFlags{SlackAPIURL: c.SlackAPIURL}) || !c.teamsFlags.set() {
		c.checkSlack(ctx, tell)
	}
	if c.teamsFlags.set() {
		c.checkTeams(ctx, tell)
	}
	c.checkPages(ctx, tell)
	c.checkModel(ctx, tell)
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
	tell("database", true, fmt.Sprintf("answers in %.1f ms", float64(time.Since(began).Microseconds())/1000), "")
	applied, known, err := db.Version(ctx)
	if err != nil {
		return err
	}
	if other, ok := errors.AsType[*storage.SchemaError](db.CheckSchema(ctx)); ok {
		tell("schema", false, other.Error(), "")
		return nil
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
		d, err = tx.Backlog(ctx, time.Now())
		return err
	}); err != nil {
		return err
	}
	tell("dead letters", d.Dead == 0, fmt.Sprintf("%d; %d events and %d messages wait", d.Dead, d.Inbox, d.Outbox),
		"deskhand dead list shows what could not be handled or delivered, with the reason; retry and drop see to it")
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

func (c *doctorCmd) checkTeams(ctx context.Context, tell teller) {
	o := teams.Options{AppID: c.TeamsAppID, AppPassword: c.TeamsAppPassword, TenantID: c.TeamsTenantID, MetadataURL: c.TeamsMetadataURL, TokenURL: c.TeamsTokenURL, GraphURL: c.TeamsGraphURL}
	if c.DatabaseURL != "" {
		db, err := storage.Open(ctx, c.DatabaseURL)
		if err == nil { // else it has been told
			defer db.Close()
			o.Book = app.Book(db, time.Now)
		}
	}
	a, err := teams.New(o)
	if err != nil {
		tell("teams", false, err.Error(), "")
		return
	}
	for _, f := range a.Check(ctx) {
		tell(f.Name, f.OK, f.Text, f.Fix)
	}
	// Without a token the desk, and not something else at its address, says so.
	address, err := url.Parse(c.Callback)
	if err != nil {
		tell("teams callback", false, fmt.Sprintf("%q is no address", c.Callback), "name the desk's with --callback")
		return
	}
	address.Path = "/api/messages"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader("{}"))
	if err != nil {
		tell("teams callback", false, address.String()+" is no address", "")
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tell("teams callback", false, address.String()+" does not answer", "is deskhand serve running, and does the proxy pass /api/messages on? Name the desk's address with --callback")
		return
	}
	_ = resp.Body.Close() // only the status is read
	tell("teams callback", resp.StatusCode == http.StatusUnauthorized, fmt.Sprintf("%s answers %s to what is not signed", address.String(), resp.Status),
		"the desk would answer 401: is it serve that answers there, with DESKHAND_TEAMS_APP_ID set?")
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
