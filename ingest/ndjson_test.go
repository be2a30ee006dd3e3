package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// slice is a log in memory; once full it takes no more.
type slice struct {
	events   []rollcall.Event
	rejected []rollcall.Rejected
	full     bool
}

func (s *slice) Append(_ context.Context, events *rollcall.Batch) error {
	if s.full {
		return fmt.Errorf("a slice: %w", rollcall.ErrFull)
	}
	s.events = append(s.events, events.Events()...)
	return nil
}

func (s *slice) Reject(_ context.Context, rejected []rollcall.Rejected) error {
	s.rejected = append(s.rejected, rejected...)
	return nil
}

// result is a short form of what became of an input.
func result(c ingest.Counts, err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d", c.Accepted, c.Read)
	for _, e := range c.Errors {
		fmt.Fprintf(&b, "; %d %s", e.Line, e.Reason)
	}
	if err != nil {
		fmt.Fprintf(&b, "; %v", err)
	}
	return b.String()
}

func TestLines(t *testing.T) {
	a, b := census(), panelLine()
	const bad, badLine = "{", "line: is not a JSON event: bad syntax"
	padded := func(n int) string {
		line := census("evidence", "x")
		return strings.Replace(line, `"x"`, `"`+strings.Repeat("x", n-len(line)+1)+`"`, 1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "0 of 0"},
		{"one without an end", a, "1 of 1"},
		{"two", a + "\n" + b + "\n", "2 of 2"},
		{"CRLF", a + "\r\n" + b + "\r\n", "2 of 2"},
		{"blank lines count as lines", "\n \n" + a + "\n\r\n" + bad + "\n", "1 of 2; 5 " + badLine},
		{"a byte order mark", "\ufeff" + a + "\n", "1 of 1"},
		{"a mark alone", "\ufeff", "0 of 0"},
		{"a bad one between", a + "\n" + bad + "\n" + b, "2 of 3; 2 " + badLine},
		{"the longest line", padded(ingest.MaxLine) + "\r\n" + a, "2 of 2"},
		{"a longer line", padded(ingest.MaxLine+1) + "\n" + a, "1 of 2; 1 line: is longer than 1 MiB"},
		{"one much longer", strings.Repeat("x", 3*ingest.MaxLine) + "\n" + a, "1 of 2; 1 line: is longer than 1 MiB"},

		{"an array", "[" + a + ",\n" + b + "]", "2 of 2"},
		{"after space and a mark", "\ufeff\n [\n" + a + "]\n", "1 of 1"},
		{"an empty array", "[]", "0 of 0"},
		{"bad elements", "[" + a + `,3,null,"x",[],` + b + "]", "2 of 6; 2 " + badLine + "; 3 time: is missing; 4 " + badLine + "; 5 " + badLine},
		{"an element without end", "[" + a + ",\"" + strings.Repeat("x", 5*ingest.MaxLine) + "\"]", "1 of 1; after element 1: array: has an element of more than 4 MiB here; the elements before were taken"},
		{"a long element", "[" + padded(ingest.MaxLine+1) + "," + a + "]", "1 of 2; 1 line: is longer than 1 MiB"},
		{"an array cut short", "[" + a + ",", "1 of 1; after element 1: array: is cut short; the elements before were taken"},
		{"cut in an element", "[" + a + "," + b[:20], "1 of 1; after element 1: array: is cut short; the elements before were taken"},
		{"only begun", "[", "0 of 0; after element 0: array: is cut short; the elements before were taken"},
		{"a broken array", "[" + a + "}" + b + "]", "1 of 1; after element 1: array: is broken here; the elements before were taken"},
		{"an element nested too deep", "[" + a + "," + deep(65) + "," + b + "]", "2 of 3; 2 line: is not a JSON event: nested more than 64 levels deep"},
		{"nested two million deep", "[" + a + "," + strings.Repeat("[", 2_000_000), "1 of 1; after element 1: array: has an element here that is nested more than 64 levels deep; the elements before were taken"},
		{"words after it", "[" + a + "] and more", "1 of 1; after element 1: array: has text after its end; its elements were taken"},
		{"a huge number after it", "[" + a + "]44E+644", "1 of 1; after element 1: array: has text after its end; its elements were taken"},
		{"text after it", "[" + a + "]\n" + b, "1 of 1; after element 1: array: has text after its end; its elements were taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &slice{}
			in := ingest.NewBatcher(benchConverter(t), log, "test", false)
			err := ingest.Lines(t.Context(), in, iotest.HalfReader(strings.NewReader(tt.text)))
			if got := result(in.Counts, err); got != tt.want {
				t.Errorf("%s; want %s", got, tt.want)
			}
			if len(log.events) != in.Accepted || len(log.rejected) != in.Refused() {
				t.Errorf("the log has %d events and %d refused", len(log.events), len(log.rejected))
			}
			if err != nil && !errors.Is(err, rollcall.ErrInvalid) {
				t.Errorf("%v is not the sender's", err)
			}
		})
	}
}

