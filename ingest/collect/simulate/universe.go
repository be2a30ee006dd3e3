package simulate

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"rollcall"
)

// The universe: internet users aged 15 and over. Shares move from the first
// month's to the last's.
var (
	sexByAge = [2][]float64{ // F*15-24 ... F*50+, M*15-24 ... M*50+
		{0.120, 0.115, 0.145, 0.080, 0.125, 0.120, 0.170, 0.125},
		{0.118, 0.110, 0.147, 0.092, 0.120, 0.113, 0.165, 0.135},
	}
	byRegion = [2][]float64{
		{0.240, 0.212, 0.213, 0.130, 0.205},
		{0.225, 0.217, 0.218, 0.133, 0.207},
	}
	atHome = [2]float64{0.880, 0.885}
	atWork = [2]float64{0.235, 0.245}
)

// population gives the month's margins: sex*age and region, whole thousands of
// one total, and the partial margins home and work.
func (d *Demonstration) population(m rollcall.Month) *rollcall.Population {
	u := &universe{seed: d.seed, month: m, total: targets[m-firstMonth].universe * thousand}
	var cells []string
	for _, sex := range sexes {
		for _, age := range ages {
			cells = append(cells, sex+"*"+age)
		}
	}
	u.margin("sex*age", cells, sexByAge)
	u.margin("region", regions, byRegion)
	u.add("home", "1", u.share(atHome[0], atHome[1]))
	u.add("work", "1", u.share(atWork[0], atWork[1]))
	return &u.Population
}

type universe struct {
	rollcall.Population
	seed  uint64
	month rollcall.Month
	total float64
}

// margin shares the total out; what rounding leaves goes to the last category.
func (u *universe) margin(name string, categories []string, shares [2][]float64) {
	rest := u.total
	for i, category := range categories {
		persons := u.share(shares[0][i], shares[1][i])
		if i == len(categories)-1 {
			persons = rest
		}
		rest -= persons
		u.add(name, category, persons)
	}
}

// share gives the month's share of the total, between the first month's and
// the last's, in whole thousands.
func (u *universe) share(first, last float64) float64 {
	way := float64(u.month-firstMonth) / float64(lastMonth-firstMonth)
	return math.Round(u.total*(first+way*(last-first))/thousand) * thousand
}

func (u *universe) add(margin, category string, persons float64) {
	u.Margins = append(u.Margins, rollcall.Margin{
		Name: margin, Category: category, Population: persons,
		Source: Source(u.seed), SourceDate: u.month.First().String(),
	})
}

// WriteUniverse writes the month's universe.csv.
func (m *Month) WriteUniverse(w io.Writer) error {
	out := csv.NewWriter(w)
	records := [][]string{{"margin", "category", "population", "source", "source_date"}}
	for _, c := range m.population.Margins {
		records = append(records, []string{c.Name, c.Category, strconv.FormatFloat(c.Population, 'f', -1, 64), c.Source, c.SourceDate})
	}
	return out.WriteAll(records)
}

// WriteRoster writes the month's panelists.csv.
func (m *Month) WriteRoster(w io.Writer) error {
	out := csv.NewWriter(w)
	records := [][]string{append([]string{"panelist", "home", "work", "base_weight", "household"}, columns...)}
	for i := range m.people {
		p := &m.people[i]
		record := []string{p.name(), meter(p, rollcall.Home), meter(p, rollcall.Work), strconv.FormatFloat(p.base, 'f', -1, 64), p.home()}
		records = append(records, append(record, p.categories()...))
	}
	return out.WriteAll(records)
}

func meter(p *person, at rollcall.Location) string {
	if p.metered.Has(at) {
		return "1"
	}
	return "0"
}
