package hours

import (
	"slices"
	"strings"
)

// Words is the week as on a door: "Mon–Fri 09:00–12:00 and 13:00–17:00, Sat
// 09:00–12:00".
func (c *Calendar) Words() string {
	if c.week.sum == week {
		return "at all hours"
	}
	var groups []string
	for i := 0; i < len(weekdays); {
		j := i + 1
		for j < len(weekdays) && slices.Equal(c.day(i), c.day(j)) {
			j++
		}
		if times := c.day(i); len(times) > 0 {
			name := weekdays[i].String()[:3]
			if j > i+1 {
				name += "–" + weekdays[j-1].String()[:3]
			}
			groups = append(groups, name+" "+strings.Join(times, " and "))
		}
		i = j
	}
	return strings.Join(groups, ", ")
}

// day is the hours that begin on the i-th weekday, after the breaks. A shift
// into the night is one of them.
func (c *Calendar) day(i int) []string {
	begin := day * weekday(i)
	var out []string
	for n, s := range c.week.open {
		from, to := s.from, s.to
		if from == 0 && to < week && c.week.open[len(c.week.open)-1].to == week && n == 0 {
			continue // the end of Sunday's night
		}
		if to == week && n > 0 && c.week.open[0].from == 0 {
			to += c.week.open[0].to
		}
		// Hours of more than a day are told day by day.
		for ; from < to; from = from.Truncate(day) + day {
			end := to
			if to-from > day {
				end = from.Truncate(day) + day
			}
			if from >= begin && from < begin+day {
				out = append(out, Interval{OfDay((from - begin).Seconds()), clockOf(end)}.String())
			}
			if end == to {
				break
			}
		}
	}
	return out
}
