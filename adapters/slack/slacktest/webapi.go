package slacktest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A method of the Web API. Scope is what a bot token needs, the alternatives
// separated by commas: one of them is enough, and a method that looks at a
// conversation asks for the one of its kind. Tier is how many calls a minute are
// allowed; see docs.slack.dev/apis/web-api/rate-limits.
type method struct {
	scope string
	tier  int
	app   bool // wants the app-level token
	do    func(*Workspace, *request) (any, error)
}

// Tiers, in calls a minute. Methods with limits of their own are "special": they
// allow several hundred.
const (
	tier1, tier2, tier3, tier4, special = 1, 20, 50, 100, 600
)

const anyHistory = "channels:history,groups:history,mpim:history,im:history"
const anyRead = "channels:read,groups:read,mpim:read,im:read"

// methods is each method with the scopes and the tier of its page under
// docs.slack.dev/reference/methods.
var methods = map[string]method{
	"auth.test":                    {"", special, false, (*Workspace).apiAuthTest},
	"team.info":                    {"team:read", tier3, false, (*Workspace).apiTeamInfo},
	"bots.info":                    {"users:read", tier3, false, (*Workspace).apiBotInfo},
	"apps.connections.open":        {"connections:write", tier1, true, (*Workspace).apiConnectionsOpen},
	"chat.postMessage":             {"chat:write", special, false, (*Workspace).apiPostMessage},
	"chat.postEphemeral":           {"chat:write", tier4, false, (*Workspace).apiPostEphemeral},
	"chat.update":                  {"chat:write", tier3, false, (*Workspace).apiUpdate},
	"chat.delete":                  {"chat:write", tier3, false, (*Workspace).apiDelete},
	"chat.getPermalink":            {"", special, false, (*Workspace).apiPermalink},
	"conversations.open":           {"im:write,mpim:write", tier3, false, (*Workspace).apiOpen},
	"conversations.info":           {anyRead, tier3, false, (*Workspace).apiInfo},
	"conversations.list":           {anyRead, tier2, false, (*Workspace).apiList},
	"conversations.members":        {anyRead, tier4, false, (*Workspace).apiMembers},
	"conversations.join":           {"channels:join", tier3, false, (*Workspace).apiJoin},
	"conversations.leave":          {"channels:manage,groups:write", tier3, false, (*Workspace).apiLeave},
	"conversations.invite":         {"channels:manage,groups:write,channels:write.invites,groups:write.invites", tier3, false, (*Workspace).apiInvite},
	"conversations.create":         {"channels:manage,groups:write", tier2, false, (*Workspace).apiCreate},
	"conversations.history":        {anyHistory, tier3, false, (*Workspace).apiHistory},
	"conversations.replies":        {anyHistory, tier3, false, (*Workspace).apiReplies},
	"users.info":                   {"users:read", tier4, false, (*Workspace).apiUserInfo},
	"users.list":                   {"users:read", tier2, false, (*Workspace).apiUserList},
	"users.conversations":          {anyRead, tier3, false, (*Workspace).apiUserConversations},
	"users.lookupByEmail":          {"users:read.email", tier3, false, (*Workspace).apiLookup},
	"users.profile.get":            {"users.profile:read", tier4, false, (*Workspace).apiProfile},
	"views.open":                   {"", tier4, false, (*Workspace).apiViewsOpen},
	"views.push":                   {"", tier4, false, (*Workspace).apiViewsPush},
	"views.update":                 {"", tier4, false, (*Workspace).apiViewsUpdate},
	"views.publish":                {"", tier4, false, (*Workspace).apiViewsPublish},
	"reactions.add":                {"reactions:write", tier3, false, (*Workspace).apiReactionAdd},
	"reactions.remove":             {"reactions:write", tier2, false, (*Workspace).apiReactionRemove},
	"reactions.get":                {"reactions:read", tier3, false, (*Workspace).apiReactionGet},
	"files.getUploadURLExternal":   {"files:write", tier4, false, (*Workspace).apiUploadURL},
	"files.completeUploadExternal": {"files:write", tier4, false, (*Workspace).apiUploadComplete},
	"files.info":                   {"files:read", tier4, false, (*Workspace).apiFileInfo},
}

