package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
)

func testCatalogue(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	fr := rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris", Simulated: true}
	de := rollcall.Market{ID: "DE", Name: "Allemagne", Zone: "Europe/Berlin"}
	for _, m := range []rollcall.Market{fr, {ID: "DE", Name: "before", Zone: "UTC"}, de, fr} {
		must(t, s.PutMarket(t.Context(), m))
	}
	markets, err := s.Markets(t.Context())
	must(t, err)
	if !slices.Equal(markets, []rollcall.Market{de, fr}) {
		t.Errorf("markets are %v", markets)
	}
	msn := rollcall.Service{ID: "msn", Name: "MSN Messenger", Brand: "MSN", Owner: "Microsoft"}
	aim := rollcall.Service{ID: "aim", Name: "AIM"}
	for _, v := range []rollcall.Service{msn, {ID: "aim", Name: "before", Owner: "AOL"}, aim} {
		must(t, s.PutService(t.Context(), v))
	}
	services, err := s.Services(t.Context())
	must(t, err)
	if !slices.Equal(services, []rollcall.Service{aim, msn}) {
		t.Errorf("services are %v", services)
	}
	testTargets(t, s)
	testLimits(t, s)
}

// testLimits: a panel's limits are the last that were put, and no other's.
func testLimits(t *testing.T, s Store) {
	if _, err := s.PanelLimits(t.Context(), "FR", "nn"); !errors.Is(err, rollcall.ErrNotFound) {
		t.Errorf("limits that were never put: %v", err)
	}
	want := rollcall.PanelLimits{Market: "FR", Panel: "nn", Low: 0, Caution: 1 << 31}
	for _, l := range []rollcall.PanelLimits{{Market: "FR", Panel: "nn", Low: 50, Caution: 100}, {Market: "FR", Panel: "other", Low: 1, Caution: 2}, want} {
		must(t, s.PutPanelLimits(t.Context(), l))
	}
	got, err := s.PanelLimits(t.Context(), "FR", "nn")
	must(t, err)
	if got != want {
		t.Errorf("limits are %v, want %v", got, want)
	}
}

func testTargets(t *testing.T, s Store) {
	must(t, s.SaveTarget(t.Context(), "young", "age = 15-24"))
	must(t, s.SaveTarget(t.Context(), "women", "sex = M"))
	must(t, s.SaveTarget(t.Context(), "women", "sex = F"))
	targets, err := s.Targets(t.Context())
	must(t, err)
	if want := map[string]string{"young": "age = 15-24", "women": "sex = F"}; !maps.Equal(targets, want) {
		t.Errorf("targets are %v", targets)
	}
}

func testObjects(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	for _, body := range [][]byte{nil, {0}, []byte("a roster"), bytes.Repeat([]byte{0, 255, '\'', '\n'}, 1<<18)} {
		for range 2 {
			h, err := s.PutObject(t.Context(), body)
			must(t, err)
			if h != rollcall.HashOf(body) {
				t.Errorf("an object of %d bytes has hash %s", len(body), h)
			}
		}
		got, err := s.Object(t.Context(), rollcall.HashOf(body))
		must(t, err)
		if !bytes.Equal(got, body) {
			t.Errorf("an object of %d bytes comes back as %d", len(body), len(got))
		}
	}
	for _, h := range []rollcall.Hash{{}, rollcall.HashOf([]byte("none"))} {
		if _, err := s.Object(t.Context(), h); !errors.Is(err, rollcall.ErrNotFound) {
			t.Errorf("an object that isn't there: %v", err)
		}
	}
}

func testPanelObjects(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	month := rollcall.MonthOf(2002, 10)
	file := func(market rollcall.MarketID, panel rollcall.PanelID, m rollcall.Month, roster string) rollcall.PanelObjects {
		return rollcall.PanelObjects{PanelMonth: rollcall.PanelMonth{Market: market, Panel: panel, Month: m}, Roster: rollcall.HashOf([]byte(roster))}
	}
	sorted := []rollcall.PanelObjects{file("DE", "nn", month, "a"), file("FR", "a", month+3, "b"), file("FR", "nn", month, "c"), file("FR", "nn", month+1, "d")}
	sorted[2].Universe = rollcall.HashOf([]byte("u"))
	must(t, s.PutPanelObjects(t.Context(), file("FR", "nn", month, "before")))
	for _, f := range slices.Backward(sorted) {
		must(t, s.PutPanelObjects(t.Context(), f))
	}
	all, err := s.ListPanelObjects(t.Context())
	must(t, err)
	if !slices.Equal(all, sorted) {
		t.Errorf("panel files are %v, want %v", all, sorted)
	}
	f, err := s.PanelObjects(t.Context(), sorted[2].PanelMonth)
	must(t, err)
	if f != sorted[2] {
		t.Errorf("panel files of %v are %v", sorted[2].PanelMonth, f)
	}
	if _, err := s.PanelObjects(t.Context(), rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: month + 9}); !errors.Is(err, rollcall.ErrNotFound) {
		t.Errorf("panel files that aren't there: %v", err)
	}
}

