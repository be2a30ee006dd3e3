package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"rollcall"
)

// homes is two months of 120 persons in households of three, of whom some have
// moved by the second.
type homes struct{ t *testing.T }

const residents = 120

func (homes) household(month, person int) int {
	if month == 1 && person%11 == 0 { // with the neighbours by now
		return (person/3 + 1) % (residents / 3)
	}
	return person / 3
}

// uses says who uses a service: households mostly agree.
func (h homes) uses(month, person int, s rollcall.ServiceID) bool {
	home := person / 3
	switch s {
	case "msn":
		return home%10 < 6+month || person%7 == 0
	case "aim":
		return home%4 == 1 || (person+month)%5 == 0
	case "icq":
		return home%5 == 2 || (person+2*month)%6 == 0
	}
	return home%13 == 3 || (person+4*month)%9 == 0 // yahoo
}

func homeServices() []rollcall.ServiceID { return []rollcall.ServiceID{"msn", "aim", "icq", "yahoo"} }

func (h homes) site() *site {
	out := newSite(h.t)
	out.Store = public{out.store}
	f := facts{}
	for k, of := range []rollcall.PanelMonth{september, october} {
		var roster strings.Builder
		roster.WriteString("panelist,home,work,household,sex\n")
		for i := range residents {
			fmt.Fprintf(&roster, "P%d,1,0,H%d,%c\n", i+1, h.household(k, i)+1, "MF"[i%2])
			for _, s := range homeServices() {
				if h.uses(k, i, s) {
					f.addTo(of, i+1, s, rollcall.Home, rollcall.Use, stretch{2, 0, 10})
				}
			}
		}
		out.load(of, roster.String(), "margin,category,population,source,source_date\nsex,M,60000,study,2002-06-30\nsex,F,60000,study,2002-06-30\n")
	}
	out.merge(f)
	out.close(closing(september, all()))
	out.close(closing(october, all()))
	return out
}

// error gives the standard error of a sum of variables, each of a month: with
// one margin, a residual is the difference from the mean of one's sex. A
// household is October's.
func (h homes) error(parts map[[2]any]float64) float64 {
	byHousehold := make([]float64, residents/3)
	for part, factor := range parts {
		month, service := part[0].(int), part[1].(rollcall.ServiceID)
		var users [2]float64
		for i := range residents {
			users[i%2] += truth(h.uses(month, i, service))
		}
		for i := range residents {
			byHousehold[h.household(1, i)] += factor * 1000 * (truth(h.uses(month, i, service)) - users[i%2]/(residents/2))
		}
	}
	var mean, sum float64
	for _, z := range byHousehold {
		mean += z / float64(len(byHousehold))
	}
	for _, z := range byHousehold {
		sum += (z - mean) * (z - mean)
	}
	c := float64(len(byHousehold))
	return math.Sqrt(c / (c - 1) * sum)
}

// TestHouseholdsOfAPanel: a file's households reach every standard error of a
// ranking, its changes, and the ranks that its services may have.
func TestHouseholdsOfAPanel(t *testing.T) {
	h := homes{t}
	table := h.site().report(rollcall.Query{Report: "ranking"})
	student := distuv.StudentsT{Sigma: 1, Nu: residents/3 - 1}
	q := student.Quantile(0.975)
	for _, s := range homeServices() {
		row := find(t, table, string(s))
		audience, change, percent := row["unique_audience"].(rollcall.Measure), row["change"].(rollcall.Measure), row["change_percent"].(rollcall.Measure)
		near(t, "SE of "+string(s), audience.SE, h.error(map[[2]any]float64{{1, s}: 1}))
		moved := h.error(map[[2]any]float64{{1, s}: 1, {0, s}: -1})
		near(t, "SE of its change", change.SE, moved)
		near(t, "its low end", change.Low, change.Value-q*moved)
		significant := math.Abs(change.Value) > q*moved
		if row["significant"] != significant {
			t.Errorf("%s: significant is %v, want %v", s, row["significant"], significant)
		}
		if out := percent.Low > 0 || percent.High < 0; out != significant {
			t.Errorf("%s: the change in percent is %+v, significant %v", s, percent, significant)
		}
	}
	h.ranks(table, student)
	if m := find(t, table, "any")["significant"]; m == nil {
		t.Error("the union's change is neither significant nor not")
	}
}

// ranks holds rank_low and rank_high to Holm's adjusted p of each pair: the
// running maximum of p times the pairs left.
func (h homes) ranks(table *rollcall.Table, student distuv.StudentsT) {
	type pair struct {
		ahead, behind rollcall.ServiceID
		p             float64
	}
	var pairs []pair
	value := func(s rollcall.ServiceID) float64 { return value(h.t, table, string(s), "unique_audience") }
	for i, a := range homeServices() {
		for _, b := range homeServices()[:i] {
			x := pair{ahead: a, behind: b}
			if value(a) < value(b) {
				x = pair{ahead: b, behind: a}
			}
			se := h.error(map[[2]any]float64{{1, a}: 1, {1, b}: -1})
			x.p = 2 * student.Survival((value(x.ahead)-value(x.behind))/se)
			pairs = append(pairs, x)
		}
	}
	slices.SortFunc(pairs, func(x, y pair) int { return int(math.Copysign(1, x.p-y.p)) })
	low, high, adjusted := map[rollcall.ServiceID]int{}, map[rollcall.ServiceID]int{}, 0.0
	for k, x := range pairs {
		adjusted = max(adjusted, x.p*float64(len(pairs)-k))
		if adjusted < 0.05 {
			low[x.behind]++
			high[x.ahead]++
		}
	}
	several := false
	for _, s := range homeServices() {
		row := find(h.t, table, string(s))
		if row["rank_low"] != 1+low[s] || row["rank_high"] != len(homeServices())-high[s] {
			h.t.Errorf("%s ranks %v to %v, want %d to %d", s, row["rank_low"], row["rank_high"], 1+low[s], len(homeServices())-high[s])
		}
		several = several || row["rank_low"] != row["rank_high"]
	}
	if !several || len(low) == 0 {
		h.t.Error("no rank is in doubt, or all are: the test tests nothing")
	}
}
