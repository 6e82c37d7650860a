package teamstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

func (t *Tenant) routes() http.Handler {
	mux := http.NewServeMux()
	t.loginRoutes(mux)
	t.graphRoutes(mux)
	for pattern, h := range map[string]struct {
		op string
		f  func(*request)
	}{
		"POST /emea/v3/conversations":                                {"create", t.serveCreate},
		"POST /emea/v3/conversations/{conv}/activities":              {"send", t.serveSend},
		"POST /emea/v3/conversations/{conv}/activities/{id}":         {"reply", t.serveSend},
		"PUT /emea/v3/conversations/{conv}/activities/{id}":          {"update", t.serveUpdate},
		"DELETE /emea/v3/conversations/{conv}/activities/{id}":       {"delete", t.serveDelete},
		"GET /emea/v3/conversations/{conv}/members":                  {"members", t.serveMembers},
		"GET /emea/v3/conversations/{conv}/activities/{act}/members": {"members", t.serveMembers},
		"GET /emea/v3/conversations/{conv}/members/{id}":             {"member", t.serveMember},
		"GET /emea/v3/conversations/{conv}/pagedmembers":             {"pagedMembers", t.servePagedMembers},
		"GET /emea/v3/teams/{id}":                                    {"team", t.serveTeam},
		"GET /emea/v3/teams/{id}/conversations":                      {"teamChannels", t.serveTeamChannels},
		"GET /emea/v3/attachments/{id}":                              {"attachment", t.serveAttachmentInfo},
		"GET /emea/v3/attachments/{id}/views/{view}":                 {"attachment", t.serveAttachment},
	} {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) { t.serve(rw, r, h.op, h.f) })
	}
	mux.HandleFunc("GET /files/{key}/{name}", t.serveFile)
	mux.HandleFunc("PUT /uploads/{key}", t.serveUpload)
	mux.HandleFunc("/", func(rw http.ResponseWriter, _ *http.Request) {
		w := reply{header: rw.Header()}
		w.page(http.StatusNotFound)
		w.send(rw)
	})
	return mux
}

// A request is a call of the connector with a right token.
type request struct {
	*reply
	http *http.Request
	call *Call
	body map[string]any
}

// maxBody is more than any message that Teams takes; pictures in it count
// otherwise.
const maxBody = 16 << 20

// maxMessage bounds a message as UTF-16, without pictures in it; page "Format
// your bot messages".
const maxMessage = 100 << 10

// serve carries out one call of the connector: token, limits, body, work.
func (t *Tenant) serve(rw http.ResponseWriter, r *http.Request, op string, f func(*request)) {
	conv, _, _ := strings.Cut(r.PathValue("conv"), ";")
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return
	}
	parsed, jsonErr := decode(body)
	fields, _ := parsed.(map[string]any)
	call, w, done := t.beginWith(rw, r, op, cmp.Or(conv, channelOf(fields)), r.PathValue("id"), fields)
	defer done()
	if w == nil {
		return
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || !t.login.known(token, botAudience, t.now()) {
		call.Error = "Unauthorized"
		w.json(http.StatusUnauthorized, map[string]string{"message": "Authorization has been denied for this request."})
		return
	}
	t.mu.Lock()
	wait := t.pacing.take(op, call.Channel, t.now())
	t.mu.Unlock()
	req := &request{w, r, call, fields}
	switch {
	case wait > 0:
		w.throttle(wait)
		call.Error = "Throttled"
	case len(body) > maxBody || r.Method != http.MethodGet && utf16Size(parsed) > maxMessage:
		call.Error = "MessageSizeTooBig"
		w.page(http.StatusRequestEntityTooLarge)
	case (r.Method == http.MethodPost || r.Method == http.MethodPut) && (jsonErr != nil || fields == nil):
		req.refuse(http.StatusBadRequest, "BadSyntax", fmt.Sprintf("The body %v.", cmp.Or(jsonErr, fmt.Errorf("is not an object"))))
	default:
		f(req)
	}
}

func channelOf(body map[string]any) string {
	data, _ := body["channelData"].(map[string]any)
	ch, _ := data["channel"].(map[string]any)
	id, _ := ch["id"].(string)
	return id
}

// utf16Size is how much of a message counts: all text in it as UTF-16 and its keys, but
// no pictures.
func utf16Size(v any) int {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "data:image/") {
			return 0
		}
		return 2 * len(utf16.Encode([]rune(v)))
	case map[string]any:
		n := 0
		for k, v := range v {
			n += 2*len(k) + utf16Size(v)
		}
		return n
	case []any:
		n := 0
		for _, v := range v {
			n += utf16Size(v)
		}
		return n
	}
	return 8
}

// OnCall is asked before each call what goes wrong with it. Nil takes it away. It
// must not call the tenant.
func (t *Tenant) OnCall(f func(Call) Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onCall = f
}

// FailNext makes the next calls of this operation fail, each as its fault says.
// An empty operation is the next call of any of the connector's.
func (t *Tenant) FailNext(op string, faults ...Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failNext[op] = append(t.failNext[op], faults...)
}

// Share is an OnCall that lets the fault happen to this share of the calls of
// these operations, or of all, in the same order in every run.
func Share(share float64, f Fault, ops ...string) func(Call) Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	return func(c Call) Fault {
		if len(ops) > 0 && !slices.Contains(ops, c.Op) {
			return Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		if random.Float64() < share {
			return f
		}
		return Fault{}
	}
}

