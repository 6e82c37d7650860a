package demo

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb/articlefile"
)

var today = time.Date(2026, 11, 18, 14, 20, 0, 0, time.UTC)

func TestPolicyHasACompanyToBelieve(t *testing.T) {
	t.Parallel()
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.People); n < 38 || n > 46 {
		t.Errorf("%d people, want about 40", n)
	}
	if n := len(p.Teams); n != 5 {
		t.Errorf("%d teams, want 5", n)
	}
	if n := len(p.Services); n < 14 || n > 20 {
		t.Errorf("%d services, want 14 to 20", n)
	}
	tiers := map[int]bool{}
	for _, team := range p.Teams {
		tiers[team.Tier] = true
		if team.Channel["slack"] == "" || len(team.Members) < 2 {
			t.Errorf("team %s has channel %q and %d members", team.Slug, team.Channel["slack"], len(team.Members))
		}
	}
	if !tiers[1] || !tiers[2] || !tiers[3] {
		t.Errorf("tiers %v, want 1, 2 and 3", tiers)
	}
	managed := 0
	for _, person := range p.People {
		if person.Manager != "" {
			managed++
		}
	}
	if managed != len(p.People)-1 {
		t.Errorf("%d of %d people have a manager, want all but one", managed, len(p.People))
	}
}

func TestColleaguesAreTheRestOfTheStaff(t *testing.T) {
	t.Parallel()
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	mails := map[string]bool{}
	address := regexp.MustCompile(`^[a-z]+(\.[a-z]+)+@oxbarrow\.example$`)
	all := append(slices.Clone(p.People), Colleagues(p.People)...)
	for _, person := range all {
		if mails[person.Mail] || !address.MatchString(person.Mail) {
			t.Errorf("%s has the address %q, which is taken or none", person.Name, person.Mail)
		}
		mails[person.Mail] = true
	}
	for _, person := range all {
		if person.Manager != "" && !mails[person.Manager] {
			t.Errorf("%s reports to %s, who is not there", person.Name, person.Manager)
		}
	}
	if len(all) != staff {
		t.Errorf("%d people, want %d", len(all), staff)
	}
}

func articlesForTest(t *testing.T) []knowledge.Article {
	t.Helper()
	all, err := articlefile.ReadDir(Articles(), today)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestArticlesAreWorthReading(t *testing.T) {
	t.Parallel()
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	owners, groups, services := map[string]bool{}, map[string]bool{knowledge.Everyone: true}, map[string]bool{}
	for _, person := range p.People {
		owners[person.Mail], groups[person.Department] = true, true
	}
	for _, s := range p.Services {
		services[s.Slug] = true
	}
	all := articlesForTest(t)
	titles := map[string]bool{}
	for _, a := range all {
		if titles[a.Title] {
			t.Errorf("%s: there is another %q", a.Slug, a.Title)
		}
		titles[a.Title] = true
	}
	published, known, limited, drafts := 0, 0, 0, 0
	cited := regexp.MustCompile(`[Ss]ee "([^"]+)"`)
	for _, a := range all {
		if problems := a.Problems(); len(problems) > 0 {
			t.Errorf("%s: %v", a.Slug, problems)
		}
		if words := len(strings.Fields(a.Answer)); words < 55 || words > 260 {
			t.Errorf("%s has %d words; it is to be read in 30 seconds", a.Slug, words)
		}
		if !owners[a.Owner] {
			t.Errorf("%s is owned by %s, who is not there", a.Slug, a.Owner)
		}
		if !a.ReviewBy.After(today) {
			t.Errorf("%s is to be reviewed on %v", a.Slug, a.ReviewBy)
		}
		for _, g := range a.Audience {
			if !groups[g] {
				t.Errorf("%s is for %q, and nobody is in that", a.Slug, g)
			}
		}
		for _, m := range cited.FindAllStringSubmatch(a.Answer, -1) {
			if !titles[m[1]] {
				t.Errorf("%s sends its reader to %q, which is not there", a.Slug, m[1])
			}
		}
		if a.KnownError {
			known++
			if a.Cause == "" || !strings.Contains(a.Answer, "What works now") {
				t.Errorf("%s is a known error without a cause or a workaround", a.Slug)
			}
		}
		if !slices.Contains(a.Audience, knowledge.Everyone) {
			limited++
		}
		if a.State == knowledge.Draft {
			drafts++
		} else {
			published++
		}
	}
	if published < 84 || known < 5 || limited < 4 || drafts < 2 {
		t.Errorf("%d published, %d known errors, %d limited, %d drafts; want at least 84, 5, 4 and 2", published, known, limited, drafts)
	}
}
