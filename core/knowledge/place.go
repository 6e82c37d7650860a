package knowledge

// Place is where a ticket belongs.
type Place struct {
	Service  string // slug; empty: nobody said
	Category string // slug, within the service; may be empty
	// Team is the slug of the one that it was handed on to because it had come
	// to the wrong one. Empty: it went where the policy sends such tickets, and
	// that was right.
	Team string
}

// Certainty is how sure a guess is, as one would say it. What is less than
// maybe is not said.
type Certainty string

// The certainties.
const (
	Unsure   Certainty = ""
	Maybe    Certainty = "maybe"
	Probably Certainty = "probably"
)

// Guess is how likely it is that a ticket belongs somewhere.
type Guess struct {
	Place
	Sure  float64 // 0 to 1
	Alike int     // similar tickets that belonged there
}

// From when on a guess is said to be what. They are read off the table that
// "kb eval --group" draws of the history alone; see kb/README.md. However sure
// the words sound, one ticket is no habit.
const (
	maybeFrom     = 0.50
	maybeAlike    = 2
	probablyFrom  = 0.70
	probablyAlike = 3
)

// Certainty is how sure the guess is.
func (g Guess) Certainty() Certainty {
	switch {
	case g.Sure >= probablyFrom && g.Alike >= probablyAlike:
		return Probably
	case g.Sure >= maybeFrom && g.Alike >= maybeAlike:
		return Maybe
	}
	return Unsure
}

// Guesses are all places that are known, each with its own share.
type Guesses []Guess

// Service is the likeliest service, and the category in it if that is as
// certain. Tickets of which nobody said what they are about don't count.
func (gs Guesses) Service() Guess {
	services := gs.sum(func(g Guess) (Place, bool) { return Place{Service: g.Service}, g.Service != "" })
	best := services.first()
	within := gs.sum(func(g Guess) (Place, bool) {
		return Place{Service: g.Service, Category: g.Category}, g.Service != ""
	})
	for i := range within {
		if within[i].Service != best.Service || within[i].Category == "" {
			within[i].Sure = 0
		}
	}
	if finer := within.first(); finer.Sure > 0 && finer.Certainty() != Unsure && finer.Certainty() == best.Certainty() {
		return finer
	}
	return best
}

// Team is the likeliest team of a ticket of which service and category are
// known, as far as they are: an empty one may be any. goes is the team to which
// a place leads, by the policy or because such tickets were handed on to it.
func (gs Guesses) Team(service, category string, goes func(Place) string) Guess {
	return gs.sum(func(g Guess) (Place, bool) {
		return Place{Team: goes(g.Place)}, (service == "" || g.Service == service) && (category == "" || g.Category == category)
	}).first()
}

// sum adds up the guesses that make one, of all that count and of what no known
// place speaks for.
func (gs Guesses) sum(as func(Guess) (_ Place, counts bool)) Guesses {
	var all Guesses
	of, known := 0.0, 0.0
	at := map[Place]int{}
	for _, g := range gs {
		known += g.Sure
		p, counts := as(g)
		if !counts {
			continue
		}
		i, ok := at[p]
		if !ok {
			i = len(all)
			at[p], all = i, append(all, Guess{Place: p})
		}
		of += g.Sure
		all[i].Sure += g.Sure
		all[i].Alike += g.Alike
	}
	if of += max(0, 1-known); of > 0 {
		for i := range all {
			all[i].Sure /= of
		}
	}
	return all
}

// first is the surest; of two alike, the one that comes first.
func (gs Guesses) first() (best Guess) {
	for _, g := range gs {
		if g.Sure > best.Sure {
			best = g
		}
	}
	return best
}
