package census

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
)

// refuseAged refuses a range of which a part has aged out: its figures would be
// too small.
func refuseAged(ctx context.Context, s rollcall.Store, q *rollcall.CensusQuery) error {
	list, err := s.Ageings(ctx)
	if err != nil {
		return err
	}
	at := rollcall.Ageings(list).Since(q.From.Month())
	if at.IsZero() {
		return nil
	}
	return fmt.Errorf("the census of %s from %s has %w: what is before %s was removed on %s",
		q.Market, q.From, rollcall.ErrAgedOut, rollcall.Ageings(list).Before().First(), at.Format(time.DateOnly))
}

// refuseTwoKeys refuses a range whose days lie under two keys, whatever facts it
// has: the pseudonyms of two keys are two different sets of numbers. Where
// services are not named, some may have a year's key.
func refuseTwoKeys(ctx context.Context, s rollcall.Store, q *rollcall.CensusQuery) error {
	masters, err := s.Masters(ctx)
	if err != nil {
		return err
	}
	epoch, err := epochOf(ctx, s, q.Services)
	if err != nil {
		return err
	}
	changes := rollcall.KeyChanges(masters, epoch, q.From, q.To)
	if len(changes) == 0 {
		return nil
	}
	sides, first := make([]string, 0, len(changes)+1), q.From
	for _, c := range changes {
		sides, first = append(sides, first.String()+" to "+(c.Day-1).String()), c.Day
	}
	named := changes[0].String()
	if sides = append(sides, first.String()+" to "+q.To.String()); len(sides) > mostSides {
		sides = append(sides[:mostSides], "...")
	}
	if n := len(changes) - 1; n > 0 {
		named += fmt.Sprintf(" and on %d more days", n)
	}
	return &rollcall.Invalid{
		Field: "from", Value: q.From.String() + " to " + q.To.String(), Code: "two_keys",
		Reason: fmt.Sprintf("crosses the change of the pseudonyms' key on %s: accounts can't be matched over it; ask for each side apart: %s", named, strings.Join(sides, ", ")),
	}
}

// epochOf gives none where every service named has none.
func epochOf(ctx context.Context, s rollcall.Store, named []rollcall.ServiceID) (rollcall.Epoch, error) {
	own, err := s.Services(ctx)
	if err != nil {
		return "", err
	}
	without := make(map[rollcall.ServiceID]bool)
	for _, v := range own {
		without[v.ID] = v.Epoch == rollcall.NoEpoch
	}
	if len(named) == 0 || slices.ContainsFunc(named, func(id rollcall.ServiceID) bool { return !without[id] }) {
		return rollcall.Yearly, nil
	}
	return rollcall.NoEpoch, nil
}

// mostSides is how many ranges a refusal proposes.
const mostSides = 3

// Table answers from the store's cells, a row a service and whatever else is
// asked for. It fails with rollcall.ErrAgedOut where the range begins before
// what is still there.
func Table(ctx context.Context, store rollcall.Store, q rollcall.CensusQuery) (*rollcall.Table, error) {
	return table(ctx, store, q, func(ctx context.Context, from reading, q *rollcall.CensusQuery) (unions, error) {
		return from.unite(ctx, q)
	})
}

// table is Table, by a way to unite the cells.
func table(ctx context.Context, store rollcall.Store, q rollcall.CensusQuery, unite func(context.Context, reading, *rollcall.CensusQuery) (unions, error)) (*rollcall.Table, error) {
	if err := check(&q); err != nil {
		return nil, err
	}
	segments, err := findSegments(ctx, store, &q)
	if err != nil {
		return nil, err
	}
	facts := q // what must be read
	if q.Window != (rollcall.Window{}) {
		facts.From = q.Window.From(q.From)
		facts.By = append(slices.Clip(q.By), rollcall.ByDay)
	}
	if err := refuseAged(ctx, store, &facts); err != nil {
		return nil, err
	}
	if _, series := unitOf(facts.By); !series {
		if err := refuseTwoKeys(ctx, store, &q); err != nil {
			return nil, err
		}
	}
	undone, err := store.Corrections(ctx)
	if err != nil {
		return nil, err
	}
	free := memory{maxBytes}
	found, err := unite(ctx, reading{store, segments.merged, undone.Erasings(), &free}, &facts)
	if err == nil && q.Window != (rollcall.Window{}) {
		found, err = roll(found, &q, store.K(), &free)
	}
	if err != nil {
		return nil, err
	}
	rows := facts
	rows.From = q.From
	if err := found.fill(&rows); err != nil {
		return nil, err
	}
	t := &rollcall.Table{Meta: meta(&q, store.K(), found), Columns: Columns(facts.By...)}
	t.Meta.Notes = append(t.Meta.Notes, segments.notes...)
	groups := slices.SortedFunc(maps.Keys(found), compare(&facts))
	lacks := found.into(t, groups, store.K(), &facts)
	if err := errors.Join(noteDamage(ctx, store, &facts, &t.Meta), noteSketched(ctx, store, lacks, &t.Meta)); err != nil {
		return nil, err
	}
	names, err := namesFor(ctx, store, undone)
	if err != nil {
		return nil, err
	}
	noteUndone(t, groups, &facts, undone, names)
	t.Meta.Method += under(t, &q)
	return t, nil
}

