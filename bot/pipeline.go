package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// pipelines is the platform of what a pipeline does, by the name of its token.
const pipelines = "pipeline"

// PipelineAsk is a change as a pipeline asks for it. What is not said of a
// standard change is its rule's.
type PipelineAsk struct {
	Key    string   // the same key is the same change
	Digest [32]byte // of what was sent with it

	Kind, Standard, Title, Why string
	Items                      []string // names
	Service                    string   // slug; empty: the items'
	Plan, Test, Rollback       string
	From, To                   time.Time // zero: now, and pipelineWindow later
	Takes                      time.Duration
	Implementer                string // mail address; empty: the token's owner
	Exception                  string

	Repository, Run, URL string
	Commits              []change.Commit
	Callback             string // URL
}

// pipelineWindow is how long a pipeline waits that does not say.
const pipelineWindow = 8 * time.Hour

// Verdict is what a pipeline is told. The names are part of the interface.
type Verdict struct {
	ID       int64          `json:"-"`
	Change   string         `json:"change"`
	Version  int            `json:"version"` // grows: what is told later is newer
	Verdict  change.Verdict `json:"verdict"`
	MayBegin bool           `json:"may_begin"` // now
	State    string         `json:"state"`     // in words
	Title    string         `json:"title"`
	Kind     change.Kind    `json:"kind"`
	Risk     change.Risk    `json:"risk"`
	Because  string         `json:"because"`
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	Note     string         `json:"note,omitempty"`
	Answers  []Answered     `json:"answers"`
	Outcome  string         `json:"outcome,omitempty"`
}

// Answered is an approver's answer.
type Answered struct {
	By     string          `json:"by"`
	For    string          `json:"for,omitempty"`
	Answer approval.Answer `json:"answer"`
	Note   string          `json:"note,omitempty"`
	At     time.Time       `json:"at"`
}

// Result is how a pipeline's run ended.
type Result struct {
	Outcome        string // one of Outcomes
	Note           string
	Started, Ended time.Time
}

// Outcomes are the words of pipelines for how a run ended.
var Outcomes = map[string]change.Outcome{"success": change.Worked, "rolled_back": change.RolledBack, "failed": change.Failed}

// FieldsError says what is wrong with what a pipeline sent, in words for who
// looks after it, by the path of the field: "from", "commits/3/id".
type FieldsError map[string]string

func (e FieldsError) Error() string {
	var all []string
	for _, f := range slices.Sorted(maps.Keys(e)) {
		all = append(all, f+": "+e[f])
	}
	return strings.Join(all, " ")
}

// RefusedError says why a step of a pipeline's can't be taken as things stand,
// in words.
type RefusedError string

func (e RefusedError) Error() string { return string(e) }

// Errors of pipelines.
var (
	ErrNotAllowed = errors.New("the token is not for this")
	ErrKeyUsed    = errors.New("the key was used for something else")
)

// pipelineTurn is the token's owner acting by a pipeline. Until tx ends nobody
// revokes the token; one that was revoked while it was used is ErrNotAllowed.
func (d *Desk) pipelineTurn(ctx context.Context, tx *storage.Tx, k storage.Token) (*turn, error) {
	k, err := tx.LockToken(ctx, k.ID, d.now())
	if errors.Is(err, storage.ErrNotFound) {
		return nil, ErrNotAllowed
	}
	if err != nil {
		return nil, err
	}
	r, err := d.rulesIn(ctx, tx)
	if err != nil {
		return nil, err
	}
	t := &turn{desk: d, tx: tx, rules: r, at: d.now(), ev: chat.Event{By: chat.User{Platform: pipelines, ID: k.Name}, InCall: true}}
	if t.who, err = tx.ActorByID(ctx, k.Owner); err != nil {
		return nil, err
	}
	if !t.who.Agent() {
		return nil, RefusedError(t.who.Name + ", to whom the token belongs, does not raise changes any more. Make a new one for somebody who does.")
	}
	return t, nil
}

