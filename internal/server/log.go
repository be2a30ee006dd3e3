package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall"
	"rollcall/aggregate"
	"rollcall/ingest"
	"rollcall/internal/kafka"
	"rollcall/internal/kafka/embedded"
)

// partitions of the embedded log: two aggregators can share it.
const partitions = 2

// topicsTime is how long a command waits for a cluster's topics.
const topicsTime = 30 * time.Second

// openLog reaches the cluster, or starts the embedded broker.
func (p *Process) openLog(ctx context.Context, which parts) error {
	switch {
	case len(p.engine.Brokers) > 0:
		return p.reachCluster(ctx, which)
	case p.engine.Clickhouse != "":
		return nil // a reader's: there is no log
	}
	return p.openBroker(ctx)
}

func (p *Process) reachCluster(ctx context.Context, which parts) error {
	if err := p.dialCluster(); err != nil {
		return err
	}
	if err := p.until(ctx, which.patient, "log", p.ensureTopics); err != nil {
		return err
	}
	p.watchLag()
	return nil
}

// dialCluster names the cluster; nothing is connected yet.
func (p *Process) dialCluster() error {
	secure, err := p.engine.Kafka.security()
	if err != nil {
		return err
	}
	p.cluster = kafka.Dial(p.engine.Brokers, secure)
	p.onClose("connections", func() error { p.cluster.Close(); return nil })
	return nil
}

func (p *Process) ensureTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, topicsTime)
	defer cancel()
	return p.cluster.EnsureTopics(ctx, p.engine.Kafka.Partitions)
}

func (p *Process) openBroker(ctx context.Context) (err error) {
	p.broker, err = embedded.Open(filepath.Join(p.engine.Data, "log"), embedded.Options{Options: p.kafkaOptions()})
	if err != nil {
		return err
	}
	p.onClose("broker", p.broker.Close)
	p.cluster = p.broker.Cluster()
	if err := p.cluster.EnsureTopics(ctx, partitions); err != nil {
		return err
	}
	p.background("trimming", func(ctx context.Context) { p.broker.Run(ctx, p.group()) })
	p.watchLag()
	return nil
}

func (p *Process) kafkaOptions() kafka.Options {
	return kafka.Options{Log: p.Log, Registerer: p.metrics}
}

// group is the aggregators' consumer group: the store's own id is in it, so
// that an empty store reads the log from its start.
func (p *Process) group() string { return "rollcall-" + p.store.ID() }

func (p *Process) sourceOptions(metrics prometheus.Registerer) kafka.SourceOptions {
	return kafka.SourceOptions{
		Options: kafka.Options{Log: p.Log, Registerer: metrics},
		Decode:  decoder(p.converter(), p.catalogue.check), Check: p.catalogue.check,
	}
}

// Fold starts an aggregator; its stop flushes once more and leaves the group.
func (p *Process) Fold(ctx context.Context, metrics *prometheus.Registry) error {
	source, err := kafka.NewSource(p.cluster, p.group(), p.sourceOptions(metrics))
	if err != nil {
		return err
	}
	p.source = source
	options := aggregate.Options{
		K: p.store.K(), Calendar: p.catalogue.calendar, Exactly: p.catalogue.exactly, Undone: p.store, Metrics: aggregate.NewMetrics(metrics), Log: p.Log,
		Every: p.flush.Every, Behind: p.flush.Behind, Bytes: p.flush.Bytes, Waiters: &p.waiters,
	}
	if p.broker == nil {
		options.Members = source.Members
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := aggregate.Run(running, source, p.store, options)
		if err != nil && running.Err() == nil {
			p.fail <- err
		}
		done <- err
	}()
	p.onClose("aggregator", func() error {
		stop()
		return errors.Join(<-done, source.Close())
	})
	return nil
}

// replayBytes is what a replay gathers before it flushes: it is beside whatever
// else the process does.
const replayBytes = 64 << 20

// replay folds a part of the log into the store once more, beside the
// aggregators. It changes nothing of what the store has: unions don't. What was
// removed from the census comes back if it is asked for.
func (p eventLog) replay(ctx context.Context, from kafka.Start, withRemoved bool) (events int64, err error) {
	var lifted rollcall.Corrections
	if withRemoved {
		if lifted, err = p.store.Corrections(ctx); err != nil {
			return 0, err
		}
	}
	source, err := kafka.NewReplay(ctx, p.cluster, from, p.sourceOptions(nil))
	if err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- aggregate.Run(running, source, p.store, aggregate.Options{
			K: p.store.K(), Calendar: p.catalogue.calendar, Exactly: p.catalogue.exactly, Undone: p.store, Lifted: lifted, Log: p.Log, Bytes: replayBytes,
		})
	}()
	drained := source.Drained(ctx)
	stop()
	if err := errors.Join(drained, <-done, source.Close()); err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	if len(lifted) > 0 {
		if err := correctorOf(p.Process).Restore(ctx, lifted, from.Time); err != nil {
			return 0, fmt.Errorf("replay: %w", err)
		}
	}
	return source.Stats().Rows.Load(), nil
}

// decoder reads single events that other producers put on the topic. check
// looks for markets that are new, as the converter can't.
func decoder(converter *ingest.Converter, check func(*rollcall.Group) error) kafka.Decode {
	readers := sync.Pool{New: func() any { return converter.Single() }}
	return func(to []rollcall.Event, value []byte, contentType string, record time.Time, backfill bool) ([]rollcall.Event, error) {
		reader := readers.Get().(*ingest.Single)
		defer readers.Put(reader)
		s, err := reader.Read(value, contentType == "application/cloudevents+json")
		if err != nil {
			return to, err
		}
		if to, err = reader.Append(to, s, record, backfill); err == nil {
			return to, nil
		}
		group := rollcall.Group{Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Panel: s.Panel}
		_ = check(&group) // for what is new; Append says what is wrong, without quoting it
		if to, err = reader.Append(to, s, record, backfill); errors.Is(err, ingest.ErrKeyMissing) {
			err = &rollcall.Invalid{Field: "time", Value: s.Time.Format(time.RFC3339), Reason: "is of a day whose master key this process was not given yet; `rollcall rejected replay` counts it once it is there", Code: "key_missing"}
		}
		return to, err
	}
}
