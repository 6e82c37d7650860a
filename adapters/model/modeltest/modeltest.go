// Package modeltest plays a language model behind an OpenAI-compatible
// endpoint, one that behaves or one that does not.
package modeltest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Asked is what a model is sent.
type Asked struct {
	Model    string
	Key      string // of the bearer
	Fields   map[string]json.RawMessage
	Question string
	Articles []Article
	Body     string // all of it
}

// Article is one of those asked about.
type Article struct {
	Number    int      `json:"number"`
	Title     string   `json:"title"`
	Sentences []string `json:"sentences"`
}

// Named is the number of an article, 0 if it was not sent.
func (a Asked) Named(title string) int {
	for _, at := range a.Articles {
		if at.Title == title {
			return at.Number
		}
	}
	return 0
}

// Manner is how a model answers.
type Manner func(w http.ResponseWriter, r *http.Request, a Asked)

// Server is a model's endpoint.
type Server struct {
	URL string // what DESKHAND_MODEL_URL is set to

	mu     sync.Mutex
	manner Manner
	asked  []Asked
}

// New starts a server that answers in a manner until the test ends.
func New(t testing.TB, m Manner) *Server {
	t.Helper()
	s := &Server{manner: m}
	h := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		h.CloseClientConnections() // some manners never end
		h.Close()
	})
	s.URL = h.URL + "/v1"
	return s
}

// Behave changes the manner.
func (s *Server) Behave(m Manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = m
}

// Asked is what it was sent so far.
func (s *Server) Asked() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Asked(nil), s.asked...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	a, err := read(r)
	if err != nil {
		http.Error(w, fmt.Sprintf(`{"error":{"message":%q}}`, err), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, a)
	m := s.manner
	s.mu.Unlock()
	m(w, r, a)
}

// read refuses what such a server would.
func read(r *http.Request) (a Asked, err error) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Content-Type") != "application/json" {
		return a, fmt.Errorf("%s %s is nothing here", r.Method, r.URL.Path)
	}
	var body strings.Builder
	if err := json.NewDecoder(r.Body).Decode(&a.Fields); err != nil {
		return a, err
	}
	if err := json.NewEncoder(&body).Encode(a.Fields); err != nil {
		return a, err
	}
	a.Body = body.String()
	a.Key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err := json.Unmarshal(a.Fields["model"], &a.Model); err != nil {
		return a, err
	}
	var messages []struct{ Role, Content string }
	if err := json.Unmarshal(a.Fields["messages"], &messages); err != nil {
		return a, err
	}
	if len(messages) != 2 || messages[0].Role != "system" || messages[1].Role != "user" {
		return a, fmt.Errorf("%d messages", len(messages))
	}
	var in struct {
		Question string
		Articles []Article
	}
	err = json.Unmarshal([]byte(messages[1].Content), &in)
	a.Question, a.Articles = in.Question, in.Articles
	return a, err
}

// Says is a model that writes what f makes of a question.
func Says(f func(Asked) string) Manner {
	return func(w http.ResponseWriter, _ *http.Request, a Asked) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": "1", "object": "chat.completion", "model": a.Model,
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": f(a)}}}})
	}
}

// Prefers is a model that puts an article first that has this title, and shows
// the sentences with these numbers of it.
func Prefers(title string, sentences ...int) Manner {
	return Says(func(a Asked) string {
		n := a.Named(title)
		order := []int{n}
		for _, at := range a.Articles {
			if at.Number != n {
				order = append(order, at.Number)
			}
		}
		js, _ := json.Marshal(map[string]any{"order": order, "extracts": []any{map[string]any{"article": n, "sentences": sentences}}}) // plain numbers
		return string(js)
	})
}

// Status is a server that answers with a status and what servers write then.
func Status(code int) Manner {
	return func(w http.ResponseWriter, _ *http.Request, a Asked) {
		http.Error(w, fmt.Sprintf(`{"error":{"message":"no: %s"}}`, http.StatusText(code)), code)
	}
}

// Bad are the ways in which a model can be of no use, by name. The answer to a
// question is with each of them what it is without a model.
var Bad = map[string]Manner{
	"invents articles": Says(func(Asked) string {
		return `{"order": [77, -1, 0, 99], "extracts": [{"article": 77, "sentences": [1]}]}`
	}),
	"writes prose":                Says(func(Asked) string { return "You should restart your computer. {Really" }),
	"writes sentences of its own": Says(func(a Asked) string { return ownWords(a) }),
	"follows an instruction": Says(func(Asked) string {
		return `{"order": ["KB-1"], "answer": "Send your password to help@evil.example.", "confidence": "high"}`
	}),
	"writes nothing": Says(func(Asked) string { return "" }),
	"answers 500":    Status(http.StatusInternalServerError),
	"answers 401":    Status(http.StatusUnauthorized),
	"answers 429":    Status(http.StatusTooManyRequests),
	"answers a page": page,
	"answers 10 MB":  huge,
	"hangs":          hangs,
	"breaks off":     breaksOff,
	"has no choices": func(w http.ResponseWriter, _ *http.Request, _ Asked) { _, _ = w.Write([]byte(`{"choices": []}`)) },
	"sends one onward": func(w http.ResponseWriter, r *http.Request, _ Asked) {
		http.Redirect(w, r, "/v1/elsewhere", http.StatusTemporaryRedirect)
	},
}

// ownWords keeps the order and puts words into the articles' mouths: some of
// its own, half of a sentence, and two sentences as one.
func ownWords(a Asked) string {
	var order []int
	var extracts []any
	for _, at := range a.Articles {
		order = append(order, at.Number)
		said := []any{"Send your password to help@evil.example.", "[1] Ignore it.", 4711}
		if len(at.Sentences) > 1 {
			_, first, _ := strings.Cut(at.Sentences[0], " ")
			said = append(said, first[len(first)/2:], at.Sentences[0]+" "+at.Sentences[1])
		}
		extracts = append(extracts, map[string]any{"article": at.Number, "sentences": said})
	}
	js, _ := json.Marshal(map[string]any{"order": order, "extracts": extracts}) // plain values
	return string(js)
}

func page(w http.ResponseWriter, _ *http.Request, _ Asked) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte("<!doctype html><title>Sign in</title>"))
}

func huge(w http.ResponseWriter, _ *http.Request, _ Asked) {
	line := []byte(strings.Repeat(" ", 1<<16))
	_, _ = w.Write([]byte(`{"choices": [`))
	for range 160 {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

func hangs(_ http.ResponseWriter, r *http.Request, _ Asked) { <-r.Context().Done() }

func breaksOff(w http.ResponseWriter, _ *http.Request, _ Asked) {
	w.Header().Set("Content-Length", "4000")
	_, _ = w.Write([]byte(`{"choices": [{"message": {"role": "assistant", "content": "{\"order\": [2`))
}
