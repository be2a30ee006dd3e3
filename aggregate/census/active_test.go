package census

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
)

// TestActiveAccounts: each figure of a window is that of the census of its days, of
// all, of a platform and of a segment; and the shorter of two windows that end on
// one day never has more.
func TestActiveAccounts(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 5))
		exact, accounts := []rollcall.ServiceID(nil), 200
		if seed%2 == 1 {
			exact, accounts = []rollcall.ServiceID{"msn", "aim"}, 3000
		}
		store := storeOf(t, drawVisits(r, 3000, accounts), exact...)
		for _, day := range []rollcall.Day{rollcall.DayOf(2002, 12, 31), rollcall.DayOf(2002, 12, 30), rollcall.DayOf(2003, 1, 2), rollcall.DayOf(2003, 1, 31), rollcall.DayOf(2003, 3, 1)} {
			q := ActiveQuery{Market: "FR", Service: "msn", Day: day, Segments: true}
			got, err := ActiveAccounts(t.Context(), store, q)
			if err != nil || len(got) < 5 {
				t.Fatal(len(got), err)
			}
			before := make(map[part]float64)
			for _, a := range got {
				rolling, whole := asked(t, store, &q, &a)
				if a.Accounts != rolling || whole.Status != rollcall.Undefined && a.Accounts != whole {
					t.Errorf("seed %d: %s of platform %q, segment %q to %s: %v; the census has %v of the window and %v of its days", seed, a.Window, a.Platform, a.Segment, day, a.Accounts, rolling, whole)
				}
				of := part{a.Platform, a.Segment}
				if a.Accounts.Status == rollcall.OK && a.Accounts.Value < before[of] {
					t.Errorf("%s of %v: %v after %v", a.Window, of, a.Accounts.Value, before[of])
				}
				before[of] = a.Accounts.Value
			}
		}
	}
}

// asked asks the census for the same figure by its window, and by its days, which
// is undefined where they lie under two keys.
func asked(t *testing.T, store rollcall.Store, of *ActiveQuery, a *Active) (rolling, whole rollcall.Measure) {
	t.Helper()
	q := rollcall.CensusQuery{Market: of.Market, Services: []rollcall.ServiceID{of.Service}, From: of.Day, To: of.Day, Window: a.Window, Credit: rollcall.ByPresence, At: rollcall.CensusPlace{Any: rollcall.Home | rollcall.Work | rollcall.Elsewhere}}
	var errs [2]error
	if a.Platform != rollcall.AnyPlatform {
		q.Platforms, errs[0] = rollcall.ParsePlatforms(a.Platform)
	}
	q.Segments, errs[1] = rollcall.ParseSegments(a.Segment)
	if errs[0] != nil || errs[1] != nil {
		t.Fatal(errs)
	}
	table, err := Table(t.Context(), store, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) > 0 {
		rolling = table.Cell(0, "unique_accounts").(rollcall.Measure)
	}
	q.From, q.Window = a.Window.From(of.Day), rollcall.Window{}
	if table, err = Table(t.Context(), store, q); err != nil {
		return rolling, rollcall.Measure{Status: rollcall.Undefined}
	}
	return rolling, table.Cell(0, "unique_accounts").(rollcall.Measure)
}

