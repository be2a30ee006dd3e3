package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"rollcall"
	"rollcall/api/export"
)

// message is what one destination is told.
type message struct {
	rollcall.Delivery
	id          string // the same whenever and to whomever this is told
	market      rollcall.Market
	publication rollcall.Publication // Version 0: the month was not closed
	schedule    *Schedule
}

// message gathers what an errand is to tell.
func (s *Schedule) message(ctx context.Context, d rollcall.Delivery) (*message, error) {
	m := &message{Delivery: d, schedule: s}
	markets := s.Catalogue().Markets
	if i := slices.IndexFunc(markets, func(k rollcall.Market) bool { return k.ID == d.Market }); i >= 0 {
		m.market = markets[i]
	}
	if d.Version == 0 {
		m.id = idOf(d.Errand, m.publication)
		return m, nil
	}
	all, err := s.Publications(ctx, d.Market, d.Panel)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(p rollcall.Publication) bool { return p.PanelMonth == d.PanelMonth && p.Version == d.Version })
	if i < 0 {
		return nil, rollcall.NoVersion(d.PanelMonth, d.Version, all)
	}
	m.publication = all[i]
	m.id = idOf(d.Errand, m.publication)
	if !m.publication.Withdrawn.IsZero() {
		return nil, fmt.Errorf("the version was withdrawn meanwhile: %w", errGone)
	}
	return m, nil
}

// idOf is a hash of what a message is about. Receivers know by it what they have
// had already. It is the same in a copy of the store, and another in another
// deployment that publishes a version of the same name.
func idOf(e rollcall.Errand, p rollcall.Publication) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %v %d %q %v %d", e.Market, e.Panel, e.Month, e.Version, e.Cause, p.Document, p.Time.UnixNano()))
	return "msg_" + hex.EncodeToString(sum[:16])
}

// month gathers the version's reports.
func (m *message) month(ctx context.Context) (*export.Month, error) {
	s := m.schedule
	month, err := export.Gather(ctx, s.Report, s.Catalogue(), m.publication, s.plan.locale)
	if errors.Is(err, rollcall.ErrWithdrawn) || errors.Is(err, rollcall.ErrAgedOut) {
		err = errors.Join(err, errGone)
	}
	return month, err
}

// event is a message as a program reads it, after Standard Webhooks.
type event struct {
	Type      string    `json:"type"`      // month.closed or month.not_closed
	Timestamp time.Time `json:"timestamp"` // of what happened
	Data      eventData `json:"data"`
}

// eventData is what an event is about.
type eventData struct {
	Market     rollcall.MarketID          `json:"market"`
	MarketName string                     `json:"market_name,omitempty"`
	Panel      rollcall.PanelID           `json:"panel"`
	Month      string                     `json:"month"`
	Simulated  bool                       `json:"simulated,omitempty"`
	Version    int                        `json:"version,omitempty"` // closed: from here on
	Status     rollcall.PublicationStatus `json:"status,omitempty"`
	Document   string                     `json:"document,omitempty"`
	Report     string                     `json:"report,omitempty"` // the ranking's path in the API
	Folder     string                     `json:"folder,omitempty"` // the folder's path there
	Code       string                     `json:"code,omitempty"`   // not closed: files, efficiency, incoherent or invalid
	Reason     string                     `json:"reason,omitempty"` // in words
}

func (m *message) event() event {
	e := event{Type: "month.not_closed", Timestamp: m.Since.UTC(), Data: eventData{
		Market: m.Market, MarketName: m.market.Name, Panel: m.Panel, Month: m.Month.String(), Simulated: m.market.Simulated,
		Code: m.Cause, Reason: m.Text,
	}}
	if p := &m.publication; p.Version > 0 {
		e.Type, e.Timestamp = "month.closed", p.Time.UTC()
		e.Data.Version, e.Data.Status, e.Data.Document = p.Version, p.Status, p.Document.String()
		e.Data.Report = fmt.Sprintf("/v1/reports/ranking?market=%s&panel=%s&month=%s&version=%d", p.Market, p.Panel, p.Month, p.Version)
		e.Data.Folder = fmt.Sprintf("/v1/publications/%s/%s/%s/%d/folder.zip", p.Market, p.Panel, p.Month, p.Version)
	}
	return e
}
