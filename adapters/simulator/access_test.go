package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"context"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A window with everything in it that the page can draw at once: a screen reader
// has a word for each control, text stands out in light and in dark, and a narrow
// window holds it all.
func TestAFullWindowIsNamedStandsOutAndFits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, text := range []string{"hello @ana, see #it-help and https://example.com", "> quoted `code` ~gone~ :tada:\n• one"} {
		if _, err := w.slack.Person("ben").Say(postIn(help, text)); err != nil {
			t.Fatal(err)
		}
	}
	a := w.open(t, ana, "&in="+help)
	a.says("hello @desk, the printer")
	a.sees(".room .message[data-ephemeral]", "")
	a.press(".thread-summary", "")
	a.sees(".thread [data-block-id=kb]", "")
	a.press(".thread [data-action-id=broken]", "")
	a.sees(".thread .trouble", "")
	a.press(".room .message[data-user="+ana+"] .toolbar [data-emoji=eyes]", "")
	a.sees(".reaction", "1")

	named := func(where string) {
		t.Helper()
		for _, n := range nameless(a) {
			t.Errorf("%s: a %s has no name", where, n)
		}
	}
	standsOut := func(where string) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			a.emulate("prefers-color-scheme", scheme)
			for _, line := range eval[[]string](a, contrast) {
				t.Errorf("%s, %s: %s", where, scheme, line)
			}
		}
	}
	fits := func(where string) {
		t.Helper()
		if got := eval[[]string](a, `[...document.querySelectorAll("body *")].filter(e => e.getClientRects().length && !e.closest("#side, pre, .visually-hidden, .skip, .table-scroll") && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className).slice(0, 5)`); len(got) > 0 {
			t.Errorf("%s: these stand out of a window of 380 pixels: %v", where, got)
		}
	}

	named("a channel with its thread")
	standsOut("a channel with its thread")
	a.press("#you", "")
	named("the list of people")
	a.types(kb.Escape)
	a.press("[data-do=shortcuts]", "")
	named("the shortcuts")
	a.press("[data-shortcut=everything]", "")
	a.sees(".modal", "Everything")
	named("a form")
	a.press(".modal [data-do=submit]", "")
	a.sees(".modal .field-error", "required")
	standsOut("a form")
	a.types(kb.Escape)
	a.seesNot(".modal", "")

	a.do(chromedp.EmulateViewport(380, 700))
	fits("a thread")
	a.press("[data-do='close-thread']", "")
	fits("a channel")
	a.press("[data-do=side]", "")
	a.until("the side bar has come", `document.querySelector("#side").getBoundingClientRect().left === 0 && document.querySelector("#side").contains(document.activeElement)`)
	a.press(".place", "Desk")
	a.sees(".room-head h1", "Desk")
	a.until("the side bar has gone", `getComputedStyle(document.querySelector("#side")).visibility === "hidden"`)
	a.press("[data-do=shortcuts]", "")
	a.press("[data-shortcut=everything]", "")
	a.sees(".modal", "Everything")
	fits("a form")
}

// nameless are the controls for which a screen reader has no word.
func nameless(w *window) []string {
	w.t.Helper()
	var bad []string
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		tree, err := cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			return err
		}
		text := func(v *accessibility.Value) string {
			if v == nil {
				return ""
			}
			var s string
			_ = json.Unmarshal(v.Value, &s) // what is no string is no name
			return s
		}
		seen := 0
		for _, n := range tree.Nodes {
			switch role := text(n.Role); role {
			case "button", "link", "textbox", "combobox", "checkbox", "radio", "menuitem", "tab", "option", "searchbox", "spinbutton",
				"dialog", "alertdialog", "img", "group", "radiogroup", "listbox", "menu", "navigation", "complementary", "region", "feed", "toolbar":
				if n.Ignored {
					continue
				}
				seen++
				// The browser's own pickers have groups inside that it names itself.
				if strings.TrimSpace(text(n.Name)) == "" && role != "group" {
					bad = append(bad, fmt.Sprintf("%s (node %s)", role, n.NodeID))
				}
			}
		}
		if seen < 10 {
			return fmt.Errorf("only %d controls were found: the tree is not the page's", seen)
		}
		return nil
	}))
	return bad
}

// contrast finds text that stands out too little from what is behind it; see
// w3.org/TR/WCAG22/#contrast-minimum.
const contrast = `(() => {
	const ctx = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
	const known = {};
	const rgba = (css) => (known[css] ??= (() => { ctx.clearRect(0, 0, 1, 1); ctx.fillStyle = css; ctx.fillRect(0, 0, 1, 1); const d = ctx.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; })());
	const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
	const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = (el) => {
		const layers = [];
		for (let e = el; e; e = e.parentElement) {
			const s = getComputedStyle(e);
			if (s.backgroundImage !== "none") return null; // a drawing, judged by eye
			const c = rgba(s.backgroundColor);
			if (c[3]) layers.push(c);
			if (c[3] === 1) break;
			if (e.matches("dialog, [popover]")) break;
		}
		return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
	};
	const bad = [];
	let seen = 0;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const el = walk.currentNode.parentElement, s = getComputedStyle(el);
		if (!walk.currentNode.data.trim() || !el.getClientRects().length || s.visibility === "hidden" || s.opacity === "0" || el.closest(".visually-hidden, .skip, .composer-hint, :disabled, noscript")) continue;
		const bg = behind(el);
		if (!bg) continue;
		seen++;
		const fg = over(rgba(s.color), bg);
		const [a, b] = [light(fg), light(bg)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		const size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && s.fontWeight >= 700);
		if (ratio < (large ? 3 : 4.5)) bad.push(ratio.toFixed(2) + " " + JSON.stringify(walk.currentNode.data.trim().slice(0, 30)) + " in ." + el.className);
	}
	return seen < 20 ? ["only " + seen + " pieces of text were seen"] : [...new Set(bad)];
})()`

func (w *window) emulate(feature, value string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}})
		return err
	}))
}

func TestOlderMessagesComeWhenOneScrollsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 150 {
		if _, err := w.slack.Person("ben").Say(postIn(help, fmt.Sprintf("message %03d", i))); err != nil {
			t.Fatal(err)
		}
	}
	a := w.open(t, ana, "&in="+help)
	a.sees(".room .message", "message 149")
	a.seesNot(".room .message", "message 000")
	for range 2 {
		eval[bool](a, `(document.querySelector(".room .scroller").scrollTop = 0, true)`)
		a.until("older ones have come", `document.querySelector(".room .scroller").scrollTop > 300`)
	}
	a.sees(".room .message", "message 000")
	a.sees(".room .intro", "This is the beginning of #it-help")
}

func TestALinkIntoTheWorkspaceOpensInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := w.slack.Person("ben").Say(postIn(help, "the printer on floor 3"))
	if err != nil {
		t.Fatal(err)
	}
	a := w.open(t, ana, "")
	a.says("https://" + w.slack.Team().Domain + ".slack.com/archives/" + help + "/p" + strings.ReplaceAll(m.TS, ".", ""))
	a.press(".room .message-body a", "")
	a.sees(".room-head h1", "#it-help")
	a.sees(".thread .message", "the printer on floor 3")
}

func TestHealthOfTheServedFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, typ := range map[string]string{
		"/": "text/html", "/js/main.js": "text/javascript", "/css/base.css": "text/css", "/icons.svg": "image/svg+xml", "/emoji.svg": "image/svg+xml",
	} {
		res, err := http.Get(w.url + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || !strings.HasPrefix(got, typ) {
			t.Errorf("GET %s = %d %q, want 200 %s", path, res.StatusCode, got, typ)
		}
	}
}
