package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Broker is the embedded broker: a bounded buffer on disk between collectors
// and aggregator. The store is the record of truth; what the store has may be
// trimmed here, and what it may not have never is.
type Broker struct {
	opt      BrokerOptions
	dir      string
	kfake    *kfake.Cluster
	listener *memoryListener
	cluster  *Cluster
	log      *brokerLog
	room     *room
	readers  atomic.Int32 // sources that have not left their group

	mu     sync.RWMutex // guards closed; held for reading while kfake is asked, which never answers once closed
	closed bool
}

// BrokerOptions of an embedded broker.
type BrokerOptions struct {
	Options
	Bound   int64 // bytes of rollcall.events at which Append waits; default 512 MiB
	Segment int64 // bytes of a log file, the least that is trimmed; default 8 MiB
}

const (
	defaultBound   = 512 << 20
	defaultSegment = 8 << 20
	trimEvery      = time.Second
	cleanMarker    = "stopped-clean"
)

// OpenBroker starts a broker on the log in dir, which it makes if need be. Only
// one process may have dir. After a stop that was not clean every group starts
// again at the log's first record: reading twice is harmless, and what the
// groups' offsets then mean is not certain.
func OpenBroker(dir string, opt BrokerOptions) (*Broker, error) {
	opt = opt.filled()
	b := &Broker{opt: opt, dir: dir, log: &brokerLog{log: opt.Log}}
	data := filepath.Join(dir, "kafka")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("kafka: open broker in %s: %w", dir, err)
	}
	clean, err := b.takeMarker()
	if err == nil {
		err = forgetMembers(data)
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: open broker in %s: %w", dir, err)
	}
	b.listen()
	if b.kfake, err = kfake.NewCluster(b.kfakeOptions(data)...); err != nil {
		_ = b.listener.Close() // in memory: it can't fail
		return nil, fmt.Errorf("kafka: open broker in %s: %w", dir, err)
	}
	if err := b.start(clean); err != nil {
		_ = b.listener.Close() // in memory: it can't fail
		b.kfake.Close()
		return nil, fmt.Errorf("kafka: open broker in %s: %w", dir, err)
	}
	return b, nil
}

func (o BrokerOptions) filled() BrokerOptions {
	o.Options = o.Options.filled()
	if o.Bound == 0 {
		o.Bound = defaultBound
	}
	if o.Segment == 0 {
		o.Segment = defaultSegment
	}
	return o
}

// listen lets this process reach the broker, and nobody else.
func (b *Broker) listen() {
	b.listener = newMemoryListener()
	b.cluster = newCluster([]string{b.listener.Addr().String()}, Security{}, b.listener.dial)
	b.cluster.broker = b
}

func (b *Broker) kfakeOptions(data string) []kfake.Opt {
	return []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("rollcall"),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return b.listener, nil }),
		kfake.DataDir(data),
		kfake.SyncWrites(),
		kfake.WithLogger(b.log),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":          "-1",
			"log.retention.bytes":       "-1",
			"offsets.retention.minutes": strconv.Itoa(10 * 365 * 24 * 60), // an offset that expired would read all again
		}),
	}
}

// topicConfig is how the embedded broker keeps a topic: for ever, in files
// small enough to be trimmed soon. Only Trim removes anything.
func (b *Broker) topicConfig() []kafka.ConfigEntry {
	return []kafka.ConfigEntry{
		{ConfigName: "segment.bytes", ConfigValue: strconv.FormatInt(b.opt.Segment, 10)},
		{ConfigName: "retention.ms", ConfigValue: "-1"},
		{ConfigName: "retention.bytes", ConfigValue: "-1"},
	}
}

func (b *Broker) start(clean bool) error {
	b.room = newRoom(b.opt.Bound, b.size)
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	return b.resetGroups(ctx, clean && b.log.warnings.Load() == 0)
}

// resetGroups forgets the offsets that can't be relied on: all after an
// unclean stop, and any that lie ahead of the log.
func (b *Broker) resetGroups(ctx context.Context, clean bool) error {
	res, err := b.cluster.client.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	var reset []string
	for _, g := range res.Groups {
		ahead := b.aheadOfLog(g.GroupID)
		switch {
		case !clean:
			b.opt.Log.Warn("the embedded log was not stopped cleanly: it is read again from its start", "group", g.GroupID)
		case ahead != "":
			b.opt.Log.Error("a committed offset is ahead of the embedded log: it is read again from its start", "group", g.GroupID, "offset", ahead)
		default:
			continue
		}
		reset = append(reset, g.GroupID)
	}
	return b.deleteGroups(ctx, reset)
}

func (b *Broker) deleteGroups(ctx context.Context, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	res, err := b.cluster.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: groups})
	if err != nil {
		return fmt.Errorf("forget offsets: %w", err)
	}
	for group, err := range res.Errors {
		if err != nil && !errors.Is(err, kafka.GroupIdNotFound) {
			return fmt.Errorf("forget offsets of group %s: %w", group, err)
		}
	}
	return nil
}

