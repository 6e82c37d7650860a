package policy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/hours"
)

// plan is the calendar for package hours, and a function that turns a path in
// it into one of the file; no function if what is written can't be read.
func (cal Calendar) plan(zone string, c *checker, path string) (hours.Plan, func(string) string) {
	p := hours.Plan{Name: cal.Name, Zone: cal.TimeZone}
	if p.Zone == "" {
		p.Zone = zone
	}
	before := len(c.found)
	keys := map[string]string{} // "open.monday" → "open.mon-fri"
	for _, part := range []struct {
		name string
		week Week
		to   *hours.Week
	}{{"open", cal.Open, &p.Open}, {"breaks", cal.Breaks, &p.Breaks}} {
		for _, key := range slices.Sorted(maps.Keys(part.week)) {
			at := part.name + "." + key
			days, ok := weekdays(key)
			if !ok {
				c.say(path+"."+at, "%q names no days; write mon, sat-sun or daily", key)
				continue
			}
			var list []hours.Interval
			for i, text := range part.week[key] {
				in, ok := text.interval()
				if !ok {
					c.say(fmt.Sprintf("%s.%s[%d]", path, at, i), "%q is not hours such as 09:00-17:00", text)
				}
				list = append(list, in)
			}
			for _, d := range days {
				long := part.name + "." + strings.ToLower(d.String())
				if other, twice := keys[long]; twice {
					c.say(path+"."+at, "%s is in %s already; give each day its hours once", d, strings.TrimPrefix(other, part.name+"."))
					continue
				}
				keys[long] = at
				part.to[d] = list
			}
		}
	}
	for i, closed := range slices.Concat(cal.Closed, cal.Public) {
		x := hours.Closing{Name: closed.Name}
		at := fmt.Sprintf("%s.closed[%d]", path, i)
		day, err := time.Parse(time.DateOnly, closed.Date)
		if err != nil {
			c.say(at+".date", "%q is not a day such as 2026-12-24", closed.Date)
		}
		x.Date = hours.Date{Year: day.Year(), Month: day.Month(), Day: day.Day()}
		if closed.Only != "" {
			var ok bool
			if x.Only, ok = closed.Only.interval(); !ok {
				c.say(at+".only", "%q is not hours such as 12:00-24:00", closed.Only)
			}
		}
		p.Closed = append(p.Closed, x)
	}
	if len(c.found) > before {
		return p, nil
	}
	return p, func(in string) string {
		if in == "zone" {
			return "timezone"
		}
		day, rest, _ := strings.Cut(in, "[")
		if key, ok := keys[day]; ok {
			return key + "[" + rest
		}
		return in
	}
}

// weekdays reads "mon", "Friday", "mon-fri", "sat-mon" or "daily".
func weekdays(s string) ([]time.Weekday, bool) {
	if strings.EqualFold(s, "daily") {
		return []time.Weekday{1, 2, 3, 4, 5, 6, 0}, true
	}
	first, last, several := strings.Cut(s, "-")
	from, ok := weekday(first)
	if !ok || !several {
		return []time.Weekday{from}, ok
	}
	to, ok := weekday(last)
	var days []time.Weekday
	for d := from; ok; d = (d + 1) % 7 {
		if days = append(days, d); d == to {
			break
		}
	}
	return days, ok
}

func weekday(s string) (time.Weekday, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); len(s) >= 3 && (s == name || s == name[:3]) {
			return d, true
		}
	}
	return 0, false
}

// UnmarshalYAML takes the text as it stands in the file: inside of braces the
// parser makes a mapping of 22 to 00-06:00.
func (h *Hours) UnmarshalYAML(text []byte) error {
	*h = Hours(strings.Trim(strings.Join(strings.Fields(string(text)), ""), `"'`))
	return nil
}

// interval reads the hours.
func (h Hours) interval() (hours.Interval, bool) {
	from, to, ok := strings.Cut(strings.ReplaceAll(string(h), "–", "-"), "-")
	a, good := ofDay(from)
	b, too := ofDay(to)
	return hours.Interval{From: a, To: b}, ok && good && too
}

func ofDay(s string) (hours.OfDay, bool) {
	hour, minute, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, err := strconv.Atoi(hour)
	m, wrong := strconv.Atoi(minute)
	if !ok || err != nil || wrong != nil || len(minute) != 2 || len(hour) > 2 || h < 0 || h > 24 || m < 0 || m > 59 || h == 24 && m > 0 {
		return 0, false
	}
	return hours.At(h, m), true
}
