package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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
	// Synonyms are groups of words or phrases that mean the same here. One that
	// shares a word with a built-in group joins it.
	Synonyms [][]string `yaml:"synonyms"`
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
	c.synonyms(k.Synonyms)
	if k.Coverage < 0 || k.Coverage > 100 {
		c.say("knowledge.coverage", "%d is not a percentage", k.Coverage)
	}
}

// longestSynonym is in characters: a phrase, not a sentence.
const longestSynonym = 60

func (c *checker) synonyms(groups [][]string) {
	seen := map[string]string{}
	for i, group := range groups {
		path := fmt.Sprintf("knowledge.synonyms[%d]", i)
		if len(group) < 2 {
			c.say(path, "a group has two words or more, as in [vpn, remote access]")
		}
		for j, s := range group {
			at := fmt.Sprintf("%s[%d]", path, j)
			switch first, again := seen[strings.ToLower(s)]; {
			case !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
				c.say(at, "%q has no word in it", s)
			case s != strings.TrimSpace(s):
				c.say(at, "%q begins or ends with a space", s)
			case utf8.RuneCountInString(s) > longestSynonym:
				c.say(at, "it is longer than %d characters; a synonym is a word or a short phrase", longestSynonym)
			case again:
				c.say(at, "%q is in %s already; put into one group what means the same", s, first)
			default:
				seen[strings.ToLower(s)] = path
			}
		}
	}
}
