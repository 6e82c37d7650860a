package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Submit sends the top view. If the app or Slack's client refuses fields, it
// returns their errors by block id, which are in the view too.
// See docs.slack.dev/surfaces/modals#handling_submissions.
func (p *Person) Submit(view string) (refused map[string]string, err error) {
	w := p.w
	w.mu.Lock()
	u, err := p.present()
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	at, err := w.place(u.ID, Act{View: view})
	if err == nil && (at.view.Type != "modal" || at.view.Submit == nil) {
		err = fmt.Errorf("%w: the view has no submit button", ErrRefused)
	}
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	refused = map[string]string{}
	for _, e := range at.list {
		if e.input != nil {
			if words := complaint(e, at.view.State.Values[e.block][e.action]); words != "" {
				refused[e.block] = words
			}
		}
	}
	v := *at.view
	v.Errors, v.Trouble = refused, ""
	if len(refused) > 0 {
		w.views.put(&v)
		w.showView(&v)
		w.mu.Unlock()
		return refused, nil
	}
	v.Errors = nil
	w.views.put(&v)
	pay := w.payload("view_submission", u.ID)
	pay["trigger_id"] = w.newTrigger(u.ID, v.ID)
	pay["view"] = &v
	pay["response_urls"] = w.viewResponseURLs(&v, at.list)
	w.mu.Unlock()

	ans := w.ask("interactivity", "view_submission", "", pay)
	code := ans.code()
	if code == "" {
		if refused, code = w.submitted(&v, ans.body); code == "" {
			return refused, nil
		}
	}
	return nil, w.failed(Notice{User: u.ID, View: v.ID, Code: code, Text: trouble})
}

// viewResponseURLs are for the conversations chosen in a form that asks for them;
// see "response_url_enabled" in docs.slack.dev/surfaces/modals#modal_response_url.
func (w *Workspace) viewResponseURLs(v *View, list []widget) []any {
	urls := []any{}
	for _, e := range list {
		if e.m["response_url_enabled"] != true || e.input == nil {
			continue
		}
		var s map[string]any
		if json.Unmarshal(v.State.Values[e.block][e.action], &s) != nil {
			continue
		}
		if id := asString(s[valueKey[e.kind].key]); id != "" {
			urls = append(urls, map[string]any{
				"block_id": e.block, "action_id": e.action, "channel_id": id,
				"response_url": w.newResponseURL(responseURL{User: v.User, Channel: id}),
			})
		}
	}
	return urls
}

// submitted does what the app answered to a submission; a code means that Slack
// could make nothing of it.
func (w *Workspace) submitted(v *View, body []byte) (refused map[string]string, code string) {
	var reply struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if body = bytes.TrimSpace(body); len(body) > 0 && json.Unmarshal(body, &reply) != nil {
		return nil, "invalid_response"
	}
	var next *View
	if reply.Action == "update" || reply.Action == "push" {
		var err error
		if next, err = w.readView(reply.View, OnModal); err != nil {
			w.log.Warn("the view in a response_action was refused", "err", err)
			return nil, "invalid_view"
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now, _ := w.views.byID(v.ID)
	if now == nil {
		return nil, "" // closed or cleared meanwhile
	}
	stack := w.views.stack[v.User]
	switch reply.Action {
	case "":
		w.closeView(now)
		w.uncover(v.User)
	case "clear":
		for _, x := range slices.Backward(slices.Clone(stack)) {
			w.closeView(x)
		}
	case "update":
		w.replaceView(now, next)
	case "push":
		if len(stack) >= maxStack {
			return nil, "push_limit_reached"
		}
		w.open(next, v.User, true)
	case "errors":
		if !errorsFit(now, reply.Errors) {
			return nil, "invalid_errors"
		}
		x := *now
		x.Errors = reply.Errors
		w.views.put(&x)
		w.showView(&x)
		return reply.Errors, ""
	default:
		return nil, "invalid_response_action"
	}
	return nil, ""
}

// errorsFit: each error belongs to an input block; see
// docs.slack.dev/surfaces/modals#displaying_errors.
func errorsFit(v *View, errs map[string]string) bool {
	if len(errs) == 0 {
		return false
	}
	inputs := map[string]bool{}
	for _, e := range widgets(v.Blocks) {
		inputs[e.block] = inputs[e.block] || e.input != nil
	}
	for block := range errs {
		if !inputs[block] {
			return false
		}
	}
	return true
}

// uncover shows the view below the one that has been closed.
func (w *Workspace) uncover(user string) {
	if stack := w.views.stack[user]; len(stack) > 0 {
		w.showView(stack[len(stack)-1])
	}
}

// CloseView closes the top view with its close button; all closes the whole stack
// with the cross. The app hears of it as view_closed where a view has
// notify_on_close; see docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_closed.
func (p *Person) CloseView(view string, all bool) error {
	w := p.w
	w.mu.Lock()
	u, err := p.present()
	if err != nil {
		w.mu.Unlock()
		return err
	}
	at, err := w.place(u.ID, Act{View: view})
	if err == nil && at.view.Type != "modal" {
		err = fmt.Errorf("%w: a Home tab has no close button", ErrRefused)
	}
	if err != nil {
		w.mu.Unlock()
		return err
	}
	all = all || at.view.ClearOnClose
	gone := []*View{at.view}
	if all {
		gone = slices.Clone(w.views.stack[u.ID])
		slices.Reverse(gone)
	}
	var tell []map[string]any
	for _, v := range gone {
		w.closeView(v)
		if v.NotifyOnClose {
			pay := w.payload("view_closed", u.ID)
			pay["view"], pay["is_cleared"] = v, all
			tell = append(tell, pay)
		}
	}
	w.uncover(u.ID)
	w.mu.Unlock()
	for _, pay := range tell {
		w.ask("interactivity", "view_closed", "", pay) // nobody is shown a failure
	}
	return nil
}
