package panel_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
	"rollcall/internal/test/engines"
)

// R survey's calibrate(calfun = "raking") weighs panels of three months drawn at
// random beside us, with unequal base weights, a two-way margin and a partial
// one; with households and strata, with one of them, and without. Persons join,
// leave, and move between households and strata.
func TestLiveAgainstRSurvey(t *testing.T) {
	engines.Require(t, engines.Survey)
	const panels = 8
	dir := t.TempDir()
	for k := range panels {
		livePanel(k).write(t, dir, k)
	}
	compareWithR(t, "testdata/live.R", dir, panels, func(k int) said { return livePanel(k).figures(t) })
}

// compareWithR holds our figures of some panels, by name, to those that a script
// makes of what was written of them.
func compareWithR(t *testing.T, script, dir string, panels int, figures func(k int) said) {
	t.Helper()
	cmd := exec.Command("Rscript", script, dir, strconv.Itoa(panels))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Rscript: %v\n%s", err, stderr.String())
	}
	theirs := readLive(t, out)
	compared, worst := 0, 0.0
	for k := range panels {
		for name, ours := range figures(k) {
			want, ok := theirs[fmt.Sprint(k, " ", name)]
			if !ok {
				t.Fatalf("R says nothing of %s of panel %d", name, k)
			}
			near(t, fmt.Sprint("panel ", k, ": ", name), ours, want, 1e-6)
			compared++
			worst = max(worst, math.Abs(ours-want)/math.Abs(want))
		}
	}
	if compared != len(theirs) {
		t.Errorf("%d figures compared of the %d that R gave", compared, len(theirs))
	}
	t.Logf("%d figures, largest relative difference %.2g", compared, worst)
}

// liveMonths are the three months of a panel, the latest last.
type liveMonths [3]drawn

const liveServices = 6

func livePanel(k int) liveMonths {
	var out liveMonths
	n := 300 + 50*k
	for t := range out {
		out[t] = draw(uint64(1000+10*k+t), n)
		rng := rand.New(rand.NewPCG(uint64(k), uint64(t)))
		for i := range out[t].roster.Panelists {
			p := &out[t].roster.Panelists[i]
			p.ID += rollcall.Visitor(n / 5 * t) // the same persons but for a fifth
			household := uint64(p.ID)/3 + 1
			if rng.IntN(10) == 0 {
				household = rng.Uint64N(uint64(n)) + 1
			}
			stratum := household / 7 % 4
			if rng.IntN(20) == 0 {
				stratum = rng.Uint64N(4)
			}
			if k%2 == 1 {
				p.Household = rollcall.Household(household)
			}
			if k/2%2 == 1 {
				p.Stratum = rollcall.Stratum(stratum + 1)
			}
		}
	}
	return out
}

// live draws the variables of the comparison.
func (d drawn) live() (users, rare, minutes panel.Variable, services [liveServices]panel.Variable) {
	seed := uint64(len(d.roster.Panelists)) + uint64(d.roster.Panelists[0].ID)
	users, minutes = d.variables(seed, 0.4)
	rare, _ = d.variables(seed+100, 0.06)
	for s := range services {
		services[s], _ = d.variables(seed+uint64(200+s), 0.5-0.07*float64(s))
	}
	return users, rare, minutes, services
}

