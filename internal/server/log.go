package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
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
func (d *deployment) openLog(ctx context.Context, p parts) error {
	switch {
	case len(d.engine.Brokers) > 0:
		return d.reachCluster(ctx, p)
	case d.engine.Clickhouse != "":
		return nil // a reader's: there is no log
	}
	return d.openBroker(ctx)
}

func (d *deployment) reachCluster(ctx context.Context, p parts) error {
	if err := d.dialCluster(); err != nil {
		return err
	}
	if err := d.until(ctx, p.patient, "log", d.ensureTopics); err != nil {
		return err
	}
	d.watchLag()
	return nil
}

// dialCluster names the cluster; nothing is connected yet.
func (d *deployment) dialCluster() error {
	secure, err := d.engine.Kafka.security()
	if err != nil {
		return err
	}
	d.cluster = kafka.Dial(d.engine.Brokers, secure)
	d.onClose("connections", func() error { d.cluster.Close(); return nil })
	return nil
}

func (d *deployment) ensureTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, topicsTime)
	defer cancel()
	return d.cluster.EnsureTopics(ctx, d.engine.Kafka.Partitions)
}

func (d *deployment) openBroker(ctx context.Context) (err error) {
	d.broker, err = embedded.Open(filepath.Join(d.engine.Data, "log"), embedded.Options{Options: d.kafkaOptions()})
	if err != nil {
		return err
	}
	d.onClose("broker", d.broker.Close)
	d.cluster = d.broker.Cluster()
	if err := d.cluster.EnsureTopics(ctx, partitions); err != nil {
		return err
	}
	d.background("trimming", func(ctx context.Context) { d.broker.Run(ctx, d.group()) })
	d.watchLag()
	return nil
}

func (d *deployment) kafkaOptions() kafka.Options {
	return kafka.Options{Log: d.log, Registerer: d.metrics}
}

// group is the aggregators' consumer group: the store's own id is in it, so
// that an empty store reads the log from its start.
func (d *deployment) group() string { return "rollcall-" + d.store.ID() }

func (d *deployment) sourceOptions(metrics *prometheus.Registry) kafka.SourceOptions {
	return kafka.SourceOptions{
		Options: kafka.Options{Log: d.log, Registerer: metrics},
		Decode:  decoder(d.converter(), d.registry.check), Check: d.registry.check,
	}
}

// aggregate starts the fold; its stop flushes once more and leaves the group.
func (d *deployment) aggregate(ctx context.Context, metrics *prometheus.Registry) error {
	source, err := kafka.NewSource(d.cluster, d.group(), d.sourceOptions(metrics))
	if err != nil {
		return err
	}
	d.source = source
	options := aggregate.Options{
		K: d.store.K(), Calendar: d.registry.calendar, Metrics: aggregate.NewMetrics(metrics), Log: d.log,
		Every: d.flush.Every, Behind: d.flush.Behind, Bytes: d.flush.Bytes,
	}
	if d.broker == nil {
		options.Members = source.Members
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := aggregate.Run(running, source, d.store, options)
		if err != nil && running.Err() == nil {
			d.fail <- err
		}
		done <- err
	}()
	d.onClose("aggregator", func() error {
		stop()
		return errors.Join(<-done, source.Close())
	})
	return nil
}

// replayBytes is what a replay gathers before it flushes: it is beside whatever
// else the process does.
const replayBytes = 64 << 20

// replay folds a part of the log into the store once more, beside the
// aggregators. It changes nothing of what the store has: unions don't.
func (d *deployment) replay(ctx context.Context, from kafka.Start) (events int64, err error) {
	options := d.sourceOptions(nil)
	options.Registerer = nil
	source, err := kafka.NewReplay(ctx, d.cluster, from, options)
	if err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- aggregate.Run(running, source, d.store, aggregate.Options{
			K: d.store.K(), Calendar: d.registry.calendar, Log: d.log, Bytes: replayBytes,
		})
	}()
	drained := source.Drained(ctx)
	stop()
	if err := errors.Join(drained, <-done, source.Close()); err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	return source.Stats().Rows.Load(), nil
}

// watchLag has each scrape ask the brokers where the group stands.
func (d *deployment) watchLag() {
	name := func(n, help string) *prometheus.Desc {
		return prometheus.NewDesc("rollcall_log_"+n, help, []string{"partition"}, nil)
	}
	d.metrics.MustRegister(&lag{
		ask:       func(ctx context.Context) ([]kafka.Position, error) { return d.cluster.Positions(ctx, d.group()) },
		records:   name("lag_records", "Records that the group has not committed."),
		committed: name("committed_offset", "Offset that the group reads next."),
		end:       name("end_offset", "Offset after the log's last record."),
	})
}

// lag is the group's place in each partition, as metrics. While the brokers
// are away it has none: an old number would look healthy.
type lag struct {
	ask                     func(context.Context) ([]kafka.Position, error)
	records, committed, end *prometheus.Desc
}

// Describe names the metrics.
func (l *lag) Describe(to chan<- *prometheus.Desc) {
	to <- l.records
	to <- l.committed
	to <- l.end
}

// Collect asks for them.
func (l *lag) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	positions, err := l.ask(ctx)
	if err != nil {
		return
	}
	for _, p := range positions {
		id := strconv.Itoa(p.Partition)
		to <- prometheus.MustNewConstMetric(l.records, prometheus.GaugeValue, float64(p.Lag()), id)
		to <- prometheus.MustNewConstMetric(l.committed, prometheus.GaugeValue, float64(p.Committed), id)
		to <- prometheus.MustNewConstMetric(l.end, prometheus.GaugeValue, float64(p.End), id)
	}
}

// decoder reads single events that other producers put on the topic. check
// looks for markets that are new, as the converter can't.
func decoder(converter *ingest.Converter, check func(*rollcall.Group) error) kafka.Decode {
	return func(to []rollcall.Event, value []byte, contentType string, record time.Time, backfill bool) ([]rollcall.Event, error) {
		parse := ingest.ParseJSON
		if contentType == "application/cloudevents+json" {
			parse = ingest.ParseCloudEvent
		}
		s, err := parse(value)
		if err != nil {
			return to, err
		}
		group := rollcall.Group{Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Panel: s.Panel}
		if err := check(&group); err != nil {
			return to, err
		}
		return converter.Append(to, &s, record, backfill)
	}
}
