package change

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/cmdb"
)

// Risk is how much may go wrong.
type Risk string

// The risks.
const (
	Low    Risk = "low"
	Medium Risk = "medium"
	High   Risk = "high"
)

// Facts are what a risk is judged by. They are read from the record, never
// asked of whoever wants the change.
type Facts struct {
	Impact cmdb.Impact
	Items  []cmdb.Item // that are changed
	// Failed are earlier changes on the same items, the latest first, that did
	// not work; the caller decides how far back.
	Failed []Past
	// Clashes is how many there are.
	Clashes int
}

// Past is an earlier change on an item.
type Past struct {
	Ref  string
	Item string // the item's key
	Last bool   // none has been made there since
}

// Weights of what makes a change risky, and the sums from which it is medium
// and high: two grave reasons, or one and two lesser ones, make it high.
const (
	grave, lesser           = 2, 1
	mediumFrom, highFrom    = 2, 4
	manyServices, manyUsers = 5, 200
)

// Judge is the risk and the reasons for it, the gravest first, in words that
// follow "because".
func (c Change) Judge(f Facts) (Risk, string) {
	var reasons []string
	sum := 0
	say := func(weight int, format string, args ...any) {
		sum += weight
		reasons = append(reasons, fmt.Sprintf(format, args...))
	}
	names := make([]string, 0, len(f.Items))
	vital := slices.IndexFunc(f.Items, func(i cmdb.Item) bool { return i.Tier == cmdb.MostVital })
	for _, i := range f.Items {
		names = append(names, i.Key)
	}
	on := "what is changed"
	switch len(names) {
	case 1:
		on = names[0]
	case 2:
		on = names[0] + " and " + names[1]
	}
	services := len(f.Impact.Services)
	switch {
	case services >= manyServices:
		say(grave, "%d services depend on %s", services, on)
	case services > 0:
		words := f.Impact.Services[0].Name + " depends on " + on
		if services > 1 {
			words = fmt.Sprintf("%d services depend on %s", services, on)
		}
		say(lesser, "%s", words)
	}
	switch {
	case len(f.Failed) > 0 && f.Failed[0].Last:
		say(grave, "the last change on %s failed (%s)", f.Failed[0].Item, f.Failed[0].Ref)
	case len(f.Failed) > 0:
		say(lesser, "a change on %s failed lately (%s)", f.Failed[0].Item, f.Failed[0].Ref)
	}
	switch {
	case vital >= 0:
		say(grave, "%s is vital", f.Items[vital].Key)
	case f.Impact.Tier == cmdb.MostVital:
		say(lesser, "something vital stands on it")
	}
	if f.Impact.Users >= manyUsers {
		say(lesser, "up to %d people would notice", f.Impact.Users)
	}
	if strings.TrimSpace(c.Test) == "" {
		say(lesser, "there is no test plan")
	}
	if f.Clashes > 0 {
		say(lesser, "it clashes with something")
	}
	if c.Kind == Emergency {
		say(lesser, "it is done in a hurry")
	}
	if len(c.Items) == 0 {
		say(lesser, "it does not say what it touches")
	}
	risk := Low
	switch {
	case sum >= highFrom:
		risk = High
	case sum >= mediumFrom:
		risk = Medium
	}
	if len(reasons) == 0 {
		return risk, "nothing that matters depends on " + on
	}
	if len(reasons) > 3 {
		reasons = reasons[:3]
	}
	if n := len(reasons); n > 1 {
		return risk, strings.Join(reasons[:n-1], ", ") + " and " + reasons[n-1]
	}
	return risk, reasons[0]
}