// defaultScopes is every scope known here except chat:write.public, with which an
// app may post where it has not been invited.
func defaultScopes() []string {
	known := set([]string{"commands", "chat:write.customize", "metadata.message:read", "app_mentions:read"})
	for _, m := range methods {
		if m.scope != "" && !m.app {
			maps.Copy(known, set(strings.Split(m.scope, ",")))
		}
	}
	for _, s := range eventScopes {
		if s != "" {
			known[s] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// A request is one call with its arguments, which come as a form, in the URL or as
// JSON.
type request struct {
	method string
	form   url.Values
	json   map[string]json.RawMessage
}

func (r *request) str(name string) string {
	if r.json == nil {
		return r.form.Get(name)
	}
	raw := r.json[name]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if len(raw) > 0 && (raw[0] >= '0' && raw[0] <= '9' || raw[0] == '-' || raw[0] == 't' || raw[0] == 'f') {
		return string(raw)
	}
	return ""
}

func (r *request) has(name string) bool {
	if r.json == nil {
		return r.form.Has(name)
	}
	raw, ok := r.json[name]
	return ok && string(raw) != "null"
}

// bool reads "true" and "1" as Slack does.
func (r *request) bool(name string) bool {
	s := r.str(name)
	return s == "true" || s == "1"
}

// int reads a number within bounds, or the default.
func (r *request) int(name string, def, most int) int {
	n, err := strconv.Atoi(r.str(name))
	if err != nil || n <= 0 {
		return def
	}
	return min(n, most)
}

// raw is an argument that is JSON itself. A string holding JSON is unpacked.
func (r *request) raw(name string) json.RawMessage {
	if r.json == nil {
		return json.RawMessage(r.form.Get(name))
	}
	raw := r.json[name]
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return json.RawMessage(s)
		}
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// list reads "a,b" or ["a","b"].
func (r *request) list(name string) []string {
	raw := r.raw(name)
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	return slices.DeleteFunc(strings.Split(r.str(name), ","), func(s string) bool { return s == "" })
}

func (r *request) args() map[string]any {
	m := map[string]any{}
	for k, v := range r.form {
		if k != "token" && len(v) > 0 {
			m[k] = v[0]
		}
	}
	for k, v := range r.json {
		var x any
		if json.Unmarshal(v, &x) == nil {
			m[k] = x
		}
	}
	return m
}

const maxBody = 4 << 20

// decode reads the arguments; see docs.slack.dev/apis/web-api#post-bodies. The
// error is Slack's code.
func decode(r *http.Request) (*request, string, error) {
	req := &request{method: r.PathValue("method"), form: r.URL.Query()}
	warning := ""
	if r.Method == http.MethodGet {
		return req, "", nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return req, "", &APIError{Code: "request_timeout"}
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		if len(body) > 0 {
			return req, "", &APIError{Code: "missing_post_type"}
		}
		return req, "", nil
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return req, "", &APIError{Code: "invalid_post_type"}
	}
	if cs := strings.ToLower(params["charset"]); cs != "" && cs != "utf-8" && cs != "iso-8859-1" {
		return req, "", &APIError{Code: "invalid_charset"}
	}
	switch kind {
	case "application/json":
		if params["charset"] == "" {
			warning = "missing_charset"
		}
		req.form = nil
		req.json = map[string]json.RawMessage{}
		if len(body) > 0 && json.Unmarshal(body, &req.json) != nil || req.json == nil {
			req.json = map[string]json.RawMessage{}
			return req, "", &APIError{Code: "invalid_json"}
		}
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return req, "", &APIError{Code: "invalid_form_data"}
		}
		for k, v := range req.form {
			if !form.Has(k) {
				form[k] = v
			}
		}
		req.form = form
	case "multipart/form-data":
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return req, "", &APIError{Code: "invalid_form_data"}
		}
		req.form = r.Form
	default:
		return req, "", &APIError{Code: "invalid_post_type"}
	}
	return req, warning, nil
}

func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	w.stats.busy.Add(1)
	defer w.notBusy()
	start := w.now()
	req, warning, err := decode(r)
	call := w.begin(req, start)
	fault := w.faultFor(&call)
	if fault.Delay > 0 || fault.Hang {
		wait := after(fault.Delay)
		if fault.Hang {
			wait = nil
		}
		select {
		case <-wait:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // the client has given up; nothing took effect
		case <-w.ctx.Done():
			panic(http.ErrAbortHandler)
		}
	}
	if fault.RetryAfter > 0 || fault.Status != 0 {
		w.fail(rw, call, fault.Status, fault.RetryAfter)
		return
	}
	if fault.Error != "" {
		err = &APIError{Code: fault.Error}
	}
	m, known := methods[req.method]
	if err == nil && !known {
		err = &APIError{Code: "unknown_method"}
	}
	if err == nil {
		err = w.authorize(m, req, r.Header.Get("Authorization"))
	}
	if err == nil {
		w.mu.Lock()
		wait := w.pacing.take(req.method, m.tier, req.str("channel"), w.now())
		w.mu.Unlock()
		if wait > 0 {
			w.fail(rw, call, http.StatusTooManyRequests, wait)
			return
		}
	}
	var result any
	if err == nil {
		result, err = m.do(w, req)
	}
	if fault.Lose {
		w.end(call, 0, "connection cut")
		panic(http.ErrAbortHandler)
	}
	body, code := encode(result, err, w.scopeList, warning)
	h := rw.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-OAuth-Scopes", w.scopeList)
	if m.scope != "" {
		h.Set("X-Accepted-OAuth-Scopes", m.scope)
	}
	w.end(call, http.StatusOK, code)
	_, _ = rw.Write(body) // a client that has gone away does not need it
}

