package web

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

const fileUse = "file " + FilesPath

// FileLink is a link to a kept file, for platforms that take no files from a
// bot. For thirty days whoever has it may fetch the file.
func (s *Server) FileLink(f chat.Attachment) (string, error) {
	id, err := strconv.ParseInt(f.ID, 10, 64)
	if err != nil {
		return "", errors.New("web: the file is not one of the record")
	}
	token, err := s.keys.seal(fileUse, id, s.o.Now().Add(fileFor))
	if err != nil {
		return "", err
	}
	name := strings.Trim(strings.ReplaceAll(f.Name, "/", "_"), ".")
	if name == "" {
		name = "file"
	}
	return s.base.String() + FilesPath + token + "/" + url.PathEscape(name), nil
}

// file sends a file to be kept, never to be shown: it is somebody else's, and
// in the desk's name.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	var id int64
	var f storage.File
	if s.linked(w, r, fileUse, &id, func(tx *storage.Tx) (err error) {
		f, err = tx.KeptFile(r.Context(), storage.FileID(id))
		return err
	}, page{Title: "This file is not here",
		Lines: []string{"The link is older than 30 days, or whoever sent the file has taken it back.", "Ask for it in the ticket's thread."}}) {
		send(w, r, harmless(f.MIME), disposition(f.Name), f.Data)
	}
}

// linked opens the link of the request and reads what it leads to. If that is
// not to be had, it answers itself, with gone where the link is no longer good.
func (s *Server) linked(w http.ResponseWriter, r *http.Request, use string, link any, read func(*storage.Tx) error, gone page) bool {
	err := s.keys.open(r.Context(), use, r.PathValue("link"), link)
	if err == nil {
		err = s.o.DB.View(r.Context(), read)
	}
	switch {
	case errors.Is(err, errBadToken), errors.Is(err, errExpired), errors.Is(err, storage.ErrNotFound):
		s.page(w, r, http.StatusNotFound, gone)
	case err != nil:
		s.trouble(w, r, err)
	}
	return err == nil
}

// send answers with what others have made: nothing in it may run in the desk's
// name.
func send(w http.ResponseWriter, r *http.Request, kind, disposition string, data []byte) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// harmless is a file's type if no browser would run it.
func harmless(kind string) string {
	t, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return "application/octet-stream"
	}
	switch major, minor, _ := strings.Cut(t, "/"); {
	case major == "image" && !strings.Contains(minor, "xml"), major == "audio", major == "video",
		t == "application/pdf", t == "application/zip", t == "text/plain", t == "text/csv":
		return t
	}
	return "application/octet-stream"
}

// disposition names a file for whoever saves it: in ASCII for the oldest, and
// as it is called (RFC 6266).
func disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\/%`, r) {
			return '_'
		}
		return r
	}, name)
	if strings.Trim(plain, "_. ") == "" {
		plain = "file"
	}
	full := strings.ReplaceAll(url.QueryEscape(strings.ToValidUTF8(name, "_")), "+", "%20")
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + full
}
