package assign

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is how far ahead somebody may be away.
const longest = 366 * 24 * time.Hour

var (
	clock   = regexp.MustCompile(`^(\d{1,2})[:.](\d{2})$`)
	clock12 = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(am|pm)$`)
	iso     = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})$`)
	dotted  = regexp.MustCompile(`^(\d{1,2})\.(\d{1,2})\.(\d{4})?$`)
	ordinal = regexp.MustCompile(`^(\d{1,2})(?:st|nd|rd|th)?\.?$`)
)

// Until reads when somebody is back, as people write it: "Friday", "next
// Monday 9:00", "27 November", "27.11.", "2026-11-27", "14:00", "tomorrow",
// "in 3 days". now is by the writer's own clock. A day without a time begins at
// midnight; a weekday or a date is the next one after today. False: it is not a
// time, or not one within a year from now.
func Until(text string, now time.Time) (time.Time, bool) {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(text, ",", " ")))
	if n := len(words); n > 0 && !dotted.MatchString(words[n-1]) {
		words[n-1] = strings.TrimRight(words[n-1], ".!?")
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	day, rest := someDay(words, midnight)
	hour, minute, timed := 0, 0, false
	if len(rest) > 0 && rest[0] == "at" {
		rest = rest[1:]
	}
	if len(rest) == 1 {
		hour, minute, timed = someHour(rest[0])
		rest = nil
		if !timed {
			return time.Time{}, false
		}
	}
	if len(rest) > 0 || (day.IsZero() && !timed) {
		return time.Time{}, false
	}
	if day.IsZero() {
		day = midnight
	}
	at := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, now.Location())
	return at, at.After(now) && at.Sub(now) <= longest
}

// someDay reads the day that words begin with; zero if they begin with none.
func someDay(words []string, today time.Time) (day time.Time, rest []string) {
	if len(words) == 0 {
		return time.Time{}, nil
	}
	next := false
	if words[0] == "next" && len(words) > 1 {
		next, words = true, words[1:]
	}
	if words[0] == "on" && len(words) > 1 {
		words = words[1:]
	}
	first, rest := words[0], words[1:]
	switch first {
	case "today":
		return today, rest
	case "tomorrow":
		return today.AddDate(0, 0, 1), rest
	case "week":
		if next {
			return today.AddDate(0, 0, toMonday(today)), rest
		}
	case "in":
		if len(rest) >= 2 {
			return inDays(rest, today)
		}
	}
	if d, ok := weekday(first); ok {
		ahead := (int(d) - int(today.Weekday()) + 7) % 7
		if ahead == 0 {
			ahead = 7
		}
		// "next Friday" is the one of next week, whatever today is.
		if next && ahead < toMonday(today) {
			ahead += 7
		}
		return today.AddDate(0, 0, ahead), rest
	}
	if m := iso.FindStringSubmatch(first); m != nil {
		return date(number(m[1]), number(m[2]), number(m[3]), today), rest
	}
	if m := dotted.FindStringSubmatch(first); m != nil {
		return date(number(m[3]), number(m[2]), number(m[1]), today), rest
	}
	if len(rest) == 0 {
		return time.Time{}, words
	}
	// "27 November", "November 27"
	for _, way := range [][2]string{{first, rest[0]}, {rest[0], first}} {
		d, m := ordinal.FindStringSubmatch(way[0]), month(way[1])
		if d == nil || m == 0 {
			continue
		}
		rest, year := rest[1:], 0
		if len(rest) > 0 && len(rest[0]) == 4 {
			if year = number(rest[0]); year > 0 {
				rest = rest[1:]
			}
		}
		return date(year, m, number(d[1]), today), rest
	}
	return time.Time{}, words
}

func inDays(words []string, today time.Time) (time.Time, []string) {
	n := number(words[0])
	if words[0] == "a" || words[0] == "one" {
		n = 1
	}
	switch strings.TrimSuffix(words[1], "s") {
	case "day":
	case "week":
		n *= 7
	default:
		n = 0
	}
	if n <= 0 || n > 366 {
		return time.Time{}, words
	}
	return today.AddDate(0, 0, n), words[2:]
}

// date is a day of the calendar; of this year or the next if no year is named.
// Zero if there is no such day.
func date(year, month, day int, today time.Time) time.Time {
	named := year != 0
	if !named {
		year = today.Year()
	}
	for range 2 {
		d := time.Date(year, time.Month(month), day, 0, 0, 0, 0, today.Location())
		if d.Day() != day || d.Month() != time.Month(month) {
			return time.Time{}
		}
		if named || d.After(today) {
			return d
		}
		year++
	}
	return time.Time{}
}

func someHour(s string) (hour, minute int, ok bool) {
	if s == "noon" {
		return 12, 0, true
	}
	if m := clock.FindStringSubmatch(s); m != nil {
		hour, minute = number(m[1]), number(m[2])
		return hour, minute, hour < 24 && minute < 60
	}
	if m := clock12.FindStringSubmatch(s); m != nil {
		hour, minute = number(m[1])%12, number(m[2])
		if m[3] == "pm" {
			hour += 12
		}
		return hour, minute, number(m[1]) >= 1 && number(m[1]) <= 12 && minute < 60
	}
	return 0, 0, false
}

func weekday(s string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if s == name || s == name[:3] || (len(s) == 4 && strings.HasPrefix(name, s)) {
			return d, true
		}
	}
	return 0, false
}

func month(s string) int {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if s == name || s == name[:3] || (len(s) == 4 && strings.HasPrefix(name, s)) {
			return int(m)
		}
	}
	return 0
}

func number(s string) int {
	n, _ := strconv.Atoi(s) // 0 for what is none
	return n
}

// toMonday is in how many days the next week begins.
func toMonday(today time.Time) int { return (7-int(today.Weekday()))%7 + 1 }
