package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// Calendar is a team's changes as a calendar has them.
type Calendar struct {
	Name   string
	Events []CalendarEvent
}

// CalendarEvent is a change's window.
type CalendarEvent struct {
	ID        string // the same for ever, and nowhere else
	Sequence  int    // grows with each revision
	Revised   time.Time
	From, To  time.Time
	Title     string
	Text      string
	Certain   bool // it is approved
	Cancelled bool // it will not be done, in this window at least
}

const (
	calendarBack  = 60 * 24 * time.Hour
	calendarAhead = 400 * 24 * time.Hour
	mostPlanned   = 1000
)

// Calendar is what a link to a calendar shows; storage.ErrNotFound if whoever
// it was made for is no agent any more.
func (d *Desk) Calendar(ctx context.Context, l storage.CalendarLink) (Calendar, error) {
	var cal Calendar
	err := d.db.View(ctx, func(tx *storage.Tx) error {
		who, err := tx.ActorByID(ctx, l.Person)
		if err != nil {
			return err
		}
		if !who.Agent() {
			return storage.ErrNotFound
		}
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		record, err := tx.Record(ctx)
		if err != nil {
			return err
		}
		now := d.now()
		all, err := tx.PlannedBy(ctx, l.Team, now.Add(-calendarBack), now.Add(calendarAhead), mostPlanned)
		if err != nil {
			return err
		}
		cal.Name = "Changes of " + r.team(l.Team).Name
		for _, p := range all {
			cal.Events = append(cal.Events, eventOf(p, record))
		}
		return nil
	})
	return cal, err
}

func eventOf(p storage.Planned, record string) CalendarEvent {
	e := CalendarEvent{ID: fmt.Sprintf("%s.%s@deskhand", p.Ref(), record), Sequence: p.Version, Revised: p.Revised, From: p.From, To: p.To,
		Title: p.Ref() + " " + p.Title, Text: p.StateWords() + ".\n\n" + p.Why}
	if p.Risk != "" {
		e.Text = fmt.Sprintf("%s. Risk: %s, because %s.\n\n%s", p.StateWords(), p.Risk, p.Because, p.Why)
	}
	switch p.State {
	case change.Scheduled, change.Doing, change.Done:
		e.Certain = true
	case change.Blocked, change.Rejected, change.Cancelled:
		e.Cancelled = true
	}
	return e
}

// calendar gives somebody the links to their teams' changes, for their own
// calendar.
func (t *turn) calendar(ctx context.Context) error { return t.calendarOf(ctx, 0) }

// newCalendar is calendar with another link in place of one that somebody else
// may have got hold of.
func (t *turn) newCalendar(ctx context.Context) error {
	return t.calendarOf(ctx, people.TeamID(t.id("team")))
}

func (t *turn) calendarOf(ctx context.Context, renew people.TeamID) error {
	if t.desk.calendarLink == nil {
		return t.private(ctx, "There are no pages here any more. “changes” shows what is planned.")
	}
	if !t.who.Agent() {
		return t.private(ctx, "The calendar of changes is for agents.")
	}
	var links []cards.CalendarLink
	for _, team := range t.who.Teams {
		if team == renew {
			if err := t.tx.RevokeCalendar(ctx, team, t.who.ID, t.via(), t.at); err != nil {
				return err
			}
		}
		l, err := t.tx.CalendarOf(ctx, team, t.who.ID, t.via(), t.at)
		if err != nil {
			return err
		}
		links = append(links, cards.CalendarLink{Team: int64(team), Name: t.rules.team(team).Name, URL: t.desk.calendarLink(l)})
	}
	return t.privately(ctx, cards.CalendarLinks(links, renew != 0))
}
