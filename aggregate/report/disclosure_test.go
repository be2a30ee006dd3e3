package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
)

// draw is a small panel whose use is drawn at random, and known to the test.
type draw struct {
	roster, universe string
	facts            facts
	persons          int
	columns          map[string][]string                                  // category by person
	used             map[rollcall.Location]map[rollcall.ServiceID][]int64 // minutes by person
	days             map[rollcall.ServiceID][]uint64                      // days of use, anywhere, by person
}

var drawnServices = []rollcall.ServiceID{"aim", "icq", "jabber", "msn", "yahoo"}

func drawPanel(t *rapid.T) *draw {
	d := &draw{
		persons: rapid.IntRange(20, 90).Draw(t, "persons"), facts: facts{}, columns: map[string][]string{},
		used: map[rollcall.Location]map[rollcall.ServiceID][]int64{rollcall.Home: {}, rollcall.Work: {}}, days: map[rollcall.ServiceID][]uint64{},
	}
	chance := map[rollcall.ServiceID]int{}
	for _, s := range drawnServices {
		chance[s] = rapid.SampledFrom([]int{0, 2, 10, 30, 60, 100}).Draw(t, string(s))
		d.used[rollcall.Home][s], d.used[rollcall.Work][s] = make([]int64, d.persons), make([]int64, d.persons)
		d.days[s] = make([]uint64, d.persons)
	}
	percent := rapid.IntRange(0, 99)
	var b strings.Builder
	b.WriteString("panelist,home,work,sex,age\n")
	for i := range d.persons {
		sex, age := "MF"[i%2:i%2+1], fmt.Sprint("a", percent.Draw(t, "age")/34)
		if i < 3 {
			age = fmt.Sprint("a", i) // every category has somebody
		}
		d.columns["sex"], d.columns["age"] = append(d.columns["sex"], sex), append(d.columns["age"], age)
		fmt.Fprintf(&b, "P%d,1,1,%s,%s\n", i+1, sex, age)
		d.facts.add(i+1, rollcall.Online, rollcall.Home, rollcall.Presence, stretch{1, 0, 1})
		for _, s := range drawnServices {
			for _, place := range []rollcall.Location{rollcall.Home, rollcall.Work} {
				if percent.Draw(t, "use") < chance[s] {
					d.use(t, i, s, place)
				}
			}
		}
	}
	d.roster = b.String()
	d.universe = fmt.Sprintf("margin,category,population,source,source_date\nsex,M,%d,study,2002-06-30\nsex,F,%d,study,2002-06-30\n", 1000*d.persons, 1300*d.persons)
	return d
}

func (d *draw) use(t *rapid.T, i int, s rollcall.ServiceID, place rollcall.Location) {
	for range rapid.IntRange(1, 3).Draw(t, "days") {
		day := rapid.IntRange(1, 4).Draw(t, "day")
		from := 60 * (2*slices.Index(drawnServices, s) + int(place/rollcall.Work))
		d.facts.add(i+1, s, place, rollcall.Use, stretch{day, from, from + 10})
		d.used[place][s][i] = 1
		d.days[s][i] |= 1 << day
	}
}

// users gives who used any of some services, taken together, at a place.
func (d *draw) users(p Place, services ...rollcall.ServiceID) []float64 {
	out := make([]float64, d.persons)
	for i := range out {
		home, work := false, false
		for _, s := range services {
			home = home || d.used[rollcall.Home][s][i] > 0
			work = work || d.used[rollcall.Work][s][i] > 0
		}
		if p.Has(home, work) {
			out[i] = 1
		}
	}
	return out
}

// attacker knows what is printed, as sums over persons, and tries to compute
// what is not.
type attacker struct {
	what []string
	rows [][]float64
}

func (a *attacker) learn(what string, row []float64) {
	a.what, a.rows = append(a.what, what), append(a.rows, slices.Clone(row))
}

// computes reports whether a sum is a linear combination of what is known.
func (a *attacker) computes(row []float64) bool {
	return rank(a.rows) == rank(append(slices.Clip(a.rows), row))
}

