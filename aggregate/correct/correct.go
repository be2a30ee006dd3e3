// Package correct undoes mistakes in the census: it removes what was loaded
// wrong, takes accounts out of the sets of a service that is counted exactly, and
// marks the days on which a collector was down. What it does it records, and the
// stages read the record.
package correct

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"rollcall"
)

// Corrector records corrections and has the store carry them out. Its fields are
// set once, before its first use; then it is safe for concurrent use.
type Corrector struct {
	Store     rollcall.Store
	Catalogue func() *rollcall.Catalogue
	Accounts  Accounts // nil: nobody can be named
	Now       func() time.Time
}

// Accounts gives the pseudonyms that an account of a service has had on the days
// up to last.
type Accounts func(service rollcall.Service, last rollcall.Day, account string) ([]rollcall.Pseudonym, error)

var errNoKey = fmt.Errorf("%w: this needs the pseudonyms' master key (--key-file)", rollcall.ErrConflict)

// Remove removes the cells of a range. Of the log, what is stamped up to then
// counts no more, and what is stamped later does. Where the same was removed
// before, and nothing is there since, it gives that; where nothing is there and
// nothing was removed, it fails with ErrNotFound.
func (r *Corrector) Remove(ctx context.Context, c rollcall.Correction) (rollcall.Removed, error) {
	done, err := r.plan(ctx, c)
	if err != nil || !done.New {
		return done, err
	}
	var records []rollcall.Correction
	for _, id := range done.Segments {
		one := done.Correction
		one.Segment = id
		records = append(records, one)
	}
	done.Cells, err = r.Store.AddCorrections(ctx, records...)
	return done, err
}

// Preview says what Remove would remove, and fails as it would. Nothing is recorded.
func (r *Corrector) Preview(ctx context.Context, c rollcall.Correction) (rollcall.Removed, error) {
	done, err := r.plan(ctx, c)
	if err != nil || !done.New {
		return done, err
	}
	for _, err := range r.cells(ctx, &done.Correction, done.Segments) {
		if err != nil {
			return done, err
		}
		done.Cells++
	}
	return done, nil
}

// plan gives the removal as it is to be recorded, or the record that there is.
func (r *Corrector) plan(ctx context.Context, c rollcall.Correction) (done rollcall.Removed, err error) {
	if err := r.check(&c, c.Service); err != nil {
		return done, err
	}
	segments, err := r.segments(ctx, &c)
	if err != nil {
		return done, err
	}
	all, err := r.Store.Corrections(ctx)
	if err != nil {
		return done, err
	}
	c.Action, c.Time = rollcall.Removal, r.time(all)
	some, err := r.has(ctx, &c, segments)
	if before, ok := last(all, &c); err != nil || ok && !some {
		return rollcall.Removed{Correction: before, Segments: segments}, err
	}
	if !some {
		return done, fmt.Errorf("%w: nothing of service %s is there on these days in %s: %s", rollcall.ErrNotFound, c.Service, c.Market, c.Days())
	}
	if err := r.begun(ctx, &c, segments); err != nil {
		return done, err
	}
	return rollcall.Removed{Correction: c, Segments: segments, New: true}, nil
}

// check refuses a record that nobody could understand later, and a market or a
// service that is not there.
func (r *Corrector) check(c *rollcall.Correction, services ...rollcall.ServiceID) error {
	if err := rollcall.CheckDays(c.From, c.To); err != nil {
		return err
	}
	if strings.TrimSpace(c.Reason) == "" {
		return &rollcall.Invalid{Field: "reason", Reason: "is missing", Code: "reason_missing"}
	}
	if err := rollcall.CheckLine("reason", c.Reason); err != nil {
		return err
	}
	return r.Catalogue().Knows(c.Market, services...)
}

// begun refuses a range that ends on a day to come, unless something is there on
// such a day: a year is easily mistyped, and the note of it would stand under the
// figures of all the days between.
func (r *Corrector) begun(ctx context.Context, c *rollcall.Correction, segments []string) error {
	calendar, err := r.Catalogue().Calendar(c.Market)
	if err != nil {
		return err
	}
	today := calendar.Day(r.Now())
	if c.To <= today {
		return nil
	}
	if c.Action == rollcall.Removal {
		ahead := *c
		ahead.From = max(c.From, today+1)
		if some, err := r.has(ctx, &ahead, segments); err != nil || some {
			return err
		}
	}
	return &rollcall.Invalid{Field: "to", Value: c.To.String(), Reason: fmt.Sprintf("is after today, %s in %s", today, c.Market), Code: "to_in_future"}
}

