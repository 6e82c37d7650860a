package teams

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/deskhand/deskhand/bot/chat"
)

// What the adapter itself costs of an acknowledgement and of an invoke's answer:
// token, activity, references, event, card.
func BenchmarkReceive(b *testing.B) {
	o := newOffice(b)
	o.desk.answer = func(chat.Event) (chat.Answer, error) { return chat.Answer{Card: &ticketCard}, nil }
	message := o.sample("message-personal")
	press := o.invoke("adaptiveCard/action", map[string]any{"action": map[string]any{"type": "Action.Execute", "data": map[string]any{"do": "ticket.claim"}}})
	handler, token := o.Handler(), "Bearer "+o.ms.sign(o.ms.claims())
	for name, act := range map[string]map[string]any{"message": message, "press": press} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				act["id"] = string(rune('a'+i%20)) + "-" + name
				w := httptest.NewRecorder()
				req := httptest.NewRequest(http.MethodPost, "/api/messages", bytes.NewReader(encoded(act)))
				req.Header.Set("Authorization", token)
				if handler.ServeHTTP(w, req); w.Code != http.StatusOK {
					b.Fatalf("answered %d", w.Code)
				}
			}
		})
	}
}
