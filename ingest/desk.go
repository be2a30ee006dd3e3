package ingest

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall"
)

// Desk turns sightings into events. It is safe for concurrent use.
type Desk struct {
	Keys      *Keys
	Catalogue func() *rollcall.Catalogue // today's markets and services
	Now       func() time.Time
}

// Event gives the sighting as an event, pseudonymised and valid; the error is
// an Invalid that names the field. Age is judged against record, the log
// record's timestamp, unless backfill lifts it.
func (d *Desk) Event(s *Sighting, record time.Time, backfill bool) (rollcall.Event, error) {
	e := rollcall.Event{
		Group: rollcall.Group{
			Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Panel: s.Panel,
		},
		Time:  s.Time,
		Until: s.Until,
	}
	if err := checkWho(s); err != nil {
		return e, err
	}
	if err := e.Validate(); err != nil {
		return e, err
	}
	catalogue := d.Catalogue()
	if err := catalogue.Check(&e.Group); err != nil {
		return e, err
	}
	if !backfill {
		if err := e.Age(record); err != nil {
			return e, err
		}
	}
	return e, d.pseudonym(s, &e, catalogue)
}

func (d *Desk) pseudonym(s *Sighting, e *rollcall.Event, catalogue *rollcall.Catalogue) error {
	if s.Panel != "" {
		k := d.Keys.panel(s.Panel)
		e.Panel, e.Visitor, e.Key = rollcall.PanelID(k.of), k.panelist(s.Panelist), k.id
		return nil
	}
	calendar, err := catalogue.Calendar(s.Market)
	if err != nil {
		return err
	}
	e.Visitor, e.Key = d.Keys.Account(s.Service, calendar.Year(s.Time), s.Account)
	return nil
}

// checkWho refuses a sighting of nobody, or of both an account and a panelist.
func checkWho(s *Sighting) error {
	switch {
	case s.Panel == "" && s.Panelist == "" && s.Account == "":
		return &rollcall.Invalid{Field: "account", Reason: "is missing (or give panel and panelist)", Code: "account_missing"}
	case s.Account != "" && (s.Panel != "" || s.Panelist != ""):
		return &rollcall.Invalid{Field: "account", Reason: "stands beside a panelist; give one of them", Code: "account_and_panelist"}
	case s.Account != "":
		return checkName("account", s.Account, Normalise(s.Service, s.Account), maxAccount)
	case s.Panel == "":
		return &rollcall.Invalid{Field: "panel", Reason: "is missing", Code: "panel_missing"}
	case s.Panelist == "":
		return &rollcall.Invalid{Field: "panelist", Reason: "is missing", Code: "panelist_missing"}
	}
	return checkName("panelist", s.Panelist, strings.TrimSpace(s.Panelist), maxPanelist)
}

// The longest names that schemas/event.schema.json allows, in characters.
const (
	maxAccount  = 1024
	maxPanelist = 256
)

// checkName refuses a name that is too long, or of which the spelling that
// makes the pseudonym has nothing left: all such would be one visitor. It
// never quotes the name, which may be somebody's address.
func checkName(field, name, spelling string, most int) error {
	if spelling == "" {
		return &rollcall.Invalid{Field: field, Reason: "is blank", Code: field + "_missing"}
	}
	if len(name) > most && utf8.RuneCountInString(name) > most {
		return &rollcall.Invalid{Field: field, Reason: fmt.Sprintf("is longer than %d characters", most), Code: field + "_too_long"}
	}
	return nil
}
