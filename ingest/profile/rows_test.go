package profile

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall"
)

// who gives the accounts of sightings with their platform, in order.
func who(all []Seen) []string {
	list := make([]string, 0, len(all))
	for _, s := range all {
		list = append(list, s.Account+" "+s.Platform.String())
	}
	return list
}

const visits = "user_id,device_id,timestamp,user_agent\n"

// TestAgents: an agent with quotes, separators or broken bytes loses nothing but
// itself, neither its own row nor the next.
func TestAgents(t *testing.T) {
	for name, row := range map[string]string{
		"quotes":           `a,d,1790812800000,Mozilla/5.0 "quoted"`,
		"escaped":          `a,d,1790812800000,"Mozilla/5.0 ""quoted"", b"`,
		"commas":           `a,d,1790812800000,Mozilla/5.0 (X11, Linux, x)`,
		"a quote opens":    `a,d,1790812800000,"Mozilla/5.0`,
		"closes too early": `a,d,1790812800000,"Mozilla"/5.0, "b"`,
		"broken bytes":     "a,d,1790812800000,Mozilla/5.0 \xff\xfe\x00",
		"a tab":            "a,d,1790812800000,Mozilla/5.0\tx",
		"a line end":       "a,d,1790812800000,\"Mozilla/5.0\n(b)\"",
		"windows":          "a,d,1790812800000,Mozilla/5.0\r",
	} {
		t.Run(name, func(t *testing.T) {
			next := "\nb,e,1790812800000,\"Element (iPhone)\"\nc,e,1790812800000,curl\n"
			all, counts := read(t, "synapse", "UTC", Options{}, written(t, "v.csv", visits+row+next))
			if len(all) != 3 || counts.Rejected != 0 || all[0].Account != "a" || all[1].Account != "b" || all[2].Account != "c" {
				t.Fatalf("%q, %s", who(all), counts)
			}
			if all[0].Platform == rollcall.NoPlatform || all[1].Platform != rollcall.Phone {
				t.Errorf("%q", who(all))
			}
		})
	}
}

// TestRejected: a row that can't be read is refused by its line, and the rest
// goes on; no reason quotes it.
func TestRejected(t *testing.T) {
	const secret = "s3cret"
	file := written(t, "v.csv", visits+
		"a,d,"+secret+",curl\n"+"b,"+secret+"\n"+"\xff"+secret+",d,1790812800000,x\n"+
		"c,d,99999999999999999999,x\n"+strings.Repeat(secret, 200_000)+"\n"+"e,d,1790812800000,curl\n")
	all, counts := read(t, "synapse", "UTC", Options{}, file)
	if got := who(all); !slices.Equal(got, []string{"e other"}) {
		t.Errorf("%q", got)
	}
	for i, line := range []int{2, 3, 4, 5, 6} {
		if i >= len(counts.Faults) || counts.Faults[i].Line != line || strings.Contains(counts.Faults[i].Reason, secret) {
			t.Fatalf("faults: %v", counts.Faults)
		}
	}
}

// TestPlaces: a refused row of an array is told by its place among the elements, which may
// all stand in one line.
func TestPlaces(t *testing.T) {
	for text, want := range map[string]string{"[{},3]": "element 2", "{}\n3": "line 2"} {
		_, counts := read(t, "rocketchat", "UTC", Options{}, written(t, "a.json", text))
		if len(counts.Faults) != 1 || counts.Faults[0].At() != want {
			t.Errorf("%s: %v, want %s", text, counts.Faults, want)
		}
	}
}

