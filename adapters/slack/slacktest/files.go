package slacktest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// fileStore keeps uploads up to a number of bytes, the oldest dropped first. The
// workspace's lock guards it.
type fileStore struct {
	byID  map[string]*storedFile
	order []string
	bytes int64
}

type storedFile struct {
	File
	data    []byte
	arrived bool // bytes are here
	shared  bool // completed: anybody may see it
	want    int  // announced length
}

func (s *fileStore) init() { s.byID = map[string]*storedFile{} }

func (w *Workspace) addFile(f *storedFile) {
	s := &w.files
	s.byID[f.ID] = f
	s.order = append(s.order, f.ID)
	w.countFile(len(f.data))
}

// countFile makes room for what has been added.
func (w *Workspace) countFile(n int) {
	s := &w.files
	s.bytes += int64(n)
	for s.bytes > w.keepFiles && len(s.order) > 1 {
		old := s.byID[s.order[0]]
		s.bytes -= int64(len(old.data))
		delete(s.byID, old.ID)
		s.order = s.order[1:]
	}
}

// newFile describes a file; see docs.slack.dev/reference/objects/file-object.
func (w *Workspace) newFile(name, user string) File {
	id := w.newID("F")
	ext := strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")
	kind := mime.TypeByExtension("." + ext)
	if kind == "" {
		kind = "application/octet-stream"
	}
	kind, _, _ = strings.Cut(kind, ";")
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
	link := w.url + "/files/" + id + "/" + safe
	return File{
		ID: id, Name: name, Title: name, Mimetype: kind, Filetype: ext, User: user, Created: w.now().Unix(),
		Mode: "hosted", URLPrivate: link, Download: link + "?download=1",
		Permalink: "https://" + w.team.Domain + ".slack.com/files/" + user + "/" + id,
	}
}

// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
func (w *Workspace) apiUploadURL(r *request) (any, error) {
	name := r.str("filename")
	length, err := strconv.Atoi(r.str("length"))
	if name == "" || err != nil || length <= 0 {
		return nil, &APIError{Code: "invalid_arguments", Messages: []string{"[ERROR] missing required field: filename or length"}}
	}
	if int64(length) > w.keepFiles {
		return nil, &APIError{Code: "file_upload_size_restricted"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &storedFile{File: w.newFile(name, w.app.BotUserID), want: length}
	w.addFile(f)
	return map[string]any{"upload_url": w.url + "/upload/" + f.ID, "file_id": f.ID}, nil
}

// serveUpload takes the bytes, as a form with a file in it or bare; see
// docs.slack.dev/messaging/working-with-files#upload.
func (w *Workspace) serveUpload(rw http.ResponseWriter, r *http.Request) {
	var data []byte
	body := http.MaxBytesReader(rw, r.Body, w.keepFiles+1<<20)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var err error
	if kind == "multipart/form-data" {
		r.Body = body
		var part io.ReadCloser
		for _, field := range []string{"file", "filename"} {
			if part, _, err = r.FormFile(field); err == nil {
				data, err = io.ReadAll(part)
				part.Close()
				break
			}
		}
	} else {
		data, err = io.ReadAll(body)
	}
	if err != nil {
		http.Error(rw, "Bad Request", http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.files.byID[r.PathValue("id")]
	switch {
	case f == nil || f.arrived:
		http.Error(rw, "Not Found", http.StatusNotFound)
		return
	case len(data) != f.want:
		http.Error(rw, "the length is not the one announced", http.StatusBadRequest)
		return
	}
	f.data, f.arrived, f.Size = data, true, len(data)
	w.countFile(len(data))
	_, _ = io.WriteString(rw, "OK - "+strconv.Itoa(len(data)))
}

// https://docs.slack.dev/reference/methods/files.completeUploadExternal
func (w *Workspace) apiUploadComplete(r *request) (any, error) {
	var wanted []struct{ ID, Title string }
	if json.Unmarshal(r.raw("files"), &wanted) != nil || len(wanted) == 0 {
		return nil, &APIError{Code: "invalid_arguments", Messages: []string{"[ERROR] missing required field: files"}}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var files []*storedFile
	for _, x := range wanted {
		f := w.files.byID[x.ID]
		if f == nil || !f.arrived || f.shared {
			return nil, &APIError{Code: "file_not_found"}
		}
		files = append(files, f)
	}
	channels := r.list("channels")
	if id := r.str("channel_id"); id != "" {
		channels = []string{id}
	}
	var to []*conversation
	for _, id := range channels {
		c, err := w.writable(id)
		if err != nil {
			return nil, err
		}
		if err := c.thread(r.str("thread_ts")); err != nil {
			return nil, err
		}
		to = append(to, c)
	}
	answer := make([]File, len(files))
	for i, f := range files {
		if wanted[i].Title != "" {
			f.Title = wanted[i].Title
		}
		f.shared = true
		for _, c := range to {
			f.Channels = append(slices.Clone(f.Channels), c.ID)
		}
		answer[i] = f.File
	}
	for _, c := range to {
		m := w.botMessage(content{text: appText(r.str("initial_comment"))})
		m.Subtype, m.ThreadTS, m.Files = "file_share", r.str("thread_ts"), slices.Clone(answer)
		w.post(c, m)
		w.stats.posted++
	}
	return map[string]any{"files": answer}, nil
}

// https://docs.slack.dev/reference/methods/files.info
func (w *Workspace) apiFileInfo(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.files.byID[r.str("file")]
	if f == nil || !f.shared {
		return nil, &APIError{Code: "file_not_found"}
	}
	return map[string]any{
		"file": f.File, "comments": []any{}, "response_metadata": map[string]any{"next_cursor": ""},
	}, nil
}

// serveFile gives a file to who has the bot's token and files:read. Slack answers
// others with its sign-in page.
func (w *Workspace) serveFile(rw http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != w.app.BotToken || !w.scopes["files:read"] {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(rw, "<!DOCTYPE html><html><body>Sign in to Slack</body></html>")
		return
	}
	f, data, ok := w.FileData(r.PathValue("id"))
	if !ok {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", f.Mimetype)
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	if r.URL.Query().Has("download") {
		rw.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	}
	_, _ = rw.Write(data)
}

// FileData is a file with its bytes, for a client that shows it to people.
func (w *Workspace) FileData(id string) (File, []byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.files.byID[id]
	if f == nil || !f.arrived {
		return File{}, nil, false
	}
	return f.File, f.data, true
}
