package kafka

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"testing"

	"rollcall/internal/test/bombtest"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestGuard: kafka-go's codecs take no more memory than a batch may hold.
func TestGuard(t *testing.T) {
	guard()
	var before, after runtime.MemStats
	for name, raw := range bombtest.All(t, MaxInflated, MaxRecord, 16*MaxInflated) {
		var b kmsg.RecordBatch
		if err := b.ReadFrom(raw); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&before)
		r := kafka.Compression(b.Attributes & 7).Codec().NewReader(bytes.NewReader(b.Records))
		got, err := io.ReadAll(r)
		runtime.ReadMemStats(&after)
		if err != nil || !bytes.Contains(got, guard()) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 12*MaxInflated {
			t.Errorf("%s: %d MiB were taken", name, taken>>20)
		}
		if err := r.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := append(record("x", 0), record("", 1)...)
	for _, codec := range []kafka.Compression{kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		for range 3 { // what is used again
			r := codec.Codec().NewReader(bytes.NewReader(bombtest.Deflate(t, codec, bytes.NewReader(good))))
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, good) {
				t.Errorf("%v: %q, %v", codec, got, err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
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

// FuzzBatch reads batches, and answers to a Fetch.
func FuzzBatch(f *testing.F) {
	for _, raw := range malformedBatches() {
		f.Add(raw)
	}
	for name, raw := range bombtest.All(f, MaxInflated, MaxRecord, 16*MaxInflated) {
		if len(raw) < 10_000 {
			f.Add(raw)
		} else {
			f.Logf("%s is too long a seed", name)
		}
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		_, _ = (&rawFetch{}).answer(raw) // any error will do
		if b, err := cutBatch(raw); err == nil {
			_ = b.fault()
		}
	})
}
