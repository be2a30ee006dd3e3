package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// BenchmarkLines measures NDJSON from bytes to pseudonymised, valid events.
func BenchmarkLines(b *testing.B) {
	for _, c := range []struct {
		name string
		line func(i int) string
	}{
		{"census", func(i int) string {
			return fmt.Sprintf(`{"id":"E%07d","source":"log-3","time":"2002-10-%02dT%02d:%02d:05Z","market":"FR","service":"msn","location":"home","kind":"login","account":"someone.%d@hotmail.com"}`, i, i%28+1, i%24, i%60, i*7919%100003)
		}},
		{"panel", func(i int) string {
			return fmt.Sprintf(`{"id":"E%07d","source":"meter-17","time":"2002-10-%02dT%02d:%02d:05Z","until":"2002-10-%02dT%02d:%02d:59Z","market":"FR","service":"msn","location":"home","kind":"use","panel":"nn","panelist":"P%05d"}`, i, i%28+1, i%24, i%60, i%28+1, i%24, i%60, i*7919%100003)
		}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkLines(b, c.line) })
	}
}

func benchmarkLines(b *testing.B, line func(i int) string) {
	const n = 20000
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintln(&body, line(i))
	}
	converter := benchConverter(b)
	b.ReportAllocs()
	b.SetBytes(int64(body.Len()))
	began := processorTime(b)
	for b.Loop() {
		in := ingest.NewBatcher(converter, nowhere{}, "bench", true)
		if err := ingest.Lines(b.Context(), in, bytes.NewReader(body.Bytes())); err != nil || in.Accepted != n {
			b.Fatal(in.Counts, err)
		}
	}
	b.ReportMetric(float64(processorTime(b)-began)/float64(n*b.N), "cpu-ns/event")
}

// processorTime is what the process has had so far: on a machine that is shared,
// the time on the clock says little.
func processorTime(tb testing.TB) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// nowhere is a log that keeps nothing.
type nowhere struct{}

func (nowhere) Append(context.Context, *rollcall.Batch) error     { return nil }
func (nowhere) Reject(context.Context, []rollcall.Rejected) error { return nil }

func benchConverter(tb testing.TB) *ingest.Converter {
	tb.Helper()
	keys, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte("k"), ingest.MasterSize)})
	if err != nil {
		tb.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}},
		[]rollcall.Service{{ID: "msn", Name: "MSN Messenger"}, {ID: "aim", Name: "AIM"}})
	if err != nil {
		tb.Fatal(err)
	}
	return &ingest.Converter{
		Keys:      keys,
		Catalogue: func() *rollcall.Catalogue { return catalogue },
		Now:       func() time.Time { return time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC) },
	}
}
