package hours_test

import (
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/hours"
)

func TestWhatRecursComesAtNine(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]func(time.Time, *time.Location) time.Time{"Monday": hours.Monday, "Month": hours.Month, "Morning": hours.Morning}
	for _, tt := range []struct{ name, of, after, want string }{
		{"on a Monday before nine it is that day", "Monday", "2026-11-23T08:59:59+01:00", "2026-11-23T09:00:00+01:00"},
		{"at nine it is the next", "Monday", "2026-11-23T09:00:00+01:00", "2026-11-30T09:00:00+01:00"},
		{"nine stays nine when the clock goes back", "Monday", "2026-10-24T12:00:00+02:00", "2026-10-26T09:00:00+01:00"},
		{"the day is that of the zone", "Morning", "2026-11-21T23:30:00Z", "2026-11-22T09:00:00+01:00"},
		{"a year ends", "Month", "2026-12-01T09:00:00+01:00", "2027-01-01T09:00:00+01:00"},
		{"the first itself", "Month", "2026-12-01T08:00:00+01:00", "2026-12-01T09:00:00+01:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			after, err := time.Parse(time.RFC3339, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := next[tt.of](after, berlin).Format(time.RFC3339); got != tt.want {
				t.Errorf("%s after %s is %s, want %s", tt.of, tt.after, got, tt.want)
			}
		})
	}
}
