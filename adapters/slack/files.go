package slack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// upload brings files to Slack without showing them to anybody yet. Slack takes
// no empty file, so such a one is left out.
// See docs.slack.dev/messaging/working-with-files#uploading_files.
func (a *Adapter) upload(ctx context.Context, files []chat.Attachment) ([]slack.FileSummary, error) {
	var all []slack.FileSummary
	for _, f := range files {
		if len(f.Data) == 0 {
			a.log.LogAttrs(ctx, slog.LevelWarn, "an empty file is not passed on", slog.String("name", f.Name))
			continue
		}
		var slot *slack.GetUploadURLExternalResponse
		err := a.call(ctx, "files.getUploadURLExternal", repeatable, func(ctx context.Context) (err error) {
			slot, err = a.api.GetUploadURLExternalContext(ctx, slack.GetUploadURLExternalParameters{FileName: f.Name, FileSize: len(f.Data)})
			return err
		})
		if err != nil {
			return nil, err
		}
		err = a.call(ctx, "upload", repeatable, func(ctx context.Context) error {
			return a.api.UploadToURL(ctx, slack.UploadToURLParameters{UploadURL: slot.UploadURL, Reader: bytes.NewReader(f.Data), Filename: f.Name})
		})
		if err != nil {
			return nil, err
		}
		all = append(all, slack.FileSummary{ID: slot.FileID, Title: f.Name})
	}
	return all, nil
}

// share shows uploaded files in the thread of a message.
func (a *Adapter) share(ctx context.Context, ref chat.Ref, thread string, files []slack.FileSummary) error {
	if thread == "" {
		thread = ref.Message
	}
	return a.call(ctx, "files.completeUploadExternal", creating, func(ctx context.Context) error {
		_, err := a.api.CompleteUploadExternalContext(ctx, slack.CompleteUploadExternalParameters{
			Files: files, Channel: ref.Channel, ThreadTimestamp: thread})
		return err
	})
}

// complete gives a message that was found the files it still lacks. Slack keeps
// no mark on a file's message, so they are known by name, in the message's
// thread, after it, from the desk.
func (a *Adapter) complete(ctx context.Context, ref chat.Ref, p chat.Post) error {
	if len(p.Files) == 0 {
		return nil
	}
	thread := p.Place.Thread
	if thread == "" {
		thread = ref.Message
	}
	there := map[string]int{}
	err := a.look(ctx, ref.Channel, thread, func(m slack.Message) bool {
		if m.User == a.me().user && m.Timestamp >= ref.Message {
			for _, f := range m.Files {
				there[f.Name]++
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	var missing []chat.Attachment
	for _, f := range p.Files {
		if there[f.Name]--; there[f.Name] < 0 {
			missing = append(missing, f)
		}
	}
	uploads, err := a.upload(ctx, missing)
	if err != nil || len(uploads) == 0 {
		return err
	}
	return a.share(ctx, ref, p.Place.Thread, uploads)
}

// Fetch downloads a file that came in a message, of at most limit bytes. The
// token goes to Slack's own hosts and the configured API's, and to no other.
//
// A file that is not kept by Slack, has been removed or may not be read is
// chat.ErrGone; a larger one is a chat.RefusedError.
func (a *Adapter) Fetch(ctx context.Context, f chat.File, limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, tooBig(f, limit)
	}
	if !a.slackURL(f.URL) {
		return nil, fmt.Errorf("slack: the file %q is not kept by Slack: %w", f.Name, chat.ErrGone)
	}
	var data []byte
	err := a.call(ctx, "download", repeatable, func(ctx context.Context) (err error) {
		data, err = a.download(ctx, f.URL, limit)
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

func tooBig(f chat.File, limit int64) error {
	return &chat.RefusedError{Reason: fmt.Sprintf("the file %q is larger than %d bytes", f.Name, limit)}
}

// download reads at most one byte more than limit. slack-go's download tells a
// file that may not be read only by its words, which would be retried for ever.
func (a *Adapter) download(ctx context.Context, address string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.botToken)
	client := *a.http
	client.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		// Without the right to read, Slack sends to its sign-in page.
		if to.URL.Query().Has("redir") || !a.slackURL(to.URL.String()) || len(via) > 5 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(resp.Body, limit+1))
	case http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusMovedPermanently,
		http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return nil, goneError("file_not_found")
	case http.StatusTooManyRequests:
		after, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return nil, &slack.RateLimitedError{RetryAfter: time.Duration(after) * time.Second}
	}
	return nil, slack.StatusCodeError{Code: resp.StatusCode, Status: resp.Status}
}
