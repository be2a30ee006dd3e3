// Package active tells how many accounts of services are active now: as gauges of
// a process, and in the form of usage that NodeInfo has. Both end on the newest day
// that has facts, and hold back what readers are not told.
package active

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/census"
)

// Service is a service of a market.
type Service struct {
	Market rollcall.MarketID
	ID     rollcall.ServiceID
}

// UnmarshalText reads MARKET/SERVICE.
func (s *Service) UnmarshalText(text []byte) error {
	market, service, ok := strings.Cut(string(text), "/")
	if !ok || rollcall.CheckID("market", market) != nil || rollcall.CheckID("service", service) != nil {
		return fmt.Errorf("%q is not MARKET/SERVICE, such as FR/msn", text)
	}
	*s = Service{rollcall.MarketID(market), rollcall.ServiceID(service)}
	return nil
}

// String gives what UnmarshalText reads.
func (s Service) String() string { return string(s.Market) + "/" + string(s.ID) }

// Facts are where accounts are counted, and what is held back of them.
type Facts struct {
	Store        rollcall.Store
	Calendar     func(rollcall.MarketID) (*rollcall.Calendar, error)
	Knows        func(context.Context, rollcall.MarketID, []rollcall.ServiceID) error
	Now          func() time.Time
	Least, Round int // as a reader's
}

// newest gives the newest day of a service that has facts, of those that have begun
// in its market.
func (f *Facts) newest(ctx context.Context, of Service) (day rollcall.Day, calendar *rollcall.Calendar, ok bool, err error) {
	if err := f.Knows(ctx, of.Market, []rollcall.ServiceID{of.ID}); err != nil {
		return 0, nil, false, err
	}
	if calendar, err = f.Calendar(of.Market); err != nil {
		return 0, nil, false, err
	}
	day, ok, err = census.Newest(ctx, f.Store, of.Market, of.ID, calendar.Day(f.Now()))
	return day, calendar, ok, err
}
