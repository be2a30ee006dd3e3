package markets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/coherence"
	"rollcall/aggregate/publish"
	"rollcall/aggregate/report"
	"rollcall/internal/sqlite"
)

// site publishes panels of several markets over a real store.
type site struct {
	*publish.Publisher
	*Reporter
	store *sqlite.Store
	t     *testing.T
}

const october = rollcall.Month(2002*12 + int(time.October) - 1)

func newSite(t *testing.T, services ...rollcall.ServiceID) *site {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "rollcall.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := &site{store: store, t: t}
	s.Publisher = &publish.Publisher{
		Versions: &publish.Versions{Store: store}, Check: coherence.Check, Now: func() time.Time { return time.Date(2002, 11, 4, 9, 0, 0, 0, time.UTC) },
		Pseudonyms: func(_ rollcall.PanelID, id string) []rollcall.Pseudonym {
			return []rollcall.Pseudonym{{Visitor: visitor(id), Key: testKey}}
		},
	}
	s.knows(append([]rollcall.ServiceID{"msn", "aim", rollcall.Online}, services...)...)
	s.Reporter = &Reporter{Reports: &report.Reporter{Months: s.Publisher, Software: "test"}}
	return s
}

// knows gives the deployment a catalogue of these services.
func (s *site) knows(ids ...rollcall.ServiceID) {
	s.t.Helper()
	var services []rollcall.Service
	for _, id := range ids {
		services = append(services, rollcall.Service{ID: id, Name: string(id), Brand: string(id), Owner: string(id)})
	}
	c, err := rollcall.NewCatalogue([]rollcall.Market{
		{ID: "BE", Name: "Belgium", Zone: "Europe/Brussels"}, {ID: "FR", Name: "France", Zone: "Europe/Paris"},
		{ID: "JP", Name: "Japan", Zone: "Asia/Tokyo", Simulated: true}, {ID: "UK", Name: "United Kingdom", Zone: "Europe/London"},
	}, services)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Catalogue = func() *rollcall.Catalogue { return c }
}

const testKey = rollcall.KeyID(0xfeed)

func visitor(id string) rollcall.Visitor {
	n, err := strconv.ParseUint(strings.TrimLeft(id, "abcdefghijklmnopqrstuvwxyz PHS"), 10, 64)
	if err != nil {
		panic(err)
	}
	return rollcall.Visitor(n)
}

// sample is a panel's month: who is in tab, in which household and stratum, and
// who was online and used msn.
type sample struct {
	of              rollcall.PanelMonth
	people          []member
	men, women      float64 // in the universe
	first, strata   int     // number of the first panelist; 0: no strata
	reach           float64 // about, of those active
	plan            rollcall.ClosePlan
	household, base bool // whether the roster has them
}

type member struct {
	sex                string
	base               float64
	household, stratum int
	active, uses       bool
}

// draw makes n panelists.
func (p sample) draw(seed uint64, n int) sample {
	rng := rand.New(rand.NewPCG(seed, 18))
	for i := range n {
		m := member{sex: "M", base: 1, household: i, active: rng.Float64() < 0.9}
		if rng.IntN(2) == 0 {
			m.sex = "F"
		}
		if p.base {
			m.base = float64(1+rng.IntN(40)) / 8
		}
		if p.household {
			m.household = i / 2
		}
		if p.strata > 0 {
			m.stratum = m.household % p.strata
		}
		m.uses = m.active && rng.Float64() < p.reach
		p.people = append(p.people, m)
	}
	return p
}

func (p *sample) roster() string {
	var b strings.Builder
	b.WriteString("panelist,home,work,base_weight,sex,household,stratum\n")
	for i, m := range p.people {
		fmt.Fprintf(&b, "P%d,1,1,%g,%s,H%d,S%d\n", p.first+i, m.base, m.sex, p.first+m.household, m.stratum+1)
	}
	return b.String()
}

func (p *sample) universe() string {
	return fmt.Sprintf("margin,category,population,source,source_date\nsex,M,%.0f,study of %s,2002-06-30\nsex,F,%.0f,study of %s,2002-06-30\n", p.men, p.of.Market, p.women, p.of.Market)
}

