package main

import (
	"math"
	"math/rand/v2"
	"strconv"

	"rollcall"
)

// The demographic columns and their categories. A region is a stratum of the
// recruiting.
const (
	sexes, ages, regions = 2, 4, 5
	cells                = sexes * ages * regions
)

// service is one that citizens use.
type service struct {
	name  string
	reach float64 // of everyone
}

// services are from one that nearly half the country uses to one that next to
// nobody does.
func services() []service {
	return []service{{"40 %", 0.40}, {"17 %", 0.17}, {"5 %", 0.05}, {"0.4 %", 0.004}}
}

// sigmas are the skewness of minutes: the standard deviation of their logarithm.
func sigmas() []float64 { return []float64{0.8, 1.5, 1.8} }

// timed is the number of services, from the first, whose minutes are known.
const timed = 3

// Bits of what a citizen uses: the services of this month, from the first, and
// these.
const (
	active = 1 << (iota + 6) // any internet use
	before                   // the first service, the month before
)

// citizen is one person of the population.
type citizen struct {
	household int32
	cell      uint8
	uses      uint8
	taste     float32
	minutes   [timed][3]float32 // of a service, by sigma
}

func (c *citizen) has(use uint8) bool { return c.uses&use == use }

// household is the citizens from first to last-1.
type household struct{ first, last int32 }

// population is a country whose every figure is known.
type population struct {
	people     []citizen
	households []household
	byRegion   [regions][]int32 // households
	counts     [cells]int
	truth      map[string]float64
}

// newPopulation makes a country of about n persons. Use depends on sex, age and
// region, on taste, of which a household shares half (one service goes with the
// other), and on habit (a month goes with the one before).
func newPopulation(n int, seed uint64) *population {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := &population{people: make([]citizen, 0, n+5)}
	for len(p.people) < n {
		p.addHousehold(rng)
	}
	p.use(rng)
	p.count()
	return p
}

// addHousehold adds one to five persons of one region.
func (p *population) addHousehold(rng *rand.Rand) {
	region, shared := rng.IntN(regions), rng.NormFloat64()
	number, first := int32(len(p.households)), int32(len(p.people))
	members := 1 + rng.IntN(3)
	if rng.IntN(4) == 0 {
		members += 2
	}
	for k := range members {
		age := rng.IntN(ages)
		if k < 2 && age == 0 { // the young live with others
			age = 1 + rng.IntN(ages-1)
		}
		cell := uint8((rng.IntN(sexes)*ages+age)*regions + region)
		taste := (shared + rng.NormFloat64()) / math.Sqrt2
		p.people = append(p.people, citizen{household: number, cell: cell, taste: float32(taste)})
		p.counts[cell]++
	}
	p.households = append(p.households, household{first, int32(len(p.people))})
	p.byRegion[region] = append(p.byRegion[region], number)
}

// score is how ready a citizen is to use anything.
func (c *citizen) score() float64 {
	sex, age, region := split(c.cell)
	return -0.4*float64(age) + 0.2*float64(sex) + 0.1*float64(region) + float64(c.taste)
}

// use decides who uses what.
func (p *population) use(rng *rand.Rand) {
	list := services()
	ready := make([]float64, len(list))
	for s, service := range list {
		ready[s] = p.intercept(service.reach)
	}
	for i := range p.people {
		c := &p.people[i]
		score := c.score()
		for s := range list {
			if !chance(rng, ready[s]+score) {
				continue
			}
			c.uses |= active | 1<<s
			if s < timed {
				for k, sigma := range sigmas() {
					c.minutes[s][k] = float32(math.Exp(4 + 0.2*float64(c.taste) + sigma*rng.NormFloat64()))
				}
			}
		}
		if chance(rng, 1.5+score) {
			c.uses |= active
		}
		habit := -1.6
		if c.has(1) {
			habit = 1.8
		}
		if chance(rng, habit+0.3*score) {
			c.uses |= before
		}
	}
}

// intercept finds what to add to the scores for a share of the citizens to use
// a service, by halving, from the first of them.
func (p *population) intercept(share float64) float64 {
	some := p.people[:min(len(p.people), 50_000)]
	low, high := -20.0, 20.0
	for range 60 {
		middle, sum := (low+high)/2, 0.0
		for i := range some {
			sum += logistic(middle + some[i].score())
		}
		if sum > share*float64(len(some)) {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

func split(cell uint8) (sex, age, region int) {
	return int(cell) / (ages * regions), int(cell) / regions % ages, int(cell) % regions
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func chance(rng *rand.Rand, score float64) bool { return rng.Float64() < logistic(score) }

// count counts the truth.
func (p *population) count() {
	list := services()
	users, both := make([]float64, len(list)), make([]float64, len(list))
	var online, past float64
	var minutes [timed][3]float64
	for i := range p.people {
		c := &p.people[i]
		online += unit(c.has(active))
		past += unit(c.has(before))
		for s := range list {
			users[s] += unit(c.has(1 << s))
			both[s] += unit(c.has(1 | 1<<s))
		}
		for s := range timed {
			for k := range sigmas() {
				minutes[s][k] += float64(c.minutes[s][k])
			}
		}
	}
	p.truth = map[string]float64{change: users[0] - past, difference: users[0] - users[1], pastAudience: past, changePercent: 100 * (users[0]/past - 1)}
	for s, service := range list {
		p.truth[audience(service)], p.truth[reach(service)] = users[s], 100*users[s]/online
		if s == 1 || s == 2 {
			p.truth[duplication(service)], p.truth[shareOfA(service)] = both[s], 100*both[s]/users[0]
		}
		if s < timed {
			for k, sigma := range sigmas() {
				p.truth[perPerson(service, sigma)] = minutes[s][k] / users[s]
			}
		}
	}
}

func unit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// universe gives the enumeration study: sex by age, and region.
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