// TestNewest finds the newest day of any days, up to any day.
func TestNewest(t *testing.T) {
	day := rollcall.DayOf(2002, 10, 3)
	store, markets := storeOf(t, nil), 0
	rapid.Check(t, func(r *rapid.T) {
		markets++
		market := rollcall.MarketID(fmt.Sprintf("M%d", markets))
		days := rapid.SliceOfN(rapid.IntRange(-3000, 3000), 0, 5).Draw(r, "days")
		until := rapid.IntRange(-3000, 3000).Draw(r, "until")
		var visits []visit
		want, found := 0, false
		for _, d := range days {
			visits = append(visits, visit{account: 7, Cell: rollcall.Cell{Market: market, Day: day + rollcall.Day(d), Service: "msn", Location: rollcall.Home, Kind: rollcall.Use}})
			if d <= until && (!found || d > want) {
				want, found = d, true
			}
		}
		merge(t, store, visits)
		got, ok, err := Newest(t.Context(), store, market, "msn", day+rollcall.Day(until))
		if err != nil || ok != found || ok && got != day+rollcall.Day(want) {
			r.Fatalf("%s, %v, %v", got, ok, err)
		}
	})
	if _, ok, err := Newest(t.Context(), store, "FR", "msn", day); ok || err != nil {
		t.Errorf("of nothing: %v, %v", ok, err)
	}
}

// TestActiveUndone: what is merged into a segment counts as that segment, and an
// account that was erased does not count, in facts that came afterwards too: as the
// census has it.
func TestActiveUndone(t *testing.T) {
	day := rollcall.DayOf(2002, 12, 31)
	visits := drawVisits(rand.New(rand.NewPCG(14, 5)), 3000, 3000)
	store := storeOf(t, nil)
	if err := store.PutSegment(t.Context(), rollcall.Segment{ID: "paris", Name: "Paris", Into: "lyon"}); err != nil {
		t.Fatal(err)
	}
	for _, v := range visits[:200] {
		if _, err := store.AddCorrections(t.Context(), rollcall.Correction{Action: rollcall.Erasing, Service: "msn", Key: v.Key, Visitor: rollcall.Visitor(v.account), To: day}); err != nil {
			t.Fatal(err)
		}
	}
	merge(t, store, visits, "msn", "aim")
	q := ActiveQuery{Market: "FR", Service: "msn", Day: day, Segments: true}
	got, err := ActiveAccounts(t.Context(), store, q)
	if err != nil {
		t.Fatal(err)
	}
	segments := make(map[string]bool)
	for _, a := range got {
		segments[a.Segment] = true
		if rolling, _ := asked(t, store, &q, &a); a.Accounts != rolling {
			t.Errorf("%s of platform %q, segment %q: %v, the census has %v", a.Window, a.Platform, a.Segment, a.Accounts.Value, rolling.Value)
		}
	}
	if want := map[string]bool{"": true, "none": true, "lyon": true}; !maps.Equal(segments, want) {
		t.Errorf("of segments %v, want %v", segments, want)
	}
}

// TestActiveRounded: figures under the minimum are withheld, and the others rounded
// as a reader's are.
func TestActiveRounded(t *testing.T) {
	day := rollcall.DayOf(2002, 10, 3)
	var visits []visit
	for i := range 117 {
		platform := rollcall.Phone
		if i < 40 {
			platform = rollcall.Web
		}
		visits = append(visits, visit{account: uint64(i), Cell: rollcall.Cell{Market: "FR", Day: day - rollcall.Day(i%20), Service: "msn", Location: rollcall.Elsewhere, Kind: rollcall.Use, Platform: platform}})
	}
	got, err := ActiveAccounts(t.Context(), storeOf(t, visits), ActiveQuery{Market: "FR", Service: "msn", Day: day, Least: 50, Round: 10})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{}
	for _, a := range got {
		if !a.Accounts.Status.Withheld() {
			shown = append(shown, a.Platform+" "+a.Window.String()+" "+fmt.Sprint(a.Accounts.Value))
		}
	}
	if want := []string{"any 28d 120", "phone 28d 80", "any 30d 120", "phone 30d 80"}; !slices.Equal(shown, want) {
		t.Errorf("shown are %q, want %q", shown, want)
	}
}