// rank is by elimination with full row pivoting.
func rank(rows [][]float64) int {
	m := make([][]float64, len(rows))
	for i := range rows {
		m[i] = slices.Clone(rows[i])
	}
	r := 0
	for c := 0; len(m) > 0 && c < len(m[0]) && r < len(m); c++ {
		best := r
		for i := r; i < len(m); i++ {
			if math.Abs(m[i][c]) > math.Abs(m[best][c]) {
				best = i
			}
		}
		if math.Abs(m[best][c]) < 1e-9 {
			continue
		}
		m[r], m[best] = m[best], m[r]
		for i := r + 1; i < len(m); i++ {
			f := m[i][c] / m[r][c]
			for k := c; k < len(m[i]); k++ {
				m[i][k] -= f * m[r][k]
			}
		}
		r++
	}
	return r
}

// secret is a figure that is not printed.
type secret struct {
	name string
	row  []float64
	n    float64 // raw persons
}

// reader goes through tables as an attacker does: it learns what is printed,
// ratios times their printed bases too, and lists what is not.
type reader struct {
	t        *rapid.T
	attacker attacker
	secrets  []secret
	limit    int
}

func shownCell(cell any) (rollcall.Measure, bool) {
	m, ok := cell.(rollcall.Measure)
	return m, ok && !m.Status.Withheld()
}

// cell learns a figure and every ratio that gives it, or notes it as a secret.
func (r *reader) cell(name string, row []float64, cells ...any) {
	r.formal(name, row, sumOf(row), cells...)
}

// formal is cell for a sum over named groups, n being the persons in them: the
// attacker does not know which groups are empty.
func (r *reader) formal(name string, row []float64, n float64, cells ...any) {
	known := false
	for _, c := range cells {
		if m, ok := shownCell(c); ok {
			known = true
			if n < float64(r.limit) {
				r.t.Fatalf("%s is shown for %v persons: %+v", name, n, m)
			}
		}
	}
	switch {
	case known:
		r.attacker.learn(name, row)
	case slices.ContainsFunc(row, func(x float64) bool { return x != 0 }):
		r.secrets = append(r.secrets, secret{name, row, n})
	}
}

func (r *reader) attack(what string) {
	r.t.Helper()
	for _, s := range r.secrets {
		if r.attacker.computes(s.row) {
			r.t.Fatalf("%s: the withheld %s of %v persons can be computed from what is printed: %s", what, s.name, s.n, strings.Join(r.attacker.what, ", "))
		}
	}
}

// TestWithheldStaysWithheld draws panels and limits, and attacks every report.
func TestWithheldStaysWithheld(t *testing.T) {
	h := newHouse(t)
	month := october.Month
	rapid.Check(t, func(t *rapid.T) {
		d := drawPanel(t)
		month++
		of := october
		of.Month = month
		h.closeDrawn(of, d, rapid.IntRange(0, 20).Draw(t, "limit"))
		limit := h.report(Request{Report: "ranking", Of: of, Version: 1}).Meta.Thresholds["low"]
		ask := func(r Request) *rollcall.Table {
			r.Of, r.Version = of, 1
			return h.report(r)
		}
		for _, p := range rollcall.Places() {
			attackPlace(t, d, limit, p, ask)
		}
		attackPlaces(t, d, limit, ask)
		attackFrequency(t, d, limit, ask)
		attackProfile(t, d, limit, ask)
	})
}

// closeDrawn closes a drawn month; its facts are those of october, moved.
func (h *house) closeDrawn(of rollcall.PanelMonth, d *draw, limit int) {
	h.load(of, d.roster, d.universe)
	moved := facts{}
	for diary, minutes := range d.facts {
		diary.Day += of.Month.First() - october.Month.First()
		moved[diary] = minutes
	}
	h.merge(moved)
	s := DefaultSettings()
	s.Low, s.Caution = limit, 2*limit
	h.close(closing(of, s))
}

