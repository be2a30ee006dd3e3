package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rollcall/internal/kafka"
)

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
		if err := b.Trim(ctx, group); err != nil {
			b.opt.Log.Error("the embedded log can't be trimmed", "err", err)
		}
	}
}

// Trim removes whole log files that the group has read and committed, never a
// partition's last: an emptied partition would start again at offset 0. Of
// rollcall.rejected, which no group reads, the oldest files go beyond an eighth
// of the bound; what they have of sources with little is stored again.
func (b *Broker) Trim(ctx context.Context, group string) error {
	err := b.trim(ctx, group)
	b.limit.measure()
	return err
}

func (b *Broker) trim(ctx context.Context, group string) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return nil
	}
	var errs []error
	if info := b.kfake.GroupInfo(group); info != nil {
		for p, commit := range info.Commits[kafka.Events] {
			errs = append(errs, b.trimBelow(kafka.Events, p, commit.Offset))
		}
	}
	errs = append(errs, b.trimRejects(ctx, b.opt.Bound/8))
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
		return fmt.Errorf("embedded: trim %s/%d below %d: %w", topic, partition, to, err)
	}
	b.opt.Log.Debug("trimmed the embedded log", "topic", topic, "partition", partition, "start", to)
	return nil
}

// segments lists the first offsets of a partition's files, in order.
func (b *Broker) segments(topic string, partition int32) ([]int64, error) {
	dir := filepath.Join(b.dir, "kafka", "partitions", fmt.Sprintf("%s-%d", topic, partition))
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("embedded: list log files: %w", err)
	}
	return segmentBases(entries), nil
}
