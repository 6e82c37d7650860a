package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
)

// whoOf are the people and groups that a policy names.
func (t *turn) whoOf(names []string) []approval.Who {
	var all []approval.Who
	for _, n := range names {
		all = append(all, approval.Who{Group: n}) // a mail address too: people may come later
	}
	return all
}

// roster is what is true now of everybody whom the stages name.
func (t *turn) roster(ctx context.Context, c change.Change, stages []approval.Stage) (approval.Roster, error) {
	var all rosters
	return all.of(ctx, t, c, stages)
}

// rosters are the rosters of several changes, for which nothing is asked twice.
type rosters struct {
	known  approval.Roster // but for Members
	graph  *cmdb.Graph
	people map[string][]people.PersonID // by mail address, team or role
}

func (all *rosters) of(ctx context.Context, t *turn, c change.Change, stages []approval.Stage) (r approval.Roster, err error) {
	if all.known.Able == nil {
		if all.known.Able, err = t.tx.Able(ctx); err != nil {
			return r, err
		}
		if all.known.Delegations, err = t.tx.Delegations(ctx, t.at); err != nil {
			return r, err
		}
	}
	r = all.known
	r.Members = map[string][]people.PersonID{}
	for _, s := range stages {
		for _, w := range slices.Concat(s.Ask, s.Deputies) {
			if _, done := r.Members[w.Group]; w.Group == "" || done {
				continue
			}
			if r.Members[w.Group], err = all.members(ctx, t, c, w.Group); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// once finds people by a name for them, unless that was done before.
func (all *rosters) once(name string, find func() ([]people.PersonID, error)) ([]people.PersonID, error) {
	if found, ok := all.people[name]; ok {
		return found, nil
	}
	if all.people == nil {
		all.people = map[string][]people.PersonID{}
	}
	found, err := find()
	if err == nil {
		all.people[name] = found
	}
	return found, err
}

func (all *rosters) mail(ctx context.Context, t *turn, mail string) ([]people.PersonID, error) {
	return all.once(mail, func() ([]people.PersonID, error) {
		p, err := t.tx.PersonByMail(ctx, mail)
		if err != nil {
			return nil, ignoreMissing(err)
		}
		return []people.PersonID{p}, nil
	})
}

// members are the people whom a name of the policy stands for.
func (all *rosters) members(ctx context.Context, t *turn, c change.Change, name string) ([]people.PersonID, error) {
	team := t.rules.team(c.Team)
	kind, slug, named := strings.Cut(name, ":")
	if named {
		i := slices.IndexFunc(t.rules.teams, func(t people.Team) bool { return t.Slug == slug })
		if i < 0 {
			return nil, nil // the team is no more
		}
		team, name = t.rules.teams[i], kind
	}
	switch {
	case strings.Contains(name, "@"):
		return all.mail(ctx, t, name)
	case name == "lead":
		if team.Lead == 0 {
			return nil, nil
		}
		return []people.PersonID{team.Lead}, nil
	case name == "team":
		return all.once(fmt.Sprintf("team %d", team.ID), func() ([]people.PersonID, error) {
			agents, err := t.tx.TeamAgents(ctx, team.ID)
			return idsOf(agents), err
		})
	case name == "admins":
		return all.once(name, func() ([]people.PersonID, error) { return t.tx.Admins(ctx) })
	case name == "owner":
		return all.owners(ctx, t, c)
	}
	return nil, nil
}

func idsOf(all []people.Person) []people.PersonID {
	ids := make([]people.PersonID, len(all))
	for i, p := range all {
		ids[i] = p.ID
	}
	return ids
}

// owners own what a change touches: its items, and its service.
func (all *rosters) owners(ctx context.Context, t *turn, c change.Change) ([]people.PersonID, error) {
	if all.graph == nil {
		var err error
		if all.graph, err = t.graph(ctx); err != nil {
			return nil, err
		}
	}
	var ids []people.PersonID
	for _, it := range itemsOf(all.graph, c.Items) {
		if it.Owner != 0 {
			ids = append(ids, it.Owner)
		}
	}
	i := slices.IndexFunc(t.rules.policy.Services, func(s policy.Service) bool { return s.Slug == c.Service && s.Owner != "" })
	if i >= 0 {
		owner, err := all.mail(ctx, t, t.rules.policy.Services[i].Owner)
		if err != nil {
			return nil, err
		}
		ids = append(ids, owner...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
