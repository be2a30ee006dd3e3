package report

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/internal/sqlite"
)

// perPerson is a file of how many accounts a person has.
const perPerson = "service,accounts_per_person,se,source,source_date\nmsn,1.25,0.05,survey of users,2002-06-30\naim,1.1,0.04,survey of users,2002-06-30\n"

// panelOf400 is a site whose panel of 400 has used messengers in a month: half
// use msn, of whom most use aim too; all but 20 use yahoo, and some men jabber.
func panelOf400(t *testing.T, months ...rollcall.PanelMonth) *site {
	t.Helper()
	h := newSite(t)
	h.joinedBy400(months...)
	return h
}

// joinedBy400 loads that panel.
func (h *site) joinedBy400(months ...rollcall.PanelMonth) {
	h.t.Helper()
	var roster strings.Builder
	roster.WriteString("panelist,home,work,sex\n")
	for i := range 400 {
		fmt.Fprintf(&roster, "P%d,1,%d,%c\n", i+1, i%2, "MF"[i%3%2])
	}
	f := facts{}
	for k, of := range months {
		h.load(of, roster.String(), "margin,category,population,source,source_date\nsex,M,60000,study,2002-06-30\nsex,F,40000,study,2002-06-30\n")
		rng := rand.New(rand.NewPCG(5, uint64(k)))
		for i := range 400 {
			at := func() stretch { m := rng.IntN(1000); return stretch{1 + rng.IntN(28), m, m + 1 + rng.IntN(90)} }
			f.addTo(of, i+1, "online", rollcall.Home, rollcall.Presence, at())
			if i >= 20 {
				f.addTo(of, i+1, "yahoo", rollcall.Home, rollcall.Use, at())
			}
			if i%3%2 == 0 && i < 100 { // men alone
				f.addTo(of, i+1, "jabber", rollcall.Home, rollcall.Use, at())
			}
			if rng.IntN(2) == 0 {
				f.addTo(of, i+1, "msn", rollcall.Home, rollcall.Presence, at())
				if rng.IntN(4) > 0 {
					f.addTo(of, i+1, "aim", rollcall.Home, rollcall.Use, at())
				}
			} else if rng.IntN(5) == 0 {
				f.addTo(of, i+1, "aim", rollcall.Home, rollcall.Use, at())
			}
		}
	}
	h.merge(f)
}

