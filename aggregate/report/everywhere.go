package report

import (
	"context"

	"rollcall"
)

// everywhere gives the ranking at home, at work and at either in one table: each
// place's rows are ranked for themselves, and carry it.
func (j *job) everywhere(ctx context.Context, answer maker) (*rollcall.Table, error) {
	var out *rollcall.Table
	for _, place := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		one := *j
		one.request.Place = place
		t, err := one.answer(ctx, answer)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = &rollcall.Table{Columns: append(columnsOf("location"), t.Columns...)}
		}
		out.Meta = t.Meta // at last that of home and work, whose notes hold for all
		for _, row := range t.Rows {
			out.Rows = append(out.Rows, append(rollcall.Row{string(place)}, row...))
		}
	}
	out.Meta.Location = string(rollcall.EveryPlace)
	out.Meta.Notes = append([]string{"Each location is ranked for itself, and its reach is of its own active universe; the active universe given is that of home and work together."}, out.Meta.Notes...)
	return out, nil
}
