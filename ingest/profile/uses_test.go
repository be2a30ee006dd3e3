package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/ingest/profile/columns"
)

// reading is what a run says of a file and the second file beside it.
func reading(t *testing.T, name string, o Options, file string) string {
	t.Helper()
	p, err := Builtin(name, OfTables)
	if err != nil {
		t.Fatal(err)
	}
	o.Market, o.Location, o.Calendar = "FR", rollcall.Elsewhere, utc(t)
	r, err := p.NewReader(t.Context(), o)
	if err != nil {
		return "refused: " + err.Error()
	}
	if err := r.Survey(t.Context(), []string{file}); err != nil {
		return "refused: " + err.Error()
	}
	counts, err := r.Read(t.Context(), file, func(Seen) error { return nil })
	if err != nil {
		return "refused: " + err.Error()
	}
	said := slices.Concat(r.Missing(), counts.Absent())
	if text := counts.Undropped(); text != "" {
		t.Errorf("%s: %s, which a survey had not found", file, text)
	}
	if text := counts.Nobody(); text != "" {
		said = append(said, "refused: "+text)
	}
	if n := counts.AllOther(); n > 0 {
		said = append(said, "refused: all are of other kinds")
	}
	return strings.Join(said, "\n")
}

// published are the small inputs with what each is joined with, and the columns that it
// may do without where no rule is asked for that reads them.
func published() []struct{ profile, file, join, spare string } {
	return []struct{ profile, file, join, spare string }{
		{"tchap", "user_daily_visits.csv", "", ""},
		{"zulip", "useractivityinterval.csv", "userprofile", ""},
		{"zulip", "userprofile.csv", "itself", "is_active role"},
		{"mattermost", "sessions.csv", "", "roles"},
		{"mattermost", "audits.csv", "", ""},
		{"rocketchat", "sessions.jsonl", "", ""},
	}
}

// TestRenamed: the inputs say nothing as they are; of each column that a profile reads a
// run says so where the column has another case, or isn't there.
func TestRenamed(t *testing.T) {
	for _, in := range published() {
		path := filepath.Join("testdata", in.profile, in.file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		run := func(changed string) string {
			file, o := written(t, in.file, changed), Options{}
			switch in.join {
			case "itself":
				file, o.Joins = "testdata/zulip/useractivityinterval.csv", map[string]string{"userprofile": file}
			case "userprofile":
				o.Joins = map[string]string{"userprofile": "testdata/zulip/userprofile.csv"}
			}
			return reading(t, in.profile, o, file)
		}
		if said := run(string(text)); said != "" {
			t.Errorf("%s: %s", path, said)
		}
		for _, column := range columnsRead(t, in.profile, in.file, string(text)) {
			like := strings.ToUpper(column)
			if said := run(renamed(string(text), column, like)); !strings.Contains(said, `"`+column) || !strings.Contains(said, `, only "`+like+`"`) {
				t.Errorf("%s with %s: %q", path, like, said)
			}
			spare := slices.Contains(strings.Fields(in.spare), column) || strings.HasSuffix(in.file, "l")
			if said := run(renamed(string(text), column, "other")); !spare && !strings.Contains(said, column) || spare && strings.HasPrefix(said, "table") {
				t.Errorf("%s without %s: %q", path, column, said)
			}
		}
	}
}

// columnsRead gives the columns of a text that the profile reads.
func columnsRead(t *testing.T, name, file, text string) (columns []string) {
	t.Helper()
	p, err := Builtin(name, OfTables)
	if err != nil {
		t.Fatal(err)
	}
	reads := p.Tables[0].reads
	if file == "userprofile.csv" {
		reads = p.Joins[0].reads
	}
	if file == "audits.csv" {
		reads = p.Tables[1].reads
	}
	for column := range reads {
		if regexp.MustCompile(`\b` + column + `\b`).MatchString(text) {
			columns = append(columns, column)
		}
	}
	slices.Sort(columns)
	return columns
}

// renamed gives a column another name: in a header's line, or in each object.
func renamed(text, column, name string) string {
	if strings.HasPrefix(text, "{") {
		return strings.ReplaceAll(text, `"`+column+`":`, `"`+name+`":`)
	}
	header, rows, _ := strings.Cut(text, "\n")
	return regexp.MustCompile(`\b`+column+`\b`).ReplaceAllString(header, name) + "\n" + rows
}

// TestAsked: a rule that was asked for is heard where only those that it drops have what
// it reads, and refused where a table of the file has rows and doesn't have it.
func TestAsked(t *testing.T) {
	const guests = `
service: chat
format: [csv, json]
tables:
  - name: visit
    header: [user, kind]
    when: {expression: 'kind == "visit"'}
    account: user
    drop: [{name: guest, when: {expression: 'truth(guest)'}, optional: true}]
    events: [{kind: {constant: use}, time: at}]
  - name: other
    header: [user]
    account: user
    drop: [{name: guest, when: {constant: "f"}, optional: true}]
    events: [{kind: {constant: presence}, time: at}]
`
	for _, tt := range []struct {
		name, file, text, want string
		dropped                int
	}{
		{"only theirs", "v.json", `{"kind":"visit","user":"ann","at":"2026-10-01"}` + "\n" + `{"kind":"visit","user":"ben","at":"2026-10-01","guest":true}`, "", 1},
		{"nobody's", "v.json", `{"kind":"visit","user":"ann","at":"2026-10-01"}`, `table visit: no row has "guest"`, 0},
		{"in no row of the table", "v.json", `{"kind":"x","user":"ann","at":"2026-10-01"}`, "", 0},
		{"a header's", "v.csv", "user,kind,at,guest\nann,visit,2026-10-01,1\n", "", 1},
		{"not a header's", "v.csv", "user,kind,at,Guest\nann,x,2026-10-01,1\nann,visit,2026-10-01,1\n", `table visit: the header has no "guest", only "Guest"`, 0},
		{"of other rows' header", "v.csv", "user,kind,at\nann,x,2026-10-01\n", "", 0},
		{"of a header without kinds", "v.csv", "user,at\nann,2026-10-01\n", "", 0},
	} {
		p, err := Parse(strings.NewReader(guests))
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.NewReader(t.Context(), Options{Calendar: utc(t), Optional: map[string]bool{"guest": true}})
		if err != nil {
			t.Fatal(err)
		}
		file := written(t, tt.file, tt.text)
		err = r.Survey(t.Context(), []string{file})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), file+": "+tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil {
			continue
		}
		counts, err := r.Read(t.Context(), file, func(Seen) error { return nil })
		if err != nil || counts.Dropped["guest"] != tt.dropped || len(counts.Absent()) > 0 {
			t.Errorf("%s: %s, %v, %q", tt.name, counts, err, counts.Absent())
		}
	}
}

