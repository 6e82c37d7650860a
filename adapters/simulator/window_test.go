package simulator_test

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

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what should be on the screen.
const patience = 15 * time.Second

// one browser serves all tests; each window is a tab of it with a profile of its
// own.
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
			chromedp.Flag("force-prefers-reduced-motion", true), chromedp.WindowSize(1280, 860))
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

// A window is one person's browser window.
type window struct {
	t   *testing.T
	ctx context.Context
}

// open opens a window as somebody, at their conversation with the app or where at
// says: "&in=C0HELP".
func (w world) open(t *testing.T, as, at string) *window {
	t.Helper()
	win := blank(t)
	win.do(chromedp.Navigate(w.url + "/#as=" + as + at))
	win.sees(".room .composer-input, [data-home]", "")
	return win
}

// blank opens a window with nothing in it.
func blank(t *testing.T) *window {
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
	win := &window{t: t, ctx: ctx}
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
	win.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		// Without it only one tab has the focus, and key presses in others go nowhere.
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
	return win
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
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		w.failed(err)
	}
	return v
}

// failed ends the test with a picture of the window.
func (w *window) failed(err error) {
	w.t.Helper()
	words := ""
	ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
	defer cancel()
	if pic, e := chromedp.Run(ctx, chromedp.CaptureScreenshot()); e == nil {
		path := filepath.Join(artefacts(), strings.ReplaceAll(w.t.Name(), "/", "-")+".png")
		if os.WriteFile(path, pic, 0o644) == nil {
			words = "\nthe window: " + path
		}
	}
	if ex := (*chromedp.ExceptionError)(nil); errors.As(err, &ex) {
		err = fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "exception "))
	}
	w.t.Fatalf("%v%s", err, words)
}

// artefacts is where pictures go: TEST_ARTIFACTS, or the temporary directory.
func artefacts() string {
	if dir := os.Getenv("TEST_ARTIFACTS"); dir != "" && os.MkdirAll(dir, 0o755) == nil {
		return dir
	}
	return os.TempDir()
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
		const every = setInterval(look, 100); // focus and scrolling change no nodes
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

// find is an expression for the last visible element that contains the words.
func find(selector, words string) string {
	return fmt.Sprintf(`([...document.querySelectorAll(%s)].filter(e => e.textContent.includes(%s) && e.getClientRects().length).at(-1) ?? null)`, quote(selector), quote(words))
}

// press clicks the last element that contains the words with the mouse, which
// comes over the message that it is in, as a hand does: there a toolbar appears.
func (w *window) press(selector, words string) {
	w.t.Helper()
	w.sees(selector, words)
	at := eval[[]float64](w, fmt.Sprintf(`(() => {
		const e = %s;
		e.scrollIntoView({ block: "center", behavior: "instant" });
		return [e.closest(".message")?.querySelector(".message-main") ?? e, e].flatMap((x) => {
			const r = x.getBoundingClientRect();
			return [r.x + r.width / 2, r.y + r.height / 2];
		});
	})()`, find(selector, words)))
	w.do(chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]), chromedp.MouseEvent(chromedp.MouseMoved, at[2], at[3]), chromedp.MouseClickXY(at[2], at[3]))
}

// types types into whatever has the focus, key by key; "\r" is Enter.
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

// says writes in the conversation and sends it.
func (w *window) says(text string) {
	w.t.Helper()
	w.press(".room .composer-input", "")
	w.sends(text)
}

// sends writes into whatever has the focus, all at once, and presses Enter.
func (w *window) sends(text string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
			return err
		}
		return enter(ctx, t)
	}))
}
