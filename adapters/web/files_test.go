package web_test

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func attachment(id, name string) chat.Attachment { return chat.Attachment{ID: id, Name: name} }

// keep puts a file on record, which came with a message of the ticket (0: of
// none yet).
func (w *world) keep(of ticket.ID, state storage.FileState, name, kind, data string) (f chat.Attachment) {
	w.t.Helper()
	err := w.db.InTx(w.t.Context(), func(tx *storage.Tx) error {
		ctx := context.WithoutCancel(w.t.Context())
		who, _, err := tx.Actor(ctx, ana.Platform, ana.Workspace, ana.ID)
		if err != nil {
			return err
		}
		m, _, err := tx.AddMessage(ctx, storage.Message{Ticket: of, Author: who.ID, Body: "see", Side: storage.RequesterSide, SaidAt: w.now(),
			Platform: "teams", Workspace: tenant, Channel: "c", External: fmt.Sprint(w.now().UnixNano())}, "test")
		if err != nil {
			return err
		}
		id, err := tx.AddFile(ctx, storage.File{Message: m.ID, Name: name, MIME: kind, Size: int64(len(data)), Source: []byte(`{}`), State: storage.FileWanted})
		if err != nil {
			return err
		}
		f = attachment(strconv.FormatInt(int64(id), 10), name)
		if state == storage.FileWanted {
			return nil
		}
		bytes := []byte(data)
		if state != storage.FileKept {
			bytes = nil
		}
		_, err = tx.KeepFile(ctx, id, state, bytes)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// fetch follows the link to a file.
func (w *world) fetch(f chat.Attachment, head ...string) answer {
	w.t.Helper()
	link, err := w.pages.FileLink(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.visitor().get(strings.TrimPrefix(link, w.server.URL), head...)
}

func TestFilesAreSentToBeKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	openTicket(t, w.as(ana), "No sound")
	tests := []struct{ name, mime, wantType string }{
		{"screen.png", "image/png", "image/png"},
		{"notes.txt", "text/plain; charset=utf-8", "text/plain"},
		{"page.html", "text/html", "application/octet-stream"},
		{"drawing.svg", "image/svg+xml", "application/octet-stream"},
		{"script.js", "text/javascript", "application/octet-stream"},
		{"odd", "not a type\r\nX-Evil: 1", "application/octet-stream"},
		{"", "", "application/octet-stream"},
		{`a "quoted" name; filename=evil.exe`, "application/pdf", "application/pdf"},
		{"Bericht für März.pdf", "application/pdf", "application/pdf"},
		{"صورة.png", "image/png", "image/png"},
		{"../../etc/passwd", "text/plain", "text/plain"},
		{"line\r\nbreak.txt", "text/plain", "text/plain"},
		{"50%.txt", "text/plain", "text/plain"},
		{"..", "text/plain", "text/plain"},
	}
	for _, tt := range tests {
		got := w.fetch(w.keep(1, storage.FileKept, tt.name, tt.mime, "<script>hello</script>")).want(t, 200, "<script>hello</script>")
		h := got.Header
		if h.Get("Content-Type") != tt.wantType || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Evil") != "" {
			t.Errorf("%q: %v", tt.name, h)
		}
		how, params, err := mime.ParseMediaType(h.Get("Content-Disposition"))
		if err != nil || how != "attachment" || params["filename"] != tt.name {
			t.Errorf("%q is sent as %q (%v)", tt.name, h.Get("Content-Disposition"), err)
		}
	}
	f := w.keep(1, storage.FileKept, "a.txt", "text/plain", "0123456789")
	if got := w.fetch(f, "Range", "bytes=2-4"); got.StatusCode != http.StatusPartialContent || got.body != "234" {
		t.Errorf("a part of it: %s %q", got.Status, got.body)
	}
	if got := w.fetch(w.keep(1, storage.FileKept, "empty.txt", "text/plain", "")); got.StatusCode != 200 || got.body != "" {
		t.Errorf("an empty file: %s %q", got.Status, got.body)
	}
}

func TestFilesThatAreNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	openTicket(t, w.as(ana), "No sound")
	deleted := w.keep(1, storage.FileKept, "taken back.txt", "text/plain", "x")
	w.exec(`update messages set deleted_at = now(), body = '' where id = (select message_id from files where id = ` + deleted.ID + `)`)
	for name, f := range map[string]chat.Attachment{
		"one never kept":            attachment("4711", "a.txt"),
		"one still to be fetched":   w.keep(1, storage.FileWanted, "a.txt", "text/plain", "x"),
		"one that was too big":      w.keep(1, storage.FileTooBig, "a.txt", "text/plain", "x"),
		"one of no ticket":          w.keep(0, storage.FileKept, "a.txt", "text/plain", "x"),
		"one that was taken back":   deleted,
		"one of a negative number":  attachment("-1", "a.txt"),
		"one of the largest number": attachment("9223372036854775807", "a.txt"),
	} {
		if got := w.fetch(f); got.StatusCode != http.StatusNotFound || !strings.Contains(got.body, "This file is not here") {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
	f := w.keep(1, storage.FileKept, "a.txt", "text/plain", "secret")
	page, err := w.pages.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a guess":         "/files/" + f.ID + "/a.txt",
		"a page's link":   "/files/" + page[strings.LastIndex(page, "/")+1:] + "/a.txt",
		"a session":       "/files/" + w.scripted(ana).session + "/a.txt",
		"nothing":         "/files/x/y",
		"a way out":       "/files/..%2f..%2fetc/passwd",
		"no name":         "/files/x/",
		"too many slopes": "/files/x/y/z",
	} {
		if got := w.visitor().get(path); got.StatusCode != http.StatusNotFound || strings.Contains(got.body, "secret") {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
	if link, err := w.pages.FileLink(attachment("", "a.txt")); err == nil {
		t.Errorf("a file that the record does not have has the link %s", link)
	}
}