// TestReasons: what can't be worked out for a row is told with its key and what kind of
// thing stands in the columns, and what is none of some words with its column; no reason
// quotes the row.
func TestReasons(t *testing.T) {
	const (
		fails = `{expression: 'later(at, x ?? y)'}`
		where = `the expression can't be worked out for the row, where "at" is a text, "x" is a text, "y" is not there`
		use   = "kind: {constant: use}, time: at"
	)
	file := written(t, "v.json", `{"account":"ann","at":"2026-10-01","x":"s3cret"}`)
	for _, tt := range []struct{ table, event, want string }{
		{"first: " + fails, use, "table visit: first: " + where},
		{"agent: {constant: x}, device: " + fails, use, "table visit: device: " + where},
		{"when: " + fails, use, "table visit: when: " + where},
		{"fallback: false", use + ", once: " + fails, "table visit: once: " + where},
		{"fallback: false", use + ", until: at, stay: " + fails, "table visit: stay: " + where},
		{"fallback: false", use + ", when: " + fails, "table visit: when: " + where},
		{"platform: " + fails, use, "platform: " + where},
		{"agent: " + fails, use, "agent: " + where},
		{"platform: x", use, `"x": the platform is not computer, phone, tablet, web, other or none`},
		{"fallback: false", "kind: {constant: use}, time: " + fails, `"at", "x", "y": the time can't be told: ` + where},
		{"fallback: false", use + ", until: " + fails, `"at", "x", "y": until can't be told: ` + where},
		{"fallback: false", "step: x, time: at", `"x": step: is not one of connected, refused, accepted, opened, signed_on, resumed, lost, closed, alive, stopped, started`},
	} {
		text := fmt.Sprintf("service: chat\nformat: [json]\nlog: %v\ntables: [{name: visit, account: account, %s, events: [{%s}]}]",
			strings.HasPrefix(tt.event, "step"), strings.Replace(tt.table, "fallback: false", "fallback: false", 1), tt.event)
		p, err := Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(text, err)
		}
		if _, counts := readBy(t, p, "UTC", Options{}, file); len(counts.Faults) != 1 || counts.Faults[0].Reason != tt.want {
			t.Errorf("%s %s: %v; want %s", tt.table, tt.event, counts.Faults, tt.want)
		}
	}
}

// TestNoSuchDate: a time on a day that its month has not is told so, in each of the
// usual forms, and what is no time at all is not.
func TestNoSuchDate(t *testing.T) {
	layouts := "'" + strings.Join(append(slices.Clone(usualLayouts), "02.01.2006"), "', '") + "'"
	for at, want := range map[string]string{
		"2002-02-30T18:22:05Z":   "\"at\": the time is on a date that does not exist",
		"2002-02-30 18:22:05+02": "\"at\": the time is on a date that does not exist",
		"2002-11-31":             "\"at\": the time is on a date that does not exist",
		"2002-02-30 evening":     "\"at\": the time is not a time that the profile knows",
		"2002-31-10":             "\"at\": the time is not a time that the profile knows",
		"30.02.2002":             "\"at\": the time is on a date that does not exist",
	} {
		p, err := Parse(strings.NewReader("format: [csv]\nservice: chat\ntables: [{name: visit, account: account, events: [{kind: {constant: use}, time: {field: at, layouts: [" + layouts + "]}}]}]"))
		if err != nil {
			t.Fatal(err)
		}
		_, counts := readBy(t, p, "UTC", Options{}, written(t, "v.csv", "account,at\nann,"+at+"\n"))
		if len(counts.Faults) != 1 || counts.Faults[0].Reason != want {
			t.Errorf("%s: %v; want %s", at, counts.Faults, want)
		}
	}
}

const dump = `--
-- PostgreSQL database dump
--
SET statement_timeout = 0;

COPY public.other (a, b) FROM stdin;
1	2
\.

COPY public.user_daily_visits (user_id, device_id, "timestamp", user_agent) FROM stdin;
@a:x	PHONE	1790812800000	curl
@a:x	PHONE	1790812800000	Element\t(Android 15)
@b:x	\N	1790812800000	\N
@c\072x	W	1790812800000	Mozilla/5.0 (a	b)
\.

COPY public.users (name, password_hash, user_type, deactivated) FROM stdin;
@b:x	\N	support	0
\.
`

