package embedded

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/test/logtest"
)

func openBroker(t *testing.T, dir string, opt Options) *Broker {
	t.Helper()
	opt.Options = logtest.Options(t)
	b, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	if err := b.Cluster().EnsureTopics(logtest.Within(t, logtest.Patience), logtest.Partitions); err != nil {
		t.Fatal(err)
	}
	return b
}

// fill appends events in pieces that each make one message, until so many
// bytes are in the log. It gives the number of events.
func fill(t *testing.T, b *Broker, w *kafka.Writer, first int, bytes int64) int {
	t.Helper()
	n := 0
	for b.size() < bytes {
		logtest.Append(t, w, logtest.Events(first+n, 2000))
		n += 2000
	}
	return n
}

func small() Options { return Options{Bound: 4 << 20, Segment: 256 << 10} }

func TestNoPort(t *testing.T) {
	b := openBroker(t, t.TempDir(), Options{})
	for _, name := range b.kfake.ListenAddrs() {
		if name != (memoryAddr{}).String() {
			t.Errorf("the broker tells clients to dial %s", name)
		}
	}
}

func TestTopicsAreMadeForTheEmbeddedLog(t *testing.T) {
	b := openBroker(t, t.TempDir(), Options{})
	for _, topic := range []string{kafka.Events, kafka.Rejects} {
		info := b.kfake.TopicInfo(topic)
		for name, want := range map[string]string{"segment.bytes": "8388608", "retention.ms": "-1", "retention.bytes": "-1"} {
			if got := info.Configs[name]; got == nil || *got != want {
				t.Errorf("%s of %s is %v, not %s", name, topic, got, want)
			}
		}
	}
}

