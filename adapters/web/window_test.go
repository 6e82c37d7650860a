package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what should be on the screen.
const patience = 15 * time.Second

// one browser serves all tests; each window has a profile of its own.
var browser struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.cancel != nil {
		browser.cancel()
	}
	os.Exit(code)
}

// chromium is the browser's program, or nothing. The headless shell is the same
// browser without the frame around its pages, which costs as much as the pages do.
func chromium() string {
	for _, name := range []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "google-chrome", "chromium-browser", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func startBrowser() (context.Context, error) {
	browser.once.Do(func() {
		opts := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(chromium()), chromedp.DisableGPU, chromedp.NoSandbox,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
			chromedp.Flag("force-prefers-reduced-motion", true), chromedp.WindowSize(900, 900))
		ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...) // ends in TestMain
		ctx, cancel := chromedp.NewContext(ctx)
		browser.ctx, browser.cancel = ctx, func() {
			cancel()
			stop()
		}
		browser.err = chromedp.Do(ctx)
	})
	return browser.ctx, browser.err
}

// A window is a browser window at a page.
type window struct {
	t   testing.TB
	ctx context.Context
}

// open opens a window at an address. What the page complains of fails the test.
func open(t testing.TB, address string) *window {
	t.Helper()
	if chromium() == "" {
		t.Skip("no Chromium or Chrome on PATH: browser tests are skipped")
	}
	parent, err := startBrowser()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	w := &window{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if s := fmt.Sprint(m); strings.Contains(s, "rror") && !strings.Contains(s, "Failed to load resource") {
				t.Errorf("the page says: %s", s)
			}
		}
	}()
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		// Without it only one tab has the focus, and key presses in others go nowhere.
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}), chromedp.Navigate(address))
	return w
}

// window opens somebody's page by a link from the chat.
func (w *world) window(link string) *window {
	w.t.Helper()
	win := open(w.t, link)
	win.press("button", "Open my page")
	win.sees("#card", "Your tickets")
	return win
}

// refreshes looks for news at once, as a page does that comes to the front.
func (w *window) refreshes() {
	w.t.Helper()
	eval[bool](w, `(document.dispatchEvent(new Event("visibilitychange")), true)`)
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.failed(err)
	}
}

// eval runs an expression that may be a promise.
func eval[T any](w *window, js string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
		if err != nil && (strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "destroyed")) {
			continue // asked of a page that was about to go
		}
		if err != nil {
			w.failed(err)
		}
		return v
	}
}

// failed ends the test with a picture of the window.
func (w *window) failed(err error) {
	w.t.Helper()
	words := "\nthe window: " + w.picture("failed-"+strings.ReplaceAll(w.t.Name(), "/", "-"))
	if ex := (*chromedp.ExceptionError)(nil); errors.As(err, &ex) {
		err = fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "exception "))
	}
	w.t.Fatalf("%v%s", err, words)
}

// picture keeps what the window shows and returns the file's name.
func (w *window) picture(name string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	pic, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return ""
	}
	dir := os.Getenv("TEST_ARTIFACTS")
	if dir == "" || os.MkdirAll(dir, 0o755) != nil {
		dir = os.TempDir()
	}
	path := filepath.Join(dir, "web-"+name+".png")
	if os.WriteFile(path, pic, 0o644) != nil {
		return ""
	}
	return path
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string
	}
	return string(b)
}

// until waits until the expression is true. It looks again whenever the page
// changes.
func (w *window) until(what, js string) {
	w.t.Helper()
	eval[bool](w, fmt.Sprintf(`new Promise((done, fail) => {
		const ok = () => { try { return %s } catch { return false } };
		const look = () => { if (!ok()) return; stop(); done(true); };
		const watch = new MutationObserver(look);
		const every = setInterval(look, 100); // focus changes no nodes
		const late = setTimeout(() => { stop(); fail(new Error(%s)); }, %d);
		const stop = () => { watch.disconnect(); clearInterval(every); clearTimeout(late); };
		watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
		look();
	})`, js, quote("not in time: "+what), (patience-2*time.Second).Milliseconds()))
}

// sees waits for a visible element that contains the words.
func (w *window) sees(selector, words string) {
	w.t.Helper()
	w.until(fmt.Sprintf("%s with %q", selector, words), find(selector, words)+" != null")
}

// seesNot waits until no visible element contains the words.
func (w *window) seesNot(selector, words string) {
	w.t.Helper()
	w.until(fmt.Sprintf("no %s with %q", selector, words), find(selector, words)+" == null")
}

