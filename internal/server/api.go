package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"rollcall"
	"rollcall/aggregate/report"
	"rollcall/api"
	"rollcall/internal/kafka"
	"rollcall/internal/sqlite"
)

// targets are the store's.
type targets struct{ rollcall.Store }

// SaveTarget saves a target that can be understood.
func (s targets) SaveTarget(ctx context.Context, t rollcall.Target) error {
	if err := rollcall.CheckID("name", t.Name); err != nil {
		return err
	}
	if err := report.CheckTarget(t.Expression); err != nil {
		return err
	}
	return s.Store.SaveTarget(ctx, t.Name, t.Expression)
}

// Targets lists them by name.
func (s targets) Targets(ctx context.Context) ([]rollcall.Target, error) {
	saved, err := s.Store.Targets(ctx)
	var list []rollcall.Target
	for _, name := range slices.Sorted(maps.Keys(saved)) {
		list = append(list, rollcall.Target{Name: name, Expression: saved[name]})
	}
	return list, err
}

// backup copies the embedded store.
func (d *deployment) backup(ctx context.Context, file string) error {
	embedded, ok := d.store.Store.(*sqlite.Store)
	if !ok {
		return fmt.Errorf("%w: ClickHouse has a BACKUP of its own (docs/operating.md)", rollcall.ErrConflict)
	}
	return embedded.Backup(ctx, file)
}

func (d *deployment) census(ctx context.Context, q rollcall.CensusQuery) (*rollcall.Table, error) {
	return report.CensusTable(ctx, d.store, q)
}

// errNoLog says that this process was given no log.
var errNoLog = fmt.Errorf("%w: this needs the log (--brokers)", rollcall.ErrConflict)

type eventLog struct{ *deployment }

// Replay folds a part of the log again.
func (l eventLog) Replay(ctx context.Context, from api.ReplayFrom) (int64, error) {
	if l.cluster == nil {
		return 0, errNoLog
	}
	if !l.replaying.TryLock() {
		return 0, fmt.Errorf("%w: another replay is under way", rollcall.ErrConflict)
	}
	defer l.replaying.Unlock()
	return l.replay(ctx, kafka.Start{Time: from.Time, Offsets: from.Offsets})
}

func (l eventLog) Settle(ctx context.Context) error {
	if l.cluster == nil {
		return errNoLog
	}
	return kafka.Settle(ctx, l.cluster, l.group())
}

type rejected struct{ *deployment }

// Resend appends everything refused to the log once more.
func (l rejected) Resend(ctx context.Context) (inputs int, err error) {
	if l.cluster == nil {
		return 0, errNoLog
	}
	w := kafka.NewWriter(l.cluster, kafka.WriterOptions{Options: kafka.Options{Log: l.log}})
	defer func() { err = errors.Join(err, w.Close()) }()
	for r, err := range l.Rejected(ctx) {
		if err != nil {
			return inputs, err
		}
		if err := w.Replay(ctx, r); err != nil {
			return inputs, err
		}
		inputs++
	}
	return inputs, nil
}

// Rejected reads what was refused, oldest first.
func (l rejected) Rejected(ctx context.Context) iter.Seq2[rollcall.Rejected, error] {
	if l.cluster == nil {
		return func(yield func(rollcall.Rejected, error) bool) { yield(rollcall.Rejected{}, errNoLog) }
	}
	return kafka.ReadRejected(ctx, l.cluster, maxRejected)
}

// savedTarget finds a saved target's text.
func (d *deployment) savedTarget(ctx context.Context, name string) (string, error) {
	saved, err := d.store.Targets(ctx)
	if err != nil {
		return "", err
	}
	text, ok := saved[name]
	if !ok {
		return "", &rollcall.Invalid{Field: "target", Value: "@" + name, Reason: "is not saved; see `rollcall target list`", Code: "target"}
	}
	return text, nil
}

// maxRejected bounds one listing of the rejected.
const maxRejected = 100_000