// deep is JSON of so many levels.
func deep(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func TestNDJSONTakesNoArray(t *testing.T) {
	in := ingest.NewBatcher(benchConverter(t), &slice{}, "test", false)
	err := ingest.NDJSON(t.Context(), in, strings.NewReader("\ufeff[1,2]\n"+census()))
	if got := result(in.Counts, err); got != "1 of 2; 1 line: is not a JSON event: bad syntax" {
		t.Error(got)
	}
}

var errBroken = errors.New("the wire is cut")

func TestLinesKeepWhatIsBeforeAReadError(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"lines":                {census() + "\n" + census(), "1 of 1; line 2: the wire is cut"},
		"in a long line":       {census() + "\n" + strings.Repeat(" ", 100<<10) + census(), "1 of 1; line 2: the wire is cut"},
		"an array":             {"[" + census() + "," + census()[:9], "1 of 1; after element 1: the wire is cut"},
		"between two elements": {"[" + census() + ",", "1 of 1; after element 1: the wire is cut"},
	} {
		in := ingest.NewBatcher(benchConverter(t), &slice{}, "test", false)
		err := ingest.Lines(t.Context(), in, io.MultiReader(strings.NewReader(tt.text), iotest.ErrReader(errBroken)))
		if got := result(in.Counts, err); got != tt.want || !errors.Is(err, errBroken) {
			t.Errorf("%s: %s; want %s", name, got, tt.want)
		}
	}
}

func TestFullLogAcceptsNothing(t *testing.T) {
	in := ingest.NewBatcher(benchConverter(t), &slice{full: true}, "test", false)
	err := ingest.Lines(t.Context(), in, strings.NewReader(census()+"\n{\n"))
	if !errors.Is(err, rollcall.ErrFull) || in.Accepted != 0 || in.Read != 2 || in.Refused() != 1 {
		t.Error(in.Counts, err)
	}
}

// TestBatcherIsBounded carries more than a batcher holds: the log hears of it
// before the input's end.
func TestBatcherIsBounded(t *testing.T) {
	log := &slice{}
	in := ingest.NewBatcher(benchConverter(t), log, "test", false)
	events, rejected := 0, 0
	line, bad := []byte(census()), bytes.Repeat([]byte("x"), 64<<10)
	for i := range 40000 {
		if err := in.Line(t.Context(), i+1, line); err != nil {
			t.Fatal(err)
		}
		if i%200 == 0 {
			if err := in.Line(t.Context(), i+1, bad); err != nil {
				t.Fatal(err)
			}
		}
		events, rejected = max(events, i+1-len(log.events)), max(rejected, i/200+1-len(log.rejected))
	}
	if events > 16384 || rejected > 64 || len(log.events) == 0 {
		t.Errorf("a batcher held %d events and %d refused lines of 64 KiB", events, rejected)
	}
}

// TestHopelessInput: an input that is mostly refused is not looked at to its
// end, but counted; one that is mostly good is.
func TestHopelessInput(t *testing.T) {
	bad, good := strings.Repeat("{}\n", 10_000), census()+"\n"
	for _, tt := range []struct {
		name, text     string
		read, accepted int
		rest           int
	}{
		{"lines", bad + "{}\n\n" + good + "{", 10_004, 0, 4},
		{"just so many", bad, 10_000, 0, 0},
		{"one fewer", bad[3:] + good, 10_000, 1, 0},
		{"mostly good", strings.Repeat(good, 10_001) + bad + good, 20_002, 10_002, 0},
		{"an array", "[" + strings.Repeat("{},", 10_000) + ` {"a":[1,2,{"b":","}]}, "x]\\",3]`, 10_003, 0, 3},
		{"all of an array", "[" + strings.Repeat("{},", 9_999) + "{}]", 10_000, 0, 0},
	} {
		log := &slice{}
		in := ingest.NewBatcher(benchConverter(t), log, "test", false)
		if err := ingest.Lines(t.Context(), in, strings.NewReader(tt.text)); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if in.Read != tt.read || in.Accepted != tt.accepted || in.Refused() != tt.read-tt.accepted || in.Rejected["too_many_rejected"] != tt.rest {
			t.Errorf("%s: read %d, accepted %d, refused %v; want %d, %d and %d of the rest", tt.name, in.Read, in.Accepted, in.Rejected, tt.read, tt.accepted, tt.rest)
		}
		if len(log.rejected) != in.Refused()-tt.rest {
			t.Errorf("%s: the log has %d refused lines", tt.name, len(log.rejected))
		}
	}
}

