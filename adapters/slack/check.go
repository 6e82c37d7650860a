package slack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// Scopes are the rights that the app needs, as in manifest.yaml, where each has
// its reason.
var Scopes = []string{
	"app_mentions:read",
	"channels:history",
	"channels:read",
	"chat:write",
	"chat:write.customize",
	"commands",
	"files:read",
	"files:write",
	"groups:history",
	"groups:read",
	"im:history",
	"im:read",
	"im:write",
	"mpim:history",
	"mpim:read",
	"reactions:read",
	"reactions:write",
	"users:read",
	"users:read.email",
}

// maxSkew is how far the clocks may differ: beyond window nothing that Slack
// sends is believed.
const maxSkew = window / 5

// Finding is the outcome of one check.
type Finding struct {
	Name string // what was looked at
	OK   bool
	Text string // what was found, in words
	Fix  string // what to do, if it is not OK
}

// Check looks whether the installation can work: the token, its scopes, the
// clock, and socket mode if it is set up.
func (a *Adapter) Check(ctx context.Context) []Finding {
	var auth *slack.AuthTestResponse
	var asked time.Time
	err := a.call(ctx, "auth.test", repeatable, func(ctx context.Context) (err error) {
		asked = a.now()
		auth, err = a.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return append([]Finding{{Name: "Slack token", Text: err.Error(), Fix: tokenFix(err)}}, a.checkSocket(ctx)...)
	}
	all := []Finding{
		{Name: "Slack token", OK: true, Text: fmt.Sprintf("it is %s's in the workspace %s", auth.User, auth.Team)},
		checkScopes(auth.Header),
		checkClock(auth.Header, asked),
	}
	return append(all, a.checkSocket(ctx)...)
}

func tokenFix(err error) string {
	switch code(err) {
	case "":
		return "Look whether this machine reaches Slack, through a proxy perhaps, and at DESKHAND_SLACK_API_URL."
	case "account_inactive", "token_revoked":
		return "The app was removed from the workspace: install it again and copy the new Bot User OAuth Token to DESKHAND_SLACK_BOT_TOKEN."
	}
	return "Copy the Bot User OAuth Token from OAuth & Permissions to DESKHAND_SLACK_BOT_TOKEN."
}

func checkScopes(h http.Header) Finding {
	f := Finding{Name: "Slack scopes"}
	said := h.Get("X-OAuth-Scopes")
	if said == "" {
		f.Text, f.Fix = "Slack did not say which scopes the token has", "Compare the app's scopes with manifest.yaml."
		return f
	}
	var granted []string
	for s := range strings.SplitSeq(said, ",") {
		granted = append(granted, strings.TrimSpace(s))
	}
	missing := slices.DeleteFunc(slices.Clone(Scopes), func(s string) bool { return slices.Contains(granted, s) })
	if len(missing) > 0 {
		f.Text = "missing: " + strings.Join(missing, ", ")
		f.Fix = "Put manifest.yaml into the app's App Manifest page and install the app again."
		return f
	}
	f.OK, f.Text = true, fmt.Sprintf("all %d that are needed", len(Scopes))
	return f
}

func checkClock(h http.Header, asked time.Time) Finding {
	f := Finding{Name: "Clock"}
	theirs, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		f.OK, f.Text = true, "Slack did not say what time it is"
		return f
	}
	skew := asked.Sub(theirs).Abs().Round(time.Second)
	if skew > maxSkew {
		f.Text = fmt.Sprintf("this machine and Slack differ by %s", skew)
		f.Fix = "Turn on time synchronisation (NTP): past 5 minutes Slack's requests are refused as stale."
		return f
	}
	f.OK, f.Text = true, fmt.Sprintf("within %s of Slack's", max(skew, time.Second))
	return f
}

func (a *Adapter) checkSocket(ctx context.Context) []Finding {
	if a.appToken == "" {
		return nil
	}
	err := a.call(ctx, "apps.connections.open", repeatable, func(ctx context.Context) error {
		_, _, err := a.api.StartSocketModeContext(ctx)
		return err
	})
	if err != nil {
		return []Finding{{Name: "Slack socket mode", Text: err.Error(),
			Fix: "Turn on Socket Mode, make an app-level token with connections:write and set DESKHAND_SLACK_APP_TOKEN to it."}}
	}
	return []Finding{{Name: "Slack socket mode", OK: true, Text: "a connection can be opened"}}
}