// Calls are the last calls, oldest first, if Options.Record is set.
func (t *Tenant) Calls() []Call { return t.calls.all() }

func (t *Tenant) begin(rw http.ResponseWriter, r *http.Request, op, channel, id string) (*Call, *reply, func()) {
	return t.beginWith(rw, r, op, channel, id, nil)
}

// beginWith counts a call and lets happen what goes wrong with it. If the reply
// is nil it has been answered. done must be called in any case.
func (t *Tenant) beginWith(rw http.ResponseWriter, r *http.Request, op, channel, id string, body map[string]any) (*Call, *reply, func()) {
	t.mu.Lock()
	t.stats.calls[op]++
	t.stats.busy++
	call := &Call{N: t.stats.calls[op], Op: op, Channel: channel, ID: id, Body: body, At: t.now(), Correlation: r.Header.Get("X-Correlation-ID")}
	f := t.fault(*call)
	t.mu.Unlock()
	w := &reply{header: http.Header{}}
	begun := time.Now()
	done := func() {
		defer func() {
			call.Took = time.Since(begun)
			t.end(call, w.status)
		}()
		switch {
		case f.Lose:
			call.Error = "connection cut"
			if c, _, err := http.NewResponseController(rw).Hijack(); err == nil {
				c.Close()
			}
		case f.After != 0 && w.status < 300:
			w.header, w.body = http.Header{}, nil
			w.fail(f.After, 0)
			call.Error = strconv.Itoa(f.After)
			w.send(rw)
		case w.status != 0:
			w.send(rw)
		}
	}
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
	}
	switch {
	case f.Hang:
		// While its body is not read nobody notices that the client has gone.
		_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxBody))
		select {
		case <-r.Context().Done():
		case <-t.ctx.Done():
		}
		call.Error = "never answered"
		return call, nil, done
	case f.RetryAfter > 0 || f.Status != 0:
		w.fail(cmp.Or(f.Status, http.StatusTooManyRequests), f.RetryAfter)
		call.Error = strconv.Itoa(w.status)
		f.Lose, f.After = false, 0
		return call, nil, done
	}
	return call, w, done
}

func (t *Tenant) fault(c Call) Fault {
	for _, op := range []string{c.Op, ""} {
		if op == "" && slices.Contains([]string{"token", "keys", "metadata", "ssoKeys", "ssoMetadata", opChannelMessages, opReplies, opChatMessages}, c.Op) {
			continue
		}
		if list := t.failNext[op]; len(list) > 0 {
			t.failNext[op] = list[1:]
			return list[0]
		}
	}
	if t.onCall != nil {
		return t.onCall(c)
	}
	return Fault{}
}

func (t *Tenant) end(call *Call, status int) {
	call.Status = status
	t.calls.add(*call)
	t.mu.Lock()
	defer t.mu.Unlock()
	if call.Error != "" {
		t.stats.errors[call.Error]++
	}
	t.stats.busy--
	if t.stats.busy == 0 {
		t.changes.wake()
	}
}

// A reply is an answer that is not on its way yet.
type reply struct {
	header http.Header
	status int
	body   []byte
}

func (w *reply) Header() http.Header { return w.header }

func (w *reply) json(status int, v any) {
	w.status, w.body = status, mustJSON(v)
	w.header.Set("Content-Type", "application/json; charset=utf-8")
}

// page is an answer of what stands before the service: HTML.
func (w *reply) page(status int) {
	w.status = status
	w.header.Set("Content-Type", "text/html; charset=utf-8")
	w.body = fmt.Appendf(nil, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>%s</pre>\n</body>\n</html>\n", http.StatusText(status))
}

func (w *reply) throttle(wait time.Duration) {
	w.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	w.json(http.StatusTooManyRequests, errorBody("Throttled", "Too many requests."))
}

// fail answers as Teams does when it fails: page "Send proactive messages",
// "Status code responses". 502 and 504 come from what stands before it.
func (w *reply) fail(status int, retryAfter time.Duration) {
	switch status {
	case http.StatusTooManyRequests:
		w.throttle(max(time.Second, retryAfter))
	case http.StatusPreconditionFailed:
		w.json(status, errorBody("PreconditionFailed", "Precondition failed, please try again."))
	case http.StatusInternalServerError:
		w.json(status, errorBody("ServiceError", "Unknown service error."))
	default:
		w.page(status)
	}
}

func (w *reply) send(rw http.ResponseWriter) {
	for k, v := range w.header {
		rw.Header()[k] = v
	}
	rw.WriteHeader(w.status)
	_, _ = rw.Write(w.body) // the app may be gone
}

func errorBody(code, message string) map[string]any {
	return map[string]any{"error": map[string]string{"code": code, "message": message}}
}

// refuse answers with Teams' error JSON.
func (r *request) refuse(status int, code, message string) {
	r.call.Error = code
	r.json(status, errorBody(code, message))
}

// text is a string of the body, or "".
func text(m map[string]any, keys ...string) string {
	for _, k := range keys[:len(keys)-1] {
		m, _ = m[k].(map[string]any)
	}
	s, _ := m[keys[len(keys)-1]].(string)
	return s
}

// raw writes a value as people would: a card's bytes count.
func raw(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("teamstest: " + err.Error()) // only what was decoded is given
	}
	return bytes.TrimSpace(b.Bytes())
}