// TestPanelWithoutRoster: its events are taken, and the counts say so.
func TestPanelWithoutRoster(t *testing.T) {
	converter := benchConverter(t)
	converter.HasRoster = func(market rollcall.MarketID, panel rollcall.PanelID) bool { return market == "FR" && panel == "nn" }
	var all ingest.Counts
	for range 2 {
		in := ingest.NewBatcher(converter, &slice{}, "test", false)
		text := panelLine("panel", "new") + "\n" + panelLine("panel", "nn") + "\n" + census() + "\n" + panelLine("panel", "new", "kind", "chat")
		if err := ingest.Lines(t.Context(), in, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		all.Add(in.Counts, 0)
	}
	if all.Accepted != 6 || len(all.Warnings) != 1 || all.Warnings[ingest.WarnNoRoster] != 2 {
		t.Errorf("%+v", all)
	}
}

// TestDaysToCome: a backfill takes days after the market's own today, and says how many
// events are of which; the rest of today is none. It is 1 November, 1 in the morning in
// Paris.
func TestDaysToCome(t *testing.T) {
	converter := benchConverter(t)
	at := func(times ...string) (all ingest.Counts) {
		for _, when := range times {
			in := ingest.NewBatcher(converter, &slice{}, "test", true)
			if err := ingest.Lines(t.Context(), in, strings.NewReader(census("time", when)+"\n"+census()+"\n{")); err != nil {
				t.Fatal(err)
			}
			all.Add(in.Counts, 0)
		}
		return all
	}
	if all := at("2002-11-01T22:59:59Z", "2002-10-31T23:30:00Z"); all.Accepted != 4 || all.ToCome.Events != 0 {
		t.Errorf("of today: %+v", all)
	}
	all := at("2002-11-01T23:00:00Z", "2012-11-05T12:00:00Z", "2002-11-04T12:00:00+02:00")
	if all.Accepted != 6 || fmt.Sprint(all.ToCome) != "{3 2002-11-02 2012-11-05}" {
		t.Errorf("of days to come: %+v", all)
	}
}

func TestCountsAdd(t *testing.T) {
	var all ingest.Counts
	for i := range 3 {
		in := ingest.NewBatcher(benchConverter(t), &slice{}, "test", false)
		if err := ingest.Lines(t.Context(), in, strings.NewReader(census()+"\n"+strings.Repeat("{\n", 9))); err != nil {
			t.Fatal(err)
		}
		all.Add(in.Counts, i*10)
	}
	if all.Read != 30 || all.Accepted != 3 || all.Refused() != 27 || all.Rejected["json"] != 27 || len(all.Errors) != 20 || all.Errors[19].Line != 23 {
		t.Errorf("%+v", all)
	}
}

func FuzzLines(f *testing.F) {
	for _, text := range []string{"", "\ufeff", census() + "\r\n\n" + panelLine(), "[" + census() + ", 3, {}]", "[[", "[}", "[1]2", "[4]44E+644", "\n\n[", "{\n"} {
		f.Add([]byte(text))
	}
	converter := benchConverter(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		log := &slice{}
		in := ingest.NewBatcher(converter, log, "test", false)
		if err := ingest.Lines(t.Context(), in, bytes.NewReader(text)); err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("error %v", err)
		}
		if len(log.events) != in.Accepted || len(log.rejected) != in.Refused() || in.Read != in.Accepted+in.Refused() {
			t.Errorf("%+v for %d events and %d refused", in.Counts, len(log.events), len(log.rejected))
		}
	})
}

// TestEventsKeepNoPartOfTheirLine: lines are read where they stand, in a buffer
// that the next ones are read into.
func TestEventsKeepNoPartOfTheirLine(t *testing.T) {
	var log slice
	in := ingest.NewBatcher(benchConverter(t), &log, "a file", false)
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintln(&text, census("segment", fmt.Sprintf("segment-%d", i), "evidence", strings.Repeat("e", i%97)))
	}
	if err := ingest.NDJSON(t.Context(), in, strings.NewReader(text.String())); err != nil {
		t.Fatal(err)
	}
	for i, e := range log.events {
		if want := fmt.Sprintf("segment-%d", i); string(e.Segment) != want || e.Market != "FR" || e.Service != "msn" {
			t.Fatalf("event %d is of %q at %q in %q, not %s", i, e.Service, e.Market, e.Segment, want)
		}
	}
	if len(log.events) != 2000 {
		t.Errorf("%d events", len(log.events))
	}
}

// TestTooManySegments: a service has so many segments in a day, and those that it
// has are taken on; another service, and the next day, have their own.
func TestTooManySegments(t *testing.T) {
	converter, log := benchConverter(t), &slice{}
	now := converter.Now()
	converter.Now = func() time.Time { return now }
	var all strings.Builder
	for i := range ingest.MaxSegments + 1 {
		fmt.Fprintln(&all, census("segment", fmt.Sprintf("s%d", i)))
	}
	more := census("segment", "s0") + "\n" + census() + "\n" + census("segment", "another") + "\n" + census("segment", "another", "service", "aim")
	take := func(text string) string {
		in := ingest.NewBatcher(converter, log, "test", true)
		err := ingest.NDJSON(t.Context(), in, strings.NewReader(text))
		return result(in.Counts, err)
	}
	const refused = "segment: is one more than the 10000 that a service may have in a day's events"
	if got, want := take(all.String()), "10000 of 10001; 10001 "+refused; got != want {
		t.Errorf("all: %s", got)
	}
	if got, want := take(more), "3 of 4; 3 "+refused; got != want {
		t.Errorf("more: %s", got)
	}
	now = now.Add(24 * time.Hour)
	if got, want := take(census("segment", "another")), "1 of 1"; got != want {
		t.Errorf("on the next day: %s", got)
	}
}
