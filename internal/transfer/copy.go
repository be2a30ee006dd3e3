// Package transfer makes a store on ClickHouse that holds what another store
// holds, and compares the two.
//
// Whatever is written is a union, or the same again, so a copy that was cut
// short goes on where it was: what the target has is compared first, and not
// sent again. compare.go lists the kinds of things that a store holds.
package transfer

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"rollcall"
	"rollcall/internal/clickhouse"
)

// Copy makes to a copy of from, which must not change meanwhile, and compares
// both. A target that holds anything else is an ErrConflict. Of a copy that was
// whole already nothing is written. It holds a few 10 MB, and the lists of what
// there is. progress is told how many of the months of facts are there.
func Copy(ctx context.Context, from Store, to *clickhouse.Store, progress func(done, all int)) ([]Line, error) {
	whole, err := begin(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if !whole {
		if err := copyAll(ctx, from, to, progress); err != nil {
			return nil, err
		}
	}
	lines, err := Compare(ctx, from, to)
	if err != nil || whole || len(Differing(lines)) > 0 {
		return lines, err
	}
	return lines, to.EndCopy(ctx, time.Now())
}

// Differing names the kinds of things in which the stores differ.
func Differing(lines []Line) (kinds []string) {
	for _, l := range lines {
		if l.From != l.To {
			kinds = append(kinds, l.Kind)
		}
	}
	return kinds
}

// begin marks an empty target as the copy of its source, and reports whether it
// is a whole one already.
func begin(ctx context.Context, from Store, to *clickhouse.Store) (whole bool, err error) {
	of, whole, err := to.CopyOf(ctx)
	if err != nil || of == from.ID() {
		return whole, err
	}
	empty, err := isEmpty(ctx, to)
	if err == nil && !empty {
		err = fmt.Errorf("%w: the database to copy to holds something already: name a new one", rollcall.ErrConflict)
	}
	if err == nil {
		err = to.BeginCopy(ctx, from.ID())
	}
	if err == nil {
		of, whole, err = to.CopyOf(ctx)
	}
	if err == nil && of != from.ID() {
		err = fmt.Errorf("%w: store %s is copied to the same database", rollcall.ErrConflict, of)
	}
	return whole, err
}

// copyAll copies facts before publications: nothing is published there before
// what it was computed from.
func copyAll(ctx context.Context, from Store, to *clickhouse.Store, progress func(done, all int)) error {
	h, err := look(ctx, from)
	if err != nil {
		return err
	}
	has, err := look(ctx, to)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		copy func(context.Context, *holder, *clickhouse.Store) error
	}{
		{"ageings, master keys' ids and corrections", copyRules},
		{"catalogue", copyCatalogue},
		{"objects", func(ctx context.Context, h *holder, to *clickhouse.Store) error { return copyObjects(ctx, h, has) }},
		{"panels", copyPanels},
		{"facts", func(ctx context.Context, h *holder, to *clickhouse.Store) error {
			return copyFacts(ctx, h, has, progress)
		}},
		{"publications", copyPublications},
		{"deliveries", func(ctx context.Context, h *holder, to *clickhouse.Store) error { return copyDeliveries(ctx, h, has) }},
		{"audit log", func(ctx context.Context, h *holder, to *clickhouse.Store) error {
			return to.AddAudit(ctx, h.held.Audit...)
		}},
		{"rows set aside", copyDamaged},
	} {
		if err := step.copy(ctx, h, to); err != nil {
			return fmt.Errorf("copy the %s: %w", step.name, err)
		}
	}
	return nil
}

func copyRules(ctx context.Context, h *holder, to *clickhouse.Store) error {
	for _, a := range h.ageings {
		if err := to.AddAgeing(ctx, a); err != nil {
			return err
		}
	}
	masters, err := h.Masters(ctx)
	if err != nil {
		return err
	}
	for _, m := range masters {
		if err := to.AddMaster(ctx, m); err != nil {
			return err
		}
	}
	corrections, err := h.Corrections(ctx)
	if err == nil {
		_, err = to.AddCorrections(ctx, corrections...)
	}
	return err
}

func copyCatalogue(ctx context.Context, h *holder, to *clickhouse.Store) error {
	for _, m := range h.markets {
		if err := to.PutMarket(ctx, m); err != nil {
			return err
		}
	}
	services, err := h.Services(ctx)
	if err != nil {
		return err
	}
	for _, s := range services {
		if err := to.PutService(ctx, s); err != nil {
			return err
		}
	}
	segments, err := h.Segments(ctx, "")
	if err != nil {
		return err
	}
	for _, s := range segments {
		if err := to.PutSegment(ctx, s); err != nil {
			return err
		}
	}
	targets, err := h.Targets(ctx)
	if err != nil {
		return err
	}
	for name, expression := range targets {
		if err := to.SaveTarget(ctx, name, expression); err != nil {
			return err
		}
	}
	return nil
}