func (m liveMonths) write(t *testing.T, dir string, k int) {
	t.Helper()
	var people, margins strings.Builder
	people.WriteString("month,id,base,sexage,region,work,household,stratum,users,rare,minutes,s1,s2,s3,s4,s5,s6\n")
	margins.WriteString("month,margin,category,population\n")
	for month, d := range m {
		users, rare, minutes, services := d.live()
		n := len(d.roster.Panelists)
		columns := [][]float64{dense(users, n), dense(rare, n), dense(minutes, n)}
		for _, s := range services {
			columns = append(columns, dense(s, n))
		}
		for i, p := range d.roster.Panelists {
			work := 0
			if p.Metered.Has(rollcall.Work) {
				work = 1
			}
			fmt.Fprintf(&people, "%d,%d,%.17g,%s*%s,%s,%d,%d,%d", month+1, p.ID, p.BaseWeight, p.Categories[0], p.Categories[1], p.Categories[2], work, p.Household, p.Stratum)
			for _, c := range columns {
				fmt.Fprintf(&people, ",%g", c[i])
			}
			people.WriteString("\n")
		}
		for _, x := range d.population.Margins {
			fmt.Fprintf(&margins, "%d,%s,%s,%.17g\n", month+1, strings.ReplaceAll(x.Name, "*", ""), x.Category, x.Population)
		}
	}
	for name, text := range map[string]string{"-people.csv": people.String(), "-margins.csv": margins.String()} {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(k)+name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readLive(t *testing.T, out []byte) map[string]float64 {
	t.Helper()
	figures := map[string]float64{}
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		fields := strings.Fields(scan.Text())
		x, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		figures[fields[0]+" "+fields[1]] = x
	}
	return figures
}

// said gathers figures under the names that live.R prints them by.
type said map[string]float64

func (s said) estimate(name string, e panel.Estimate) { s[name], s[name+"_se"] = e.Value, e.SE }

func (s said) interval(name string, i panel.Interval) { s[name+"1"], s[name+"2"] = i.Low, i.High }

// figures computes by this package what live.R prints.
func (m liveMonths) figures(t *testing.T) said {
	t.Helper()
	out := said{}
	weights := make([]*panel.Weights, len(m))
	for k, d := range m {
		weights[k] = mustRake(t, d)
	}
	m[2].month(weights[2], out)
	m.change(weights, out)
	m.pool(weights, out)
	m.turnover(t, weights, out)
	return out
}

// month says the figures of one month.
func (d drawn) month(w *panel.Weights, out said) {
	users, rare, minutes, services := d.live()
	for i, x := range w.Final()[:5] {
		out["weight"+strconv.Itoa(i+1)] = x
	}
	in := w.Intervals(0.95)
	out["df"] = float64(in.DF())
	for name, e := range map[string]panel.Estimate{"users": total(w, users), "rare": total(w, rare), "minutes": total(w, minutes),
		"ratio": ratio(w, minutes, users), "diff": diff(w, users, rare)} {
		out.estimate(name, e)
	}
	out.interval("logit", in.Proportion(total(w, users).Scale(1/w.Universe()), w.Term(users), w.Everyone()))
	out.interval("beta", in.Beta(total(w, rare).Scale(1/w.Universe())))
	out.interval("hall", in.Mean(w.Mean(w.Term(minutes), w.Term(users))))
	places := in.Places(liveServices, func(i, j int) panel.Estimate { return diff(w, services[i], services[j]) })
	for i, p := range places {
		out["low"+strconv.Itoa(i+1)], out["high"+strconv.Itoa(i+1)] = float64(p.Low), float64(p.High)
	}
}

// change says the figures of the change from the second month to the third.
func (m liveMonths) change(weights []*panel.Weights, out said) {
	now, _, _, _ := m[2].live()
	before, _, _, _ := m[1].live()
	pair := panel.Compare(weights[2], weights[1])
	c, in := pair.TermChange(weights[2].Term(now), weights[1].Term(before)), pair.Intervals(0.95)
	out["change_df"] = float64(in.DF())
	out.estimate("change", c.Absolute)
	out.estimate("percent", c.Percent)
	fieller, _ := in.Percent(c)
	out.interval("fieller", fieller)
}

// pool says the figures of the mean of the three months.
func (m liveMonths) pool(weights []*panel.Weights, out said) {
	p := panel.Pool(weights...)
	of := func(value func(month, i int, l *live) float64) *panel.Term {
		var months []panel.Variable
		for k, d := range m {
			l, values := d.dense(), make([]float64, len(d.roster.Panelists))
			for i := range values {
				values[i] = value(k+1, i, l)
			}
			months = append(months, panel.Dense(values))
		}
		return p.Term(p.Variable(months...))
	}
	who := func(in func(i int, l *live) bool) *panel.Term {
		all := of(func(_, i int, l *live) float64 { return unit(in(i, l)) })
		return p.Term(panel.Variable{At: all.At})
	}
	there := func(i int, l *live) bool { return l.ids[i]%3 == 0 }
	used := who(func(i int, l *live) bool { return l.users[i] > 0 })
	rare := who(func(i int, l *live) bool { return l.rare[i] > 0 })
	both := who(func(i int, l *live) bool { return l.users[i] > 0 && there(i, l) })
	target := who(there)
	active := who(func(i int, l *live) bool { return l.users[i] > 0 || l.first[i] > 0 || there(i, l) })
	often := who(func(i int, l *live) bool { return l.minutes[i] > 60 })
	spent := of(func(_, i int, l *live) float64 { return l.minutes[i] })
	part := of(func(month, i int, l *live) float64 { return l.minutes[i] / float64(30+month%2) })
	in := p.Intervals(0.95)
	out["pool_df"] = float64(in.DF())
	total := func(t *panel.Term) panel.Estimate { return p.Linear(panel.Part{Factor: 1, Term: t}) }
	audience, time := total(used), total(spent)
	out["pool1"], out["pool_se1"], out["pool2"], out["pool_se2"] = audience.Value, audience.SE, time.Value, time.SE
	out.estimate("pool_ratio", p.NestedRatio(spent, used))
	out.interval("pool_logit", in.Proportion(audience.Scale(1/p.Universe()), used, p.Everyone()))
	out.interval("pool_beta", in.Beta(total(rare).Scale(1/p.Universe())))
	out.estimate("pool_share", p.NestedRatio(both, used))
	out.estimate("pool_reach", p.NestedRatio(both, target))
	out.estimate("pool_index", p.NestedIndex(both, active, target, used))
	out.estimate("pool_often", total(often))
	out.estimate("pool_part", total(part))
}

// live is a month's persons and what they did, person by person.
type live struct {
	ids                         []rollcall.Visitor
	users, rare, minutes, first []float64
}

func (d drawn) dense() *live {
	users, rare, minutes, services := d.live()
	n := len(d.roster.Panelists)
	out := &live{users: dense(users, n), rare: dense(rare, n), minutes: dense(minutes, n), first: dense(services[0], n)}
	for _, p := range d.roster.Panelists {
		out.ids = append(out.ids, p.ID)
	}
	return out
}

func unit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// turnover says who came, stayed and left in the second month and in the third,
// of those who were there the month before, weighed anew: the mean of the two.
func (m liveMonths) turnover(t *testing.T, weights []*panel.Weights, out said) {
	t.Helper()
	var subsets []*panel.Weights
	var came, stayed, left [2]panel.Variable
	for k := range 2 {
		then, now, before := m[k].dense(), m[k+1].dense(), map[rollcall.Visitor]float64{}
		for i, id := range then.ids {
			before[id] = then.users[i]
		}
		var at []int32
		for i, id := range now.ids {
			past, ok := before[id]
			if !ok {
				continue
			}
			own := int32(len(at))
			at = append(at, int32(i))
			switch {
			case now.users[i] > past:
				came[k].At = append(came[k].At, own)
			case now.users[i] < past:
				left[k].At = append(left[k].At, own)
			case past > 0:
				stayed[k].At = append(stayed[k].At, own)
			}
		}
		w, err := weights[k+1].Subset(at)
		if err != nil {
			t.Fatal(err)
		}
		subsets = append(subsets, w)
	}
	p := panel.Pool(subsets...)
	term := func(v [2]panel.Variable) *panel.Term { return p.Term(p.Variable(v[:]...)) }
	out["turn_df"] = float64(p.Intervals(0.95).DF())
	now, before := p.Plus(term(came), term(stayed)), p.Plus(term(left), term(stayed))
	out.estimate("came", p.NestedRatio(term(came), now))
	out.estimate("stayed", p.NestedRatio(term(stayed), now))
	out.estimate("left", p.NestedRatio(term(left), before))
}
