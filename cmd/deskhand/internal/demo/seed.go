package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/itemfile"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb/articlefile"
	"github.com/deskhand/deskhand/storage"
)

// Seed fills an empty record with the company and its last 90 days, all or
// nothing. A record that has a policy is left as it is.
func Seed(ctx context.Context, db *storage.DB, now time.Time, progress func(string)) error {
	s := seeder{now: now}
	return db.InTx(ctx, func(tx *storage.Tx) error {
		_, _, err := tx.Policy(ctx)
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		progress("Setting up a small company with 90 days behind it, about 3 s")
		if s.history, err = Generate(now); err != nil {
			return err
		}
		for _, step := range []func(context.Context, *storage.Tx) error{s.company, s.items, s.articles, s.accounts, s.tickets, s.questions} {
			if err := step(ctx, tx); err != nil {
				return fmt.Errorf("seed: %w", err)
			}
		}
		return nil
	})
}

// seeder turns the history's numbers into the record's.
type seeder struct {
	now     time.Time
	history *History
	person  map[people.PersonID]people.PersonID
	queue   map[ticket.QueueID]storage.Queue
	article map[knowledge.ArticleID]knowledge.ArticleID
	titles  map[knowledge.ArticleID]string
	offset  ticket.ID
}

const via = "demo"

// items are what the company runs.
func (s *seeder) items(ctx context.Context, tx *storage.Tx) error {
	rows, wrong, err := itemfile.YAML(ItemsYAML)
	if err != nil {
		return err
	}
	known, err := tx.KnownItems(ctx)
	if err != nil {
		return err
	}
	plan := cmdb.Compare(rows, known)
	if wrong = append(wrong, plan.Problems...); len(wrong) > 0 {
		return fmt.Errorf("items: %v", wrong)
	}
	return tx.ImportItems(ctx, plan, via, s.now.AddDate(0, 0, -days))
}

func (s *seeder) company(ctx context.Context, tx *storage.Tx) error {
	p, err := Policy()
	if err != nil {
		return err
	}
	if _, err := tx.ApplyPolicy(ctx, p, via, s.now.AddDate(0, 0, -days-1)); err != nil {
		return err
	}
	// A desk that starts looks for all channels anyway. A second look would miss
	// those of Teams just when the desk is being added there.
	if err := tx.ClearDue(ctx, storage.ChannelsFind, 0); err != nil {
		return err
	}
	s.person = map[people.PersonID]people.PersonID{}
	for i, person := range s.history.People {
		id, err := tx.PutPerson(ctx, people.Person{Name: person.Name, Mail: strings.ToLower(person.Mail), Title: person.Title,
			Department: person.Department, Site: person.Site, TimeZone: person.TimeZone})
		if err != nil {
			return err
		}
		s.person[people.PersonID(i+1)] = id
	}
	teams, err := tx.Teams(ctx)
	if err != nil {
		return err
	}
	queues, err := tx.Queues(ctx)
	if err != nil {
		return err
	}
	s.queue = map[ticket.QueueID]storage.Queue{}
	for i, slug := range s.history.Teams {
		for _, t := range teams {
			for _, q := range queues {
				if t.Slug != slug || q.Team != t.ID {
					continue
				}
				n := 2*i + 1
				if q.Kind == ticket.Request {
					n++
				}
				s.queue[ticket.QueueID(n)] = q
			}
		}
	}
	return nil
}

func (s *seeder) articles(ctx context.Context, tx *storage.Tx) error {
	all, err := articlefile.ReadDir(Articles(), s.now)
	if err != nil {
		return err
	}
	bySlug := map[string]knowledge.ArticleID{}
	s.titles = map[knowledge.ArticleID]string{}
	for _, a := range all {
		stored, _, _, err := tx.PutArticle(ctx, a, 0, via, s.now.AddDate(0, 0, -days-1))
		if err != nil {
			return err
		}
		bySlug[a.Slug], s.titles[stored.ID] = stored.ID, a.Title
	}
	s.article = map[knowledge.ArticleID]knowledge.ArticleID{}
	for i, slug := range s.history.Articles {
		id, ok := bySlug[slug]
		if !ok {
			return fmt.Errorf("the history uses an article %q that is not there", slug)
		}
		s.article[knowledge.ArticleID(i+1)] = id
	}
	return nil
}

// accounts links everybody of the policy to the workspace, as the desk does
// when somebody first writes.
func (s *seeder) accounts(ctx context.Context, tx *storage.Tx) error {
	p, err := Policy()
	if err != nil {
		return err
	}
	for i, person := range p.People {
		if _, err := tx.LinkAccount(ctx, storage.Account{Platform: "slack", Workspace: teamID, UserID: userID(i), Name: person.Name},
			person.Mail, person.TimeZone, false, s.now); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) convert(t ticket.Ticket) ticket.Ticket {
	t.Requester, t.Author, t.Owner = s.person[t.Requester], s.person[t.Author], s.person[t.Owner]
	q := s.queue[t.Queue]
	t.Queue, t.Team, t.Article = q.ID, q.Team, s.article[t.Article]
	return t
}

func (s *seeder) tickets(ctx context.Context, tx *storage.Tx) error {
	past := make([]storage.PastTicket, len(s.history.Tickets))
	for i, t := range s.history.Tickets {
		p := storage.PastTicket{Ticket: s.convert(t.Ticket)}
		for _, step := range t.Steps {
			ev := step.Event
			ev.By = s.person[ev.By]
			p.Steps = append(p.Steps, storage.PastStep{Event: ev, After: s.convert(step.After)})
		}
		for _, m := range t.Messages {
			side := storage.RequesterSide
			if m.Team {
				side = storage.TeamSide
			}
			p.Messages = append(p.Messages, storage.Message{Author: s.person[m.By], Body: m.Body, Internal: m.Internal, Side: side, SaidAt: m.At})
		}
		past[i] = p
	}
	var err error
	if s.offset, err = tx.ImportTickets(ctx, past, via); err != nil {
		return err
	}
	// Resolved tickets close by themselves, as if the desk had been there.
	p, err := Policy()
	if err != nil {
		return err
	}
	for _, t := range past {
		if t.Ticket.State == ticket.Done && !t.Ticket.Closed() {
			if err := tx.SetDue(ctx, "ticket.close", int64(t.Ticket.ID+s.offset), t.Ticket.ResolvedAt.Add(p.Desk.CloseAfter.Value())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *seeder) questions(ctx context.Context, tx *storage.Tx) error {
	past := make([]storage.Question, len(s.history.Questions))
	for i, q := range s.history.Questions {
		p := storage.Question{Person: s.person[q.Person], Text: q.Text, AskedAt: q.At, Confidence: q.Confidence,
			Outcome: storage.Outcome(q.Outcome), Article: s.article[q.Article]}
		for _, a := range q.Shown {
			id := s.article[a]
			p.Shown = append(p.Shown, id)
			p.Hits = append(p.Hits, knowledge.Hit{Article: id, Title: s.titles[id]})
		}
		if q.Ticket != 0 {
			p.Ticket = q.Ticket + s.offset
		}
		if !q.EndedAt.IsZero() {
			p.EndedAt = &q.EndedAt
		}
		past[i] = p
	}
	return tx.ImportQuestions(ctx, past, via)
}
