package teams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// maxSkew is how far the clocks may differ before it is worth telling; beyond
// skew nothing that Teams sends is believed.
const maxSkew = skew / 5

// Finding is the outcome of one check.
type Finding struct {
	Name string // what was looked at
	OK   bool
	Text string // what was found, in words
	Fix  string // what to do, if it is not OK
}

// Check looks whether the installation can work: Microsoft's keys, the clock,
// the app's password, whether the bot has been heard from, and whether it may
// look back where it is installed.
func (a *Adapter) Check(ctx context.Context) []Finding {
	if a.anonymous {
		return []Finding{{Name: "Teams tokens", Text: "development mode: they are not checked",
			Fix: "Leave out --teams-allow-anonymous-loopback for real people."}}
	}
	all := append(a.checkKeys(ctx), a.checkToken(ctx))
	if _, forgets := a.book.book.(*memory); !forgets {
		all = append(all, a.checkHeard(ctx))
		all = append(all, a.checkHistory(ctx)...)
	}
	return all
}

func (a *Adapter) checkKeys(ctx context.Context) []Finding {
	f := Finding{Name: "Teams keys"}
	asked := a.now()
	if err := a.keys.load(ctx); err != nil {
		f.Text = err.Error()
		f.Fix = "Look whether this machine reaches " + a.keys.metadata + ", through a proxy perhaps, and at DESKHAND_TEAMS_OPENID_METADATA_URL."
		return []Finding{f}
	}
	a.keys.mu.Lock()
	f.OK, f.Text = true, fmt.Sprintf("%d of %s", len(a.keys.keys), a.keys.issuer)
	a.keys.mu.Unlock()
	return []Finding{f, a.checkClock(ctx, asked)}
}

func (a *Adapter) checkClock(ctx context.Context, asked time.Time) Finding {
	f := Finding{Name: "Teams clock", OK: true, Text: "Microsoft did not say what time it is"}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.keys.metadata, nil)
	if err != nil {
		return f
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return f
	}
	_ = resp.Body.Close() // only the header is read
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return f
	}
	off := asked.Sub(theirs).Abs().Round(time.Second)
	if off > maxSkew {
		return Finding{Name: "Teams clock", Text: fmt.Sprintf("this machine and Microsoft differ by %s", off),
			Fix: "Turn on time synchronisation (NTP): past 5 minutes what Teams sends is refused as expired."}
	}
	f.Text = fmt.Sprintf("within %s of Microsoft's", max(off, time.Second))
	return f
}

func (a *Adapter) checkToken(ctx context.Context) Finding {
	f := Finding{Name: "Teams password"}
	if _, err := a.tokens.get(ctx); err != nil {
		f.Text = err.Error()
		if _, said := errors.AsType[*tokenError](err); !said {
			f.Fix = "Look whether this machine reaches Microsoft's login, through a proxy perhaps, and at DESKHAND_TEAMS_TOKEN_URL."
			return f
		}
		f.Fix = "Copy the value (not the id) of a client secret that has not run out, from Certificates & secrets, to DESKHAND_TEAMS_APP_PASSWORD, and compare DESKHAND_TEAMS_APP_ID and DESKHAND_TEAMS_TENANT_ID with the Azure Bot's page."
		return f
	}
	f.OK, f.Text = true, "Microsoft gives a token for it"
	return f
}

func (a *Adapter) checkHeard(ctx context.Context) Finding {
	f := Finding{Name: "Teams installation"}
	_, known, err := a.book.look(ctx, tenantKey)
	switch {
	case err != nil:
		f.Text = err.Error()
	case !known:
		f.OK, f.Text = true, "nothing has been heard from Teams yet: write to the bot once it is installed"
	default:
		teams, err := a.book.all(ctx, teamKeys)
		if err != nil {
			f.Text = err.Error()
			return f
		}
		f.OK, f.Text = true, fmt.Sprintf("Teams has been heard from; %d teams have the desk", len(teams))
	}
	return f
}

// checkHistory looks whether Graph shows the desk what stands in its teams and
// group chats, at most mostTeams of each.
func (a *Adapter) checkHistory(ctx context.Context) []Finding {
	f := Finding{Name: "Teams history"}
	teams, err := a.book.all(ctx, teamKeys)
	if err != nil {
		f.Text = err.Error()
		return []Finding{f}
	}
	places, err := a.book.all(ctx, placeKey(""))
	if err != nil {
		f.Text = err.Error()
		return []Finding{f}
	}
	maps.DeleteFunc(places, func(_ string, r reference) bool { return r.Type != groupChat })
	var asked int
	var closed []string
	look := func(name, channel string, ref reference) error {
		path, err := a.history(ctx, channel, "", ref)
		if err == nil {
			_, _, err = a.messages(ctx, a.graph.address(path, 1))
		}
		if shut(err) {
			var here struct{}
			if gone := a.call(ctx, ref.ServiceURL, request{name: "members", method: http.MethodGet,
				path: []string{"v3", "conversations", channel, "pagedmembers"}}, &here); errors.Is(gone, chat.ErrGone) {
				return nil // the desk was removed from there
			}
			closed, err = append(closed, name), nil
		}
		if err == nil {
			asked++
		}
		return err
	}
	for _, team := range first(teams, mostTeams) {
		ref := teams[team]
		// A team's first channel has the team's own id.
		if err = look("the team "+cmp.Or(ref.Name, team), team, reference{ServiceURL: ref.ServiceURL, Type: channelPost, Team: team}); err != nil {
			break
		}
	}
	for _, id := range first(places, mostTeams) {
		if err != nil {
			break
		}
		err = look("a group chat", id, places[id])
	}
	switch {
	case err != nil:
		f.Text = "it can't be seen whether a message has arrived: " + err.Error()
		f.Fix = "Look whether this machine reaches " + a.graph.url + ", through a proxy perhaps, and at DESKHAND_TEAMS_GRAPH_URL. Until then a message may stand there twice after a fault."
	case len(closed) > 0:
		f.Text = fmt.Sprintf("in %d of %d places the desk may not look whether a message has arrived, so after a fault one may stand there twice, and nobody hears what is said under the copy: %s",
			len(closed), asked, strings.Join(closed, ", "))
		f.Fix = "Upload the package that deskhand teams package makes, and have an owner update Deskhand there (Manage team → Apps, or remove and add it): it asks to read the messages of that team or chat. " +
			"If it does not ask, an administrator has turned that off for the tenant (Resource-specific consent)."
	case asked == 0:
		return nil // there is nothing to look into yet
	default:
		f.OK, f.Text = true, fmt.Sprintf("the desk can look back in all of %d teams and group chats", asked)
	}
	return []Finding{f}
}

// first are at most n keys, in order.
func first(all map[string]reference, n int) []string {
	keys := slices.Sorted(maps.Keys(all))
	return keys[:min(len(keys), n)]
}