// RaiseFor raises a change for a pipeline and asks its approvers, or returns
// what was raised with the same key before. Errors are FieldsError,
// RefusedError, ErrNotAllowed, ErrKeyUsed, and storage's.
func (d *Desk) RaiseFor(ctx context.Context, k storage.Token, ask PipelineAsk) (v Verdict, raised bool, err error) {
	if !k.Has(storage.ScopeRaise) {
		return v, false, ErrNotAllowed
	}
	err = d.db.InTx(ctx, func(tx *storage.Tx) error {
		t, err := d.pipelineTurn(ctx, tx, k)
		if err != nil {
			return err
		}
		var c change.Change
		before, err := tx.FindRun(ctx, k.ID, ask.Key)
		switch {
		case err == nil && before.Digest != ask.Digest:
			return ErrKeyUsed
		case err == nil:
			raised = false
			c, err = tx.Change(ctx, before.Change)
		case errors.Is(err, storage.ErrNotFound):
			raised = true
			c, err = t.raiseFor(ctx, k, ask)
		}
		if err != nil {
			return err
		}
		v, err = t.verdict(ctx, c)
		return err
	})
	return v, raised, err
}

// raiseFor is the way through both steps of the form.
func (t *turn) raiseFor(ctx context.Context, k storage.Token, ask PipelineAsk) (c change.Change, err error) {
	wrong := ask.check()
	c = change.Change{Kind: change.Normal, State: change.Draft, Requester: t.who.ID, Rule: ask.Standard,
		Title: strings.Join(strings.Fields(ask.Title), " "), Why: strings.TrimSpace(ask.Why), Service: ask.Service, Plan: strings.TrimSpace(ask.Plan),
		Test: strings.TrimSpace(ask.Test), Rollback: strings.TrimSpace(ask.Rollback), From: ask.From, To: ask.To, Takes: ask.Takes, Exception: strings.TrimSpace(ask.Exception),
		Pipeline: &change.Pipeline{Name: k.Name, Repository: ask.Repository, Run: ask.Run, URL: ask.URL, Commits: ask.Commits}}
	if c.From.IsZero() {
		c.From = t.at.UTC().Truncate(time.Second)
	}
	if c.To.IsZero() {
		c.To = c.From.Add(pipelineWindow)
	}
	if ask.Kind != "" {
		c.Kind = change.Kind(ask.Kind)
	}
	if err := t.askedKind(ctx, &c, wrong); err != nil {
		return c, err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return c, err
	}
	for i, name := range ask.Items {
		it, ok := g.ByKey(name)
		if !ok {
			wrong[fmt.Sprintf("items/%d", i)] = "I know no “" + clip(name, 60) + "”."
		} else if !slices.Contains(c.Items, it.ID) {
			c.Items = append(c.Items, it.ID)
		}
	}
	slices.Sort(c.Items)
	if _, ok := t.rules.service(c.Service); c.Service != "" && !ok {
		wrong["service"] = "This service is not offered any more. Please choose another."
	}
	for _, it := range itemsOf(g, c.Items) {
		if c.Service == "" {
			c.Service = it.Service
		}
	}
	if err := t.askedWorker(ctx, &c, ask.Implementer, wrong); err != nil {
		return c, err
	}
	if ask.Callback != "" {
		u, err := url.Parse(ask.Callback)
		if err != nil {
			u = &url.URL{}
		}
		if why := t.rules.policy.Changes.Callbacks.Refuses(u); why != "" {
			wrong["callback"] = why
		}
	}
	c, refused, err := t.judged(ctx, c)
	if err != nil {
		return c, err
	}
	for f, words := range refused {
		if f == change.FieldItems && len(c.Items) < len(ask.Items) && len(wrong) > 0 {
			continue // it is said which
		}
		if wrong[string(f)] == "" {
			wrong[string(f)] = words
		}
	}
	if len(wrong) > 0 {
		return c, FieldsError(wrong)
	}
	was, err := t.tx.OpenChange(ctx, c, change.Event{Action: change.Raised, By: t.who.ID, At: t.at}, t.via())
	if err != nil {
		return c, err
	}
	if err := t.tx.AddRun(ctx, storage.Run{Change: was.ID, Token: k.ID, Key: ask.Key, Digest: ask.Digest, Callback: ask.Callback}, *c.Pipeline); err != nil {
		return c, err
	}
	if err := t.submit(ctx, was, was); err != nil {
		return c, refusal(err)
	}
	if why := t.answer.Errors[t.howTop()]; why != "" {
		return c, RefusedError(why) // nobody could approve it
	}
	return t.tx.Change(ctx, was.ID)
}

