package teamstest

import (
	"cmp"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// fileStore keeps what people attached and the app uploaded, the newest so many
// bytes of it. The tenant's lock guards it.
type fileStore struct {
	keep, bytes int64
	byID        map[string]*storedFile
	order       []string
}

type storedFile struct {
	ID, Name, Type string
	Data           []byte
	Image          bool // served by the connector, to the app alone
	Waiting        bool // the app may upload it
}

func (s *fileStore) add(f *storedFile) {
	s.byID[f.ID] = f
	s.order = append(s.order, f.ID)
	s.bytes += int64(len(f.Data))
	for s.bytes > s.keep && len(s.order) > 1 {
		old := s.byID[s.order[0]]
		s.bytes -= int64(len(old.Data))
		delete(s.byID, old.ID)
		s.order = s.order[1:]
	}
}

func (t *Tenant) keepFile(up Upload, image bool) *storedFile {
	kind := cmp.Or(up.Type, mime.TypeByExtension(path.Ext(up.Name)), "application/octet-stream")
	f := &storedFile{ID: t.newID("file"), Name: cmp.Or(up.Name, "image.png"), Type: kind, Data: up.Data, Image: image}
	t.files.add(f)
	return f
}

// extension is what Teams calls the type of a file.
func extension(name string) string { return strings.TrimPrefix(path.Ext(name), ".") }

// serveAttachmentInfo and serveAttachment: pasted images are under the service
// URL and need the app's token; page "Send and receive files", "Fetch inline
// images from message".
func (t *Tenant) serveAttachmentInfo(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.files.byID[r.http.PathValue("id")]
	if f == nil || !f.Image {
		r.refuse(http.StatusNotFound, "AttachmentNotFound", "The attachment was not found.")
		return
	}
	r.json(http.StatusOK, map[string]any{
		"name": f.Name, "type": f.Type, "views": []any{map[string]any{"viewId": "original", "size": len(f.Data)}},
	})
}

func (t *Tenant) serveAttachment(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.files.byID[r.http.PathValue("id")]
	if f == nil || !f.Image || r.http.PathValue("view") != "original" {
		r.refuse(http.StatusNotFound, "AttachmentNotFound", "The attachment was not found.")
		return
	}
	r.header.Set("Content-Type", f.Type)
	r.reply.status, r.reply.body = http.StatusOK, f.Data
}

// serveFile is OneDrive: the address itself is the permission.
func (t *Tenant) serveFile(rw http.ResponseWriter, r *http.Request) {
	_, w, done := t.begin(rw, r, "file", "", r.PathValue("key"))
	defer done()
	if w == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.files.byID[r.PathValue("key")]
	if f == nil || f.Image || f.Waiting {
		w.page(http.StatusNotFound)
		return
	}
	w.header.Set("Content-Type", f.Type)
	w.header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	w.header.Set("Content-Length", strconv.Itoa(len(f.Data)))
	w.status, w.body = http.StatusOK, f.Data
}

// serveUpload takes a file that a person has consented to; page "Send and
// receive files", "Upload files to personal chat".
func (t *Tenant) serveUpload(rw http.ResponseWriter, r *http.Request) {
	call, w, done := t.begin(rw, r, "upload", "", r.PathValue("key"))
	defer done()
	if w == nil {
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 100<<20))
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.files.byID[r.PathValue("key")]
	var big *http.MaxBytesError
	switch {
	case f == nil || !f.Waiting:
		call.Error = "itemNotFound"
		w.json(http.StatusNotFound, errorBody("itemNotFound", "The upload session was not found."))
	case errors.As(err, &big):
		w.json(http.StatusRequestEntityTooLarge, errorBody("tooLarge", "The file is too large."))
	case err != nil:
		call.Error = "connection cut"
	case len(data) > 0 && r.Header.Get("Content-Range") != "bytes 0-"+strconv.Itoa(len(data)-1)+"/"+strconv.Itoa(len(data)):
		call.Error = "invalidRange"
		w.json(http.StatusBadRequest, errorBody("invalidRange", "Content-Range has to name the whole file."))
	default:
		f.Data, f.Waiting = data, false
		t.files.bytes += int64(len(data))
		w.json(http.StatusCreated, map[string]any{"id": f.ID, "name": f.Name, "size": len(data)})
	}
}

// rebase moves every address in what is kept from where Teams was served to
// where it is.
func (t *Tenant) rebase(url string) {
	was := t.url
	t.url = url
	if was == "" || was == url {
		return
	}
	for _, c := range t.convs {
		for i, m := range c.msgs {
			if len(m.Attachments) == 0 {
				continue
			}
			is := *m
			is.Attachments = nil
			for _, a := range m.Attachments {
				a.ContentURL = strings.Replace(a.ContentURL, was, url, 1)
				if a.ContentType != adaptiveType && len(a.Content) > 0 {
					a.Content = []byte(strings.ReplaceAll(string(a.Content), was, url))
				}
				is.Attachments = append(is.Attachments, a)
			}
			c.msgs[i] = &is
		}
	}
}