// attackPlace takes the ranking, duplication, combinations and increments of
// one place together.
func attackPlace(t *rapid.T, d *draw, limit int, p Place, ask func(Request) *rollcall.Table) {
	r := &reader{t: t, limit: limit}
	ranking := ask(Request{Report: "ranking", Place: p})
	total, shares := make([]float64, d.persons), false
	for i := range ranking.Rows {
		get := func(column string) any { return ranking.Cell(i, column) }
		name, level := get("service").(string), get("level").(string)
		services := drawnUnder(name, level)
		row := d.users(p, services...)
		r.cell(name, row, get("unique_audience"), get("reach"), get("coverage"))
		if level != "service" {
			gross := make([]float64, d.persons)
			for _, s := range services {
				add(gross, d.users(p, s))
			}
			if _, ok := shownCell(get("gross")); ok {
				r.attacker.learn("gross "+name, gross)
			}
			if _, ok := shownCell(get("services_per_user")); ok { // gross over net: one gives the other
				r.attacker.learn("gross "+name, gross)
				r.cell(name, row, get("services_per_user"))
			}
			continue
		}
		add(total, row)
		_, share := shownCell(get("audience_share"))
		shares = shares || share
		alone := d.exactly(p, services)
		r.cell("exclusive "+name, alone, get("exclusive"))
		if _, ok := shownCell(get("loyalty")); ok { // exclusive over audience: one gives the other
			r.cell("exclusive "+name, alone, get("loyalty"))
			r.cell(name, row, get("loyalty"))
		}
	}
	if shares {
		r.attacker.learn("sum of audiences", total)
	}
	pairs := ask(Request{Report: "duplication", Place: p})
	for i := range pairs.Rows {
		a, b := pairs.Cell(i, "service").(string), pairs.Cell(i, "other").(string)
		both := times(d.users(p, rollcall.ServiceID(a)), d.users(p, rollcall.ServiceID(b)))
		r.cell(a+" and "+b, both, pairs.Cell(i, "duplication"), pairs.Cell(i, "share_of_a"), pairs.Cell(i, "index"))
	}
	sets := ask(Request{Report: "combinations", Place: p})
	for i := range sets.Rows {
		names := sets.Cell(i, "services").([]string)
		services := make([]rollcall.ServiceID, len(names))
		for k, name := range names {
			services[k] = rollcall.ServiceID(name)
		}
		r.cell("exactly "+strings.Join(names, "+"), d.exactly(p, services), sets.Cell(i, "unique_audience"))
	}
	r.attack("at " + string(p))
	attackIncrements(d, &reader{t: t, limit: limit}, &reader{t: t, limit: limit}, p, ask)
	if p == p.Base() { // elsewhere a union is not who used any of its services
		attackOrders(t, d, limit, p, ask)
	}
}

// attackIncrements takes the incremental report by itself, then what the
// ranking and duplication withhold of its services with all three.
func attackIncrements(d *draw, own, others *reader, p Place, ask func(Request) *rollcall.Table) {
	order := []rollcall.ServiceID{"msn", "aim", "yahoo"}
	pairs, ranking := ask(Request{Report: "duplication", Place: p}), ask(Request{Report: "ranking", Place: p})
	steps := ask(Request{Report: "incremental", Place: p, Services: order})
	for i := range steps.Rows {
		down := d.users(p, order[:i+1]...)
		fresh := slices.Clone(down)
		if i > 0 {
			for k, x := range d.users(p, order[:i]...) {
				fresh[k] -= x
			}
		}
		own.cell(fmt.Sprint("union of ", order[:i+1]), down, steps.Cell(i, "unique_audience"))
		n := 0.0
		for _, x := range fresh {
			n += math.Abs(x)
		}
		own.formal(fmt.Sprint(order[i], " added"), fresh, n, steps.Cell(i, "incremental"))
		others.cell(string(order[i]), d.users(p, order[i]), audienceOf(ranking, order[i]))
	}
	own.secrets = slices.DeleteFunc(own.secrets, func(s secret) bool { return s.n >= float64(own.limit) }) // withheld to protect others
	own.attack("increments at " + string(p))
	for i := range pairs.Rows {
		a, b := rollcall.ServiceID(pairs.Cell(i, "service").(string)), rollcall.ServiceID(pairs.Cell(i, "other").(string))
		if slices.Contains(order, a) && slices.Contains(order, b) {
			others.cell(fmt.Sprint(a, " and ", b), times(d.users(p, a), d.users(p, b)), pairs.Cell(i, "duplication"))
		}
	}
	others.attacker.rows = append(others.attacker.rows, own.attacker.rows...)
	others.attack("increments and others at " + string(p))
}

