package change

import (
	"cmp"
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/cmdb"
)

// SuspectFor is how long after its end a change may be what an incident comes
// from.
const SuspectFor = 48 * time.Hour

// Suspect is a change that an incident may come from.
type Suspect struct {
	Change Change
	Item   cmdb.ItemID // that it has touched, the nearest to the incident; 0: its service only
}

// Suspects are the changes that an incident of a service, opened at a time, may
// come from: the nearest to it first, of those the latest. near are the items
// that it is about and what those stand on, the nearest first. service may be
// empty.
func Suspects(done []Change, near []cmdb.ItemID, service string, at time.Time) []Suspect {
	type ranked struct {
		Suspect
		distance int
	}
	var found []ranked
	for _, c := range done {
		if c.StartedAt.IsZero() || c.StartedAt.After(at) || c.State != Doing && c.State != Done ||
			!c.EndedAt.IsZero() && at.Sub(c.EndedAt) > SuspectFor {
			continue
		}
		distance := slices.IndexFunc(near, func(i cmdb.ItemID) bool { return slices.Contains(c.Items, i) })
		switch {
		case distance >= 0:
			found = append(found, ranked{Suspect{c, near[distance]}, distance})
		case service != "" && c.Service == service:
			found = append(found, ranked{Suspect{Change: c}, len(near)})
		}
	}
	slices.SortFunc(found, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), b.Change.StartedAt.Compare(a.Change.StartedAt), cmp.Compare(b.Change.ID, a.Change.ID))
	})
	out := make([]Suspect, len(found))
	for i, f := range found {
		out[i] = f.Suspect
	}
	return out
}
