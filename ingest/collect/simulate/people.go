package simulate

import (
	"fmt"
	"math"

	"rollcall"
)

// The panel's slots: a person who leaves is followed by another with the same
// meters, so that the panel keeps its shape.
const (
	homeOnly = 5250
	bothHere = 750
	workOnly = 750
	slots    = homeOnly + bothHere + workOnly
)

// leaving is the share of the panel's households that leave after each month.
const leaving = 0.04

// together is how many slots at home make two households: one of a person alone
// and one of the others.
const together = 3

// household gives the slot that a slot's household is known by, its first. Each
// of those metered at both places lives with one of those metered at home only;
// those metered at work only were recruited one by one.
func household(slot int) int {
	switch {
	case slot < homeOnly:
		if slot%together == together-1 {
			return slot - 1
		}
		return slot
	case slot < homeOnly+bothHere:
		return household((slot - homeOnly) * (homeOnly / bothHere))
	}
	return slot
}

// The demographic columns, and the categories of each.
var (
	columns = []string{"sex", "age", "region"}
	sexes   = []string{"F", "M"}
	ages    = []string{"15-24", "25-34", "35-49", "50+"}
	regions = []string{"Ile-de-France", "Nord-Ouest", "Nord-Est", "Sud-Ouest", "Sud-Est"}
)

// Whom the recruiter gets, by category: not quite whom the universe has, which
// is what weights are for.
var (
	womenAtHome, womenAtWork = 0.47, 0.41
	agesAtHome               = []float64{0.26, 0.21, 0.30, 0.23}
	agesAtWork               = []float64{0.07, 0.36, 0.43, 0.14}
	regionsOfPanel           = []float64{0.25, 0.20, 0.20, 0.14, 0.21}
)

// person is one panelist, with what lasts from month to month.
type person struct {
	seed             uint64 // of the market: two markets have no person in common
	slot, generation int
	household        int // the slot that it is known by; it leaves as one
	metered          rollcall.Location
	sex, age, region int     // positions in the category lists
	base             float64 // base weight
	taste            [services]float64
	surfing          float64 // taste for the internet at all
	heavy            float64 // how much more than usual he uses what he uses
}

func (p *person) name() string { return fmt.Sprintf("s%d-%04d-%d", p.seed, p.slot, p.generation) }

// home names the household.
func (p *person) home() string { return fmt.Sprintf("h%d-%04d-%d", p.seed, p.household, p.generation) }

// key is the person's part of a stream's key.
func (p *person) key() uint64 { return uint64(p.slot)<<16 | uint64(p.generation) }

func (p *person) categories() []string {
	return []string{sexes[p.sex], ages[p.age], regions[p.region]}
}

// inTab gives the month's panelists, in order of slot.
func (d *Demonstration) inTab(m rollcall.Month) []person {
	out := make([]person, slots)
	for slot := range out {
		generation := 0
		turnover := d.stream(forTurnover, uint64(household(slot)))
		for at := firstMonth; at < m; at++ {
			if turnover.Float64() < leaving {
				generation++
			}
		}
		out[slot] = d.recruit(slot, generation)
	}
	return out
}

func meters(slot int) rollcall.Location {
	switch {
	case slot < homeOnly:
		return rollcall.Home
	case slot < homeOnly+bothHere:
		return rollcall.Home | rollcall.Work
	}
	return rollcall.Work
}

// recruit makes the person who is the generation-th of a slot.
func (d *Demonstration) recruit(slot, generation int) person {
	p := person{seed: d.seed, slot: slot, generation: generation, household: household(slot), metered: meters(slot)}
	home := d.stream(forHouseholds, uint64(p.household)<<16|uint64(generation))
	p.region = draw(home, regionsOfPanel)
	p.base = math.Round(spreadOut(home, 0.15)*1000) / 1000
	r := d.stream(forTraits, p.key())
	women, byAge := womenAtHome, agesAtHome
	if p.metered.Has(rollcall.Work) {
		women, byAge = womenAtWork, agesAtWork
	}
	if r.Float64() >= women {
		p.sex = 1
	}
	p.age = draw(r, byAge)
	p.heavy = spreadOut(r, 0.6)
	p.surfing = r.NormFloat64()
	sociable := (home.NormFloat64()+r.NormFloat64())/math.Sqrt2 + sociableAt[p.metered]
	for s := range p.taste {
		p.taste[s] = appeal(s, &p) + shared*sociable + lasting*r.NormFloat64()
	}
	return p
}

// What a score is made of, in standard deviations. shared is set so that 29 %
// of the users of any service use two or more in October 2002, as was
// published for the United States a year before; lasting against passing says
// how many of a month's users stay.
const (
	shared  = 1.17
	lasting = 0.75
	passing = 0.40
)

// sociableAt is how much more those with a computer at work use messaging: the
// services' users at work only, and at both, must be enough to report.
var sociableAt = map[rollcall.Location]float64{rollcall.Work: 0.30, rollcall.Home | rollcall.Work: 0.45}

// The appeal of each service to each age, and to men.
var (
	appealByAge = [services][4]float64{
		msn: {0.85, 0.20, -0.30, -0.80}, aim: {0.45, 0.10, -0.05, -0.30}, yahoo: {0.20, 0.20, 0.00, -0.25},
		icq: {0.25, 0.40, -0.10, -0.60}, jabber: {0.30, 0.50, -0.20, -0.80}, voila: {-0.10, 0.10, 0.15, 0.00},
	}
	appealToMen = [services]float64{msn: 0.02, aim: 0.05, yahoo: 0.00, icq: 0.30, jabber: 0.80, voila: -0.05}
)

func appeal(service int, p *person) float64 {
	return appealByAge[service][p.age] + appealToMen[service]*float64(p.sex)
}
