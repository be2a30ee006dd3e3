package kafka_test

import (
	"fmt"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/kafka/embedded"
	"rollcall/internal/test/logtest"
)

// openBroker starts an embedded broker with its topics, which the test stops.
func openBroker(t *testing.T) *embedded.Broker { return openBrokerWith(t, embedded.Options{}) }

func openBrokerWith(t *testing.T, opt embedded.Options) *embedded.Broker {
	t.Helper()
	return openBrokerOf(t, logtest.Partitions, opt)
}

func openBrokerOf(t *testing.T, partitions int, opt embedded.Options) *embedded.Broker {
	t.Helper()
	opt.Options = logtest.Options(t)
	b, err := embedded.Open(t.TempDir(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := b.Cluster().EnsureTopics(logtest.Within(t, logtest.Patience), partitions); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAppendAndRead(t *testing.T) {
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	const n = 20000
	logtest.Append(t, w, logtest.Events(0, n))
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	for v, times := range logtest.Gather(t, s, n) {
		if times != 1 {
			t.Errorf("visitor %d was read %d times", v, times)
		}
	}
	if err := kafka.Settle(logtest.Within(t, logtest.Patience), b.Cluster(), logtest.Group); err != nil {
		t.Error(err)
	}
	if s.Members() != 1 {
		t.Errorf("the group has %d members", s.Members())
	}
}

// TestManyEventsWaitForNoOther: an append that fills messages by itself is not held
// back for what others may append.
func TestManyEventsWaitForNoOther(t *testing.T) {
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	w.Hold(24 * time.Hour)
	const n = 20000
	if err := w.Append(logtest.Within(t, logtest.Patience), rollcall.BatchOf(logtest.Events(0, n)...)); err != nil {
		t.Fatal(err)
	}
	logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), n)
}

// TestAnAppendIsFewRequests: the messages of an append share requests, each of which
// the broker writes and syncs, as far as a request may be large.
func TestAnAppendIsFewRequests(t *testing.T) {
	for _, c := range []struct{ appends, events int }{{1, 60000}, {6, 8000}} {
		t.Run(fmt.Sprint(c.appends), func(t *testing.T) {
			b := openBrokerOf(t, 12, embedded.Options{})
			w := logtest.Writer(t, b.Cluster())
			list := logtest.Events(0, c.events)
			for i := range list {
				list[i].Service = rollcall.ServiceID(fmt.Sprintf("%064d", i)) // so that they take some megabytes
			}
			for range c.appends {
				logtest.Append(t, w, list)
			}
			sizes, err := b.Cluster().BatchSizes(logtest.Within(t, logtest.Patience))
			if err != nil {
				t.Fatal(err)
			}
			total := 0
			for _, size := range sizes {
				if total += size; size > 950<<10 {
					t.Errorf("a request has %d bytes", size)
				}
			}
			if most := total/(700<<10) + 1; len(sizes) > most {
				t.Errorf("%d bytes were written by requests of %d, not by %d or fewer", total, sizes, most)
			}
		})
	}
}

// Every compression is read, though our own writer uses none.
func TestEveryCompression(t *testing.T) {
	b := openBroker(t)
	w := logtest.Writer(t, b.Cluster())
	n := 0
	for _, codec := range []kafkago.Compression{0, kafkago.Gzip, kafkago.Snappy, kafkago.Lz4, kafkago.Zstd} {
		w.Compress(codec)
		logtest.Append(t, w, logtest.Events(n, 3000))
		n += 3000
	}
	logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), n)
}

// Events that share no group make messages of mostly names.
func TestEveryEventItsOwnGroup(t *testing.T) {
	b := openBroker(t)
	list := logtest.Events(0, 50000)
	for i := range list {
		list[i].Market = rollcall.MarketID(fmt.Sprintf("%064d", i))
		list[i].Panel = rollcall.PanelID(fmt.Sprintf("%064d", i))
		list[i].Service = rollcall.ServiceID(fmt.Sprintf("%064d", i))
	}
	logtest.Append(t, logtest.Writer(t, b.Cluster()), list)
	logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), len(list))
}

// BenchmarkLog is the whole way of events: encoded, acknowledged on disk, read,
// decoded and checked.
func BenchmarkLog(b *testing.B) {
	opt := kafka.Options{Now: logtest.Now}
	broker, err := embedded.Open(b.TempDir(), embedded.Options{Options: opt, Bound: 8 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close()
	if err := broker.Cluster().EnsureTopics(b.Context(), 2); err != nil {
		b.Fatal(err)
	}
	w := kafka.NewWriter(broker.Cluster(), kafka.WriterOptions{Options: opt})
	defer w.Close()
	list := rollcall.BatchOf(logtest.Events(0, 200000)...)
	appended := time.Now()
	for b.Loop() {
		if err := w.Append(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	total := b.N * list.Len()
	b.ReportMetric(float64(total)/time.Since(appended).Seconds()/1e6, "Mappended/s")
	s, err := kafka.NewSource(broker.Cluster(), "rollcall-bench", kafka.SourceOptions{Options: opt})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var began time.Time
	for rows := 0; rows < total; {
		batch, err := s.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if began.IsZero() {
			began = time.Now()
		}
		rows += batch.Len()
	}
	b.ReportMetric(float64(total)/time.Since(began).Seconds()/1e6, "Mread/s")
}
