package teamstest

import (
	"net/http"
	"strconv"
	"strings"
)

func (t *Tenant) roster(c *conversation) []*User {
	var list []*User
	for _, id := range t.members(c) {
		if u := t.userBy[id]; u != nil && !u.Gone {
			list = append(list, u)
		}
	}
	return list
}

// serveMembers is the whole roster; the ids in Entra are called otherwise here
// than elsewhere (as recorded).
func (t *Tenant) serveMembers(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _ := t.find(r)
	if c == nil {
		return
	}
	list := []any{}
	for _, u := range t.roster(c) {
		list = append(list, t.member(u, "objectId"))
	}
	r.json(http.StatusOK, list)
}

// serveMember finds a member by either id.
func (t *Tenant) serveMember(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _ := t.find(r)
	if c == nil {
		return
	}
	id := r.http.PathValue("id")
	for _, u := range t.roster(c) {
		if u.ID == id || u.ObjectID == id || u.UPN != "" && strings.EqualFold(u.UPN, id) {
			r.json(http.StatusOK, t.member(u, "aadObjectId"))
			return
		}
	}
	r.refuse(http.StatusNotFound, "MemberNotFoundInConversation", "Member not found in conversation.")
}

// servePagedMembers: page "Get Teams specific context for your bot": 50 to 500 on
// a page.
func (t *Tenant) servePagedMembers(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _ := t.find(r)
	if c == nil {
		return
	}
	q := r.http.URL.Query()
	per := 200
	if s := q.Get("pageSize"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			r.refuse(http.StatusBadRequest, "BadArgument", "The page size is no number.")
			return
		}
		per = min(max(n, 50), 500)
	}
	from := 0
	if token := q.Get("continuationToken"); token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "after-"))
		if err != nil || n < 0 {
			r.refuse(http.StatusBadRequest, "BadArgument", "The continuation token is none.")
			return
		}
		from = n
	}
	all := t.roster(c)
	members := []any{}
	for _, u := range all[min(from, len(all)):min(from+per, len(all))] {
		members = append(members, t.member(u, "aadObjectId"))
	}
	page := map[string]any{"members": members, "totalCount": len(all)}
	if from+per < len(all) {
		page["continuationToken"] = "after-" + strconv.Itoa(from+per)
	}
	r.json(http.StatusOK, page)
}

// theTeam is the team of the address, if the app is in it.
func (t *Tenant) theTeam(r *request) *Team {
	for _, team := range t.teams {
		if team.ID != r.http.PathValue("id") {
			continue
		}
		if !team.Installed {
			r.refuse(http.StatusForbidden, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
			return nil
		}
		return team
	}
	r.refuse(http.StatusNotFound, "TeamNotFound", "The team was not found.")
	return nil
}

func (t *Tenant) serveTeam(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if team := t.theTeam(r); team != nil {
		r.json(http.StatusOK, map[string]any{
			"id": team.ID, "name": team.Name, "aadGroupId": team.GroupID, "tenantId": t.id, "type": "standard",
			"channelCount": len(t.channelsOf(team)), "memberCount": len(team.Members),
		})
	}
}

// serveTeamChannels: General has no name (as recorded).
func (t *Tenant) serveTeamChannels(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	team := t.theTeam(r)
	if team == nil {
		return
	}
	list := []any{}
	for _, c := range t.channelsOf(team) {
		m := map[string]any{"id": c.ID, "channelType": "standard"}
		if c.ID != team.ID {
			m["name"] = c.Name
		}
		list = append(list, m)
	}
	r.json(http.StatusOK, map[string]any{"conversations": list})
}

func (t *Tenant) channelsOf(team *Team) []*conversation {
	var list []*conversation
	for _, c := range t.convs {
		if c.Team == team.ID {
			list = append(list, c)
		}
	}
	return list
}
