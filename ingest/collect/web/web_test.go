package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/klauspost/compress/zstd"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/columnar"
	"rollcall/ingest/collect/web"
	"rollcall/internal/test/packtest"
)

// slice is a log in memory, or one that fails.
type slice struct {
	events   []rollcall.Event
	rejected []rollcall.Rejected
	fails    error
}

func (s *slice) Append(_ context.Context, events *rollcall.Batch) error {
	if s.fails != nil {
		return s.fails
	}
	s.events = append(s.events, events.Events()...)
	return nil
}

func (s *slice) Reject(_ context.Context, rejected []rollcall.Rejected) error {
	s.rejected = append(s.rejected, rejected...)
	return nil
}

const maxBody = 64 << 10

func collector(tb testing.TB, log func(backfill bool) ingest.Log) *web.Collector {
	tb.Helper()
	keys, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte("k"), ingest.MasterSize)})
	if err != nil {
		tb.Fatal(err)
	}
	catalogue, err := rollcall.NewCatalogue(
		[]rollcall.Market{{ID: "FR", Name: "France", Zone: "Europe/Paris"}}, []rollcall.Service{{ID: "msn", Name: "MSN Messenger"}})
	if err != nil {
		tb.Fatal(err)
	}
	return &web.Collector{MaxBody: maxBody, Log: log, Converter: &ingest.Converter{
		Keys:      keys,
		Catalogue: func() *rollcall.Catalogue { return catalogue },
		Now:       func() time.Time { return time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC) },
	}}
}

const (
	good   = `{"time":"2002-10-03T18:22:05Z","market":"FR","service":"msn","location":"home","kind":"use","account":"someone@hotmail.com"}`
	old    = `{"time":"1999-10-03T18:22:05Z","market":"FR","service":"msn","location":"home","kind":"use","account":"someone@hotmail.com"}`
	ndjson = "application/x-ndjson"
)

func gzipped(tb testing.TB, text string) string { return string(packtest.Gzip(tb, []byte(text))) }

func zstandard(tb testing.TB, text string, options ...zstd.EOption) string {
	return string(packtest.Zstd(tb, []byte(text), options...))
}

