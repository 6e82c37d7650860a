package teamstest

import (
	"fmt"
	"slices"
	"strings"
)

// Transcript is a conversation as text, answers indented under their post, each
// card as everybody has it and then the views that differ.
func (t *Tenant) Transcript(channel string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.conv(channel)
	if c == nil {
		return "(there is no conversation " + channel + ")\n"
	}
	return t.transcript(c)
}

// TranscriptAll is every conversation that has messages, and every open dialog.
func (t *Tenant) TranscriptAll() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out strings.Builder
	for _, c := range t.convs {
		if len(c.msgs) > 0 {
			out.WriteString(t.transcript(c))
		}
	}
	for _, u := range t.users {
		if d := t.dialogs[u.ID]; d != nil {
			fmt.Fprintf(&out, "── dialog open for %s ──\n%s\n", u.DisplayName, d.text())
		}
	}
	return out.String()
}

func (t *Tenant) transcript(c *conversation) string {
	var out strings.Builder
	fmt.Fprintf(&out, "── %s ──\n", t.title(c))
	for _, m := range c.msgs {
		if m.Thread != "" {
			continue
		}
		out.WriteString(indent(t.everybodys(c, m), ""))
		for _, r := range c.msgs {
			if r.Thread == m.ID {
				out.WriteString(indent(t.everybodys(c, r), "   ↳ "))
			}
		}
	}
	for _, u := range t.users {
		for _, n := range c.notices[u.ID] {
			fmt.Fprintf(&out, "(only %s sees: %s)\n", u.DisplayName, n.Text)
		}
	}
	return out.String()
}

// everybodys is a message with the views that some have of it.
func (t *Tenant) everybodys(c *conversation, m *Message) string {
	said := t.line(Seen{Message: *m, Card: m.card()})
	var users []string
	for user, v := range c.views[m.ID] {
		if v.Card != nil && v.Version == m.Version {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	for _, user := range users {
		s := t.seen(c, m, user)
		said += indent(strings.Join(s.sheet().lines(s.Errors), "\n"), "  as "+t.shownName(user)+" sees it: ")
	}
	return said
}

// line is a message with who said it.
func (t *Tenant) line(s Seen) string {
	marks := ""
	if s.To != "" {
		marks += " (only " + t.shownName(s.To) + " sees this)"
	}
	if s.Edited {
		marks += " (edited)"
	}
	if s.Deleted {
		return t.shownName(s.From) + ": (deleted)\n"
	}
	return indent(t.said(s), t.shownName(s.From)+marks+": ")
}

// said is what stands in a message.
func (t *Tenant) said(s Seen) string {
	var parts []string
	if q := s.Quote; q != nil {
		parts = append(parts, "> "+t.shownName(q.From)+": "+q.Preview)
	}
	switch {
	case s.Text == "":
	case s.Format == "markdown":
		parts = append(parts, plain(s.Text))
	case s.Format == "xml":
		parts = append(parts, textOf(without(s.Text, "<at", atTag, "@$1")))
	default:
		parts = append(parts, without(s.Text, "<at", atTag, "@$1"))
	}
	if s.Card != nil {
		parts = append(parts, s.sheet().lines(s.Errors)...)
	}
	for _, a := range s.Attachments {
		switch {
		case a.ContentType == adaptiveType:
		case strings.HasPrefix(a.ContentType, "image/"):
			parts = append(parts, "(image "+a.Name+")")
		default:
			parts = append(parts, "(file "+a.Name+")")
		}
	}
	for _, r := range s.Reactions {
		parts = append(parts, fmt.Sprintf(":%s: %d", r.Type, len(r.Users)))
	}
	return strings.Join(parts, "\n")
}

// text is the dialog as it stands on the screen.
func (d Dialog) text() string {
	parts := []string{d.Title}
	switch {
	case d.Message != "":
		parts = append(parts, d.Message)
	case d.URL != "" && d.Card == nil:
		parts = append(parts, d.URL)
	default:
		parts = append(parts, d.sheet().lines(d.Errors)...)
	}
	if d.Trouble != "" {
		parts = append(parts, "⚠ "+d.Trouble)
	}
	return strings.Join(parts, "\n")
}

// RenderCard is a card as text: buttons as [Title], inputs as "Label: value".
func RenderCard(card []byte) string {
	return strings.Join(sheetOf(card, nil, nil, nil).lines(nil), "\n")
}

// Render is what the message says, and its card, as this person has it.
func (t *Tenant) Render(s Seen) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said(s)
}

// indent puts first before the first line and as much room before the others.
func indent(s, first string) string {
	pad := strings.Repeat(" ", len([]rune(first)))
	return first + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n"+pad) + "\n"
}
