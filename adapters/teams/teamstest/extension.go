package teamstest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// commandValue is what the invokes of an action command say; page "Respond to
// the task module submit action" and "Create and send the dialog".
func (t *Tenant) commandValue(id string, payload map[string]any) map[string]any {
	v := map[string]any{"commandId": id, "commandContext": "compose", "requestId": strings.ReplaceAll(t.newID("request"), "-", "")}
	if payload != nil {
		v["commandContext"], v["messagePayload"] = "message", payload
	}
	return v
}

// command finds a command of the app's message extension by id or title.
func (t *Tenant) command(idOrTitle string) *Command {
	for _, c := range t.app.Commands {
		if c.ID == idOrTitle || c.Title == idOrTitle {
			return &c
		}
	}
	return nil
}

// Command runs an action command of the message extension: on a message, or,
// with an empty id, from the compose area. Its dialog opens. A message extension
// works where the app is not installed too.
func (p *Person) Command(command, channel, message string) error {
	t := p.t
	t.mu.Lock()
	c, u, err := p.in(channel)
	cmd := t.command(command)
	if err == nil && (cmd == nil || cmd.Search || cmd.OnMessage != (message != "")) {
		err = fmt.Errorf("%w: there is no command %q here", ErrRefused, command)
	}
	var on *Message
	if err == nil && message != "" {
		if on = c.message(message); on == nil || on.Deleted || on.To != "" && on.To != p.id {
			err = fmt.Errorf("%w: there is no message %s", ErrRefused, message)
		}
	}
	if err != nil {
		t.mu.Unlock()
		return err
	}
	d := &Dialog{Channel: c.ID, On: message, command: cmd.ID}
	if on != nil {
		d.payload = t.payload(c, on)
	}
	value := t.commandValue(cmd.ID, d.payload)
	value["context"] = map[string]any{"theme": "default"}
	act := t.invokeActivity("composeExtension/fetchTask", c, on, u, value)
	delete(act, "replyToId")
	if on == nil {
		act["channelData"].(map[string]any)["source"] = map[string]any{"name": "compose"}
	}
	t.mu.Unlock()
	return p.openTask(d, t.invoke(c, act))
}

// payload is a message as an action command gets it; page "Create and send the
// dialog", "Initial invoke request from a message".
func (t *Tenant) payload(c *conversation, m *Message) map[string]any {
	from := map[string]any{"device": nil, "conversation": nil, "user": nil, "application": nil}
	if u := t.userBy[m.From]; u != nil {
		from["user"] = map[string]any{"userIdentityType": "aadUser", "id": u.ObjectID, "displayName": u.DisplayName}
	} else {
		from["application"] = map[string]any{"applicationIdentityType": "bot", "id": t.app.ID, "displayName": t.app.Name}
	}
	var reply any
	if m.Thread != "" {
		reply = m.Thread
	}
	reactions, mentions, attachments := []any{}, []any{}, []any{}
	for _, r := range m.Reactions {
		for _, id := range r.Users {
			u := t.userBy[id]
			reactions = append(reactions, map[string]any{"reactionType": r.Type, "createdDateTime": m.At.UTC().Format(stamp), "user": map[string]any{
				"user": map[string]any{"userIdentityType": "aadUser", "id": u.ObjectID, "displayName": u.DisplayName},
			}})
		}
	}
	for i, x := range m.Mentions {
		mentions = append(mentions, map[string]any{"id": i, "mentionText": x.Name, "mentioned": map[string]any{"user": map[string]any{"id": x.ID, "displayName": x.Name}}})
	}
	for _, a := range m.Attachments {
		x := map[string]any{"id": madeUp(a.ContentURL, string(a.Content)), "contentType": a.ContentType, "contentUrl": nil, "content": nil, "name": nil, "thumbnailUrl": nil}
		if a.Content != nil && a.ContentType == adaptiveType {
			x["content"] = string(a.Content)
		}
		if a.Name != "" {
			x["name"] = a.Name
		}
		if a.ContentURL != "" {
			x["contentUrl"] = a.ContentURL
		}
		attachments = append(attachments, x)
	}
	body := map[string]any{"contentType": "html", "content": t.htmlOf(c, m)}
	if m.From == t.botID {
		body["content"] = "<p>" + escapeHTML(m.Text) + "</p>"
	}
	link := "https://teams.microsoft.com/l/message/" + c.ID + "/" + m.ID
	return map[string]any{
		"id": m.ID, "replyToId": reply, "createdDateTime": m.At.UTC().Format(stamp), "lastModifiedDateTime": nil, "deleted": m.Deleted,
		"subject": nil, "summary": nil, "importance": "normal", "locale": "en-us", "linkToMessage": link,
		"body": body, "from": from, "reactions": reactions, "mentions": mentions, "attachments": attachments,
	}
}

