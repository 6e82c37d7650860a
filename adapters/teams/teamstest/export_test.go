package teamstest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Answers plays that the app has answered this to each kind of invoke. It fails
// if a person would see nothing of it.
func (t *Tenant) Answers(body []byte) error {
	p := t.Person("ana")
	c := t.personal(p.id)
	m := t.post(c, &Message{From: t.botID, Attachments: []Attachment{{ContentType: adaptiveType, Content: []byte(`{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"x"}]}`)}}})
	u := t.user("ana")
	got := answer{status: 200, body: body}
	sees := func() string {
		s, _ := p.See(c.ID, m.ID)
		d, _ := p.Dialog()
		return fmt.Sprint(t.Render(s), s.Own, len(p.Notices(c.ID)), d.ID, len(c.msgs))
	}
	before := sees()
	if err := p.answered(spot{c: c, u: u, m: m}, got, ""); err == nil && sees() == before {
		return fmt.Errorf("an answer to a press shows nothing: %q", body)
	}
	before = sees()
	if err := p.openTask(&Dialog{Channel: c.ID, On: m.ID}, got); err == nil && sees() == before {
		return fmt.Errorf("an answer to task/fetch shows nothing: %q", body)
	}
	if d, open := p.Dialog(); open {
		if d.Title == "" || len(d.Card) == 0 && d.Message == "" && d.URL == "" {
			return fmt.Errorf("an empty dialog is open: %+v", d)
		}
		before = sees()
		if err := p.openTask(&d, got); err == nil && sees() == before {
			return fmt.Errorf("an answer to task/submit shows nothing: %q", body)
		}
	}
	if found, say, err := t.readResults(body); err == nil && len(found) == 0 && say == "" && found == nil {
		return fmt.Errorf("an answer to a search shows nothing: %q", body)
	}
	return nil
}

// AppToken is a token as the app would get one.
func (t *Tenant) AppToken() (string, error) {
	resp, err := http.PostForm(t.TokenURL(), url.Values{
		"grant_type": {"client_credentials"}, "client_id": {t.app.ID}, "client_secret": {t.app.Secret}, "scope": {"https://api.botframework.com/.default"},
	})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var is struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&is); err != nil || is.Token == "" {
		return "", fmt.Errorf("no token: %d, %w", resp.StatusCode, err)
	}
	return is.Token, nil
}
