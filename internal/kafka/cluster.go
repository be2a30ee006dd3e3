package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

// Cluster says how brokers are reached. It is safe for concurrent use.
type Cluster struct {
	brokers   []string
	dial      DialFunc
	secure    Security
	transport *kafka.Transport
	client    *kafka.Client
	codecs    codecs
	local     Local // of a broker in this process
}

// Security of the connections to a cluster; the zero value is plain TCP.
type Security struct {
	TLS  *tls.Config    // nil: none
	SASL sasl.Mechanism // nil: none
}

// Local is what a broker in this process (package embedded) has its clients do;
// the zero value is for brokers elsewhere.
type Local struct {
	Dial    DialFunc                                     // reaches it
	Admit   func(ctx context.Context, bytes int64) error // waits until rollcall.events may grow by so much
	Topics  map[string]string                            // settings of every topic that is made
	Sources *atomic.Int32                                // counts the sources that have not left their group
}

// DialFunc connects to an address.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

const (
	dialTimeout    = 5 * time.Second
	requestTimeout = 10 * time.Second
	metadataTTL    = 5 * time.Second
)

// Dial names a cluster by the addresses (host:port) of some of its brokers.
// Nothing is connected yet.
func Dial(brokers []string, secure Security) *Cluster {
	d := net.Dialer{Timeout: dialTimeout}
	return newCluster(brokers, secure, d.DialContext)
}

// DialLocal names a broker in this process.
func DialLocal(address string, local Local) *Cluster {
	c := newCluster([]string{address}, Security{}, local.Dial)
	c.local = local
	return c
}

func newCluster(brokers []string, secure Security, dial DialFunc) *Cluster {
	c := &Cluster{brokers: brokers, dial: dial, secure: secure}
	c.transport = &kafka.Transport{
		Dial: dial, DialTimeout: dialTimeout, MetadataTTL: metadataTTL, ClientID: clientID,
		TLS: secure.TLS, SASL: secure.SASL,
	}
	c.client = &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: requestTimeout, Transport: c.transport}
	return c
}

const clientID = "rollcall"

// dialer is for kafka-go's readers and groups, which don't use the transport.
func (c *Cluster) dialer() *kafka.Dialer {
	return &kafka.Dialer{
		ClientID: clientID, Timeout: dialTimeout, DualStack: true,
		DialFunc: c.dial, TLS: c.secure.TLS, SASLMechanism: c.secure.SASL,
	}
}

// EnsureTopics creates the topics that are missing, rollcall.events with so
// many partitions, and waits until every partition has a leader. It is always
// called before anything reads: a topic that a reader's request created would
// be lost by a kill, and the group of a topic that is not there reads nothing
// for ever.
func (c *Cluster) EnsureTopics(ctx context.Context, partitions int) error {
	topics := []kafka.TopicConfig{c.topic(Events, partitions), c.topic(Rejects, 1)}
	res, err := c.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: topics})
	if err != nil {
		return fmt.Errorf("kafka: create topics: %w", err)
	}
	for topic, err := range res.Errors {
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("kafka: create topic %s: %w", topic, err)
		}
	}
	for {
		err := c.leaders(ctx)
		if err == nil {
			return nil
		}
		if pause(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("kafka: wait for topics: %w", errors.Join(ctx.Err(), err))
		}
	}
}

func (c *Cluster) topic(name string, partitions int) kafka.TopicConfig {
	t := kafka.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: -1}
	if name == Rejects {
		// enough for any whole message of rollcall.events, and its reason
		t.ConfigEntries = []kafka.ConfigEntry{{ConfigName: "max.message.bytes", ConfigValue: "2097152"}}
	}
	if c.local.Topics != nil {
		t.ReplicationFactor = 1
	}
	for _, setting := range slices.Sorted(maps.Keys(c.local.Topics)) {
		t.ConfigEntries = append(t.ConfigEntries, kafka.ConfigEntry{ConfigName: setting, ConfigValue: c.local.Topics[setting]})
	}
	return t
}

// leaders says which topic or partition has no leader yet. A broker that the
// metadata names as a new partition's leader may not know it yet, so each is
// asked for its offsets too.
func (c *Cluster) leaders(ctx context.Context) error {
	for _, topic := range []string{Events, Rejects} {
		if _, err := c.spans(ctx, topic); err != nil {
			return err
		}
	}
	return nil
}

