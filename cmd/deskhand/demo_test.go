package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// startDemo runs the demo command and returns the page's address, and a
// function that ends it as Ctrl-C does.
func startDemo(t *testing.T, dir string) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, printed := io.Pipe()
	ended := make(chan struct{})
	var (
		failed error
		log    strings.Builder
	)
	go func() {
		defer close(ended)
		failed = run(ctx, []string{"demo", "--data", dir, "--listen", "127.0.0.1:0", "--log-level", "warn"}, printed, &log)
		_ = printed.CloseWithError(io.EOF)
	}()
	stop = func() {
		if cancel == nil {
			return
		}
		cancel()
		cancel = nil
		go func() { _, _ = io.Copy(io.Discard, out) }()
		<-ended
		if failed != nil {
			t.Errorf("demo: %v", failed)
		}
		if strings.Contains(log.String(), "connection refused") {
			t.Errorf("the demo has lost a platform:\n%s", &log)
		}
	}
	t.Cleanup(stop)
	var text strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if found := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(text.String()); found != "" && strings.Contains(text.String(), "Ctrl-C") {
			return found, stop
		}
		if err != nil {
			t.Fatalf("the demo ended: %s", text.String())
		}
	}
}

// openDir is a temporary directory that Postgres can enter too: as root it runs
// as somebody else.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "deskhand-demo-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// window is a browser window in which somebody uses the demo.
type window struct {
	t   *testing.T
	ctx context.Context
}

func browser(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "google-chrome", "chromium-browser", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium or Chrome on PATH: the browser test is skipped")
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program),
		chromedp.DisableGPU, chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("force-prefers-reduced-motion", true), chromedp.WindowSize(1400, 900))...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // starts it; a context of one step must not own it
		t.Fatal(err)
	}
	return ctx
}

const inTeams = "[data-pane=teams] "

func openWindow(t *testing.T, browser context.Context, url, as string) *window {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	w := &window{t: t, ctx: ctx}
	w.do(chromedp.EmulateViewport(1400, 900), chromedp.Navigate(url+"/#show=slack&as="+as))
	w.sees(".room .composer-input, [data-home]", "")
	return w
}

func (w *window) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.picture("failed")
		w.t.Fatal(err)
	}
}

func (w *window) js(expression string) {
	w.t.Helper()
	w.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise))
		return err
	}))
}

