package simulate

import (
	"fmt"
	"time"

	"rollcall"
)

// PanelID names the demonstration panel.
const PanelID rollcall.PanelID = "demo"

// DefaultSeed is the seed that `rollcall demo` takes where none is given.
const DefaultSeed = 2002

// Place gives the panel's market.
func Place() rollcall.Market {
	return rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris", Simulated: true}
}

// First and last month of the demonstration.
const (
	firstMonth = rollcall.Month(2002*12 + int(time.September) - 1)
	lastMonth  = rollcall.Month(2003*12 + int(time.October) - 1)
)

// Months gives the demonstration's months, in order: 2002-09 to 2003-10.
func Months() []rollcall.Month {
	var out []rollcall.Month
	for m := firstMonth; m <= lastMonth; m++ {
		out = append(out, m)
	}
	return out
}

// The services in the demonstration, as positions in every array of this
// package.
const (
	msn = iota
	aim
	yahoo
	icq
	jabber
	voila
	services
)

var serviceIDs = [services]rollcall.ServiceID{"msn", "aim", "yahoo", "icq", "jabber", "voila"}

// target is what one month's figures must come to, in thousand persons at home
// and at work. Published: MSN of 2002-10; MSN, Yahoo!, AIM, ICQ and the active
// universe of 2003-10. Of the other services of 2002-10 only the order was
// published. All else is ours: a smooth way between them, with a quiet summer,
// and two services too small to report, of which Jabber's users are enough for
// the mean of three months.
type target struct {
	universe, active float64
	users            [services]float64 // in the order of serviceIDs
}

// targets has a line a month from firstMonth.
var targets = [...]target{
	{19400, 14060, [services]float64{1478, 552, 398, 312, 58, 56}}, // 2002-09
	{19640, 14300, [services]float64{1585, 545, 410, 305, 60, 54}}, // published
	{19880, 14480, [services]float64{1702, 541, 414, 301, 60, 52}},
	{20120, 14520, [services]float64{1798, 528, 409, 290, 61, 51}},
	{20370, 14890, [services]float64{1964, 533, 421, 286, 62, 49}}, // 2003-01
	{20610, 15020, [services]float64{2087, 521, 425, 279, 62, 47}},
	{20860, 15260, [services]float64{2246, 514, 428, 268, 63, 45}},
	{21110, 15310, [services]float64{2381, 509, 433, 262, 63, 43}},
	{21350, 15390, [services]float64{2524, 497, 437, 255, 64, 41}},
	{21600, 15420, [services]float64{2640, 488, 441, 247, 65, 39}},
	{21850, 15010, [services]float64{2655, 462, 430, 229, 63, 36}},
	{22100, 14870, [services]float64{2702, 455, 426, 224, 64, 33}},
	{22350, 16310, [services]float64{3120, 470, 448, 221, 65, 31}},
	{22600, 16800, [services]float64{3494, 452, 459, 215, 66, 29}}, // published
}

const thousand = 1000

func targetOf(m rollcall.Month) (target, error) {
	if m < firstMonth || m > lastMonth {
		return target{}, &rollcall.Invalid{Field: "month", Value: m.String(),
			Reason: fmt.Sprintf("is not in the demonstration, which has %s to %s", firstMonth, lastMonth), Code: "month"}
	}
	return targets[m-firstMonth], nil
}

// Source says of the universe, and so on every report, that it is simulated
// and what it is calibrated to.
func Source(seed uint64) string {
	return fmt.Sprintf("simulated by Rollcall (seed %d); calibrated to the figures that Nielsen//NetRatings published for France, home and work: "+
		"October 2002, MSN Messenger 1,585,000, before AIM, Yahoo! and ICQ; "+
		"October 2003, MSN 3,494,000, Yahoo! 459,000, AIM 452,000, ICQ 215,000, some 16.8 million persons active; all else is invented", seed)
}

// SeedOf reads the seed from what Source wrote; false where another wrote it.
func SeedOf(source string) (seed uint64, ok bool) {
	_, err := fmt.Sscanf(source, "simulated by Rollcall (seed %d)", &seed)
	return seed, err == nil
}