// askedKind looks whether the kind of a change can be asked for, and gives a
// standard one its rule's texts.
func (t *turn) askedKind(ctx context.Context, c *change.Change, wrong FieldsError) error {
	standard, known := t.standard(c.Rule)
	switch {
	case !slices.Contains(change.Kinds, c.Kind):
		wrong["kind"] = "There are standard, normal and emergency."
	case c.Kind != change.Standard && c.Rule != "":
		wrong["standard"] = "This is for changes of the kind standard."
	case c.Kind == change.Standard && !known:
		wrong["standard"] = "This kind is not offered any more. Please choose another."
	case c.Kind == change.Standard:
		off, err := t.offTheList(ctx, c.Rule)
		if err != nil {
			return err
		}
		if off != "" {
			wrong["standard"] = off
		}
		if c.Plan == "" && c.Rollback == "" {
			c.Plan, c.Test, c.Rollback = standard.Plan, standard.Test, standard.Rollback
		}
		if c.Takes == 0 {
			c.Takes = standard.Takes.Value()
		}
	}
	return nil
}

// askedWorker finds who does the work.
func (t *turn) askedWorker(ctx context.Context, c *change.Change, mail string, wrong FieldsError) error {
	who := t.who
	if mail != "" {
		id, err := t.tx.PersonByMail(ctx, mail)
		if err == nil {
			who, err = t.tx.ActorByID(ctx, id)
		}
		if errors.Is(err, storage.ErrNotFound) || err == nil && (who.Guest || who.Left) {
			wrong["implementer"] = "This person can't do changes here."
			return nil
		}
		if err != nil {
			return err
		}
	}
	if c.Implementer = who.ID; len(who.Teams) > 0 {
		c.Team = who.Teams[0]
	}
	return nil
}

// check lists what of a pipeline's own facts can't be kept.
func (a PipelineAsk) check() FieldsError {
	wrong := FieldsError{}
	short := func(path, s string, most int) {
		if utf8.RuneCountInString(s) > most {
			wrong[path] = fmt.Sprintf("That is longer than %d characters.", most)
		}
	}
	link := func(path, s string) {
		short(path, s, 1000)
		if u, err := url.Parse(s); s != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			wrong[path] = "That is no address such as https://ci.example.com/runs/42."
		}
	}
	short("repository", a.Repository, 200)
	short("run", a.Run, 200)
	link("url", a.URL)
	short("callback", a.Callback, 1000)
	if len(a.Commits) > change.MostCommits {
		wrong["commits"] = fmt.Sprintf("That are more than %d commits. Name the last ones.", change.MostCommits)
		return wrong
	}
	for i, c := range a.Commits {
		path := fmt.Sprintf("commits/%d/", i)
		if strings.TrimSpace(c.ID) == "" {
			wrong[path+"id"] = "Please say which commit this is."
		}
		short(path+"id", c.ID, 64)
		short(path+"title", c.Title, 300)
		short(path+"author", c.Author, 100)
		link(path+"url", c.URL)
	}
	return wrong
}

