// Package census counts the accounts that were seen at a service: it unites the
// sketches of any days and places. It knows no person.
package census

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/hll"
)

// DefaultMinAccounts is METHOD's k: fewer accounts are withheld.
const DefaultMinAccounts = 50

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
// has: the pseudonyms of two keys are two different sets of numbers. It is the
// one place that knows that every service's key is a year's.
func refuseTwoKeys(ctx context.Context, s rollcall.Store, q *rollcall.CensusQuery) error {
	masters, err := s.Masters(ctx)
	if err != nil {
		return err
	}
	changes := rollcall.KeyChanges(masters, q.From, q.To)
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

// mostSides is how many ranges a refusal proposes.
const mostSides = 3

// Table answers from the store's cells, a row a service. It fails with
// rollcall.ErrAgedOut where the range begins before what is still there.
func Table(ctx context.Context, store rollcall.Store, q rollcall.CensusQuery) (*rollcall.Table, error) {
	if q.To < q.From {
		return nil, &rollcall.Invalid{Field: "to", Value: q.To.String(), Reason: "is before from", Code: "to_before_from"}
	}
	if err := refuseAged(ctx, store, &q); err != nil {
		return nil, err
	}
	if err := refuseTwoKeys(ctx, store, &q); err != nil {
		return nil, err
	}
	unions, err := unite(ctx, store, &q)
	if err != nil {
		return nil, err
	}
	t := &rollcall.Table{Meta: meta(&q, store.K(), unions), Columns: Columns()}
	if err := noteDamage(ctx, store, &q, &t.Meta); err != nil {
		return nil, err
	}
	for _, service := range order(q.Services, unions) {
		t.Rows = append(t.Rows, unions[service].row(service, store.K(), &q))
	}
	return t, nil
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

// union is one service's cells of the range, united: at home, at work, and at
// every place asked for.
type union struct {
	key             rollcall.KeyID
	keyDay          rollcall.Day // a day of that key
	home, work, all *hll.Sketch
	minutes         *hll.Sketch
}

func unite(ctx context.Context, store rollcall.Store, q *rollcall.CensusQuery) (map[rollcall.ServiceID]*union, error) {
	unions := make(map[rollcall.ServiceID]*union)
	cells := rollcall.CellQuery{Market: q.Market, Services: q.Services, From: q.From, To: q.To, Locations: q.At.Any}
	for row, err := range store.Cells(ctx, cells) {
		if err != nil {
			return nil, fmt.Errorf("census: %w", err)
		}
		if !q.Credit.Counts(row.Kind) {
			continue
		}
		u := unions[row.Service]
		if u == nil {
			u = newUnion(&row, store.K())
			unions[row.Service] = u
		}
		if err := u.add(&row, q.At); err != nil {
			return nil, err
		}
	}
	return unions, nil
}

func newUnion(row *rollcall.CellRow, k int) *union {
	return &union{key: row.Key, keyDay: row.Day, home: hll.New(k), work: hll.New(k), all: hll.New(k), minutes: hll.New(k)}
}

// add unites one cell. A cell of another key is refused: the pseudonyms of two
// keys are two different sets of numbers.
func (u *union) add(row *rollcall.CellRow, at rollcall.CensusPlace) error {
	if row.Key != u.key {
		early, late := min(row.Day, u.keyDay), max(row.Day, u.keyDay)
		return &rollcall.Invalid{
			Field: "from", Value: early.String() + " to " + late.String(), Code: "two_keys",
			Reason: fmt.Sprintf("has facts of %s under two pseudonym keys (%s, %s), though the days have one: accounts can't be matched over them", row.Service, u.key, row.Key),
		}
	}
	u.keyDay = row.Day
	into := []*hll.Sketch{u.all}
	if at.Both {
		into = append(into, u.apart(row.Location))
	}
	for _, s := range into {
		if err := s.MergeState(row.Visitors); err != nil {
			return fmt.Errorf("census: cell of %s on %s: visitors: %w", row.Service, row.Day, err)
		}
	}
	if err := u.minutes.MergeState(row.Minutes); err != nil {
		return fmt.Errorf("census: cell of %s on %s: minutes: %w", row.Service, row.Day, err)
	}
	return nil
}

func (u *union) apart(l rollcall.Location) *hll.Sketch {
	if l == rollcall.Home {
		return u.home
	}
	return u.work
}

func (u *union) row(service rollcall.ServiceID, k int, q *rollcall.CensusQuery) rollcall.Row {
	if u == nil {
		u = newUnion(&rollcall.CellRow{}, k)
	}
	all := u.all.Estimate()
	accounts := sketchMeasure(all, q.MinAccounts)
	minutes := sketchMeasure(u.minutes.Estimate(), 0)
	exact := all.Exact
	if q.At.Both {
		accounts, exact = intersection(u, q.MinAccounts)
		minutes = rollcall.Measure{Status: rollcall.Undefined}
	}
	if accounts.Status.Withheld() {
		minutes = rollcall.Measure{Status: accounts.Status}
	}
	return rollcall.Row{string(service), q.At.String(), accounts, minutes, exact}
}

func sketchMeasure(e hll.Estimate, atLeast int) rollcall.Measure {
	low, high := e.Interval()
	m := rollcall.Measure{
		Value: e.Count, SE: e.Count * e.StdErr, Low: low, High: high,
		N: int(math.Round(e.Count)), Status: rollcall.OK,
	}
	if m.Value < float64(atLeast) {
		m.Status = rollcall.Below
	}
	return m
}

// intersection is inclusion and exclusion: home + work - either. Its error is
// that of three sketches taken as independent, which overstates it.
func intersection(u *union, atLeast int) (m rollcall.Measure, exact bool) {
	h, w, e := u.home.Estimate(), u.work.Estimate(), u.all.Estimate()
	value := max(0, h.Count+w.Count-e.Count)
	se := math.Sqrt(sq(h.Count*h.StdErr) + sq(w.Count*w.StdErr) + sq(e.Count*e.StdErr))
	exact = h.Exact && w.Exact && e.Exact
	m = rollcall.Measure{Value: value, SE: se, Low: max(0, value-hll.Z95*se), High: value + hll.Z95*se, N: int(math.Round(value)), Status: rollcall.OK}
	switch {
	case !exact && value-hll.Z95*se <= 0:
		m.Status = rollcall.BelowDetection
	case value < float64(atLeast):
		m.Status = rollcall.Below
	}
	return m, exact
}

func sq(x float64) float64 { return x * x }

// order gives the services asked for as asked, or those seen by id.
func order(asked []rollcall.ServiceID, unions map[rollcall.ServiceID]*union) []rollcall.ServiceID {
	if len(asked) > 0 {
		return asked
	}
	return slices.Sorted(maps.Keys(unions))
}

// Columns gives the columns of a census.
func Columns() []rollcall.Column {
	return []rollcall.Column{
		{Name: "service", Role: "dimension", Label: "Service", Definition: "the service's id in the catalogue"},
		{Name: "location", Role: "dimension", Label: "Location", Definition: "where the accounts were seen; home+work is the union, both the intersection"},
		{Name: "unique_accounts", Role: "measure", Unit: "accounts", Label: "Unique accounts", Definition: "distinct accounts of the service over the whole range, by union of the days' sketches"},
		{Name: "account_minutes", Role: "measure", Unit: "minutes", Label: "Account-minutes", Definition: "distinct pairs of account and credited minute over the whole range"},
		{Name: "exact", Role: "dimension", Label: "Exact", Definition: "true where the accounts are few enough to be counted one by one"},
	}
}

func meta(q *rollcall.CensusQuery, k int, unions map[rollcall.ServiceID]*union) rollcall.Meta {
	keys := make(map[string]bool)
	for _, u := range unions {
		keys[u.key.String()] = true
	}
	return rollcall.Meta{
		Report: "census", Market: q.Market, From: q.From.String(), To: q.To.String(),
		Location: q.At.String(), Credit: string(q.Credit), Confidence: 0.95,
		Thresholds: map[string]int{"min_accounts": q.MinAccounts},
		Sketch:     &rollcall.SketchMeta{K: k, RelativeError: hll.StdErr(k), Key: strings.Join(slices.Sorted(maps.Keys(keys)), " ")},
		Method:     "HyperLogLog union of daily sketches, Ertl's improved raw estimator; unique accounts of one service, not persons",
		Notes:      []string{"Accounts, not persons: one person may hold several accounts, and one account may serve several persons."},
	}
}
