package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/test/bombtest"

	"github.com/segmentio/kafka-go"
)

// openRaw cuts a batch and opens it.
func openRaw(t *testing.T, codecs *codecs, raw []byte) (opened, error) {
	t.Helper()
	b, err := cutBatch(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b.open(codecs)
}

// TestBombsAreBounded: opening takes no more memory than a batch may hold.
func TestBombsAreBounded(t *testing.T) {
	var before, after runtime.MemStats
	codecs := new(codecs)
	for name, raw := range bombtest.All(t, MaxInflated, MaxRecord, 16*MaxInflated) {
		runtime.ReadMemStats(&before)
		_, err := openRaw(t, codecs, raw)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: opened: %v", name, err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 12*MaxInflated {
			t.Errorf("%s: %d MiB were taken", name, taken>>20)
		}
	}
}

func TestOpen(t *testing.T) {
	codecs := new(codecs)
	good := append(record("x", 0), headed("", "k", "v")...)
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		packed := good
		if codec != 0 {
			packed = bombtest.Deflate(t, codec, bytes.NewReader(good))
		}
		for range 3 { // what is used again
			o, err := openRaw(t, codecs, bombtest.Batch(codec, 2, packed))
			if err != nil {
				t.Fatalf("%v: %v", codec, err)
			}
			got := slices.Collect(o.each(0))
			if len(got) != 2 || string(got[0].Value) != "x" || len(got[1].Headers) != 1 || string(got[1].Headers[0].Value) != "v" {
				t.Errorf("%v: %+v", codec, got)
			}
		}
	}
}

