package panel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
	"rollcall/internal/test/engines"
)

// R survey's calibrate(calfun = "raking") with margins of the users of two
// services, and raked anew to one user more and one fewer for what the inputs'
// errors add, beside us: levels, ratios, differences, overlaps, changes, means of
// months and subsets. One input is the same in two months.
func TestCalibratedAgainstRSurvey(t *testing.T) {
	engines.Require(t, engines.Survey)
	const panels = 2 // one of single persons, one with households and strata
	dir := t.TempDir()
	for k := range panels {
		livePanel(3*k).write(t, dir, k)
		livePanel(3*k).writeInputs(t, dir, k)
	}
	compareWithR(t, "testdata/calibrated.R", dir, panels, func(k int) said { return livePanel(3 * k).calibrated(t) })
}

// usersOf gives the margins of users of two services in a month: more users than
// the panel has by itself of the first, fewer of the second.
func (m liveMonths) usersOf(t *testing.T, month int) []panel.Users {
	t.Helper()
	d := m[month]
	_, _, _, services := d.live()
	own := mustRake(t, d)
	var out []panel.Users
	for s, times := range []float64{1.15, 0.85} {
		divisor := panel.Input{Name: fmt.Sprintf("per person of s%d", s+1), RSE: 0.08 - 0.03*float64(s)}
		if s == 1 { // another in each month
			divisor.Name += fmt.Sprint(" in ", month)
		}
		out = append(out, panel.Users{
			Name: fmt.Sprintf("users of s%d", s+1), At: services[s].At, Persons: times * total(own, services[s]).Value,
			Count: panel.Input{Name: fmt.Sprintf("accounts of s%d in %d", s+1, month), RSE: 0.01 * float64(s)}, Divisor: divisor,
		})
	}
	return out
}

func (m liveMonths) writeInputs(t *testing.T, dir string, k int) {
	t.Helper()
	var text strings.Builder
	text.WriteString("month,service,persons,count_rse,divisor,divisor_rse\n")
	for month := range m {
		for s, u := range m.usersOf(t, month) {
			fmt.Fprintf(&text, "%d,s%d,%.17g,%g,%s,%g\n", month+1, s+1, u.Persons, u.Count.RSE, u.Divisor.Name, u.Divisor.RSE)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(k)+"-inputs.csv"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// calibrated computes by this package what calibrated.R prints.
func (m liveMonths) calibrated(t *testing.T) said {
	t.Helper()
	out := said{}
	weights := make([]*panel.Weights, len(m))
	for k, d := range m {
		w, err := panel.Rake(d.roster, d.population, rollcall.Trim{}, m.usersOf(t, k)...)
		if err != nil {
			t.Fatal(err)
		}
		weights[k] = w
	}
	for i, x := range weights[2].Final()[:5] {
		out["weight"+strconv.Itoa(i+1)] = x
	}
	m[2].calibratedMonth(weights[2], out)
	m.calibratedChange(weights, out)
	m.calibratedPool(weights, out)
	m.calibratedSubset(t, weights, out)
	return out
}

// served are variables made of a month's services.
func (d drawn) served(in func(used [3]bool) bool, users bool) (v panel.Variable) {
	used, _, _, services := d.live()
	n := len(d.roster.Panelists)
	any, by := dense(used, n), [3][]float64{}
	for s := range by {
		by[s] = dense(services[s], n)
	}
	for i := range n {
		if in([3]bool{by[0][i] > 0, by[1][i] > 0, by[2][i] > 0}) || users && any[i] > 0 {
			v.At = append(v.At, int32(i))
		}
	}
	return v
}

func (d drawn) calibratedMonth(w *panel.Weights, out said) {
	users, rare, minutes, services := d.live()
	both := w.Term(d.served(func(u [3]bool) bool { return u[0] && u[1] }, false))
	active := w.Term(d.served(func(u [3]bool) bool { return u[0] || u[1] || u[2] }, true))
	count := make([]float64, len(d.roster.Panelists))
	for _, s := range services[:3] {
		for _, i := range s.At {
			count[i]++
		}
	}
	s1, s2, s3 := w.Term(services[0]), w.Term(services[1]), w.Term(services[2])
	for name, e := range map[string]panel.Estimate{
		"users": total(w, users), "rare": total(w, rare), "minutes": total(w, minutes), "s3": total(w, services[2]),
		"ratio": w.NestedRatio(w.Term(minutes), w.Term(users)), "diff": diff(w, services[0], services[2]),
		"share": w.TermRatio(s1, w.Term(panel.Dense(count))), "reach": w.NestedRatio(s3, active), "index": w.NestedIndex(both, active, s1, s2),
	} {
		out.estimate(name, e)
	}
}

func (m liveMonths) calibratedChange(weights []*panel.Weights, out said) {
	now, _, _, services := m[2].live()
	before, _, _, past := m[1].live()
	pair := panel.Compare(weights[2], weights[1])
	c := pair.TermChange(weights[2].Term(now), weights[1].Term(before))
	out.estimate("change", c.Absolute)
	out.estimate("percent", c.Percent)
	third := pair.TermChange(weights[2].Term(services[2]), weights[1].Term(past[2]))
	out.estimate("change3", third.Absolute)
	fieller, _ := pair.Intervals(0.95).Percent(third)
	out.interval("fieller", fieller)
}

func (m liveMonths) calibratedPool(weights []*panel.Weights, out said) {
	p := panel.Pool(weights...)
	var users, minutes, third, active []panel.Variable
	for _, d := range m {
		u, _, spent, services := d.live()
		users, minutes, third = append(users, u), append(minutes, spent), append(third, services[2])
		active = append(active, d.served(func(u [3]bool) bool { return u[0] || u[1] || u[2] }, true))
	}
	term := func(v []panel.Variable) *panel.Term { return p.Term(p.Variable(v...)) }
	out.estimate("pool", p.Linear(panel.Part{Factor: 1, Term: term(third)}))
	out.estimate("pool_minutes", p.Linear(panel.Part{Factor: 1, Term: term(minutes)}))
	out.estimate("pool_ratio", p.NestedRatio(term(minutes), term(users)))
	out.estimate("pool_reach", p.NestedRatio(term(third), term(active)))
}

// calibratedSubset is of those who were there the month before, weighed anew.
func (m liveMonths) calibratedSubset(t *testing.T, weights []*panel.Weights, out said) {
	t.Helper()
	_, _, _, past := m[1].live()
	used := map[rollcall.Visitor]bool{}
	for _, p := range m[1].roster.Panelists {
		used[p.ID] = false
	}
	for _, i := range past[2].At {
		used[m[1].roster.Panelists[i].ID] = true
	}
	_, _, _, services := m[2].live()
	now := dense(services[2], len(m[2].roster.Panelists))
	var at []int32
	var came, stayed panel.Variable
	for i, p := range m[2].roster.Panelists {
		was, ok := used[p.ID]
		if !ok {
			continue
		}
		own := int32(len(at))
		at = append(at, int32(i))
		switch {
		case now[i] > 0 && was:
			stayed.At = append(stayed.At, own)
		case now[i] > 0:
			came.At = append(came.At, own)
		}
	}
	w, err := weights[2].Subset(at)
	if err != nil {
		t.Fatal(err)
	}
	all := w.Plus(w.Term(came), w.Term(stayed))
	out.estimate("came", w.NestedRatio(w.Term(came), all))
	out.estimate("stayed", w.NestedRatio(w.Term(stayed), all))
}
