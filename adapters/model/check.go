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

// checkWait is how long Check waits: a model that was not asked for a while may
// have to be loaded first.
const checkWait = 15 * time.Second

// Check asks the model an invented question about invented articles.
func (c *Client) Check(ctx context.Context) Finding {
	patient, err := New(Options{URL: c.o.URL, Key: c.o.Key, Name: c.o.Name, Wait: checkWait, Now: c.o.Now, Log: c.o.Log})
	if err != nil {
		return Finding{Text: err.Error()}
	}
	among := []kb.Choice{
		{Article: 1, Title: "Book a meeting room", Sentences: []string{"You need a room for a meeting.", "Open the calendar and choose Rooms."}},
		{Article: 2, Title: "Keep the VPN connected", Sentences: []string{"The VPN drops every few minutes.", "Switch off power saving for Wi-Fi."}},
	}
	var advice kb.Advice
	var took time.Duration
	// The first call may have to load the model, or learn what the server takes.
	for calls := 0; calls < 2; calls++ {
		began := c.o.Now()
		advice, err = patient.Ask(ctx, "I am thrown out of the VPN all the time", nil, among)
		took = c.o.Now().Sub(began)
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
	in := took.Round(time.Millisecond)
	switch {
	case took > c.o.Wait:
		return Finding{Text: fmt.Sprintf("%s answers in %s, and the desk waits for %s", name, in, c.o.Wait),
			Fix: "take a smaller model, or give it a faster machine; until then questions are answered without it"}
	case advice.Order[0] != knowledge.ArticleID(2):
		return Finding{Text: name + " puts the wrong one of two simple articles first", Fix: "take another model; measure it with: deskhand kb eval --model-url"}
	}
	return Finding{OK: true, Text: fmt.Sprintf("%s answers in %s", name, in)}
}
