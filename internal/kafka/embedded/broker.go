package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"rollcall"
	"rollcall/internal/kafka"
)

// Broker is the embedded broker: a bounded buffer on disk between collectors
// and aggregator. The store is the record of truth; what the store has may be
// trimmed here, and what it may not have never is.
type Broker struct {
	opt      Options
	dir      string
	kfake    *kfake.Cluster
	listener *memoryListener
	cluster  *kafka.Cluster
	log      *brokerLog
	limit    *limit
	sources  atomic.Int32 // that have not left their group
	removed  prometheus.Counter

	mu     sync.RWMutex // guards closed; held for reading while kfake is asked, which never answers once closed
	closed bool
}

// Options of an embedded broker; the zero value does.
type Options struct {
	kafka.Options
	Bound   int64 // bytes of rollcall.events at which Append waits; default 512 MiB
	Segment int64 // bytes of a log file, the least that is trimmed; default 8 MiB
}

const (
	defaultBound   = 512 << 20
	defaultSegment = 8 << 20
	trimEvery      = time.Second
	startTimeout   = 10 * time.Second
	cleanMarker    = "stopped-clean"
)

// Open starts a broker on the log in dir, which it makes if need be. Only
// one process may have dir. After a stop that was not clean every group starts
// again at the log's first record: reading twice is harmless, and what the
// groups' offsets then mean is not certain.
func Open(dir string, opt Options) (*Broker, error) {
	opt = opt.withDefaults()
	b := &Broker{opt: opt, dir: dir, log: &brokerLog{log: opt.Log}}
	data := filepath.Join(dir, "kafka")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("embedded: open broker in %s: %w", dir, err)
	}
	clean, err := b.prepare(data)
	if err != nil {
		return nil, fmt.Errorf("embedded: open broker in %s: %w", dir, err)
	}
	b.listen()
	if b.kfake, err = kfake.NewCluster(b.kfakeOptions(data)...); err != nil {
		_ = b.listener.Close() // in memory: it can't fail
		return nil, fmt.Errorf("embedded: open broker in %s: %w", dir, err)
	}
	if err := b.start(clean); err != nil {
		_ = b.listener.Close() // in memory: it can't fail
		b.kfake.Close()
		return nil, fmt.Errorf("embedded: open broker in %s: %w", dir, err)
	}
	return b, nil
}

func (o Options) withDefaults() Options {
	o.Options = o.WithDefaults()
	if o.Bound == 0 {
		o.Bound = defaultBound
	}
	if o.Segment == 0 {
		o.Segment = defaultSegment
	}
	return o
}

// prepare looks at what the last stop left, and reports whether the groups'
// offsets can be relied on.
func (b *Broker) prepare(data string) (clean bool, err error) {
	if clean, err = b.takeMarker(); err != nil {
		return false, err
	}
	damaged, err := b.inspect(data, clean)
	return clean && !damaged, errors.Join(err, forgetMembers(data))
}

// listen lets this process reach the broker, and nobody else.
func (b *Broker) listen() {
	b.listener = newMemoryListener()
	b.cluster = kafka.DialLocal(b.listener.Addr().String(), kafka.Local{
		Dial: b.listener.dial, Topics: b.topicSettings(), Sources: &b.sources,
		Admit: func(ctx context.Context, bytes int64) error { return b.limit.wait(ctx, bytes) },
	})
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

// topicSettings have a topic stay for ever, in files small enough to be trimmed
// soon. Only Trim removes anything.
func (b *Broker) topicSettings() map[string]string {
	return map[string]string{
		"segment.bytes":   strconv.FormatInt(b.opt.Segment, 10),
		"retention.ms":    "-1",
		"retention.bytes": "-1",
	}
}

func (b *Broker) start(clean bool) error {
	b.limit = newLimit(b.opt.Bound, b.size)
	transport := &kafkago.Transport{Dial: b.listener.dial}
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(b.listener.Addr().String()), Transport: transport}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := b.resetGroups(ctx, client, clean && b.log.warnings.Load() == 0); err != nil {
		return err
	}
	return errors.Join(b.putBack(context.Background(), client), b.register(b.opt.Registerer))
}

// Cluster is how writers and sources reach the broker.
func (b *Broker) Cluster() *kafka.Cluster { return b.cluster }

// Full reports that rollcall.events has reached the bound, so that appends
// wait for Trim.
func (b *Broker) Full() bool { return b.limit.reached() }

// size is what rollcall.events takes on disk, in bytes.
func (b *Broker) size() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return 0
	}
	var total int64
	for _, p := range b.kfake.PartitionInfos(kafka.Events) {
		total += p.NumBytes
	}
	return total
}

// Close stops the broker. Everything else stops before it: collectors, then
// writers, then sources, which leave their groups. A source left open would be
// waited for at the next start; the error says so.
func (b *Broker) Close() error {
	if b.isClosed() {
		return nil
	}
	var errs []error
	if n := b.sources.Load(); n > 0 {
		errs = append(errs, fmt.Errorf("embedded: broker closed before %d sources: %w", n, rollcall.ErrConflict))
	}
	b.limit.close()
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