// into writes a table's rows, and gives the days of each service's sketched
// figures that have no set.
func (all unions) into(t *rollcall.Table, groups []group, k int, q *rollcall.CensusQuery) map[rollcall.ServiceID]days {
	lacks := make(map[rollcall.ServiceID]days)
	for _, g := range groups {
		row := all[g].row(g, k, q)
		if exact, _ := row[len(row)-1].(bool); !exact && all[g] != nil {
			lacks[g.service] = lacks[g.service].and(all[g].lacks)
		}
		t.Rows = append(t.Rows, row)
	}
	return lacks
}

// under says in a table's method, where a figure of it is withheld, whose minimum it
// is under: a CSV has no notes.
func under(t *rollcall.Table, q *rollcall.CensusQuery) string {
	for i := range t.Rows {
		if m, ok := t.Cell(i, "unique_accounts").(rollcall.Measure); ok && m.Status == rollcall.Below {
			if q.MinAccounts == q.Least {
				return fmt.Sprintf("; below_min=%d by --census-min", q.MinAccounts)
			}
			return fmt.Sprintf("; below_min=%d by --min-accounts", q.MinAccounts)
		}
	}
	return ""
}

// check refuses what contradicts itself.
func check(q *rollcall.CensusQuery) error {
	unit, series := unitOf(q.By)
	if err := rollcall.CheckDays(q.From, q.To); err != nil {
		return err
	}
	switch {
	case series && q.Window != (rollcall.Window{}):
		return &rollcall.Invalid{Field: "window", Value: q.Window.String(), Reason: "stands beside " + string(unit) + " in by: a window's rows are days by themselves", Code: "window_and_by"}
	case q.At.Part != "" && slices.Contains(q.By, rollcall.ByLocation):
		return &rollcall.Invalid{Field: "by", Value: string(rollcall.ByLocation), Reason: "asks for each place, and location " + q.At.String() + " for two of them at once", Code: "by_and_both"}
	}
	return nil
}

// noteDamage says that cells are set aside, where some are.
func noteDamage(ctx context.Context, store rollcall.Store, q *rollcall.CensusQuery, m *rollcall.Meta) error {
	aside, err := store.SetAside(ctx)
	if err != nil {
		return err
	}
	if n := rollcall.DamagedIn(aside, "cells", q.Market, q.From.Month(), q.To.Month()); n > 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("Damaged rows of cells of this market and of these months are set aside: %d. The figures lack those of the days asked for, unless they have been rebuilt from the log.", n))
	}
	return nil
}

// noteSketched says of services that are counted exactly which days have made
// figures that are not.
func noteSketched(ctx context.Context, store rollcall.Store, lacks map[rollcall.ServiceID]days, m *rollcall.Meta) error {
	services, err := store.Services(ctx)
	if err != nil {
		return err
	}
	var named []string
	for _, s := range services {
		if d := lacks[s.ID]; d.last != 0 && s.Census == rollcall.Exactly {
			named = append(named, fmt.Sprintf("%s from %s to %s", s.ID, d.first, d.last))
		}
	}
	if len(named) > 0 {
		slices.Sort(named)
		m.Notes = append(m.Notes, fmt.Sprintf("Days of services that are counted exactly have sketches alone, since they were loaded before: %s. Figures with them are the sketches'. To mend such days, remove and load them again.", strings.Join(named, "; ")))
	}
	return nil
}

