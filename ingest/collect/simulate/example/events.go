package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/simulate"
)

// events gives what the panel's meters saw.
func (p *recruited) events(m *simulate.Month) (lines []byte) {
	for s := range m.Sightings() {
		name, ok := p.names[s.Panelist]
		if !ok {
			continue
		}
		s.Panel, s.Panelist = panelID, name
		lines = append(s.AppendJSON(lines), '\n')
	}
	return lines
}

// firm is how many accounts of one service its gateway sees.
const firm = 120

// accounts gives what the gateway of a firm saw of MSN in the month: each account
// once or twice, on days of work.
func accounts() (lines []byte) {
	r := rand.New(rand.NewPCG(simulate.DefaultSeed, firm))
	for i := range firm {
		for range 1 + r.IntN(2) {
			begin := time.Date(2002, time.October, workday(r.IntN(23)), 7+r.IntN(9), r.IntN(60), r.IntN(60), 0, time.UTC)
			lines = append(ingest.Sighting{
				Time: begin, Until: begin.Add(time.Duration(2+r.IntN(40)) * time.Minute), Market: simulate.Place().ID, Service: "msn",
				Account: fmt.Sprintf("invented%03d@example.com", i+1), Location: rollcall.Work, Kind: rollcall.Presence,
			}.AppendJSON(lines), '\n')
		}
	}
	return lines
}

// workday gives the day of October 2002, which began on a Tuesday, that is the
// n-th of work, the first being 0.
func workday(n int) int {
	const tuesday = 1
	return 1 + (n+tuesday)/5*7 + (n+tuesday)%5 - tuesday
}
