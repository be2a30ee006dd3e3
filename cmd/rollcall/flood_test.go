package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"rollcall/ingest/collect/columnar"
	"rollcall/internal/test/packtest"
)

// repeated is a body of any size in next to no memory: a head, a chunk many
// times over, and a tail.
type repeated struct {
	contentType, encoding string
	head, chunk, tail     []byte
	times                 int
	whole                 int64 // bytes when unpacked
}

func (b *repeated) size() int64 { return int64(len(b.head) + b.times*len(b.chunk) + len(b.tail)) }

// reader gives the body, all but its tail at once. The tail comes after hold.
func (b *repeated) reader(ctx context.Context, hold <-chan struct{}, held func()) io.Reader {
	return &slowBody{of: b, ctx: ctx, hold: hold, held: held}
}

type slowBody struct {
	of   *repeated
	ctx  context.Context //nolint:containedctx // a Reader's: Read has none
	hold <-chan struct{}
	held func()
	at   int // parts given
	part bytes.Reader
}

// Read gives the next bytes.
func (s *slowBody) Read(b []byte) (int, error) {
	for s.part.Len() == 0 {
		switch b := s.of; {
		case s.at == 0:
			s.part.Reset(b.head)
		case s.at <= b.times:
			s.part.Reset(b.chunk)
		case s.at == b.times+1:
			s.held()
			select {
			case <-s.hold:
			case <-s.ctx.Done():
				return 0, s.ctx.Err()
			}
			s.part.Reset(b.tail)
		default:
			return 0, io.EOF
		}
		s.at++
	}
	return s.part.Read(b)
}

// bodyKinds are the forms that a collector takes.
func bodyKinds() []string { return []string{"ndjson", "array", "arrow", "gzip", "zstd", "element"} }

// bodyOf gives the seed's i-th events as a body of the kind, of about so many
// bytes when unpacked.
func bodyOf(t testing.TB, kind string, seed uint64, i int, size int) *repeated {
	t.Helper()
	text := postBody(seed, i)
	line, _, _ := strings.Cut(text, "\n")
	b := &repeated{contentType: "application/x-ndjson", chunk: []byte(text + "\n"), tail: []byte(line)}
	b.times = size / len(b.chunk)
	b.whole = b.size()
	switch kind {
	case "array":
		b.contentType = "application/json"
		b.head, b.chunk, b.tail = []byte("["), []byte(strings.ReplaceAll(text, "\n", ",")+","), []byte(line+"]")
	case "element": // a good array with one element of spaces, nearly as long as the body
		b.contentType = "application/json"
		b.head, b.chunk = []byte("["+strings.ReplaceAll(text, "\n", ",")+`,{"account":"`), bytes.Repeat([]byte("x"), 1<<16)
		b.tail, b.times = []byte(`"}]`), size>>16
	case "arrow":
		b.contentType = columnar.ContentType
		b.head, b.chunk, b.tail = arrowParts(t, strings.Split(text, "\n"))
		b.times = size / len(b.chunk)
	case "gzip":
		b.encoding, b.chunk, b.tail = kind, packtest.Gzip(t, b.chunk), packtest.Gzip(t, b.tail)
	case "zstd":
		b.encoding, b.chunk, b.tail = kind, packtest.Zstd(t, b.chunk), packtest.Zstd(t, b.tail)
	}
	return b
}

// arrowParts cuts an Arrow stream of the lines in three: schema, one batch of
// records, end.
func arrowParts(t testing.TB, lines []string) (schema, records, end []byte) {
	t.Helper()
	names := columnar.Names()
	fields := make([]arrow.Field, len(names))
	for i, name := range names {
		fields[i] = arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for _, line := range lines {
		var row map[string]string
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			if text, ok := row[name]; ok {
				b.Field(i).(*array.StringBuilder).Append(text)
			} else {
				b.Field(i).AppendNull()
			}
		}
	}
	const endBytes = 8
	empty, one := arrowStream(t, b.Schema()), arrowStream(t, b.Schema(), b.NewRecord())
	schema = empty[:len(empty)-endBytes]
	return schema, one[len(schema) : len(one)-endBytes], one[len(one)-endBytes:]
}

func arrowStream(t testing.TB, schema *arrow.Schema, records ...arrow.Record) []byte {
	t.Helper()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// flood is many producers, each with a body of its own, of the seed's
// events. All bodies but their tails are sent at once; the tails, at ebb.
type flood struct {
	*testing.T
	to        *child
	seed      uint64
	producers int
	size      int
	ebb       chan struct{}
	run       sync.WaitGroup

	met                       atomic.Int64 // producers whose first body was answered, or is held
	held, refused, cut, taken atomic.Int64
}

// flood begins.
func newFlood(t *testing.T, to *child, seed uint64, producers, size int) *flood {
	f := &flood{T: t, to: to, seed: seed, producers: producers, size: size, ebb: make(chan struct{})}
	for i := range producers {
		f.run.Go(func() { f.produce(i) })
	}
	return f
}

// produce sends the i-th body. If it is refused it comes back with little, until
// that is taken.
func (f *flood) produce(i int) {
	kinds := bodyKinds()
	kind := kinds[i%len(kinds)]
	large := bodyOf(f, kind, f.seed, i, f.size)
	var first sync.Once
	meet := func() { first.Do(func() { f.met.Add(1) }) }
	taken := f.post(large, f.ebb, func() { f.held.Add(1); meet() })
	meet()
	if taken {
		return
	}
	once := make(chan struct{})
	close(once)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	small := bodyOf(f, "ndjson", f.seed, i, len(postBody(f.seed, i))+1) // all of its events, once
	for !f.post(small, once, func() {}) {
		select {
		case <-tick.C:
		case <-f.Context().Done():
			return
		}
	}
}

// post reports whether all was acknowledged, or was refused for good.
func (f *flood) post(b *repeated, hold <-chan struct{}, held func()) bool {
	body := b.reader(f.Context(), hold, held)
	r, err := http.NewRequestWithContext(f.Context(), http.MethodPost, "http://localhost/v1/events?backfill=true", body)
	if err != nil {
		f.Error(err)
		return true
	}
	r.ContentLength = b.size()
	r.Header.Set("Content-Type", b.contentType)
	if b.encoding != "" {
		r.Header.Set("Content-Encoding", b.encoding)
	}
	answer, err := f.to.patient().Do(r)
	if err != nil {
		f.cut.Add(1)
		return false
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		f.taken.Add(1)
		return true
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		f.refused.Add(1)
		if answer.Header.Get("Retry-After") == "" {
			f.Error("refused without Retry-After")
		}
		return false
	}
	if s := answer.StatusCode; s != http.StatusBadRequest && s != http.StatusRequestTimeout { // an element without end; a body held for long
		text, err := io.ReadAll(answer.Body)
		f.Errorf("%s %s: %d %s %v", b.contentType, b.encoding, answer.StatusCode, text, err)
	}
	return false
}

// patient is a client that waits for its answer.
func (p *child) patient() *http.Client {
	return &http.Client{Transport: p.api.Transport}
}

// crested reports that every producer is held, or was answered.
func (f *flood) crested() bool {
	return f.met.Load() == int64(f.producers)
}