// census has a service see accounts of a month, each on some day; none on the
// days left out.
func (h *site) census(of rollcall.PanelMonth, service rollcall.ServiceID, accounts int, without ...int) {
	h.t.Helper()
	cells := map[rollcall.Cell]rollcall.CellState{}
	for day := range of.Month.Days() {
		if slices.Contains(without, day+1) {
			continue
		}
		sketch := hll.New(h.store.K())
		rng := rand.New(rand.NewPCG(uint64(len(service)), uint64(day)))
		for range accounts {
			if rng.IntN(3) == 0 {
				sketch.Add(rng.Uint64())
			} else {
				rng.Uint64()
			}
		}
		state := rollcall.CellState{Visitors: sketch.Append(nil), Minutes: sketch.Append(nil)}
		cells[rollcall.Cell{Market: of.Market, Day: of.Month.First() + rollcall.Day(day), Service: service, Location: rollcall.Home, Kind: rollcall.Presence, Key: testKey}] = state
	}
	known, err := h.store.Corrections(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.store.Merge(context.Background(), rollcall.Deltas{Cells: maps.All(cells), Known: known}); err != nil {
		h.t.Fatal(err)
	}
}

func calibrating(of rollcall.PanelMonth, file string, services ...rollcall.ServiceID) rollcall.ClosePlan {
	return rollcall.ClosePlan{Of: of, Calibrate: services, PerPerson: file}
}

// TestCalibratedGroups: what unites services is calibrated where each of them is,
// and isn't where none is; where some are neither is said.
func TestCalibratedGroups(t *testing.T) {
	h := panelOf400(t, october)
	h.census(october, "msn", 6000)
	h.census(october, "aim", 6000)
	for _, c := range []struct {
		services []rollcall.ServiceID
		want     string // of msn, aim, AOL (aim and icq) and any
	}{
		{[]rollcall.ServiceID{"msn"}, "true false false <nil>"},
		{[]rollcall.ServiceID{"aim"}, "false true <nil> <nil>"},
	} {
		v := h.close(calibrating(october, perPerson, c.services...))
		r := h.report(rollcall.Query{Report: "ranking", Version: v.Version})
		cell := func(name string) any { return find(t, r, name)["calibrated"] }
		if got := fmt.Sprint(cell("msn"), " ", cell("aim"), " ", cell("AOL"), " ", cell("any")); got != c.want {
			t.Errorf("calibrated to %v, the rows say %s, want %s", c.services, got, c.want)
		}
	}
}

// TestCalibrated: a month calibrated to a service's census has that many users
// of it, says so wherever its figures are, and is a version beside the other.
func TestCalibrated(t *testing.T) {
	h := panelOf400(t, october)
	h.census(october, "msn", 6000)
	h.close(rollcall.ClosePlan{Of: october})
	second := h.close(calibrating(october, perPerson, "msn"))
	if second.Version != 2 {
		t.Fatalf("the calibrated version is %d", second.Version)
	}
	alone, both := h.report(rollcall.Query{Report: "ranking", Version: 1}), h.report(rollcall.Query{Report: "ranking", Version: 2})
	if len(both.Meta.Calibrated) != 1 || len(alone.Meta.Calibrated) != 0 {
		t.Fatalf("calibrated are %v and %v", alone.Meta.Calibrated, both.Meta.Calibrated)
	}
	c := both.Meta.Calibrated[0]
	msn := find(t, both, "msn")["unique_audience"].(rollcall.Measure)
	if math.Abs(msn.Value-c.Persons) > 1e-6*c.Persons || c.Persons != c.Accounts/1.25 {
		t.Errorf("msn has %g users, want %g: %g accounts by 1.25", msn.Value, c.Persons, c.Accounts)
	}
	if math.Abs(msn.SE-c.PersonsSE) > 1e-6*msn.SE { // the panel adds nothing to it
		t.Errorf("their standard error is %g, want %g", msn.SE, c.PersonsSE)
	}
	if own := value(t, alone, "msn", "unique_audience"); math.Abs(own-c.Own) > 1e-6*own || c.Ratio != c.Persons/c.Own {
		t.Errorf("the panel alone has %g, the version says %g and a ratio of %g", own, c.Own, c.Ratio)
	}
	if find(t, both, "msn")["calibrated"] != true || find(t, both, "aim")["calibrated"] != false || !strings.Contains(both.Meta.Method, "calibrated=msn") {
		t.Errorf("rows or method don't say calibrated: %v, %s", find(t, both, "msn"), both.Meta.Method)
	}
	notes := strings.Join(both.Meta.Notes, "\n")
	for _, want := range []string{"Calibrated to msn: ", "Not calibrated: aim", "200 of the 400 panelists of 2002-10 have no meter at work", "Calibrating has brought the weighting efficiency"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note says %q:\n%s", want, notes)
		}
	}
	diff, err := h.Diff(context.Background(), rollcall.Query{Of: october}, 1, 2)
	if err != nil || !strings.Contains(strings.Join(diff.Meta.Notes, "\n"), "Calibrated services: no service in the first version, msn in the second.") {
		t.Errorf("diff: %v, %v", diff, err)
	}
	if back, err := h.Diff(context.Background(), rollcall.Query{Of: october}, 2, 1); err != nil || !strings.HasSuffix(back.Meta.Method, "; before_version=2; before_calibrated=msn") || !strings.HasSuffix(diff.Meta.Method, "; before_version=1") {
		t.Errorf("the methods of diffs are %q and %q, %v", diff.Meta.Method, back.Meta.Method, err)
	}
	for _, name := range Reports() {
		if r := h.report(rollcall.Query{Report: name, Version: 2}); len(r.Meta.Calibrated) != 1 {
			t.Errorf("%s doesn't say that it is calibrated", name)
		}
	}
	h.holdsCalibration(second, msn)
}

