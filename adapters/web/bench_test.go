package web_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// BenchmarkLook is a page that looks whether anything has changed, as every
// open one does three times a minute.
func BenchmarkLook(b *testing.B) {
	w := newWorld(b)
	for range 5 {
		openTicket(b, w.as(ana), "The printer on floor 3 is not printing")
	}
	v := w.scripted(ben)
	var card struct{ ETag string }
	if err := json.Unmarshal([]byte(v.get("/tab/card").body), &card); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if got := v.get("/tab/card", "If-None-Match", card.ETag); got.StatusCode != http.StatusNotModified {
			b.Fatal(got.Status)
		}
	}
}
