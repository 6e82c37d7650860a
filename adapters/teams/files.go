package teams

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // to know the size of a picture
	_ "image/jpeg" // likewise
	_ "image/png"  // likewise
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"github.com/deskhand/deskhand/bot/chat"
)

// How a file is fetched stands before its address in chat.File.URL: with the
// desk's token, which only the Bot Connector gets, or as it is. What has neither
// was not written by this adapter and is not fetched.
const (
	byToken = "token:"
	byLink  = "link:"
)

// fileHosts keep the files that people send to a bot: SharePoint, in Microsoft's
// clouds.
var fileHosts = []string{"sharepoint.com", "sharepoint.us", "sharepoint-mil.us", "sharepoint.cn", "sharepoint.de"}

// fileAddress says that an address may be fetched: one of SharePoint's or, as
// doubles and emulators have it, of the service itself.
func fileAddress(address, service string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	if u.Scheme == "https" && u.Port() == "" {
		host := strings.ToLower(u.Hostname())
		for _, domain := range fileHosts {
			if strings.HasSuffix(host, "."+domain) {
				return true
			}
		}
	}
	return sameHost(address, service)
}

// Fetch downloads a file that came in a message, of at most limit bytes.
//
// A file that is not kept by Microsoft, has been removed or may not be read is
// chat.ErrGone; a larger one is a chat.RefusedError.
func (a *Adapter) Fetch(ctx context.Context, f chat.File, limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, tooBig(f, limit)
	}
	of, _, err := a.book.look(ctx, tenantKey)
	if err != nil {
		return nil, err
	}
	address, signed := strings.CutPrefix(f.URL, byToken)
	if signed && !sameHost(address, of.ServiceURL) {
		// Each region has its own service; the one that the picture came from is
		// known by the place, but the token may go to any that has been verified.
		signed = a.verified(ctx, address)
	}
	if !signed {
		var ok bool
		if address, ok = strings.CutPrefix(f.URL, byLink); !ok || !fileAddress(address, of.ServiceURL) {
			return nil, fmt.Errorf("teams: the file %q is not kept by Teams: %w", f.Name, chat.ErrGone)
		}
	}
	var data []byte
	err = a.measured(ctx, "download", fileTimeout, func(ctx context.Context) (err error) {
		data, err = a.download(ctx, address, signed, limit)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, tooBig(f, limit)
	}
	return data, nil
}

// verified says that an address is at a host that a verified activity has come
// from.
func (a *Adapter) verified(ctx context.Context, address string) bool {
	places, err := a.book.all(ctx, placeKey(""))
	if err != nil {
		return false
	}
	for _, ref := range places {
		if sameHost(address, ref.ServiceURL) {
			return true
		}
	}
	return false
}

func tooBig(f chat.File, limit int64) error {
	return &chat.RefusedError{Reason: fmt.Sprintf("the file %q is larger than %d bytes", f.Name, limit)}
}

// download reads at most one byte more than limit.
func (a *Adapter) download(ctx context.Context, address string, signed bool, limit int64) (data []byte, err error) {
	do := func(token string) (status int, err error) {
		status, data, err = a.fetch(ctx, address, token, signed, limit)
		return status, err
	}
	if signed && !a.anonymous {
		return data, a.tokens.authorize(ctx, do)
	}
	_, err = do("")
	return data, err
}

func (a *Adapter) fetch(ctx context.Context, address, token string, signed bool, limit int64) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, goneError("FileAddress")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := *a.http
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > 5 || !sameHost(to.URL.String(), address) && (signed || !fileAddress(to.URL.String(), address)) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, bare(err)
	}
	defer resp.Body.Close()
	switch s := resp.StatusCode; {
	case s == http.StatusOK:
		data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
		return s, data, bare(err)
	case s == http.StatusTooManyRequests:
		return s, nil, &chat.LimitedError{After: retryAfter(resp.Header)}
	case s >= 500, s == http.StatusRequestTimeout:
		return s, nil, fmt.Errorf("HTTP status %d", s)
	case s == http.StatusUnauthorized && signed:
		return s, nil, errors.New("the token was not taken")
	}
	return resp.StatusCode, nil, goneError("FileNotFound")
}

const (
	// maxPicture and maxSide are what Teams shows of a picture that a bot sends
	// ("Messages in bot conversations", picture messages).
	maxPicture = 1 << 20
	maxSide    = 1024
	maxInline  = 3 // pictures in one message
)

// withFiles is a post with its files: small pictures as attachments of their
// own, everything else as links to the desk's own page.
func (a *Adapter) withFiles(p chat.Post) (chat.Post, []schema.Attachment) {
	if len(p.Files) == 0 {
		return p, nil
	}
	blocks := slices.Clone(p.Card.Blocks)
	if len(blocks) == 0 && p.Card.Text != "" {
		blocks = append(blocks, chat.Section{Text: chat.T(p.Card.Text)})
	}
	var pictures []schema.Attachment
	for _, f := range p.Files {
		if kind := picture(f.Data); kind != "" && len(pictures) < maxInline {
			pictures = append(pictures, schema.Attachment{ContentType: kind, Name: f.Name,
				ContentURL: "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(f.Data)})
			continue
		}
		if link := a.link(f); link != "" {
			blocks = append(blocks, chat.Section{Text: chat.Rich{{Text: f.Name, Link: link}}})
		} else {
			blocks = append(blocks, chat.Note{Text: chat.T(f.Name + " is kept with the ticket. I can't show it here.")})
		}
	}
	p.Card.Blocks = blocks
	return p, pictures
}

func (a *Adapter) link(f chat.Attachment) string {
	if a.fileURL == nil {
		return ""
	}
	return a.fileURL(f)
}

// picture is the type of a picture that Teams shows as it is; "" if it is none.
func picture(data []byte) string {
	if len(data) == 0 || len(data) > maxPicture {
		return ""
	}
	c, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || c.Width > maxSide || c.Height > maxSide || c.Width < 1 || c.Height < 1 {
		return ""
	}
	return "image/" + kind
}
