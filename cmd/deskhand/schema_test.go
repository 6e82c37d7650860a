package main

import (
	"bytes"
	"strings"
	"testing"
)

// Whoever starts a build on the record of another is told in one line what to do.
func TestTheRecordOfAnotherBuild(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	if _, err := db.Pool().Exec(t.Context(), `update schema_files set sum = 'another', program = 'v0.3.1' where version = 1`); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for what, tt := range map[string]struct {
		err  error
		want string
	}{
		"demo":    {(&demoCmd{}).seed(t.Context(), &env{out: &out, bad: &out}, url), "deskhand demo --reset begins afresh"},
		"migrate": {run(t.Context(), []string{"migrate", "--database-url", url}, &out, &out), "made by deskhand v0.3.1"},
		"serve":   {run(t.Context(), []string{"serve", "--slack-bot-token", "xoxb-1", "--slack-signing-secret", "s", "--data", t.TempDir(), "--database-url", url}, &out, &out), "made by deskhand v0.3.1"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) || strings.Contains(tt.err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", what, tt.err, tt.want)
		}
	}
	if err := run(t.Context(), []string{"doctor", "--database-url", url}, &out, &out); err == nil || !strings.Contains(out.String(), "FIX  schema") {
		t.Errorf("doctor: %v\n%s", err, out.String())
	}
}
