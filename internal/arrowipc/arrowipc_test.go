package arrowipc

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"rollcall"
)

// someEvents makes events of a few groups, as a collector would see them.
func someEvents(n int) []rollcall.Event {
	rng := rand.New(rand.NewPCG(1, 2))
	services := []rollcall.ServiceID{"msn", "aim", "icq", "yahoo", "jabber"}
	at := time.Date(2002, 10, 3, 18, 22, 5, 123456789, time.UTC)
	events := make([]rollcall.Event, n)
	for i := range events {
		e := &events[i]
		e.Group = rollcall.Group{
			Market: "FR", Service: services[rng.IntN(len(services))],
			Location: rollcall.Location(1 << rng.IntN(3)), Kind: rollcall.Kind(1 + rng.IntN(3)),
		}
		e.Key = rollcall.KeyID(rng.IntN(2) + 77)
		if rng.IntN(4) == 0 {
			e.Panel = "nn"
		} else if rng.IntN(2) == 0 {
			e.Platform = rollcall.Platform(rng.IntN(6))
			e.Segment = []rollcall.SegmentID{"", "paris", "lyon"}[rng.IntN(3)]
		}
		e.Time = at.Add(time.Duration(rng.IntN(1e9)) * time.Microsecond)
		if e.Segment == "lyon" {
			e.Precision = rollcall.ToDay
		} else if rng.IntN(2) == 0 {
			e.Until = e.Time.Add(time.Duration(rng.IntN(86400)) * time.Second)
		}
		e.Visitor = rollcall.Visitor(rng.Uint64())
	}
	return events
}

func encode(t testing.TB, events []rollcall.Event) []byte {
	t.Helper()
	e := NewEncoder()
	for i := range events {
		e.Add(&events[i])
	}
	b, err := e.Stream()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// collect is a sink that keeps everything.
type collect struct {
	batch rollcall.Batch
	codes map[rollcall.Group]uint32
	rows  []Row
	lines []int
	errs  []error
}

func (c *collect) code(g *rollcall.Group) (uint32, error) {
	if c.codes == nil {
		c.codes = make(map[rollcall.Group]uint32)
	}
	code, ok := c.codes[*g]
	if !ok {
		code = uint32(len(c.batch.Groups))
		c.codes[*g] = code
		c.batch.Groups = append(c.batch.Groups, *g)
	}
	return code, nil
}

func (c *collect) bad(line int, row Row, err error) {
	c.lines, c.rows, c.errs = append(c.lines, line), append(c.rows, row), append(c.errs, err)
}

func (c *collect) read(d *Decoder, value []byte, limit int) error {
	if err := d.Open(value); err != nil {
		return err
	}
	for {
		_, err := d.Read(&c.batch, limit, Sink{Code: c.code, Bad: c.bad})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func TestRoundTrip(t *testing.T) {
	d := NewDecoder()
	for _, n := range []int{1, 7, 8, 9, 5000} {
		events := someEvents(n)
		stream := encode(t, events)
		for _, limit := range []int{1 << 20, 1000, 3} {
			var c collect
			if err := c.read(d, stream, limit); err != nil {
				t.Fatalf("%d events by %d: %v", n, limit, err)
			}
			if len(c.errs) > 0 || c.batch.Len() != n {
				t.Fatalf("%d events by %d: read %d, refused %v", n, limit, c.batch.Len(), c.errs)
			}
			for i := range events {
				if got := c.batch.Event(i); got != events[i] {
					t.Fatalf("event %d of %d is %v, not %v", i, n, got, events[i])
				}
			}
		}
	}
}

func TestSizeIsEnough(t *testing.T) {
	for _, n := range []int{1, 100, 6000} {
		events := someEvents(n)
		e := NewEncoder()
		for i := range events {
			e.Add(&events[i])
		}
		size := e.Size()
		b, err := e.Stream()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > size {
			t.Errorf("a stream of %d events has %d bytes; Size said %d", n, len(b), size)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	events := someEvents(6000)
	e := NewEncoder()
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		for i := range events {
			e.Add(&events[i])
		}
		stream, err := e.Stream()
		if err != nil {
			b.Fatal(err)
		}
		size = len(stream)
	}
	b.SetBytes(int64(size))
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkDecode(b *testing.B) {
	events := someEvents(6000)
	stream := encode(b, events)
	d := NewDecoder()
	var batch rollcall.Batch
	code := func(g *rollcall.Group) (uint32, error) {
		batch.Groups = append(batch.Groups, *g)
		return uint32(len(batch.Groups) - 1), nil
	}
	bad := func(_ int, _ Row, err error) { b.Fatal(err) }
	b.ReportAllocs()
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		batch.Reset()
		if err := d.Open(stream); err != nil {
			b.Fatal(err)
		}
		n, err := d.Read(&batch, 1<<16, Sink{Code: code, Bad: bad})
		if err != nil || n != len(events) {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
