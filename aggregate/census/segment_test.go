package census

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
)

// named are the segments of drawSegments, and one that nothing was seen of.
func named() []rollcall.SegmentID {
	return []rollcall.SegmentID{"a", "b", "c", "d", "e", "unseen"}
}

// drawSegments draws visits of more segments than drawVisits.
func drawSegments(r *rand.Rand, n, accounts int) []visit {
	all, ids := drawVisits(r, n, accounts), append(named()[:5], "")
	for i := range all {
		all[i].Segment = ids[r.IntN(len(ids))]
	}
	return all
}

// mergeSegments writes a catalogue in which each segment may be merged into one
// that is not.
func mergeSegments(t *rapid.T, stores ...rollcall.Store) rollcall.Merged {
	var catalogue []rollcall.Segment
	for i, id := range named() {
		s := rollcall.Segment{ID: id, Name: "Segment " + string(id)}
		if target := rapid.IntRange(0, len(named())-1).Draw(t, string(id)); target != i && target%2 == 0 && i%2 == 1 {
			s.Into = named()[target]
		}
		catalogue = append(catalogue, s)
		for _, store := range stores {
			if err := store.PutSegment(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return rollcall.MergedOf(catalogue)
}

// TestMergedIsUnion: whatever is merged and asked, the rows are those that a count
// of all visits gives in which each has the target in its segment's place,
// sketched and exact alike; and who may see some segments only is given those.
func TestMergedIsUnion(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	few, many := drawSegments(r, 800, 150), drawSegments(r, 2000, 1200)
	visits, stores := [][]visit{few, many}, []rollcall.Store{storeOf(t, few), storeOf(t, many, "msn", "aim")}
	rapid.Check(t, func(t *rapid.T) {
		merged := mergeSegments(t, stores...)
		q := drawQuestion(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "question"), 9)))
		q.Segments = rapid.SliceOfNDistinct(rapid.SampledFrom(append(named(), "")), 0, 3, rapid.ID[rollcall.SegmentID]).Draw(t, "segments")
		q.Readable = rapid.SliceOfNDistinct(rapid.SampledFrom(append(named(), "")), 0, 3, rapid.ID[rollcall.SegmentID]).Draw(t, "readable")
		targets := func(ids []rollcall.SegmentID) (all []rollcall.SegmentID) {
			for _, id := range ids {
				all = append(all, merged.Target(id))
			}
			return all
		}
		may := targets(q.Readable)
		hidden := slices.ContainsFunc(targets(q.Segments), func(id rollcall.SegmentID) bool { return len(may) > 0 && !slices.Contains(may, id) })
		for i, store := range stores {
			table, err := Table(t.Context(), store, q)
			if hidden {
				if unknown := new(rollcall.Unknown); !errors.As(err, &unknown) || table != nil {
					t.Fatalf("%v of %v: %v, %v", q.Segments, q.Readable, table, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			plain := q
			if plain.Segments = targets(q.Segments); len(plain.Segments) == 0 {
				plain.Segments = may
			}
			relabelled := slices.Clone(visits[i])
			for k := range relabelled {
				relabelled[k].Segment = merged.Target(relabelled[k].Segment)
			}
			want := make(map[string]int)
			for label, ids := range counted(relabelled, &plain) {
				if ids == nil {
					want[label] = -1
				} else if len(ids) > 0 {
					want[label] = len(ids)
				}
			}
			if got := sizesOf(table); !maps.Equal(got, want) {
				t.Fatalf("%d: %+v:\n got %v\nwant %v", i, q, got, want)
			}
		}
	})
}

// sizesOf gives each row's accounts; -1 where they are undefined.
func sizesOf(table *rollcall.Table) map[string]int {
	got := make(map[string]int)
	for row := range table.Rows {
		label := fmt.Sprint(table.Cell(row, "service"))
		for _, c := range table.Columns[1 : len(table.Columns)-3] {
			label += " " + fmt.Sprint(table.Cell(row, c.Name))
		}
		m := table.Cell(row, "unique_accounts").(rollcall.Measure)
		switch {
		case m.Status == rollcall.Undefined:
			got[label] = -1
		case m.Value > 0:
			got[label] = int(m.Value)
		}
	}
	return got
}

// TestMergedSketches: of too many accounts to be counted one by one, the figures of
// a merged segment are those of one that had all its facts, to the last digit.
func TestMergedSketches(t *testing.T) {
	visits := drawSegments(rand.New(rand.NewPCG(10, 11)), 60_000, 200_000)
	relabelled := slices.Clone(visits)
	for i := range relabelled {
		if s := &relabelled[i].Segment; *s == "a" || *s == "b" {
			*s = "c"
		}
	}
	store, other := storeOf(t, visits), storeOf(t, relabelled)
	for _, id := range []rollcall.SegmentID{"a", "b"} {
		if err := store.PutSegment(t.Context(), rollcall.Segment{ID: id, Name: "Old", Into: "c"}); err != nil {
			t.Fatal(err)
		}
	}
	q := rollcall.CensusQuery{Market: "FR", From: rollcall.DayOf(2002, 12, 1), To: rollcall.DayOf(2002, 12, 31), At: rollcall.CensusPlace{Any: 7}, Credit: rollcall.ByPresence}
	for _, ask := range []func(*rollcall.CensusQuery){
		func(q *rollcall.CensusQuery) { q.By = []rollcall.CensusBy{rollcall.BySegment} },
		func(q *rollcall.CensusQuery) { q.Segments = []rollcall.SegmentID{"c"} },
		func(q *rollcall.CensusQuery) {
			q.Segments, q.Window = []rollcall.SegmentID{"c"}, rollcall.Window{Days: 7}
		},
	} {
		q := q
		ask(&q)
		got, err := Table(t.Context(), store, q)
		want, failed := Table(t.Context(), other, q)
		if err != nil || failed != nil || len(got.Rows) == 0 {
			t.Fatal(got, err, failed)
		}
		if fmt.Sprint(got.Rows) != fmt.Sprint(want.Rows) {
			t.Errorf("%+v:\n got %v\nwant %v", q, got.Rows, want.Rows)
		}
	}
}

// TestUnknownSegment: a segment that is nowhere is refused with those that are
// nearest, and what may not be seen in the same words.
func TestUnknownSegment(t *testing.T) {
	store := storeOf(t, drawVisits(rand.New(rand.NewPCG(12, 13)), 500, 50))
	for _, s := range []rollcall.Segment{{ID: "old", Name: "Old", Into: "lyon"}, {ID: "Nowhere", Name: "Nowhere"}} {
		if err := store.PutSegment(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(market rollcall.MarketID, asked, readable string) string {
		q := rollcall.CensusQuery{Market: market, From: rollcall.DayOf(2002, 12, 1), To: rollcall.DayOf(2002, 12, 3), At: rollcall.CensusPlace{Any: 7}, Credit: rollcall.ByPresence}
		var err1, err2 error
		q.Segments, err1 = rollcall.ParseSegments(asked)
		q.Readable, err2 = rollcall.ParseSegments(readable)
		table, err := Table(t.Context(), store, q)
		if err = errors.Join(err1, err2, err); err != nil {
			return err.Error()
		}
		return strings.Join(slices.DeleteFunc(table.Meta.Notes, func(note string) bool { return !strings.Contains(note, "egment") }), " ")
	}
	for _, c := range []struct{ market, asked, readable, want string }{
		{"FR", "", "", ""},
		{"FR", "lyon", "", "The figures are of these segments only: lyon."},
		{"FR", "old,none", "", "Segment old is merged into lyon, and means it. The figures are of these segments only: none, lyon."},
		{"FR", "LYON", "", `segment "LYON": is not known in FR; the nearest is lyon`},
		{"DE", "Nowhere", "", "The figures are of these segments only: Nowhere."},
		{"DE", "paris", "", "segment \"paris\": is not known in DE; `rollcall segment list` lists those that are"},
		{"FR", "", "old", "This key reads some segments only, and the figures are of those: lyon."},
		{"FR", "", "none,paris", "This key reads some segments only, and the figures are of those: none, paris."},
		{"FR", "old", "lyon", "Segment old is merged into lyon, and means it. The figures are of these segments only: lyon."},
		{"FR", "paris", "old", "segment \"paris\": is not known in FR; `rollcall segment list` lists those that are"},
		{"FR", "Paris", "old", "segment \"Paris\": is not known in FR; `rollcall segment list` lists those that are"},
		{"FR", "none", "old", "segment \"none\": is not known in FR; `rollcall segment list` lists those that are"},
		{"FR", "lyon,paris", "old", "segment \"paris\": is not known in FR; `rollcall segment list` lists those that are"},
		{"FR", "paris", "absent", "segment \"paris\": is not known in FR; `rollcall segment list` lists those that are"},
	} {
		if got := ask(rollcall.MarketID(c.market), c.asked, c.readable); got != c.want {
			t.Errorf("%s in %s of %s: %s\nnot %s", c.asked, c.market, c.readable, got, c.want)
		}
	}
	var many []string
	for i := range mostNoted + 2 {
		many = append(many, fmt.Sprint("s", i+10))
	}
	if got, want := ask("FR", "", strings.Join(many, ",")), strings.Join(many[:mostNoted], ", ")+", ... (22)."; !strings.HasSuffix(got, want) {
		t.Errorf("of many: %s", got)
	}
}

// TestMonths: a month is there for who may see a segment that was seen in it, or one
// that is merged into it.
func TestMonths(t *testing.T) {
	var visits []visit
	for i, c := range []rollcall.Cell{
		{Day: rollcall.DayOf(2002, 10, 31), Segment: "old"}, {Day: rollcall.DayOf(2002, 11, 1), Segment: "paris"}, {Day: rollcall.DayOf(2002, 12, 1), Segment: "lyon"},
		{Day: rollcall.DayOf(2003, 1, 31)}, {Day: rollcall.DayOf(2003, 1, 1), Segment: "paris"},
	} {
		c.Market, c.Service, c.Location, c.Kind, c.Key = "FR", "msn", rollcall.Elsewhere, rollcall.Use, 1
		visits = append(visits, visit{account: uint64(i), Cell: c})
	}
	store := storeOf(t, visits)
	if err := store.PutSegment(t.Context(), rollcall.Segment{ID: "old", Name: "Old", Into: "lyon"}); err != nil {
		t.Fatal(err)
	}
	for readable, want := range map[string]string{
		"": "[2002-10 2002-11 2002-12 2003-01]", "lyon": "[2002-10 2002-12]", "old": "[2002-10 2002-12]", "paris": "[2002-11 2003-01]", "none": "[2003-01]", "lyon,none": "[2002-10 2002-12 2003-01]", "absent": "[]",
	} {
		ids, err := rollcall.ParseSegments(readable)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Months(t.Context(), store, "FR", ids); err != nil || fmt.Sprint(got) != want {
			t.Errorf("of %q: %v, not %s; %v", readable, got, want, err)
		}
	}
}
