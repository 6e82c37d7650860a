package main

import (
	"os"
	"testing"
)

// The picture in the README, if TEST_ARTIFACTS says where to keep it. To renew it:
//
//	TEST_ARTIFACTS=/tmp/pictures go test ./cmd/deskhand -run TestReadmePicture
//	cp /tmp/pictures/readme.png adapters/simulator/simulator.png
func TestReadmePicture(t *testing.T) {
	if os.Getenv("TEST_ARTIFACTS") == "" {
		t.Skip("TEST_ARTIFACTS is not set: no picture is kept")
	}
	t.Parallel()
	b := browser(t)
	url, _ := startDemo(t, openDir(t))
	ana := openWindow(t, b, url, "UOX000033")
	mei := openWindow(t, b, url, "UOX000035")
	ben := openWindow(t, b, url, "UOX000004")

	ana.opensIncident("The printer on floor 3 is not printing", "My team", "Today")
	ben.press("[data-do=hide-help]", "")
	ben.press("[data-place]", "it-triage")
	ben.press(".room article button", "Claim")
	ben.sees(".room article", "Ben Hartmann is on it")
	mei.opensIncident("Outlook asks for my password again and again", "Only me", "This week")
	ben.sees(".room article", "Outlook asks for my password")

	ben.js(newest(".room article", "The printer on floor 3") + `.querySelector("[data-do=thread]").click()`)
	ben.says(".thread .composer-input", "Hello Ana, what does its display say?")
	ana.sees(".thread article", "what does its display say")
	ana.says(".thread .composer-input", "“Waiting for the server”. It is the big one beside the kitchen.")
	ben.sees(".thread article", "beside the kitchen")
	// Nothing is to be half faded in.
	ben.js(`Promise.allSettled(document.getAnimations().map(a => a.finished)).then(() => true)`)
	ben.picture("readme")
}

// opensIncident asks the desk and opens a ticket from its answer.
func (w *window) opensIncident(words, who, when string) {
	w.t.Helper()
	w.says(".room .composer-input", words)
	w.press(".thread-summary", "")
	w.press(".thread button", "Open a ticket")
	w.press(".modal button", "Something is broken")
	w.sees("[role=dialog].modal", "")
	w.js(`(` + newest(".modal button", "It is different") + `)?.click()`)
	w.press(".modal label.pick", who)
	w.press(".modal label.pick", when)
	w.press(".modal [data-do=submit]", "")
	w.sees(".thread article", "will pick it up")
}
