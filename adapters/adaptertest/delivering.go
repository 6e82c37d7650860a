package adaptertest

import (
	"net/http"
	"strings"
)

// asks is a program at the API that must be answered like this.
func (w *World) asks(token, method, path, body string, status int, words ...string) {
	w.Helper()
	got, answer := w.Asks(token, method, path, body)
	if got != status {
		w.Fatalf("%s %s was answered %d, want %d: %s", method, path, got, status, answer)
	}
	for _, word := range words {
		if !strings.Contains(answer, word) {
			w.Fatalf("%s %s: there is no %s in %s", method, path, word, answer)
		}
	}
}

var delivering = []Conversation{
	{
		Name: "a pipeline asks with its commits, waits for the yes and says how it went", Rows: []string{"AC13", "AC4", "AC14"},
		Run: func(w *World) {
			ben, leo, token := w.Person("ben"), w.Person("leo"), w.Token("ben")
			ask := func(more string) string {
				return `{"title": "Portal 4.2", "why": "The basket is fixed.", "items": ["portal"], "plan": "Roll it out by halves.", "test": "The smoke tests.", "takes": "20m",
					"repository": "acme/portal", "run": "42", "commits": [{"id": "c0ffee1234567890", "title": "Fix the basket", "author": "Eva"}]` + more + `}`
			}
			w.asks(token, http.MethodPost, "/api/changes", ask(""), http.StatusUnprocessableEntity, `"pointer":"#/rollback"`, "No change without a way back.")
			w.asks(token, http.MethodPost, "/api/changes", ask(`, "rollback": "Roll out 4.1."`), http.StatusCreated, `"change":"CHG-1"`, `"verdict":"waiting"`)
			w.asks(token, http.MethodPost, "/api/changes", ask(`, "rollback": "Roll out 4.1."`), http.StatusOK, `"change":"CHG-1"`)
			leo.Sees("CHG-1", "Portal 4.2", "deploy, acme/portal", "run 42", "c0ffee1234", "Fix the basket", "Eva", "Approve")
			ben.Sees("CHG-1", "Waiting for approval")
			w.asks(token, http.MethodPost, "/api/changes/CHG-1/result", `{"outcome": "success"}`, http.StatusConflict, "it is not approved")
			answered := make(chan string)
			go func() {
				_, answer := w.Asks(token, http.MethodGet, "/api/changes/CHG-1?wait=20s", "")
				answered <- answer
			}()
			leo.PressOn("CHG-1", "Approve")
			if answer := <-answered; !strings.Contains(answer, `"verdict":"approved","may_begin":true`) || !strings.Contains(answer, `"by":"Leo Novak"`) {
				w.Errorf("who waited was told %s", answer)
			}
			w.asks(token, http.MethodPost, "/api/changes/CHG-1/result", `{"outcome": "rolled_back"}`, http.StatusUnprocessableEntity, `"pointer":"#/note"`)
			w.asks(token, http.MethodPost, "/api/changes/CHG-1/result", `{"outcome": "success"}`, http.StatusOK, `"outcome":"success"`)
			ben.Sees("CHG-1", "Worked", "Approved by Leo Novak")
			w.Recorded(1, "changes", `select count(*) from changes where state = 'done' and outcome = 'worked'`)
			w.Recorded(2, "steps of the pipeline's", `select count(*) from audit where via = 'pipeline deploy' and action in ('raised', 'ended')`)
		},
	},
}
