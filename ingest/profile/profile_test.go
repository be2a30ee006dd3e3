package profile

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rollcall"
)

// TestBuiltin holds that every profile of schemas/sources can be read.
func TestBuiltin(t *testing.T) {
	for _, use := range []Use{OfTables, OfLog, OfSnapshot} {
		for _, name := range Names(use) {
			if _, err := Builtin(name, use); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Builtin("synapsee", OfTables); err == nil {
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

// TestKeys: a mistake in any key of a table is told in one line with the table and the key,
// or the line of the file that it stands in.
func TestKeys(t *testing.T) {
	const form = `
format: [regexp]
tables:
  - name: login
    pattern: '^(?P<at>\S+) (?P<user>\S+)$'
    account: user
    %s
    events: [{kind: {constant: presence}, time: at, until: at, %s}]
`
	for _, key := range []string{"first", "device", "segment", "once", "stay"} {
		for value, want := range map[string]string{
			"usr":                   `table login: ` + key + `: "usr" is no group of the pattern; the nearest are user, at`,
			"[usr]":                 "line ",
			"{expression: 'usr +'}": `expression "usr +": unexpected token EOF (1:5)`,
		} {
			text := fmt.Sprintf(form, key+": "+value, "grace: 1s")
			if key == "once" || key == "stay" {
				text = fmt.Sprintf(form, "fallback: false", key+": "+value)
			}
			if _, err := Parse(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %s: %v, want %s", key, value, err, want)
			}
		}
	}
}

// TestKeysOfObjects: of one's own profile a key whose column no object has is warned of:
// with the wrong one in first all rows but one would count as doubled.
func TestKeysOfObjects(t *testing.T) {
	const form = "service: chat\nformat: [json]\ntables: [{name: visit, account: user, %s, events: [{kind: {constant: presence}, time: at, until: at, %s}]}]"
	file := written(t, "v.json", `{"user":"ann","at":"2026-10-01","nr":1}`)
	for key, want := range map[string]string{"first": "rows that differ in it alone count as one", "device": "a device's other rows", "once": "count more than once", "stay": "rows of one stay"} {
		text := fmt.Sprintf(form, key+": nmr", "grace: 1s")
		if key == "once" || key == "stay" {
			text = fmt.Sprintf(form, "fallback: false", key+": nmr")
		}
		p, err := Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		_, counts := readBy(t, p, "UTC", Options{}, file)
		if said := strings.Join(counts.Absent(), "\n"); !strings.HasPrefix(said, `table visit: no row has "nmr" (the nearest are `) || !strings.Contains(said, want) {
			t.Errorf("%s: %q, want %s", key, said, want)
		}
	}
}

// TestRules: a rule sets what a row lacks, a name is dropped in any spelling, and
// bare COPY text has no header though its profile names no columns to know it by.
func TestRules(t *testing.T) {
	p, err := Parse(strings.NewReader(`
service: chat
format: [pg-copy]
tables:
  - name: visits
    columns: [who, at, plan]
    account: {expression: 'lower(who)'}
    set:
      - name: staff
        when: {expression: 'plan == "staff"'}
        segment: {constant: staff}
        location: {constant: work}
        platform: {constant: computer}
    events: [{kind: {constant: use}, time: {expression: 'at', unit: s}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	file := written(t, "v.txt", "Ann\t1790812800\tstaff\nBen\t1790812800\tfree\nCat\t1790812800.5\tfree\n")
	all, counts := readBy(t, p, "UTC", Options{Drop: []string{" BEN "}, Segment: "rest"}, file)
	wantStamps(t, all, rollcall.Use, "ann 2026-10-01T00:00:00Z", "cat 2026-10-01T00:00:00Z")
	if counts.Set["staff"] != 1 || counts.Dropped[ruleNames] != 1 {
		t.Error(counts)
	}
	ann, cat := all[0], all[1]
	if ann.Segment != "staff" || ann.Location != rollcall.Work || ann.Platform != rollcall.Computer {
		t.Errorf("%+v", ann)
	}
	if cat.Segment != "rest" || cat.Location != rollcall.Elsewhere || cat.Platform != rollcall.NoPlatform {
		t.Errorf("%+v", cat)
	}
}

// TestStaysLetGo: more stays than are held are all sent on, none twice.
func TestStaysLetGo(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,start,end,user_profile_id\n")
	for i := range maxStays + 10 {
		fmt.Fprintf(&text, "%d,2026-10-05 10:00:00+00,2026-10-05 10:15:00+00,%d\n", i, i)
	}
	all, counts := read(t, "zulip", "UTC", Options{}, written(t, "i.csv", text.String()))
	if got := accounts(all, func(Seen) bool { return true }); got != maxStays+10 || len(all) != got {
		t.Errorf("%d accounts in %d stays, %s", got, len(all), counts)
	}
}
