package teamstest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

// outbound reads an activity that the app wants to post; nil for one that says
// that it is typing. Teams ignores much of what is wrong with a message; here it
// is refused, because nobody would see it.
func (t *Tenant) outbound(c *conversation, a map[string]any) (*Message, error) {
	if id, known := a["from"].(map[string]any); known {
		// Page "Bots in Teams": a bot has one name, that of its manifest.
		if text(id, "id") != t.botID || text(id, "name") != "" && text(id, "name") != t.app.Name {
			return nil, fmt.Errorf("a bot speaks as itself, and not as %q", text(id, "name"))
		}
	}
	conv, _, _ := strings.Cut(text(a, "conversation", "id"), ";")
	switch {
	case conv != "" && conv != c.ID:
		return nil, fmt.Errorf("the activity is for the conversation %q", conv)
	case text(a, "channelId") != "" && text(a, "channelId") != "msteams":
		return nil, fmt.Errorf("the activity is for the channel %q", text(a, "channelId"))
	}
	switch text(a, "type") {
	case "typing":
		return nil, nil
	case "message":
	default: // a reaction among them: a bot has none
		return nil, fmt.Errorf("a bot cannot send a %q", text(a, "type"))
	}
	m := &Message{From: t.botID, Format: "markdown"}
	for key, into := range map[string]*string{"text": &m.Text, "textFormat": &m.Format, "summary": &m.Summary} {
		if v, there := a[key]; there {
			s, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("%s is no text", key)
			}
			*into = s
		}
	}
	if m.Format != "markdown" && m.Format != "plain" && m.Format != "xml" {
		return nil, fmt.Errorf("there is no text format %q", m.Format)
	}
	if m.Format == "xml" {
		if err := wellFormed(m.Text); err != nil {
			return nil, fmt.Errorf("the text is no XML: %w", err)
		}
	}
	var err error
	if m.Mentions, err = t.mentionsOf(c, a, m.Text); err != nil {
		return nil, err
	}
	if m.Attachments, err = t.attachmentsOf(c, a); err != nil {
		return nil, err
	}
	if strings.TrimSpace(m.Text) == "" && len(m.Attachments) == 0 {
		return nil, errors.New("a message says something")
	}
	return m, nil
}

// wellFormed checks a text in HTML as Teams takes it: page "Format your bot
// messages".
func wellFormed(s string) error {
	d := xml.NewDecoder(strings.NewReader("<t>" + xmlOpen.ReplaceAllString(s, "<$1$2/>") + "</t>"))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// textOf is such a text as people read it.
func textOf(s string) string {
	return html.UnescapeString(xmlTag.ReplaceAllString(xmlBreak.ReplaceAllString(s, "\n"), ""))
}

var (
	xmlOpen  = regexp.MustCompile(`<(br|hr|img)((?:\s[^>/]*)?)>`)
	xmlBreak = regexp.MustCompile(`<br\s*/?>|</p>|</li>|</div>`)
	xmlTag   = regexp.MustCompile(`</?[A-Za-z][^>]*>`)
)

var atTag = regexp.MustCompile(`<at[^>]*>(.*?)</at>`)

// mentionsOf checks mentions against the text: page "Mention in text-based
// messages". Each <at> has its entity, and each entity its <at>.
func (t *Tenant) mentionsOf(c *conversation, a map[string]any, said string) ([]Mention, error) {
	var list []Mention
	named := map[string]bool{}
	entities, ok := a["entities"].([]any)
	if !ok && a["entities"] != nil {
		return nil, errors.New("entities are no list")
	}
	for _, v := range entities {
		e, _ := v.(map[string]any)
		if text(e, "type") != "mention" {
			continue
		}
		m := Mention{ID: text(e, "mentioned", "id"), Name: text(e, "mentioned", "name"), Text: text(e, "text")}
		u := t.user(m.ID)
		switch {
		case !atTag.MatchString(m.Text) || !strings.Contains(said, m.Text):
			return nil, fmt.Errorf("the mention %q is not in the text", m.Text)
		case u == nil || !t.isMember(c, u.ID):
			return nil, fmt.Errorf("nobody here is %q", m.ID)
		case m.Name == "":
			return nil, fmt.Errorf("the mention of %s has no name", m.ID)
		}
		m.ID = u.ID
		named[m.Text] = true
		list = append(list, m)
	}
	if len(list) > 0 || text(a, "textFormat") != "plain" {
		for _, tag := range atTag.FindAllString(said, -1) {
			if !named[tag] {
				return nil, fmt.Errorf("%q is in the text, and no entity says who it is", tag)
			}
		}
	}
	return list, nil
}

func (t *Tenant) attachmentsOf(c *conversation, a map[string]any) ([]Attachment, error) {
	items, ok := a["attachments"].([]any)
	if !ok && a["attachments"] != nil {
		return nil, errors.New("attachments are no list")
	}
	if layout := text(a, "attachmentLayout"); layout != "" && layout != "list" && layout != "carousel" {
		return nil, fmt.Errorf("there is no layout %q", layout)
	}
	var list []Attachment
	cards := 0
	for i, v := range items {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("attachment %d is no object", i)
		}
		att := Attachment{ContentType: text(m, "contentType"), ContentURL: text(m, "contentUrl"), Name: text(m, "name")}
		if m["content"] != nil {
			att.Content = raw(m["content"])
		}
		var err error
		switch {
		case att.ContentType == adaptiveType:
			// Views of one's own belong to the message, so that it has one card.
			if cards++; cards > 1 {
				return nil, errors.New("a message has one card")
			}
			err = t.checkCard(c, att.Content)
		case strings.HasPrefix(att.ContentType, "image/"):
			err = checkImage(att)
		case att.ContentType == consentType || att.ContentType == infoType:
			if c.Kind != Personal || att.Name == "" || att.Content == nil {
				err = errors.New("files go to a person's chat, and have a name (page \"Send and receive files\")")
			}
		default:
			err = fmt.Errorf("there is no attachment of the type %q", att.ContentType)
		}
		if err != nil {
			return nil, fmt.Errorf("attachment %d: %w", i, err)
		}
		list = append(list, att)
	}
	return list, nil
}

func checkImage(a Attachment) error {
	if webAddress(a.ContentURL, false) {
		return nil
	}
	head, data, ok := strings.Cut(a.ContentURL, ";base64,")
	if _, err := base64.StdEncoding.DecodeString(data); !ok || head != "data:"+a.ContentType || err != nil {
		return errors.New("an image is at an https address, or in a data: address of its type")
	}
	return nil
}

// checkCard is CheckCard, and whether those whom the card names are there.
func (t *Tenant) checkCard(c *conversation, card json.RawMessage) error {
	if err := CheckCard(card); err != nil {
		return err
	}
	var named struct {
		Refresh struct{ UserIDs []string } `json:"refresh"`
		MSTeams struct {
			Entities []struct{ Mentioned struct{ ID string } }
		} `json:"msteams"`
	}
	if err := json.Unmarshal(card, &named); err != nil {
		return err
	}
	for _, id := range named.Refresh.UserIDs {
		if u := t.userBy[id]; u == nil || u.ID != id {
			return fmt.Errorf("/refresh/userIds: nobody is %q", id)
		}
	}
	for _, e := range named.MSTeams.Entities {
		if u := t.user(e.Mentioned.ID); u == nil || c != nil && !t.isMember(c, u.ID) {
			return fmt.Errorf("/msteams/entities: nobody here is %q", e.Mentioned.ID)
		}
	}
	return nil
}
