package server

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// panelists of each market's panel; the roster lacks the last few.
const (
	panelists = 210
	rostered  = 200
)

var (
	sexes = []string{"F", "M"}
	ages  = []string{"15-24", "25-49", "50+"}
)

// panelFiles are a market's roster and universe.
func panelFiles(market string) (roster, universe string) {
	r := rand.New(rand.NewPCG(uint64(market[0]), 3))
	var lines strings.Builder
	lines.WriteString("panelist,home,work,base_weight,sex,age\n")
	for i := range rostered {
		home, work := 1, r.IntN(2)
		if i%11 == 0 {
			home, work = 0, 1
		}
		fmt.Fprintf(&lines, "P%04d,%d,%d,%.3f,%s,%s\n", i, home, work, 0.5+r.Float64(), sexes[r.IntN(2)], ages[r.IntN(3)])
	}
	return lines.String(), `margin,category,population,source,source_date
sex,F,5200000,A study,2002-09-15
sex,M,4800000,A study,2002-09-15
age,15-24,2100000,Another study,2002-10-01
age,25-49,4700000,Another study,2002-10-01
age,50+,3200000,Another study,2002-10-01
`
}

// script draws the events of two markets over the turn of a year, at which the
// census has another key.
type script struct {
	rand  *rand.Rand
	lines []string
	late  []string
}

// analystEvents are of panel and census, with kinds that count nothing,
// intervals, panelists who are on no roster, and events that come late or twice
// or both.
func analystEvents() []string {
	s := &script{rand: rand.New(rand.NewPCG(2002, 12))}
	first := time.Date(2002, 11, 30, 22, 0, 0, 0, time.UTC)
	for day := range 64 {
		noon := first.AddDate(0, 0, day)
		for _, market := range bothMarkets {
			s.panelDay(market, noon)
			s.censusDay(market, noon)
		}
	}
	s.rand.Shuffle(len(s.late), func(i, j int) { s.late[i], s.late[j] = s.late[j], s.late[i] })
	return slices.Concat(s.lines, s.late)
}

var watched = []string{"msn", "aim", "icq", "yahoo", "jabber"}

// panelDay has some panelists use what they like, and go online besides.
func (s *script) panelDay(market string, day time.Time) {
	for i := range panelists {
		if s.rand.IntN(3) != 0 {
			continue
		}
		who := fmt.Sprintf(`"panel":"nn","panelist":"P%04d"`, i)
		s.event(market, "online", who, day)
		for range s.rand.IntN(3) {
			s.event(market, watched[(i+s.rand.IntN(3))%len(watched)], who, day)
		}
	}
}

// censusDay has accounts of which some come every day.
func (s *script) censusDay(market string, day time.Time) {
	for range 150 {
		who := fmt.Sprintf(`"account":"someone.%d@example.org"`, s.rand.IntN(20+s.rand.IntN(4000)))
		s.event(market, watched[s.rand.IntN(len(watched))], who, day)
	}
}

func (s *script) event(market, service, who string, day time.Time) {
	at := day.Add(time.Duration(s.rand.Int64N(int64(24 * time.Hour))))
	until := ""
	if s.rand.IntN(3) == 0 {
		until = fmt.Sprintf(`"until":%q,`, at.Add(time.Duration(s.rand.Int64N(int64(3*time.Hour)))).Format(time.RFC3339Nano))
	}
	place := []string{"home", "home", "home", "work", "work", "elsewhere"}[s.rand.IntN(6)]
	kind := []string{"login", "presence", "use", "use", "logout", "login_failed"}[s.rand.IntN(6)]
	line := fmt.Sprintf(`{"time":%q,%s"market":%q,"service":%q,"location":%q,"kind":%q,%s}`,
		at.Format(time.RFC3339Nano), until, market, service, place, kind, who)
	switch s.rand.IntN(20) {
	case 0:
		s.late = append(s.late, line, line)
	case 1:
		s.late = append(s.late, line)
	case 2:
		s.lines = append(s.lines, line, line)
	default:
		s.lines = append(s.lines, line)
	}
}
