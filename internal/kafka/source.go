package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
)

// Decode appends what a record that is not Arrow says: one event, or more where
// one has to be cut. Record is the record's own timestamp, by which an event's
// age is judged unless it is a backfill. An error should be a
// *rollcall.Invalid: the record goes to rollcall.rejected.
type Decode func(to []rollcall.Event, value []byte, contentType string, record time.Time, backfill bool) ([]rollcall.Event, error)

// SourceOptions of a source.
type SourceOptions struct {
	Options
	Decode Decode                      // nil: every record that is not Arrow is refused
	Check  func(*rollcall.Group) error // refuses a group, such as one of an unknown market; called once a batch for each group; nil: none
	Stall  time.Duration               // brokers that have not answered for so long are asked anew; default 15 s
}

// Source reads rollcall.events as a member of a consumer group; it is the
// aggregate stage's Source. Next and Commit are for one goroutine.
//
// Every partition that the group assigns has goroutines of its own, which end
// with the generation: one that lived over a rebalance would hand on what was
// queued before it.
type Source struct {
	cluster *Cluster
	opt     SourceOptions
	name    string
	group   *kafka.ConsumerGroup
	rejects *Writer
	stats   Stats
	members atomic.Int32

	out     chan read            // owned by the partitions' goroutines; never closed
	free    chan *rollcall.Batch // batches to use again
	last    *rollcall.Batch      // handed on by the last Next
	stopped context.Context      //nolint:containedctx // ends with Close: the life of the goroutines
	stop    context.CancelFunc
	run     sync.WaitGroup
	ended   sync.Once

	mu    sync.Mutex // guards the rest
	gen   *kafka.Generation
	owned map[int]int64 // by partition: where this generation began to read
	lost  error         // why there is no generation now; nil: there is one
}

// read is a batch and the generation that it was read in.
type read struct {
	batch *rollcall.Batch
	gen   *kafka.Generation
}

// The group's timing. A member that dies is missed after sessionTimeout.
const (
	sessionTimeout   = 9 * time.Second
	heartbeat        = sessionTimeout / 6
	rebalanceTimeout = 6 * time.Second
	joinBackoff      = time.Second
	watchInterval    = 5 * time.Second
	defaultStall     = 15 * time.Second

	queuedBatches = 8
	fetchWait     = 500 * time.Millisecond // of a request that finds nothing yet
)

// NewSource joins the group, in the background. The group starts at the log's
// first record where it has committed nothing. The topics must exist.
func NewSource(c *Cluster, group string, opt SourceOptions) (*Source, error) {
	opt.Options = opt.WithDefaults()
	if opt.Stall == 0 {
		opt.Stall = defaultStall
	}
	s := &Source{
		cluster: c, opt: opt, name: group,
		out: make(chan read, queuedBatches), free: make(chan *rollcall.Batch, queuedBatches),
	}
	s.stopped, s.stop = context.WithCancel(context.Background())
	var err error
	if s.group, err = kafka.NewConsumerGroup(s.groupConfig()); err != nil {
		return nil, fmt.Errorf("kafka: join group %s: %w", group, err)
	}
	s.stats.register(opt.Registerer, opt.Log)
	s.rejects = NewWriter(c, WriterOptions{Options: opt.Options})
	if n := c.local.Sources; n != nil {
		n.Add(1)
	}
	s.run.Go(s.generations)
	return s, nil
}

func (s *Source) groupConfig() kafka.ConsumerGroupConfig {
	return kafka.ConsumerGroupConfig{
		ID: s.name, Brokers: s.cluster.brokers, Dialer: s.cluster.dialer(), Topics: []string{Events},
		SessionTimeout: sessionTimeout, HeartbeatInterval: heartbeat,
		RebalanceTimeout: rebalanceTimeout, JoinGroupBackoff: joinBackoff,
		StartOffset: kafka.FirstOffset, WatchPartitionChanges: true, PartitionWatchInterval: watchInterval,
		ErrorLogger: kafka.LoggerFunc(func(format string, args ...any) {
			s.opt.Log.Debug("kafka group: " + fmt.Sprintf(format, args...))
		}),
	}
}

// generations runs one generation of the group after the other until Close.
func (s *Source) generations() {
	for {
		gen, err := s.group.Next(s.stopped)
		switch {
		case s.stopped.Err() != nil || errors.Is(err, kafka.ErrGroupClosed):
			return
		case err != nil: // kafka-go waits before it tries again
			s.leave(s.current(), err)
			s.opt.Log.Warn("the consumer group can't be joined", "group", s.name, "err", err)
		default:
			s.begin(gen)
		}
	}
}

func (s *Source) begin(gen *kafka.Generation) {
	assigned := gen.Assignments[Events]
	owned := make(map[int]int64, len(assigned))
	for _, a := range assigned {
		owned[a.ID] = a.Offset
	}
	s.mu.Lock()
	s.gen, s.owned, s.lost = gen, owned, nil
	s.mu.Unlock()
	s.opt.Log.Debug("joined the consumer group", "group", s.name, "generation", gen.ID, "partitions", len(assigned))
	gen.Start(func(ctx context.Context) {
		<-ctx.Done()
		s.leave(gen, fmt.Errorf("generation %d has ended: %w", gen.ID, rollcall.ErrConflict))
	})
	for _, a := range assigned {
		gen.Start(func(ctx context.Context) { s.consume(ctx, gen, a) })
	}
	s.countMembers()
}

