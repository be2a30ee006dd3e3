package kafka

import (
	"fmt"
	"testing"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// nowhere is a cluster that nothing is asked of.
func nowhere(t *testing.T) *Cluster {
	c := Dial([]string{"127.0.0.1:9"}, Security{})
	t.Cleanup(c.Close)
	return c
}

func idleWriter(t *testing.T) *Writer {
	w := NewWriter(nowhere(t), WriterOptions{Options: options(t)})
	t.Cleanup(func() { w.Close() })
	return w
}

// kafka-go's defaults are wrong for this log; these are the relations that
// must hold.
func TestTimingAndSizes(t *testing.T) {
	w := idleWriter(t)
	for _, k := range []*kafka.Writer{w.events, w.atOnce, w.single, w.rejects} {
		if k.RequiredAcks != kafka.RequireAll || k.Async {
			t.Errorf("the writer of %s waits for %v", k.Topic, k.RequiredAcks)
		}
		if k != w.atOnce && k.BatchTimeout < 5*time.Millisecond || k.BatchTimeout > 10*time.Millisecond {
			t.Errorf("the writer of %s holds a batch for %v", k.Topic, k.BatchTimeout)
		}
	}
	for _, k := range []*kafka.Writer{w.events, w.atOnce} {
		if k.BatchBytes > 900<<10 {
			t.Errorf("a request has up to %d bytes", k.BatchBytes)
		}
		_, least, err := w.encode(w.encoder(), rollcall.BatchOf(events(0, 1)...), 0)
		if err != nil {
			t.Fatal(err)
		}
		if n := k.BatchBytes / sizeOf(least); int64(k.BatchSize) < n || int64(k.BatchSize) > 2*n {
			t.Errorf("a request has space for %d messages, of which %d are the most that it has", k.BatchSize, n)
		}
	}
	s := &Source{cluster: nowhere(t), opt: SourceOptions{Options: options(t)}}
	g := s.groupConfig()
	if g.HeartbeatInterval > g.SessionTimeout/6 || g.SessionTimeout < 6*time.Second || g.SessionTimeout > 10*time.Second {
		t.Errorf("heartbeats come every %v of %v", g.HeartbeatInterval, g.SessionTimeout)
	}
	if !g.WatchPartitionChanges || g.StartOffset != kafka.FirstOffset {
		t.Errorf("the group watches partitions: %v, starts at %d", g.WatchPartitionChanges, g.StartOffset)
	}
}

// No message passes 900 KiB, whatever the events.
func TestMessagesAreBounded(t *testing.T) {
	w := idleWriter(t)
	list := events(0, 50000)
	for i := range list {
		list[i].Market = rollcall.MarketID(fmt.Sprintf("%064d", i))
		list[i].Panel = rollcall.PanelID(fmt.Sprintf("%064d", i))
		list[i].Service = rollcall.ServiceID(fmt.Sprintf("%064d", i))
	}
	enc := w.encoder()
	for from := 0; from < len(list); {
		to, messages, err := w.encode(enc, rollcall.BatchOf(list...), from)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if len(m.Value) > messageBytes+1024 {
				t.Errorf("a message has %d bytes", len(m.Value))
			}
		}
		if total := sizeOf(messages); total > appendBytes+messageBytes {
			t.Errorf("%d bytes are encoded at once", total)
		}
		from = to
	}
}
