package pipeline

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever is sent is understood as it stands, or refused in a way that says
// where.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{good(nil), `{"outcome": "success", "ended_at": "2026-11-02T09:15:00Z"}`, `{"commits": [{"id": "1"}, 5], "items": "x"}`, `{"a": 1, "a": 2}`, `[]`, `{"title": "\u0000"}`, "{\"\xff\": 1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ask, err := decodeAsk(body)
		if p, refused := err.(problem); refused { //nolint:errorlint // it is what is returned
			if p.Status != http.StatusBadRequest && len(p.Errors) == 0 {
				t.Errorf("refused without a reason: %+v", p)
			}
			for _, e := range p.Errors {
				if !strings.HasPrefix(e.Pointer, "#/") || e.Detail == "" {
					t.Errorf("where is %+v?", e)
				}
			}
		} else if err != nil {
			t.Errorf("refused as %v", err)
		} else if again, err := decodeAsk(body); err != nil || again.Digest != ask.Digest {
			t.Errorf("the same text is understood in two ways: %v", err)
		}
		_, err = decodeResult(body)
		if _, refused := err.(problem); err != nil && !refused { //nolint:errorlint // it is what is returned
			t.Errorf("refused as %v", err)
		}
	})
}
