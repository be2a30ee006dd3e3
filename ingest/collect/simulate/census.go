package simulate

import (
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"rollcall"
	"rollcall/ingest"
)

// CensusScale is how many users of May 2001 one simulated account stands for.
const CensusScale = 1000

// World gives the census's market. It is not the panel's, so that nothing can
// set accounts of the whole world beside persons of France.
func World() rollcall.Market {
	return rollcall.Market{ID: "WORLD", Name: "World of May 2001, one account in a thousand", Zone: "UTC", Simulated: true}
}

// CountedExactly is the service whose accounts are counted one by one too.
const CountedExactly rollcall.ServiceID = "icq"

var regions2001 = []rollcall.Segment{
	{ID: "north-america", Name: "North America"},
	{ID: "europe", Name: "Europe"},
	{ID: "asia-pacific", Name: "Asia and the Pacific"},
	{ID: "oceania", Name: "Oceania", Into: "asia-pacific"},
	{ID: "latin-america", Name: "Latin America"},
}

// Regions gives the census's segments: where the servers took an account to be.
// One is merged into another.
func Regions() []rollcall.Segment { return slices.Clone(regions2001) }

// devices2001 are the platforms of the census.
var devices2001 = []rollcall.Platform{rollcall.Computer, rollcall.Web, rollcall.Phone, rollcall.OtherPlatform}

// worldwide is a service's worldwide users of May 2001; how its simulated
// accounts are written; and their shares by device and by region, in the order
// of the lists above, which nobody published.
type worldwide struct {
	service rollcall.ServiceID
	users   int
	name    func(i int) string
	devices []float64
	regions []float64
}

var services2001 = []worldwide{
	{
		"msn", 30_000_000, func(i int) string { return "sim" + strconv.Itoa(i) + "@example.com" },
		[]float64{.94, .03, .02, .01}, []float64{.34, .31, .17, .04, .14},
	},
	{
		"aim", 29_000_000, func(i int) string { return "sim" + strconv.Itoa(i) },
		[]float64{.89, .06, .03, .02}, []float64{.84, .08, .04, .01, .03},
	},
	{
		"icq", 23_000_000, func(i int) string { return strconv.Itoa(100_000_000 + i) },
		[]float64{.92, .02, .04, .02}, []float64{.24, .46, .17, .03, .10},
	},
	{
		"yahoo", 14_000_000, func(i int) string { return "sim_" + strconv.Itoa(i) },
		[]float64{.79, .17, .03, .01}, []float64{.45, .12, .33, .04, .06},
	},
}

// Shares of an account's sessions on a computer, where that is not its usual
// device, and of those in a region drawn anew.
const (
	onComputer = 0.3
	abroad     = 0.02
)

// Census gives the census stream of a month: every account of the sample, one
// to five sightings each. Only the first and the last October have one; other
// months give nothing.
func (d *Demonstration) Census(m rollcall.Month) iter.Seq[ingest.Sighting] {
	return func(yield func(ingest.Sighting) bool) {
		if !slices.Contains([]rollcall.Month{firstMonth + 1, lastMonth}, m) {
			return
		}
		days := newDays(d.world, m)
		for k, c := range services2001 {
			told := server{worldwide: c, diarist: diarist{days: days, random: d.stream(forCensus, uint64(k), uint64(m))}}
			if !told.month(d.stream(forAccounts, uint64(k)), yield) {
				return
			}
		}
	}
}

// server tells of the accounts of one service.
type server struct {
	worldwide
	diarist
}

// month gives a month of every account; what lasts of it comes from lasting.
func (v *server) month(lasting *rand.Rand, yield func(ingest.Sighting) bool) bool {
	for i := range v.users / CensusScale {
		device, region := draw(lasting, v.devices), draw(lasting, v.regions)
		name := v.name(i)
		for range 1 + draw(v.random, []float64{0.45, 0.3, 0.15, 0.07, 0.03}) {
			if !yield(v.glimpse(name, device, region)) {
				return false
			}
		}
	}
	return true
}

// glimpse is what a server tells of one session.
func (v *server) glimpse(account string, device, region int) ingest.Sighting {
	if v.random.Float64() < onComputer {
		device = 0
	}
	if v.random.Float64() < abroad {
		region = draw(v.random, v.regions)
	}
	s := ingest.Sighting{
		Market: World().ID, Service: v.service, Account: account,
		Platform: devices2001[device], Segment: regions2001[region].ID, Location: v.place(device),
		Kind: []rollcall.Kind{rollcall.Login, rollcall.Presence, rollcall.Use}[draw(v.random, []float64{0.2, 0.5, 0.3})],
	}
	h := habitAt(s.Location)
	s = v.session(h, v.someDay(h), s)
	if s.Kind == rollcall.Login {
		s.Until = time.Time{}
	}
	return s
}

// place gives where a device is: a phone's is neither home nor work.
func (v *server) place(device int) rollcall.Location {
	switch {
	case devices2001[device] == rollcall.Phone:
		return rollcall.Elsewhere
	case v.random.Float64() < 0.3:
		return rollcall.Work
	}
	return rollcall.Home
}
