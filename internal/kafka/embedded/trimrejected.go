package embedded

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kfake"

	"rollcall/internal/kafka"
)

// trimRejects removes the oldest files of rollcall.rejected while it is over its
// bound. A flood of one source's must not flush what others have there: each has
// an equal share, what one leaves others may take, and only who has more loses
// its oldest.
func (b *Broker) trimRejects(ctx context.Context, most int64) error {
	bases, err := b.segments(kafka.Rejects, 0)
	if err != nil {
		return err
	}
	for i := 1; i < len(bases); i++ {
		part := b.kfake.PartitionInfo(kafka.Rejects, 0)
		if part == nil || part.NumBytes <= most {
			return nil
		}
		if err := b.trimRejectsBelow(ctx, part, bases[i], most-b.opt.Segment); err != nil {
			return err
		}
	}
	return nil
}

// trimRejectsBelow removes the refused inputs below an offset, but for those of
// sources that have no more than their share of a number of bytes.
func (b *Broker) trimRejectsBelow(ctx context.Context, part *kfake.PartitionInfo, offset, most int64) error {
	has := make(map[string]int64)
	var below []kafka.Stored
	for s, err := range kafka.StoredRejected(ctx, b.cluster) {
		if err != nil {
			return fmt.Errorf("embedded: trim %s: %w", kafka.Rejects, err)
		}
		if has[s.Source] += s.Bytes; s.Offset < offset {
			below = append(below, s)
		}
	}
	share := fairShare(has, most)
	removed := make(map[string]int)
	stay := slices.DeleteFunc(below, func(s kafka.Stored) bool {
		if has[s.Source] <= share {
			return false
		}
		has[s.Source] -= s.Bytes
		removed[s.Source]++
		return true
	})
	if err := kafka.StoreAgain(ctx, b.cluster, stay); err != nil {
		return fmt.Errorf("embedded: trim %s: %w", kafka.Rejects, err)
	}
	for source, n := range removed {
		b.removed.Add(float64(n))
		b.opt.Log.Warn("the oldest rejected inputs of a source were removed: the embedded log holds a bounded number", "source", source, "inputs", n)
	}
	return b.trimBelow(kafka.Rejects, part.Partition, offset)
}

// fairShare is the most that each may have so that all have no more than so much:
// whoever has less leaves the rest to the others.
func fairShare(has map[string]int64, most int64) int64 {
	sizes := make([]int64, 0, len(has))
	for _, n := range has {
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	for i, n := range sizes {
		left := int64(len(sizes) - i)
		if n*left > most {
			return max(0, most/left)
		}
		most -= n
	}
	return max(0, most) // all fit
}