// attackOrders takes the incremental reports of three services in every order.
// Its rows are over the combinations of the three, of which the attacker does not
// know the empty ones. What is withheld to protect others is not attacked, nor
// what is of nobody.
func attackOrders(t *rapid.T, d *draw, limit int, p Place, ask func(Request) *rollcall.Table) {
	r := &reader{t: t, limit: limit}
	for _, order := range [][]rollcall.ServiceID{
		{"msn", "aim", "yahoo"}, {"msn", "yahoo", "aim"}, {"aim", "msn", "yahoo"},
		{"aim", "yahoo", "msn"}, {"yahoo", "msn", "aim"}, {"yahoo", "aim", "msn"},
	} {
		steps := ask(Request{Report: "incremental", Place: p, Services: order})
		above, aboveUsers := make([]float64, 8), 0.0
		for i := range steps.Rows {
			down, users := combinationsOf(order[:i+1]), sumOf(d.users(p, order[:i+1]...))
			fresh := slices.Clone(down)
			for k, x := range above {
				fresh[k] -= x
			}
			r.formal(fmt.Sprint("union of ", order[:i+1]), down, users, steps.Cell(i, "unique_audience"))
			r.formal(fmt.Sprint(order[i], " added to ", order[:i]), fresh, users-aboveUsers, steps.Cell(i, "incremental"))
			above, aboveUsers = down, users
		}
	}
	r.secrets = slices.DeleteFunc(r.secrets, func(s secret) bool { return s.n == 0 || s.n >= float64(limit) })
	r.attack("increments in every order at " + string(p))
}

// combinationsOf marks the combinations of msn, aim and yahoo that any of the
// services is in.
func combinationsOf(services []rollcall.ServiceID) []float64 {
	out := make([]float64, 8)
	for k, s := range []rollcall.ServiceID{"msn", "aim", "yahoo"} {
		for c := range out {
			if slices.Contains(services, s) && c>>k&1 == 1 {
				out[c] = 1
			}
		}
	}
	return out
}

func add(to, row []float64) {
	for i, x := range row {
		to[i] += x
	}
}

func times(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i := range out {
		out[i] *= b[i]
	}
	return out
}

// exactly gives who used these services at a place and no other.
func (d *draw) exactly(p Place, services []rollcall.ServiceID) []float64 {
	out := make([]float64, d.persons)
	for i := range out {
		out[i] = 1
	}
	for _, s := range drawnServices {
		for i, x := range d.users(p, s) {
			if slices.Contains(services, s) != (x > 0) {
				out[i] = 0
			}
		}
	}
	return out
}

func drawnUnder(name, level string) []rollcall.ServiceID {
	switch {
	case level == "any":
		return drawnServices
	case name == "AOL":
		return []rollcall.ServiceID{"aim", "icq"}
	}
	return []rollcall.ServiceID{rollcall.ServiceID(name)}
}

// attackPlaces takes each row's audiences at all places together. What is
// withheld for another reason than its own persons is not attacked here.
func attackPlaces(t *rapid.T, d *draw, limit int, ask func(Request) *rollcall.Table) {
	readers := map[string]*reader{}
	for _, p := range rollcall.Places() {
		table := ask(Request{Report: "ranking", Place: p})
		for i := range table.Rows {
			name, level := table.Cell(i, "service").(string), table.Cell(i, "level").(string)
			if level != "service" {
				continue
			}
			if readers[name] == nil {
				readers[name] = &reader{t: t, limit: limit}
			}
			parts := make([]float64, 3) // home only, work only, both
			for k, part := range [][2]bool{{true, false}, {false, true}, {true, true}} {
				if p.Has(part[0], part[1]) {
					parts[k] = 1
				}
			}
			readers[name].formal(name+" at "+string(p), parts, sumOf(d.users(p, rollcall.ServiceID(name))), table.Cell(i, "unique_audience"))
		}
	}
	for _, r := range readers {
		r.secrets = slices.DeleteFunc(r.secrets, func(s secret) bool { return s.n >= float64(limit) || strings.HasSuffix(s.name, "-only") })
		r.attack("over places")
	}
}