// holdsCalibration holds a calibrated version, whose audience of msn is given,
// against a later census: the version stays, the list tells, and the next close
// makes another.
func (h *site) holdsCalibration(second rollcall.Publication, msn rollcall.Measure) {
	t := h.t
	t.Helper()
	if c := second.Calibration; c == nil || len(c.Notes) < 4 || !strings.HasPrefix(c.Notes[0], "Calibrated to msn: ") {
		t.Errorf("the close says %+v", c)
	}
	h.census(october, "msn", 7000)
	list, err := h.Publisher.Publications(context.Background(), "FR", "nn")
	if err == nil {
		err = errors.Join(h.Calibrations(context.Background(), list), h.CountLate(context.Background(), list))
	}
	if per := list[1].Calibration.Accounts; len(per) != 1 || per[0].Service != "msn" || per[0].PerPerson != 1.25 || per[0].Source != "survey of users" {
		h.t.Errorf("the list says that a person has the accounts %+v", per)
	}
	if err != nil || list[0].Calibration != nil || len(list[1].Calibration.Since) != 1 || !strings.HasPrefix(list[1].Calibration.Since[0], "the census of msn in FR has ") {
		t.Errorf("the list says %+v and %+v of its census, %v", list[0].Calibration, list[1].Calibration, err)
	}
	if m := find(t, h.report(rollcall.Query{Report: "ranking", Version: 2}), "msn")["unique_audience"].(rollcall.Measure); m != msn {
		t.Errorf("a later census has made %v of %v", m, msn)
	}
	if again := h.close(calibrating(october, perPerson, "msn")); again.Unchanged || again.Version != 3 {
		t.Error("another census made no other version")
	}
	if again := h.close(calibrating(october, perPerson, "msn")); !again.Unchanged {
		t.Error("the same facts made another version")
	}
	if err := h.VerifyPublication(context.Background(), second); err != nil {
		t.Error(err)
	}
}

