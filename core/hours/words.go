package hours

import (
	"slices"
	"strings"
)

func (p Plan) words() string {
	if p.Open.equal(Always()) && p.Breaks.equal(Week{}) {
		return "at all hours"
	}
	open, breaks := p.Open, p.Breaks
	var groups []string
	for i := 0; i < len(weekdays); {
		a, j := weekdays[i], i+1
		for j < len(weekdays) && slices.Equal(open[a], open[weekdays[j]]) && slices.Equal(breaks[a], breaks[weekdays[j]]) {
			j++
		}
		if len(open[a]) > 0 || len(breaks[a]) > 0 {
			days := a.String()[:3]
			if j > i+1 {
				days += "–" + weekdays[j-1].String()[:3]
			}
			if len(open[a]) > 0 {
				days += " " + list(open[a])
			}
			if len(breaks[a]) > 0 {
				days += " without " + list(breaks[a])
			}
			groups = append(groups, days)
		}
		i = j
	}
	return strings.Join(groups, ", ")
}

func (w Week) equal(v Week) bool {
	for d := range w {
		if !slices.Equal(w[d], v[d]) {
			return false
		}
	}
	return true
}

func list(in []Interval) string {
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b Interval) int { return int(a.From - b.From) })
	words := make([]string, len(in))
	for i, x := range in {
		words[i] = x.String()
	}
	return strings.Join(words, " and ")
}
