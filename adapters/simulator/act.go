package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

const (
	mostJSON  = 1 << 20  // bytes of an action
	mostFiles = 32 << 20 // bytes of a message with its files
	maxFiles  = 10
)

// badRequest is a request that the page itself would not make.
type badRequest struct {
	status int
	words  string
}

func (e *badRequest) Error() string { return e.words }

func bad(format string, args ...any) error {
	return &badRequest{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// act answers a POST: it decodes the body strictly into T, has f do it as the
// person that the request is made as, and writes what f returns, or 204.
func act[P, T any](s *Simulator, who func(as string) (P, error), f func(p P, in T) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := who(r.URL.Query().Get("as"))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		var in T
		if err := decode(http.MaxBytesReader(w, r.Body, mostJSON), &in); err != nil {
			s.fail(w, r, err)
			return
		}
		out, err := f(p, in)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, r, out)
	})
}

func decode(body io.Reader, to any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return err
		}
		return bad("That is not a request that this page makes: %v.", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return bad("That is more than one request.")
	}
	return nil
}

// at names a message.
type at struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

type inEdit struct {
	at
	Text string `json:"text"`
}

func edit(p *slacktest.Person, in inEdit) (any, error) {
	return nil, p.Edit(in.Channel, in.TS, in.Text)
}

func remove(p *slacktest.Person, in at) (any, error) { return nil, p.Delete(in.Channel, in.TS) }

func dismiss(p *slacktest.Person, in at) (any, error) { return nil, p.Dismiss(in.Channel, in.TS) }

type inReact struct {
	at
	Emoji string `json:"emoji"`
}

func react(p *slacktest.Person, in inReact) (any, error) {
	return nil, p.React(in.Channel, in.TS, in.Emoji)
}

func unreact(p *slacktest.Person, in inReact) (any, error) {
	return nil, p.Unreact(in.Channel, in.TS, in.Emoji)
}

// inAct is a press, a choice or an entry in a message or view.
type inAct struct {
	at
	View   string   `json:"view"`
	Block  string   `json:"block"`
	Action string   `json:"action"`
	Values []string `json:"values"`
}

func (in inAct) act() slacktest.Act {
	return slacktest.Act{Channel: in.Channel, TS: in.TS, View: in.View, Block: in.Block, Action: in.Action, Values: in.Values}
}

func press(p *slacktest.Person, in inAct) (any, error) { return nil, p.Act(in.act()) }

type inSuggest struct {
	inAct
	Typed string `json:"typed"`
}

func suggest(p *slacktest.Person, in inSuggest) (any, error) {
	options, err := p.Suggest(in.act(), in.Typed)
	if err != nil {
		return nil, err
	}
	return map[string]any{"options": orEmpty(options)}, nil
}

type inShortcut struct {
	at
	Callback string `json:"callback"`
}

func shortcut(p *slacktest.Person, in inShortcut) (any, error) { return nil, p.Shortcut(in.Callback) }

func messageShortcut(p *slacktest.Person, in inShortcut) (any, error) {
	return nil, p.MessageShortcut(in.Callback, in.Channel, in.TS)
}

type inCommand struct {
	Channel string `json:"channel"`
	Command string `json:"command"`
	Text    string `json:"text"`
}

func command(p *slacktest.Person, in inCommand) (any, error) {
	return nil, p.Command(in.Channel, in.Command, in.Text)
}

type inView struct {
	View string `json:"view"`
	All  bool   `json:"all"`
}

func submit(p *slacktest.Person, in inView) (any, error) {
	refused, err := p.Submit(in.View)
	if err != nil {
		return nil, err
	}
	return map[string]any{"refused": refused}, nil
}

func closeView(p *slacktest.Person, in inView) (any, error) {
	return nil, p.CloseView(in.View, in.All)
}

func openHome(p *slacktest.Person, _ struct{}) (any, error) { return nil, p.OpenHome() }

type inDM struct {
	With []string `json:"with"` // nobody is the app
}

func openDM(p *slacktest.Person, in inDM) (any, error) {
	open := p.DM
	if len(in.With) > 0 {
		open = func() (string, error) { return p.OpenDM(in.With...) }
	}
	id, err := open()
	if err != nil {
		return nil, err
	}
	return map[string]string{"channel": id}, nil
}

func join(p *slacktest.Person, in at) (any, error) { return nil, p.Join(in.Channel) }

func markRead(p *slacktest.Person, in at) (any, error) { return nil, p.MarkRead(in.Channel, in.TS) }