func TestTopicsAreNotMadeByReading(t *testing.T) {
	opt := Options{Options: logtest.Options(t)}
	b, err := Open(t.TempDir(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	conn, err := (&kafkago.Dialer{DialFunc: b.listener.dial}).Dial("tcp", "any")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ReadPartitions(kafka.Events); !errors.Is(err, kafkago.UnknownTopicOrPartition) {
		t.Errorf("asking for a topic that is not there gave %v", err)
	}
	if b.kfake.TopicInfo(kafka.Events) != nil {
		t.Error("asking for a topic made it")
	}
}

// The aggregator is away while the log fills: appends wait, nothing unread is
// removed, and what was read makes room again.
func TestFullLogWaits(t *testing.T) {
	b := openBroker(t, t.TempDir(), small())
	w := logtest.Writer(t, b.Cluster())
	n := fill(t, b, w, 0, b.opt.Bound)
	if !b.Full() {
		t.Error("the log is not full at its bound")
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Append(short, rollcall.BatchOf(logtest.Events(0, 1)...)); !errors.Is(err, rollcall.ErrFull) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("appending to a full log gave %v", err)
	}
	for range 3 {
		if err := b.Trim(t.Context(), logtest.Group); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range b.kfake.PartitionInfos(kafka.Events) {
		if p.LogStartOffset != 0 {
			t.Errorf("partition %d was trimmed to %d, unread", p.Partition, p.LogStartOffset)
		}
	}

	appended := make(chan error, 1)
	go func() {
		appended <- w.Append(logtest.Within(t, logtest.Patience), rollcall.BatchOf(logtest.Events(n, 1)...))
	}()
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Gather(t, s, n)
	if err := b.Trim(t.Context(), logtest.Group); err != nil {
		t.Fatal(err)
	}
	if err := <-appended; err != nil {
		t.Errorf("the append that waited: %v", err)
	}
	for v := range logtest.Gather(t, s, 1) {
		if v != rollcall.Visitor(n) {
			t.Errorf("after the log had room, visitor %d was read", v)
		}
	}
}

// However much was read, each partition keeps a file, and its offsets go on
// after a restart; trimming goes on after one, too.
func TestTrimLeavesAFile(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		b := openBroker(t, dir, small())
		w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
		before := ends(b)
		logtest.Gather(t, s, fill(t, b, w, round*1e6, 2<<20))
		if err := kafka.Settle(logtest.Within(t, logtest.Patience), b.Cluster(), logtest.Group); err != nil {
			t.Fatal(err)
		}
		if err := b.Trim(t.Context(), logtest.Group); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.kfake.PartitionInfos(kafka.Events) {
			files, err := b.segments(kafka.Events, p.Partition)
			if err != nil || len(files) != 1 {
				t.Errorf("round %d: partition %d has the files %v: %v", round, p.Partition, files, err)
			}
			if p.LogStartOffset == 0 || p.LogStartOffset >= p.HighWatermark {
				t.Errorf("round %d: partition %d holds [%d, %d)", round, p.Partition, p.LogStartOffset, p.HighWatermark)
			}
			if p.HighWatermark <= before[p.Partition] {
				t.Errorf("round %d: partition %d ends at %d, before the restart at %d", round, p.Partition, p.HighWatermark, before[p.Partition])
			}
		}
		stop(t, w, s, b)
	}
}

func ends(b *Broker) map[int32]int64 {
	at := make(map[int32]int64)
	for _, p := range b.kfake.PartitionInfos(kafka.Events) {
		at[p.Partition] = p.HighWatermark
	}
	return at
}

// stop closes in the right order.
func stop(t *testing.T, w *kafka.Writer, s *kafka.Source, b *Broker) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if s != nil {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func TestRejectsAreBounded(t *testing.T) {
	b := openBroker(t, t.TempDir(), small())
	w := logtest.Writer(t, b.Cluster())
	body := make([]byte, 100<<10)
	for range 12 {
		if err := w.Reject(logtest.Within(t, logtest.Patience), []rollcall.Rejected{{Time: logtest.Now(), Code: "x", Type: "text/plain", Body: body}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Trim(t.Context(), logtest.Group); err != nil {
		t.Fatal(err)
	}
	p := b.kfake.PartitionInfo(kafka.Rejects, 0)
	if p.NumBytes > b.opt.Bound/8 || p.NumBytes == 0 {
		t.Errorf("%d bytes of rejected inputs are kept, of at most %d", p.NumBytes, b.opt.Bound/8)
	}
}

// A flood of one source's flushes nothing of what others have among the rejected.
func TestFloodOfRejects(t *testing.T) {
	b := openBroker(t, t.TempDir(), small())
	w := logtest.Writer(t, b.Cluster())
	reject := func(source string, n, size int) {
		t.Helper()
		for i := range n {
			r := rollcall.Rejected{Time: logtest.Now(), Code: "x", Type: "text/plain", Source: source, Line: i + 1, Body: make([]byte, size)}
			if err := w.Reject(logtest.Within(t, logtest.Patience), []rollcall.Rejected{r}); err != nil {
				t.Fatal(err)
			}
		}
	}
	held := func() map[string]int {
		n := map[string]int{}
		for r, err := range kafka.ReadRejected(logtest.Within(t, logtest.Patience), b.Cluster(), kafka.Wanted{}) {
			if err != nil {
				t.Fatal(err)
			}
			n[r.Source]++
		}
		return n
	}
	reject("quiet", 10, 100)
	reject("3@17", 5, 1000)
	for range 6 {
		reject("flood", 40, 10<<10)
		if err := b.Trim(t.Context(), logtest.Group); err != nil {
			t.Fatal(err)
		}
		p := b.kfake.PartitionInfo(kafka.Rejects, 0)
		if p.NumBytes > b.opt.Bound/8 {
			t.Fatalf("%d bytes of rejected inputs are held, of at most %d", p.NumBytes, b.opt.Bound/8)
		}
	}
	got := held()
	if got["quiet"] != 10 || got["3@17"] != 5 || got["flood"] == 0 || got["flood"] > 50 {
		t.Errorf("after a flood there are %v", got)
	}
}

func TestFairShare(t *testing.T) {
	for name, c := range map[string]struct {
		has  map[string]int64
		want int64
	}{
		"nobody":        {nil, 100},
		"all fit":       {map[string]int64{"a": 10, "b": 20}, 70},
		"one has most":  {map[string]int64{"a": 10, "b": 500, "c": 20}, 70},
		"two have most": {map[string]int64{"a": 10, "b": 500, "c": 300}, 45},
		"all have much": {map[string]int64{"a": 500, "b": 500, "c": 500, "d": 500}, 25},
	} {
		if got := fairShare(c.has, 100); got != c.want {
			t.Errorf("%s: %d, not %d", name, got, c.want)
		}
	}
}

// A clean stop keeps the group's place.
func TestCleanStopKeepsOffsets(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir, Options{})
	w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(0, 10))
	logtest.Gather(t, s, 10)
	stop(t, w, s, b)

	b = openBroker(t, dir, Options{})
	w, s = logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(10, 1))
	if seen := logtest.Gather(t, s, 1); seen[10] != 1 {
		t.Errorf("after a clean stop %v was read", seen)
	}
}

// After an unclean stop the whole log is read again.
func TestUncleanStopReadsAllAgain(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir, Options{})
	w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(0, 10))
	logtest.Gather(t, s, 10)
	stop(t, w, s, b)
	if err := os.Remove(filepath.Join(dir, cleanMarker)); err != nil {
		t.Fatal(err)
	}

	b = openBroker(t, dir, Options{})
	logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), 10)
}

