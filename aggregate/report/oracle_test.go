package report

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/audience"
)

// fixture is W15's panel of 300 as a roster, a universe and diaries: minutes
// at home are laid out from the month's first day on, those at work from the
// 16th on, so that locations never overlap.
type fixture struct {
	roster, universe string
	facts            facts
}

const fixtureUniverse = 16800000

func newFixture(t testing.TB) fixture {
	t.Helper()
	file, err := os.Open("../panel/testdata/panel_fixture.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := fixture{facts: facts{}, universe: "margin,category,population,source,source_date\n"}
	var roster strings.Builder
	roster.WriteString("panelist,home,work,base_weight,sex,age,region\n")
	for _, row := range rows[1:] {
		fmt.Fprintf(&roster, "P%s,1,1,1,%s,%s,%s\n", row[0], row[1], row[2], row[3])
		for i, s := range []rollcall.ServiceID{"msn", "aim", "yahoo", "icq"} {
			out.person(t, number(t, row[0]), s, row[5+4*i:])
		}
		out.facts.add(number(t, row[0]), rollcall.Online, rollcall.Home, rollcall.Presence, stretch{31, 0, 1})
	}
	out.roster = roster.String()
	for _, m := range []struct {
		name, category string
		part           float64
	}{
		{"sex", "M", .52}, {"sex", "F", .48}, {"age", "a1", .18}, {"age", "a2", .27}, {"age", "a3", .38}, {"age", "a4", .17},
		{"region", "IDF", .28}, {"region", "N", .36}, {"region", "S", .36},
	} {
		out.universe += fmt.Sprintf("%s,%s,%.0f,enumeration study,2002-06-30\n", m.name, m.category, fixtureUniverse*m.part)
	}
	return out
}

// person lays out one service's columns: used at home, at work, minutes at each.
func (f *fixture) person(t testing.TB, n int, s rollcall.ServiceID, columns []string) {
	for i, place := range []rollcall.Location{rollcall.Home, rollcall.Work} {
		left := number(t, columns[2+i])
		if columns[i] == "1" && left == 0 {
			t.Fatalf("panelist %d uses %s without a minute", n, s)
		}
		for day := 1 + 15*i; left > 0; day++ {
			f.facts.add(n, s, place, rollcall.Use, stretch{day, 600, 600 + min(left, 120)})
			left -= 120
		}
	}
}

func number(t testing.TB, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fixtureSite(t testing.TB, s audience.Settings) *site {
	h := newSite(t)
	f := newFixture(t)
	h.load(october, f.roster, f.universe)
	h.merge(f.facts)
	h.close(closing(october, s))
	return h
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-6*math.Abs(want)) {
		t.Errorf("%s = %.10g, want %.10g", what, got, want)
	}
}

func expect(t *testing.T, what string, cell any, value, se float64) {
	t.Helper()
	m, ok := cell.(rollcall.Measure)
	if !ok {
		t.Fatalf("%s is %v, not a measure", what, cell)
	}
	near(t, what, m.Value, value)
	near(t, what+"'s SE", m.SE, se)
}

// TestOracleAudiences compares with R survey's figures of panel_oracle.out.
func TestOracleAudiences(t *testing.T) {
	h := fixtureSite(t, all())
	home := h.report(rollcall.Query{Report: "ranking", Place: rollcall.AtHome, Version: 1})
	work := h.report(rollcall.Query{Report: "ranking", Place: rollcall.AtWork, Version: 1})
	either := h.report(rollcall.Query{Report: "ranking", Version: 1})
	both := h.report(rollcall.Query{Report: "ranking", Place: rollcall.Both, Version: 1})
	for _, c := range []struct {
		table     *rollcall.Table
		row       string
		value, se float64
	}{
		{home, "msn", 4709879.530, 440187.2592},
		{work, "msn", 2416734.711, 346629.1104},
		{either, "msn", 6034532.363, 472995.6968},
		{both, "msn", 1092081.878, 235671.5431},
		{home, "aim", 3164061.938, 377583.3345},
		{work, "aim", 1028993.713, 244231.9278},
		{either, "aim", 3884063.951, 419289.2501},
		{either, "yahoo", 2551794.829, 361957.7705},
		{either, "icq", 2475094.973, 357503.6005},
		{either, "any", 9337198.842, 486404.3618},
	} {
		expect(t, c.row+" "+c.table.Meta.Location, find(t, c.table, c.row)["unique_audience"], c.value, c.se)
	}
	msn := find(t, either, "msn")
	expect(t, "exclusive", msn["exclusive"], 2253355.184, 331140.3478)
	expect(t, "minutes per person", msn["minutes_per_person"], 208.5311878, 13.56311973)
	expect(t, "audience share", msn["audience_share"], 40.37695607, 2.298491097)
	near(t, "coverage", msn["coverage"].(rollcall.Measure).Value, 35.919835)
	if n := msn["unique_audience"].(rollcall.Measure).N; n != 108 {
		t.Errorf("msn has %d persons, want 108", n)
	}
	audience := msn["unique_audience"].(rollcall.Measure)
	if low, high := audience.Low/fixtureUniverse, audience.High/fixtureUniverse; math.Abs(low-0.305857) > 1e-6 || math.Abs(high-0.41626) > 1e-5 {
		t.Errorf("msn's interval is %.6f-%.6f of the universe, want 0.305857-0.41626", low, high)
	}
}

// TestOracleOverlaps compares duplication, composition and combinations.
func TestOracleOverlaps(t *testing.T) {
	h := fixtureSite(t, all())
	pair := find(t, h.report(rollcall.Query{Report: "duplication", Version: 1}), "msn", "aim")
	expect(t, "duplication", pair["duplication"], 2215098.720, 337513.4135)
	near(t, "share of msn", pair["share_of_a"].(rollcall.Measure).Value, 100*2215098.720/6034532.363)
	near(t, "index", pair["index"].(rollcall.Measure).Value, 100*2215098.720*fixtureUniverse/(6034532.363*3884063.951))

	profile := h.report(rollcall.Query{Report: "profile", Version: 1})
	for _, c := range []struct {
		category  string
		value, se float64
	}{{"a1", 1484331.7030, 242975.5930}, {"a2", 1939930.3500, 253452.1546}, {"a3", 2084250.2534, 269169.5488}, {"a4", 526020.0565, 163489.5481}} {
		row := find(t, profile, "msn", "age="+c.category)
		expect(t, "msn, "+c.category, row["unique_audience"], c.value, c.se)
		near(t, "its composition", row["composition"].(rollcall.Measure).Value, 100*c.value/6034532.363)
	}
	alone := find(t, h.report(rollcall.Query{Report: "combinations", Version: 1}), []string{"msn"})
	expect(t, "msn alone", alone["unique_audience"], 2253355.184, 331140.3478)
}

// TestEveryReport asks for every report at every place, under both rules.
func TestEveryReport(t *testing.T) {
	for _, s := range []audience.Settings{audience.DefaultSettings(), all()} {
		h := fixtureSite(t, s)
		for _, name := range Reports() {
			for _, place := range rollcall.Places() {
				for _, credit := range []rollcall.Credit{rollcall.ByPresence, rollcall.ByUse} {
					got := h.report(rollcall.Query{Report: name, Place: place, Credit: credit, Version: 1})
					if len(got.Rows) == 0 {
						t.Errorf("%s at %s by %s has no rows", name, place, credit)
					}
					body(t, got)
				}
			}
		}
	}
}
