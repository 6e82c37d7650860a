package policyfile

import (
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"an unknown field", "desk:\n  compnay: Acme\n", "line 2"},
		{"a tab where YAML has none", "desk:\n\tcompany: Acme\n", "line 2"},
		{"a value of the wrong type", "teams:\n  - slug: a\n    name: A\n    tier: high\n", "line 4"},
		{"a service whose team is not there", "teams:\n  - slug: a\n    name: A\n    tier: 1\nservices:\n  - slug: vpn\n    name: VPN\n    incidents: b\n    requests: a\n",
			`line 8: services[0].incidents: there is no team "b"`},
		{"an unknown time zone", "desk:\n  timezone: Europe/Atlantis\n", `line 2: desk.timezone: there is no time zone "Europe/Atlantis"`},
		{"a time that is none", "desk:\n  close_after: soon\n", "line 2"},
		{"a person twice", "people:\n  - {mail: a@b.example, name: A}\n  - {mail: A@b.example, name: B}\n", "line 3: people[1].mail"},
		{"two teams in one channel", "teams:\n  - {slug: a, name: A, tier: 1, channel: {slack: x}}\n  - {slug: b, name: B, tier: 1, channel: {slack: '#x'}}\n", "another team triages in"},
		{"an impact that is none", "matrix:\n  world: {now: 1}\n", `there is no impact "world"`},
		{"two documents", "desk: {}\n---\ndesk: {}\n", "several documents"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("policy.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse(%q) = %v, want an error with %q", tt.text, err, tt.want)
			}
		})
	}
}

func TestEmptyPolicyIsTheBuiltInOne(t *testing.T) {
	t.Parallel()
	p, err := Parse("policy.yaml", nil)
	if err != nil {
		t.Fatalf("Parse of an empty file: %v", err)
	}
	if len(p.Teams) != 1 || len(p.Services) != 1 || p.Desk.CloseAfter.Value() == 0 {
		t.Errorf("Parse of an empty file = %+v, want the built-in policy", p)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("desk:\n  company: Acme\nteams:\n  - {slug: a, name: A, tier: 1}\n")
	f.Add("people: [{mail: a@b.example, name: A, manager: a@b.example}]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("policy.yaml", []byte(text))
		if err == nil && len(p.Check()) > 0 {
			t.Errorf("Parse(%q) let through %v", text, p.Check())
		}
	})
}