// headed makes a raw record with one header.
func headed(value, key, header string) []byte {
	text := func(to []byte, s string) []byte { return append(binary.AppendVarint(to, int64(len(s))), s...) }
	body := text([]byte{0, 0, 2, 1}, value) // attributes, deltas, no key
	body = text(text(append(body, 2), key), header)
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// A record has its own headers, whatever those before it have.
func TestRecordHeaders(t *testing.T) {
	want := []string{"a=1", "a=1", "", "b=2", "a=1", "a=12", "b=2", "", "b=2", "b=2"}
	var records []byte
	for _, header := range want {
		key, value, some := strings.Cut(header, "=")
		if some {
			records = append(records, headed("x", key, value)...)
		} else {
			records = append(records, record("x", 0)...)
		}
	}
	raw := bombtest.Batch(0, int32(len(want)), records)
	o, err := openRaw(t, new(codecs), raw)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for m := range o.each(0) {
		got = append(got, headersText(m.Headers))
	}
	if !slices.Equal(got, want) {
		t.Errorf("one by one: %q, not %q", got, want)
	}
	messages, err := new(codecs).unpacked(raw)
	if err != nil {
		t.Fatal(err)
	}
	got = got[:0]
	for i := range messages {
		got = append(got, headersText(messages[i].Headers))
	}
	if !slices.Equal(got, want) {
		t.Errorf("all at once: %q, not %q", got, want)
	}
}

func headersText(headers []kafka.Header) string {
	texts := make([]string, len(headers))
	for i, h := range headers {
		texts[i] = h.Key + "=" + string(h.Value)
	}
	return strings.Join(texts, ",")
}

// A batch tells its records' times by its own, by the broker's clock, or not at
// all.
func TestTimes(t *testing.T) {
	batch := func(attributes uint16, first, last int64) []byte {
		raw := bombtest.Batch(0, 1, record("x", 0))
		binary.BigEndian.PutUint16(raw[attributesAt:], attributes)
		binary.BigEndian.PutUint64(raw[firstTimeAt:], uint64(first))
		binary.BigEndian.PutUint64(raw[lastTimeAt:], uint64(last))
		binary.BigEndian.PutUint32(raw[sumAt:], crc32.Checksum(raw[attributesAt:], crc32.MakeTable(crc32.Castagnoli)))
		return raw
	}
	for name, c := range map[string]struct {
		raw  []byte
		want time.Time
	}{
		"its own":      {batch(0, 1000, 5000), time.Unix(1, 0)},
		"the broker's": {batch(brokerTime, 1000, 5000), time.Unix(5, 0)},
		"none":         {batch(0, -1, -1), time.Time{}},
	} {
		o, err := openRaw(t, new(codecs), c.raw)
		if err != nil {
			t.Fatal(err)
		}
		for m := range o.each(0) {
			if !m.Time.Equal(c.want) {
				t.Errorf("%s: %v, not %v", name, m.Time, c.want)
			}
		}
	}
}

// unreadable are batches that a broker may hold and nobody can read.
func unreadable(t testing.TB) map[string][]byte {
	old := bombtest.Batch(0, 1, record("x", 0))
	old[versionAt] = 1
	flipped := bombtest.Batch(0, 1, record("x", 0))
	flipped[headEnd+5] ^= 1
	bomb := append(record(strings.Repeat("a", MaxInflated), 0), record("x", 0)...)
	gzipped := func(b []byte) []byte { return bombtest.Deflate(t, kafka.Gzip, bytes.NewReader(b)) }
	return map[string][]byte{
		"an old format":        old,
		"a flipped bit":        flipped,
		"headers by the EiB":   bombtest.Batch(0, 1, record("x", 1<<60)),
		"negative headers":     bombtest.Batch(0, 1, record("x", -5)),
		"too few records":      bombtest.Batch(0, 9, record("x", 0)),
		"2^31 records":         bombtest.Batch(0, 1<<31-1, record("x", 0)),
		"too many records":     bombtest.Batch(0, 1, append(record("x", 0), record("y", 0)...)),
		"an unknown codec":     bombtest.Batch(7, 1, record("x", 0)),
		"broken gzip":          bombtest.Batch(kafka.Gzip, 1, record("x", 0)),
		"snappy of 4 GiB":      bombtest.Batch(kafka.Snappy, 1, binary.AppendUvarint(nil, 1<<32-1)),
		"snappy in frames":     bombtest.Batch(kafka.Snappy, 1, []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff")),
		"a block of 4 GiB":     bombtest.Batch(kafka.Snappy, 1, []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05\xff\xff\xff\xff\x0f")),
		"zstd by the GiB":      bombtest.Batch(kafka.Zstd, 1, []byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x00\x00")),
		"gzip of hostile":      bombtest.Batch(kafka.Gzip, 1, gzipped(record("x", 1<<60))),
		"gzip of very many":    bombtest.Batch(kafka.Gzip, 2, gzipped(bomb)),
		"a length of its own":  bombtest.Batch(0, 1, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}),
		"a value past the end": bombtest.Batch(0, 1, []byte{8, 0, 0, 0, 1, 0x7e, 'x', 0}),
	}
}

func TestUnreadableBatches(t *testing.T) {
	for name, raw := range unreadable(t) {
		if _, err := openRaw(t, new(codecs), raw); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: opened: %v", name, err)
		}
	}
}

// record makes a raw record that claims so many headers.
func record(value string, headers int64) []byte {
	body := []byte{0, 0, 0, 1} // attributes, deltas, no key
	body = binary.AppendVarint(body, int64(len(value)))
	body = append(body, value...)
	body = binary.AppendVarint(body, headers)
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// malformedBatches are no batches.
func malformedBatches() map[string][]byte {
	good := bombtest.Batch(0, 1, record("x", 0))
	changed := func(at int, to ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], to)
		return b
	}
	return map[string][]byte{
		"nothing":             nil,
		"half a head":         good[:20],
		"cut":                 good[:len(good)-1],
		"length of 2^31":      changed(8, 0x7f, 0xff, 0xff, 0xff),
		"negative length":     changed(8, 0xff, 0xff, 0xff, 0xff),
		"length of nothing":   changed(8, 0, 0, 0, 0),
		"negative offset":     changed(0, 0xff),
		"ends before it does": changed(23, 0xff, 0xff, 0xff, 0xff),
	}
}

func TestMalformedBatches(t *testing.T) {
	for name, raw := range malformedBatches() {
		if b, err := cutBatch(raw); err == nil {
			t.Errorf("%s: offsets %d to %d", name, b.first, b.next)
		}
	}
	good := append(bombtest.Batch(0, 3, record("x", 0)), 1, 2, 3)
	if b, err := cutBatch(good); err != nil || b.first != 0 || b.next != 3 || len(b.bytes) != len(good)-3 {
		t.Errorf("a good batch: %+v, %v", b.span, err)
	}
}

// A whole batch is judged, and sent again, record by record.
func TestJudgeOfBatch(t *testing.T) {
	raw := bombtest.Many(t, 3, "{}")
	valid := 0
	opt := SourceOptions{Options: options(t), Decode: func(to []rollcall.Event, _ []byte, _ string, _ time.Time, _ bool) ([]rollcall.Event, error) {
		if valid++; valid == 3 {
			return to, &rollcall.Invalid{Field: "market", Reason: "is not known", Code: "unknown_market"}
		}
		return append(to, events(valid, 1)...), nil
	}}
	j := NewJudge(opt)
	r := rollcall.Rejected{Type: batchType, Body: raw, Time: now()}
	var why *rollcall.Invalid
	if err := j.Judge(&r); !errors.As(err, &why) || why.Code != "unknown_market" {
		t.Errorf("a batch with a bad record: %v", err)
	}
	if err := j.Judge(&r); err != nil {
		t.Errorf("a batch of good records: %v", err)
	}
	r.Body = raw[:len(raw)-1]
	if err := j.Judge(&r); !errors.Is(err, rollcall.ErrInvalid) {
		t.Errorf("half a batch: %v", err)
	}
}

// sent makes the head of a producer's batch.
func sent(first int64, attributes uint16, producer int64) rawBatch {
	raw := bombtest.Batch(0, 1, record("x", 0))
	binary.BigEndian.PutUint64(raw, uint64(first))
	binary.BigEndian.PutUint16(raw[attributesAt:], attributes)
	binary.BigEndian.PutUint64(raw[producerAt:], uint64(producer))
	b, err := cutBatch(raw)
	if err != nil {
		panic(err)
	}
	return b
}

// Only what is committed is read, and no control batch.
func TestPassOver(t *testing.T) {
	const in, end = ofTransaction, ofTransaction | ofControl
	batches := []rawBatch{
		sent(10, in, 1),  // aborted: its transaction began before what was fetched
		sent(11, in, 2),  // committed
		sent(12, 0, 1),   // of no transaction
		sent(13, end, 1), // 1 aborts
		sent(14, in, 1),  // committed
		sent(15, in, 3),  // aborted
		sent(16, end, 1), // 1 commits
		sent(17, in, 1),  // aborted
		sent(18, end, 2), // 2 commits
		sent(19, end, 3), // 3 aborts
		sent(20, in, 3),  // committed
		sent(21, end, 1), // 1 aborts
	}
	passOver(batches, []aborted{{producer: 1, first: 17}, {producer: 3, first: 15}, {producer: 1, first: 4}})
	var read []int64
	for _, b := range batches {
		if !b.pass {
			read = append(read, b.first)
		}
	}
	if want := []int64{11, 12, 14, 20}; !slices.Equal(read, want) {
		t.Errorf("read %v, not %v", read, want)
	}
}

// FuzzBatch reads batches, and answers to a Fetch.
func FuzzBatch(f *testing.F) {
	for _, raw := range malformedBatches() {
		f.Add(raw)
	}
	for _, raw := range unreadable(f) {
		f.Add(raw)
	}
	for name, raw := range bombtest.All(f, MaxInflated, MaxRecord, 16*MaxInflated) {
		if len(raw) < 10_000 {
			f.Add(raw)
		} else {
			f.Logf("%s is too long a seed", name)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = (&rawFetch{}).answer(raw) // any error will do
		batches, err := cutBatches(raw, 0)
		if err != nil {
			return
		}
		passOver(batches, []aborted{{producer: 1, first: 0}})
		for i := range batches {
			b := &batches[i]
			binary.BigEndian.PutUint32(b.bytes[sumAt:], crc32.Checksum(b.bytes[min(attributesAt, len(b.bytes)):], crc32.MakeTable(crc32.Castagnoli)))
			o, err := b.open(new(codecs))
			if err != nil {
				continue
			}
			n := int64(0)
			for range o.each(0) {
				n++
			}
			if n > b.count() {
				t.Fatalf("a batch of %d records gave %d", b.count(), n)
			}
		}
	})
}