// table is n good rows as an Arrow stream.
func table(tb testing.TB, n int, columns ...string) string {
	tb.Helper()
	values := map[string]string{"time": "2002-10-03T18:22:05Z", "market": "FR", "service": "msn", "location": "home", "kind": "use", "account": "someone@hotmail.com"}
	var fields []arrow.Field
	for _, name := range columns {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for range n {
		for i, name := range columns {
			b.Field(i).(*array.StringBuilder).Append(values[name])
		}
	}
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(b.Schema()))
	if err := w.Write(b.NewRecord()); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// answered is an answer's body, a problem's fields among it.
type answered struct {
	ingest.Counts
	Title  string
	Status int
	Detail string
}

// TestStatusCodes sends every kind of body, good and bad.
// reason: one table.
func TestStatusCodes(t *testing.T) {
	columns := []string{"time", "market", "service", "location", "kind", "account"}
	many := strings.Repeat(good+"\n", 1000) // over maxBody, and packs to little
	full := fmt.Errorf("topic events: %w", rollcall.ErrFull)
	for _, tt := range []struct {
		name, as, encoding, body string
		fails                    error
		status, kept             int
		detail                   string
	}{
		{"NDJSON", ndjson, "", good + "\n" + good, nil, 200, 2, ""},
		{"with a charset", ndjson + "; charset=utf-8", "identity", good, nil, 200, 1, ""},
		{"nothing", ndjson, "", "", nil, 200, 0, ""},
		{"a JSON array", "application/json", "", "[" + good + "," + good + "]", nil, 200, 2, ""},
		{"one object", "application/json", "", good, nil, 200, 1, ""},
		{"JSON lines", "application/jsonl", "", good, nil, 200, 1, ""},
		{"text", "text/plain", "", good, nil, 200, 1, ""},
		{"gzip", ndjson, "gzip", gzipped(t, good), nil, 200, 1, ""},
		{"GZIP", ndjson, "GZIP", gzipped(t, good), nil, 200, 1, ""},
		{"x-gzip", ndjson, "X-Gzip", gzipped(t, good), nil, 200, 1, ""},
		{"gzip of two members", ndjson, "gzip", gzipped(t, good+"\n") + gzipped(t, good), nil, 200, 2, ""},
		{"zstd of two frames", ndjson, "Zstd", zstandard(t, good+"\n") + zstandard(t, good), nil, 200, 2, ""},
		{"zstd", ndjson, "zstd", zstandard(t, good), nil, 200, 1, ""},
		{"Arrow", columnar.ContentType, "", table(t, 3, columns...), nil, 200, 3, ""},
		{"Arrow in zstd", columnar.ContentType, "zstd", zstandard(t, table(t, 3, columns...)), nil, 200, 3, ""},

		{"a bad line", ndjson, "", good + "\n{\n" + good, nil, 422, 2, "1 of 3 events refused; the others were kept"},
		{"an old one", ndjson, "", good + "\n" + old, nil, 422, 1, "1 of 2 events refused; the others were kept"},
		{"a bad element", "application/json", "", "[" + good + ",1]", nil, 422, 1, "1 of 2 events refused; the others were kept"},

		{"a broken array", "application/json", "", "[" + good + "}", nil, 400, 1, "after element 1: array: is broken here; the elements before were taken"},
		{"not gzip", ndjson, "gzip", good, nil, 400, 0, "gzip: is broken: gzip: invalid header"},
		{"no gzip", ndjson, "gzip", "", nil, 400, 0, "gzip: is cut short"},
		{"gzip cut short", ndjson, "gzip", gzipped(t, good+"\n"+good)[:80], nil, 400, 0, "line 1: gzip: is cut short"},
		{"not zstd", ndjson, "zstd", good, nil, 400, 0, "line 1: zstd: is broken: invalid input: magic number mismatch"},
		{"text after gzip", ndjson, "gzip", gzipped(t, good+"\n") + "text", nil, 400, 1, fmt.Sprintf("line 2: gzip: has other bytes after the end of its gzip, from byte %d on", len(gzipped(t, good+"\n")))},
		{"zstd cut short", ndjson, "zstd", zstandard(t, good)[:40], nil, 400, 0, "line 1: zstd: is cut short"},
		{"a zstd of a large window", ndjson, "zstd", zstandard(t, strings.Repeat(" ", 20<<20), zstd.WithWindowSize(16<<20)), nil, 400, 0, "line 1: zstd: is broken: window size exceeded"},
		{"Arrow without a column", columnar.ContentType, "", table(t, 1, columns[1:]...), nil, 400, 0, `after row 0: column "time": is missing`},

		{"too long", ndjson, "", many, nil, 413, maxBody / len(good+"\n"), "body is over 65536 bytes"},
		{"too long an array", "application/json", "", "[" + strings.Repeat(good+",", 999) + good + "]", nil, 413, (maxBody - 1) / len(good+","), "body is over 65536 bytes"},
		{"too long when unpacked", ndjson, "gzip", gzipped(t, many), nil, 413, maxBody / len(good+"\n"), "body is over 65536 bytes"},
		{"too long from zstd", ndjson, "zstd", zstandard(t, many), nil, 413, maxBody / len(good+"\n"), "body is over 65536 bytes"},
		{"too long a table", columnar.ContentType, "", table(t, 1000, columns...), nil, 413, 0, "body is over 65536 bytes"},

		{"a form", "application/x-www-form-urlencoded", "", good, nil, 415, 0, "content-type is not application/x-ndjson, application/json, application/cloudevents+json, application/cloudevents-batch+json or application/vnd.apache.arrow.stream"},
		{"no type", "", "", good, nil, 415, 0, "content-type is not application/x-ndjson, application/json, application/cloudevents+json, application/cloudevents-batch+json or application/vnd.apache.arrow.stream"},
		{"brotli", ndjson, "br", good, nil, 415, 0, "content-encoding is not gzip or zstd"},

		{"a full log", ndjson, "", good, full, 429, 0, "the log is full; send the body again later"},
		{"a full log, a broken body", "application/json", "", "[" + good + "}", full, 429, 0, "the log is full; send the body again later"},
		{"a slow log", ndjson, "", good, fmt.Errorf("write: %w", os.ErrDeadlineExceeded), 503, 0, "the log could not take the events; send the body again later"},
		{"a lost log", ndjson, "", good, errors.New("dial 10.0.0.1: refused"), 503, 0, "the log could not take the events; send the body again later"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &slice{fails: tt.fails}
			r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.as)
			r.Header.Set("Content-Encoding", tt.encoding)
			w := httptest.NewRecorder()
			collector(t, func(bool) ingest.Log { return log }).ServeHTTP(w, r)
			var got answered
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || got.Detail != tt.detail || tt.status != 200 && (got.Status != tt.status || got.Title == "") {
				t.Errorf("answered %d, %s; want %d, %s", w.Code, w.Body, tt.status, tt.detail)
			}
			if len(log.events) != tt.kept || got.Accepted != tt.kept || got.Refused() != len(log.rejected) {
				t.Errorf("kept %d and said %+v; want %d", len(log.events), got.Counts, tt.kept)
			}
			if again := w.Header().Get("Retry-After"); (again != "") != (tt.status == 429 || tt.status == 503) {
				t.Errorf("Retry-After %q", again)
			}
			if as := w.Header().Get("Content-Type"); as != map[bool]string{true: "application/json", false: "application/problem+json"}[tt.status == 200] {
				t.Errorf("content type %q", as)
			}
			if strings.Contains(w.Body.String(), "hotmail") || strings.Contains(w.Body.String(), "10.0.0.1") {
				t.Errorf("the answer tells too much: %s", w.Body)
			}
		})
	}
}

