package model

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

// Finding is the outcome of a check.
type Finding struct {
	OK   bool
	Text string // what was found, in words
	Fix  string // what to do, if it is not OK
}

// Check asks the model an invented question about invented articles.
func (c *Client) Check(ctx context.Context) Finding {
	among := []kb.Choice{
		{Article: 1, Title: "Book a meeting room", Sentences: []string{"You need a room for a meeting.", "Open the calendar and choose Rooms."}},
		{Article: 2, Title: "Keep the VPN connected", Sentences: []string{"The VPN drops every few minutes.", "Switch off power saving for Wi-Fi."}},
	}
	var advice kb.Advice
	var err error
	var first, took time.Duration
	// The first call may have to load the model, or learn what the server takes.
	for calls := 0; calls < 2; calls++ {
		began := c.o.Now()
		advice, err = c.once(ctx, "I am thrown out of the VPN all the time", nil, among)
		first, took = took, c.o.Now().Sub(began)
		if failure := (*callError)(nil); errors.As(err, &failure) {
			if failure.result != "adapted" {
				break
			}
			calls--
		}
	}
	name := c.o.Name + " at " + c.at
	if failure := (*callError)(nil); errors.As(err, &failure) {
		f := Finding{Text: name + ": " + failure.why, Fix: "is it running, and can this machine reach it? The desk answers without it meanwhile"}
		switch failure.status {
		case 0:
		case http.StatusUnauthorized, http.StatusForbidden:
			f.Fix = "it does not take the key: look at DESKHAND_MODEL_KEY"
		case http.StatusNotFound:
			f.Fix = "look at DESKHAND_MODEL_URL, which mostly ends in /v1, and DESKHAND_MODEL_NAME"
		default:
			f.Fix = "it says: " + failure.said
		}
		return f
	}
	text := fmt.Sprintf("%s answers in %s", name, took.Round(time.Millisecond))
	switch {
	case took > c.o.Wait:
		return Finding{Text: fmt.Sprintf("%s, and the desk waits for %s", text, c.o.Wait),
			Fix: "take a smaller model, or give it a faster machine; until then questions are answered without it"}
	case advice.Order[0] != knowledge.ArticleID(2):
		return Finding{Text: name + " puts the wrong one of two simple articles first", Fix: "take another model; measure it with: deskhand kb eval --model-url"}
	case first > c.o.Wait:
		text += fmt.Sprintf(", but took %s at first: if its server unloads it after a pause, the next question is answered without", first.Round(time.Millisecond))
	}
	return Finding{OK: true, Text: text}
}
