package teamstest

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// SeesFile waits until a message here has a file with these bytes: a picture in
// it, or what is behind a link to one of the app's own pages.
func (a *Actor) SeesFile(data []byte) *Actor {
	a.s.t.Helper()
	opened := map[string]bool{}
	if !a.s.wait(func() bool {
		for _, m := range a.here() {
			for _, at := range m.Attachments {
				_, encoded, _ := strings.Cut(at.ContentURL, ";base64,")
				if shown, err := base64.StdEncoding.DecodeString(encoded); err == nil && encoded != "" && bytes.Equal(shown, data) {
					return true
				}
				for _, link := range address.FindAllString(string(at.Content), -1) {
					if opened[link] || !strings.HasPrefix(link, a.s.w.appURL()) {
						continue
					}
					opened[link] = true
					if page, err := a.s.w.page(a.s.t.Context(), link); err == nil && bytes.Equal(page, data) {
						return true
					}
				}
			}
		}
		return false
	}) {
		a.s.fail("%s sees no file of these %d bytes", a.name(), len(data))
	}
	return a
}

var address = regexp.MustCompile(`https?://[^")\s\\]+`)

// appURL is where the app's own pages begin.
func (t *Tenant) appURL() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	base, _, _ := strings.Cut(t.endpoint, "/api/")
	return base + "/"
}

// page is what a browser gets at an address.
func (t *Tenant) page(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}
