package profile

import (
	"os"
	"strings"
	"testing"

	"rollcall"
)

// TestBuiltin holds that every profile of schemas/sources can be read.
func TestBuiltin(t *testing.T) {
	for _, name := range Names() {
		if _, err := Builtin(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := Builtin("synapsee"); err == nil {
		t.Error("an unknown profile was read")
	}
}

// TestDocumented reads rows by the profile that docs/sources.md shows.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(text), "is an error.\n\n")
	block, _, ends := strings.Cut(block, "\n\nA value is")
	if !found || !ends {
		t.Fatal("the example is not where it was")
	}
	p, err := Parse(strings.NewReader(strings.ReplaceAll("\n"+block, "\n    ", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	people := written(t, "people.csv", "id,plan,is_bot\n1,Pro,0\n2,Free,1\n")
	rows := written(t, "log.csv", "person_id,seen,seconds,user_agent\n1,1790812800000,90,Mozilla/5.0\n2,1790812800000,90,x\nsvc-1,1790812800000,1,x\n3,1790812800000,,curl\n")
	all, counts := readBy(t, p, "UTC", Options{Joins: map[string]string{"people": people}}, rows)
	wantStamps(t, all, rollcall.Presence, "1 2026-10-01T00:00:00Z 2026-10-01T00:01:30Z", "3 2026-10-01T00:00:00Z")
	if counts.Dropped["bot"] != 2 || all[0].Segment != "pro" || all[0].Platform != rollcall.Web || all[1].Segment != "" {
		t.Errorf("%s: %+v", counts, all)
	}
}

// TestRefused: what is no profile is an error that says what is wrong.
func TestRefused(t *testing.T) {
	const table = "format: [csv]\ntables: [{name: x, account: a, events: [{kind: {constant: use}, time: t}]}]\n"
	if _, err := Parse(strings.NewReader(table)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":           "no documents",
		"tabels: []": "tabels",
		table + "agents: [{match: '(', platform: web}]":                                                     "agents[0]",
		strings.Replace(table, "csv", "xml", 1):                                                             `"xml"`,
		strings.Replace(table, "account: a, ", "", 1):                                                       "account",
		strings.Replace(table, "time: t", "time: {field: t, unit: h}", 1):                                   `"h"`,
		strings.Replace(table, "time: t", "time: {field: t, zone: Mars}", 1):                                "zone",
		strings.Replace(table, "account: a", "account: {expression: 'a +'}", 1):                             "expression",
		strings.Replace(table, "account: a", "account: {expression: 'map(1..9, #)'}", 1):                    "expression",
		strings.Replace(table, "account: a", "account: {expression: '"+strings.Repeat("1+", 5000)+"1'}", 1): "4 KiB",
		strings.Replace(table, "account: a", "account: a, drop: [{name: x}]", 1):                            "drop[0]",
		table + strings.Repeat("#", maxProfile):                                                             "64 KiB",
	} {
		if _, err := Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}