// TestOrderOfWindows: of one service under one key, all exact or all sketched, a day
// has no more accounts than the week that ends with it, and that no more than the
// longer windows; each is the union of its days, and a count of all visits gives it.
func TestOrderOfWindows(t *testing.T) {
	store, markets, first := storeOf(t, nil), 0, rollcall.DayOf(2002, 9, 1)
	rapid.Check(t, func(r *rapid.T) {
		markets++
		market, exact := rollcall.MarketID(fmt.Sprintf("M%d", markets)), rapid.Bool().Draw(r, "exact")
		accounts := rapid.SampledFrom([]uint64{1, 60, 500, 520, 4000}).Draw(r, "accounts")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		var visits []visit
		for range random.IntN(int(accounts)*2 + 1) {
			visits = append(visits, visit{account: random.Uint64N(accounts) * 0x9e3779b97f4a7c15, Cell: rollcall.Cell{
				Market: market, Day: first + rollcall.Day(random.IntN(61)), Service: "msn", Location: rollcall.Elsewhere, Kind: rollcall.Use, Key: 5,
			}})
		}
		if exact {
			merge(t, store, visits, "msn")
		} else {
			merge(t, store, visits)
		}
		day := first + rollcall.Day(rapid.IntRange(29, 60).Draw(r, "day"))
		before := 0.0
		for _, w := range []rollcall.Window{{Days: 1}, {Days: 7}, {Days: 28}, {Days: 30}} {
			rolling, whole := asked(t, store, &ActiveQuery{Market: market, Service: "msn", Day: day}, &Active{Platform: rollcall.AnyPlatform, Window: w})
			if rolling != whole || rolling.Value < before {
				r.Fatalf("%s to %s: %v, and %v of its days, after %v", w, day, rolling, whole, before)
			}
			before = rolling.Value
			counted := map[uint64]bool{}
			for _, v := range visits {
				if w.From(day) <= v.Day && v.Day <= day {
					counted[v.account] = true
				}
			}
			n := float64(len(counted))
			if (exact || n < 512) && rolling.Value != n || math.Abs(rolling.Value-n) > 0.06*n {
				r.Fatalf("%s to %s: %v, and %v were there", w, day, rolling.Value, n)
			}
		}
	})
}

// TestMinimumIsTold: a census says whose minimum its figures are under and who may
// lower it, in its notes, and in its method where one is withheld.
func TestMinimumIsTold(t *testing.T) {
	day := rollcall.DayOf(2002, 10, 3)
	store := storeOf(t, []visit{{account: 7, Cell: rollcall.Cell{Market: "FR", Day: day, Service: "msn", Location: rollcall.Elsewhere, Kind: rollcall.Use}}})
	for _, tt := range []struct {
		least, asked, round int
		note, method        string
	}{
		{50, 50, 0, "fewer than 50 accounts are withheld: this server's minimum (--census-min), which only the operator and an administrator's key may lower", "; below_min=50 by --census-min"},
		{50, 80, 10, "fewer than 80 accounts are withheld, as was asked (--min-accounts). The server's own minimum is 50 (--census-min), under which only the operator", "; below_min=80 by --min-accounts"},
		{50, 1, 0, "fewer than 1 accounts are withheld, as was asked", " not persons"},
		{0, 0, 0, "No figure is withheld for the number of accounts behind it.", " not persons"},
	} {
		q := rollcall.CensusQuery{Market: "FR", From: day, To: day, Credit: rollcall.ByPresence, At: rollcall.CensusPlace{Any: rollcall.Elsewhere}, MinAccounts: tt.asked, Least: tt.least, Round: tt.round}
		table, err := Table(t.Context(), store, q)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(table.Meta.Notes[0], tt.note) || !strings.HasSuffix(table.Meta.Method, tt.method) {
			t.Errorf("%d of %d: %q, %q", tt.asked, tt.least, table.Meta.Notes, table.Meta.Method)
		}
		if rounded := table.Meta.Thresholds["round_accounts"]; rounded != tt.round || (tt.round > 0) != strings.Contains(strings.Join(table.Meta.Notes, " "), "rounded to 10 accounts") {
			t.Errorf("rounded to %d: %q", rounded, table.Meta.Notes)
		}
	}
}