// Search runs a search command with some words, or, without any, as it is when
// its window opens; page "Respond to search command".
func (p *Person) Search(command, channel, words string) ([]Found, error) {
	t := p.t
	t.mu.Lock()
	c, u, err := p.in(channel)
	cmd := t.command(command)
	if err == nil && (cmd == nil || !cmd.Search) {
		err = fmt.Errorf("%w: there is no search %q", ErrRefused, command)
	}
	if err != nil {
		t.mu.Unlock()
		return nil, err
	}
	parameter := map[string]any{"name": cmd.Parameter, "value": words}
	if words == "" {
		parameter = map[string]any{"name": "initialRun", "value": "true"}
	}
	act := t.invokeActivity("composeExtension/query", c, nil, u, map[string]any{
		"commandId": cmd.ID, "parameters": []any{parameter}, "queryOptions": map[string]any{"skip": 0, "count": 25},
	})
	act["channelData"].(map[string]any)["source"] = map[string]any{"name": "compose"}
	t.mu.Unlock()
	got := t.invoke(c, act)
	if err := p.failed(c, "", got); err != nil {
		return nil, err
	}
	found, say, err := t.readResults(got.body)
	n := Notice{User: p.id, Channel: c.ID, Code: "message", Text: say}
	if err != nil {
		n.Code, n.Text = "failed", wentWrong+" ("+err.Error()+")"
	}
	if n.Text != "" {
		return nil, p.notice(c, n, err != nil)
	}
	return found, nil
}

// readResults reads the answer to a search: cards, each with a preview that is a
// hero or thumbnail card (page "Types of cards").
func (t *Tenant) readResults(body []byte) ([]Found, string, error) {
	v, err := decode(body)
	m, _ := v.(map[string]any)
	ext, _ := m["composeExtension"].(map[string]any)
	switch {
	case err != nil:
		return nil, "", err
	case text(ext, "type") == "message" && strings.TrimSpace(text(ext, "text")) != "":
		return nil, text(ext, "text"), nil
	case text(ext, "type") != "result" || text(ext, "attachmentLayout") != "list" && text(ext, "attachmentLayout") != "grid":
		return nil, "", fmt.Errorf("the answer is no result with a layout")
	}
	items := list(ext["attachments"])
	if len(items) > 25 {
		return nil, "", fmt.Errorf("there are %d results; 25 were asked for", len(items))
	}
	found := []Found{}
	for i, v := range items {
		a, _ := v.(map[string]any)
		preview, _ := a["preview"].(map[string]any)
		shown, _ := preview["content"].(map[string]any)
		f := Found{Title: text(shown, "title"), Text: text(shown, "text"), Card: raw(a["content"])}
		switch {
		case text(a, "contentType") != adaptiveType:
			return nil, "", fmt.Errorf("result %d is a %q", i, text(a, "contentType"))
		case text(preview, "contentType") != thumbType && text(preview, "contentType") != heroType || f.Title == "":
			return nil, "", fmt.Errorf("result %d has no preview with a title", i)
		}
		t.mu.Lock()
		err := t.checkCard(nil, f.Card)
		t.mu.Unlock()
		if err != nil {
			return nil, "", fmt.Errorf("result %d: %w", i, err)
		}
		found = append(found, f)
	}
	return found, "", nil
}

// Insert puts a card that was found into a message of this person's and sends
// it.
func (p *Person) Insert(f Found, post Post) (Message, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, err := p.in(post.Channel)
	if err != nil {
		return Message{}, err
	}
	m := &Message{From: u.ID, Format: "plain", Attachments: []Attachment{{ContentType: adaptiveType, Content: f.Card}}}
	m.Text, m.Mentions = t.typed(c, strings.TrimSpace(post.Text))
	if err := t.under(c, m, post); err != nil {
		return Message{}, err
	}
	return *p.say(c, u, m), nil
}

// readExtension reads what an action command may answer instead of a dialog.
func readExtension(ext map[string]any) (*task, error) {
	switch text(ext, "type") {
	case "message":
		if s := text(ext, "text"); strings.TrimSpace(s) != "" {
			return &task{say: s}, nil
		}
		return nil, fmt.Errorf("%s (the message is no text)", wentWrong)
	case "result":
		items := list(ext["attachments"])
		if len(items) != 1 {
			return nil, fmt.Errorf("%s (there are %d cards)", wentWrong, len(items))
		}
		a, _ := items[0].(map[string]any)
		if text(a, "contentType") != adaptiveType {
			return nil, fmt.Errorf("%s (there is a %q)", wentWrong, text(a, "contentType"))
		}
		card := raw(a["content"])
		if err := CheckCard(card); err != nil {
			return nil, fmt.Errorf("%s (the card: %w)", wentWrong, err)
		}
		return &task{insert: &Attachment{ContentType: adaptiveType, Content: card}}, nil
	}
	return nil, fmt.Errorf("%s (the answer has the type %q)", wentWrong, text(ext, "type"))
}