// attackFrequency takes f_k, k+ and the audience together.
func attackFrequency(t *rapid.T, d *draw, limit int, ask func(Request) *rollcall.Table) {
	ranking := ask(Request{Report: "ranking"})
	table := ask(Request{Report: "frequency"})
	for _, s := range drawnServices {
		r := &reader{t: t, limit: limit}
		length := 31
		for i := range table.Rows {
			if table.Cell(i, "service") != string(s) {
				continue
			}
			k := table.Cell(i, "days").(int)
			exactly, plus, n, more := make([]float64, length), make([]float64, length), 0.0, 0.0
			exactly[k-1] = 1
			for j := k; j <= length; j++ {
				plus[j-1] = 1
			}
			for _, days := range d.days[s] {
				n += once01f(popcount(days) == k)
				more += once01f(popcount(days) >= k)
			}
			r.formal(fmt.Sprint(k, " days"), exactly, n, table.Cell(i, "unique_audience"), table.Cell(i, "share"))
			r.formal(fmt.Sprint(k, " days or more"), plus, more, table.Cell(i, "k_plus"))
			if k == 1 {
				r.formal("audience", plus, more, audienceOf(ranking, s))
			}
		}
		r.attack("frequency of " + string(s))
	}
}

func once01f(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func audienceOf(ranking *rollcall.Table, s rollcall.ServiceID) any {
	for i := range ranking.Rows {
		if ranking.Cell(i, "service") == string(s) {
			return ranking.Cell(i, "unique_audience")
		}
	}
	return nil
}

func popcount(x uint64) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

// attackProfile takes a column's categories and the total together, and a
// target, everyone else and the total.
func attackProfile(t *rapid.T, d *draw, limit int, ask func(Request) *rollcall.Table) {
	ranking := ask(Request{Report: "ranking"})
	for _, target := range []string{"", "sex=F", "age=a0|age=a1", "!age=a2"} {
		table := ask(Request{Report: "profile", Target: target})
		for _, s := range drawnServices {
			for _, column := range []string{"sex", "age"} {
				r := &reader{t: t, limit: limit}
				total, rest := make([]float64, 5), sumOf(d.users(HomeWork, s))
				k := 0
				for i := range table.Rows {
					name := table.Cell(i, "target").(string)
					if table.Cell(i, "service") != string(s) || !strings.Contains(name, column) {
						continue
					}
					n := sumOf(d.within(s, name))
					r.formal(name, unit(k), n, table.Cell(i, "unique_audience"), table.Cell(i, "composition"), table.Cell(i, "target_reach"), table.Cell(i, "index"))
					total[k], rest = 1, rest-n
					k++
				}
				if k == 0 {
					continue
				}
				if target != "" { // everyone else is a figure that anyone may ask for
					total[k] = 1
					if rest < float64(limit) {
						r.secrets = append(r.secrets, secret{"everyone else", unit(k), rest})
					}
				}
				r.formal("total", total, sumOf(d.users(HomeWork, s)), audienceOf(ranking, s))
				r.attack("profile of " + string(s) + " " + target)
			}
		}
	}
}

func unit(k int) []float64 {
	out := make([]float64, 5)
	out[k] = 1
	return out
}

func sumOf(row []float64) (total float64) {
	for _, x := range row {
		total += x
	}
	return total
}

// within gives a service's users in a target, written in its canonical form.
func (d *draw) within(s rollcall.ServiceID, target string) []float64 {
	out := d.users(HomeWork, s)
	for i := range out {
		var in bool
		switch target {
		case "(age=a0)|(age=a1)", "age=a0|age=a1":
			in = d.columns["age"][i] == "a0" || d.columns["age"][i] == "a1"
		case "!age=a2":
			in = d.columns["age"][i] != "a2"
		default:
			column, category, _ := strings.Cut(target, "=")
			in = d.columns[column][i] == category
		}
		if !in {
			out[i] = 0
		}
	}
	return out
}