var noon = time.Date(2002, 11, 5, 12, 0, 0, 123456000, time.UTC)

func testExclusions(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	month := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, 10)}
	other := month
	other.Panel = "n"
	want := []rollcall.Exclusion{
		{PanelMonth: month, Panelist: 1<<64 - 1, Reason: "a faulty meter", Time: noon},
		{PanelMonth: month, Service: "msn", Day: rollcall.DayOf(2002, 10, 3), Reason: "an outage", Time: noon.Add(time.Second)},
		{PanelMonth: month, Panelist: 5, Service: "aim", Day: rollcall.DayOf(2002, 10, 4), Reason: "", Time: noon.Add(time.Minute)},
	}
	for _, e := range append(slices.Clone(want), want[1], rollcall.Exclusion{PanelMonth: other, Time: noon}) {
		must(t, s.AddExclusion(t.Context(), e))
	}
	got, err := s.Exclusions(t.Context(), month)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("exclusions are %v, want %v", got, want)
	}
}

func testPublications(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	month := rollcall.MonthOf(2002, 10)
	pub := func(panel rollcall.PanelID, m rollcall.Month, version int, status rollcall.PublicationStatus) rollcall.Publication {
		return rollcall.Publication{
			PanelMonth: rollcall.PanelMonth{Market: "FR", Panel: panel, Month: m}, Version: version, Status: status,
			Time: noon.Add(time.Duration(version) * time.Hour), Document: rollcall.HashOf([]byte{byte(version)}),
		}
	}
	restated := pub("nn", month, 3, rollcall.Restated)
	restated.Reason, restated.Internal = "late events", true
	add := []rollcall.Publication{
		pub("nn", month+1, 1, rollcall.Preliminary), pub("nn", month, 1, rollcall.Preliminary),
		pub("nn", month, 2, rollcall.Final), restated, pub("b", month, 1, rollcall.Final),
	}
	for _, p := range add {
		must(t, s.AddPublication(t.Context(), p))
	}
	for _, version := range []int{-1, 0, 1, 3, 5} {
		if err := s.AddPublication(t.Context(), pub("nn", month, version, rollcall.Final)); !errors.Is(err, rollcall.ErrConflict) {
			t.Errorf("version %d after 3: %v", version, err)
		}
	}
	for panel, want := range map[rollcall.PanelID][]rollcall.Publication{
		"nn": {add[1], add[2], add[3], add[0]},
		"":   {add[4], add[1], add[2], add[3], add[0]},
		"n":  nil,
	} {
		got, err := s.Publications(t.Context(), "FR", panel)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("publications of panel %q are\n%v, want\n%v", panel, got, want)
		}
	}
}

// testClosersAtOnce: each version has one owner, and every loser knows it.
func testClosersAtOnce(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	m := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, 10)}
	for version := 1; version <= 3; version++ {
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				errs[i] = s.AddPublication(t.Context(), rollcall.Publication{
					PanelMonth: m, Version: version, Status: rollcall.Final, Time: noon, Reason: strings.Repeat("x", i),
				})
			})
		}
		wg.Wait()
		won := slices.Index(errs, nil)
		for i, err := range errs {
			if i != won && !errors.Is(err, rollcall.ErrConflict) {
				t.Errorf("closer %d of version %d: %v; closer %d has it", i, version, err, won)
			}
		}
		all, err := s.Publications(t.Context(), "FR", "nn")
		must(t, err)
		if won < 0 || len(all) != version || all[version-1].Reason != strings.Repeat("x", won) {
			t.Fatalf("closer %d won version %d; publications are %v", won, version, all)
		}
	}
}