// publish loads a sample and closes its month.
func (s *site) publish(p sample) rollcall.Publication {
	s.t.Helper()
	s.load(p)
	p.plan.Of = p.of
	v, err := s.Close(s.t.Context(), p.plan)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *site) load(p sample) {
	s.t.Helper()
	files := rollcall.PanelFiles{Roster: strings.NewReader(p.roster()), RosterName: "panelists.csv", Universe: strings.NewReader(p.universe()), UniverseName: "universe.csv"}
	if _, err := s.LoadPanel(s.t.Context(), p.of, files); err != nil {
		s.t.Fatal(err)
	}
	diaries := map[rollcall.Diary]*rollcall.Minutes{}
	for i, m := range p.people {
		for id, did := range map[rollcall.ServiceID]bool{rollcall.Online: m.active, "msn": m.uses} {
			if did {
				d := rollcall.Diary{
					Market: p.of.Market, Panel: p.of.Panel, Day: p.of.Month.First() + 4, Panelist: rollcall.Visitor(p.first + i),
					Service: id, Location: rollcall.Home, Kind: rollcall.Use, Key: testKey,
				}
				diaries[d] = new(rollcall.Minutes)
				diaries[d].AddRange(600, 630)
			}
		}
	}
	none := func(func(rollcall.Cell, rollcall.CellState) bool) {}
	if err := s.store.Merge(s.t.Context(), rollcall.Deltas{Cells: none, Diaries: maps.All(diaries)}); err != nil {
		s.t.Fatal(err)
	}
}

func of(market rollcall.MarketID, panel rollcall.PanelID, month rollcall.Month) rollcall.PanelMonth {
	return rollcall.PanelMonth{Market: market, Panel: panel, Month: month}
}

// usual is a question about msn in October.
func usual() rollcall.MarketsQuery { return rollcall.MarketsQuery{Service: "msn", Month: october} }

func (s *site) ask(q rollcall.MarketsQuery) *rollcall.Table {
	s.t.Helper()
	t, err := s.Markets(s.t.Context(), q)
	if err != nil {
		s.t.Fatalf("%+v: %v", q, err)
	}
	return t
}

// order gives the markets in the order of the rows.
func order(t *rollcall.Table) (ids []string) {
	for i := range t.Rows {
		ids = append(ids, t.Cell(i, "market").(string))
	}
	return ids
}

func measure(t *rollcall.Table, row int, column string) rollcall.Measure {
	return t.Cell(row, column).(rollcall.Measure)
}

// europe is two markets far apart and one near the second.
func europe() []sample {
	return []sample{
		sample{of: of("FR", "nn", october), first: 1, men: 8e6, women: 9e6, reach: 0.30, household: true, base: true}.draw(1, 500),
		sample{of: of("BE", "metrix", october), first: 5001, men: 2e6, women: 2.1e6, reach: 0.45, strata: 3}.draw(2, 400),
		sample{of: of("UK", "nn", october), first: 9001, men: 11e6, women: 11.5e6, reach: 0.31, base: true}.draw(3, 600),
	}
}

// TestRows: a row is what the market's own ranking says, in order of reach.
func TestRows(t *testing.T) {
	s := newSite(t)
	for _, p := range europe() {
		s.publish(p)
	}
	got := s.ask(usual())
	for i, id := range order(got) {
		panel := rollcall.PanelID(got.Cell(i, "panel").(string))
		own, err := s.Reports.Report(t.Context(), rollcall.Query{Report: "ranking", Of: of(rollcall.MarketID(id), panel, october)})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(own.Rows, func(r rollcall.Row) bool { return r[0] == "msn" })
		for _, column := range []string{"unique_audience", "reach", "rank", "rank_low", "rank_high"} {
			if a, b := got.Cell(i, column), own.Cell(at, column); a != b {
				t.Errorf("%s of %s is %v, and in its ranking %v", column, id, a, b)
			}
		}
		if m := got.Meta.Markets[slices.IndexFunc(got.Meta.Markets, func(m rollcall.MarketMeta) bool { return string(m.Market) == id })]; m.Universe.Population != own.Meta.Universe.Population ||
			m.Universe.Active != own.Meta.Universe.Active || m.Document != own.Meta.Document || m.InTab != own.Meta.Sample.InTab {
			t.Errorf("the version of %s is told as %+v", id, m)
		}
		if i > 0 && measure(got, i, "reach").Value > measure(got, i-1, "reach").Value {
			t.Errorf("%v are not in order of reach", order(got))
		}
	}
	if first := order(got)[0]; first != "BE" || got.Cell(0, "difference") != nil || got.Cell(0, "differs") != nil {
		t.Errorf("the first is %s, different by %v", first, got.Cell(0, "difference"))
	}
	if got.Cell(1, "differs") != true || got.Cell(2, "differs") != false {
		t.Errorf("they differ: %v, %v", got.Cell(1, "differs"), got.Cell(2, "differs"))
	}
	if tied := fmt.Sprint(got.Cell(0, "tied_markets"), got.Cell(1, "tied_markets"), got.Cell(2, "tied_markets")); tied != fmt.Sprint([]string{}, order(got)[2:], order(got)[1:2]) {
		t.Errorf("tied are %s", tied)
	}
}

