package demo

import "time"

// week is when somebody works: the same hours on every weekday that is not a
// holiday. It knows just enough for a history to look lived in.
type week struct {
	loc      *time.Location
	from, to int // minutes after midnight
}

// opens and shuts are the working hours of the day that holds t.
func (w week) opens(t time.Time) time.Time { return w.clock(t, w.from) }
func (w week) shuts(t time.Time) time.Time { return w.clock(t, w.to) }

func (w week) clock(t time.Time, minutes int) time.Time {
	y, m, d := t.In(w.loc).Date()
	return time.Date(y, m, d, 0, minutes, 0, 0, w.loc)
}

func (w week) workday(t time.Time) bool { return workday(t.In(w.loc)) }

// workday takes the day from t's own location.
func workday(t time.Time) bool {
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		return false
	}
	_, m, d := t.Date()
	switch {
	case m == time.December && (d >= 24 && d <= 26 || d == 31), m == time.January && (d == 1 || d == 6), m == time.May && d == 1:
		return false
	}
	return true
}

// add is the moment when d of working time has passed since t.
func (w week) add(t time.Time, d time.Duration) time.Time {
	for {
		if opens, shuts := w.opens(t), w.shuts(t); w.workday(t) && t.Before(shuts) {
			if t.Before(opens) {
				t = opens
			}
			left := shuts.Sub(t)
			if d < left {
				return t.Add(d).Truncate(time.Second)
			}
			d -= left
		}
		t = w.nextDay(t, 1)
	}
}

// back is the moment since which d of working time has passed at t.
func (w week) back(t time.Time, d time.Duration) time.Time {
	for {
		if opens, shuts := w.opens(t), w.shuts(t); w.workday(t) && t.After(opens) {
			if t.After(shuts) {
				t = shuts
			}
			had := t.Sub(opens)
			if d < had {
				return t.Add(-d).Truncate(time.Second)
			}
			d -= had
		}
		t = w.clock(w.nextDay(t, -1), 24*60-1)
	}
}

// nextDay is midnight of the day that is n days from t's.
func (w week) nextDay(t time.Time, n int) time.Time {
	y, m, d := t.In(w.loc).Date()
	return time.Date(y, m, d+n, 0, 0, 0, 0, w.loc)
}
