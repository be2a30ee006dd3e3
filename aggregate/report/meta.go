package report

import (
	"fmt"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/calibrate"
	"rollcall/aggregate/panel"
)

// meta says what the report is about, how it was made and how far it can be
// trusted.
func (j *job) meta() rollcall.Meta {
	v, d, r := j.view, j.month.Doc, j.request
	m := rollcall.Meta{
		Report: r.Report, Market: d.Of.Market, Panel: d.Of.Panel, Month: d.Of.Month.String(),
		Location: string(v.Place), Credit: string(v.Credit), Target: j.target.String(), Pool: r.Pool,
		Version: j.version.Version, Status: string(j.version.Status), Internal: j.version.Internal, Reason: j.version.Reason,
		Simulated:  audience.Simulated(marginsOf(v)),
		Calibrated: calibrate.Meta(weighedTo(v)),
		Universe:   universeOf(v), Sample: sampleOf(v), Weights: v.Condition().Meta,
		Exclusions: exclusionsMeta(v.Months), Confidence: v.Settings.Confidence,
		Thresholds: map[string]int{"low": v.Settings.Low, "caution": v.Settings.Caution},
		Document:   j.month.Hash.String(), Software: j.reporter.Software, Method: j.method(), Notes: j.notes(),
	}
	if r.Live {
		m.Status = "provisional"
	}
	if r.From != d.Of.Month.First() || r.To != d.Of.Month.Last() {
		m.From, m.To = r.From.String(), r.To.String()
		if r.From.Month() != r.To.Month() {
			m.Month = ""
		}
	}
	if p := d.Pinned(comparedWith(&r)); p != nil && r.Pool == 0 && v.Sample == j.month.Whole { // whose changes alone are defined
		m.Compared = &rollcall.ComparedMeta{Month: p.Month.String(), Version: p.Version, Document: p.Document.String()}
	}
	return m
}

func universeOf(v *audience.View) *rollcall.UniverseMeta {
	u := &rollcall.UniverseMeta{Population: v.Weights.Universe(), Active: v.Persons(v.Active()), ID: v.Last().Doc.Universe.String()}
	var sources, dates []string
	for _, margin := range marginsOf(v) {
		sources, dates = addNew(sources, margin.Source), addNew(dates, margin.SourceDate)
	}
	u.Source, u.SourceDate = strings.Join(sources, "; "), strings.Join(dates, "; ")
	return u
}

// marginsOf gives those that the figures' persons are weighed to: the last month's,
// or in a mean of months those of all.
func marginsOf(v *audience.View) (out []rollcall.Margin) {
	for _, m := range weighedTo(v) {
		out = append(out, m.Margins...)
	}
	return out
}

// weighedTo are the months whose margins the figures' persons are weighed to.
func weighedTo(v *audience.View) []*audience.Month {
	if v.Pooled() {
		return v.Months
	}
	return []*audience.Month{v.Last()}
}

// sampleOf is of all the months that the period touches.
func sampleOf(v *audience.View) *rollcall.SampleMeta {
	d := v.Last().Doc
	s := &rollcall.SampleMeta{InTab: v.Weights.Persons(), Diaries: d.Diaries.String(), ID: d.Roster.String()}
	for _, m := range v.Months {
		dropped := m.Doc.Dropped
		s.NotInTab, s.Unmetered, s.Unknown, s.Excluded = s.NotInTab+dropped.NotInTab, s.Unmetered+dropped.Unmetered, s.Unknown+dropped.Unknown, s.Excluded+m.Excluded
	}
	if len(v.Months) == 1 { // who was silent in several is not known
		s.Silent = d.Silent
	}
	c := v.Condition()
	s.Home, s.Work = c.Home, c.Work
	return s
}

// exclusionsMeta gives the recorded rules without pseudonyms; where there are
// several months, by month.
func exclusionsMeta(months []*audience.Month) (out []string) {
	for _, m := range months {
		for _, e := range m.Doc.Exclusions {
			text := excluded(&e)
			if len(months) > 1 {
				text = m.Doc.Of.Month.String() + ": " + text
			}
			out = append(out, text)
		}
	}
	return out
}

func excluded(e *rollcall.Exclusion) string {
	var what []string
	if e.Panelist != 0 {
		what = append(what, "one panelist")
	}
	if e.Service != "" {
		what = append(what, string(e.Service))
	}
	if e.Day != 0 {
		what = append(what, e.Day.String())
	}
	return strings.Join(what, ", ") + ": " + e.Reason
}

