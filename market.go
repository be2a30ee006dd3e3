package rollcall

import (
	"strings"
	"time"
)

// MarketID names a market, usually by its country: "FR".
type MarketID string

// Market is a country (or region) with the zone whose calendar its days and
// months follow.
type Market struct {
	ID   MarketID `json:"market"`
	Name string   `json:"name"`
	Zone string   `json:"zone"` // IANA, such as Europe/Paris

	Simulated bool `json:"simulated,omitempty"` // its people do not exist; so for ever, from when it was added
}

// Calendar loads the market's zone. The error names the zone.
func (m Market) Calendar() (*Calendar, error) {
	if err := CheckID("market", string(m.ID)); err != nil {
		return nil, err
	}
	if m.Zone == "" || m.Zone == "Local" || strings.HasPrefix(m.Zone, "/") {
		return nil, &Invalid{Field: "zone", Value: m.Zone, Reason: "is not an IANA zone such as Europe/Paris", Code: "zone"}
	}
	loc, err := time.LoadLocation(m.Zone)
	if err != nil {
		return nil, &Invalid{Field: "zone", Value: m.Zone, Reason: "is not an IANA zone such as Europe/Paris", Code: "zone"}
	}
	return &Calendar{loc: loc}, nil
}
