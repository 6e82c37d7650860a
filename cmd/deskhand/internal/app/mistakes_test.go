package app

import (
	"bytes"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// A mistake in the configuration ends the program at once, with status 1 and
// one line that names the setting and what to do.
func TestMistakesInTheConfiguration(t *testing.T) {
	t.Parallel()
	program := binary(t)
	w := workspace(t, slacktest.Options{})
	database := pgtest.URL(t)
	noDatabase := mustParse(t, database)
	noDatabase.Path = "/no_such_database"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	right := map[string]string{"DESKHAND_SLACK_SIGNING_SECRET": "secret", "DESKHAND_SLACK_BOT_TOKEN": "xoxb-test", "DESKHAND_DATABASE_URL": database,
		"DESKHAND_SLACK_API_URL": w.URL() + "/api/", "DESKHAND_LISTEN": "127.0.0.1:0"}
	for _, tt := range []struct {
		name  string
		set   map[string]string
		args  []string
		words []string // in the one line
	}{
		{"nothing is set up", map[string]string{"DESKHAND_SLACK_SIGNING_SECRET": "", "DESKHAND_SLACK_BOT_TOKEN": ""}, nil, []string{"DESKHAND_SLACK_BOT_TOKEN", "DESKHAND_SLACK_SIGNING_SECRET", "demo"}},
		{"no bot token", map[string]string{"DESKHAND_SLACK_BOT_TOKEN": ""}, nil, []string{"DESKHAND_SLACK_BOT_TOKEN", "OAuth & Permissions"}},
		{"no signing secret", map[string]string{"DESKHAND_SLACK_SIGNING_SECRET": ""}, nil, []string{"DESKHAND_SLACK_SIGNING_SECRET"}},
		{"a user's token for the bot's", map[string]string{"DESKHAND_SLACK_BOT_TOKEN": "xoxp-1-2"}, nil, []string{"DESKHAND_SLACK_BOT_TOKEN", "xoxb-"}},
		{"a bot's token for the app's", map[string]string{"DESKHAND_SLACK_APP_TOKEN": "xoxb-1-2"}, nil, []string{"DESKHAND_SLACK_APP_TOKEN", "xapp-"}},
		{"Slack's address is none", map[string]string{"DESKHAND_SLACK_API_URL": "slack"}, nil, []string{"DESKHAND_SLACK_API_URL", "http"}},
		{"the database's address is none", map[string]string{"DESKHAND_DATABASE_URL": "a database, please"}, nil, []string{"DESKHAND_DATABASE_URL", "postgres://"}},
		{"a MySQL", map[string]string{"DESKHAND_DATABASE_URL": "mysql://root@localhost/desk"}, nil, []string{"DESKHAND_DATABASE_URL", "postgres://"}},
		{"no Postgres there", map[string]string{"DESKHAND_DATABASE_URL": "postgres://desk:hunter2@127.0.0.1:1/desk"}, nil, []string{"DESKHAND_DATABASE_URL", "127.0.0.1:1"}},
		{"no such database", map[string]string{"DESKHAND_DATABASE_URL": noDatabase.String()}, nil, []string{"no_such_database", "createdb"}},
		{"no such user", map[string]string{"DESKHAND_DATABASE_URL": strings.Replace(database, "postgres@", "nobody_here:hunter2@", 1)}, nil, []string{"DESKHAND_DATABASE_URL", "nobody_here"}},
		{"the port is taken", map[string]string{"DESKHAND_LISTEN": taken.Addr().String()}, nil, []string{"DESKHAND_LISTEN", taken.Addr().String(), "in use"}},
		{"the port is no number", map[string]string{"DESKHAND_LISTEN": "127.0.0.1:http!"}, nil, []string{"DESKHAND_LISTEN"}},
		{"Redis's address is none", map[string]string{"DESKHAND_REDIS_URL": "my redis"}, nil, []string{"DESKHAND_REDIS_URL", "redis://"}},
		{"no policy file", nil, []string{"--policy", "/no/such/policy.yaml"}, []string{"/no/such/policy.yaml", "policy"}},
		{"a policy with a field that there is not", nil, []string{"--policy", file("a.yaml", "desk:\n  compny: Acme\n")}, []string{"a.yaml", "compny", "2"}},
		{"a policy that is no YAML", nil, []string{"--policy", file("b.yaml", "desk: [\n")}, []string{"b.yaml"}},
		{"a policy that names nobody's team", nil, []string{"--policy", file("c.yaml", strings.Replace(company, "incidents: network", "incidents: netwrok", 1))}, []string{"c.yaml", "netwrok"}},
		{"a flag that there is not", nil, []string{"--polcy", "x"}, []string{"--polcy"}},
		{"a level of logs that there is not", map[string]string{"DESKHAND_LOG_LEVEL": "chatty"}, nil, []string{"chatty", "--log-level", "DESKHAND_LOG_LEVEL", "info, warn"}},
		{"a data directory that can't be", map[string]string{"DESKHAND_DATA": "/dev/null/x"}, nil, []string{"/dev/null/x", "--data"}},
		{"a line break in a secret", map[string]string{"DESKHAND_SLACK_SIGNING_SECRET": "sec\nret"}, nil, []string{"line break in DESKHAND_SLACK_SIGNING_SECRET;", "copy it again"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"DESKHAND_DATA": t.TempDir()}
			for _, more := range []map[string]string{right, tt.set} {
				for k, v := range more {
					env[k] = v
				}
			}
			var list []string
			for k, v := range env {
				list = append(list, k+"="+v)
			}
			cmd := exec.Command(program, append([]string{"serve"}, tt.args...)...)
			cmd.Env = environ(list...)
			cmd.SysProcAttr = endWithParent
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
			defer late.Stop()
			_ = cmd.Wait() // the exit code says it
			said := strings.TrimSpace(out.String())
			if code := cmd.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit code %d, want 1; it said:\n%s", code, said)
			}
			if lines := strings.Split(said, "\n"); len(lines) != 1 && !strings.Contains(strings.Join(tt.args, " "), "yaml") {
				t.Errorf("it said %d lines, want one:\n%s", len(lines), said)
			}
			if !strings.HasPrefix(said, "deskhand: ") {
				t.Errorf("it said %q, want its name first", said)
			}
			for _, word := range tt.words {
				if !strings.Contains(said, word) {
					t.Errorf("it said %q, want %q in it", said, word)
				}
			}
			for _, secret := range []string{"hunter2", "panic", "goroutine"} {
				if strings.Contains(said, secret) {
					t.Errorf("it said %q, with %q in it", said, secret)
				}
			}
		})
	}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