func refusal(err error) error {
	if r, ok := errors.AsType[*ticket.RefusedError](err); ok {
		return RefusedError(fmt.Sprintf("I can't %s that: %s.", r.Step, r.Reason))
	}
	if r, ok := errors.AsType[*change.RefusedError](err); ok {
		return RefusedError(fmt.Sprintf("I can't %s that: %s.", r.Step, r.Reason))
	}
	return err
}

// VerdictFor is how a change stands, for a pipeline that may see it;
// storage.ErrNotFound for one that may not.
func (d *Desk) VerdictFor(ctx context.Context, k storage.Token, number int64) (v Verdict, err error) {
	err = d.db.View(ctx, func(tx *storage.Tx) error {
		c, err := seenBy(ctx, tx, k, number)
		if err != nil {
			return err
		}
		v, err = (&turn{desk: d, tx: tx, at: d.now()}).verdict(ctx, c)
		return err
	})
	return v, err
}

// seenBy is a change that a token may see: one of its own, or any if it is for
// reading.
func seenBy(ctx context.Context, tx *storage.Tx, k storage.Token, number int64) (change.Change, error) {
	c, err := tx.ChangeByNumber(ctx, number)
	if err != nil || k.Has(storage.ScopeRead) {
		return c, err
	}
	run, err := tx.RunOf(ctx, c.ID)
	if err == nil && run.Token != k.ID {
		err = storage.ErrNotFound
	}
	return c, err
}

func (t *turn) verdict(ctx context.Context, c change.Change) (Verdict, error) {
	v := Verdict{ID: int64(c.ID), Change: c.Ref(), Version: c.Version, Verdict: c.Verdict(), MayBegin: c.MayBegin(t.at), State: c.StateWords(), Title: c.Title, Kind: c.Kind,
		Risk: c.Risk, Because: c.Because, From: c.From.UTC(), To: c.To.UTC(), Note: c.Note, Answers: []Answered{}}
	for word, o := range Outcomes {
		if c.Outcome == o {
			v.Outcome = word
		}
	}
	a, err := t.tx.ApprovalOf(ctx, c.ID)
	if err != nil || len(a.Votes) == 0 {
		return v, ignoreMissing(err)
	}
	var ids []people.PersonID
	for _, vote := range a.Votes {
		ids = append(ids, vote.By, vote.Seat)
	}
	names, err := t.tx.People(ctx, ids...)
	for _, vote := range a.Votes {
		said := Answered{By: names[vote.By].Name, Answer: vote.Answer, Note: vote.Note, At: vote.At.UTC()}
		if vote.By != vote.Seat {
			said.For = names[vote.Seat].Name
		}
		v.Answers = append(v.Answers, said)
	}
	return v, err
}

// ReportFor keeps how a pipeline's run ended. To say the same again is fine.
func (d *Desk) ReportFor(ctx context.Context, k storage.Token, number int64, res Result) (v Verdict, err error) {
	if !k.Has(storage.ScopeRaise) {
		return v, ErrNotAllowed
	}
	outcome, known := Outcomes[res.Outcome]
	if !known {
		return v, FieldsError{"outcome": "There are success, rolled_back and failed."}
	}
	switch res.Note = strings.TrimSpace(res.Note); {
	case outcome != change.Worked && res.Note == "":
		return v, FieldsError{"note": "Please say what went wrong: the next one learns from it."}
	case utf8.RuneCountInString(res.Note) > mostNote:
		return v, FieldsError{"note": fmt.Sprintf("That is longer than %d characters.", mostNote)}
	}
	err = d.db.InTx(ctx, func(tx *storage.Tx) error {
		t, err := d.pipelineTurn(ctx, tx, k)
		if err != nil {
			return err
		}
		c, err := seenBy(ctx, tx, storage.Token{ID: k.ID}, number) // of its own alone
		if err != nil {
			return err
		}
		if c, err = tx.ChangeForUpdate(ctx, c.ID); err != nil {
			return err
		}
		if c, err = t.reported(ctx, c, outcome, res); err != nil {
			return refusal(err)
		}
		v, err = t.verdict(ctx, c)
		return err
	})
	return v, err
}

