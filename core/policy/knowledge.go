package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
)

// Knowledge is who looks after what the desk knows, and where.
type Knowledge struct {
	// Channel is where the desk tells each week what it could not answer.
	Channel Channels `yaml:"channel"`
	// Draft and Publish are who may: mail addresses, slugs of teams, or agents,
	// leads and admins. Without them every agent drafts; leads and admins publish.
	Draft   []string `yaml:"may_draft"`
	Publish []string `yaml:"may_publish"`
	// Review is when an article is to be looked at again that names no day itself.
	Review Duration `yaml:"review_after"`
	// Coverage is how many of a hundred past questions the articles should
	// cover before people are told of the desk.
	Coverage int `yaml:"coverage"`
}

func (k Knowledge) withDefaults() Knowledge {
	if k.Draft == nil {
		k.Draft = []string{"agents"}
	}
	if k.Publish == nil {
		k.Publish = []string{"leads", "admins"}
	}
	if k.Review == "" {
		k.Review = "365d"
	}
	if k.Coverage == 0 {
		k.Coverage = 60
	}
	return k
}

// Rights are what somebody may do with articles; lead says that they lead a
// team.
func (k Knowledge) Rights(who people.Actor, lead bool) knowledge.Rights {
	if who.Left || who.Guest {
		return knowledge.Rights{}
	}
	named := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool {
			switch {
			case s == "agents":
				return who.Agent()
			case s == "leads":
				return lead
			case s == "admins":
				return who.Admin
			case strings.Contains(s, "@"):
				return strings.EqualFold(s, who.Mail)
			}
			return slices.Contains(who.Slugs, s)
		})
	}
	r := knowledge.Rights{Publish: named(k.Publish)}
	r.Draft = r.Publish || named(k.Draft)
	return r
}

func (c *checker) knowledge(k Knowledge, teams map[string]bool, known func(path, mail, what string)) {
	c.channels("knowledge.channel", k.Channel, nil)
	for _, list := range []struct {
		name string
		of   []string
	}{{"may_draft", k.Draft}, {"may_publish", k.Publish}} {
		for i, s := range list.of {
			path := fmt.Sprintf("knowledge.%s[%d]", list.name, i)
			switch {
			case strings.Contains(s, "@"):
				known(path, s, "the author")
			case s != "agents" && s != "leads" && s != "admins" && !teams[s]:
				c.say(path, "%q is neither a mail address nor a team's slug, and not agents, leads or admins", s)
			}
		}
	}
	if _, err := k.Review.parse(); err != nil && k.Review != "" {
		c.say("knowledge.review_after", "%v", err)
	}
	if k.Coverage < 0 || k.Coverage > 100 {
		c.say("knowledge.coverage", "%d is not a percentage", k.Coverage)
	}
}