// A log that lost its end while stopped makes kfake warn, and nothing else
// tells: all of it is read again.
func TestCorruptionReadsAllAgain(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir, Options{})
	w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	for i := range 20 {
		logtest.Append(t, w, logtest.Events(i*2000, 2000))
	}
	logtest.Gather(t, s, 40000)
	stop(t, w, s, b)
	cut(t, dir)

	b = openBroker(t, dir, Options{})
	seen := logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), 1000)
	if len(seen) < 1000 {
		t.Errorf("%d events were read again", len(seen))
	}
}

// cut takes the last bytes of the largest log file.
func cut(t *testing.T, dir string) {
	t.Helper()
	var largest string
	var size int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if info, e := d.Info(); e == nil && filepath.Ext(path) == ".dat" && info.Size() > size {
			largest, size = path, info.Size()
		}
		return err
	})
	if err != nil || size < 1000 {
		t.Fatalf("the largest log file has %d bytes: %v", size, err)
	}
	if err := os.Truncate(largest, size-100); err != nil {
		t.Fatal(err)
	}
}

// A log that was emptied while stopped starts at offset 0 again; the group's
// offset is then ahead of it.
func TestEmptiedLogIsReadFromItsStart(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir, Options{})
	w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	for i := range 10 {
		logtest.Append(t, w, logtest.Events(i*6000, 6000))
	}
	logtest.Gather(t, s, 60000)
	stop(t, w, s, b)
	if err := os.RemoveAll(filepath.Join(dir, "kafka", "partitions")); err != nil {
		t.Fatal(err)
	}

	b = openBroker(t, dir, Options{})
	w = logtest.Writer(t, b.Cluster())
	logtest.Append(t, w, logtest.Events(1e6, 3))
	if seen := logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), 3); seen[1e6] == 0 {
		t.Errorf("of a new log %v was read", seen)
	}
}

// A broker that is stopped first says so, and the next start does not wait for
// the members that it had.
func TestStopOrder(t *testing.T) {
	dir := t.TempDir()
	b := openBroker(t, dir, Options{})
	w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(0, 10))
	logtest.Gather(t, s, 10)
	if err := b.Close(); !errors.Is(err, rollcall.ErrConflict) {
		t.Errorf("closing the broker before its source gave %v", err)
	}
	if err := w.Append(logtest.Within(t, logtest.Patience), rollcall.BatchOf(logtest.Events(0, 1)...)); err == nil {
		t.Error("an append without a broker was acknowledged")
	}
	w.Close()
	s.Close()

	b = openBroker(t, dir, Options{})
	w, s = logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Append(t, w, logtest.Events(10, 1))
	seen := make(map[rollcall.Visitor]int)
	for len(seen) == 0 {
		batch, err := s.Next(logtest.Within(t, logtest.Patience/4)) // ghosts would be waited for longer
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range batch.Visitor {
			seen[rollcall.Visitor(v)]++
		}
	}
}

func TestClosedBrokerAnswers(t *testing.T) {
	b := openBroker(t, t.TempDir(), Options{})
	w := logtest.Writer(t, b.Cluster())
	stop(t, w, nil, b)
	if b.Full() {
		t.Error("a closed broker is full")
	}
	if err := b.Trim(t.Context(), logtest.Group); err != nil {
		t.Errorf("trimming a closed broker: %v", err)
	}
	if _, err := b.listener.dial(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dialling a closed broker: %v", err)
	}
}

func TestSegmentBases(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"100.dat", "9.dat", "9.idx", "snapshot.json", "x.dat"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := segmentBases(entries); !slices.Equal(got, []int64{9, 100}) {
		t.Errorf("the files' offsets are %v", got)
	}
}