// find is an expression for the last visible element that contains the words,
// or is called so.
func find(selector, words string) string {
	return fmt.Sprintf(`([...document.querySelectorAll(%s)].filter(e => (e.textContent.includes(%s) || e.getAttribute("aria-label") === %[2]s) && e.checkVisibility()).at(-1) ?? null)`, quote(selector), quote(words))
}

// press clicks the last element that contains the words.
func (w *window) press(selector, words string) {
	w.t.Helper()
	w.sees(selector, words)
	w.until("the page has settled", `!("settling" in document.documentElement.dataset)`)
	at := eval[[]float64](w, fmt.Sprintf(`(() => {
		const e = %s;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const r = e.getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2];
	})()`, find(selector, words)))
	w.do(chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
}

// types types into whatever has the focus; "\r" is Enter.
func (w *window) types(text string) {
	w.t.Helper()
	for i, part := range strings.Split(text, "\r") {
		if i > 0 {
			w.do(chromedp.Func(enter))
		}
		if part != "" {
			w.do(chromedp.KeyEvent(part))
		}
	}
}

// enter presses Enter as a keyboard does: a page that prevents the key down hears
// of no key press. chromedp's own sends both.
func enter(ctx context.Context, t *chromedp.Target) error {
	for _, e := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13},
	} {
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, e); err != nil {
			return err
		}
	}
	return nil
}

// focused waits until what has the focus is called so.
func (w *window) focused(words string) {
	w.t.Helper()
	w.until("the focus is at "+words, fmt.Sprintf(`document.activeElement !== document.body && (document.activeElement.getAttribute("aria-label") || document.activeElement.textContent).includes(%s)`, quote(words)))
}

func (w *window) emulate(features ...*emulation.MediaFeature) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	}))
}

// nameless are the controls for which a screen reader has no word.
func (w *window) nameless() []string {
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
			case "button", "link", "textbox", "combobox", "checkbox", "radio", "option", "dialog", "radiogroup", "listbox", "Date", "InputTime", "image":
				if n.Ignored {
					continue
				}
				seen++
				if strings.TrimSpace(text(n.Name)) == "" {
					bad = append(bad, fmt.Sprintf("%s (node %s)", role, n.NodeID))
				}
			}
		}
		if seen < 2 {
			return fmt.Errorf("only %d controls were found: the tree is not the page's", seen)
		}
		return nil
	}))
	return bad
}

// faint finds text that stands out too little from what is behind it; see
// w3.org/TR/WCAG22/#contrast-minimum.
const faint = `(() => {
	const ctx = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
	const known = {};
	const rgba = (css) => (known[css] ??= (() => { ctx.clearRect(0, 0, 1, 1); ctx.fillStyle = css; ctx.fillRect(0, 0, 1, 1); const d = ctx.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; })());
	const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
	const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = (el) => {
		const layers = [];
		for (let e = el; e; e = e.parentElement) {
			const c = rgba(getComputedStyle(e).backgroundColor);
			if (c[3]) layers.push(c);
			if (c[3] === 1) break;
		}
		return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
	};
	const ratio = (x, y) => { const [a, b] = [light(x), light(y)].sort((p, q) => q - p); return (a + 0.05) / (b + 0.05); };
	const bad = [];
	let seen = 0;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const el = walk.currentNode.parentElement, s = getComputedStyle(el);
		if (!walk.currentNode.data.trim() || !el.checkVisibility() || s.visibility === "hidden" || el.closest("noscript, .default, option")) continue;
		seen++;
		const bg = behind(el), r = ratio(over(rgba(s.color), bg), bg), size = parseFloat(s.fontSize);
		if (r < (size >= 24 || (size >= 18.66 && s.fontWeight >= 700) ? 3 : 4.5)) bad.push(r.toFixed(2) + " " + JSON.stringify(walk.currentNode.data.trim().slice(0, 30)) + " in ." + el.className);
	}
	for (const el of document.querySelectorAll("input:not([type=hidden], [type=radio], [type=checkbox]), select, textarea, a.button, button:not(.default, .quiet)")) {
		if (!el.checkVisibility() || el.closest(".menu > div")) continue;
		const s = getComputedStyle(el), bg = behind(el.parentElement);
		const r = Math.max(ratio(over(rgba(s.borderTopColor), bg), bg), ratio(over(rgba(s.backgroundColor), bg), bg));
		if (r < 3) bad.push(r.toFixed(2) + " the edge of " + (el.textContent.trim().slice(0, 20) || el.name));
	}
	return seen < 5 ? ["only " + seen + " pieces of text were seen"] : [...new Set(bad)];
})()`

// wide finds what stands out of the window to the side.
const wide = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.matches(".default") && (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)).map(e => e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 30)).slice(0, 5)
	.concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls to the side"] : [])`
