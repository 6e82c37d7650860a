package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/model"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/kbeval"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

// search prints what the desk would show for a question, and then what else
// speaks of it.
func search(ctx context.Context, e *env, index *kb.Index, q kb.Query) error {
	found, err := index.Suggest(ctx, q)
	if err != nil {
		return err
	}
	shown := map[string]bool{}
	if len(found.Hits) == 0 {
		e.say("Nothing good enough: the desk would offer a ticket.")
	} else {
		e.say("The desk would show (confidence %s):", found.Confidence)
	}
	for _, h := range found.Hits {
		shown[name(h)] = true
		e.say("  %-7s %s  (covers %.0f %%)", name(h), h.Title, 100*h.Covered)
		var text strings.Builder
		for _, s := range h.Extract {
			if s.Bold {
				text.WriteString("*" + s.Text + "*")
			} else {
				text.WriteString(s.Text)
			}
		}
		e.say("          %s", strings.ReplaceAll(text.String(), "\n", " "))
	}
	all, err := index.Search(ctx, q)
	if err != nil {
		return err
	}
	first := true
	for _, h := range all {
		if shown[name(h)] {
			continue
		}
		if first {
			e.say("Also found:")
			first = false
		}
		e.say("  %-7s %s  (covers %.0f %%)", name(h), h.Title, 100*h.Covered)
	}
	return nil
}

// name is what was found as one refers to it.
func name(h knowledge.Hit) string {
	switch {
	case h.Request != "":
		return "request " + h.Request + ":"
	case h.Outage != 0:
		return "outage:"
	}
	return h.Article.Ref()
}

type kbEvalCmd struct {
	Articles     []string `help:"Articles as JSON lines: id, title, text. With a date they are solved tickets, and similar ones are found." type:"existingfile" placeholder:"FILE"`
	History      []string `help:"Past questions: id, title, text, date." type:"existingfile" placeholder:"FILE"`
	HistoryLinks []string `help:"What solved them: lines “question 0 article 2”." type:"existingfile" placeholder:"FILE"`
	Queries      string   `help:"Questions: id, title, text, date. With --group, without them, the history is asked, in folds." type:"existingfile" placeholder:"FILE"`
	Out          string   `name:"run" help:"Ranked list to write: lines “question article rank score”." type:"path" placeholder:"FILE"`
	Group        bool     `help:"Tell instead the group of each ticket: --history are tickets, --history-links lines “id TAB group”."`
	Curve        string   `help:"Draw instead how often the desk is right when it is how sure; FILE is what answers the questions." type:"existingfile" placeholder:"FILE"`
	Limit        int      `help:"Articles to list for each question." default:"100"`
	ModelURL     string   `name:"model-url" help:"Ask this language model too, as the desk would with DESKHAND_MODEL_URL set to it, and tell what that changes. The questions are sent there." placeholder:"URL"`
	ModelKey     string   `help:"Its key." env:"DESKHAND_MODEL_KEY" placeholder:"SECRET"`
	ModelName    string   `help:"Which model to ask there." env:"DESKHAND_MODEL_NAME" placeholder:"NAME"`
	Answers      string   `help:"What answers the questions: tells what the model makes better, and what worse." type:"existingfile" placeholder:"FILE"`
}

// Help is shown with the command.
func (kbEvalCmd) Help() string {
	return `It starts a private database and an index of its own, brings everything in as the desk itself would, and asks each question of the code that answers in chat. The questions come in the order of their dates, each to a desk that knows what had been solved before.`
}

func (c *kbEvalCmd) Run(ctx context.Context, e *env) error {
	o := kbeval.Options{Articles: c.Articles, History: c.History, HistoryLinks: c.HistoryLinks, Queries: c.Queries, Run: c.Out, Limit: c.Limit, Answers: c.Answers, Progress: e.progress}
	if c.Group && (len(c.History) != 1 || len(c.HistoryLinks) != 1) {
		return errors.New("give one --history of tickets and their groups with --history-links")
	}
	if c.Group && (c.Curve != "" || c.Queries == "") {
		curve, err := kbeval.DrawGroups(ctx, c.History[0], c.HistoryLinks[0], c.Queries, c.Curve, e.progress)
		if err != nil {
			return err
		}
		e.say("%s", curve.Table())
		return nil
	}
	if c.Queries == "" {
		return errors.New("say with --queries what is asked")
	}
	if c.Curve != "" {
		curve, err := kbeval.Draw(ctx, o, c.Curve)
		if err != nil {
			return err
		}
		e.say("%s", curve.Table())
		return nil
	}
	if c.Out == "" {
		return errors.New("say with --run where the ranked list is to go")
	}
	if c.Group {
		f, err := kbeval.Groups(ctx, c.History[0], c.HistoryLinks[0], c.Queries, c.Out, e.progress)
		if err != nil {
			return err
		}
		e.say("%s", f.Lines())
		return nil
	}
	if len(c.Articles) == 0 {
		return errors.New("say with --articles what there is to be found")
	}
	if c.ModelURL != "" {
		m, err := model.New(model.Options{URL: c.ModelURL, Key: c.ModelKey, Name: c.ModelName, Log: e.log})
		if err != nil {
			return err
		}
		defer m.Close()
		o.Adviser = m
	}
	f, err := kbeval.Run(ctx, o)
	if err != nil {
		return err
	}
	e.say("%s", f.Lines())
	return nil
}

