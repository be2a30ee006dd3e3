package columnar_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
)

// manyKeys is a converter of services with and without years and rules of their
// own, under a key that was changed in June.
func manyKeys(tb testing.TB) *ingest.Converter {
	tb.Helper()
	master := func(c byte, from rollcall.Day) ingest.Master {
		return ingest.Master{Secret: bytes.Repeat([]byte{c}, ingest.MasterSize), From: from}
	}
	keys, err := ingest.NewKeys(master('a', 0), master('b', rollcall.DayOf(2002, time.June, 15)))
	if err != nil {
		tb.Fatal(err)
	}
	services := []rollcall.Service{{ID: "irc", Name: "IRC", Epoch: rollcall.NoEpoch}}
	for _, id := range []rollcall.ServiceID{"msn", "aim", "icq", "jabber", "yahoo"} {
		services = append(services, rollcall.Service{ID: id, Name: string(id)})
	}
	catalogue, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}, {ID: "NZ", Name: "New Zealand", Zone: "Pacific/Auckland"}}, services)
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Date(2003, 2, 1, 0, 0, 0, 0, time.UTC)
	return &ingest.Converter{Keys: keys, Catalogue: func() *rollcall.Catalogue { return catalogue }, Now: func() time.Time { return now }}
}

// someRows are rows of which most are like others before: of a few groups and
// accounts, around the instants at which keys change. Some are of nothing.
func someRows(random *rand.Rand, n int) []column {
	pick := func(of ...any) any { return of[random.IntN(len(of))] }
	stamp := &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
	columns := []column{
		{"time", stamp, nil}, {"until", stamp, nil}, text("market"), text("service"), text("location"), text("kind"), text("panel"),
		text("panelist"), text("account"), text("platform"), text("segment"), text("precision"), text("evidence"),
	}
	for range n {
		around := time.Date(2002, time.Month(1+6*random.IntN(2)), 1, 0, 0, 0, 0, time.UTC).AddDate(random.IntN(2), 0, -15*random.IntN(2))
		begin := around.Add(time.Duration(random.IntN(30*24*60)-15*24*60) * time.Minute)
		row := []any{
			any(begin), nil, pick("FR", "NZ", "NZ", "NZ"), pick("msn", "msn", "aim", "irc", "icq", "jabber", "yahoo"),
			pick("home", "work"), pick("use", "presence"), nil, nil,
			pick("ann", "bob", "12-34", "a/b", "ann@yahoo.com", "Ann B", " ann ", "é"), pick(nil, nil, "phone"), pick(nil, nil, nil, "teens"), nil, pick("seen", nil),
		}
		if random.IntN(4) == 0 {
			row[1] = begin.Add(time.Duration(random.IntN(26)) * time.Hour)
		}
		if random.IntN(8) == 0 { // beside the account: of nobody
			row[7] = "P1"
		}
		if random.IntN(8) == 0 {
			row[6], row[7], row[8], row[9], row[10] = "nn", pick("P1", "P2"), nil, nil, nil
		}
		if random.IntN(3) == 0 { // something may be wrong
			at := random.IntN(len(row))
			row[at] = pick(nil, "", "XX", strings.Repeat("é", 1025), "a\nb", "day", "P1", "nn")
			if at < 2 {
				row[at] = pick(nil, time.Unix(0, 0), time.Date(2003, 1, 31, 23, 0, 0, 0, time.UTC), time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC))
			}
		}
		for i := range columns {
			columns[i].values = append(columns[i].values, row[i])
		}
	}
	return columns
}

// coding gives the columns with their texts as codes of a dictionary.
func coding(columns []column) []column {
	as := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	columns = slices.Clone(columns)
	for i := range columns {
		if columns[i].as == arrow.BinaryTypes.String {
			columns[i].as = as
		}
	}
	return columns
}

// TestStreamOfCodes holds what is made of columns of codes, of which the rows
// like others are taken together, to what is made of the same rows one by one; and
// still when other bodies were read into the memory of the first.
func TestStreamOfCodes(t *testing.T) {
	random := rand.New(rand.NewPCG(2002, 10))
	taken := 0
	var tables columnar.Streams
	var before [][2]*slice
	for round := range 24 {
		columns := someRows(random, 400)
		body, codes := stream(t, columns), stream(t, coding(columns))
		backfill := round%2 == 0
		var defaults rollcall.Defaults
		if round%3 == 0 {
			defaults = rollcall.Defaults{Market: "FR", Service: "msn", Location: "home", Segment: "teens"}
		}
		want, wanted := rowsOf(t, new(columnar.Streams), body, backfill, defaults)
		got, counts := rowsOf(t, &tables, codes, backfill, defaults)
		before = append(before, [2]*slice{got, want})
		if fmt.Sprint(counts) != fmt.Sprint(wanted) {
			t.Fatalf("round %d: %v; want %v", round, counts, wanted)
		}
		for i, of := range before {
			if got, want := of[0], of[1]; !slices.Equal(got.events, want.events) || fmt.Sprint(got.rejected) != fmt.Sprint(want.rejected) {
				t.Fatalf("round %d: other events, or other rejected rows, of round %d", round, i)
			}
		}
		if counts.Refused() == 0 || counts.Accepted == 0 {
			t.Fatalf("round %d: %v tries nothing", round, counts)
		}
		taken += counts.Accepted
	}
	if taken < 4000 {
		t.Errorf("%d rows were taken", taken)
	}
}

func rowsOf(tb testing.TB, tables *columnar.Streams, body []byte, backfill bool, defaults rollcall.Defaults) (*slice, ingest.Counts) {
	tb.Helper()
	log := &slice{}
	in := ingest.NewBatcher(manyKeys(tb), log, "test", backfill)
	in.Defaults = defaults
	if err := tables.Take(tb.Context(), in, bytes.NewReader(body)); err != nil {
		tb.Fatal(err)
	}
	return log, in.Counts
}

// TestStreamOfCodesAfterAnotherCatalogue has a market go while a stream is read.
func TestStreamOfCodesAfterAnotherCatalogue(t *testing.T) {
	converter := manyKeys(t)
	asked := 0
	first := converter.Catalogue()
	second, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "NZ", Name: "New Zealand", Zone: "Pacific/Auckland"}}, first.Services)
	if err != nil {
		t.Fatal(err)
	}
	converter.Catalogue = func() *rollcall.Catalogue {
		if asked++; asked > 5 {
			return second
		}
		return first
	}
	const rows = 15_000 // the catalogue is looked at again every some thousand
	columns := coding(two(arrow.Second, arrow.BinaryTypes.String))
	for i := range columns {
		value := columns[i].values[0]
		columns[i].values = slices.Repeat([]any{value}, rows)
	}
	log := &slice{}
	in := ingest.NewBatcher(converter, log, "test", true)
	if err := new(columnar.Streams).Take(t.Context(), in, bytes.NewReader(stream(t, columns))); err != nil {
		t.Fatal(err)
	}
	if n := in.Rejected["unknown_market"]; n < rows/4 || n == rows || in.Accepted != rows-n {
		t.Errorf("%v", in.Counts)
	}
}
