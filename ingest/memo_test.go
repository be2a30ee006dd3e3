package ingest_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// manyKeys is a converter of two markets and services with and without years and
// rules of their own, and of a key that was changed.
func manyKeys(tb testing.TB) *ingest.Converter {
	tb.Helper()
	master := func(c byte, from rollcall.Day) ingest.Master {
		return ingest.Master{Secret: bytes.Repeat([]byte{c}, ingest.MasterSize), From: from}
	}
	keys, err := ingest.NewKeys(master('a', 0), master('b', rollcall.DayOf(2002, time.June, 15)))
	if err != nil {
		tb.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}, {ID: "NZ", Name: "New Zealand", Zone: "Pacific/Auckland"}},
		[]rollcall.Service{{ID: "msn", Name: "MSN Messenger"}, {ID: "aim", Name: "AIM"}, {ID: "irc", Name: "IRC", Epoch: rollcall.NoEpoch}})
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Date(2003, 2, 1, 0, 0, 0, 0, time.UTC)
	return &ingest.Converter{Keys: keys, Catalogue: func() *rollcall.Catalogue { return catalogue }, Now: func() time.Time { return now }}
}

// someLines are lines of which most are like others before: of a few groups,
// around the instants at which keys change.
func someLines(n int) (lines []string) {
	rng := rand.New(rand.NewPCG(1, 17))
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	for range n {
		around := time.Date(2002, time.Month(1+6*rng.IntN(2)), 1, 0, 0, 0, 0, time.UTC).AddDate(rng.IntN(2), 0, -15*rng.IntN(2))
		at := around.Add(time.Duration(rng.IntN(8*24*60)-4*24*60) * time.Minute)
		line := census("time", at.Format(time.RFC3339), "until", pick("", at.Add(time.Duration(rng.IntN(26))*time.Hour).Format(time.RFC3339)),
			"market", pick("FR", "NZ", "NZ", "NZ", "XX"), "service", pick("msn", "msn", "aim", "irc", "icq"),
			"account", pick("ann", "bob", "someone@example.org", "Ann B", " ann ", "ann\n", "é", strings.Repeat("é", 1025), ""), "panelist", pick("", "", "", "", "", "P1"), "segment", pick("", "", "none", fmt.Sprint("s", rng.IntN(400))), "platform", pick("", "", "phone"), "precision", pick("", "", "", "day"))
		if rng.IntN(4) == 0 {
			line = panelLine("time", at.Format(time.RFC3339), "panelist", pick("P1", " P1", " "), "account", pick("", "", "", "ann"), "panel", pick("nn", "nn", "n/n"))
		}
		lines = append(lines, line)
	}
	return lines
}

// TestBatcherRemembers holds what a batcher makes of lines, of which it remembers
// groups and keys, to what the converter makes of each by itself; also when keys
// and catalogue change between two lines.
func TestBatcherRemembers(t *testing.T) {
	for _, backfill := range []bool{true, false} {
		converter, log := manyKeys(t), &slice{}
		in := ingest.NewBatcher(converter, log, "test", backfill)
		var want []rollcall.Event
		refused := 0
		for i, line := range someLines(8000) {
			if i == 5000 {
				changeKeys(t, converter)
			}
			if err := in.Line(t.Context(), i+1, []byte(line)); err != nil {
				t.Fatal(err)
			}
			s, err := ingest.ParseJSON([]byte(line))
			if err == nil {
				want, err = converter.Append(want, &s, converter.Now(), backfill)
			}
			if err != nil {
				refused++
				requireLast(t, in, log, err)
			}
		}
		if err := in.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(log.events, want) || len(want) < 1000 || refused < 1000 || in.Refused() != refused {
			t.Errorf("%d events, %d refused; want %d and %d", len(log.events), in.Refused(), len(want), refused)
		}
	}
}

// changeKeys puts another master in the second's place, and takes a market away.
func changeKeys(t *testing.T, c *ingest.Converter) {
	t.Helper()
	if err := c.Keys.Set([]ingest.Master{{Secret: bytes.Repeat([]byte("c"), ingest.MasterSize)}}, nil); err != nil {
		t.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "NZ", Name: "New Zealand", Zone: "Pacific/Chatham"}}, c.Catalogue().Services)
	if err != nil {
		t.Fatal(err)
	}
	c.Catalogue = func() *rollcall.Catalogue { return catalogue }
}

// requireLast holds the last refusal to the converter's.
func requireLast(t *testing.T, in *ingest.Batcher, log *slice, want error) {
	t.Helper()
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := log.rejected[len(log.rejected)-1].Reason; got != want.Error() {
		t.Fatalf("refused because %s; want %s", got, want)
	}
}

// FuzzParseTime holds the times that are read by hand to time.Parse.
func FuzzParseTime(f *testing.F) {
	for _, at := range []string{"2002-10-03T18:22:05Z", "2002-02-30T18:22:05Z", "2000-02-29T23:59:59Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z", "2002-13-01T00:00:00Z", "2002-00-01T00:00:00Z", "2002-10-00T00:00:00Z", "2002-10-31T24:00:00Z", "2002-10-31T23:59:60Z", "2002-10-3/T18:22:05Z",
		"2002-10-03t18:22:05z", "2002-10-03T18:22:05.5Z", "2002-10-03T18:22:05+02:00", "2002-10-03T18:22:05+2:00Z", "2002-10-03", ""} {
		f.Add(at)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ingest.ParseTime("time", text)
		want, failed := time.Parse(time.RFC3339Nano, text)
		if told := err != nil && strings.HasSuffix(err.Error(), rollcall.NoSuchDate); told && !rollcall.IsNoSuchDate(failed) && !strings.ContainsAny(text, "tz") && !strings.Contains(text, ":60") {
			t.Errorf("%q: %v, and for time.Parse %v", text, err, failed)
		}
		switch {
		case err == nil && failed == nil && (!got.Equal(want) || got != want.UTC()):
			t.Errorf("%q is %v; want %v", text, got, want)
		case err == nil && failed != nil && !strings.ContainsAny(text, "tz") && !strings.Contains(text, ":60"):
			t.Errorf("%q is %v, and no time: %v", text, got, failed)
		case rollcall.IsNoSuchDate(failed) && common(text) && !strings.HasSuffix(err.Error(), rollcall.NoSuchDate):
			t.Errorf("%q is on no date, and was refused: %v", text, err)
		case err != nil && failed == nil && common(text):
			t.Errorf("%q is %v, and was refused: %v", text, want, err)
		}
	})
}

// common reports whether a text has the form that nearly all times have.
func common(text string) bool {
	return len(text) == len("2002-10-03T18:22:05Z") && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == 'Z'
}

// TestEveryDayByHand: every day of four centuries, of which a leap year's are all
// kinds.
func TestEveryDayByHand(t *testing.T) {
	for at := time.Date(1899, 12, 31, 0, 0, 1, 0, time.UTC); at.Year() < 2301; at = at.AddDate(0, 0, 1) {
		if got, err := ingest.ParseTime("time", at.Format(time.RFC3339)); err != nil || got != at {
			t.Fatal(got, at, err)
		}
		for _, day := range []int{29, 30, 31, 32} {
			text := fmt.Sprintf("%04d-%02d-%02dT00:00:00Z", at.Year(), at.Month(), day)
			_, failed := time.Parse(time.RFC3339, text)
			if _, err := ingest.ParseTime("time", text); at.Day() == 1 && (err == nil) != (failed == nil) {
				t.Fatal(text, err, failed)
			}
		}
	}
}