// say posts a message with its files, as a multipart form.
func (s *Simulator) say(w http.ResponseWriter, r *http.Request) {
	p, form, err := form(w, r, s.person)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer form.RemoveAll()
	get := func(name string) string { return value(form, name) }
	post := slacktest.Post{Channel: get("channel"), Thread: get("thread"), Broadcast: get("broadcast") == "true", Text: get("text")}
	files, err := uploads(form)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, f := range files {
		post.Files = append(post.Files, slacktest.Upload(f))
	}
	if strings.TrimSpace(post.Text) == "" && len(post.Files) == 0 {
		s.fail(w, r, bad("There is nothing to send."))
		return
	}
	m, err := p.Say(post)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, at{m.Channel, m.TS})
}

// upload brings in one file for a field of a form.
func (s *Simulator) upload(w http.ResponseWriter, r *http.Request) {
	p, form, err := form(w, r, s.person)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer form.RemoveAll()
	files, err := uploads(form)
	if err == nil && len(files) != 1 {
		err = bad("One file at a time.")
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	f, err := p.Upload(slacktest.Upload(files[0]))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, map[string]string{"id": f.ID, "name": f.Name})
}

func form[P any](w http.ResponseWriter, r *http.Request, who func(as string) (P, error)) (p P, sent *multipart.Form, err error) {
	if p, err = who(r.URL.Query().Get("as")); err != nil {
		return p, nil, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostFiles)
	if err := r.ParseMultipartForm(mostFiles); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return p, nil, err
		}
		return p, nil, bad("That is not a form that this page sends.")
	}
	return p, r.MultipartForm, nil
}

func value(form *multipart.Form, name string) string {
	if v := form.Value[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// upload is a file on its way to either double.
type upload struct {
	Name string
	Type string
	Data []byte
}

func uploads(form *multipart.Form) ([]upload, error) {
	heads := form.File["file"]
	if len(heads) > maxFiles {
		return nil, bad("At most %d files go with one message.", maxFiles)
	}
	var files []upload
	for _, head := range heads {
		f, err := head.Open()
		if err != nil {
			return nil, fmt.Errorf("open upload: %w", err)
		}
		data, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read upload: %w", err)
		}
		files = append(files, upload{Name: head.Filename, Type: head.Header.Get("Content-Type"), Data: data})
	}
	return files, nil
}

func (s *Simulator) answer(w http.ResponseWriter, r *http.Request, v any) {
	if v == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		s.fail(w, r, fmt.Errorf("encode answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(body) // an error here is a window that has gone
}

// fail turns an error into a status and words for the person.
func (s *Simulator) fail(w http.ResponseWriter, r *http.Request, err error) {
	var (
		request  *badRequest
		tooLarge *http.MaxBytesError
		app      *slacktest.AppError
		api      *slacktest.APIError
		teamsApp *teamstest.AppError
	)
	switch {
	case errors.As(err, &request):
		refuse(w, request.status, request.words, "")
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("That is too large: %d MB is the most.", tooLarge.Limit>>20), "")
	case errors.As(err, &app):
		refuse(w, http.StatusBadGateway, app.Notice.Text, app.Notice.Code)
	case errors.As(err, &teamsApp):
		refuse(w, http.StatusBadGateway, teamsApp.Notice.Text, teamsApp.Notice.Code)
	case errors.As(err, &api):
		refuse(w, http.StatusConflict, "That was refused: "+strings.ReplaceAll(api.Code, "_", " ")+".", api.Code)
	case errors.Is(err, slacktest.ErrRefused), errors.Is(err, teamstest.ErrRefused):
		refuse(w, http.StatusConflict, sentence(err), "")
	default:
		s.log.Error("the simulator failed", "path", r.URL.Path, "err", err)
		refuse(w, http.StatusInternalServerError, "Something went wrong in the simulator.", "")
	}
}

// sentence writes an error of the double as it is shown.
func sentence(err error) string {
	words := strings.TrimPrefix(err.Error(), "slacktest: ")
	for _, refused := range []error{slacktest.ErrRefused, teamstest.ErrRefused} {
		words = strings.TrimPrefix(words, refused.Error()+": ")
	}
	first, n := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[n:] + "."
}

func refuse(w http.ResponseWriter, status int, words, code string) {
	body, err := json.Marshal(map[string]string{"error": words, "code": code})
	if err != nil {
		panic("simulator: " + err.Error()) // two strings
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body)
}