// hostile strings come back as they were put.
var hostile = []string{
	"", " ", "'", `"`, "`", `\`, `\'`, "'); DROP TABLE markets; --", "?", "$1", "{x:String}", "%s", "\x00", "a\x00b",
	"\n\t\r", "\xff\xfe", "é\u202e\U0001F600", "NULL", "\\N", strings.Repeat("long ", 20000),
}

func testHostileStrings(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	month := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, 10)}
	for i, text := range hostile {
		market := rollcall.Market{ID: "FR", Name: text, Zone: text}
		service := rollcall.Service{ID: "msn", Name: text, Brand: text, Owner: text, Census: rollcall.Exactly, Epoch: rollcall.NoEpoch, Colour: i%rollcall.Colours + 1}
		segment := rollcall.Segment{ID: "lyon", Name: text, Into: "paris"}
		exclusion := rollcall.Exclusion{PanelMonth: month, Reason: text, Time: noon.Add(time.Duration(i) * time.Second)}
		publication := rollcall.Publication{PanelMonth: month, Version: i + 1, Status: rollcall.Restated, Reason: text, Time: noon}
		must(t, errors.Join(
			s.PutMarket(t.Context(), market), s.PutService(t.Context(), service), s.PutSegment(t.Context(), segment), s.SaveTarget(t.Context(), text, text),
			s.AddExclusion(t.Context(), exclusion), s.AddPublication(t.Context(), publication),
		))
		markets, err1 := s.Markets(t.Context())
		services, err2 := s.Services(t.Context())
		exclusions, err3 := s.Exclusions(t.Context(), month)
		publications, err4 := s.Publications(t.Context(), "FR", "nn")
		targets, err5 := s.Targets(t.Context())
		segments, err6 := s.Segments(t.Context(), "FR")
		must(t, errors.Join(err1, err2, err3, err4, err5, err6))
		if !slices.Equal(segments, []rollcall.Segment{segment}) {
			t.Errorf("%.50q comes back in %.300s", text, fmt.Sprintf("%+v", segments))
		}
		if !slices.Equal(markets, []rollcall.Market{market}) || !slices.Equal(services, []rollcall.Service{service}) {
			t.Errorf("%.50q comes back in %+v and %.300s", text, markets, fmt.Sprintf("%+v", services))
		}
		if expr, ok := targets[text]; !ok || expr != text || len(targets) != i+1 {
			t.Errorf("target %.50q comes back as %.50q of %d", text, expr, len(targets))
		}
		if len(exclusions) != i+1 || exclusions[i] != exclusion || len(publications) != i+1 || publications[i] != publication {
			t.Errorf("%.50q comes back in other exclusions or publications", text)
		}
	}
	Dump(t, s)
}

// testHostileIDs: a query is never more than a query.
func testHostileIDs(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	must(t, s.PutMarket(t.Context(), rollcall.Market{ID: "FR"}))
	before := Dump(t, s)
	for _, text := range hostile {
		requireCells(t, s, rollcall.CellQuery{Market: rollcall.MarketID(text), Services: []rollcall.ServiceID{rollcall.ServiceID(text)}, To: day0}, nil)
		requireDiaries(t, s, rollcall.DiaryQuery{Market: rollcall.MarketID(text), Panel: rollcall.PanelID(text), To: day0}, nil)
		month := rollcall.PanelMonth{Market: rollcall.MarketID(text), Panel: rollcall.PanelID(text), Month: day0.Month()}
		n, err1 := s.Erase(t.Context(), month.Panel, 1)
		_, err2 := s.Exclusions(t.Context(), month)
		_, err3 := s.Publications(t.Context(), month.Market, month.Panel)
		if err := errors.Join(err1, err2, err3); n != 0 || err != nil {
			t.Errorf("%.50q: erased %d, %v", text, n, err)
		}
		if _, err := s.PanelObjects(t.Context(), month); !errors.Is(err, rollcall.ErrNotFound) {
			t.Errorf("%.50q: %v", text, err)
		}
	}
	RequireSame(t, Dump(t, s), before)
}