// newest is an expression for the last visible element that has the words, all of
// them.
func newest(selector string, words ...string) string {
	has := ""
	for _, x := range words {
		has += fmt.Sprintf("e.textContent.includes(%q) && ", x)
	}
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => %s e.getClientRects().length).at(-1)`, selector, has)
}

// sees waits for a visible element that has the words, all of them.
func (w *window) sees(selector string, words ...string) {
	w.t.Helper()
	w.until(newest(selector, words...), selector+" with "+strings.Join(words, " and "))
}

// until waits until an expression is true.
func (w *window) until(expression, what string) {
	w.t.Helper()
	w.js(fmt.Sprintf(`new Promise((done, fail) => {
		const look = () => { if (%s) { watch.disconnect(); clearTimeout(late); done(true) } };
		const watch = new MutationObserver(look);
		const late = setTimeout(() => { watch.disconnect(); fail(new Error("not seen: " + %q)) }, 50000);
		watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
		look();
	})`, expression, what))
}

// comesToTheForm leaves out what the desk finds alike, if it does.
func (w *window) comesToTheForm(dialog string) {
	w.t.Helper()
	different := newest(dialog+" button", "It is different")
	w.until(newest(dialog+" label.pick", "My team")+" || "+different, "the form, or what is alike")
	w.js("(" + different + ")?.click()")
	w.sees(dialog+" label.pick", "My team")
}

// press clicks the newest element that has the words.
func (w *window) press(selector, words string) {
	w.t.Helper()
	w.sees(selector, words)
	w.js(newest(selector, words) + ".click()")
}

// says writes into the writing field that selector names and sends it.
func (w *window) says(selector, text string) {
	w.t.Helper()
	w.enters(selector, text)
	w.do(chromedp.KeyEvent("\r"))
}

// enters writes into a field.
func (w *window) enters(selector, text string) {
	w.t.Helper()
	w.sees(selector)
	w.js(newest(selector) + ".focus()")
	w.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// picture keeps a screenshot, if TEST_ARTIFACTS says where.
func (w *window) picture(name string) {
	w.t.Helper()
	dir := os.Getenv("TEST_ARTIFACTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	pic, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), pic, 0o600)
	}
	if err != nil {
		w.t.Logf("no picture: %v", err)
	}
}

// The demo in a real browser: a first evening, and the next morning.
func TestDemo(t *testing.T) {
	t.Parallel()
	b := browser(t)
	dir := openDir(t)
	url, stop := startDemo(t, dir)
	t.Run("over both platforms", func(t *testing.T) { overBothPlatforms(t, b, url) })
	stop()

	url, _ = startDemo(t, dir)
	t.Run("what happened is there again", func(t *testing.T) { isThereAgain(t, b, url) })
	t.Run("in two windows", func(t *testing.T) { inTwoWindows(t, b, url) })
}

// One ticket over both platforms in one window: Ana is in Teams, Ben in Slack.
// The picture of their talk is the README's. To renew it:
//
//	TEST_ARTIFACTS=/tmp/pictures go test ./cmd/deskhand -run TestDemo/over
//	cp /tmp/pictures/both-3-talk.png adapters/simulator/simulator.png
func overBothPlatforms(t *testing.T, b context.Context, url string) {
	w := openWindow(t, b, url, "UOX000004")
	w.do(chromedp.EmulateViewport(1640, 960))
	w.press("[data-show='slack,teams']", "")
	w.sees("#you-teams", "Ana Matos")
	w.sees(inTeams + ".message") // the desk greets whoever adds it
	w.picture("both-1-welcome")

	w.says(inTeams+".composer-input", "the printer on floor 3 is not printing")
	w.press(inTeams+".ac button", "Open a ticket")
	w.press(".teams-dialog button", "Something is broken")
	w.comesToTheForm(".teams-dialog")
	w.picture("both-2-form")
	w.press(".teams-dialog label.pick", "My team")
	w.press(".teams-dialog label.pick", "Today")
	w.press(".teams-dialog .modal-foot button", "Open ticket")
	w.sees(inTeams+".message", "will pick it up")

	w.press("[data-place]", "it-triage")
	w.press(".room article button", "Claim")
	w.sees(".room article", "Ben Hartmann is on it")
	w.sees(inTeams+".message", "Ben Hartmann is on it")
	w.js(newest(".room article", "the printer on floor 3") + `.querySelector("[data-do=thread]").click()`)
	w.says(".thread .composer-input", "Hello Ana, what does its display say?")
	w.sees(inTeams+".message", "what does its display say")
	w.says(inTeams+".composer-input", "“Waiting for the server”. It is the big one beside the kitchen.")
	w.sees(".thread article", "beside the kitchen")
	w.press("[data-do=hide-help]", "")
	w.picture("both-3-talk")

	// The team has it in Teams too, with the same words in its thread.
	w.press("#you-teams", "")
	w.press(".person > button", "Elin Bergqvist")
	w.press("[data-teams-place]", "it-triage")
	w.sees(inTeams+".post .ac", "Ben Hartmann is on it")
	w.sees(inTeams+".post-replies", "beside the kitchen")
	w.picture("both-4-triage")
}

func isThereAgain(t *testing.T, b context.Context, url string) {
	w := openWindow(t, b, url, "UOX000004")
	w.press("[data-place]", "it-triage")
	w.sees(".room article", "the printer on floor 3", "Ben Hartmann is on it")
	w.press(".thread-summary", "")
	w.sees(".thread article", "beside the kitchen")
	w.press("[data-show='slack,teams']", "")
	w.sees(inTeams+".message", "the printer on floor 3", "Ben Hartmann is on it")
}

// The main story as a newcomer sees it, in two windows.
func inTwoWindows(t *testing.T, b context.Context, url string) {
	const trouble = "my second screen stays black"
	ana := openWindow(t, b, url, "UOX000033")
	ben := openWindow(t, b, url, "UOX000004")

	ana.says(".room .composer-input", trouble)
	ana.press(".thread-summary", "")
	ana.sees(".thread article", "Show steps")
	ana.picture("demo-1-suggestions")
	ana.press(".thread button", "Show steps")
	ana.sees("[role=dialog].modal", "How to fix it")
	ana.picture("demo-2-steps")
	ana.press(".modal [data-do=close]", "")

	ana.press(".thread button", "Open a ticket")
	ana.press(".modal button", "Something is broken")
	ana.comesToTheForm(".modal")
	ana.press(".modal label.pick", "My team")
	ana.press(".modal label.pick", "Today")
	ana.picture("demo-4-form")
	ana.press(".modal [data-do=submit]", "")
	ana.sees(".thread article", "will pick it up")

	ben.press("[data-place]", "it-triage")
	ben.sees(".room article", trouble)
	ben.press(".room article button", "Claim")
	ben.sees(".room article", trouble, "Ben Hartmann is on it")
	ana.sees(".thread article", "Ben Hartmann is on it")
	ben.picture("demo-5-triage")
	ben.press(".room article button", "Resolve")
	ben.enters(".modal [data-action-id*=resolution]", "Put the dock's cable in again.")
	ben.picture("demo-6-resolve")
	ben.press(".modal [data-do=submit]", "")
	ana.press(".thread button", "Yes, close")
	ana.press(".thread button", "😀")
	ana.sees(".thread article", "Thank you.")
	ana.picture("demo-7-closed")
	ana.press("[data-tab=home]", "")
	ana.sees("[data-home]", "Your tickets")
	ana.picture("demo-8-home")
}