// segments gives the segments that a removal is of, as they stand in records: all,
// none, or the one named with those that are merged into it. One that is merged
// itself is refused: its figures are part of the other's.
func (r *Corrector) segments(ctx context.Context, c *rollcall.Correction) ([]string, error) {
	if c.Segment == "" || c.Segment == rollcall.None {
		return []string{c.Segment}, nil
	}
	known, err := r.Store.Segments(ctx, c.Market)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, s := range known {
		ids = append(ids, string(s.ID))
	}
	if !slices.Contains(ids, c.Segment) {
		return nil, &rollcall.Unknown{Kind: "segment", Name: c.Segment, Where: "in " + string(c.Market), Near: rollcall.Alike(c.Segment, ids), Advice: "`rollcall segment list` lists those that are"}
	}
	merged, named := rollcall.MergedOf(known), rollcall.SegmentID(c.Segment)
	if into := merged.Target(named); into != named {
		return nil, &rollcall.Invalid{
			Field: "segment", Value: c.Segment, Code: "segment_merged",
			Reason: fmt.Sprintf("is merged into %[1]s; name %[1]s to remove both, or end the merging first (`rollcall segment add %[2]s` without --into)", into, named),
		}
	}
	var all []string
	for _, id := range merged.With([]rollcall.SegmentID{named}) {
		all = append(all, string(id))
	}
	return all, nil
}

