package profile

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"rollcall"
)

const visitsOfTchap = "user_id,device_id,visit_ts,user_agent,instance,domain\n"

// TestDayInAnotherOffset: a day that is written as its first instant in an offset that is
// not the market's is the market's day; one that begins in its own offset is its label.
func TestDayInAnotherOffset(t *testing.T) {
	for at, want := range map[string]string{
		"2026-09-30 22:00:00+00":    "2026-10-01", // as a session in UTC exports it
		"2026-10-31 23:00:00+00":    "2026-11-01",
		"2026-03-28 18:00:00-05":    "2026-03-29",
		"2026-03-29 22:00:00Z":      "2026-03-30",
		"2026-10-01 00:00:00+02":    "2026-10-01",
		"2026-10-01 00:00:00+00":    "2026-10-01",
		"2026-10-01 00:00:00+05:30": "2026-10-01",
		"2026-10-01 23:30:00+02":    "2026-10-01",
		"2026-10-01":                "2026-10-01",
	} {
		all, counts := read(t, "tchap", "Europe/Paris", Options{}, written(t, "v.csv", visitsOfTchap+`\x4d,\x01,`+at+",curl,a,a.fr\n"))
		calendar, _ := rollcall.Market{ID: "FR", Zone: "Europe/Paris"}.Calendar()
		if len(all) != 1 {
			t.Fatalf("%s: %s", at, counts)
		}
		if day := calendar.Day(all[0].Time); day.String() != want || all[0].Time != calendar.Start(day).Time() {
			t.Errorf("%s: %s, want %s", at, all[0].Time, want)
		}
	}
}

// TestBlankRows: rows of nothing, as spreadsheets leave them, are no rows; and \N is
// nothing in CSV too, as ClickHouse and MySQL write it.
func TestBlankRows(t *testing.T) {
	all, counts := read(t, "tchap", "UTC", Options{}, written(t, "v.csv", visitsOfTchap+
		`\x4d,\x01,2026-10-01,curl,a,a.fr`+"\n,,,,,\n\"\",\"\", ,,,\n,,,,,,,\n"+`\N,\x01,2026-10-01,\N,\N,\N`+"\n"))
	if counts.Rows != 2 || counts.Rejected != 0 || counts.Unnamed != 1 || len(all) != 2 || all[1].Segment != "" {
		t.Errorf("%s: %+v", counts, all)
	}
}

// TestRareTimes: what RFC 3339 and exports allow beside the usual forms.
func TestRareTimes(t *testing.T) {
	for at, want := range map[string]string{
		"2016-12-31T23:59:60Z":         "2016-12-31T23:59:59Z", // a leap second is in the minute 23:59
		"2017-01-01 00:59:60.5+01":     "2016-12-31T23:59:59Z",
		"2016-12-31 23:59:60":          "2016-12-31T23:59:59Z",
		"2016-12-30T23:59:60Z":         "",
		"2016-12-31T22:59:60Z":         "",
		"2026-10-05t06:00:00z":         "2026-10-05T06:00:00Z",
		"2026-10-05T06:00:00.250+0000": "2026-10-05T06:00:00Z", // mongoexport before 3.0
		"2026-10-05T08:00:00.250+0200": "2026-10-05T06:00:00Z",
		"2026-10-05 06:00:00 UTC":      "2026-10-05T06:00:00Z", // BigQuery
		"2026-10-05 06:00:00.25 UTC":   "2026-10-05T06:00:00Z",
		"2026-10-05 06:00:00 CET":      "",
	} {
		all, counts := read(t, "zulip", "UTC", Options{}, written(t, "i.csv", "id,start,end,user_profile_id\n1,"+at+",,8\n"))
		if want == "" {
			if counts.Rejected != 1 {
				t.Errorf("%s: %s", at, counts)
			}
			continue
		}
		if len(all) != 1 || all[0].Time.Format("2006-01-02T15:04:05Z") != want {
			t.Errorf("%s: %+v, %s", at, all, counts)
		}
	}
}

