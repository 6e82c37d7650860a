package hours

import "time"

// Monday is the first nine o'clock on a Monday in zone after a moment, Month
// that on the first of a month, and Morning on any day.
func Monday(after time.Time, zone *time.Location) time.Time {
	at := Morning(after, zone)
	for at.Weekday() != time.Monday {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// Month: see Monday.
func Month(after time.Time, zone *time.Location) time.Time {
	local := after.In(zone)
	at := time.Date(local.Year(), local.Month(), 1, 9, 0, 0, 0, zone)
	if !at.After(after) {
		at = time.Date(local.Year(), local.Month()+1, 1, 9, 0, 0, 0, zone)
	}
	return at
}

// Morning: see Monday.
func Morning(after time.Time, zone *time.Location) time.Time {
	local := after.In(zone)
	at := time.Date(local.Year(), local.Month(), local.Day(), 9, 0, 0, 0, zone)
	if !at.After(after) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, 9, 0, 0, 0, zone)
	}
	return at
}