// aheadOfLog names the first offset of the group that the log doesn't reach.
func (b *Broker) aheadOfLog(group string) string {
	info := b.kfake.GroupInfo(group)
	if info == nil {
		return ""
	}
	for topic, commits := range info.Commits {
		for p, commit := range commits {
			part := b.kfake.PartitionInfo(topic, p)
			if part == nil || commit.Offset > part.HighWatermark {
				return fmt.Sprintf("%s/%d@%d", topic, p, commit.Offset)
			}
		}
	}
	return ""
}

// Cluster is how writers and sources reach the broker.
func (b *Broker) Cluster() *Cluster { return b.cluster }

// Full reports that rollcall.events has reached the bound, so that appends
// wait for Trim.
func (b *Broker) Full() bool { return b.room.full() }

// size is what rollcall.events takes on disk, in bytes.
func (b *Broker) size() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return 0
	}
	var total int64
	for _, p := range b.kfake.PartitionInfos(Events) {
		total += p.NumBytes
	}
	return total
}

// Run trims for the group until ctx ends.
func (b *Broker) Run(ctx context.Context, group string) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := b.Trim(group); err != nil {
			b.opt.Log.Error("the embedded log can't be trimmed", "err", err)
		}
	}
}

// Trim removes whole log files that the group has read and committed, never a
// partition's last: an emptied partition would start again at offset 0. Of
// rollcall.rejected, which no group reads, the oldest files go beyond an eighth
// of the bound.
func (b *Broker) Trim(group string) error {
	err := b.trim(group)
	b.room.measure()
	return err
}

func (b *Broker) trim(group string) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return nil
	}
	var errs []error
	if info := b.kfake.GroupInfo(group); info != nil {
		for p, commit := range info.Commits[Events] {
			errs = append(errs, b.trimBelow(Events, p, commit.Offset))
		}
	}
	errs = append(errs, b.trimRejects(b.opt.Bound/8))
	return errors.Join(errs...)
}

// trimBelow removes the partition's files that lie wholly below the offset.
func (b *Broker) trimBelow(topic string, partition int32, offset int64) error {
	part := b.kfake.PartitionInfo(topic, partition)
	bases, err := b.segments(topic, partition)
	if err != nil || part == nil {
		return err
	}
	to := part.LogStartOffset
	for _, base := range bases { // a base is where the files before it end
		if base <= min(offset, part.HighWatermark-1) {
			to = max(to, base)
		}
	}
	if to == part.LogStartOffset {
		return nil
	}
	if err := b.kfake.DeleteRecords(topic, partition, to); err != nil {
		return fmt.Errorf("kafka: trim %s/%d below %d: %w", topic, partition, to, err)
	}
	b.opt.Log.Debug("trimmed the embedded log", "topic", topic, "partition", partition, "start", to)
	return nil
}

func (b *Broker) trimRejects(most int64) error {
	for {
		parts := b.kfake.PartitionInfos(Rejects)
		if len(parts) == 0 || parts[0].NumBytes <= most {
			return nil
		}
		bases, err := b.segments(Rejects, 0)
		if err != nil || len(bases) < 2 {
			return err
		}
		if err := b.trimBelow(Rejects, 0, bases[1]); err != nil {
			return err
		}
		b.opt.Log.Warn("the oldest rejected inputs were removed: the embedded log keeps a bounded number", "bytes", most)
		if after := b.kfake.PartitionInfo(Rejects, 0); after == nil || after.NumBytes >= parts[0].NumBytes {
			return nil
		}
	}
}

// segments lists the first offsets of a partition's files, in order.
func (b *Broker) segments(topic string, partition int32) ([]int64, error) {
	dir := filepath.Join(b.dir, "kafka", "partitions", fmt.Sprintf("%s-%d", topic, partition))
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: list log files: %w", err)
	}
	return segmentBases(entries), nil
}

// Close stops the broker. Everything else stops before it: collectors, then
// writers, then sources, which leave their groups. A source left open would be
// waited for at the next start; the error says so.
func (b *Broker) Close() error {
	if b.isClosed() {
		return nil
	}
	var errs []error
	if n := b.readers.Load(); n > 0 {
		errs = append(errs, fmt.Errorf("kafka: broker closed before %d sources: %w", n, rollcall.ErrConflict))
	}
	b.room.close()
	b.cluster.Close()
	if b.stop(); b.log.warnings.Load() == 0 {
		errs = append(errs, b.putMarker())
	}
	return errors.Join(errs...)
}

func (b *Broker) isClosed() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.closed
}

// stop closes kfake, which writes its state. What it logs of that is counted.
func (b *Broker) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.log.warnings.Store(0)
	b.kfake.Close()
}

// brokerLog passes kfake's log on. It is where corruption shows, and nowhere
// else, so warnings are counted: they make a stop or a start unclean.
type brokerLog struct {
	log      *slog.Logger
	warnings atomic.Int32
}

// Logf takes one line.
func (l *brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	levels := map[kfake.LogLevel]slog.Level{
		kfake.LogLevelError: slog.LevelError, kfake.LogLevelWarn: slog.LevelWarn, kfake.LogLevelInfo: slog.LevelDebug,
	}
	to, ok := levels[level]
	if !ok {
		return // one line a request
	}
	if to >= slog.LevelWarn {
		l.warnings.Add(1)
	}
	if ctx := context.Background(); l.log.Enabled(ctx, to) {
		l.log.Log(ctx, to, "embedded broker: "+fmt.Sprintf(format, args...))
	}
}