// TestAskedOfSecond: so it is refused where no object of a second file has what it reads.
func TestAskedOfSecond(t *testing.T) {
	const intervals, person = "testdata/zulip/useractivityinterval.csv", `{"id":8,"is_bot":false`
	for more, want := range map[string]string{
		`}`: `no row has "is_active"`, `,"isActive":true}`: `no row has "is_active", only "isActive"`,
		`,"is_active":false}`: "", `}` + "\n" + person + `,"is_active":true}`: "",
	} {
		people := written(t, "people.json", person+more)
		o := Options{Joins: map[string]string{"userprofile": people}, Optional: map[string]bool{"deactivated": true}}
		if said := reading(t, "zulip", o, intervals); !strings.Contains(said, want) || want == "" && said != "" {
			t.Errorf("%s: %q, want %s", more, said, want)
		}
	}
}

// TestSurveyEnds: of objects no more is read ahead than tells that a rule which was asked
// for can drop: a file may be of gigabytes.
func TestSurveyEnds(t *testing.T) {
	const object = `{"createat":1,"lastactivityat":2,"userid":"u","props":""`
	for _, tt := range []struct {
		first string
		most  int
	}{{object + `,"roles":""}`, 1}, {object + `}`, 1001}} {
		p, err := Builtin("mattermost", OfTables)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.NewReader(t.Context(), Options{Calendar: utc(t), Optional: map[string]bool{"administrator": true}})
		if err != nil {
			t.Fatal(err)
		}
		file := written(t, "sessions.json", tt.first+"\n"+strings.Repeat(object+"}\n", 999)+object+`,"roles":""}`)
		rows := 0
		err = r.source().each(t.Context(), file, func(row *row) error {
			rows++
			return r.look(row, false)
		})
		if rows != tt.most || !errors.Is(err, errEnough) {
			t.Errorf("%s: %d rows were read, want %d: %v", tt.first, rows, tt.most, err)
		}
	}
}

// TestManyHeaders: a rule that was asked for is refused where the last of very many tables
// of a dump doesn't have its column, before any row is sent.
func TestManyHeaders(t *testing.T) {
	var dump strings.Builder
	const columns = "createat, lastactivityat, userid, props"
	for i := range 1000 {
		fmt.Fprintf(&dump, "COPY public.sessions (%s, roles, c%d) FROM stdin;\n1790000000000\t1790000001000\tann\t{}\t\t\n\\.\n", columns, i)
	}
	last := "COPY public.sessions (" + columns + ") FROM stdin;\n1790000000000\t1790000001000\tann\t{}\n\\.\n"
	asked := Options{Optional: map[string]bool{"administrator": true}}
	if said := reading(t, "mattermost", asked, written(t, "m.sql", dump.String())); said != "" {
		t.Error(said)
	}
	said := reading(t, "mattermost", asked, written(t, "m.sql", dump.String()+last))
	if !strings.HasPrefix(said, "refused: ") || !strings.Contains(said, `table sessions: the header has no "roles"`) {
		t.Errorf("the 1,001st header: %q", said)
	}
}

// TestGroups: the built-in profiles read no name that is no group of their pattern.
func TestGroups(t *testing.T) {
	for _, use := range []Use{OfLog, OfSnapshot} {
		for _, name := range Names(use) {
			p, err := Builtin(name, use)
			if err != nil {
				t.Fatal(err)
			}
			asked := map[string]bool{}
			for _, rule := range p.optional() {
				asked[rule] = true
			}
			tables := p.reads(asked)
			file := columns.NewFile(tables)
			file.Look(&columns.Row{})
			if err := columns.CheckGroups(tables); err != nil || len(file.Warnings()) > 0 {
				t.Errorf("%s: %v, %q", name, err, file.Warnings())
			}
		}
	}
}
