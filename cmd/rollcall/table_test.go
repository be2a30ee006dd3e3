package main

import (
	"strings"
	"testing"
)

// TestRanksOnATerminal: a rank that may be another is shown with the ranks that
// it may be.
func TestRanksOnATerminal(t *testing.T) {
	const body = `{"meta":{"report":"ranking"},"columns":[{"name":"service","role":"dimension"},{"name":"rank","role":"dimension","unit":"integer"},
		{"name":"rank_low","role":"dimension","unit":"integer"},{"name":"rank_high","role":"dimension","unit":"integer"}],
		"rows":[{"service":"msn","rank":1,"rank_low":1,"rank_high":1},{"service":"aim","rank":2,"rank_low":2,"rank_high":3},
		{"service":"icq","rank":null,"rank_low":null,"rank_high":null}]}`
	var out strings.Builder
	if err := printTable(&out, strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(out.String(), "\n")[2:5] {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if want := "msn 1|aim 2-3|icq -"; strings.Join(got, "|") != want {
		t.Errorf("the rows are %q, want %s:\n%s", got, want, out.String())
	}
}
