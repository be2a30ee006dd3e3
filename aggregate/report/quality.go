package report

import (
	"context"
	"fmt"

	"rollcall"
)

// quality lists every category of every margin: the population that it must
// hold, and what the weights make of it. Both are the enumeration study's, so
// nothing in it is withheld.
func quality(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("margin", "category", "target_population as target", "achieved")
	if silent := j.month.Doc.Silent; silent != nil {
		t.Meta.Notes = append(t.Meta.Notes, fmt.Sprintf("%d of the %d panelists in tab sent no event of any kind in the month: their meters may be silent.", *silent, len(j.month.Roster.Panelists)))
	}
	if j.view.Place != rollcall.HomeWork || j.view.Credit != rollcall.ByPresence {
		t.Meta.Notes = append(t.Meta.Notes, "The weights are the whole panel's: the rows are the same for every location and credit.")
	}
	for _, a := range j.view.Condition().Quality.Margins {
		exact := func(x float64) rollcall.Measure {
			return rollcall.Measure{Value: x, Low: x, High: x, N: a.Panelists, Status: rollcall.OK}
		}
		t.Rows = append(t.Rows, rollcall.Row{a.Margin, a.Category, exact(a.Target), exact(a.Achieved)})
	}
	return t, nil
}