func copyObjects(ctx context.Context, h, to *holder) error {
	known := make(map[rollcall.Hash]bool, len(to.held.Objects))
	for _, hash := range to.held.Objects {
		known[hash] = true
	}
	for _, hash := range h.held.Objects {
		if known[hash] {
			continue
		}
		body, err := h.Object(ctx, hash)
		if err != nil {
			return err
		}
		if _, err := to.PutObject(ctx, body); err != nil {
			return err
		}
	}
	return nil
}

// copyPanels gives each month the rosters that it had, and then what it has.
func copyPanels(ctx context.Context, h *holder, to *clickhouse.Store) error {
	now, err := h.ListPanelObjects(ctx)
	if err != nil {
		return err
	}
	for _, o := range slices.Concat(h.held.Rosters, now) {
		if err := to.PutPanelObjects(ctx, o); err != nil {
			return err
		}
	}
	for _, l := range h.held.Limits {
		if err := to.PutPanelLimits(ctx, l); err != nil {
			return err
		}
	}
	for _, m := range h.held.Exclusions {
		rules, err := h.Exclusions(ctx, m)
		if err != nil {
			return err
		}
		for _, e := range rules {
			if err := to.AddExclusion(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyFacts copies a month at a time. One that the target has begun is compared
// first.
func copyFacts(ctx context.Context, h, to *holder, progress func(done, all int)) error {
	for i, part := range h.held.Facts {
		progress(i, len(h.held.Facts))
		there := false
		if slices.Contains(to.held.Facts, part) {
			var a, b Digest
			if err := readPart(ctx, h.Store, part, a.add); err != nil {
				return err
			}
			if err := readPart(ctx, to.Store, part, b.add); err != nil {
				return err
			}
			there = a == b
		}
		if !there {
			if err := copyPart(ctx, h.Store, to.Store, part); err != nil {
				return fmt.Errorf("%s %s %s: %w", part.Market, part.Panel, part.Month, err)
			}
		}
	}
	progress(len(h.held.Facts), len(h.held.Facts))
	return nil
}

func copyPart(ctx context.Context, from, to Store, part rollcall.PanelMonth) error {
	known, err := from.Corrections(ctx)
	if err != nil {
		return err
	}
	var failed error
	deltas := rollcall.Deltas{Cells: cells(from.Cells(ctx, cellsOf(part)), &failed), Known: known}
	if part.Panel != "" {
		deltas = rollcall.Deltas{Diaries: diaries(from.Diaries(ctx, diariesOf(part)), &failed)}
	}
	err = to.Merge(ctx, deltas)
	if failed != nil {
		return failed
	}
	return err
}

// cells gives rows as deltas, up to the error that ends them.
func cells(rows iter.Seq2[rollcall.CellRow, error], failed *error) iter.Seq2[rollcall.Cell, rollcall.CellState] {
	return func(yield func(rollcall.Cell, rollcall.CellState) bool) {
		for r, err := range rows {
			if *failed = err; err != nil || !yield(r.Cell, r.CellState) {
				return
			}
		}
	}
}

// diaries is cells for diaries.
func diaries(rows iter.Seq2[rollcall.DiaryRow, error], failed *error) iter.Seq2[rollcall.Diary, *rollcall.Minutes] {
	return func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
		for r, err := range rows {
			if *failed = err; err != nil || !yield(r.Diary, &r.Minutes) {
				return
			}
		}
	}
}

// copyPublications adds the versions that are not there yet, and withdraws
// those that are withdrawn.
func copyPublications(ctx context.Context, h *holder, to *clickhouse.Store) error {
	type version struct {
		rollcall.PanelMonth
		number int
	}
	for _, market := range h.markets {
		all, err := h.Publications(ctx, market.ID, "")
		if err != nil {
			return err
		}
		there, err := to.Publications(ctx, market.ID, "")
		if err != nil {
			return err
		}
		known := make(map[version]bool, len(there))
		for _, p := range there {
			known[version{p.PanelMonth, p.Version}] = true
		}
		for _, p := range all {
			if !known[version{p.PanelMonth, p.Version}] {
				err = to.AddPublication(ctx, p)
			}
			if err == nil && !p.Withdrawn.IsZero() {
				err = to.Withdraw(ctx, rollcall.Withdrawal{PanelMonth: p.PanelMonth, Version: p.Version, Reason: p.WithdrawalReason, Time: p.Withdrawn})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// copyDeliveries takes every step of each errand, all like the last one, which
// alone counts.
func copyDeliveries(ctx context.Context, h, to *holder) error {
	taken := make(map[rollcall.Errand]int, len(to.held.Deliveries))
	for _, d := range to.held.Deliveries {
		taken[d.Errand] = d.Step
	}
	for _, d := range h.held.Deliveries {
		for step := taken[d.Errand] + 1; step <= d.Step; step++ {
			one := d
			one.Step = step
			if err := to.AddDelivery(ctx, one); err != nil {
				return err
			}
		}
	}
	return nil
}

func copyDamaged(ctx context.Context, h *holder, to *clickhouse.Store) error {
	for d, err := range h.DamagedRows(ctx) {
		if err == nil {
			err = to.PutDamagedRow(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
