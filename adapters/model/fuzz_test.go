package model

import (
	"slices"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Whatever is written, the order is one of the choices, none of them twice.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"order": [2, 1, 3], "extracts": [{"article": 2, "sentences": [1, "2", "words"]}]}`, "```json\n{\"order\":[\"[3]\"]}\n```",
		`<think>{</think>{"order":[1,1,9,-1,1e9,null]}`, `{"order":[[[1]]],"extracts":[{"article":{}}]}`, `{"extracts":[{}]}`, "{", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		advice, ok := read(text, among)
		if ok != (len(advice.Order) > 0) {
			t.Errorf("read() = %v, %t", advice, ok)
		}
		seen := map[knowledge.ArticleID]bool{}
		for _, id := range advice.Order {
			if seen[id] || !slices.Contains([]knowledge.ArticleID{31, 12, 5}, id) {
				t.Errorf("%s is in the order %v", id.Ref(), advice.Order)
			}
			seen[id] = true
		}
		for id := range advice.Sentences {
			if !slices.Contains([]knowledge.ArticleID{31, 12, 5}, id) {
				t.Errorf("sentences for %s", id.Ref())
			}
		}
	})
}