// TestCalibratedAlike: a change between months that are not calibrated alike is
// undefined, and so is their mean; between those that are, it is neither.
func TestCalibratedAlike(t *testing.T) {
	september := october
	september.Month--
	h := panelOf400(t, september, october)
	h.census(september, "msn", 5000)
	h.census(october, "msn", 6000)
	h.close(rollcall.ClosePlan{Of: september})
	h.close(calibrating(october, perPerson, "msn"))
	ranking := h.report(rollcall.Query{Report: "ranking"})
	if m := find(t, ranking, "aim")["change"].(rollcall.Measure); m.Status != rollcall.Undefined {
		t.Errorf("the change from a month that is not calibrated is %v", m)
	}
	if m := find(t, h.report(rollcall.Query{Report: "loyalty"}), "aim")["retained"].(rollcall.Measure); m.Status != rollcall.Undefined {
		t.Errorf("retained from a month that is not calibrated is %v", m)
	}
	mean := h.report(rollcall.Query{Report: "ranking", Pool: 2})
	if m := find(t, mean, "aim")["unique_audience"].(rollcall.Measure); m.Status != rollcall.Undefined || mean.Meta.Universe.Active.Status != rollcall.Undefined {
		t.Errorf("the mean with a month that is not calibrated is %v, of %v", m, mean.Meta.Universe.Active)
	}
	if c := find(t, ranking, "any")["calibrated"]; c != nil {
		t.Errorf("any service, of which one is calibrated and one is not, is %v", c)
	}
	if period := h.report(rollcall.Query{Report: "ranking", From: september.Month.First(), To: october.Month.Last()}); period.Meta.Compared != nil {
		t.Errorf("a period of two months has changes from %v", period.Meta.Compared)
	}
	const note = "2002-09 can't be compared: it is not calibrated as 2002-10 is. Figures that need it are undefined."
	const apart = "2002-09 can't be put together with 2002-10: it is not calibrated as 2002-10 is. No figure of the mean is defined."
	if ranking.Meta.Compared != nil {
		t.Errorf("changes are said to be from %v", ranking.Meta.Compared)
	}
	if !slices.Contains(ranking.Meta.Notes, note) || !slices.Contains(mean.Meta.Notes, apart) || slices.Contains(mean.Meta.Notes, note) {
		t.Errorf("notes are %q and %q", ranking.Meta.Notes, mean.Meta.Notes)
	}

	if trend := h.report(rollcall.Query{Report: "trend"}); find(t, trend, "2002-09", "msn")["calibrated"] != false || find(t, trend, "2002-10", "msn")["calibrated"] != true || !slices.Contains(trend.Meta.Notes, note) || strings.Contains(strings.Join(trend.Meta.Notes, " "), "2002-10 was") {
		t.Errorf("the trend of months calibrated otherwise doesn't say so: %q", trend.Meta.Notes)
	}

	h.close(calibrating(september, perPerson, "msn"))
	h.close(calibrating(october, perPerson, "msn"))
	ranking, mean = h.report(rollcall.Query{Report: "ranking"}), h.report(rollcall.Query{Report: "ranking", Pool: 2})
	for _, m := range []any{find(t, ranking, "aim")["change"], find(t, mean, "aim")["unique_audience"], find(t, h.report(rollcall.Query{Report: "loyalty"}), "aim")["retained"]} {
		if m.(rollcall.Measure).Status != rollcall.OK {
			t.Errorf("of months calibrated alike: %v", m)
		}
	}
	if note := "The accounts that a person has of msn are taken as unchanged from 2002-09 to 2002-10: their error cancels in changes as far as it is one."; !slices.Contains(ranking.Meta.Notes, note) {
		t.Errorf("nothing says that the accounts a person are taken as unchanged: %q", ranking.Meta.Notes)
	}
	trend := h.report(rollcall.Query{Report: "trend"})
	if find(t, trend, "2002-09", "msn")["calibrated"] != true || len(trend.Meta.Calibrated) != 2 {
		t.Errorf("the trend's calibrated are %v", trend.Meta.Calibrated)
	}
}

