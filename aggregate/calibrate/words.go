package calibrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// Bounds of what is no cause for a warning: by how much the users of a census may
// differ from the panel's own.
const (
	leastRatio = 0.67
	mostRatio  = 1.5
)

// Meta gives what some months are calibrated to, as a report tells it.
func Meta(months []*audience.Month) (out []rollcall.Calibrated) {
	for _, m := range months {
		for _, c := range m.Doc.Calibrated {
			out = append(out, rollcall.Calibrated{
				Service: c.Service, Month: m.Doc.Of.Month.String(), Location: c.Location,
				Accounts: c.Accounts, AccountsSE: c.AccountsRSE * c.Accounts, PerPerson: c.PerPerson, SE: c.SE, Source: c.Source, SourceDate: c.SourceDate,
				Persons: c.Persons(), PersonsSE: c.RSE() * c.Persons(), Own: c.Own, OwnSE: c.OwnSE, Ratio: ratio(&c),
				Before: 100 * c.Efficiency, After: 100 * m.Weights.Quality().Efficiency,
			})
		}
	}
	return out
}

// ratio is infinite where the panel has no user: then nothing can be calibrated.
func ratio(c *audience.Calibrated) float64 { return c.Persons() / c.Own }

// Method gives "msn,icq": the services that a month is calibrated to.
func Method(m *audience.Month) string {
	var ids []string
	for _, c := range m.Doc.Calibrated {
		ids = append(ids, string(c.Service))
	}
	return strings.Join(ids, ",")
}

// Notes say what a month is calibrated to, what that has cost, and what there is
// to doubt. services are those that a report's figures compare.
func Notes(m *audience.Month, services []rollcall.ServiceID) (notes []string) {
	if len(m.Doc.Calibrated) == 0 {
		return nil
	}
	of := m.Doc.Of.Month
	for _, c := range Meta([]*audience.Month{m}) {
		notes = append(notes, fmt.Sprintf("Calibrated to %s: %.0f accounts of its own census in %s (%s, standard error %.0f) by %g accounts a person (standard error %g; %s, %s) are %.0f users, standard error %.0f; the panel alone has %.0f, standard error %.0f: %.2f times as many.",
			c.Service, c.Accounts, of, c.Location, c.AccountsSE, c.PerPerson, c.SE, c.Source, c.SourceDate, c.Persons, c.PersonsSE, c.Own, c.OwnSE, c.Ratio))
		notes = append(notes, doubts(m, &c)...)
	}
	notes = append(notes, efficiency(m))
	if at := m.Whole.Condition(); at.Work < len(m.Roster.Panelists) {
		notes = append(notes, fmt.Sprintf("%d of the %d panelists of %s have no meter at work: who uses a calibrated service there alone is among the others of the panel, and among the users of the census.", len(m.Roster.Panelists)-at.Work, len(m.Roster.Panelists), of))
	}
	if other := slices.IndexFunc(services, func(id rollcall.ServiceID) bool { return !m.Calibrated(id) }); other >= 0 {
		notes = append(notes, fmt.Sprintf("Not calibrated: %s, and every other service without calibrated in its row. Where people join a panel by their taste for all messengers, calibrating some alone biases shares and ranks: calibrate every service that is compared.", services[other]))
	}
	return notes
}

// efficiency says what calibrating has cost, and judges it where it is much.
func efficiency(m *audience.Month) string {
	of, before, now := m.Doc.Of.Month, 100*m.Doc.Calibrated[0].Efficiency, m.Weights.Quality()
	if now.Grade == panel.Good {
		return fmt.Sprintf("Calibrating has brought the weighting efficiency of %s from %.0f %% to %.0f %%.", of, before, 100*now.Efficiency)
	}
	return fmt.Sprintf("Calibrating has brought the weighting efficiency of %s from %.0f %% to %.0f %%: %s.", of, before, 100*now.Efficiency, now.Grade)
}

