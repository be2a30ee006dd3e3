package report

import (
	"context"

	"rollcall"
)

// consistency lists the rules that figures of one universe obey, and how many
// comparisons were made of each. Every other report is refused where one is broken.
func consistency(_ context.Context, j *job) (*rollcall.Table, error) {
	t := j.table("rule", "checked", "violations")
	rules := rulesOf(j.view)
	for _, rule := range ruleNames() {
		texts := []string{}
		for _, v := range rules.violations {
			if v.Rule == rule {
				texts = append(texts, v.Text)
			}
		}
		t.Rows = append(t.Rows, rollcall.Row{rule, rules.checked[rule], texts})
	}
	return t, nil
}
