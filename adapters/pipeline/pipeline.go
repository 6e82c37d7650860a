// Package pipeline lets delivery pipelines ask for changes over HTTP: they raise
// one, wait for the verdict or are called back with it, and say how the run
// ended.
//
//	POST /api/changes              raise a change
//	GET  /api/changes/CHG-12       its verdict; ?wait=60s waits while there is none
//	POST /api/changes/CHG-12/result
//
// Who asks shows a token (RFC 6750). What is wrong is told as RFC 9457 has it,
// each field with a pointer to it. Asking twice with the same Idempotency-Key, or
// for the same run of the same repository, asks once.
//
// Callbacks are signed as Standard Webhooks has it: webhook-signature is "v1,"
// and the HMAC-SHA256 of "ID.TIMESTAMP.BODY" in Base64, by the secret that came
// with the token. A receiver refuses a webhook-timestamp that is more than five
// minutes away and a webhook-id that it has seen; of two verdicts of a change the
// one with the higher version counts. What is not answered with 2xx is sent
// again, later and later, for a day.
package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/storage"
)

// Path is what a Server is mounted at.
const Path = "/api/changes"

const (
	mostBody = 1 << 20 // bytes
	mostWait = time.Minute
)

// Options are what a Server is made of. DB and Desk are needed.
type Options struct {
	DB   *storage.DB
	Desk *bot.Desk

	// OnHandled is told after each commit, in which messages may have been
	// queued. It must not block.
	OnHandled func()
	Now       func() time.Time
	Log       *slog.Logger
}

// Server answers pipelines and calls them back. It is safe for use by many
// goroutines.
type Server struct {
	o     Options
	waits waits
	wake  chan struct{}
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if o.DB == nil || o.Desk == nil {
		return nil, errors.New("pipeline: need a database and a desk")
	}
	if o.OnHandled == nil {
		o.OnHandled = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	return &Server{o: o, wake: make(chan struct{}, 1), waits: waits{versions: o.Desk.ChangeVersions, of: map[int64][]waiter{}}}, nil
}

// Handler serves Path and what is below it.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, s.known(s.raise))
	mux.HandleFunc("GET "+Path+"/{ref}", s.known(s.show))
	mux.HandleFunc("POST "+Path+"/{ref}/result", s.known(s.result))
	return mux
}

// call is a request of somebody who has shown a token.
type call func(http.ResponseWriter, *http.Request, storage.Token) error

// known lets a call through that shows a token, and tells what is wrong with
// one that fails.
func (s *Server) known(do call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		kind, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(kind, "Bearer") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="deskhand"`)
			problem{Status: http.StatusUnauthorized, Detail: "Show a token: Authorization: Bearer deskhand_…"}.send(w)
			return
		}
		k, err := s.o.DB.Bearer(r.Context(), strings.TrimSpace(shown), s.o.Now())
		if errors.Is(err, storage.ErrNotFound) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="deskhand", error="invalid_token"`)
			problem{Status: http.StatusUnauthorized, Detail: "This token is not known, has expired or was revoked."}.send(w)
			return
		}
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, mostBody)
			err = do(w, r, k)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	}
}

// fail tells what is wrong.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if p, ok := errors.AsType[problem](err); ok {
		p.send(w)
		return
	}
	if fields, ok := errors.AsType[bot.FieldsError](err); ok {
		p := problem{Status: http.StatusUnprocessableEntity, Detail: "The change can't be raised or reported like this."}
		for _, f := range slices.Sorted(maps.Keys(fields)) {
			p.Errors = append(p.Errors, fieldProblem{"#/" + f, fields[f]})
		}
		p.send(w)
		return
	}
	if why, ok := errors.AsType[bot.RefusedError](err); ok {
		problem{Status: http.StatusConflict, Detail: string(why)}.send(w)
		return
	}
	switch {
	case errors.Is(err, bot.ErrNotAllowed):
		problem{Status: http.StatusForbidden, Detail: "This token is not for that. Make one with the scope raise."}.send(w)
	case errors.Is(err, bot.ErrKeyUsed):
		problem{Status: http.StatusUnprocessableEntity, Detail: "Something else was asked for with this key, or by this run. Ask with another Idempotency-Key."}.send(w)
	case errors.Is(err, storage.ErrNotFound):
		problem{Status: http.StatusNotFound, Detail: "There is no such change, or it is not this token's."}.send(w)
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil: // whoever asked has gone
	default:
		s.o.Log.WarnContext(r.Context(), "a pipeline could not be answered", "path", r.Pattern, "err", err)
		w.Header().Set("Retry-After", "5")
		problem{Status: http.StatusServiceUnavailable, Detail: "Something went wrong on this side. Nothing is lost; ask again in a moment with the same key."}.send(w)
	}
}

