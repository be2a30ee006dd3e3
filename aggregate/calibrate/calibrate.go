package calibrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// Plan is what a close asks to be calibrated.
type Plan struct {
	Services  []rollcall.ServiceID
	PerPerson string // the text of a file of accounts a person
}

// perPersonFile is what faults of the file name it.
const perPersonFile = "accounts-per-person"

// Document gives a month's document the services that a plan names, with their
// accounts as they are now and what the panel says of them alone. It refuses, with
// an Invalid that names the service, one that is not known or has no line in the
// file, and a census that is not complete for the month.
func Document(ctx context.Context, store rollcall.Store, d *audience.Document, parts audience.Parts, plan Plan) error {
	if len(plan.Services) == 0 {
		if plan.PerPerson == "" {
			return nil
		}
		return &rollcall.Invalid{Field: "calibrate", Reason: "is missing: accounts a person are for services that are named", Code: "calibrate"}
	}
	lines, err := read(d, plan)
	if err != nil {
		return err
	}
	alone, err := audience.NewMonth(rollcall.Hash{}, d, parts)
	if err != nil {
		return err
	}
	for _, line := range lines {
		c := audience.Calibrated{
			Service: rollcall.ServiceID(line.Service), Location: placeOf(line), PerPerson: line.Accounts, SE: line.SE,
			Source: line.Source, SourceDate: line.SourceDate, Efficiency: alone.Weights.Quality().Efficiency,
		}
		if c.Accounts, c.AccountsRSE, err = Count(ctx, store, d, c.Service, c.Location); err != nil {
			return err
		}
		v := alone.Whole.View(rollcall.ByPresence, rollcall.HomeWork, nil)
		own := v.Weights.Linear(panel.Part{Factor: 1, Term: v.People(audience.SetOf(alone.Service(c.Service)))})
		c.Own, c.OwnSE = own.Value, own.SE
		d.Calibrated = append(d.Calibrated, c)
	}
	return nil
}

func placeOf(line panel.PerPerson) string {
	if line.AnyPlace {
		return rollcall.AnyPlace
	}
	return string(rollcall.HomeWork)
}

// read gives the file's lines of the services named, by service.
func read(d *audience.Document, plan Plan) (out []panel.PerPerson, err error) {
	lines, err := panel.ReadPerPerson(strings.NewReader(plan.PerPerson), perPersonFile)
	if err != nil {
		return nil, err
	}
	refuse := func(id rollcall.ServiceID, reason string) ([]panel.PerPerson, error) {
		return nil, &rollcall.Invalid{Field: "calibrate", Value: string(id), Reason: reason, Code: "calibrate"}
	}
	var known []string
	for _, s := range d.Services {
		known = append(known, string(s.ID))
	}
	named := slices.Clone(plan.Services)
	slices.Sort(named)
	for i, id := range named {
		at := slices.IndexFunc(lines, func(l panel.PerPerson) bool { return l.Service == string(id) })
		switch {
		case i > 0 && named[i-1] == id:
			return refuse(id, "is named twice")
		case id == rollcall.Online:
			return refuse(id, "is any internet use, which has no census of its own")
		case !slices.Contains(known, string(id)):
			return nil, &rollcall.Unknown{Kind: "service", Name: string(id), Near: rollcall.Nearest(string(id), known)}
		case at < 0:
			return refuse(id, "has no line in "+perPersonFile+", whose lines are of: "+servicesOf(lines))
		case ofPanel(lines[at].Source, d.Of.Panel):
			return refuse(id, fmt.Sprintf("has its accounts a person from this panel (%q): what it is calibrated with must not be its own", lines[at].Source))
		}
		out = append(out, lines[at])
	}
	return out, nil
}

// servicesOf names what lines are of.
func servicesOf(lines []panel.PerPerson) string {
	if len(lines) == 0 {
		return "no service"
	}
	var ids []string
	for _, l := range lines {
		ids = append(ids, l.Service)
	}
	return strings.Join(ids, ", ")
}

// ofPanel reports whether a source names the panel itself.
func ofPanel(source string, id rollcall.PanelID) bool {
	words := strings.FieldsFunc(strings.ToLower(source), func(r rune) bool { return strings.ContainsRune(" ,;:()\"'", r) })
	at := slices.Index(words, "panel")
	if len(words) == 1 {
		return words[0] == strings.ToLower(string(id))
	}
	return at >= 0 && (slices.Contains(words, strings.ToLower(string(id))) || at > 0 && words[at-1] == "this")
}