// method is the method statement: words and settings that a machine can read,
// "name=value" separated by "; ".
func (j *job) method() string {
	v := j.view
	parts := []string{
		"method=rollcall-1",
		"population=persons",
		"credit=" + string(v.Credit),
		"location=" + string(v.Place),
		"base=" + string(v.Place.Base()),
		"period=" + j.request.From.String() + "/" + j.request.To.String(),
		"zone=" + j.month.Doc.Market.Zone,
		fmt.Sprintf("idle_gap_minutes=%d", audience.IdleGap),
		"weights=raking",
		"variance=taylor-calibration-residuals",
		"sketch=none", // persons are counted one by one
		"interval=t,logit,korn-graubard,hall,fieller",
		fmt.Sprintf("df=%d", v.Intervals.DF()),
		fmt.Sprintf("confidence=%g", v.Settings.Confidence),
		fmt.Sprintf("low=%d", v.Settings.Low),
		fmt.Sprintf("caution=%d", v.Settings.Caution),
		fmt.Sprintf("caution_rse=%g", panel.CautionRSE),
		fmt.Sprintf("trim=%g,%g", v.Settings.Trim.Floor, v.Settings.Trim.Cap),
	}
	if to := calibrate.Method(v.Last()); to != "" {
		parts = append(parts, "calibrated="+to)
	}
	if j.target != nil {
		parts = append(parts, "target="+j.target.String())
	}
	return strings.Join(parts, "; ")
}

// notes are the plain words that go with the figures.
func (j *job) notes() []string {
	v := j.view
	notes := []string{"The universe is taken as fixed: the enumeration study's own sampling error is not in the intervals."}
	if v.Place != rollcall.AtHome {
		notes = append(notes, "Use at unmetered places is not measured: figures at work, and at home and work combined, are lower bounds.")
	}
	for _, note := range v.Condition().Quality.Notes {
		notes = append(notes, "Universe: "+note+".")
	}
	notes = append(notes, weightNotes(v)...)
	for _, m := range weighedTo(v) {
		notes = append(notes, calibrate.Notes(m, serviceIDs(v))...)
	}
	if v.Pooled() {
		notes = append(notes, poolNotes(v)...)
	} else if len(v.Months) > 1 {
		notes = append(notes, fmt.Sprintf("The period touches %d months: figures are of the panelists in tab in all of them, weighted anew to the last month's universe; %.1f %% of its sample is lost.",
			len(v.Months), v.Lost()))
	}
	damaged := 0
	for _, m := range v.Months {
		damaged += m.Doc.Dropped.Damaged
	}
	if damaged > 0 {
		notes = append(notes, fmt.Sprintf("Damaged rows of diaries of this market and month were set aside when the figures were computed: %d. The figures lack them, unless they had been rebuilt from the log.", damaged))
	}
	if j.request.Live {
		notes = append(notes, "Computed live from facts that are not frozen: provisional, and not published.")
	}
	if audience.Simulated(marginsOf(v)) {
		notes = append(notes, "The panel is simulated: these are not measurements of real people.")
	}
	return notes
}

// weightNotes say what weighing has cost, of a mean of months in each of them.
func weightNotes(v *audience.View) (notes []string) {
	if !v.Pooled() {
		if q := v.Condition().Quality; q.Grade != panel.Good {
			notes = append(notes, fmt.Sprintf("Weighting efficiency is %.0f %%: %s.", 100*q.Efficiency, q.Grade))
		}
	} else {
		for _, m := range v.Months {
			if q := m.Whole.Condition().Quality; q.Grade != panel.Good {
				notes = append(notes, fmt.Sprintf("Weighting efficiency of %s is %.0f %%: %s.", m.Doc.Of.Month, 100*q.Efficiency, q.Grade))
			}
		}
	}
	if v.Condition().Meta.Trimming != "none" {
		notes = append(notes, "Weights are trimmed; standard errors take no account of it.")
	}
	return notes
}

// poolNotes say what a mean of months is, and in what its months differ.
func poolNotes(v *audience.View) []string {
	notes := []string{fmt.Sprintf("Pooled over %d months, each with its own weights: totals are the mean of the months', ratios are of those totals, and a person is counted once. Changes are not pooled. In the quality of the weights a person has the mean of its weights in the months.",
		len(v.Months))}
	var populations, limits []string
	one := true
	for _, m := range v.Months {
		population := m.Weights.Universe()
		one = one && population == v.Months[0].Weights.Universe()
		populations = append(populations, fmt.Sprintf("%s %.0f", m.Doc.Of.Month, population))
		if s := m.Doc.Settings; s.Thresholds != v.Settings.Thresholds {
			limits = append(limits, fmt.Sprintf("%s %d/%d", m.Doc.Of.Month, s.Low, s.Caution))
		}
	}
	if !one {
		notes = append(notes, fmt.Sprintf("The months' universes are not one: %s. The universe given is their mean.", strings.Join(populations, ", ")))
	}
	if len(limits) > 0 {
		notes = append(notes, fmt.Sprintf("Closed with other limits, and judged by those of %s: %s.", v.Last().Doc.Of.Month, strings.Join(limits, ", ")))
	}
	return notes
}

// serviceIDs are the services that a view's figures compare.
func serviceIDs(v *audience.View) (ids []rollcall.ServiceID) {
	for _, i := range v.Listed() {
		ids = append(ids, rollcall.ServiceID(v.ID(i)))
	}
	return ids
}