// unions are the rows that there will be. One that is nil is of nothing seen.
type unions map[group]*union

// reading is what cells are read from, and united by.
type reading struct {
	store  rollcall.Store
	merged rollcall.Merged
	erased rollcall.Erasings
	free   *memory
}

func (r reading) unite(ctx context.Context, q *rollcall.CensusQuery) (unions, error) {
	all := make(unions)
	cells := rollcall.CellQuery{
		Market: q.Market, Services: q.Services, From: q.From, To: q.To, Locations: q.At.Any, Platforms: q.Platforms, Segments: q.Segments,
	}
	_, series := unitOf(q.By)
	for row, err := range r.store.Cells(ctx, cells) {
		if err != nil {
			return nil, fmt.Errorf("census: %w", err)
		}
		if !q.Credit.Counts(row.Kind) {
			continue
		}
		row.Segment = r.merged.Target(row.Segment)
		g := groupOf(&row.Cell, q.By)
		u := all[g]
		if u == nil {
			if len(all) == maxRows {
				return nil, tooManyRows()
			}
			u = newUnion(r.store.K(), q.At.Part != "")
			all[g] = u
		}
		without(&row, r.erased)
		before := u.size()
		if err := u.add(&row); err != nil {
			return nil, err
		}
		if err := r.free.take(u.size() - before); err != nil {
			return nil, err
		}
		if u.twoKeys && !series {
			return nil, &rollcall.Invalid{
				Field: "from", Value: q.From.String() + " to " + q.To.String(), Code: "two_keys",
				Reason: fmt.Sprintf("has facts of %s under two pseudonym keys (%s, %s), though the days have one: accounts can't be matched over them", row.Service, u.key, row.Key),
			}
		}
	}
	return all, nil
}

// fill adds rows of what was not seen: of a service that was asked for by its
// name, and where rows are of a unit of the calendar alone of each unit.
func (all unions) fill(q *rollcall.CensusQuery) error {
	services := make(map[rollcall.ServiceID]bool)
	for _, id := range q.Services {
		services[id] = true
	}
	for g := range all {
		services[g.service] = true
	}
	unit, series := unitOf(q.By)
	if len(q.By) > 1 || len(q.By) == 1 && !series {
		return nil
	}
	for id := range services {
		for first := unit.Begin(q.From); first <= q.To; first = next(unit, first) {
			g := group{service: id}
			if series {
				g.period = first
			}
			if _, there := all[g]; !there {
				all[g] = nil
			}
			if !series {
				break
			}
			if len(all) > maxRows {
				return tooManyRows()
			}
		}
	}
	return nil
}

// row writes a union down.
func (u *union) row(g group, k int, q *rollcall.CensusQuery) rollcall.Row {
	if u == nil {
		u = newUnion(k, q.At.Part != "")
	}
	row := rollcall.Row{string(g.service)}
	for _, by := range q.By {
		row = append(row, g.text(by))
	}
	accounts, minutes, exact := u.figures(q)
	return append(row, accounts, minutes, exact)
}

// Columns gives the columns of a census whose rows are of some dimensions.
func Columns(by ...rollcall.CensusBy) []rollcall.Column {
	c := []rollcall.Column{{Name: "service", Role: "dimension", Label: "Service", Definition: "the service's id in the catalogue"}}
	for _, b := range by {
		c = append(c, rollcall.Column{Name: string(b), Role: "dimension", Label: strings.ToUpper(string(b[:1])) + string(b[1:]), Definition: definition(b)})
	}
	return append(c,
		rollcall.Column{Name: "unique_accounts", Role: "measure", Unit: "accounts", Label: "Unique accounts", Definition: "distinct accounts of the service over all that the row is of, by union of the days' sketches or, where it is counted exactly, of the days' sets"},
		rollcall.Column{Name: "account_minutes", Role: "measure", Unit: "minutes", Label: "Account-minutes", Definition: "distinct pairs of account and credited minute; undefined where some of what was seen tells a day and no minute"},
		rollcall.Column{Name: "exact", Role: "dimension", Label: "Exact", Definition: "true where the accounts were counted one by one"})
}

