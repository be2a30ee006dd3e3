package simulate

import (
	"fmt"
	"math"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Demonstration is the markets of one seed.
type Demonstration struct {
	seed     uint64
	calendar *rollcall.Calendar // of France
	world    *rollcall.Calendar
}

// New gives the markets of a seed. It fails only where Europe/Paris is not
// known to the program.
func New(seed uint64) (*Demonstration, error) {
	calendar, err := Place().Calendar()
	if err != nil {
		return nil, err
	}
	world, err := World().Calendar()
	if err != nil {
		return nil, err
	}
	return &Demonstration{seed: seed, calendar: calendar, world: world}, nil
}

// Month is one month of the market: who is in tab, and who uses what.
type Month struct {
	demonstration *Demonstration
	month         rollcall.Month
	people        []person
	population    *rollcall.Population
	users         [services][]bool // of each panelist
	active        []bool
}

// Month makes a month; a month outside the demonstration is an Invalid.
func (d *Demonstration) Month(m rollcall.Month) (*Month, error) {
	aim, err := targetOf(m)
	if err != nil {
		return nil, err
	}
	out := &Month{demonstration: d, month: m, people: d.inTab(m), population: d.population(m)}
	weights, err := panel.Rake(out.roster(), out.population, rollcall.Trim{})
	if err != nil {
		return nil, fmt.Errorf("simulate %s: %w", m, err)
	}
	out.choose(weights.Final(), aim)
	return out, nil
}

// roster gives the panelists with their positions for ids: no key is needed to
// weigh them.
func (m *Month) roster() *rollcall.Roster {
	out := &rollcall.Roster{Columns: columns, Panelists: make([]rollcall.Panelist, len(m.people))}
	for i := range m.people {
		p := &m.people[i]
		out.Panelists[i] = rollcall.Panelist{ID: rollcall.Visitor(i), Metered: p.metered, BaseWeight: p.base, Categories: p.categories()} // weights take no account of households
	}
	return out
}

// choose picks each service's users and the other active persons.
func (m *Month) choose(weights []float64, aim target) {
	scores, surfing := m.scores()
	for s := range services {
		m.users[s] = pick(weights, scores[s], aim.users[s]*thousand)
		for i, uses := range m.users[s] {
			if uses {
				surfing[i] = math.Inf(1)
			}
		}
	}
	m.active = pick(weights, surfing, aim.active*thousand)
}

// scores gives each panelist's score of the month for each service and for the
// internet: what lasts, and the month's chance.
func (m *Month) scores() (scores [services][]float64, surfing []float64) {
	for s := range scores {
		scores[s] = make([]float64, len(m.people))
	}
	surfing = make([]float64, len(m.people))
	for i := range m.people {
		p := &m.people[i]
		r := m.demonstration.stream(forScores, p.key(), uint64(m.month))
		for s := range scores {
			scores[s][i] = p.taste[s] + passing*r.NormFloat64()
		}
		surfing[i] = p.surfing + passing*r.NormFloat64()
	}
	return scores, surfing
}

// pick gives those of the highest scores whose weights add up to the target,
// as nearly as one exchange between the two sides of the border can bring it.
func pick(weights, scores []float64, target float64) []bool {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	chosen := make([]bool, len(scores))
	var sum float64
	n := 0
	for ; n < len(order) && sum+weights[order[n]]/2 <= target; n++ {
		chosen[order[n]] = true
		sum += weights[order[n]]
	}
	exchange(weights, order, n, target-sum, chosen)
	return chosen
}

// border is how many persons on each side may be exchanged: enough for
// thousands of pairs, few enough that scores still decide.
const border = 60

// exchange swaps the one pair that leaves the least of the lack, if any pair
// does better than none.
func exchange(weights []float64, order []int, n int, lack float64, chosen []bool) {
	inside := order[n-min(border, (n+1)/2) : n]
	outside := order[n:min(n+border, len(order))]
	best, out, in := math.Abs(lack), -1, -1
	for _, i := range inside {
		for _, j := range outside {
			if left := math.Abs(lack + weights[i] - weights[j]); left < best {
				best, out, in = left, i, j
			}
		}
	}
	if out >= 0 {
		chosen[out], chosen[in] = false, true
	}
}