// testWithdrawals: a version that is withdrawn says so from then on, and the
// first reason stands.
func testWithdrawals(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	of := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, 10)}
	for version := 1; version <= 2; version++ {
		must(t, s.AddPublication(t.Context(), rollcall.Publication{PanelMonth: of, Version: version, Status: rollcall.Final, Time: time.Unix(1e9, 0).UTC()}))
	}
	first := time.Unix(1e9+1, 5).UTC()
	for i, reason := range []string{"the wrong roster", "again"} {
		must(t, s.Withdraw(t.Context(), rollcall.Withdrawal{PanelMonth: of, Version: 2, Reason: reason, Time: first.Add(time.Duration(i) * time.Second)}))
	}
	got, err := s.Publications(t.Context(), "FR", "")
	must(t, err)
	if len(got) != 2 || !got[0].Withdrawn.IsZero() || got[0].WithdrawalReason != "" {
		t.Fatalf("publications are %+v, want two, the first not withdrawn", got)
	}
	if !got[1].Withdrawn.Equal(first) || got[1].WithdrawalReason != "the wrong roster" {
		t.Errorf("withdrawn at %s because of %q", got[1].Withdrawn, got[1].WithdrawalReason)
	}
}

func testMasters(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	now := time.Unix(1e9, 7).UTC()
	old := rollcall.Master{ID: 0xfedcba9876543210, Time: now}
	later := rollcall.Master{ID: 2, From: rollcall.DayOf(2027, 3, 1), Lost: true, Time: now.Add(time.Hour)}
	for _, m := range []rollcall.Master{later, old, {ID: 2, From: 5, Time: now.Add(2 * time.Hour)}} {
		must(t, s.AddMaster(t.Context(), m))
	}
	got, err := s.Masters(t.Context())
	must(t, err)
	if !slices.Equal(got, []rollcall.Master{old, later}) {
		t.Errorf("masters are %+v", got)
	}
}

func testHasFacts(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	must(t, s.PutMarket(t.Context(), rollcall.Market{ID: "FR", Zone: "Europe/Paris"}))
	require := func(market rollcall.MarketID, want bool) {
		t.Helper()
		if got, err := s.HasFacts(t.Context(), market); err != nil || got != want {
			t.Errorf("HasFacts(%s) = %v, %v", market, got, err)
		}
	}
	require("FR", false)
	diary := func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
		var minutes rollcall.Minutes
		minutes.AddRange(3, 4)
		yield(rollcall.Diary{Market: "FR", Panel: "nn", Panelist: 1, Day: 12000, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}, &minutes)
	}
	must(t, s.Merge(t.Context(), rollcall.Deltas{Diaries: diary}))
	require("FR", true)
	require("F", false)
}

// testCensusMonths: the months that have cells of any kind, each once; diaries
// make none.
func testCensusMonths(t *testing.T, open func(*testing.T, int) Store) {
	s := open(t, k)
	for _, id := range []rollcall.MarketID{"F", "FR", "FS"} {
		must(t, s.PutMarket(t.Context(), rollcall.Market{ID: id, Zone: "UTC"}))
	}
	diary := func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
		var minutes rollcall.Minutes
		minutes.AddRange(3, 4)
		yield(rollcall.Diary{Market: "FR", Panel: "nn", Panelist: 1, Day: 12000, Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}, &minutes)
	}
	cells := func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		none := hll.New(k).Append(nil)
		for _, c := range []rollcall.Cell{
			{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Day: rollcall.DayOf(2003, 1, 31)},
			{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Day: rollcall.DayOf(2003, 2, 1), Segment: "a"},
			{Market: "FR", Service: "aim", Location: rollcall.Work, Kind: rollcall.Login, Day: rollcall.DayOf(2003, 2, 28), Platform: rollcall.Phone},
			{Market: "FR", Service: "icq", Location: rollcall.Elsewhere, Kind: rollcall.Presence, Day: rollcall.DayOf(2002, 12, 1)},
			{Market: "FS", Service: "aim", Location: rollcall.Work, Kind: rollcall.Login, Day: rollcall.DayOf(2001, 1, 1)},
		} {
			if !yield(c, rollcall.CellState{Visitors: none, Minutes: none}) {
				return
			}
		}
	}
	must(t, s.Merge(t.Context(), rollcall.Deltas{Diaries: diary, Cells: cells}))
	for market, want := range map[rollcall.MarketID][]rollcall.Month{
		"FR": {rollcall.MonthOf(2002, 12), rollcall.MonthOf(2003, 1), rollcall.MonthOf(2003, 2)}, "F": nil, "FS": {rollcall.MonthOf(2001, 1)}, "FT": nil,
	} {
		if got, err := s.CensusMonths(t.Context(), market); err != nil || !slices.Equal(got, want) {
			t.Errorf("months of %s: %v, %v; want %v", market, got, err, want)
		}
	}
}