func (w *Workspace) notBusy() {
	if w.stats.busy.Add(-1) == 0 {
		w.mu.Lock()
		w.changes.wake() // for Idle
		w.mu.Unlock()
	}
}

// fail answers with a bare HTTP status: 429 with Retry-After in whole seconds, or
// a page that is not JSON.
func (w *Workspace) fail(rw http.ResponseWriter, call Call, status int, retry time.Duration) {
	if retry > 0 {
		status = http.StatusTooManyRequests
	}
	if status == http.StatusTooManyRequests {
		rw.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(retry.Seconds())))))
		rw.Header().Set("Content-Type", "application/json; charset=utf-8")
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, `{"ok":false,"error":"ratelimited"}`)
		w.end(call, status, "ratelimited")
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, "<html><body>Server Error</body></html>")
	w.end(call, status, strconv.Itoa(status/100)+"xx")
}

// authorize checks the token and its scopes; see docs.slack.dev/authentication/tokens
// and the errors on each method's page.
func (w *Workspace) authorize(m method, r *request, header string) error {
	token, bearer := strings.CutPrefix(header, "Bearer ")
	if !bearer && r.form != nil {
		token = r.form.Get("token") // not in JSON bodies
	}
	want, other := w.app.BotToken, w.app.AppToken
	if m.app {
		want, other = other, want
	}
	switch {
	case token == "":
		return &APIError{Code: "not_authed"}
	case token == other && token != want:
		return &APIError{Code: "not_allowed_token_type"}
	case token != want:
		return &APIError{Code: "invalid_auth"}
	case m.scope == "" || m.app:
		return nil
	}
	for one := range strings.SplitSeq(m.scope, ",") {
		if w.scopes[one] {
			return nil
		}
	}
	return &APIError{Code: "missing_scope", Needed: m.scope}
}

// encode writes the answer; see docs.slack.dev/apis/web-api#responses.
func encode(result any, err error, provided, warning string) (body []byte, code string) {
	var refused *APIError
	switch {
	case errors.As(err, &refused):
		m := map[string]any{"ok": false, "error": refused.Code}
		if refused.Code == "missing_scope" {
			m["needed"], m["provided"] = refused.Needed, provided
		}
		if len(refused.Messages) > 0 {
			// Slack gives them twice: bare in errors, decorated in messages.
			m["response_metadata"] = map[string]any{"messages": refused.Messages}
			bare := make([]string, len(refused.Messages))
			for i, s := range refused.Messages {
				bare[i] = strings.TrimPrefix(s, "[ERROR] ")
			}
			m["errors"] = bare
		}
		return mustJSON(m), refused.Code
	case err != nil:
		return mustJSON(map[string]any{"ok": false, "error": "fatal_error"}), "fatal_error"
	}
	m, _ := result.(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	m["ok"] = true
	if warning != "" {
		if _, has := m["warning"]; !has {
			m["warning"] = warning
			meta, _ := m["response_metadata"].(map[string]any)
			if meta == nil {
				meta = map[string]any{}
			}
			meta["warnings"] = []string{warning}
			m["response_metadata"] = meta
		}
	}
	return mustJSON(m), ""
}

// begin counts a call.
func (w *Workspace) begin(r *request, at time.Time) Call {
	name := r.method
	if _, known := methods[name]; !known {
		name = "unknown"
	}
	w.mu.Lock()
	w.stats.calls[name]++
	c := Call{N: w.stats.calls[name], Method: r.method, Channel: r.str("channel"), At: at}
	hooked := w.onCall != nil
	w.mu.Unlock()
	if hooked || w.record > 0 {
		c.Args = r.args()
	}
	return c
}

func (w *Workspace) end(c Call, status int, code string) {
	c.Status, c.Error = status, code
	w.calls.add(c)
	if code != "" {
		w.mu.Lock()
		w.stats.errors[code]++
		w.mu.Unlock()
	}
}

// Calls are the last calls of the Web API, oldest first, if Options.Record is set.
func (w *Workspace) Calls() []Call { return w.calls.all() }

// OnCall is asked before each call of the Web API what goes wrong with it. Nil
// takes it away. It must not call the workspace.
func (w *Workspace) OnCall(f func(Call) Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onCall = f
}

// FailNext gives the next calls of a method these faults, one each, before OnCall
// is asked. Method "" is any.
func (w *Workspace) FailNext(method string, faults ...Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failNext[method] = append(w.failNext[method], faults...)
}

func (w *Workspace) faultFor(c *Call) Fault {
	w.mu.Lock()
	for _, name := range []string{c.Method, ""} {
		if q := w.failNext[name]; len(q) > 0 {
			w.failNext[name] = q[1:]
			w.mu.Unlock()
			return q[0]
		}
	}
	f := w.onCall
	w.mu.Unlock()
	if f == nil {
		return Fault{}
	}
	return f(*c)
}
