package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// within is the part of the open form that belongs to an element.
func within(action, rest string) string {
	return fmt.Sprintf(".modal [data-action-id=%s] %s", action, rest)
}

func TestEveryElementReachesTheAppAsItWasEntered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "&in="+help)
	a.press("[data-do=shortcuts]", "")
	a.press("[data-shortcut=everything]", "")
	a.sees(".modal", "Everything")

	a.press(within("plain_text_input", "textarea"), "")
	a.types("two words")
	for action, text := range map[string]string{
		"email_text_input": "ana@example.com", "url_text_input": "https://example.com/a?b=1", "number_input": "42", "rich_text_input": "rich",
	} {
		a.press(fmt.Sprintf(".modal [data-action-id=%s]", action), "")
		a.types(text)
	}
	choose := func(action, typed string, options ...string) {
		a.press(within(action, "input"), "")
		for _, o := range options {
			if typed != "" {
				a.types(typed)
			}
			a.press("[role=option]", o)
		}
		a.types("\t") // closes the list
	}
	choose("static_select", "", "Third")
	choose("multi_static_select", "", "Second", "First")
	choose("external_select", "q", "Phone q")
	choose("multi_external_select", "q", "Laptop q")
	choose("users_select", "ben", "Ben Okafor")
	choose("multi_users_select", "", "Chloé Martin", "Ana Torres")
	choose("channels_select", "", "#it-help")
	choose("multi_channels_select", "", "#it-help")
	choose("conversations_select", "", "#it-help")
	choose("multi_conversations_select", "", "#it-help")
	a.press(within("radio_buttons", "label"), "Second")
	a.press(within("checkboxes", "label"), "First")
	a.press(within("checkboxes", "label"), "Third")
	a.fill("datepicker", "2026-12-24")
	a.fill("timepicker", "14:05")
	a.fill("datetimepicker", "2026-12-24T14:05") // in Madrid
	name := filepath.Join(t.TempDir(), "log.txt")
	if err := os.WriteFile(name, []byte("it broke"), 0o644); err != nil {
		t.Fatal(err)
	}
	a.chooseFile(within("file_input", "input"), name)
	a.sees(within("file_input", "li"), "log.txt")
	a.press(".modal [data-do=submit]", "")
	a.seesNot(".modal", "")

	var got map[string]map[string]map[string]any
	select {
	case raw := <-w.app.submitted:
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("the app has not been sent the form")
	}
	option := func(v any) any { return v.(map[string]any)["value"] }
	list := func(v any, f func(any) any) []any {
		var out []any
		for _, x := range v.([]any) {
			out = append(out, f(x))
		}
		return out
	}
	short := map[string]any{}
	for block, actions := range got {
		for _, v := range actions[block] {
			switch x := v.(type) {
			case string:
				if x != block { // its type
					short[block] = x
				}
			case float64:
				short[block] = x
			case map[string]any:
				short[block] = x["value"]
			case []any:
				short[block] = list(x, func(e any) any {
					if s, ok := e.(string); ok {
						return s
					}
					if m := e.(map[string]any); m["name"] != nil {
						return m["name"]
					}
					return option(e)
				})
			}
		}
	}
	want := map[string]any{
		"plain_text_input": "two words", "email_text_input": "ana@example.com", "url_text_input": "https://example.com/a?b=1", "number_input": "42",
		"rich_text_input": nil, // compared below
		"static_select":   "3", "multi_static_select": []any{"2", "1"}, "external_select": "phone", "multi_external_select": []any{"laptop"},
		"users_select": ben, "multi_users_select": []any{"U0CHLOE", ana}, "channels_select": help, "multi_channels_select": []any{help},
		"conversations_select": help, "multi_conversations_select": []any{help}, "radio_buttons": "2", "checkboxes": []any{"1", "3"},
		"datepicker": "2026-12-24", "timepicker": "14:05", "datetimepicker": float64(time.Date(2026, 12, 24, 13, 5, 0, 0, time.UTC).Unix()),
		"file_input": []any{"log.txt"},
	}
	if diff := cmp.Diff(want, short); diff != "" {
		t.Errorf("the app was sent something else (-want +got):\n%s", diff)
	}
	if rich, err := json.Marshal(got["rich_text_input"]); err != nil || !strings.Contains(string(rich), `"text":"rich"`) {
		t.Errorf("rich text came as %s, %v", rich, err)
	}
}

// fill sets a picker of the browser's own, whose keys depend on the locale.
func (w *window) fill(action, value string) {
	w.t.Helper()
	sel := fmt.Sprintf(".modal [data-action-id=%s]", action)
	w.sees(sel, "")
	eval[bool](w, fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		e.value = %s;
		e.dispatchEvent(new Event("change", { bubbles: true }));
		return true;
	})()`, quote(sel), quote(value)))
}

// chooseFile gives a file to a file field, as its dialog would.
func (w *window) chooseFile(selector, path string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		got, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.querySelector(" + quote(selector) + ")"})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, ObjectID: got.Result.ObjectID})
		return err
	}))
}

func TestFormsStandOnEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.open(t, ana, "")
	a.press("[data-do=shortcuts]", "")
	a.press("[data-shortcut=steps]", "")
	a.press(".modal [data-action-id=name]", "")
	a.types("kept\r") // Enter in a field submits
	a.sees(".modal h2", "Step 2")
	a.press(".modal [data-action-id=name]", "")
	a.types("x")
	a.press(".modal [data-do=submit]", "")
	a.sees(".modal .trouble", "trouble connecting")
	if got := eval[string](a, `document.querySelector(".modal [data-action-id=name]").value`); got != "x" {
		t.Errorf("after the app failed the field holds %q, want x", got)
	}
	a.press(".modal [data-do=back]", "Back")
	a.sees(".modal h2", "Step 1")
	if got := eval[string](a, `document.querySelector(".modal [data-action-id=name]").value`); got != "kept" {
		t.Errorf("back at the first form the field holds %q, want kept", got)
	}
	a.press(".modal [data-do=close]", "")
	a.seesNot(".modal", "")
}
