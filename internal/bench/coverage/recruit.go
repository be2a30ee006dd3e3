package main

import (
	"math"
	"math/rand/v2"

	"rollcall"
)

// kept is the part of a panel's households that stay from one month to the next.
const kept = 0.8

// recruiting is how a panel comes about.
type recruiting struct {
	size  int     // persons, about
	taste float64 // how much taste makes a person readier to answer
	use   float64 // how much readier use of the first service makes; 0: as ready
}

// answering is the part of a household's persons who answer, on average.
const answering = 0.4

// recruited is a month's panel: the households asked in each region, and the
// persons of theirs who answered.
type recruited struct {
	asked  [regions][]int32
	answer map[int32][]int32 // the persons who answered, by household
}

// recruit asks as many households of each region as a panel of the size needs:
// the lively regions twice as many, which base weights know. Of the households
// of an earlier month's panel some stay, with their answers.
func (p *population) recruit(rng *rand.Rand, r recruiting, earlier *recruited) *recruited {
	out := &recruited{answer: map[int32][]int32{}}
	perHousehold := answering * float64(len(p.people)) / float64(len(p.households))
	for region := range regions {
		share := 1.0 / 7
		if region >= 3 {
			share = 2.0 / 7
		}
		want := int(share * float64(r.size) / perHousehold)
		if earlier != nil {
			for _, h := range earlier.asked[region][int(float64(want)*(1-kept)):] {
				out.asked[region] = append(out.asked[region], h)
				out.answer[h] = earlier.answer[h]
			}
		}
		for len(out.asked[region]) < want {
			h := p.byRegion[region][rng.IntN(len(p.byRegion[region]))]
			if _, ok := out.answer[h]; ok {
				continue
			}
			out.asked[region] = append(out.asked[region], h)
			out.answer[h] = p.answers(rng, r, p.households[h])
		}
	}
	return out
}

// answers gives the persons of a household who answer: by sex, age and region,
// and perhaps by taste.
func (p *population) answers(rng *rand.Rand, r recruiting, h household) []int32 {
	var out []int32
	for i := h.first; i < h.last; i++ {
		sex, age, region := split(p.people[i].cell)
		ready := (0.5 + 0.2*float64(sex)) * (1 - 0.15*float64(age)) * (1 - 0.05*float64(region)) * math.Exp(r.taste*float64(p.people[i].taste))
		if r.use > 0 && p.people[i].has(1) {
			ready *= r.use
		}
		if rng.Float64() < ready {
			out = append(out, i)
		}
	}
	return out
}

// panelists lists the persons of a panel, and gives their roster.
func (p *population) panelists(r *recruited) (people []int32, roster *rollcall.Roster) {
	roster = &rollcall.Roster{Columns: []string{"sex", "age", "region"}}
	for region, asked := range r.asked {
		weight := float64(len(p.byRegion[region])) / float64(len(asked))
		for _, h := range asked {
			for _, i := range r.answer[h] {
				people = append(people, i)
				roster.Panelists = append(roster.Panelists, rollcall.Panelist{
					ID: rollcall.Visitor(i), Metered: rollcall.Home, BaseWeight: weight, Categories: categories(p.people[i].cell),
					Household: rollcall.Household(h + 1), Stratum: rollcall.Stratum(region + 1),
				})
			}
		}
	}
	return people, roster
}
