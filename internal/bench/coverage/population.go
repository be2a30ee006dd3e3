package main

import (
	"math"
	"math/rand/v2"
	"strconv"

	"rollcall"
)

// The demographic columns and their categories.
const (
	sexes, ages, regions = 2, 4, 5
	cells                = sexes * ages * regions
)

// Bits of what a citizen uses.
const (
	active    = 1 << iota // any internet use
	big                   // the large service, this month
	small                 // the small service, this month
	bigBefore             // the large service, the month before
)

// citizen is one person of the population.
type citizen struct {
	cell    uint8
	uses    uint8
	minutes uint16 // of the large service, this month
}

func (c citizen) has(use uint8) bool { return c.uses&use == use }

// population is a country whose every figure is known.
type population struct {
	people []citizen
	counts [cells]int
	truth  map[string]float64
}

// newPopulation makes a country of n persons. Use depends on sex, age and
// region, on taste (one service goes with the other), and on habit (a month
// goes with the one before); minutes are skewed as real ones are.
func newPopulation(n int, seed uint64) *population {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := &population{people: make([]citizen, n)}
	for i := range p.people {
		p.people[i] = newCitizen(rng)
		p.counts[p.people[i].cell]++
	}
	p.settle()
	return p
}

func newCitizen(rng *rand.Rand) citizen {
	c := citizen{cell: uint8(rng.IntN(cells))}
	sex, age, region := split(c.cell)
	if rng.IntN(4) == 0 && age > 0 { // not every cell is as large
		c.cell -= regions
		age--
	}
	taste := rng.NormFloat64()
	score := -0.5*float64(age) + 0.2*float64(sex) + 0.1*float64(region) + taste
	if !chance(rng, 2.5+score) {
		return c
	}
	c.uses = active
	if chance(rng, -0.2+score) {
		c.uses |= big
		c.minutes = uint16(min(1+math.Exp(4.5+0.2*taste+0.8*rng.NormFloat64()), math.MaxUint16))
	}
	if chance(rng, -1.4+score) {
		c.uses |= small
	}
	habit := -1.6
	if c.has(big) {
		habit = 1.8
	}
	if chance(rng, habit+0.3*score) {
		c.uses |= bigBefore
	}
	return c
}

func split(cell uint8) (sex, age, region int) {
	return int(cell) / (ages * regions), int(cell) / regions % ages, int(cell) % regions
}

func chance(rng *rand.Rand, score float64) bool { return rng.Float64() < 1/(1+math.Exp(-score)) }

// settle counts the truth.
func (p *population) settle() {
	var online, large, both, before, minutes float64
	for _, c := range p.people {
		online += unit(c.has(active))
		large += unit(c.has(big))
		both += unit(c.has(big | small))
		before += unit(c.has(bigBefore))
		minutes += float64(c.minutes)
	}
	p.truth = map[string]float64{
		audience: large, reach: 100 * large / online, duplication: both, shareOfA: 100 * both / large,
		perPerson: minutes / large, change: large - before, changePercent: 100 * (large/before - 1),
	}
}

func unit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// universe gives the enumeration study: sex, age, region, and sex by age.
func (p *population) universe() *rollcall.Population {
	out := &rollcall.Population{}
	for _, name := range []string{"sex*age", "region"} {
		totals := map[string]float64{}
		var order []string
		for cell, n := range p.counts {
			category := categoryOf(name, categories(uint8(cell)))
			if _, ok := totals[category]; !ok {
				order = append(order, category)
			}
			totals[category] += float64(n)
		}
		for _, category := range order {
			out.Margins = append(out.Margins, rollcall.Margin{Name: name, Category: category, Population: totals[category]})
		}
	}
	return out
}

func categories(cell uint8) []string {
	sex, age, region := split(cell)
	return []string{"FM"[sex : sex+1], "a" + strconv.Itoa(age), "r" + strconv.Itoa(region)}
}

func categoryOf(margin string, c []string) string {
	if margin == "region" {
		return c[2]
	}
	return c[0] + "*" + c[1]
}