// insert sends the card that an action command made, as this person's message.
func (p *Person) insert(d *Dialog, a Attachment) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeDialog(p.id)
	c, u, err := p.in(d.Channel)
	if err != nil {
		return err
	}
	p.say(c, u, &Message{From: u.ID, Format: "plain", Attachments: []Attachment{a}})
	return nil
}

// Suggest types words into an input whose choices come from elsewhere: people of
// the tenant (page "People Picker in Adaptive Cards"), or what the app answers
// (page "Typeahead search in Adaptive Cards").
func (p *Person) Suggest(at Act, input, words string) ([]Option, error) {
	t := p.t
	t.mu.Lock()
	x, err := p.at(at)
	if err != nil {
		t.mu.Unlock()
		return nil, err
	}
	var query map[string]any
	x.s.walk(func(p part) {
		if text(p.m, "id") == input {
			query, _ = p.m["choices.data"].(map[string]any)
		}
	})
	dataset := text(query, "dataset")
	switch {
	case query == nil:
		err = fmt.Errorf("%w: %q is no input that searches", ErrRefused, input)
	case strings.HasPrefix(dataset, "graph.microsoft.com/users"):
		options := t.people(x.c, words, strings.Contains(dataset, "scope=currentContext"))
		t.mu.Unlock()
		return options, nil
	}
	if err != nil {
		t.mu.Unlock()
		return nil, err
	}
	act := t.invokeActivity("application/search", x.c, x.m, x.u, map[string]any{
		"queryText": words, "queryOptions": map[string]any{"skip": 0, "top": 15}, "dataset": dataset,
	})
	t.mu.Unlock()
	got := t.invoke(x.c, act)
	if err := p.failed(x.c, "", got); err != nil {
		return nil, err
	}
	var is struct {
		StatusCode int    `json:"statusCode"`
		Type       string `json:"type"`
		Value      struct {
			Results []Option `json:"results"`
		} `json:"value"`
	}
	if err := json.Unmarshal(got.body, &is); err != nil || is.StatusCode != 200 || is.Type != "application/vnd.microsoft.search.searchResponse" || len(is.Value.Results) > 15 {
		return nil, p.notice(x.c, Notice{User: p.id, Channel: x.c.ID, Code: "failed", Text: wentWrong}, true)
	}
	return is.Value.Results, nil
}

// people are those whose name or mail has the words, by object id.
func (t *Tenant) people(c *conversation, words string, here bool) []Option {
	words = strings.ToLower(words)
	options := []Option{}
	for _, u := range t.users {
		if u.Gone || here && !slices.Contains(t.members(c), u.ID) {
			continue
		}
		if strings.Contains(strings.ToLower(u.DisplayName+" "+u.Mail+" "+u.Name), words) {
			options = append(options, Option{Title: u.DisplayName, Value: u.ObjectID})
		}
	}
	return options
}

// Consent answers the app's question whether it may bring this person a file;
// page "Send and receive files", "Upload files to personal chat". The file is
// there once the app has uploaded it.
func (p *Person) Consent(message string, yes bool) error {
	t := p.t
	t.mu.Lock()
	c := t.personal(p.id)
	var m *Message
	if c != nil {
		m = c.message(message)
	}
	var card map[string]any
	var name string
	if m != nil {
		for _, a := range m.Attachments {
			if a.ContentType == consentType && json.Unmarshal(a.Content, &card) == nil {
				name = a.Name
			}
		}
	}
	if card == nil {
		t.mu.Unlock()
		return fmt.Errorf("%w: no file is offered in %s", ErrRefused, message)
	}
	value := map[string]any{"type": "fileUpload", "action": "decline", "context": card["declineContext"]}
	if yes {
		f := t.keepFile(Upload{Name: name}, false)
		f.Waiting = true
		value["action"], value["context"] = "accept", card["acceptContext"]
		value["uploadInfo"] = map[string]any{
			"contentUrl": t.url + "/files/" + f.ID + "/" + name, "name": name, "uploadUrl": t.url + "/uploads/" + f.ID,
			"uniqueId": f.ID, "fileType": extension(name),
		}
	}
	act := t.invokeActivity("fileConsent/invoke", c, m, t.userBy[p.id], value)
	t.mu.Unlock()
	return p.failed(c, message, t.invoke(c, act))
}