// TestPlacesAndCredit: every market is seen at the same place and by the same rule.
func TestPlacesAndCredit(t *testing.T) {
	s := newSite(t)
	for _, p := range europe() {
		s.publish(p)
	}
	q := usual()
	q.Place, q.Credit = rollcall.AtHome, rollcall.ByUse
	got := s.ask(q)
	if got.Meta.Location != "home" || got.Meta.Credit != "use" || len(got.Rows) != 3 {
		t.Fatalf("meta is %+v of %d rows", got.Meta, len(got.Rows))
	}
	q.Place = rollcall.AtWork // where nobody was
	if got = s.ask(q); measure(got, 0, "unique_audience").Status != rollcall.Below {
		t.Errorf("at work there are %v", got.Rows)
	}
	for _, bad := range []rollcall.MarketsQuery{
		{Service: "msn", Month: october, Place: rollcall.EveryPlace}, {Service: "msn", Month: october, Credit: "both"}, {Service: rollcall.Online, Month: october},
	} {
		if _, err := s.Markets(t.Context(), bad); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestWhichPanel: a market's only panel stands for it; where there are several, one
// must be named, and no other market is lost for it.
func TestWhichPanel(t *testing.T) {
	s := newSite(t)
	for _, p := range europe() {
		s.publish(p)
	}
	s.publish(sample{of: of("FR", "other", october), first: 20001, men: 8e6, women: 9e6, reach: 0.3}.draw(4, 200))
	q := usual()
	_, err := s.Markets(t.Context(), q)
	want := "panel: leaves several in FR that have published 2002-10: nn, other; name one of them, and one of each other market that is meant"
	if err == nil || err.Error() != want || !errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("two panels: %v", err)
	}
	q.Panels = []rollcall.PanelID{"nn"}
	if got := order(s.ask(q)); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"FR", "UK"}) {
		t.Errorf("of nn there are %v", got)
	}
	if got, want := s.ask(q).Meta.Notes, "Panels that are not named have published this month in, and so left out: BE."; !slices.Contains(got, want) {
		t.Errorf("nothing says %q: %q", want, got)
	}
	q.Panels = []rollcall.PanelID{"other", "metrix"}
	got := s.ask(q)
	if !slices.Equal(order(got), []string{"BE", "FR"}) || got.Cell(1, "panel") != "other" {
		t.Errorf("of two names there are %v", got.Rows)
	}
	q.Panels = []rollcall.PanelID{"metric"}
	_, err = s.Markets(t.Context(), q)
	if want := `panel "metric": is not known among those that have published; the nearest are metrix`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("an unknown panel: %v", err)
	}
}

// TestCalibratedMethod: the method, which is all that a row of a file says of it,
// tells to whose census which market's version is calibrated.
func TestCalibratedMethod(t *testing.T) {
	c := &comparison{of: usual(), list: []*market{
		{version: rollcall.Publication{PanelMonth: of("BE", "metrix", october), Version: 1}},
		{version: rollcall.Publication{PanelMonth: of("FR", "nn", october), Version: 2}},
	}}
	if got := c.method(); strings.Contains(got, "calibrated=") {
		t.Errorf("of no calibrated version the method is %q", got)
	}
	c.list[1].meta.Calibrated = []rollcall.Calibrated{{Service: "aim"}, {Service: "msn"}}
	if got := c.method(); !strings.HasSuffix(got, "; calibrated=FR/aim,FR/msn") {
		t.Errorf("the method is %q", got)
	}
}

