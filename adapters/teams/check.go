package teams

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
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
// the app's password, and whether the bot has been heard from.
func (a *Adapter) Check(ctx context.Context) []Finding {
	if a.anonymous {
		return []Finding{{Name: "Teams tokens", Text: "development mode: they are not checked",
			Fix: "Leave out --teams-allow-anonymous-loopback for real people."}}
	}
	all := append(a.checkKeys(ctx), a.checkToken(ctx))
	if _, forgets := a.book.book.(*memory); !forgets {
		all = append(all, a.checkHeard(ctx))
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
