package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/calibrate"
	"rollcall/aggregate/panel"
)

// checkCompare refuses a month that no version pins.
func checkCompare(r *rollcall.Query) error {
	refuse := func(reason string) error {
		return &rollcall.Invalid{Field: "compare", Value: r.Compare, Reason: reason, Code: "compare"}
	}
	switch {
	case r.Compare == "":
		return nil
	case r.Report != "ranking":
		return refuse("is not for " + r.Report + ", but for ranking")
	case r.Compare == previousMonth || r.Compare == lastYear:
		return nil
	}
	m, err := rollcall.ParseMonth(r.Compare)
	if err != nil {
		return refuse("is not previous, year or a month YYYY-MM")
	}
	if m >= r.Of.Month || m < r.Of.Month-audience.History {
		return refuse(fmt.Sprintf("is not one of the %d months before %s", audience.History, r.Of.Month))
	}
	return nil
}

// past is the compared month's view of the same kind, matched person by person.
type past struct {
	*audience.View
	pair      *panel.Pair
	intervals panel.Intervals
}

// alike gives a sample's view of the job's kind, judged by its limits.
func alike(j *job, s *audience.Sample) *audience.View {
	return s.View(j.view.Credit, j.view.Place, j.target).Judged(j.view.Settings)
}

// past gives the compared month as the version pins it, judged by the version's
// own limits; or nil, and a note, where it pins none or one that has aged out or
// can't be compared, and where the period is not the whole month.
func (j *job) past(ctx context.Context) (*past, error) {
	if j.view.Sample != j.month.Whole {
		j.unlike = append(j.unlike, "Changes are from one whole month to another: here they are undefined.")
		return nil, nil
	}
	before, err := j.recall(ctx, comparedWith(&j.request))
	if before == nil || err != nil || j.differs(before) || weighedApart(j, before) {
		return nil, err
	}
	j.unlike = append(j.unlike, calibrate.Unchanged(j.month, before)...)
	pair := panel.Compare(j.month.Weights, before.Weights)
	return &past{View: alike(j, before.Whole), pair: pair, intervals: pair.Intervals(j.view.Settings.Confidence)}, nil
}

// same gives the same services in the month's own catalogue.
func (p *past) same(v *audience.View, services audience.Set) audience.Set {
	var out audience.Set
	for s := range services.Each {
		if i := p.Last().Service(v.Catalogue()[s].ID); i >= 0 {
			out = out.With(i)
		}
	}
	return out
}

// recall loads the month that changes are from, as the version pins it; nil, and
// a note, where it pins none or that has aged out.
func (j *job) recall(ctx context.Context, at rollcall.Month) (*audience.Month, error) {
	if j.month.Doc.Pinned(at) == nil {
		j.unlike = append(j.unlike, fmt.Sprintf("No version of %s was there to compare with when that of %s was made: figures that need it are undefined.", at, j.month.Doc.Of.Month))
	}
	return j.pinned(ctx, at)
}

// pinned loads a month that the version pins; nil where it pins none, or where
// that has aged out, which the report's notes then say.
func (j *job) pinned(ctx context.Context, at rollcall.Month) (*audience.Month, error) {
	p := j.month.Doc.Pinned(at)
	if p == nil || j.misses(at) {
		return nil, nil
	}
	return j.reporter.Months.Month(ctx, p.Document)
}

// misses reports, and notes, that a month which the version pins has aged out.
func (j *job) misses(at rollcall.Month) bool {
	if j.month.Doc.Pinned(at) == nil || j.ages.Since(at).IsZero() {
		return false
	}
	j.missed = append(j.missed, at.String())
	return true
}

// missing says which months the report lacks, and why, each once.
func (j *job) missing() (notes []string) {
	var missed []string
	for _, m := range j.missed {
		missed = addNew(missed, m)
	}
	if len(missed) > 0 {
		notes = append(notes, fmt.Sprintf("Aged out, and so left out: %s. Figures that need these months are undefined, though they may have been published.",
			strings.Join(missed, ", ")))
	}
	for _, note := range j.unlike {
		notes = addNew(notes, note)
	}
	return notes
}

// addNew adds a text that is not in the list.
func addNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// notCalibratedAs begins why two months can't be compared.
const notCalibratedAs = "it is not calibrated as "

// weighedApart reports, and notes, that a month is not calibrated as the report's
// own is: a difference of the two would be that of the calibrating.
func weighedApart(j *job, m *audience.Month) bool {
	alike := audience.CalibratedAlike(m, j.month)
	if !alike {
		j.apart(m, notCalibratedAs+j.month.Doc.Of.Month.String()+" is")
	}
	return !alike
}

// differs reports, and notes, that a month can't be put beside the report's own:
// its panelists can't be told to be the same persons, or its roster doesn't say
// who of them is in the target.
func (j *job) differs(m *audience.Month) bool {
	if m.Roster.Key != j.month.Roster.Key {
		j.apart(m, "its panelists' pseudonyms are of another key")
		return true
	}
	return j.blind(m)
}

// blind reports, and notes, that a month's roster doesn't say who is in the
// target. (Not even its opposite then holds for anybody.)
func (j *job) blind(m *audience.Month) bool {
	err := j.target.Check(m.Columns)
	if err != nil {
		j.apart(m, err.Error())
	}
	return err != nil
}

func (j *job) apart(m *audience.Month, why string) {
	j.unlike = append(j.unlike, fmt.Sprintf("%s can't be compared: %s. Figures that need it are undefined.", m.Doc.Of.Month, why))
}
