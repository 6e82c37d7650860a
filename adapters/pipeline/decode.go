package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/core/change"
)

func read(r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, problem{Status: http.StatusUnsupportedMediaType, Detail: "Send application/json."}
	}
	body, err := io.ReadAll(r.Body)
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, problem{Status: http.StatusRequestEntityTooLarge, Detail: "That is more than 1 MB."}
	}
	if err != nil {
		return nil, problem{Status: http.StatusBadRequest, Detail: "The request broke off."}
	}
	return body, nil
}

// object reads what was sent, strictly: encoding/json takes names in any case
// and of two equal ones the last, so that what was meant and what was understood
// could differ.
type object struct {
	at    string // path, with a slash at its end
	field map[string]json.RawMessage
	known []string
	wrong *[]fieldProblem
}

// parse reads a whole text.
func parse(body []byte) (object, error) {
	malformed := func(detail string) (object, error) {
		return object{}, problem{Status: http.StatusBadRequest, Detail: detail}
	}
	if !utf8.Valid(body) {
		return malformed("This is not UTF-8.")
	}
	var raw json.RawMessage
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&raw); err != nil {
		return malformed("This is not JSON: " + err.Error() + ".")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed("There is something behind the JSON.")
	}
	o := open("", raw, &[]fieldProblem{})
	if o.field == nil {
		return malformed("Send a JSON object.")
	}
	return o, nil
}

// open reads one object; without fields if it is none.
func open(at string, raw json.RawMessage, wrong *[]fieldProblem) object {
	o := object{at: at, wrong: wrong}
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		o.say("", "This must be an object.")
		return o
	}
	o.field = map[string]json.RawMessage{}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		key, _ := name.(string)
		if err != nil {
			o.say("", "This can't be read.")
			return o
		}
		if _, twice := o.field[key]; twice {
			o.say(key, "This is there twice.")
		}
		o.field[key] = value
	}
	return o
}

func (o *object) say(name, detail string) {
	at := strings.TrimSuffix(o.at+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), "/")
	*o.wrong = append(*o.wrong, fieldProblem{"#/" + at, detail})
}

// get reads a field into v, which stays as it is if there is none or it is null.
func (o *object) get(name string, v any, must string) {
	o.known = append(o.known, name)
	raw, ok := o.field[name]
	if ok && json.Unmarshal(raw, v) != nil {
		o.say(name, "This must be "+must+".")
	}
}

func (o *object) text(name string) string {
	var s string
	o.get(name, &s, "a text")
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' && r != '\r' }) {
		o.say(name, "There are characters in this that nobody can read.")
		return ""
	}
	return s
}

func (o *object) time(name string) time.Time {
	text := o.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 2000 || at.Year() > 3000 {
		o.say(name, "This must be a time such as 2026-03-02T09:00:00Z.")
		return time.Time{}
	}
	return at.Truncate(time.Microsecond) // as it is kept
}

func (o *object) duration(name string) time.Duration {
	text := o.text(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		o.say(name, "This must be a time such as 30m or 2h.")
		return 0
	}
	return d.Truncate(time.Second)
}

// done complains of what is not known, once all fields have been asked for.
func (o *object) done() {
	for name := range o.field {
		if !slices.Contains(o.known, name) {
			o.say(name, "There is no such field.")
		}
	}
}

// refused is all that is wrong, in an order that does not change.
func (o *object) refused() error {
	if len(*o.wrong) == 0 {
		return nil
	}
	all := *o.wrong
	slices.SortFunc(all, func(a, b fieldProblem) int { return strings.Compare(a.Pointer+a.Detail, b.Pointer+b.Detail) })
	return problem{Status: http.StatusUnprocessableEntity, Detail: "Some fields can't be read.", Errors: slices.Compact(all[:min(len(all), 50)])}
}

func decodeAsk(body []byte) (bot.PipelineAsk, error) {
	var ask bot.PipelineAsk
	o, err := parse(body)
	if err != nil {
		return ask, err
	}
	ask = bot.PipelineAsk{
		Kind: o.text("kind"), Standard: o.text("standard"), Title: o.text("title"), Why: o.text("why"), Service: o.text("service"),
		Plan: o.text("plan"), Test: o.text("test"), Rollback: o.text("rollback"), From: o.time("from"), To: o.time("to"), Takes: o.duration("takes"),
		Implementer: o.text("implementer"), Exception: o.text("exception"), Repository: o.text("repository"), Run: o.text("run"), URL: o.text("url"),
		Callback: o.text("callback"),
	}
	o.get("items", &ask.Items, "a list of items' names")
	var commits []json.RawMessage
	o.get("commits", &commits, "a list of commits")
	for i, raw := range commits[:min(len(commits), change.MostCommits+1)] {
		c := open(fmt.Sprintf("commits/%d/", i), raw, o.wrong)
		if c.field == nil {
			continue
		}
		title, _, _ := strings.Cut(c.text("title"), "\n")
		ask.Commits = append(ask.Commits, change.Commit{ID: c.text("id"), Title: strings.TrimSpace(title), Author: c.text("author"), URL: c.text("url")})
		c.done()
	}
	o.done()
	if err := o.refused(); err != nil {
		return ask, err
	}
	// The window is left out: a pipeline that asks again works it out again.
	said := ask
	said.From, said.To = time.Time{}, time.Time{}
	text, err := json.Marshal(said)
	ask.Digest = sha256.Sum256(text)
	return ask, err
}

func decodeResult(body []byte) (bot.Result, error) {
	o, err := parse(body)
	if err != nil {
		return bot.Result{}, err
	}
	r := bot.Result{Outcome: o.text("outcome"), Note: o.text("note"), Started: o.time("started_at"), Ended: o.time("ended_at")}
	o.done()
	return r, o.refused()
}

// digest is one short name for several texts.
func digest(all ...string) string {
	text, _ := json.Marshal(all) // never fails for texts
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