// TestPretty: objects that are laid out over several lines are read as one a line.
func TestPretty(t *testing.T) {
	lines, err := os.ReadFile("testdata/rocketchat/sessions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var pretty strings.Builder
	for line := range bytes.Lines(lines) {
		var out bytes.Buffer
		if err := json.Indent(&out, line, "", "\t"); err != nil {
			t.Fatal(err)
		}
		pretty.Write(bytes.TrimSpace(out.Bytes()))
		pretty.WriteString("\n")
	}
	want, _ := read(t, "rocketchat", "Europe/Paris", Options{}, "testdata/rocketchat/sessions.jsonl")
	all, counts := read(t, "rocketchat", "Europe/Paris", Options{}, written(t, "s.json", mark+pretty.String()))
	if len(all) != len(want) || counts.Rejected != 0 || counts.Rows != 8 {
		t.Fatalf("%d sightings, want %d: %s", len(all), len(want), counts)
	}
	for i := range all {
		if all[i] != want[i] {
			t.Errorf("%+v, want %+v", all[i], want[i])
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(pretty.String())); err != nil || z.Flush() != nil {
		t.Fatal(err)
	}
	short := packed.String()
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	cut, _ := strings.CutSuffix(pretty.String(), "}\n")
	for _, tt := range []struct{ name, text, want string }{
		{"cut", cut, "cut short"}, {"text behind", pretty.String() + "x", "is not JSON"}, {"a bracket behind", pretty.String() + "]", "has a bracket too many"},
		{"bytes behind what is packed", packed.String() + "other bytes", "has other bytes after the end of its gzip"}, {"packed, cut between two objects", short, "ends in the middle"},
		{"blanks without end", pretty.String() + strings.Repeat(" ", 2*maxElement), "is longer than 4 MiB"},
	} {
		p, err := Builtin("rocketchat", OfTables)
		if err != nil {
			t.Fatal(err)
		}
		calendar, _ := rollcall.Market{ID: "FR", Zone: "UTC"}.Calendar()
		r, err := p.NewReader(t.Context(), Options{Market: "FR", Location: rollcall.Elsewhere, Calendar: calendar})
		if err != nil {
			t.Fatal(err)
		}
		file := "s.json"
		if strings.HasPrefix(tt.text, "\x1f") {
			file += ".gz"
		}
		n := 0
		_, err = r.Read(t.Context(), written(t, file, tt.text), func(Seen) error { n++; return nil })
		if err == nil || !strings.Contains(err.Error(), tt.want) || n == 0 {
			t.Errorf("%s: %d sightings, %v, want %q", tt.name, n, err, tt.want)
		}
	}
}

// TestRocketchatDevices: a browser on a phone, a tablet or a Mac, whose types are the
// device's own, is a browser, and a day without devices is a day.
func TestRocketchatDevices(t *testing.T) {
	const session = `{"type":"session","sessionId":"%","userId":"%","loginAt":"2026-10-05T06:00:00Z","device":`
	text := ""
	for who, device := range map[string]string{
		"phone": `{"type":"mobile","name":"Mobile Safari"}`, "tablet": `{"type":"tablet","name":"Chrome"}`,
		"mac": `{"type":"","name":"Safari"}`, "television": `{"type":"smarttv","name":"Samsung Browser"}`,
		"app": `{"type":"mobile-app","name":"RC Mobile"}`, "desktop": `{"type":"desktop-app","name":"Rocket.Chat"}`,
		"program": `{"type":"other","name":""}`, "nothing": `null`, "nameless": `{"type":""}`,
	} {
		text += strings.ReplaceAll(session, "%", who) + device + "}\n"
	}
	text += `{"type":"user_daily","userId":"day","year":2026,"month":10,"day":5,"devices":[]}` + "\n" +
		`{"type":"user_daily","userId":"day on a phone","year":2026,"month":10,"day":5,"devices":[{"device":{"type":"mobile","name":"Chrome"}}]}` + "\n"
	all, counts := read(t, "rocketchat", "UTC", Options{}, written(t, "s.jsonl", text))
	want := map[string]rollcall.Platform{
		"phone": rollcall.Web, "tablet": rollcall.Web, "mac": rollcall.Web, "television": rollcall.Web, "day on a phone": rollcall.Web,
		"app": rollcall.Phone, "desktop": rollcall.Computer,
		"program": rollcall.OtherPlatform, "nothing": rollcall.OtherPlatform, "nameless": rollcall.OtherPlatform, "day": rollcall.OtherPlatform,
	}
	if len(all) != len(want) || counts.Rejected != 0 {
		t.Fatalf("%s", counts)
	}
	for _, s := range all {
		if s.Platform != want[s.Account] {
			t.Errorf("%s: %s", s.Account, s.Platform)
		}
	}
}

// TestZulipExport: manage.py export names the user otherwise, and has seconds.
func TestZulipExport(t *testing.T) {
	file := written(t, "i.jsonl", `{"id":1,"user_profile":8,"start":1791183492.120934,"end":1791193300.002113}`+"\n"+
		`{"id":2,"user_profile":8,"start":1791193200,"end":1791194100.0}`+"\n"+`{"id":3,"user_profile":12,"start":1791183492.0,"end":1791193300.0}`+"\n")
	users := written(t, "u.jsonl", `{"id":8,"realm":2,"is_bot":false,"is_active":true,"role":400}`+"\n"+`{"id":12,"realm":2,"is_bot":true,"is_active":true,"role":400}`+"\n")
	all, counts := read(t, "zulip", "UTC", Options{Joins: map[string]string{"userprofile": users}}, file)
	wantStamps(t, all, rollcall.Presence, "8 2026-10-05T06:58:12Z 2026-10-05T09:40:00Z")
	if counts.Dropped["bot"] != 1 || counts.Joined != 1 || len(all) != 1 || all[0].Segment != "2" {
		t.Errorf("%s: %+v", counts, all)
	}
}

// TestMattermostObjects: what row_to_json gives of a session has an object in it, not its text.
func TestMattermostObjects(t *testing.T) {
	const sessions = `{"id":"s1","createat":1791180000000,"lastactivityat":1791187200000,"userid":"u1","roles":"system_user","props":{"browser":"Mobile App/2.31","isMobile":"true","platform":"iPhone"}}
{"id":"s2","createat":1791180000000,"lastactivityat":1791187200000,"userid":"b1","roles":"system_user","props":{"type":"UserAccessToken","is_bot":"true"}}
{"id":"s3","createat":1791180000000,"lastactivityat":0,"userid":"u3","roles":"system_user","props":null}
{"id":"s4","createat":1791180000000,"lastactivityat":1791187200000,"userid":"u4","roles":"system_user","isoauth":true,"props":{"os":"OAuth2","browser":"OAuth2","platform":"A robot"}}
`
	all, counts := read(t, "mattermost", "UTC", Options{}, written(t, "sessions.jsonl", sessions))
	wantStamps(t, all, rollcall.Login, "u1 2026-10-05T06:00:00Z", "u3 2026-10-05T06:00:00Z")
	wantStamps(t, all, rollcall.Presence, "u1 2026-10-05T08:00:00Z")
	if counts.Dropped["bot"] != 1 || counts.Dropped["OAuth app"] != 1 || len(all) != 3 || all[0].Platform != rollcall.Phone {
		t.Errorf("%s: %+v", counts, all)
	}
}

// TestMattermostSingleSignOn: who signs on at another place has other paths.
func TestMattermostSingleSignOn(t *testing.T) {
	const audits = `id,createat,userid,action,extrainfo,ipaddress,sessionid
1,1791180000100,,/login/sso/saml,attempt,192.0.2.1,
2,1791180000200,u1,/login/sso/saml,obtained user,192.0.2.1,
3,1791180000300,u1,/login/sso/saml,success,192.0.2.1,s
4,1791181000100,,/login/sso/saml,fail,192.0.2.1,
5,1791180000000,u2,/signup/gitlab/complete,success,192.0.2.1,s
6,1791180000000,u3,/oauth/google/complete,success,192.0.2.1,s
7,1791180000000,u4,/login/office365/complete,success,192.0.2.1,s
8,1791180000000,u5,/oauth/google/complete,authenticated,192.0.2.1,s
9,1791180000000,,/signup/gitlab/complete,success,192.0.2.1,
10,1791180000000,u5,/api/v4/users/login/desktop_token,success,192.0.2.1,s
11,1791180000000,u6,/oauth/authorize,success,192.0.2.1,s
`
	all, counts := read(t, "mattermost", "UTC", Options{}, written(t, "audits.csv", audits))
	const at = " 2026-10-05T06:00:00Z"
	wantStamps(t, all, rollcall.Login, "u1"+at, "u2"+at, "u3"+at, "u4"+at, "u5"+at)
	wantStamps(t, all, rollcall.LoginFailed, " 2026-10-05T06:16:40Z")
	if counts.Other != 5 || counts.Rejected != 0 {
		t.Errorf("%s", counts)
	}
}

// TestAligned: what psql prints without \copy is a table for reading, whose cells are
// padded, with a rule below its header and a count at its end.
func TestAligned(t *testing.T) {
	const stays = ` id  |             start             |              end              | user_profile_id
-----+-------------------------------+-------------------------------+-----------------
 101 | 2026-10-05 06:58:12.120934+00 | 2026-10-05 09:41:40.002113+00 |               8
 102 | 2026-10-05 06:58:12+00        | 2026-10-05 09:41:40+00        |              12
(2 rows)

`
	const users = ` id | realm_id | is_bot | is_active | role
----+----------+--------+-----------+------
  8 |        2 | f      | t         |  400
 12 |        2 | t      | t         |  400
(2 rows)
`
	joins := map[string]string{"userprofile": written(t, "u.txt", users)}
	all, counts := read(t, "zulip", "UTC", Options{Joins: joins}, written(t, "i.txt", stays))
	wantStamps(t, all, rollcall.Presence, "8 2026-10-05T06:58:12Z 2026-10-05T09:26:40Z")
	if counts.Rows != 2 || counts.Dropped["bot"] != 1 || counts.Rejected != 0 || len(all) != 1 || all[0].Segment != "2" {
		t.Errorf("%s: %+v", counts, all)
	}
}

// TestLineEndsOfCR: a file whose lines end by CR alone is refused: it was one line, a
// header without rows.
func TestLineEndsOfCR(t *testing.T) {
	p, err := Builtin("tchap", OfTables)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.NewReader(t.Context(), Options{Market: "FR"})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(visitsOfTchap+`\x4d,\x01,2026-10-01,curl,a,a.fr`+"\n", "\n", "\r")
	_, err = r.Read(t.Context(), written(t, "v.csv", text), func(Seen) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "its lines end by CR alone") {
		t.Error(err)
	}
}