// TestUnpublished: what no reader may have is in no row and in no word, and a month
// that no market has published is refused with those nearest to it.
func TestUnpublished(t *testing.T) {
	s := newSite(t)
	all, low := europe(), 0
	s.publish(all[0])
	hidden := all[1]
	hidden.plan = rollcall.ClosePlan{Low: &low, Caution: &low}
	if v := s.publish(hidden); !v.Internal {
		t.Fatal("a version under the usual limits is for readers")
	}
	later := all[2]
	later.of.Month = october + 2
	s.publish(later)
	got := s.ask(usual())
	if !slices.Equal(order(got), []string{"FR"}) {
		t.Errorf("published are %v", order(got))
	}
	notes := strings.Join(got.Meta.Notes, "\n")
	if !strings.Contains(notes, "left out: UK.") || strings.Contains(notes, "BE") {
		t.Errorf("notes are %s", notes)
	}
	q := usual()
	q.Month = october + 5
	_, err := s.Markets(t.Context(), q)
	if want := "2003-03 is not closed in any market; the nearest that are published: 2002-12, 2002-10"; err == nil || err.Error() != want || !errors.Is(err, rollcall.ErrNotClosed) {
		t.Errorf("another month: %v", err)
	}
	q.Service = "mns"
	var unknown *rollcall.Unknown
	if _, err := s.Markets(t.Context(), q); !errors.As(err, &unknown) || unknown.Kind != "service" || unknown.Near[0] != "msn" {
		t.Errorf("another service: %v", err)
	}
	if _, err := s.Withdraw(t.Context(), rollcall.Withdrawal{PanelMonth: all[0].of, Version: 1, Reason: "a meter was broken", Time: time.Date(2002, 11, 5, 9, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Markets(t.Context(), usual()); !errors.Is(err, rollcall.ErrWithdrawn) {
		t.Errorf("withdrawn: %v", err)
	}
}

// TestReadable: who may see some markets learns nothing of the others, not even
// which months they have.
func TestReadable(t *testing.T) {
	s := newSite(t)
	all := europe()
	for _, p := range all {
		s.publish(p)
	}
	s.publish(sample{of: of("UK", "other", october), first: 20001, men: 8e6, women: 9e6, reach: 0.3}.draw(4, 200))
	q := usual()
	q.Readable = []rollcall.MarketID{"BE", "FR"}
	got := s.ask(q)
	text, err := got.MarshalJSON()
	if err != nil || !slices.Equal(order(got), []string{"BE", "FR"}) || strings.Contains(string(text), "UK") {
		t.Errorf("seen are %s, %v", text, err)
	}
	q.Readable = []rollcall.MarketID{"JP"}
	_, err = s.Markets(t.Context(), q)
	if want := "2002-10 is not closed in any market; no other month is published either"; err == nil || err.Error() != want {
		t.Errorf("nothing seen: %v", err)
	}
	q.Panels = []rollcall.PanelID{"nn"}
	if _, err = s.Markets(t.Context(), q); !errors.Is(err, rollcall.ErrNotFound) {
		t.Errorf("a panel of another market: %v", err)
	}
}

// TestUnlikeMarkets: one is too small to be shown, one has no such service, one is
// simulated, and the versions are of other limits, levels and statuses. None is
// compared that can't be, and the words say which is what.
func TestUnlikeMarkets(t *testing.T) {
	s := newSite(t)
	level, low, caution := 0.9, 100, 200
	fr := sample{of: of("FR", "nn", october), first: 1, men: 8e6, women: 9e6, reach: 0.30, plan: rollcall.ClosePlan{Confidence: &level, Status: rollcall.Final}}.draw(1, 900)
	be := sample{of: of("BE", "nn", october), first: 5001, men: 2e6, women: 2.1e6, reach: 0.3, plan: rollcall.ClosePlan{Low: &low, Caution: &caution}}.draw(2, 250)
	jp := sample{of: of("JP", "nn", october), first: 9001, men: 30e6, women: 31e6, reach: 0.2}.draw(3, 250)
	uk := sample{of: of("UK", "nn", october), first: 14001, men: 11e6, women: 11e6}.draw(5, 200)
	for _, p := range []sample{fr, be, jp} {
		s.publish(p)
	}
	s.knows("aim", rollcall.Online) // as it was when the last was closed
	s.publish(uk)
	s.knows("aim", "msn", rollcall.Online)
	got := s.ask(usual())
	if !slices.Equal(order(got), []string{"FR", "JP", "BE", "UK"}) {
		t.Fatalf("the order is %v", order(got))
	}
	for row, want := range []rollcall.Status{rollcall.OK, rollcall.Caution, rollcall.Below, rollcall.Undefined} {
		if measure(got, row, "reach").Status != want || measure(got, row, "unique_audience").Status != want {
			t.Errorf("row %d is %v", row, got.Rows[row])
		}
		if row < 2 {
			continue
		}
		if measure(got, row, "difference").Status != want || got.Cell(row, "differs") != nil || got.Cell(row, "tied_markets") != nil || got.Cell(row, "rank") != nil {
			t.Errorf("row %d is compared: %v", row, got.Rows[row])
		}
	}
	if d := measure(got, 1, "difference"); d.Status != rollcall.Caution || d.N != measure(got, 1, "reach").N {
		t.Errorf("the difference is %+v", d)
	}
	if got.Meta.Confidence != 0.95 || got.Meta.Thresholds != nil || !got.Meta.Simulated {
		t.Errorf("meta is %+v", got.Meta)
	}
	notes := strings.Join(got.Meta.Notes, "\n")
	for _, want := range []string{
		"so its figures are undefined: UK.", "highest of them: BE 95 %, FR 90 %, JP 95 %, UK 95 %.", "BE 100/200, FR 30/60, JP 30/60, UK 30/60.",
		"may still change: BE, JP, UK.", "not measurements of real people: JP.",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	own, err := s.Reports.Report(context.Background(), rollcall.Query{Report: "ranking", Of: fr.of})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := measure(got, 0, "reach"), measure(own, 0, "reach"); a.Value != b.Value || a.SE != b.SE || !(a.Low < b.Low && a.High > b.High) {
		t.Errorf("at 95 %% reach is %+v, at 90 %% %+v", a, b)
	}
}
