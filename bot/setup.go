package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// soonWithin is a part of the time that an event may take: a large team has many
// members to be asked about.
const soonWithin = 8 * time.Second

// leftToSetUp is what an admin has yet to do, in the order to do it.
func (t *turn) leftToSetUp(ctx context.Context) ([]string, error) {
	var left []string
	n, err := t.tx.CountArticles(ctx)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		left = append(left, "There is no article yet, so I can't answer anything: deskhand kb import DIR brings in a folder of Markdown files.")
	}
	if words, err := t.gate(ctx); err != nil {
		return nil, err
	} else if words != "" {
		left = append(left, words)
	}
	for _, team := range t.rules.teams {
		if len(t.rules.triage(team.ID)) > 0 {
			continue
		}
		command := t.desk.ways(t.account.Platform).Command + "triage"
		if len(t.rules.teams) > 1 {
			command += " " + team.Slug
		}
		left = append(left, fmt.Sprintf("%s has no channel: invite me to one and type “%s” there. Tickets wait until then, none is lost.", team.Name, command))
	}
	if len(t.rules.policy.People) == 0 && len(t.rules.policy.Desk.Admins) == 0 {
		left = append(left, "I run on the built-in policy. deskhand apply FILE loads yours: teams, services, people and the priority matrix.")
	}
	return left, nil
}

// invited is the desk coming into a channel.
func (t *turn) invited(ctx context.Context) error {
	if t.ev.Scope == chat.Direct { // somebody has installed it for herself
		return t.privately(ctx, welcome(t.who.FirstName()))
	}
	for _, team := range t.rules.teams { // by this more than one channel may be in sight
		if err := t.postWaiting(ctx, team.ID); err != nil {
			return err
		}
	}
	if _, ok := t.rules.channel(t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel); ok {
		return nil
	}
	if !t.who.Admin {
		return nil
	}
	return t.private(ctx, "Thank you for the invitation. To have a team's tickets here, type “"+t.desk.ways(t.ev.By.Platform).Command+"triage” with the team's name. Otherwise just mention me to ask something.")
}

// chooseTriage makes the channel the one for a team's tickets.
func (t *turn) chooseTriage(ctx context.Context, slug string) error {
	switch {
	case !t.who.Admin:
		return t.private(ctx, "Only an admin of the desk can choose the channel for tickets.")
	case t.ev.Scope == chat.Direct:
		return t.private(ctx, "Please type this in the channel that the tickets shall go to.")
	}
	team, err := t.teamNamed(slug)
	if err != nil {
		return t.private(ctx, err.Error())
	}
	if err := t.tx.ChooseTriage(ctx, team.ID, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.who.ID, t.at); err != nil {
		return err
	}
	t.desk.doubt()
	if t.rules, err = t.desk.rulesIn(ctx, t.tx); err != nil {
		return err
	}
	if err := t.postWaiting(ctx, team.ID); err != nil {
		return err
	}
	return t.private(ctx, "From now on tickets of "+team.Name+" come here. Whoever is in this channel can claim them.")
}

func (t *turn) teamNamed(name string) (people.Team, error) {
	if name == "" && len(t.rules.teams) == 1 {
		return t.rules.teams[0], nil
	}
	var all []string
	for _, team := range t.rules.teams {
		if strings.EqualFold(name, team.Slug) || strings.EqualFold(name, team.Name) {
			return team, nil
		}
		all = append(all, team.Slug)
	}
	return people.Team{}, errors.New("Which team? Type one of these behind “triage”: " + strings.Join(all, ", ") + ".")
}

// postWaiting puts the cards of open tickets that no channel has seen into
// their team's channel.
func (t *turn) postWaiting(ctx context.Context, team people.TeamID) error {
	waiting, err := t.tx.Untriaged(ctx, team, 100)
	if err != nil {
		return err
	}
	for _, tk := range waiting {
		if err := t.triage(ctx, tk); err != nil {
			return err
		}
	}
	return nil
}

// FindChannels fills in the ids of the channels that the policy names, and
// makes agents of who is in the triage channels. It returns what it could not
// find, in words; run it at the start. On an error some are still to be found:
// run it again.
func (d *Desk) FindChannels(ctx context.Context) ([]string, error) {
	return d.findChannels(ctx, func(storage.DeskChannel) bool { return true })
}

// FindNewChannels is FindChannels for those that have not been found yet: run it
// after a policy has been applied.
func (d *Desk) FindNewChannels(ctx context.Context) ([]string, error) {
	return d.findChannels(ctx, func(c storage.DeskChannel) bool { return c.Channel == "" })
}

// ChannelsNamed tells whether this process is to look for the channels that a
// new policy names, since the last call.
func (d *Desk) ChannelsNamed() bool { return d.named.Swap(false) }

