package slacktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const (
	triggerLife = 3 * time.Second // docs.slack.dev/interactivity/handling-user-interaction#triggers
	maxStack    = 3               // docs.slack.dev/surfaces/modals#view-stack
	leastSweep  = 1 << 12         // entries below which nothing is tidied up
)

// A trigger lets the app open a view for who has just done something.
type trigger struct {
	user string
	view string // the modal in which it was done, if any
	at   time.Time
	used bool
}

// A sweep says when to tidy up a map of things that expire: not at each new one,
// but when it has doubled.
type sweep struct{ next int }

func (s *sweep) due(n int) bool { return n > max(s.next, leastSweep) }
func (s *sweep) done(n int)     { s.next = 2 * n }

// newTrigger makes a trigger id, good once and for three seconds. The caller holds
// w.mu.
func (w *Workspace) newTrigger(user, view string) string {
	now := w.now()
	if w.sweptTriggers.due(len(w.triggers)) {
		for id, t := range w.triggers {
			if now.Sub(t.at) > time.Minute { // until then it is expired, and after that invalid
				delete(w.triggers, id)
			}
		}
		w.sweptTriggers.done(len(w.triggers))
	}
	w.lastTrigger++
	id := fmt.Sprintf("%d.%d.%s%s", now.UnixMilli(), w.lastTrigger, w.shortID(), w.shortID())
	w.triggers[id] = &trigger{user: user, view: view, at: now}
	return id
}

// trigger finds what an id stands for. It is used up by the caller, once
// everything else has been found right.
func (w *Workspace) trigger(id string) (*trigger, error) {
	t := w.triggers[id]
	switch {
	case t == nil:
		return nil, &APIError{Code: "invalid_trigger_id"}
	case t.used:
		return nil, &APIError{Code: "exchanged_trigger_id"}
	case w.now().Sub(t.at) > triggerLife:
		return nil, &APIError{Code: "expired_trigger_id"}
	}
	return t, nil
}

// viewStore is what is open on each person's screen. Views are never changed in
// place. The workspace's lock guards it.
type viewStore struct {
	stack     map[string][]*View // by user, the top last
	home      map[string]*View
	suggested map[string][]Option // last type-ahead list, by user and element
}

func (s *viewStore) init() {
	s.stack, s.home, s.suggested = map[string][]*View{}, map[string]*View{}, map[string][]Option{}
}

// find gives an open view, and where it is in its stack; -1 for a Home tab.
func (s *viewStore) find(ok func(*View) bool) (v *View, at int) {
	for _, stack := range s.stack {
		if i := slices.IndexFunc(stack, ok); i >= 0 {
			return stack[i], i
		}
	}
	for _, v := range s.home {
		if ok(v) {
			return v, -1
		}
	}
	return nil, 0
}

func (s *viewStore) byID(id string) (*View, int) {
	return s.find(func(v *View) bool { return v.ID == id })
}

// put replaces a view by a newer one of the same id.
func (s *viewStore) put(v *View) {
	if h := s.home[v.User]; h != nil && h.ID == v.ID {
		s.home[v.User] = v
		return
	}
	stack := s.stack[v.User]
	for i, x := range stack {
		if x.ID == v.ID {
			stack[i] = v
		}
	}
}

// drop forgets a view and what was typed in it.
func (s *viewStore) drop(v *View) {
	s.stack[v.User] = slices.DeleteFunc(s.stack[v.User], func(x *View) bool { return x.ID == v.ID })
	if len(s.stack[v.User]) == 0 {
		delete(s.stack, v.User)
	}
}

func (w *Workspace) showView(v *View) {
	kind := ViewChanged
	if v.Type == "home" {
		kind = HomePublished
	}
	w.changed(Change{Kind: kind, User: v.User, View: v})
}

func (w *Workspace) closeView(v *View) {
	w.views.drop(v)
	w.changed(Change{Kind: ViewClosed, User: v.User, View: v})
}

// readView checks a view from the app. The error is what views.* answers; see
// docs.slack.dev/reference/methods/views.open.
func (w *Workspace) readView(raw json.RawMessage, want Surface) (*View, error) {
	var m map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil || m == nil {
		return nil, &APIError{Code: "invalid_arguments", Messages: []string{"[ERROR] missing required field: view [json-pointer:/view]"}}
	}
	if len(raw) > maxView {
		return nil, &APIError{Code: "view_too_large"}
	}
	c, surface := checkView(m, &idMaker{w.shortID})
	if len(c.errs) > 0 {
		return nil, &APIError{Code: "invalid_arguments", Messages: c.messages()}
	}
	if surface != want {
		return nil, &APIError{Code: "invalid_arguments", Messages: []string{
			fmt.Sprintf("[ERROR] unsupported type: %v [json-pointer:/view/type]", m["type"]),
		}}
	}
	var v View
	if json.Unmarshal(mustJSON(m), &v) != nil {
		return nil, &APIError{Code: "invalid_arguments"}
	}
	v.TeamID, v.AppID, v.BotID, v.AppTeamID = w.team.ID, w.app.ID, w.app.BotID, w.team.ID
	v.Hash = fmt.Sprintf("%d.%s", w.now().Unix(), w.shortID())
	v.State = initialState(v.Blocks)
	v.Errors, v.Trouble = nil, ""
	return &v, nil
}

