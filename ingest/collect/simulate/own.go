package simulate

import (
	"iter"
	"math"
	"strconv"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// CalibratedMonth is the month of which the demonstration has a second version of
// the panel, calibrated to the own census of one service, OwnService, in France.
const CalibratedMonth = rollcall.Month(2003*12 + int(time.June) - 1)

// OwnService is that service.
const OwnService rollcall.ServiceID = "msn"

// ownUsers are the service's users of that month by its own census. The panel has
// 7 % more: who likes messengers has joined it more readily.
const ownUsers = 2_455_000

// ownAccounts is how many accounts one of these users has; one of ownScale is
// simulated.
const (
	ownAccounts = 1.25
	ownScale    = 100
)

// AccountsPerPerson is the file that the month is calibrated with.
func AccountsPerPerson() string {
	return "service,accounts_per_person,se,source,source_date\n" +
		string(OwnService) + ",0.0125,0.0005,simulated survey of its users; the census has one account in a hundred,2003-03-31\n"
}

// OwnCensus gives what the service's own servers saw in the calibrated month;
// nothing in any other. It tells no platform and no segment.
func (d *Demonstration) OwnCensus(m rollcall.Month) iter.Seq[ingest.Sighting] {
	return func(yield func(ingest.Sighting) bool) {
		if m != CalibratedMonth {
			return
		}
		seen := server{diarist: diarist{days: newDays(d.calendar, m), random: d.stream(forOwnCensus, uint64(m))}}
		for i := range int(math.Round(ownUsers * ownAccounts / ownScale)) {
			account := "simfr" + strconv.Itoa(i) + "@example.com"
			for range 1 + draw(seen.random, []float64{0.45, 0.3, 0.15, 0.07, 0.03}) {
				s := ingest.Sighting{Market: Place().ID, Service: OwnService, Account: account, Location: seen.place(0), Kind: rollcall.Presence}
				h := habitAt(s.Location)
				if !yield(seen.session(h, seen.someDay(h), s)) {
					return
				}
			}
		}
	}
}
