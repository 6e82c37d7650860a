package web

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot"
)

func TestACalendarAsItIsWritten(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	from := time.Date(2026, 3, 2, 9, 0, 0, 0, berlin)
	got := string(ical(bot.Calendar{Name: "Changes of Desk; all, of them", Events: []bot.CalendarEvent{
		{ID: "CHG-12.abc@deskhand", Sequence: 3, Revised: from.Add(-time.Hour), From: from, To: from.Add(2 * time.Hour), Certain: true,
			Title: `New certificate, "mx-1" \ mx-2; and this is a title that has to be folded`, Text: "Approved.\r\n\r\nöööööööööööööööööööööööööööööööööööööööö\x00"},
		{ID: "CHG-13.abc@deskhand", Sequence: 1, Revised: from, From: from, To: from.Add(time.Hour), Cancelled: true, Certain: true, Title: "Off"},
		{ID: "CHG-14.abc@deskhand", Sequence: 1, Revised: from, From: from, To: from.Add(time.Hour), Title: "Asked"},
	}}))
	want := `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//deskhand//changes//EN
CALSCALE:GREGORIAN
NAME:Changes of Desk\; all\, of them
X-WR-CALNAME:Changes of Desk\; all\, of them
REFRESH-INTERVAL;VALUE=DURATION:PT15M
X-PUBLISHED-TTL:PT15M
BEGIN:VEVENT
UID:CHG-12.abc@deskhand
DTSTAMP:20260302T070000Z
SEQUENCE:3
DTSTART:20260302T080000Z
DTEND:20260302T100000Z
SUMMARY:New certificate\, "mx-1" \\ mx-2\; and this is a title that has to 
 be folded
DESCRIPTION:Approved.\n\nööööööööööööööööööööööööö
 ööööööööööööööö
STATUS:CONFIRMED
TRANSP:TRANSPARENT
END:VEVENT
`
	want = strings.ReplaceAll(want, "\n", "\r\n")
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
	if n := strings.Count(got, "STATUS:CANCELLED"); n != 1 {
		t.Errorf("%d are cancelled, want 1", n)
	}
	if n := strings.Count(got, "STATUS:TENTATIVE"); n != 1 {
		t.Errorf("%d are tentative, want 1", n)
	}
}

// Whatever is written in a change, each line is short, whole characters, and
// unfolds to what was meant.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "a;b,c\\d\ne", strings.Repeat("ö", 80), strings.Repeat("x", 75), "\xff\x00", "BEGIN:VEVENT\r\nEND"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b bytes.Buffer
		fold(&b, "X:"+icalText(s))
		lines := strings.Split(strings.TrimSuffix(b.String(), "\r\n"), "\r\n")
		whole := lines[0]
		for i, l := range lines {
			if len(l) > mostOctets || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n\x00") {
				t.Fatalf("line %d is %q", i, l)
			}
			if i > 0 {
				if l[0] != ' ' {
					t.Fatalf("line %d does not go on: %q", i, l)
				}
				whole += l[1:]
			}
		}
		if whole != "X:"+icalText(s) {
			t.Errorf("unfolds to %q", whole)
		}
	})
}
