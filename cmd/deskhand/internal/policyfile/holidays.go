package policyfile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/ar"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/au"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/mw"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"

	"github.com/deskhand/deskhand/core/policy"
)

// regions have public holidays, by their ISO 3166 codes in small letters.
var regions = map[string][]*cal.Holiday{
	"ar": ar.Holidays, "at": at.Holidays, "be": be.Holidays, "bg": bg.Holidays, "br": br.Holidays, "ca": ca.Holidays, "cz": cz.Holidays,
	"dk": dk.Holidays, "es": es.Holidays, "fr": fr.Holidays, "gb": gb.Holidays, "gr": gr.Holidays, "hr": hr.Holidays, "ie": ie.Holidays,
	"it": it.Holidays, "jp": jp.Holidays, "lt": lt.Holidays, "lv": lv.Holidays, "mw": mw.Holidays, "nl": nl.Holidays,
	"no": no.Holidays, "nz": nz.Holidays, "pl": pl.Holidays, "ro": ro.Holidays, "ru": ru.Holidays, "se": se.Holidays, "si": si.Holidays,
	"sk": sk.Holidays, "ua": ua.Holidays, "us": us.Holidays, "za": za.Holidays,

	"au-act": au.HolidaysACT, "au-nsw": au.HolidaysNSW, "au-nt": au.HolidaysNT, "au-qld": au.HolidaysQLD, "au-sa": au.HolidaysSA,
	"au-tas": au.HolidaysTAS, "au-vic": au.HolidaysVIC, "au-wa": au.HolidaysWA,

	"ch": ch.Holidays, "ch-ag": ch.HolidaysAG, "ch-ai": ch.HolidaysAI, "ch-ar": ch.HolidaysAR, "ch-be": ch.HolidaysBE, "ch-bl": ch.HolidaysBL,
	"ch-bs": ch.HolidaysBS, "ch-fr": ch.HolidaysFR, "ch-ge": ch.HolidaysGE, "ch-gl": ch.HolidaysGL, "ch-gr": ch.HolidaysGR, "ch-ju": ch.HolidaysJU,
	"ch-lu": ch.HolidaysLU, "ch-ne": ch.HolidaysNE, "ch-nw": ch.HolidaysNW, "ch-ow": ch.HolidaysOW, "ch-sg": ch.HolidaysSG, "ch-sh": ch.HolidaysSH,
	"ch-so": ch.HolidaysSO, "ch-sz": ch.HolidaysSZ, "ch-tg": ch.HolidaysTG, "ch-ti": ch.HolidaysTI, "ch-ur": ch.HolidaysUR, "ch-vd": ch.HolidaysVD,
	"ch-vs": ch.HolidaysVS, "ch-zg": ch.HolidaysZG, "ch-zh": ch.HolidaysZH,

	"de": de.Holidays, "de-bb": de.HolidaysBB, "de-be": de.HolidaysBE, "de-bw": de.HolidaysBW, "de-by": de.HolidaysBY, "de-hb": de.HolidaysHB,
	"de-he": de.HolidaysHE, "de-hh": de.HolidaysHH, "de-mv": de.HolidaysMV, "de-ni": de.HolidaysNI, "de-nw": de.HolidaysNW, "de-rp": de.HolidaysRP,
	"de-sh": de.HolidaysSH, "de-sl": de.HolidaysSL, "de-sn": de.HolidaysSN, "de-st": de.HolidaysST, "de-th": de.HolidaysTH,
}

// Holidays are worked out for these years around the present one: back for
// clocks that run already, ahead for as long as package hours looks.
const yearsBack, yearsAhead = 2, 11

// holidays are the public holidays of a region around a year, in order; false
// for a region that is not known.
func holidays(region string, year int) ([]policy.Closing, bool) {
	rules, ok := regions[strings.ToLower(region)]
	if !ok {
		return nil, false
	}
	var all []policy.Closing
	for y := year - yearsBack; y <= year+yearsAhead; y++ {
		for _, rule := range rules {
			// Where a holiday on a Sunday is made up for on Monday, both are free.
			actual, observed := rule.Calc(y)
			for _, day := range []time.Time{actual, observed} {
				c := policy.Closing{Date: day.Format(time.DateOnly), Name: rule.Name}
				if !day.IsZero() && !slices.Contains(all, c) {
					all = append(all, c)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b policy.Closing) int { return cmp.Compare(a.Date, b.Date) })
	return all, true
}

// public fills in the public holidays of a policy's calendars and says which
// regions are not known.
func public(p *policy.Policy, now time.Time) []policy.Problem {
	var wrong []policy.Problem
	for i := range p.Calendars {
		c := &p.Calendars[i]
		for j, region := range c.Holidays {
			days, ok := holidays(region, now.Year())
			if !ok {
				wrong = append(wrong, policy.Problem{Path: fmt.Sprintf("calendars[%d].holidays[%d]", i, j),
					Text: fmt.Sprintf("the public holidays of %q are not known; write them under closed, or use one of %s",
						region, strings.Join(slices.Sorted(maps.Keys(regions)), ", "))})
			}
			c.Public = append(c.Public, days...)
		}
		if len(c.Holidays) > 0 && c.Public == nil {
			c.Public = []policy.Closing{}
		}
	}
	return wrong
}
