package slacktest

import (
	"encoding/json"
	"fmt"
)

// Suggest is the type-ahead list of an external select for what has been typed.
// Fewer characters than min_query_length give nothing.
// See docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select.
func (p *Person) Suggest(a Act, typed string) ([]Option, error) {
	w := p.w
	w.mu.Lock()
	u, err := p.present()
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	at, err := w.place(u.ID, a)
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	e, err := find(at.list, a.Block, a.Action)
	if err == nil && e.kind != "external_select" && e.kind != "multi_external_select" {
		err = fmt.Errorf("%w: %s %q has its options already", ErrRefused, e.kind, e.action)
	}
	if err != nil {
		w.mu.Unlock()
		return nil, err
	}
	least := 3
	if n, ok := e.m["min_query_length"].(float64); ok {
		least = int(n)
	}
	if len([]rune(typed)) < least {
		w.mu.Unlock()
		return nil, nil
	}
	pay := w.payload("block_suggestion", u.ID)
	pay["action_id"], pay["block_id"], pay["value"] = e.action, e.block, typed
	notice := Notice{User: u.ID, Text: "Oops, something went wrong"} // unpublished
	if at.view != nil {
		pay["view"], pay["container"] = at.view, map[string]any{"type": "view", "view_id": at.view.ID}
	} else {
		w.messagePlace(pay, u.ID, at)
		notice.Channel, notice.TS = at.conv.ID, at.message.TS
	}
	w.mu.Unlock()

	ans := w.ask("options", "block_suggestion", notice.Channel, pay)
	if code := ans.code(); code != "" {
		notice.Code = code
		return nil, w.failed(notice)
	}
	list, err := readOptions(ans.body)
	if err != nil {
		notice.Code, notice.Text = "invalid_options", notice.Text+": "+err.Error()
		return nil, w.failed(notice)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.views.suggested) > leastSweep {
		clear(w.views.suggested) // whoever is choosing types again
	}
	w.views.suggested[u.ID+" "+e.block+" "+e.action] = list
	return list, nil
}

var suggestions = shape{fields: map[string]field{
	"options": maybe(array(0, 100, option(false, false))), "option_groups": maybe(array(0, 100, optionGroup.check)),
}}

func readOptions(body []byte) ([]Option, error) {
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	c := newChecker(OnModal)
	suggestions.check(c, m)
	if len(c.errs) > 0 {
		return nil, c.errs[0]
	}
	var list []Option
	add := func(v any, group string) {
		opts, _ := v.([]any)
		for _, x := range opts {
			o := x.(map[string]any) // checked above
			list = append(list, Option{
				Text: textOf(o["text"]), Value: asString(o["value"]), Description: textOf(o["description"]), Group: group, Raw: mustJSON(o),
			})
		}
	}
	add(m["options"], "")
	groups, _ := m["option_groups"].([]any)
	for _, g := range groups {
		gm := g.(map[string]any)
		add(gm["options"], textOf(gm["label"]))
	}
	return list, nil
}