func (d *Desk) findChannels(ctx context.Context, wanted func(storage.DeskChannel) bool) ([]string, error) {
	r, err := d.rulesNow(ctx)
	if err != nil {
		return nil, err
	}
	var missing []string
	var later []error // what may work another time, and must not keep the rest
	for _, c := range r.channels {
		p := d.platforms[c.Platform]
		if p == nil || !wanted(c) {
			continue
		}
		if c.Channel == "" {
			err := d.locate(ctx, p, &c)
			if errors.Is(err, chat.ErrGone) {
				missing = append(missing, fmt.Sprintf("There is no channel #%s that I can see on %s: create it, or invite me if it is private.", c.Name, c.Platform))
				continue
			}
			if err != nil {
				later = append(later, fmt.Errorf("channel %s: %w", c.Name, err))
				continue
			}
		}
		if c.Purpose == "triage" {
			err := d.adoptMembers(ctx, p, c)
			if errors.Is(err, chat.ErrGone) {
				missing = append(missing, fmt.Sprintf("I can't see who is in #%s on %s: invite me there.", c.Name, c.Platform))
			} else if err != nil {
				later = append(later, fmt.Errorf("members of #%s on %s: %w", c.Name, c.Platform, err))
			}
		}
	}
	if err := d.findPeople(ctx, r); err != nil {
		later = append(later, err)
	}
	return missing, errors.Join(append(later, d.triageWaiting(ctx))...)
}

// findPeople looks up the accounts of those whom the desk must be able to write
// to before they have ever written to it: who leads a team, is on call, owns
// something or approves. Whoever has an account on one platform is written to
// there.
func (d *Desk) findPeople(ctx context.Context, r *rules) error {
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(d.platforms)) { // always the same one first
		failed = append(failed, d.findPeopleOn(ctx, r, name, d.platforms[name]))
	}
	return errors.Join(failed...)
}

func (d *Desk) findPeopleOn(ctx context.Context, r *rules, name string, p Platform) error {
	var wanted []string
	err := d.db.View(ctx, func(tx *storage.Tx) (err error) {
		wanted, err = tx.OnDutyWithout(ctx, r.policy.Duties())
		return err
	})
	if err != nil || len(wanted) == 0 {
		return err
	}
	var failed []error
	found, err := p.Accounts(ctx, wanted)
	if err != nil {
		failed = append(failed, fmt.Errorf("accounts on %s: %w", name, err))
	}
	for _, u := range found {
		failed = append(failed, d.know(ctx, u))
	}
	return errors.Join(failed...)
}

// locate fills in the id of a channel that the policy names; chat.ErrGone if
// there is none in sight.
func (d *Desk) locate(ctx context.Context, p Platform, c *storage.DeskChannel) error {
	place, err := p.Channel(ctx, c.Name)
	if err != nil {
		return err
	}
	if err := d.db.InTx(ctx, func(tx *storage.Tx) error {
		return tx.FoundChannel(ctx, c.ID, place.Workspace, place.Channel)
	}); err != nil {
		return err
	}
	c.Workspace, c.Channel = place.Workspace, place.Channel
	d.forget()
	return nil
}

// arrived looks for the channels and people that the policy names once the desk
// has come to a new place: there may be more in sight. Who of them can't be asked about
// at once is noticed as they speak.
func (d *Desk) arrived(ctx context.Context, ev chat.Event) error {
	p := d.platforms[ev.By.Platform]
	if p == nil || ev.Scope == chat.Direct {
		return nil
	}
	r, err := d.rulesNow(ctx)
	if err != nil {
		return err
	}
	for _, c := range r.channels {
		if c.Platform != ev.By.Platform || c.Channel != "" {
			continue
		}
		err := d.locate(ctx, p, &c)
		if errors.Is(err, chat.ErrGone) {
			continue
		}
		if err == nil && c.Purpose == "triage" {
			err = d.soon(ctx, func(ctx context.Context) error { return d.adoptMembers(ctx, p, c) })
		}
		if err != nil {
			return fmt.Errorf("channel %s: %w", c.Name, err)
		}
	}
	return d.soon(ctx, func(ctx context.Context) error { return d.findPeopleOn(ctx, r, ev.By.Platform, p) })
}

// soon does something for as long as an event may take: who is not known by
// then is noticed later.
func (d *Desk) soon(ctx context.Context, do func(context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, soonWithin)
	defer cancel()
	err := do(within)
	if err != nil && (within.Err() != nil || errors.Is(err, chat.ErrGone)) && ctx.Err() == nil {
		d.log.WarnContext(ctx, "not everybody is known yet who is on a team", "err", err)
		return nil
	}
	return err
}

// triageWaiting puts cards for tickets that were opened before their team had a
// channel, or imported, into the channels.
func (d *Desk) triageWaiting(ctx context.Context) error {
	return d.db.InTx(ctx, func(tx *storage.Tx) error {
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		t := &turn{desk: d, tx: tx, rules: r, at: d.now()}
		for _, team := range r.teams {
			if err := t.postWaiting(ctx, team.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *Desk) adoptMembers(ctx context.Context, p Platform, c storage.DeskChannel) error {
	members, err := p.Members(ctx, chat.Place{Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel})
	if err != nil {
		return err
	}
	for _, u := range members {
		if err := d.know(ctx, u); err != nil {
			return err
		}
		if err := d.db.InTx(ctx, func(tx *storage.Tx) error {
			who, _, err := tx.Actor(ctx, u.Platform, u.Workspace, u.ID)
			if err != nil || who.Guest {
				return err
			}
			return tx.AdoptMember(ctx, c.Team, who.ID, true, c.Platform+", #"+c.Name, d.now())
		}); err != nil {
			return err
		}
	}
	return nil
}