// began notes where a generation begins to read a partition, which is not where
// the group's offset says if the log was lost.
func (s *Source) began(gen *kafka.Generation, partition int, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gen == gen {
		s.owned[partition] = at
	}
}

// leave notes that the source is no member now, unless a later generation began.
func (s *Source) leave(gen *kafka.Generation, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gen == gen {
		s.lost = why
	}
}

// Joined is nil while the source is a member of its group, and else says why
// it is not. A member may have no partition.
func (s *Source) Joined() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.lost != nil:
		return fmt.Errorf("kafka: group %s: %w", s.name, s.lost)
	case s.gen == nil:
		return fmt.Errorf("kafka: group %s: not joined yet: %w", s.name, rollcall.ErrConflict)
	}
	return nil
}

// countMembers asks how many share the group. Where the answer fails, the last
// one stands.
func (s *Source) countMembers() {
	ctx, cancel := context.WithTimeout(s.stopped, requestTimeout)
	defer cancel()
	res, err := s.cluster.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{s.name}})
	if err == nil && len(res.Groups) == 1 && res.Groups[0].Error == nil {
		s.members.Store(int32(len(res.Groups[0].Members)))
	} else if err != nil {
		s.opt.Log.Debug("the group's members can't be counted", "group", s.name, "err", err)
	}
}

// Members gives how many members the group had when this one last joined, at
// least 1.
func (s *Source) Members() int { return max(1, int(s.members.Load())) }

// Stats gives the source's counts.
func (s *Source) Stats() *Stats { return &s.stats }

// Next waits for the next batch of any partition. The batch is valid until the
// next call. Its Next may only be committed when its events are stored; what
// was refused of it is in rollcall.rejected already. A batch may have no
// events.
func (s *Source) Next(ctx context.Context) (*rollcall.Batch, error) {
	s.recycle(s.last)
	s.last = nil
	for {
		select {
		case r := <-s.out:
			if r.gen != s.current() {
				s.recycle(r.batch) // another member reads it now, or we do again
				continue
			}
			s.last = r.batch
			return r.batch, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.stopped.Done():
			return nil, fmt.Errorf("kafka: source of group %s is closed: %w", s.name, rollcall.ErrConflict)
		}
	}
}

func (s *Source) current() *kafka.Generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gen
}

// recycle keeps a batch's memory, unless there is enough.
func (s *Source) recycle(b *rollcall.Batch) {
	if b == nil {
		return
	}
	b.Reset()
	select {
	case s.free <- b:
	default:
	}
}

func (s *Source) newBatch() *rollcall.Batch {
	select {
	case b := <-s.free:
		return b
	default:
		return &rollcall.Batch{}
	}
}

// Commit says that everything before the offsets is stored. Partitions that
// this member does not own now are left out: who does reads their range again,
// which is harmless. So are offsets from before the generation's own beginning:
// another member has committed more since, and taken back that would stay
// uncommitted for as long as nothing new comes. A commit that fails is harmless too: it is logged and counted, and
// ends the generation, which reads again from what was committed.
func (s *Source) Commit(ctx context.Context, offsets rollcall.Offsets) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	gen, own := s.gen, map[int]int64{}
	for p, next := range offsets {
		if from, ok := s.owned[p]; ok && next > from {
			own[p] = next
		}
	}
	s.mu.Unlock()
	if len(own) == 0 {
		return nil
	}
	if err := gen.CommitOffsets(map[string]map[int]int64{Events: own}); err != nil {
		s.stats.Uncommit.Add(1)
		s.opt.Log.Warn("offsets could not be committed; their range will be read again", "group", s.name, "err", err)
		gen.Start(func(context.Context) {}) // a generation ends with the first of its functions
	}
	return nil
}

// errAgain says why the source is no member while it joins once more.
var errAgain = fmt.Errorf("what was not committed is read again: %w", rollcall.ErrConflict)

// Again has all that was not committed read once more, by whichever member: the
// generation ends, and nothing that was read in it is handed on.
func (s *Source) Again() error {
	s.mu.Lock()
	gen := s.gen
	s.gen, s.owned, s.lost = nil, nil, errAgain
	s.mu.Unlock()
	if gen != nil {
		gen.Start(func(context.Context) {}) // a generation ends with the first of its functions
	}
	return nil
}

// Close leaves the group and stops. It is called before the broker's.
func (s *Source) Close() (err error) {
	s.ended.Do(func() {
		s.stop()
		err = s.group.Close()
		s.run.Wait()
		err = errors.Join(err, s.rejects.Close())
		if n := s.cluster.local.Sources; n != nil {
			n.Add(-1)
		}
	})
	if err != nil {
		return fmt.Errorf("kafka: close source of group %s: %w", s.name, err)
	}
	return nil
}