// TestCopied reads a dump and bare COPY text, with a header and without.
func TestCopied(t *testing.T) {
	file := written(t, "dump.sql", dump)
	all, counts := read(t, "synapse", "UTC", Options{Joins: map[string]string{"users": file}}, file)
	if got := who(all); !slices.Equal(got, []string{"@a:x phone", "@a:x phone", "@c:x web"}) || counts.Dropped["support"] != 1 {
		t.Errorf("dump: %q, %s", got, counts)
	}
	const bare = "@a:x\tD\t1790812800000\tMozilla/5.0\n@b:x\t\t1790812800000\t\\N\n"
	for name, text := range map[string]string{"bare": bare, "headed": "user_id\tdevice_id\ttimestamp\tuser_agent\n" + bare, "ended": bare + "\\.\n"} {
		all, counts := read(t, "synapse", "UTC", Options{}, written(t, "v.txt", text))
		if got := who(all); !slices.Equal(got, []string{"@a:x web", "@b:x other"}) || counts.Rejected != 0 {
			t.Errorf("%s: %q, %s", name, got, counts)
		}
	}
}

// TestJSON reads objects by line, one array, MongoDB's canonical form and a
// packed file alike.
func TestJSON(t *testing.T) {
	const session = `{"type":"session","sessionId":"s","userId":"u","device":{"type":"browser"},"loginAt":%s,"createdAt":%s,"closedAt":%s}`
	relaxed := fmt.Sprintf(session, `{"$date":"2026-10-05T06:00:00.250Z"}`, `{"$date":"2026-10-05T06:00:00.260Z"}`, `{"$date":"2026-10-05T07:30:00Z"}`)
	canonical := fmt.Sprintf(session, `{"$date":{"$numberLong":"1791180000250"}}`, `{"$date":{"$numberLong":"1791180000260"}}`, `{"$date":{"$numberLong":"1791185400000"}}`)
	plain := fmt.Sprintf(session, `1791180000250`, `"2026-10-05T06:00:00.260Z"`, `"2026-10-05 07:30:00Z"`)
	for name, text := range map[string]string{
		"lines": relaxed + "\n", "canonical": canonical, "plain": plain,
		"array": "[" + relaxed + "]", "long array": "\xef\xbb\xbf [" + strings.Repeat(`{"type":"x"},`, 200_000) + relaxed + "]",
	} {
		all, counts := read(t, "rocketchat", "UTC", Options{}, written(t, "s.json", text))
		if counts.Rejected != 0 {
			t.Errorf("%s: %s %v", name, counts, counts.Faults)
		}
		wantStamps(t, all, rollcall.Login, "u 2026-10-05T06:00:00Z")
		wantStamps(t, all, rollcall.Presence, "u 2026-10-05T06:00:00Z 2026-10-05T07:30:00Z")
	}
	path := filepath.Join(t.TempDir(), "s.jsonl.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	fmt.Fprintln(w, "{broken\n"+relaxed+"\n{\"type\":"+strings.Repeat("[", 100_000))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if all, counts := read(t, "rocketchat", "UTC", Options{}, path); len(all) != 2 || counts.Rejected != 2 {
		t.Errorf("packed: %d, %s", len(all), counts)
	}
}

// TestArrays: an element of any length is not held whole, and an array without its
// end is told.
func TestArrays(t *testing.T) {
	long := func(n int) string { return `[{"type":"` + strings.Repeat("x", n) + `"}, {"type":"x"}]` }
	p, err := Builtin("rocketchat", OfTables)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text, want string
	}{
		{"refused alone", long(maxLine), ""},
		{"too long", long(8 << 20), "element 1: is longer than 4 MiB"},
		{"cut short", `[{"type":"x"},{"type":"x"}`, "the array is cut short; the elements before were read: fetch or copy the file again"},
		{"cut behind a comma", `[{"type":"x"},`, "the array is cut short"},
		{"cut in an element", `[{"type":"x"},{"ty`, "the array is cut short"},
		{"not JSON", `[{"type":"x"},{"type":x},{}]`, "element 2 is not JSON"},
		{"another's end", `[{"type":"x"}}`, "the array is broken here"},
		{"text after it", `[{"type":"x"}] {"type":"x"}`, "the array has text after its end"},
		{"no JSON after it", `[{"type":"x"}]]`, "the array has text after its end"},
		{"words after it", `[{"type":"x"}] and more`, "the array has text after its end"},
		{"a huge number after it", `[{"type":"x"}]44E+644`, "the array has text after its end"},
		{"blank after it", `[{"type":"x"}]` + "\r\n\n", ""},
		{"blank without end", `[{"type":"x"}` + strings.Repeat(" ", 12<<20), "is longer than 4 MiB"},
	} {
		r, err := p.NewReader(t.Context(), Options{Calendar: utc(t)})
		if err != nil {
			t.Fatal(err)
		}
		path := written(t, "a.json", tt.text)
		if err := r.Survey(t.Context(), []string{path}); err != nil {
			t.Errorf("%s: %v, before what stands before it was read", tt.name, err)
		}
		_, err = r.Read(t.Context(), path, func(Seen) error { return nil })
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestUnlike: a table with other columns is an error that names those wanted.
func TestUnlike(t *testing.T) {
	p, err := Builtin("tchap", OfTables)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.NewReader(t.Context(), Options{Calendar: utc(t)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Read(t.Context(), written(t, "x.csv", "a,b\n1,2\n"), func(Seen) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "which has user_id, visit_ts and instance of table visits") {
		t.Error(err)
	}
}

func utc(t testing.TB) *rollcall.Calendar {
	calendar, err := rollcall.Market{ID: "UTC", Zone: "UTC"}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	return calendar
}

// TestNeverRead holds that no sighting, count or reason has what must not leave
// the file.
func TestNeverRead(t *testing.T) {
	for name, files := range map[string][]string{
		"rocketchat": {"testdata/rocketchat/sessions.jsonl"},
		"mattermost": {"testdata/mattermost/sessions.csv", "testdata/mattermost/audits.csv"},
	} {
		all, _ := read(t, name, "UTC", Options{}, files...)
		for _, s := range all {
			line := string(s.AppendJSON(nil))
			for _, never := range []string{"made-up", "192.0.2", "apple_rn", "chat.example"} {
				if strings.Contains(line, never) {
					t.Errorf("%s: %s", never, line)
				}
			}
		}
		p, err := Builtin(name, OfTables)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Tables {
			for _, never := range []string{"loginToken", "ip", "host", "token", "deviceid", "ipaddress", "password_hash"} {
				if p.Tables[i].reads[never] {
					t.Errorf("%s reads %s", p.Tables[i].Name, never)
				}
			}
		}
	}
}

// TestSplitCSV: quotes that close make a field, others stand as they are.
func TestSplitCSV(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
		open bool
	}{
		{``, []string{""}, false},
		{`a,b,`, []string{"a", "b", ""}, false},
		{`"a,b",c`, []string{"a,b", "c"}, false},
		{`"a ""b""",""`, []string{`a "b"`, ""}, false},
		{`"a"b,c`, []string{`"a"b`, "c"}, false},
		{`a,"b,c`, []string{"a", `"b`, "c"}, true},
		{`a,"b,"c"`, []string{"a", `"b`, "c"}, false},
		{`a,"`, []string{"a", `"`}, true},
		{`a"b",c`, []string{`a"b"`, "c"}, false},
	} {
		if got, open := splitCSV(tt.line, ','); !slices.Equal(got, tt.want) || open != tt.open {
			t.Errorf("%s: %q %v, want %q %v", tt.line, got, open, tt.want, tt.open)
		}
	}
}

// TestPipe: what is read twice must be a file.
func TestPipe(t *testing.T) {
	p, err := Builtin("synapse", OfTables)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.NewReader(t.Context(), Options{Calendar: utc(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Survey(t.Context(), []string{os.DevNull}); err == nil {
		t.Error("a device was read twice")
	}
}