// partitions lists a topic's partitions; an error where one has no leader.
func (c *Cluster) partitions(ctx context.Context, topic string) ([]int, error) {
	res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, fmt.Errorf("kafka: metadata of %s: %w", topic, err)
	}
	var ids []int
	for _, t := range res.Topics {
		if t.Error != nil {
			return nil, fmt.Errorf("kafka: topic %s: %w", t.Name, t.Error)
		}
		for _, p := range t.Partitions {
			if p.Error != nil || p.Leader.Host == "" {
				return nil, fmt.Errorf("kafka: partition %d of %s has no leader: %w", p.ID, topic, orUnknown(p.Error))
			}
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("kafka: topic %s: %w", topic, rollcall.ErrNotFound)
	}
	return ids, nil
}

func orUnknown(err error) error {
	if err == nil {
		return kafka.LeaderNotAvailable
	}
	return err
}

// span is what a partition holds: the offsets [first, next).
type span struct{ first, next int64 }

// spans gives what each of the topic's partitions holds, open transactions
// included.
func (c *Cluster) spans(ctx context.Context, topic string, partitions ...int) (map[int]span, error) {
	return c.spansAt(ctx, kafka.ReadUncommitted, topic, partitions)
}

// stableSpans ends each span at the last stable offset, where the first open
// transaction begins: nothing behind it is read now.
func (c *Cluster) stableSpans(ctx context.Context, topic string, partitions ...int) (map[int]span, error) {
	return c.spansAt(ctx, kafka.ReadCommitted, topic, partitions)
}

func (c *Cluster) spansAt(ctx context.Context, level kafka.IsolationLevel, topic string, partitions []int) (map[int]span, error) {
	if len(partitions) == 0 {
		var err error
		if partitions, err = c.partitions(ctx, topic); err != nil {
			return nil, err
		}
	}
	var asked []kafka.OffsetRequest
	for _, p := range partitions {
		asked = append(asked, kafka.FirstOffsetOf(p), kafka.LastOffsetOf(p))
	}
	res, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: asked}, IsolationLevel: level,
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: offsets of %s: %w", topic, err)
	}
	spans := make(map[int]span, len(partitions))
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("kafka: offsets of %s, partition %d: %w", topic, p.Partition, p.Error)
		}
		spans[p.Partition] = span{first: p.FirstOffset, next: p.LastOffset}
	}
	if len(spans) != len(partitions) {
		return nil, fmt.Errorf("kafka: offsets of %s: %d of %d partitions answered", topic, len(spans), len(partitions))
	}
	return spans, nil
}

// committed gives the group's offsets of rollcall.events; partitions without
// one are left out.
func (c *Cluster) committed(ctx context.Context, group string, partitions []int) (rollcall.Offsets, error) {
	res, err := c.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{Events: partitions}})
	if err == nil {
		err = res.Error
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: offsets of group %s: %w", group, err)
	}
	offsets := rollcall.Offsets{}
	for _, p := range res.Topics[Events] {
		if p.Error != nil {
			return nil, fmt.Errorf("kafka: offset of group %s, partition %d: %w", group, p.Partition, p.Error)
		}
		if p.CommittedOffset >= 0 {
			offsets[p.Partition] = p.CommittedOffset
		}
	}
	return offsets, nil
}

// Settle waits until the group has committed everything that rollcall.events
// held when it was called. Open transactions count when they are committed, and
// are not waited for.
func Settle(ctx context.Context, c *Cluster, group string) error {
	spans, err := c.stableSpans(ctx, Events)
	for passing(err) && ctx.Err() == nil {
		pause(ctx, settleEvery)
		spans, err = c.stableSpans(ctx, Events)
	}
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	var partitions []int
	for p, s := range spans {
		if s.first < s.next {
			partitions = append(partitions, p)
		}
	}
	for {
		left, err := c.unsettled(ctx, group, spans, partitions)
		if err == nil && left == 0 {
			return nil
		}
		if pause(ctx, settleEvery); ctx.Err() != nil {
			return fmt.Errorf("kafka: settle group %s: %d records left: %w", group, left, errors.Join(ctx.Err(), err))
		}
	}
}

// passing reports an error that Kafka itself says will pass, as when a
// partition's leader changes.
func passing(err error) bool {
	var said kafka.Error
	return errors.As(err, &said) && said.Temporary()
}

const settleEvery = 20 * time.Millisecond

// unsettled counts the records that the group has not committed.
func (c *Cluster) unsettled(ctx context.Context, group string, spans map[int]span, partitions []int) (left int64, err error) {
	if len(partitions) == 0 {
		return 0, nil
	}
	offsets, err := c.committed(ctx, group, partitions)
	if err != nil {
		return 0, err
	}
	for _, p := range partitions {
		done := max(offsets[p], spans[p].first)
		left += max(0, spans[p].next-done)
	}
	return left, nil
}

// Close closes the idle connections. Writers and sources are closed first.
func (c *Cluster) Close() { c.transport.CloseIdleConnections() }
