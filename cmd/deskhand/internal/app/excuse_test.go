package app

import (
	"testing"
	"time"
)

func TestOnlyWhatNobodyCouldKnowIsExcused(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	killed := func(after time.Duration) []*process {
		return []*process{{}, {kills: []time.Time{at.Add(-time.Hour), at.Add(after)}}}
	}
	call := func(answered bool) []attempt {
		return []attempt{{id: "1", at: at, done: at.Add(time.Second), answered: answered}, {id: "2", at: at.Add(30 * time.Second), done: at.Add(31 * time.Second), answered: true}}
	}
	for name, tt := range map[string]struct {
		sent      []attempt
		id        string
		processes []*process
		want      bool
	}{
		"its answer was lost":                           {call(false), "1", killed(time.Hour), true},
		"the desk was killed during the call":           {call(true), "1", killed(500 * time.Millisecond), true},
		"the desk was killed just after the answer":     {call(true), "1", killed(2 * time.Second), true},
		"the desk was killed long after it":             {call(true), "1", killed(20 * time.Second), false},
		"the desk was killed while it was on its way":   {call(true), "1", killed(-500 * time.Millisecond), true},
		"the desk was killed before it":                 {call(true), "1", killed(-2 * time.Second), false},
		"it was answered, and nobody was killed":        {call(true), "1", nil, false},
		"another message of the post was not confirmed": {call(false), "2", nil, false},
		"no call has made it":                           {call(false), "3", killed(0), false},
		"it can be looked for":                          {nil, "1", killed(0), false},
	} {
		if got := excuse(tt.sent, tt.id, tt.processes); got != tt.want {
			t.Errorf("%s: excused is %v, want %v", name, got, tt.want)
		}
	}
}
