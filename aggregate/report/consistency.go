package report

import (
	"context"

	"rollcall"
	"rollcall/aggregate/coherence"
)

// consistency lists the rules that figures of one universe obey, and how many
// comparisons were made of each. Every other report is refused where one is broken.
func consistency(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("rule", "checked", "violations")
	if j.view.Place != rollcall.HomeWork {
		t.Meta.Notes = append(t.Meta.Notes, "The rules are of every place, whatever the location: the rows are the same for each.")
	}
	rules := coherence.Of(j.view)
	for _, rule := range coherence.Rules() {
		texts := []string{}
		for _, v := range rules.Violations {
			if v.Rule == rule {
				texts = append(texts, v.Text)
			}
		}
		t.Rows = append(t.Rows, rollcall.Row{rule, rules.Checked[rule], texts})
	}
	return t, nil
}