// given is a view as views.* gives it back: nothing has been entered yet.
func (v *View) given() *View {
	x := *v
	x.State = State{Values: map[string]map[string]json.RawMessage{}}
	return &x
}

func (w *Workspace) externalTaken(v *View, but string) bool {
	if v.ExternalID == "" {
		return false
	}
	other, _ := w.views.find(func(x *View) bool { return x.ExternalID == v.ExternalID && x.ID != but })
	return other != nil
}

// open puts a view on a person's screen: in place of what is there, or on top.
func (w *Workspace) open(v *View, user string, push bool) {
	v.ID, v.User = w.newID("V"), user
	v.RootID = v.ID
	if push {
		under := w.views.stack[user][len(w.views.stack[user])-1]
		v.PreviousID, v.RootID = under.ID, under.RootID
	} else {
		for _, old := range slices.Clone(w.views.stack[user]) {
			w.closeView(old) // a person has one stack of an app's views open
		}
	}
	w.views.stack[user] = append(w.views.stack[user], v)
	w.showView(v)
}

// https://docs.slack.dev/reference/methods/views.open
func (w *Workspace) apiViewsOpen(r *request) (any, error) { return w.openBy(r, false) }

// https://docs.slack.dev/reference/methods/views.push
func (w *Workspace) apiViewsPush(r *request) (any, error) { return w.openBy(r, true) }

func (w *Workspace) openBy(r *request, push bool) (any, error) {
	v, err := w.readView(r.raw("view"), OnModal)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t, err := w.trigger(r.str("trigger_id"))
	if err != nil {
		return nil, err
	}
	if w.externalTaken(v, "") {
		return nil, &APIError{Code: "duplicate_external_id"}
	}
	if push {
		// "a valid trigger_id generated from an interaction within the existing
		// modal"; see docs.slack.dev/reference/methods/views.push.
		if from, _ := w.views.byID(t.view); from == nil || from.Type != "modal" {
			return nil, &APIError{Code: "not_found"}
		}
		if len(w.views.stack[t.user]) >= maxStack {
			return nil, &APIError{Code: "push_limit_reached"}
		}
	}
	t.used = true
	w.open(v, t.user, push)
	return map[string]any{"view": v.given()}, nil
}

// https://docs.slack.dev/reference/methods/views.update
func (w *Workspace) apiViewsUpdate(r *request) (any, error) {
	id, ext := r.str("view_id"), r.str("external_id")
	if id == "" && ext == "" {
		return nil, &APIError{Code: "invalid_arguments", Messages: []string{"[ERROR] must provide one of: view_id, external_id"}}
	}
	w.mu.Lock()
	was, _ := w.views.find(func(v *View) bool { return id != "" && v.ID == id || id == "" && v.ExternalID == ext })
	w.mu.Unlock()
	if was == nil {
		return nil, &APIError{Code: "not_found"}
	}
	surface := OnModal
	if was.Type == "home" {
		surface = OnHome
	}
	v, err := w.readView(r.raw("view"), surface)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if was, _ = w.views.byID(was.ID); was == nil {
		return nil, &APIError{Code: "not_found"}
	}
	if h := r.str("hash"); h != "" && h != was.Hash {
		return nil, &APIError{Code: "hash_conflict"}
	}
	if w.externalTaken(v, was.ID) {
		return nil, &APIError{Code: "duplicate_external_id"}
	}
	w.replaceView(was, v)
	return map[string]any{"view": v.given()}, nil
}

// replaceView puts a new content in an open view's place. What has been entered
// stays where block, action and kind of element are the same, and then a new
// initial value has no effect; see docs.slack.dev/surfaces/modals#preserving_input.
func (w *Workspace) replaceView(was, v *View) {
	v.ID, v.User, v.PreviousID, v.RootID = was.ID, was.User, was.PreviousID, was.RootID
	keepEntered(v.State, was.State)
	w.views.put(v)
	w.showView(v)
}

func keepEntered(is, was State) {
	for block, actions := range is.Values {
		for action, raw := range actions {
			old, ok := was.Values[block][action]
			if ok && stateType(old) == stateType(raw) {
				actions[action] = old
			}
		}
	}
}

func stateType(raw json.RawMessage) string {
	var s struct{ Type string }
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s.Type
}

// https://docs.slack.dev/reference/methods/views.publish
func (w *Workspace) apiViewsPublish(r *request) (any, error) {
	v, err := w.readView(r.raw("view"), OnHome)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	user := r.str("user_id")
	u := w.userByID[user]
	if u == nil || u.Bot {
		return nil, &APIError{Code: "user_not_found"}
	}
	was := w.views.home[user]
	if h := r.str("hash"); h != "" && (was == nil || h != was.Hash) {
		return nil, &APIError{Code: "hash_conflict"}
	}
	but := ""
	if was != nil {
		but = was.ID
	}
	if w.externalTaken(v, but) {
		return nil, &APIError{Code: "duplicate_external_id"}
	}
	if was == nil {
		v.ID, v.User = w.newID("V"), user
		v.RootID = v.ID
		w.views.home[user] = v
		w.showView(v)
	} else {
		w.replaceView(was, v)
	}
	return map[string]any{"view": v.given()}, nil
}
