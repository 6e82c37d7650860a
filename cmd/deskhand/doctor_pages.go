package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/deskhand/deskhand/adapters/web"
)

// checkPages looks at the desk's page as a browser would: a proxy must pass it
// on, with the header that lets it stand inside Teams.
func (c *doctorCmd) checkPages(ctx context.Context, tell teller) {
	if c.URL == "" {
		tell("pages", true, "none: DESKHAND_URL is not set", "")
		return
	}
	base, err := web.CheckURL(c.URL)
	if err != nil {
		tell("pages", false, err.Error(), "")
		return
	}
	address := base.JoinPath(web.TabPath).String()
	const fix = "is deskhand serve running with DESKHAND_URL set, and does the proxy pass /tab and /files/ on, headers included?"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		tell("pages", false, err.Error(), "")
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tell("pages", false, address+" does not answer", fix)
		return
	}
	_ = resp.Body.Close() // only the head is read
	switch {
	case resp.StatusCode != http.StatusOK:
		tell("pages", false, fmt.Sprintf("%s answers %s", address, resp.Status), fix)
	case !strings.Contains(resp.Header.Get("Content-Security-Policy"), "frame-ancestors https://"):
		tell("pages", false, address+" answers without the desk's Content-Security-Policy, so Teams may not show it", fix)
	default:
		tell("pages", true, address+" answers", "")
	}
}