// TestContentCodings: the codings are one list, in however many fields it stands; one of
// which the body has none but gzip or zstd is undone, and another is told what there is.
func TestContentCodings(t *testing.T) {
	once := gzipped(t, good)
	for _, tt := range []struct {
		name, body string
		fields     []string
		status     int
	}{
		{"none of them", good, []string{"identity, ,identity"}, 200},
		{"with identity before", once, []string{"identity, GZIP"}, 200},
		{"with identity behind", once, []string{"x-gzip,identity"}, 200},
		{"an empty one behind", once, []string{"gzip,"}, 200},
		{"in two fields", once, []string{"identity", "gzip"}, 200},
		{"twice", gzipped(t, once), []string{"gzip, gzip"}, 415},
		{"twice, in two fields", gzipped(t, once), []string{"gzip", "gzip"}, 415},
		{"another", good, []string{"gzip", "br"}, 415},
	} {
		log := &slice{}
		r := httptest.NewRequest(http.MethodPost, "/v1/events", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", ndjson)
		r.Header["Content-Encoding"] = tt.fields
		w := httptest.NewRecorder()
		collector(t, func(bool) ingest.Log { return log }).ServeHTTP(w, r)
		if w.Code != tt.status || len(log.events) != map[int]int{200: 1}[tt.status] {
			t.Errorf("%s: answered %d, %d kept: %s", tt.name, w.Code, len(log.events), w.Body)
		}
		if may := w.Header().Get("Accept-Encoding"); (may == "gzip, zstd") != (tt.status == 415) {
			t.Errorf("%s: Accept-Encoding %q", tt.name, may)
		}
	}
}

func TestBackfillAndSource(t *testing.T) {
	var asked []bool
	log := &slice{}
	c := collector(t, func(backfill bool) ingest.Log { asked = append(asked, backfill); return log })
	for _, query := range []string{"", "?backfill=1&source=meter-17", "?backfill=false", "?source=meter%0A18"} {
		r := httptest.NewRequest(http.MethodPost, "/v1/events"+query, strings.NewReader(old+"\n{"))
		r.Header.Set("Content-Type", ndjson)
		c.ServeHTTP(httptest.NewRecorder(), r)
	}
	if !slices.Equal(asked, []bool{false, true, false, false}) || len(log.events) != 1 {
		t.Errorf("backfill %v, %d events", asked, len(log.events))
	}
	var sources []string
	for _, r := range log.rejected {
		sources = append(sources, r.Source)
	}
	if got := fmt.Sprint(sources); got != "[http http meter-17 http http meter 18 meter 18]" {
		t.Errorf("refused from %s", got)
	}
}

// TestLines: what is refused is told, and kept, by the numbers that the sender
// gives its lines, of a table too; what are none is refused before a line is read.
func TestLines(t *testing.T) {
	columns := []string{"time", "market", "service", "location", "kind", "account"}
	for _, body := range []struct{ kind, text string }{
		{ndjson, good + "\n{\n{\n"},
		{columnar.ContentType, strings.ReplaceAll(table(t, 3, columns...), "msn", "msx")},
	} {
		for query, want := range map[string]string{"": "2 3", "?lines=4001-": "4002 4003", "?lines=7,7-8": "7 8"} {
			log := &slice{}
			r := httptest.NewRequest(http.MethodPost, "/v1/events"+query, strings.NewReader(body.text))
			r.Header.Set("Content-Type", body.kind)
			w := httptest.NewRecorder()
			collector(t, func(bool) ingest.Log { return log }).ServeHTTP(w, r)
			var said answered
			if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
				t.Fatal(err)
			}
			for _, kept := range []string{
				fmt.Sprint(said.Errors[len(said.Errors)-2].Line, " ", said.Errors[len(said.Errors)-1].Line),
				fmt.Sprint(log.rejected[len(log.rejected)-2].Line, " ", log.rejected[len(log.rejected)-1].Line),
			} {
				if kept != want {
					t.Errorf("%s %s: lines %s, want %s", body.kind, query, kept, want)
				}
			}
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/events?lines=4-1", strings.NewReader(good))
	w := httptest.NewRecorder()
	collector(t, func(bool) ingest.Log { return &slice{} }).ServeHTTP(w, r)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `"query.lines"`) {
		t.Errorf("answered %d, %s", w.Code, w.Body)
	}
}

// TestReadErrorIsNotTheSenders: a cut connection is no fault of the body's form.
func TestReadErrorIsNotTheSenders(t *testing.T) {
	for _, encoding := range []string{"", "gzip", "zstd"} {
		log := &slice{}
		text := map[string]string{"": good + "\n", "gzip": gzipped(t, good)[:50], "zstd": zstandard(t, good)[:30]}[encoding]
		body := io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("connection reset")))
		r := httptest.NewRequest(http.MethodPost, "/v1/events", body)
		r.Header.Set("Content-Type", ndjson)
		r.Header.Set("Content-Encoding", encoding)
		w := httptest.NewRecorder()
		collector(t, func(bool) ingest.Log { return log }).ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%q: answered %d, %s", encoding, w.Code, w.Body)
		}
	}
}