// Of says to what a month is calibrated, and all that must be said of it; nil: to
// nothing.
func Of(m *audience.Month) *rollcall.Calibration {
	c := Named(m.Doc)
	if c != nil {
		var ids []rollcall.ServiceID
		for _, i := range m.Whole.Listed() {
			ids = append(ids, m.Doc.Services[i].ID)
		}
		c.Notes = Notes(m, ids)
	}
	return c
}

// Named gives the services, and the accounts that a person has; nil: none.
func Named(d *audience.Document) *rollcall.Calibration {
	if len(d.Calibrated) == 0 {
		return nil
	}
	out := &rollcall.Calibration{}
	for _, c := range d.Calibrated {
		out.Services = append(out.Services, c.Service)
		out.Accounts = append(out.Accounts, rollcall.PerPerson{Service: c.Service, PerPerson: c.PerPerson, SE: c.SE, Source: c.Source, SourceDate: c.SourceDate})
	}
	return out
}

// Later says to what a document's version is calibrated, and in what the census is
// another now; nil: to nothing.
func Later(ctx context.Context, store rollcall.Store, d *audience.Document) (*rollcall.Calibration, error) {
	out := Named(d)
	for _, c := range d.Calibrated {
		accounts, rse, err := Count(ctx, store, d, c.Service, c.Location)
		var lacks *Incomplete
		switch {
		case errors.As(err, &lacks):
			out.Since = append(out.Since, lacks.Error())
		case err != nil:
			return nil, err
		case accounts != c.Accounts || rse != c.AccountsRSE:
			out.Since = append(out.Since, fmt.Sprintf("the census of %s in %s has %.0f accounts in %s, where it had %.0f", c.Service, d.Of.Market, accounts, d.Of.Month, c.Accounts))
		}
	}
	return out, nil
}

// Unchanged says of each service that two months are calibrated to by one and the
// same number of accounts a person that the error of that number cancels.
func Unchanged(now, before *audience.Month) (notes []string) {
	for _, a := range now.Doc.Calibrated {
		same := func(b audience.Calibrated) bool {
			return a.Service == b.Service && a.Location == b.Location && a.PerPerson == b.PerPerson && a.SE == b.SE && a.Source == b.Source && a.SourceDate == b.SourceDate
		}
		if slices.ContainsFunc(before.Doc.Calibrated, same) {
			notes = append(notes, fmt.Sprintf("The accounts that a person has of %s are taken as unchanged from %s to %s: their error cancels in changes as far as it is one.", a.Service, before.Doc.Of.Month, now.Doc.Of.Month))
		}
	}
	return notes
}

// doubts are the warnings of one service.
func doubts(m *audience.Month, c *rollcall.Calibrated) (notes []string) {
	if c.Ratio < leastRatio || c.Ratio > mostRatio {
		notes = append(notes, fmt.Sprintf("The census has %.2f times the users of %s that the panel has alone, which is outside %g to %g: do the two count the same persons, use and places?", c.Ratio, c.Service, leastRatio, mostRatio))
	}
	if c.PersonsSE > c.OwnSE {
		notes = append(notes, fmt.Sprintf("The standard error of the users of %s by census, %.0f, is above that of the panel alone, %.0f: calibrating makes its audience less precise.", c.Service, c.PersonsSE, c.OwnSE))
	}
	if dated, err := time.Parse(time.DateOnly, c.SourceDate); err == nil {
		switch {
		case dayOf(dated.AddDate(1, 0, 0)) < m.Doc.Of.Month.First():
			notes = append(notes, fmt.Sprintf("The accounts a person of %s are of %s, more than a year before %s.", c.Service, c.SourceDate, m.Doc.Of.Month))
		case dayOf(dated.AddDate(-1, 0, 0)) > m.Doc.Of.Month.Last():
			notes = append(notes, fmt.Sprintf("The accounts a person of %s are of %s, more than a year after %s: is the date right?", c.Service, c.SourceDate, m.Doc.Of.Month))
		}
	}
	return notes
}

func dayOf(t time.Time) rollcall.Day { return rollcall.DayOf(t.Date()) }
