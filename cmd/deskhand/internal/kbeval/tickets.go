package kbeval

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

// tickets puts solved tickets on record, in order of time, and returns what
// each is called in the files by the record's number. services names what each
// was for, by its id in the files; nil is nothing.
func (d *desk) tickets(ctx context.Context, all []item, services map[string]string) (map[int64]string, error) {
	slices.SortStableFunc(all, func(a, b item) int { return a.at.Compare(b.at) })
	names := make(map[int64]string, len(all))
	number := int64(0)
	for batch := range slices.Chunk(all, 2000) {
		if err := d.db.InTx(ctx, func(tx *storage.Tx) error {
			queues, err := tx.Queues(ctx)
			if err != nil {
				return err
			}
			queue := queues[slices.IndexFunc(queues, func(q storage.Queue) bool { return q.Kind == ticket.Incident })]
			past := make([]storage.PastTicket, len(batch))
			for i, it := range batch {
				number++
				if it.at.IsZero() {
					it.at = time.Unix(0, 0) // some time ago
				}
				past[i].Ticket = ticket.Ticket{ID: ticket.ID(i + 1), Kind: ticket.Incident, Number: number, Title: cmp.Or(it.Title, it.ID), Detail: it.Text,
					Requester: d.person, Author: d.person, Queue: queue.ID, Service: services[it.ID], Impact: ticket.OnlyMe, Urgency: ticket.Today,
					Priority: 3, Because: "it is imported", State: ticket.Done, Resolution: cmp.Or(it.Answers, "Solved."),
					OpenedAt: it.at, ResolvedAt: it.at, Version: 1}
			}
			offset, err := tx.ImportTickets(ctx, past, "deskhand kb eval")
			for i, it := range batch {
				names[int64(offset)+int64(i)+1] = it.ID
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// similar measures solved tickets that are like a question.
func (d *desk) similar(ctx context.Context, queries []item, names map[int64]string, o Options, f *Figures) error {
	if err := d.learn(ctx, time.Time{}, f); err != nil {
		return err
	}
	return writeRun(o.Run, queries, f, func(q item, w *bufio.Writer) (time.Duration, error) {
		ask := kb.Query{Text: q.asked(), At: q.at}
		began := time.Now()
		if _, err := d.index.Similar(ctx, ask, 3); err != nil {
			return 0, err
		}
		took := time.Since(began)
		found, err := d.index.Similar(ctx, ask, o.Limit)
		for i, s := range found {
			fmt.Fprintf(w, "%s %s %d %d\n", q.ID, names[s.Ticket], i+1, len(found)-i)
		}
		return took, err
	})
}

// Groups writes for each ticket the group that solved tickets like it had:
// "id<TAB>group".
func Groups(ctx context.Context, history, labels, queries, out string, say func(string)) (f Figures, err error) {
	past, err := readItems(history)
	if err != nil {
		return f, err
	}
	groups, err := readLabels(labels)
	if err != nil {
		return f, err
	}
	asked, err := readItems(queries)
	if err != nil {
		return f, err
	}
	d, names, err := newGroupDesk(ctx, past, groups, say, &f)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	f.Past = len(past)
	return f, writeRun(out, asked, &f, func(q item, w *bufio.Writer) (time.Duration, error) {
		began := time.Now()
		guess := d.index.Places(q.asked()).Service()
		took := time.Since(began)
		if guess.Service != "" {
			fmt.Fprintf(w, "%s\t%s\n", q.ID, names[guess.Service])
		}
		return took, nil
	})
}

// newGroupDesk is a desk that has solved tickets, each for a service that is
// its group, and what group each service is.
func newGroupDesk(ctx context.Context, past []item, groups map[string]string, say func(string), f *Figures) (_ *desk, names map[string]string, err error) {
	d, err := newDesk(ctx, say)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	p := policy.BuiltIn()
	slugs, names, services := map[string]string{}, map[string]string{}, map[string]string{}
	p.Services = nil
	for _, it := range past {
		group := groups[it.ID]
		if slugs[group] == "" {
			slug := "group-" + strconv.Itoa(len(slugs)+1)
			slugs[group], names[slug] = slug, group
			p.Services = append(p.Services, policy.Service{Slug: slug, Name: group, Incidents: p.Teams[0].Slug, Requests: p.Teams[0].Slug})
		}
		services[it.ID] = slugs[group]
	}
	if err := d.db.InTx(ctx, func(tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(ctx, p, "deskhand kb eval", time.Now())
		return err
	}); err != nil {
		return nil, nil, err
	}
	if _, err := d.tickets(ctx, past, services); err != nil {
		return nil, nil, err
	}
	return d, names, d.learn(ctx, time.Time{}, f)
}

// GroupCurve is how sure the desk was of each ticket's group, and whether it
// was right.
type GroupCurve []guessed

type guessed struct {
	knowledge.Guess
	right bool
}

// DrawGroups asks for the group of each ticket. Without queries those of the
// history are asked, in folds: each of a desk that has the others.
func DrawGroups(ctx context.Context, history, labels, queries, answers string, say func(string)) (c GroupCurve, err error) {
	past, err := readItems(history)
	if err != nil {
		return nil, err
	}
	groups, err := readLabels(labels)
	if err != nil {
		return nil, err
	}
	if queries != "" {
		asked, err := readItems(queries)
		if err != nil {
			return nil, err
		}
		right, err := readLabels(answers)
		if err != nil {
			return nil, err
		}
		return c, c.add(ctx, past, asked, groups, right, say)
	}
	for fold := range groupFolds {
		var learnt, asked []item
		for i, it := range past {
			if i%groupFolds == fold {
				asked = append(asked, it)
			} else {
				learnt = append(learnt, it)
			}
		}
		if err := c.add(ctx, learnt, asked, groups, groups, say); err != nil {
			return nil, err
		}
	}
	return c, nil
}

const groupFolds = 5

func (c *GroupCurve) add(ctx context.Context, past, asked []item, groups, right map[string]string, say func(string)) (err error) {
	d, names, err := newGroupDesk(ctx, past, groups, say, &Figures{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	for _, q := range asked {
		guess := d.index.Places(q.asked()).Service()
		*c = append(*c, guessed{guess, names[guess.Service] == right[q.ID]})
	}
	return nil
}

// Table has a line for each degree of sureness, and one for each word.
func (c GroupCurve) Table() string {
	var b strings.Builder
	count := func(line string, counts func(guessed) bool) {
		shown, right := 0, 0
		for _, g := range c {
			if counts(g) {
				if shown++; g.right {
					right++
				}
			}
		}
		fmt.Fprintf(&b, "%-20s %5.1f%% of the tickets, right %5.1f%%\n", line, percent(shown, len(c)), percent(right, shown))
	}
	for from := 30; from < 100; from += 5 {
		count(fmt.Sprintf("sure from %.2f", float64(from)/100), func(g guessed) bool { return g.Sure >= float64(from)/100 })
	}
	for _, certainty := range []knowledge.Certainty{knowledge.Probably, knowledge.Maybe, knowledge.Unsure} {
		count(cmp.Or(string(certainty), "nothing said"), func(g guessed) bool { return g.Certainty() == certainty })
	}
	return b.String()
}

// writeRun asks each question and keeps how long that took.
func writeRun(path string, queries []item, f *Figures, ask func(item, *bufio.Writer) (time.Duration, error)) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(out)
	var took []time.Duration
	for _, q := range queries {
		t, err := ask(q, w)
		if err != nil {
			return errors.Join(err, out.Close())
		}
		took = append(took, t)
	}
	f.Queries = len(queries)
	if slices.Sort(took); len(took) > 0 {
		f.P50, f.P99 = took[len(took)/2], took[len(took)*99/100]
	}
	return errors.Join(w.Flush(), out.Close())
}
