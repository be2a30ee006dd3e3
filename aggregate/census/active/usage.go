package active

import (
	"context"
	"errors"
	"math"

	"rollcall"
	"rollcall/aggregate/census"
)

// Usage counts a service's accounts as NodeInfo's usage has them: those active in
// the 30 and in the 180 days up to the newest day that has facts. What can't be
// told is nil: too few accounts, and days that lie under two keys of pseudonyms or
// have aged out.
func (f *Facts) Usage(ctx context.Context, market rollcall.MarketID, service rollcall.ServiceID) (month, halfyear *int64, err error) {
	day, _, ok, err := f.newest(ctx, Service{market, service})
	if err != nil || !ok {
		return nil, nil, err
	}
	if month, err = f.within(ctx, market, service, day, 30); err != nil {
		return nil, nil, err
	}
	halfyear, err = f.within(ctx, market, service, day, 180)
	return month, halfyear, err
}

// within counts the accounts of so many days up to one; nil: it can't be told.
func (f *Facts) within(ctx context.Context, market rollcall.MarketID, service rollcall.ServiceID, day, days rollcall.Day) (*int64, error) {
	table, err := census.Table(ctx, f.Store, rollcall.CensusQuery{
		Market: market, Services: []rollcall.ServiceID{service}, From: day - days + 1, To: day, Credit: rollcall.ByPresence,
		At: rollcall.CensusPlace{Any: rollcall.Home | rollcall.Work | rollcall.Elsewhere}, MinAccounts: f.Least, Least: f.Least, Round: f.Round,
	})
	if untold := new(rollcall.Invalid); errors.Is(err, rollcall.ErrAgedOut) || errors.As(err, &untold) && untold.Code == "two_keys" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, ok := table.Cell(0, "unique_accounts").(rollcall.Measure)
	if !ok || m.Status.Withheld() {
		return nil, nil
	}
	n := int64(math.Round(m.Value))
	return &n, nil
}