func definition(by rollcall.CensusBy) string {
	switch by {
	case rollcall.ByPlatform:
		return "the kind of device that the accounts were seen on; none: their source doesn't tell"
	case rollcall.BySegment:
		return "what the operator counts by: an instance, an organisation, a plan; none: no segment"
	case rollcall.ByLocation:
		return "where the accounts were seen"
	case rollcall.ByKind:
		return "what they were seen doing: login, presence or use"
	}
	return "the " + string(by) + " of the market's calendar that the accounts were seen in"
}

func meta(q *rollcall.CensusQuery, k int, found unions) rollcall.Meta {
	keys := make(map[string]bool)
	notes := []string{minimum(q), "Accounts, not persons: one person may hold several accounts, and one account may serve several persons."}
	if q.Round > 0 {
		notes = append(notes, fmt.Sprintf("Figures are rounded to %d accounts, those that were counted exactly too, and their standard errors are not told, as for every reader (--census-round); the operator and an administrator's key have them unrounded.", q.Round))
	}
	coarse, twoKeys := false, false
	for _, u := range found {
		if u == nil || u.day == 0 {
			continue // of nothing seen
		}
		keys[u.key.String()] = true
		coarse, twoKeys = coarse || u.coarse, twoKeys || u.twoKeys
	}
	if coarse {
		notes = append(notes, "Some of what was seen tells a day and no minute, so account-minutes are undefined there.")
	}
	if twoKeys {
		notes = append(notes, "Figures whose days lie under two pseudonym keys are undefined: accounts can't be matched over the change.")
	}
	return rollcall.Meta{
		Report: "census", Market: q.Market, From: q.From.String(), To: q.To.String(),
		Location: q.At.String(), Credit: string(q.Credit), Confidence: 0.95,
		Thresholds: thresholds(q),
		Sketch:     &rollcall.SketchMeta{K: k, RelativeError: hll.StdErr(k), Key: strings.Join(slices.Sorted(maps.Keys(keys)), " ")},
		Method:     method(found),
		Notes:      notes,
	}
}

// method says how the accounts were counted: one by one where the sets are whole, or the
// sketches of so few accounts that they have them themselves; and of a table whose rows
// are counted otherwise both.
func method(found unions) string {
	const what = "; unique accounts of one service, not persons"
	sets, few, many, minutes := found.counted()
	how := "HyperLogLog union of daily sketches, Ertl's improved raw estimator"
	switch {
	case many && (sets || few):
		return how + "; the accounts of exact rows counted one by one" + what
	case many || !sets && !few:
		return how + what
	case sets && few:
		how = "union of the days' sets of accounts, or of sketches of so few accounts, counted one by one"
	case sets:
		how = "union of the days' sets of accounts, counted one by one"
	case few:
		how = "union of the days' sketches, which count so few accounts one by one"
	}
	if minutes {
		how += "; account-minutes by HyperLogLog"
	}
	return how + what
}

// counted says whether accounts are counted by sets, by sketches of so few that they have
// them themselves, and by estimates; and whether minutes are estimated.
func (all unions) counted() (sets, few, many, minutes bool) {
	for _, u := range all {
		if u == nil || u.day == 0 {
			continue // nothing was seen
		}
		minutes = minutes || u.minutes.Large()
		sets = sets || u.exact
		many = many || !u.exact && u.all.Large()
		few = few || !u.exact && !u.all.Large()
	}
	return sets, few, many, minutes
}

// minimum says under how many accounts figures are withheld, whose minimum that
// is, and who may lower it.
func minimum(q *rollcall.CensusQuery) string {
	switch {
	case q.MinAccounts == 0:
		return "No figure is withheld for the number of accounts behind it."
	case q.MinAccounts == q.Least:
		return fmt.Sprintf("Figures of fewer than %d accounts are withheld: this server's minimum (--census-min), which only the operator and an administrator's key may lower (--min-accounts).", q.MinAccounts)
	}
	return fmt.Sprintf("Figures of fewer than %d accounts are withheld, as was asked (--min-accounts). The server's own minimum is %d (--census-min), under which only the operator and an administrator's key may go.", q.MinAccounts, q.Least)
}

// thresholds are those that figures are withheld and rounded by.
func thresholds(q *rollcall.CensusQuery) map[string]int {
	by := map[string]int{"min_accounts": q.MinAccounts}
	if q.Round > 0 {
		by["round_accounts"] = q.Round
	}
	return by
}
