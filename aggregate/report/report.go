package report

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
)

// makers gives the reports in the order that they are listed.
func makers() []struct {
	name string
	make maker
} {
	return []struct {
		name string
		make maker
	}{
		{"ranking", ranking},
		{"trend", trend},
		{"duplication", duplication},
		{"combinations", combinations},
		{"incremental", incremental},
		{"profile", profile},
		{"frequency", frequency},
		{"curve", curve},
		{"loyalty", loyalty},
		{"quality", quality},
		{"consistency", consistency},
	}
}

// Reports gives the names of the reports.
func Reports() []string {
	var out []string
	for _, r := range makers() {
		out = append(out, r.name)
	}
	return out
}

// Report answers a question. The table is shared: it must not be changed. It
// fails with an Invalid for a bad parameter, and wraps rollcall.ErrNotClosed,
// rollcall.ErrNotFound or rollcall.ErrAgedOut where there is nothing to answer
// from.
func (r *Reporter) Report(ctx context.Context, q rollcall.Query) (*rollcall.Table, error) {
	r.start()
	answer, err := fill(&q)
	if err != nil {
		return nil, err
	}
	j := &job{reporter: r, request: q}
	if err := j.open(ctx); err != nil {
		return nil, err
	}
	if q.Place == rollcall.EveryPlace {
		return everywhere(ctx, j, answer)
	}
	return j.answer(ctx, answer)
}

// fill puts defaults in and checks what needs no facts.
func fill(r *rollcall.Query) (maker, error) {
	var err error
	if r.Place, err = placeOf(r); err != nil {
		return nil, err
	}
	if r.Credit, err = rollcall.ParseCredit(string(r.Credit)); err != nil {
		return nil, err
	}
	if err := fillPeriod(r); err != nil {
		return nil, err
	}
	if err := cmp.Or(fillBands(r), checkCompare(r), checkRows(r)); err != nil {
		return nil, err
	}
	if r.Version < 0 {
		return nil, &rollcall.Invalid{Field: "version", Value: fmt.Sprint(r.Version), Reason: "is not a version: they count from 1", Code: "version"}
	}
	for _, m := range makers() {
		if m.name == r.Report {
			return m.make, nil
		}
	}
	return nil, &rollcall.Invalid{Field: "report", Value: r.Report, Reason: "is not one of " + strings.Join(Reports(), ", "), Code: "report"}
}

// checkRows refuses what would narrow rows that are of the whole panel, or of all
// services.
func checkRows(r *rollcall.Query) error {
	why := map[string]string{"quality": "whose weights are the whole panel's", "consistency": "which compares all services with each other"}[r.Report]
	if why == "" {
		return nil
	}
	why = "is not for " + r.Report + ", " + why
	if len(r.Services) > 0 {
		ids := make([]string, len(r.Services))
		for i, id := range r.Services {
			ids[i] = string(id)
		}
		return &rollcall.Invalid{Field: "service", Value: strings.Join(ids, ","), Reason: why, Code: "service"}
	}
	if r.Report == "quality" && r.Target != "" {
		return &rollcall.Invalid{Field: "target", Value: r.Target, Reason: why, Code: "target"}
	}
	return nil
}

// placeOf reads the place; every place at once is for a ranking.
func placeOf(r *rollcall.Query) (rollcall.Place, error) {
	if r.Place != rollcall.EveryPlace {
		return rollcall.ParsePlace(string(r.Place))
	}
	if r.Report != "ranking" {
		return "", &rollcall.Invalid{Field: "location", Value: string(r.Place), Reason: "is not for " + r.Report + ", but for ranking", Code: "location"}
	}
	return r.Place, nil
}

// fillBands refuses bands of days where a report has none.
func fillBands(r *rollcall.Query) error {
	if r.Bands != "" && r.Report != "frequency" {
		return badBands(r.Bands, "is not for "+r.Report+", but for frequency")
	}
	if r.Bands == singleDays {
		return nil
	}
	_, err := bandsOf(r.Bands, endless-1)
	return err
}

// fillPeriod makes the period whole. Its last day's month is the one that the
// report is of; another month may be named only if the period touches it and no
// version of it is.
func fillPeriod(r *rollcall.Query) error {
	named := r.Of.Month
	switch {
	case r.To != 0:
		r.Of.Month = r.To.Month()
	case named == 0 && r.From != 0:
		r.Of.Month = r.From.Month()
	}
	if r.Of.Month == 0 {
		return &rollcall.Invalid{Field: "month", Reason: "is missing", Code: "month"}
	}
	if err := fillPool(r); err != nil {
		return err
	}
	fillDays(r)
	if r.From > r.To {
		return rollcall.Swapped(r.From.String(), r.To.String())
	}
	if named != 0 && named != r.Of.Month && (r.Version != 0 || named < r.From.Month() || named > r.Of.Month) {
		return &rollcall.Invalid{Field: "month", Value: named.String(), Reason: fmt.Sprintf("is not the last of %s to %s", r.From, r.To), Code: "month"}
	}
	return nil
}

// fillPool puts in the days of a mean of months; a trend, which has a mean for
// each of its months, keeps its own.
func fillPool(r *rollcall.Query) error {
	if r.Pool == 0 {
		return nil
	}
	refuse := func(reason string) error {
		return &rollcall.Invalid{Field: "pool", Value: fmt.Sprint(r.Pool), Reason: reason, Code: "pool"}
	}
	switch {
	case r.Pool < 2 || r.Pool > audience.History:
		return refuse(fmt.Sprintf("is not 2 to %d months", audience.History))
	case !pools(r.Report):
		return refuse("is not for quality, which tells how well one month's weights meet that month's margins: ask for each month")
	case r.Compare != "" && r.Compare != previousMonth:
		return refuse("stands beside compare: changes are not pooled; ask for one of the two")
	case r.Report == "trend":
		return nil
	case r.From != 0 || r.To != 0:
		return refuse("goes with a month, not with days")
	}
	r.From, r.To = (r.Of.Month - rollcall.Month(r.Pool-1)).First(), r.Of.Month.Last()
	return nil
}

// fillDays puts in the days that are not given; a trend is of whole months.
func fillDays(r *rollcall.Query) {
	if r.From == 0 {
		r.From = r.Of.Month.First()
		if r.Report == "trend" {
			r.From = (r.Of.Month - audience.History + rollcall.Month(max(r.Pool-1, 0))).First()
		}
	}
	if r.To == 0 {
		r.To = r.Of.Month.Last()
	}
	if r.Report == "trend" {
		r.From, r.To = r.From.Month().First(), r.To.Month().Last()
	}
}