// problem is what is wrong, as in RFC 9457.
type problem struct {
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitempty"`
	Errors []fieldProblem `json:"errors,omitempty"`
}

type fieldProblem struct {
	Pointer string `json:"pointer"` // JSON Pointer as a URI fragment
	Detail  string `json:"detail"`
}

func (p problem) Error() string { return p.Detail }

func (p problem) send(w http.ResponseWriter) {
	p.Title = http.StatusText(p.Status)
	write(w, p.Status, "application/problem+json", p)
}

func write(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked may have gone
}

func (s *Server) raise(w http.ResponseWriter, r *http.Request, k storage.Token) error {
	body, err := read(r)
	if err != nil {
		return err
	}
	ask, err := decodeAsk(body)
	if err != nil {
		return err
	}
	switch key := strings.Trim(r.Header.Get("Idempotency-Key"), `" `); {
	case len(key) > 150:
		return problem{Status: http.StatusBadRequest, Detail: "The Idempotency-Key is longer than 150 characters."}
	case key != "":
		ask.Key = "key " + key
	case ask.Run != "":
		ask.Key = "run " + digest(ask.Repository, ask.Run)
	default:
		return problem{Status: http.StatusBadRequest, Detail: "Say which run this is, so that asking twice is asking once.",
			Errors: []fieldProblem{{"#/run", "Please name the run, or send an Idempotency-Key."}}}
	}
	v, raised, err := s.o.Desk.RaiseFor(r.Context(), k, ask)
	if err != nil {
		return err
	}
	s.o.OnHandled()
	status := http.StatusOK
	if raised {
		status = http.StatusCreated
		w.Header().Set("Location", Path+"/"+v.Change)
	}
	write(w, status, "application/json", v)
	return nil
}

var reference = regexp.MustCompile(`^(?i:CHG)-([1-9][0-9]{0,17})$`)

// number is which change a request is about.
func number(r *http.Request) (int64, error) {
	m := reference.FindStringSubmatch(r.PathValue("ref"))
	if m == nil {
		return 0, storage.ErrNotFound
	}
	return strconv.ParseInt(m[1], 10, 64)
}

func (s *Server) show(w http.ResponseWriter, r *http.Request, k storage.Token) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	var wait time.Duration
	if text := r.URL.Query().Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 {
			return problem{Status: http.StatusBadRequest, Detail: "wait is a time such as 60s."}
		}
		wait = min(wait, mostWait)
	}
	until := time.Now().Add(wait)
	if err := http.NewResponseController(w).SetWriteDeadline(until.Add(30 * time.Second)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	v, err := s.o.Desk.VerdictFor(r.Context(), k, n)
	for err == nil && v.Verdict == "waiting" && s.waits.changed(r.Context(), v.ID, v.Version, time.Until(until)) {
		v, err = s.o.Desk.VerdictFor(r.Context(), k, n)
	}
	if err != nil {
		return err
	}
	write(w, http.StatusOK, "application/json", v)
	return nil
}

func (s *Server) result(w http.ResponseWriter, r *http.Request, k storage.Token) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	body, err := read(r)
	if err != nil {
		return err
	}
	res, err := decodeResult(body)
	if err != nil {
		return err
	}
	v, err := s.o.Desk.ReportFor(r.Context(), k, n, res)
	if err != nil {
		return err
	}
	s.o.OnHandled()
	write(w, http.StatusOK, "application/json", v)
	return nil
}
