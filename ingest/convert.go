package ingest

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall"
)

// Converter makes sightings into events. It is safe for concurrent use.
type Converter struct {
	Keys      *Keys
	Catalogue func() *rollcall.Catalogue // today's markets and services
	Now       func() time.Time
	// HasRoster says whether a panel has been given a roster of any month; nil:
	// nobody asks. Events of one that has none are taken all the same.
	HasRoster func(rollcall.MarketID, rollcall.PanelID) bool

	segments segments  // that its batchers have taken
	batches  sync.Pool // of *rollcall.Batch, for its batchers
}

// batch gives an empty batch.
func (c *Converter) batch() *rollcall.Batch {
	b, ok := c.batches.Get().(*rollcall.Batch)
	if !ok {
		return new(rollcall.Batch)
	}
	b.Reset()
	return b
}

// withoutRoster reports whether a panel's sighting is of one without a roster.
func (c *Converter) withoutRoster(market rollcall.MarketID, panel rollcall.PanelID) bool {
	return c.HasRoster != nil && !c.HasRoster(market, panel)
}

// Append appends the sighting as an event, pseudonymised and valid; the error
// is an Invalid that names the field, and then nothing is appended. Age is
// judged against record, the log record's timestamp, unless backfill lifts it.
//
// An account has another pseudonym in each local year, and from a rotation of the
// master key on, so what it does over such a midnight is two events, cut there:
// minutes under another day's key could be counted with neither. Where the day's
// key is missing the error is ErrKeyMissing, and not an Invalid.
func (c *Converter) Append(to []rollcall.Event, s *Sighting, record time.Time, backfill bool) ([]rollcall.Event, error) {
	e := rollcall.Event{
		Group: rollcall.Group{
			Market: s.Market, Service: s.Service, Location: s.Location, Kind: s.Kind, Panel: s.Panel,
			Platform: s.Platform, Precision: s.Precision,
			// A sighting may hold parts of the input. The catalogue's own names
			// take the place of the others; a segment may be in no catalogue.
			Segment: rollcall.SegmentID(strings.Clone(string(s.Segment))),
		},
		Time:  s.Time,
		Until: s.Until,
	}
	if _, err := checkWho(s); err != nil {
		return to, err
	}
	if err := e.Validate(); err != nil {
		return to, unquoted(err)
	}
	catalogue := c.Catalogue()
	if err := catalogue.Check(&e.Group); err != nil {
		return to, unquoted(err)
	}
	if !backfill {
		if err := e.Age(record); err != nil {
			return to, err
		}
	}
	calendar, err := catalogue.Calendar(s.Market)
	if err != nil {
		return to, err
	}
	if s.Panel == "" {
		service, err := catalogue.Service(s.Service)
		if err != nil {
			return to, err
		}
		return c.appendAccount(to, s.Account, e, service, calendar)
	}
	k, err := c.Keys.panel(s.Panel, calendar.Day(e.Time))
	if err != nil {
		return to, err
	}
	e.Panel, e.Visitor, e.Key = rollcall.PanelID(k.of), k.panelist(s.Panelist), k.id
	return append(to, e), nil
}

// appendAccount appends an account's event, cut where its pseudonym changes.
func (c *Converter) appendAccount(to []rollcall.Event, account string, e rollcall.Event, service rollcall.Service, calendar *rollcall.Calendar) ([]rollcall.Event, error) {
	out, day := to, calendar.Day(e.Time)
	last := day
	if !e.Until.IsZero() {
		last = max(day, calendar.Day(e.Until.Add(-1)))
	}
	for {
		var err error
		if e.Visitor, e.Key, err = c.Keys.Account(service, day, account); err != nil {
			return to, err
		}
		if day = c.Keys.nextChange(service.Epoch, day, last); day > last {
			return append(out, e), nil
		}
		part := e
		part.Until = calendar.Start(day).Time()
		out, e.Time = append(out, part), part.Until
	}
}

// checkWho refuses a sighting of nobody, or of both an account and a panelist. It
// gives the spelling that makes the pseudonym.
func checkWho(s *Sighting) (spelling string, err error) {
	switch {
	case s.Panel == "" && s.Panelist == "" && s.Account == "":
		return "", &rollcall.Invalid{Field: "account", Reason: "is missing (or give panel and panelist)", Code: "account_missing"}
	case s.Account != "" && (s.Panel != "" || s.Panelist != ""):
		return "", &rollcall.Invalid{Field: "account", Reason: "stands beside a panelist; give one of them", Code: "account_and_panelist"}
	case s.Account != "":
		spelling = Normalise(s.Service, s.Account)
		return spelling, checkName("account", s.Account, spelling, maxAccount)
	case s.Panel == "":
		return "", &rollcall.Invalid{Field: "panel", Reason: "is missing", Code: "panel_missing"}
	case s.Panelist == "":
		return "", &rollcall.Invalid{Field: "panelist", Reason: "is missing", Code: "panelist_missing"}
	}
	spelling = strings.TrimSpace(s.Panelist)
	return spelling, checkName("panelist", s.Panelist, spelling, maxPanelist)
}

// The longest names that schemas/event.schema.json allows, in characters.
const (
	maxAccount  = 1024
	maxPanelist = 256
)

// checkName refuses a name that is too long, is not UTF-8 or has control characters, or of
// which the spelling that makes the pseudonym has nothing left: all such would
// be one visitor. It never quotes the name, which may be somebody's address.
func checkName(field, name, spelling string, most int) error {
	if spelling == "" {
		return &rollcall.Invalid{Field: field, Reason: "is blank", Code: field + "_missing"}
	}
	if !utf8.ValidString(name) { // a table's: two such would become one
		return &rollcall.Invalid{Field: field, Reason: "is not UTF-8 text", Code: field}
	}
	if strings.ContainsFunc(spelling, unicode.IsControl) {
		return &rollcall.Invalid{Field: field, Reason: "has a control character", Code: field}
	}
	if len(name) > most && utf8.RuneCountInString(name) > most {
		return &rollcall.Invalid{Field: field, Reason: fmt.Sprintf("is longer than %d characters", most), Code: field + "_too_long"}
	}
	return nil
}
