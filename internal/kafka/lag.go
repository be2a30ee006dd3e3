package kafka

import (
	"context"
	"maps"
	"slices"
)

// Position is where a group stands in one partition of rollcall.events.
type Position struct {
	Partition int
	First     int64 // the oldest record that the log has
	End       int64 // the offset after its last record
	Stable    int64 // the offset that its first open transaction begins at; End: there is none
	Committed int64 // the offset that the group reads next; -1: nothing is committed
}

// Lag gives the number of records that the group has not committed.
func (p Position) Lag() int64 { return max(0, p.End-max(p.Committed, p.First)) }

// Positions gives where the group stands, a row for each partition in order.
func (c *Cluster) Positions(ctx context.Context, group string) ([]Position, error) {
	spans, err := c.spans(ctx, Events)
	if err != nil {
		return nil, err
	}
	partitions := slices.Sorted(maps.Keys(spans))
	stable, err := c.stableSpans(ctx, Events, partitions...)
	if err != nil {
		return nil, err
	}
	offsets, err := c.committed(ctx, group, partitions)
	if err != nil {
		return nil, err
	}
	rows := make([]Position, 0, len(partitions))
	for _, p := range partitions {
		row := Position{Partition: p, First: spans[p].first, End: spans[p].next, Stable: stable[p].next, Committed: -1}
		if at, ok := offsets[p]; ok {
			row.Committed = at
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Reachable asks the brokers for the topics: nil says that every partition has
// a leader.
func (c *Cluster) Reachable(ctx context.Context) error { return c.leaders(ctx) }
