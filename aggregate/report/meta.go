package report

import (
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
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
		Simulated: simulated(j.month.Margins),
		Universe:  j.universe(), Sample: j.sampleMeta(), Weights: v.Condition().Meta,
		Exclusions: exclusionsMeta(d), Confidence: v.Settings.Confidence,
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
	if p := d.Pinned(comparedWith(&r)); p != nil && !v.Pooled() {
		m.Compared = &rollcall.ComparedMeta{Month: p.Month.String(), Version: p.Version, Document: p.Document.String()}
	}
	return m
}

func (j *job) universe() *rollcall.UniverseMeta {
	u := &rollcall.UniverseMeta{
		Population: j.view.Weights.Universe(), Active: j.view.Persons(j.view.Active()), ID: j.month.Doc.Universe.String(),
	}
	var sources, dates []string
	for _, m := range j.month.Margins {
		sources, dates = addNew(sources, m.Source), addNew(dates, m.SourceDate)
	}
	u.Source, u.SourceDate = strings.Join(sources, "; "), strings.Join(dates, "; ")
	return u
}

func addNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

func (j *job) sampleMeta() *rollcall.SampleMeta {
	v, d := j.view, j.month.Doc
	s := &rollcall.SampleMeta{
		InTab: v.Weights.Persons(), Silent: d.Silent, NotInTab: d.Dropped.NotInTab, Unmetered: d.Dropped.Unmetered, Unknown: d.Dropped.Unknown,
		Excluded: j.month.Excluded, Diaries: d.Diaries.String(), ID: d.Roster.String(),
	}
	c := v.Condition()
	s.Home, s.Work = c.Home, c.Work
	return s
}

// exclusionsMeta gives the recorded rules without pseudonyms.
func exclusionsMeta(d *audience.Document) []string {
	var out []string
	for _, e := range d.Exclusions {
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
		out = append(out, strings.Join(what, ", ")+": "+e.Reason)
	}
	return out
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
	q := v.Condition().Quality
	for _, note := range q.Notes {
		notes = append(notes, "Universe: "+note+".")
	}
	if q.Grade != panel.Good {
		notes = append(notes, fmt.Sprintf("Weighting efficiency is %.0f %%: %s.", 100*q.Efficiency, q.Grade))
	}
	if q.Trimming != nil {
		notes = append(notes, "Weights are trimmed; standard errors take no account of it.")
	}
	if v.Pooled() {
		notes = append(notes, fmt.Sprintf("Pooled over %d months, each with its own weights: totals are the mean of the months', ratios are of those totals, and a person is counted once. Changes are not pooled. The weights' quality is the last month's.",
			len(v.Months)))
	} else if len(v.Months) > 1 {
		notes = append(notes, fmt.Sprintf("The period touches %d months: figures are of the panelists in tab in all of them, weighted anew to the last month's universe; %.1f %% of its sample is lost.",
			len(v.Months), v.Lost()))
	}
	if n := j.month.Doc.Dropped.Damaged; n > 0 {
		notes = append(notes, fmt.Sprintf("Damaged rows of diaries of this market and month were set aside when the figures were computed: %d. The figures lack them, unless they had been rebuilt from the log.", n))
	}
	if j.request.Live {
		notes = append(notes, "Computed live from facts that are not frozen: provisional, and not published.")
	}
	if simulated(j.month.Margins) {
		notes = append(notes, "The panel is simulated: these are not measurements of real people.")
	}
	return notes
}

// simulated reports whether a margin's source says that there is no such
// population.
func simulated(margins []rollcall.Margin) bool {
	return slices.ContainsFunc(margins, func(m rollcall.Margin) bool { return strings.Contains(strings.ToLower(m.Source), "simulat") })
}
