package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

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
func (a *Adapter) Fetch(ctx context.Context, f chat.File, limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, tooBig(f, limit)
	}
	if !a.slackURL(f.URL) {
		return nil, fmt.Errorf("slack: the file %q is not kept by Slack: %w", f.Name, chat.ErrGone)
	}
	into := &limited{limit: limit}
	err := a.call(ctx, "download", repeatable, func(ctx context.Context) error {
		return a.api.GetFileContext(ctx, f.URL, into)
	})
	if errors.Is(err, errTooBig) {
		return nil, tooBig(f, limit)
	}
	if err != nil {
		return nil, err
	}
	return into.kept, nil
}

func tooBig(f chat.File, limit int64) error {
	return &chat.RefusedError{Reason: fmt.Sprintf("the file %q is larger than %d bytes", f.Name, limit)}
}

var errTooBig = errors.New("larger than allowed")

// limited keeps what is written to it, up to limit bytes.
type limited struct {
	kept  []byte
	limit int64
}

func (l *limited) Write(p []byte) (int, error) {
	if int64(len(l.kept)+len(p)) > l.limit {
		return 0, errTooBig
	}
	l.kept = append(l.kept, p...)
	return len(p), nil
}
