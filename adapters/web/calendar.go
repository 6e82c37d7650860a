package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/storage"
)

const calendarUse = "calendar " + CalendarPath

// CalendarLink is the address of a calendar. Unlike other links it is signed
// with a key of its own, which ends when it is revoked: calendars are subscribed
// to for years.
func (s *Server) CalendarLink(l storage.CalendarLink) string {
	id := strconv.FormatInt(l.ID, 36)
	return s.base.String() + CalendarPath + id + "." + encoding.EncodeToString(mac(l.Key, calendarUse, []byte(id))) + "/changes.ics"
}

// calendar sends a team's changes in iCalendar.
func (s *Server) calendar(w http.ResponseWriter, r *http.Request) {
	id, sum, _ := strings.Cut(r.PathValue("link"), ".")
	given, bad := encoding.Strict().DecodeString(sum)
	n, err := strconv.ParseInt(id, 36, 64)
	var l storage.CalendarLink
	if err != nil || bad != nil {
		err = errBadToken
	} else {
		err = s.o.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
			l, err = tx.Calendar(r.Context(), n)
			return err
		})
	}
	if err == nil && !hmac.Equal(given, mac(l.Key, calendarUse, []byte(id))) {
		err = errBadToken
	}
	var cal bot.Calendar
	if err == nil {
		cal, err = s.o.Record.Calendar(r.Context(), l)
	}
	switch {
	case errors.Is(err, errBadToken), errors.Is(err, storage.ErrNotFound):
		http.Error(w, "There is no such calendar any more. Write “changes” to the desk in chat for a new address.", http.StatusNotFound)
		return
	case err != nil:
		s.trouble(w, r, err)
		return
	}
	body := ical(cal)
	sum256 := sha256.Sum256(body)
	h := w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="changes.ics"`)
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("ETag", `"`+hex.EncodeToString(sum256[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// ical writes a calendar as RFC 5545 has it, and the name and how often to look
// as RFC 7986 has them.
func ical(c bot.Calendar) []byte {
	var b bytes.Buffer
	line := func(name, value string) { fold(&b, name+":"+value) }
	moment := func(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//deskhand//changes//EN")
	line("CALSCALE", "GREGORIAN")
	line("NAME", icalText(c.Name))
	line("X-WR-CALNAME", icalText(c.Name)) // what most clients read
	line("REFRESH-INTERVAL;VALUE=DURATION", "PT15M")
	line("X-PUBLISHED-TTL", "PT15M")
	for _, e := range c.Events {
		status := "TENTATIVE"
		switch {
		case e.Cancelled:
			status = "CANCELLED"
		case e.Certain:
			status = "CONFIRMED"
		}
		line("BEGIN", "VEVENT")
		line("UID", icalText(e.ID))
		line("DTSTAMP", moment(e.Revised)) // without METHOD: when it was last revised
		line("SEQUENCE", strconv.Itoa(e.Sequence))
		line("DTSTART", moment(e.From))
		line("DTEND", moment(e.To))
		line("SUMMARY", icalText(e.Title))
		line("DESCRIPTION", icalText(e.Text))
		line("STATUS", status)
		line("TRANSP", "TRANSPARENT") // a change keeps nobody busy by itself
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	return b.Bytes()
}

// icalText escapes a text (RFC 5545, 3.3.11).
func icalText(s string) string {
	s = strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "�")
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1 // no control characters
		}
		return r
	}, s)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// mostOctets is how long a line may be, its end not counted.
const mostOctets = 75

// fold writes a line, in pieces if it is long, none of which begins within a
// character (RFC 5545, 3.1).
func fold(b *bytes.Buffer, s string) {
	most := mostOctets
	for len(s) > most {
		n := most
		for !utf8.RuneStart(s[n]) {
			n--
		}
		b.WriteString(s[:n])
		b.WriteString("\r\n ")
		s, most = s[n:], mostOctets-1
	}
	b.WriteString(s)
	b.WriteString("\r\n")
}
