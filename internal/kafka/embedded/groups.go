package embedded

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// resetGroups forgets the offsets that can't be relied on: all after an
// unclean stop, and any that lie ahead of the log.
func (b *Broker) resetGroups(ctx context.Context, client *kafkago.Client, clean bool) error {
	res, err := client.ListGroups(ctx, &kafkago.ListGroupsRequest{})
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
	return deleteGroups(ctx, client, reset)
}

func deleteGroups(ctx context.Context, client *kafkago.Client, groups []string) error {
	if len(groups) == 0 {
		return nil
	}
	res, err := client.DeleteGroups(ctx, &kafkago.DeleteGroupsRequest{GroupIDs: groups})
	if err != nil {
		return fmt.Errorf("forget offsets: %w", err)
	}
	for group, err := range res.Errors {
		if err != nil && !errors.Is(err, kafkago.GroupIdNotFound) {
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
