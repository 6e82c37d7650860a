package slacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Socket mode: see docs.slack.dev/apis/events-api/using-socket-mode.

const (
	maxSockets   = 10 // "up to 10 open WebSocket connections"
	pingInterval = 5 * time.Second
)

// socketSet is the app's open sockets. Each envelope goes over one of them, in
// turn.
type socketSet struct {
	mu      sync.Mutex
	open    []*socket
	tickets map[string]bool
	turn    int
	last    int64
}

type socket struct {
	conn  *websocket.Conn
	write sync.Mutex
	done  chan struct{}

	mu   sync.Mutex
	acks map[string]chan json.RawMessage
}

// ticket is good for one connection.
func (s *socketSet) ticket() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxSockets {
		return "", false
	}
	s.last++
	t := fmt.Sprintf("ticket-%06d", s.last)
	if s.tickets == nil {
		s.tickets = map[string]bool{}
	}
	s.tickets[t] = true
	return t, true
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func (w *Workspace) serveSocket(rw http.ResponseWriter, r *http.Request) {
	ticket := r.URL.Query().Get("ticket")
	w.sockets.mu.Lock()
	known := w.sockets.tickets[ticket]
	delete(w.sockets.tickets, ticket)
	w.sockets.mu.Unlock()
	if !known {
		http.Error(rw, "unknown ticket", http.StatusUnauthorized)
		return
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		http.Error(rw, "closed", http.StatusServiceUnavailable)
		return
	}
	w.running.Add(1)
	w.mu.Unlock()
	defer w.running.Done()
	conn, err := upgrader.Upgrade(rw, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	s := &socket{conn: conn, done: make(chan struct{}), acks: map[string]chan json.RawMessage{}}
	// Whoever has read the hello can be reached, and nothing is sent before it.
	s.write.Lock()
	w.sockets.mu.Lock()
	w.sockets.open = append(w.sockets.open, s)
	n := len(w.sockets.open)
	w.sockets.mu.Unlock()
	err = s.put(map[string]any{
		"type": "hello", "num_connections": n, "connection_info": map[string]string{"app_id": w.app.ID},
		"debug_info": map[string]any{"host": "applink-slacktest", "build_number": 1, "approximate_connection_time": 18060},
	})
	s.write.Unlock()
	if err != nil || w.ctx.Err() != nil {
		close(s.done)
		conn.Close()
		w.sockets.drop(s)
		return
	}
	w.running.Go(s.ping)
	s.read()
	close(s.done)
	conn.Close()
	w.sockets.drop(s)
}

func (s *socketSet) drop(gone *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, x := range s.open {
		if x == gone {
			s.open = append(s.open[:i:i], s.open[i+1:]...)
			return
		}
	}
}

func (s *socketSet) closeAll() {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	for _, x := range open {
		x.conn.Close()
	}
}

// read takes acknowledgements until the app hangs up.
func (s *socket) read() {
	s.conn.SetReadLimit(maxAnswer)
	for {
		_, data, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if json.Unmarshal(data, &ack) != nil {
			continue
		}
		s.mu.Lock()
		got := s.acks[ack.EnvelopeID]
		delete(s.acks, ack.EnvelopeID)
		s.mu.Unlock()
		if got != nil {
			got <- ack.Payload // has room for one
		}
	}
}

// ping keeps the connection alive; clients take a missing ping for a broken line.
func (s *socket) ping() {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		err := s.conn.WriteControl(websocket.PingMessage, []byte("Ping from applink-slacktest"), time.Now().Add(time.Second))
		if err != nil {
			s.conn.Close()
			return
		}
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
	}
}

func (s *socket) writeJSON(v any) error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.put(v)
}

// put is writeJSON for who holds write.
func (s *socket) put(v any) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return err
	}
	return s.conn.WriteJSON(v)
}

// send hands an envelope to one socket and waits for its acknowledgement.
func (s *socketSet) send(ctx context.Context, within time.Duration, typ string, payload []byte, attempt int, why string) answer {
	s.mu.Lock()
	if len(s.open) == 0 {
		s.mu.Unlock()
		return answer{reason: "connection_failed"}
	}
	s.turn++
	to := s.open[s.turn%len(s.open)]
	s.last++
	id := fmt.Sprintf("%08x-0000-4000-8000-slacktest000", s.last)
	s.mu.Unlock()

	env := map[string]any{
		"envelope_id": id, "type": typ, "payload": json.RawMessage(payload),
		"accepts_response_payload": typ != "events_api",
	}
	if typ == "events_api" {
		env["retry_attempt"], env["retry_reason"] = attempt, why
	}
	got := make(chan json.RawMessage, 1)
	to.mu.Lock()
	to.acks[id] = got
	to.mu.Unlock()
	defer func() {
		to.mu.Lock()
		delete(to.acks, id)
		to.mu.Unlock()
	}()
	if err := to.writeJSON(env); err != nil {
		return answer{reason: "connection_failed"}
	}
	select {
	case p := <-got:
		return answer{status: http.StatusOK, body: p, header: http.Header{"Content-Type": {"application/json"}}}
	case <-to.done:
		return answer{reason: "connection_failed"}
	case <-after(within):
		return answer{reason: "http_timeout"}
	case <-ctx.Done():
		return answer{reason: "connection_failed"}
	}
}

// Refresh asks the app's sockets to reconnect, as Slack does every few hours, and
// closes them a moment later.
func (w *Workspace) Refresh() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.sockets.mu.Lock()
	old := w.sockets.open
	w.sockets.open = nil // nothing more is sent over them
	w.sockets.mu.Unlock()
	for _, s := range old {
		w.spawn(func() {
			_ = s.writeJSON(map[string]any{"type": "disconnect", "reason": "refresh_requested", "debug_info": map[string]string{"host": "applink-slacktest"}})
			select { // acknowledgements that are due may still come
			case <-after(w.answerWithin):
			case <-s.done:
			case <-w.ctx.Done():
			}
			s.conn.Close()
		})
	}
}

func (w *Workspace) apiConnectionsOpen(*request) (any, error) {
	if !w.socketMode {
		return nil, &APIError{Code: "forbidden_team"} // unpublished: the answer for an app without socket mode
	}
	ticket, ok := w.sockets.ticket()
	if !ok {
		return nil, &APIError{Code: "too_many_websockets"}
	}
	return map[string]any{"url": strings.Replace(w.url, "http", "ws", 1) + "/socket?ticket=" + ticket + "&app_id=" + w.app.ID}, nil
}