type kbFitCmd struct {
	Articles []string `help:"Articles of each set; the first one's questions make a history." required:"" type:"existingfile" placeholder:"FILE"`
	Queries  []string `help:"Questions of each set." required:"" type:"existingfile" placeholder:"FILE"`
	Links    []string `help:"What answers them, of each set." required:"" type:"existingfile" placeholder:"FILE"`
	Keep     bool     `help:"Keep the order's weights as they are; work out only those that tell how sure it is."`
	Curve    bool     `help:"Draw instead how often such weights are right when they are how sure, of questions that they were not fitted on."`
}

func (c *kbFitCmd) Run(ctx context.Context, e *env) error {
	if len(c.Articles) != len(c.Queries) || len(c.Articles) != len(c.Links) {
		return errors.New("give --articles, --queries and --links the same number of times")
	}
	var sets []kbeval.Set
	for i := range c.Articles {
		sets = append(sets, kbeval.Set{Articles: c.Articles[i], Queries: c.Queries[i], Links: c.Links[i]})
	}
	var table string
	var err error
	if c.Curve {
		table, err = kbeval.FitCurves(ctx, sets, e.progress)
	} else {
		table, err = kbeval.Fit(ctx, sets, c.Keep, e.progress)
	}
	if err != nil {
		return err
	}
	e.say("%s", strings.TrimSpace(table))
	return nil
}

type kbForgetCmd struct {
	storeFlags
	Article string    `arg:"" optional:"" help:"The article, as KB-31."`
	Team    string    `help:"Forget instead that tickets were handed on to this team, by its slug, because they had come to the wrong one." placeholder:"TEAM"`
	Service string    `help:"Forget instead which tickets were about this service, by its slug." placeholder:"SERVICE"`
	Request string    `help:"Forget instead with which words this was requested, by its slug." placeholder:"REQUEST"`
	Since   time.Time `help:"Forget what was said since then; by default all." format:"2006-01-02" placeholder:"DAY"`
	Undo    time.Time `help:"Let what was forgotten at this moment count again, as printed then." placeholder:"TIME"`
}

// Help is shown with the command.
func (kbForgetCmd) Help() string {
	return `What people pressed stays on record; it does not count any more for what is suggested. Desks that run know within a second.`
}

func (c *kbForgetCmd) Run(ctx context.Context, e *env) error {
	const via = "deskhand kb forget"
	switch given := c.given(); {
	case given != 1:
		return errors.New("say one of an article, --team, --service and --request")
	case c.Request != "":
		return c.forget(ctx, e, "pieces of evidence for "+c.Request, func(tx *storage.Tx, at time.Time) (int64, error) {
			return tx.ForgetRequests(ctx, c.Request, c.Since, 0, via, at)
		}, func(tx *storage.Tx, at time.Time) (int64, error) {
			return tx.RecallRequests(ctx, c.Request, c.Undo, 0, via, at)
		})
	case c.Article == "":
		return c.forget(ctx, e, "tickets", func(tx *storage.Tx, at time.Time) (int64, error) {
			return tx.ForgetPlaces(ctx, c.Team, c.Service, c.Since, 0, via, at)
		}, func(tx *storage.Tx, at time.Time) (int64, error) {
			return tx.RecallPlaces(ctx, c.Team, c.Service, c.Undo, 0, via, at)
		})
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(c.Article), "KB-"), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no article; write KB-31", c.Article)
	}
	id := knowledge.ArticleID(n)
	return c.forget(ctx, e, "pieces of evidence for "+id.Ref(), func(tx *storage.Tx, at time.Time) (int64, error) {
		return tx.ForgetEvidence(ctx, id, c.Since, 0, via, at)
	}, func(tx *storage.Tx, at time.Time) (int64, error) {
		return tx.RecallEvidence(ctx, id, c.Undo, 0, via, at)
	})
}

// forget forgets, or with --undo recalls, and says of how much.
func (c *kbForgetCmd) forget(ctx context.Context, e *env, what string, forget, recall func(*storage.Tx, time.Time) (int64, error)) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	at := time.Now().Truncate(time.Second)
	return db.InTx(ctx, func(tx *storage.Tx) error {
		if !c.Undo.IsZero() {
			n, err := recall(tx, at)
			if err == nil {
				e.say("%d %s count again.", n, what)
			}
			return err
		}
		n, err := forget(tx, at)
		if err == nil {
			e.say("%d %s don't count any more. To undo it: --undo=%s", n, what, at.Format(time.RFC3339))
		}
		return err
	})
}

// given is how much was named to be forgotten.
func (c *kbForgetCmd) given() (n int) {
	for _, s := range []string{c.Article, c.Team, c.Service, c.Request} {
		if s != "" {
			n++
		}
	}
	return n
}