// time gives the time of a new record: now, in whole milliseconds, and after all
// that was recorded.
func (r *Corrector) time(all rollcall.Corrections) time.Time {
	now := r.Now().UTC().Truncate(time.Millisecond)
	if n := len(all); n > 0 && !now.After(all[n-1].Time) {
		now = all[n-1].Time.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	return now
}

// last gives the last record that is as another, but for its time.
func last(all rollcall.Corrections, c *rollcall.Correction) (found rollcall.Correction, ok bool) {
	for _, has := range all {
		same := has
		same.Time = c.Time
		if same == *c {
			found, ok = has, true
		}
	}
	return found, ok
}

// has reports whether a range has cells.
func (r *Corrector) has(ctx context.Context, c *rollcall.Correction, segments []string) (bool, error) {
	for _, err := range r.cells(ctx, c, segments) {
		return err == nil, err
	}
	return false, nil
}

// cells gives a range's cells.
func (r *Corrector) cells(ctx context.Context, c *rollcall.Correction, segments []string) iter.Seq2[rollcall.CellRow, error] {
	q := rollcall.CellQuery{Market: c.Market, Services: []rollcall.ServiceID{c.Service}, From: c.From, To: c.To}
	for _, text := range segments {
		if text == "" {
			break
		}
		id, err := rollcall.ParseSegment(text)
		if err != nil {
			return func(yield func(rollcall.CellRow, error) bool) { yield(rollcall.CellRow{}, err) }
		}
		q.Segments = append(q.Segments, id)
	}
	return r.Store.Cells(ctx, q)
}

// Erase takes an account out of the sets of a service, under every key that it has
// had, in every market. A sketch can't forget.
func (r *Corrector) Erase(ctx context.Context, id rollcall.ServiceID, account string) (rollcall.ErasedAccount, error) {
	done, records, err := r.erasings(ctx, id, account)
	if err == nil {
		done.Sets, err = r.Store.AddCorrections(ctx, records...)
	}
	return done, err
}

// PreviewErasure says what Erase would erase, and fails as it would. Nothing is
// recorded.
func (r *Corrector) PreviewErasure(ctx context.Context, id rollcall.ServiceID, account string) (rollcall.ErasedAccount, error) {
	done, records, err := r.erasings(ctx, id, account)
	if err == nil {
		done.Sets, err = r.Store.CountSets(ctx, records...)
	}
	return done, err
}

// erasings gives the erasing of an account as it is to be recorded, once for each
// key, and what came of it but for the sets.
func (r *Corrector) erasings(ctx context.Context, id rollcall.ServiceID, account string) (done rollcall.ErasedAccount, records []rollcall.Correction, err error) {
	if r.Accounts == nil {
		return done, nil, errNoKey
	}
	service, err := r.Catalogue().Service(id)
	if err != nil {
		return done, nil, err
	}
	if strings.TrimSpace(account) == "" {
		return done, nil, &rollcall.Invalid{Field: "account", Reason: "is missing", Code: "account_missing"}
	}
	day, err := r.today()
	if err != nil {
		return done, nil, err
	}
	names, err := r.Accounts(service, day, account)
	if err != nil {
		return done, nil, err
	}
	all, err := r.Store.Corrections(ctx)
	if err != nil {
		return done, nil, err
	}
	done = rollcall.ErasedAccount{Service: id, Last: day, Notes: notes(service)}
	at := r.time(all)
	for i, p := range names {
		if p.Lost {
			if i+1 < len(names) {
				done.Lost = names[i+1].From
			}
			continue
		}
		c := rollcall.Correction{Action: rollcall.Erasing, Service: id, To: day, Key: p.Key, Visitor: p.Visitor, Time: at}
		if before, ok := last(all, &c); ok {
			c = before
		}
		records = append(records, c)
	}
	done.Keys = len(records)
	return done, records, nil
}

// today gives the latest day that it is now in any market.
func (r *Corrector) today() (day rollcall.Day, err error) {
	now, catalogue := r.Now(), r.Catalogue()
	day = rollcall.DayOf(now.UTC().Date())
	for _, m := range catalogue.Markets {
		calendar, err := catalogue.Calendar(m.ID)
		if err != nil {
			return 0, err
		}
		day = max(day, calendar.Day(now))
	}
	return day, nil
}

func notes(s rollcall.Service) []string {
	all := []string{"A sketch can't forget: what sketches count, and account-minutes, still have the account among the others, without a name."}
	if s.Census != rollcall.Exactly {
		all = append(all, "Service "+string(s.ID)+" is counted by sketches, which count few accounts one by one too: what is loaded has no sets of accounts.")
	}
	return all
}

// Mark marks days on which a collector was down. Where they are marked so already,
// it gives that.
func (r *Corrector) Mark(ctx context.Context, c rollcall.Correction) (done rollcall.Removed, err error) {
	c.Action = rollcall.Outage
	if err := r.Catalogue().Knows(c.Market); err != nil {
		return done, err
	}
	if err := r.begun(ctx, &c, nil); err != nil {
		return done, err
	}
	return r.record(ctx, c, func(all rollcall.Corrections, before rollcall.Correction) bool {
		in := all.Down(c.Market, c.Service, c.From, c.To)
		return slices.ContainsFunc(in, func(m rollcall.Correction) bool { return m == before })
	})
}

// Clear lifts the marks of some days. It fails with ErrNotFound where none is
// marked, unless this has lifted them before.
func (r *Corrector) Clear(ctx context.Context, c rollcall.Correction) (done rollcall.Removed, err error) {
	c.Action = rollcall.Cleared
	return r.record(ctx, c, func(all rollcall.Corrections, _ rollcall.Correction) bool {
		return len(all.Down(c.Market, c.Service, c.From, c.To)) == 0
	})
}

// record adds a mark or its clearing, unless the same stands as one from before.
func (r *Corrector) record(ctx context.Context, c rollcall.Correction, stands func(rollcall.Corrections, rollcall.Correction) bool) (done rollcall.Removed, err error) {
	var services []rollcall.ServiceID
	if c.Service != "" {
		services = append(services, c.Service)
	}
	if err := r.check(&c, services...); err != nil {
		return done, err
	}
	all, err := r.Store.Corrections(ctx)
	if err != nil {
		return done, err
	}
	c.Time = r.time(all)
	if before, ok := last(all, &c); ok && stands(all, before) {
		return rollcall.Removed{Correction: before}, nil
	}
	if c.Action == rollcall.Cleared && len(all.Down(c.Market, c.Service, c.From, c.To)) == 0 {
		return done, fmt.Errorf("%w: no day of %s is marked in %s", rollcall.ErrNotFound, c.Days(), c.Market)
	}
	_, err = r.Store.AddCorrections(ctx, c)
	return rollcall.Removed{Correction: c, New: true}, err
}

// Restore records that a replay from some time on has brought back what was
// removed: of what was removed before, the log's records from then on count again.
func (r *Corrector) Restore(ctx context.Context, removals rollcall.Corrections, from time.Time) error {
	all, err := r.Store.Corrections(ctx)
	if err != nil {
		return err
	}
	reason := "replay --with-removed"
	if !from.IsZero() {
		reason += " --from " + from.UTC().Format(time.RFC3339)
	}
	at := r.time(all)
	var records []rollcall.Correction
	for _, c := range removals.Of(rollcall.Removal) {
		if c.Time.After(from) && all.Restored(&c).IsZero() {
			c.Action, c.Reason, c.Time = rollcall.Restored, reason, at
			records = append(records, c)
		}
	}
	_, err = r.Store.AddCorrections(ctx, records...)
	return err
}

// List gives a market's removals, their undoing, marks and clearings, the earliest first.
func (r *Corrector) List(ctx context.Context, market rollcall.MarketID) (found []rollcall.Correction, err error) {
	if err := r.Catalogue().Knows(market); err != nil {
		return nil, err
	}
	all, err := r.Store.Corrections(ctx)
	for _, c := range all.Of(rollcall.Removal, rollcall.Restored, rollcall.Outage, rollcall.Cleared) {
		if c.Market == market {
			found = append(found, c)
		}
	}
	return found, err
}