func (t *turn) reported(ctx context.Context, c change.Change, o change.Outcome, res Result) (change.Change, error) {
	if res.Ended.IsZero() {
		res.Ended = t.at
	}
	if res.Started.IsZero() {
		res.Started = res.Ended
	}
	if c.State == change.Doing {
		res.Started = c.StartedAt
	}
	switch {
	case c.State == change.Done && c.Outcome == o:
		return c, nil
	case c.State == change.Done:
		return c, &change.RefusedError{Step: "report", Reason: "it is said already that it " + c.Outcome.Words()}
	case c.State != change.Scheduled && c.State != change.Doing:
		return c, &change.RefusedError{Step: "report", Reason: "it is not approved"}
	}
	a, err := t.tx.ApprovalOf(ctx, c.ID)
	if err = ignoreMissing(err); err != nil {
		return c, err
	}
	if err := c.Ran(a.DecidedAt, res.Started, res.Ended, t.at); err != nil {
		return c, err
	}
	if c.State == change.Scheduled {
		if c, err = t.begun(ctx, c, res.Started); err != nil {
			return c, err
		}
	}
	return t.over(ctx, c, o, res.Note, res.Ended)
}

// ChangeVersions are the versions of changes by Verdict.ID, for those who wait
// for another.
func (d *Desk) ChangeVersions(ctx context.Context, ids []int64) (map[int64]int, error) {
	of := make([]change.ID, len(ids))
	for i, id := range ids {
		of[i] = change.ID(id)
	}
	found := make(map[int64]int, len(ids))
	err := d.db.View(ctx, func(tx *storage.Tx) error {
		versions, err := tx.ChangeVersions(ctx, of)
		for id, v := range versions {
			found[int64(id)] = v
		}
		return err
	})
	return found, err
}

// callBack has the pipeline of a change told how it stands.
func (t *turn) callBack(ctx context.Context, c change.Change) error {
	v, err := t.verdict(ctx, c)
	if err != nil {
		return err
	}
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.tx.CallBack(ctx, c.ID, body, t.at)
}

// CalledBack keeps what became of calling a pipeline back: see
// storage.CallbackDone. Of what is given up the token's owner hears.
func (d *Desk) CalledBack(ctx context.Context, cb storage.Callback, status int, problem string, delivered bool, again time.Time) error {
	return d.db.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.CallbackDone(ctx, cb, status, problem, delivered, again, d.now()); err != nil || delivered || !again.IsZero() {
			return err
		}
		c, err := tx.Change(ctx, cb.Change)
		if err != nil {
			return err
		}
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		t := &turn{desk: d, tx: tx, rules: r, at: d.now(), ev: chat.Event{By: chat.User{Platform: "desk"}}}
		return t.direct(ctx, c.Requester, cards.Say(fmt.Sprintf("I could not tell the pipeline of %s “%s” how it stands: %s. I have stopped trying. It can ask for the verdict itself.", c.Ref(), c.Title, problem)))
	})
}

// MayCall says in words why the policy in force does not let the desk call an
// address; empty: it does, as far as can be told by its name. reaches tells
// whether it may once it is known where the host is.
func (d *Desk) MayCall(ctx context.Context, address string) (why string, reaches func(ip string) bool, err error) {
	err = d.db.View(ctx, func(tx *storage.Tx) error {
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		u, err := url.Parse(address)
		if err != nil {
			u = &url.URL{}
		}
		allowed := r.policy.Changes.Callbacks
		why = allowed.Refuses(u)
		reaches = func(ip string) bool { return allowed.ReachesIP(ip, u.Scheme == "https") }
		return nil
	})
	return why, reaches, err
}