// TestCalibratingIsRefused: what can't be known from a census is not calibrated
// to, and why is said in words.
func TestCalibratingIsRefused(t *testing.T) {
	h := panelOf400(t, october)
	h.census(october, "msn", 6000)
	h.census(october, "aim", 6000, 13)
	for _, service := range []rollcall.ServiceID{"icq", "yahoo", "jabber"} {
		h.census(october, service, 6000)
	}
	const head = "service,accounts_per_person,se,source,source_date\n"
	for _, tt := range []struct {
		name, file, want string
		service          rollcall.ServiceID
	}{
		{"a day without the census", perPerson, "the census of aim in FR is not complete for 2002-10: 2002-10-13 has nothing", "aim"},
		{"no line", perPerson, "has no line in accounts-per-person, whose lines are of: msn, aim", "icq"},
		{"lines of nothing", head, "has no line in accounts-per-person, whose lines are of: no service", "msn"},
		{"no such service", perPerson, `service "mns": is not known; the nearest are msn`, "mns"},
		{"any internet use", perPerson, "is any internet use, which has no census of its own", rollcall.Online},
		{"no source", head + "msn,1.25,0.05,,2002-06-30\n", "column source: is empty", "msn"},
		{"no date", head + "msn,1.25,0.05,survey,\n", "column source_date: is empty", "msn"},
		{"no error", head + "msn,1.25,,survey,2002-06-30\n", "column se: is empty", "msn"},
		{"too large an error", head + "msn,1.25,0.32,survey,2002-06-30\n", "is more than 25 % of accounts_per_person 1.25", "msn"},
		{"from this panel", head + "msn,1.25,0.05,\"panel NN, autumn\",2002-06-30\n", "from this panel", "msn"},
		{"more users than persons", head + "msn,0.3,0.01,survey,2002-06-30\n", "is not under the universe of 100000", "msn"},
		{"nearly everyone of the panel", head + "yahoo,1.25,0.05,survey,2002-06-30\n", "has 20 panelists: the panel can't be calibrated to fewer than 30 others", "yahoo"},
		{"more users than men, who alone are users", head + "jabber,0.9,0.05,survey,2002-06-30\n", "raking does not converge", "jabber"},
		{"nobody of the panel", head + "icq,1.25,0.05,survey,2002-06-30\n", "has 0 panelists: the panel can't be calibrated to fewer than 30 users", "icq"},
	} {
		_, err := h.Close(context.Background(), calibrating(october, tt.file, tt.service))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if list, err := h.Publisher.Publications(context.Background(), "FR", "nn"); err != nil || len(list) != 0 {
		t.Errorf("refused closes published %v, %v", list, err)
	}
}

// TestMarkedCensusIsRefused: a collector's outage keeps a panel from being
// calibrated until the mark is lifted, and a removal does.
func TestMarkedCensusIsRefused(t *testing.T) {
	h := panelOf400(t, october)
	h.census(october, "msn", 6000)
	correct := func(action rollcall.Action, service rollcall.ServiceID) {
		t.Helper()
		h.now = h.now.Add(time.Minute)
		c := rollcall.Correction{Action: action, Market: "FR", Service: service, From: october.Month.First() + 4, To: october.Month.First() + 5, Reason: "power failure", Time: h.now}
		if _, err := h.store.AddCorrections(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	closed := func() error {
		_, err := h.Close(context.Background(), calibrating(october, perPerson, "msn"))
		return err
	}
	correct(rollcall.Outage, "")
	if err := closed(); err == nil || !strings.Contains(err.Error(), "a collector was down on 2002-10-05 to 2002-10-06 (power failure)") {
		t.Errorf("with an outage: %v", err)
	}
	correct(rollcall.Cleared, "")
	if err := closed(); err != nil {
		t.Errorf("once it is cleared: %v", err)
	}
	correct(rollcall.Removal, "msn")
	h.census(october, "msn", 6000) // whoever loads again what was wrong may have lost some of it
	if err := closed(); err == nil || !strings.Contains(err.Error(), "2002-10-05 to 2002-10-06 was removed (power failure)") {
		t.Errorf("with a removal: %v", err)
	}
}

// TestCalibratingIsDoubted: what may be wrong with the census or the accounts a
// person is said of the version, which is made all the same.
func TestCalibratingIsDoubted(t *testing.T) {
	h := panelOf400(t, october)
	h.census(october, "msn", 6000)
	p := h.close(calibrating(october, "service,accounts_per_person,se,source,source_date,location\nmsn,0.75,0.15,survey,2001-09-30,any\n", "msn"))
	notes := strings.Join(p.Calibration.Notes, "\n")
	for _, want := range []string{
		" accounts of its own census in 2002-10 (any, standard error ",
		"times the users of msn that the panel has alone, which is outside 0.67 to 1.5",
		"The standard error of the users of msn by census, ",
		"The accounts a person of msn are of 2001-09-30, more than a year before 2002-10.",
		"Calibrating has brought the weighting efficiency of 2002-10 from 98 % to 70 %: warn.",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("nothing says %q:\n%s", want, notes)
		}
	}
	later := h.close(calibrating(october, "service,accounts_per_person,se,source,source_date\nmsn,1.25,0.05,survey,2202-06-30\n", "msn"))
	if want := "The accounts a person of msn are of 2202-06-30, more than a year after 2002-10: is the date right?"; !slices.Contains(later.Calibration.Notes, want) {
		t.Errorf("of a date to come there is %q", later.Calibration.Notes)
	}
	fine := h.close(calibrating(october, perPerson, "msn"))
	if notes := strings.Join(fine.Calibration.Notes, "\n"); strings.Contains(notes, "outside 0.67") || strings.Contains(notes, "more than a year") || strings.Contains(notes, " %: ") {
		t.Errorf("without a cause: %s", notes)
	}
}

// TestTwoKeysAreNotCalibrated: accounts under two keys are not one number.
func TestTwoKeysAreNotCalibrated(t *testing.T) {
	h := panelOf400(t, october)
	h.census(october, "msn", 6000, 31)
	sketch := hll.New(h.store.K())
	sketch.Add(7)
	last := rollcall.Cell{Market: october.Market, Day: october.Month.Last(), Service: "msn", Location: rollcall.Home, Kind: rollcall.Presence, Key: testKey + 1}
	cells := map[rollcall.Cell]rollcall.CellState{last: {Visitors: sketch.Append(nil), Minutes: sketch.Append(nil)}}
	if err := h.store.Merge(context.Background(), rollcall.Deltas{Cells: maps.All(cells)}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Close(context.Background(), calibrating(october, perPerson, "msn")); err == nil || !strings.Contains(err.Error(), "the census of msn in FR is not complete for 2002-10: has facts of msn under two pseudonym keys") {
		t.Errorf("under two keys: %v", err)
	}
}

// TestPoolingIsOfferedAlike: the mean of several months is offered for what is too
// few in one where they are calibrated alike, and only there.
func TestPoolingIsOfferedAlike(t *testing.T) {
	september := october
	september.Month--
	h := panelOf400(t, september, october)
	h.census(september, "msn", 5000)
	h.census(october, "msn", 6000)
	few := 100
	closed := func(of rollcall.PanelMonth, services ...rollcall.ServiceID) {
		plan := rollcall.ClosePlan{Of: of, Low: &few, Caution: &few, Calibrate: services}
		if len(services) > 0 {
			plan.PerPerson = perPerson
		}
		h.close(plan)
	}
	for _, tt := range []struct {
		september, october []rollcall.ServiceID
		offered            bool
	}{
		{nil, nil, true},
		{nil, []rollcall.ServiceID{"msn"}, false},
		{[]rollcall.ServiceID{"msn"}, []rollcall.ServiceID{"msn"}, true},
		{[]rollcall.ServiceID{"msn"}, nil, false},
	} {
		closed(september, tt.september...)
		closed(october, tt.october...)
		r := h.report(rollcall.Query{Report: "ranking"})
		if find(t, r, "jabber")["unique_audience"].(rollcall.Measure).Status != rollcall.Below {
			t.Fatal("jabber is not too few")
		}
		if offered := strings.Contains(r.Meta.Method, "below_pool"); offered != tt.offered {
			t.Errorf("September calibrated to %v, October to %v: pooling is offered: %v", tt.september, tt.october, offered)
		}
	}
}

// TestDamagedCensusIsRefused: of cells that are set aside nobody knows what they had.
func TestDamagedCensusIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rollcall.db")
	store, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := newSiteOver(t, store, catalogue(t))
	h.joinedBy400(october)
	h.census(october, "msn", 6000)
	sketch := hll.New(store.K())
	sketch.Add(7)
	other := rollcall.Cell{Market: "FR", Day: october.Month.First(), Service: "msn", Location: rollcall.Work, Kind: rollcall.Login, Key: testKey}
	if err := store.Merge(t.Context(), rollcall.Deltas{Cells: maps.All(map[rollcall.Cell]rollcall.CellState{other: {Visitors: sketch.Append(nil), Minutes: sketch.Append(nil)}})}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE cells SET visitors = x'ff' WHERE kind = 'login'`); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Close(t.Context(), calibrating(october, perPerson, "msn")); err == nil || !strings.Contains(err.Error(), "damaged rows of cells of this market and month are set aside: 1") {
		t.Errorf("with a damaged cell: %v", err)
	}
}
