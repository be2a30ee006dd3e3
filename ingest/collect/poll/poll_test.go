package poll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest/profile"
	"rollcall/ingest/session"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func newPoller(t *testing.T, source string, into *[]string) *Poller {
	t.Helper()
	p, err := profile.Builtin(source, profile.OfSnapshot)
	if err != nil {
		t.Fatal(err)
	}
	return pollerOf(t, source, p, into)
}

// newPollerBy makes a poller by a profile's text.
func newPollerBy(t *testing.T, text string, asked ...string) *Poller {
	t.Helper()
	p, err := profile.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	return pollerOf(t, "own", p, &got, asked...)
}

func pollerOf(t *testing.T, source string, p *profile.Profile, into *[]string, asked ...string) *Poller {
	t.Helper()
	calendar, err := rollcall.Market{ID: "ZONE", Zone: "UTC"}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	optional := map[string]bool{}
	for _, rule := range asked {
		optional[rule] = true
	}
	r, err := p.NewReader(t.Context(), profile.Options{Location: rollcall.Elsewhere, Calendar: calendar, Optional: optional})
	if err != nil {
		t.Fatal(err)
	}
	return New(source, r, time.Minute, func(s profile.Seen) error {
		at := s.Time.UTC().Format("15:04:05")
		if !s.Until.IsZero() {
			at += " to " + s.Until.UTC().Format("15:04:05")
		}
		*into = append(*into, fmt.Sprintf("%s %s %s %s", at, s.Kind, s.Service, s.Account))
		return nil
	})
}

// oscar is what open-oscar-server answers with sessions of these names and ages.
func oscar(sessions ...string) string {
	for i, s := range sessions {
		name, age, _ := strings.Cut(s, " ")
		sessions[i] = fmt.Sprintf(`{"id":%q,"screen_name":%q,"online_seconds":%s,"is_away":true,"away_message":"secret","is_icq":false}`, strings.ToLower(name), name, age)
	}
	return fmt.Sprintf(`{"count":%d,"sessions":[%s]}`, len(sessions), strings.Join(sessions, ","))
}

// ejabberd is what ejabberdctl prints of them.
func ejabberd(sessions ...string) string {
	var out string
	for i, s := range sessions {
		jid, age, _ := strings.Cut(s, " ")
		out += fmt.Sprintf("%s\tc2s_tls\t::ffff:127.0.0.1\t%d\t0\tejabberd@localhost\t%s\tavailable\thome\tsecret\n", jid, 50000+i, age)
	}
	return out
}

// pollCases are snapshots a minute apart, and what they are.
var pollCases = []struct {
	name, source string
	texts        []string // a minute apart; "-": none came
	want         string
}{
	{"who comes and goes", "open-oscar-server", []string{oscar("Ann 60"), oscar("Ann 120", "bob 10"), oscar("bob 70"), oscar()}, `
11:59:00 login aim Ann
11:59:00 to 12:01:00 presence aim Ann
12:00:50 login aim bob
12:00:50 to 12:02:00 presence aim bob
12:01:00 logout aim Ann
12:02:00 logout aim bob`},
	{"lines, and a resumed session, which has another age", "ejabberd", []string{ejabberd("ann@x/home 600"), ejabberd("ann@x/home 3", "ann@x/phone 5"), ejabberd("ann@x/phone 65")}, `
11:50:00 login jabber ann@x/home
11:50:00 to 12:01:00 presence jabber ann@x/home
12:00:55 login jabber ann@x/phone
12:00:55 to 12:02:00 presence jabber ann@x/phone
12:01:00 logout jabber ann@x/home`},
	{"an answer that doesn't come, or is none, sends nobody away", "open-oscar-server", []string{oscar("Ann 60"), "-", `{"error":"busy"}`, oscar("Ann 240")}, `
11:59:00 login aim Ann
11:59:00 to 12:03:00 presence aim Ann`},
	{"nor does what is no list of sessions", "ejabberd", []string{ejabberd("ann@x/home 60"), "Bad gateway\n", ejabberd("ann@x/home 180")}, `
11:59:00 login jabber ann@x/home
11:59:00 to 12:02:00 presence jabber ann@x/home`},
	{"after many that don't come nobody knows what was between", "open-oscar-server", []string{oscar("Ann 60"), "-", "-", "-", "-", "-", "-", oscar("Ann 480")}, `
11:59:00 login aim Ann
11:59:00 login aim Ann
11:59:00 to 12:00:00 presence aim Ann
11:59:00 to 12:07:00 presence aim Ann
12:00:00 logout aim Ann`},
	{"the API's list", "ejabberd", []string{`[{"jid":"ann@x/home","uptime":60,"statustext":"secret"}]`}, `
11:59:00 login jabber ann@x/home
11:59:00 to 12:00:00 presence jabber ann@x/home`},
	{"Openfire", "openfire", []string{`{"sessions":[{"sessionId":"ann@x/a","username":"ann","sessionStatus":"Authenticated","creationDate":1795953000000},{"sessionId":"b","username":"","sessionStatus":"Connected"}]}`}, `
11:50:00 login jabber ann@x/a
11:50:00 to 12:00:00 presence jabber ann@x/a`},
	{"who Synapse saw last", "synapse", []string{`{"users":[{"name":"@ann:x","last_seen_ts":1795953300000},{"name":"@b:x","user_type":"bot","last_seen_ts":1795953300000},{"name":"@c:x","last_seen_ts":null}],"total":3}`,
		`{"users":[{"name":"@ann:x","last_seen_ts":1795953300000}]}`}, `
11:55:00 presence matrix @ann:x`},
}

func TestPoll(t *testing.T) {
	for _, tc := range pollCases {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			p := newPoller(t, tc.source, &got)
			for i, text := range tc.texts {
				if text == "-" {
					p.Failed()
					continue
				}
				if err := p.Take([]byte(text), noon.Add(time.Duration(i)*time.Minute)); err != nil {
					p.Failed()
				}
			}
			if err := p.End(); err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			if strings.Join(merged(got), "\n") != strings.TrimSpace(tc.want) {
				t.Errorf("got\n%s\nwant%s", strings.Join(got, "\n"), tc.want)
			}
		})
	}
}

// TestMissed: four answers that don't come, and a clock that is a little late,
// send nobody away; five do.
func TestMissed(t *testing.T) {
	for failed, away := range map[int]bool{4: false, 5: true} {
		var got []string
		p := newPoller(t, "open-oscar-server", &got)
		for _, at := range []time.Duration{0, time.Duration(failed+1)*time.Minute + 10*time.Millisecond} {
			if err := p.Take([]byte(oscar(fmt.Sprint("Ann ", 60+int(at.Seconds())))), noon.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Contains(got, "12:00:00 logout aim Ann") != away {
			t.Errorf("%d missed: %q", failed, got)
		}
	}
}

// TestTold: what became of the snapshots is told as they come, at once and then
// every ten minutes; that nobody is counted once.
func TestTold(t *testing.T) {
	for account, nobody := range map[string]bool{"account: user": false, "account: usr": true} {
		p := newPollerBy(t, "snapshot: true\nservice: aim\nformat: [json]\ntables:\n  - {name: session, "+account+", connection: id, events: [{step: {constant: opened}, time: at}]}\n")
		var counted, warned []string
		p.Count = func(text string) { counted = append(counted, text) }
		p.Warn = func(text string) { warned = append(warned, text) }
		for minute := range 21 {
			if err := p.Take([]byte(`[{"id":1,"user":"ann","at":"2026-11-29T11:00:00Z"}]`), noon.Add(time.Duration(minute)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if len(counted) != 3 || !strings.HasPrefix(counted[0], "snapshots 1, failed 0, rows 1") || !strings.HasPrefix(counted[2], "snapshots 21, failed 0, rows 21") {
			t.Errorf("%s: counted %q", account, counted)
		}
		const want = `counts nobody: account: no row has "usr" (the nearest are user, at, id)`
		if nobody != slices.Equal(warned, []string{want}) || !nobody && len(warned) > 0 {
			t.Errorf("%s: warned %q", account, warned)
		}
	}
}

// TestRefusedRows: why rows are refused is told once, and each reason is held once however
// many snapshots have the row.
func TestRefusedRows(t *testing.T) {
	p := newPollerBy(t, "snapshot: true\nservice: aim\nformat: [json]\ntables:\n  - {name: session, account: user, connection: id, events: [{step: {constant: opened}, time: at}]}\n")
	var warned []string
	p.Warn = func(text string) { warned = append(warned, text) }
	for minute := range 21 {
		if err := p.Take([]byte(`[{"id":1,"user":"ann","at":"2026-11-29T11:00:00Z"},{"id":2,"user":"ben","at":"s3cret"},3]`), noon.Add(time.Duration(minute)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if want := `refuses rows: row 2: "at": the time is not a time that the profile knows`; !slices.Equal(warned, []string{want}) {
		t.Errorf("warned %q, want %q", warned, want)
	}
	if faults := p.Counts().Faults; p.Counts().Rejected != 42 || len(faults) != 2 || faults[1].Line != 3 {
		t.Errorf("%s: %v", p, faults)
	}
}

// TestUndropped: that no row has what a rule reads that was asked for is told once.
func TestUndropped(t *testing.T) {
	p := newPollerBy(t, "snapshot: true\nservice: aim\nformat: [json]\ntables:\n  - {name: session, account: user, drop: [{name: robot, when: {expression: 'truth(robot)'}, optional: true}], connection: id, events: [{step: {constant: opened}, time: at}]}\n", "robot")
	var warned []string
	p.Warn = func(text string) { warned = append(warned, text) }
	for minute := range 21 {
		if err := p.Take([]byte(`[{"id":1,"user":"ann","Robot":false,"at":"2026-11-29T11:00:00Z"}]`), noon.Add(time.Duration(minute)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	const want = `counts whom it is to drop: table session: no row has "robot", only "Robot", and rule robot, which was asked for, drops by it: rename it, or leave the rule out`
	if !slices.Equal(warned, []string{want}) {
		t.Errorf("warned %q", warned)
	}
}

// TestMany: an answer with more sessions than are followed is none.
func TestMany(t *testing.T) {
	var got []string
	for source, text := range map[string]string{
		"open-oscar-server": `{"sessions":[` + strings.Repeat("0,", session.MaxOpen) + "0]}",
		"ejabberd":          "x" + strings.Repeat("\n", session.MaxOpen) + "x",
	} {
		p := newPoller(t, source, &got)
		if err := p.Take([]byte(text), noon); !errors.Is(err, errMany) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// merged joins pieces of presence that touch: they are told as they grow.
func merged(all []string) (out []string) {
	for _, s := range all {
		if _, rest, ok := strings.Cut(s, " to "); ok && len(out) > 0 {
			for i, before := range out {
				if from, end, is := strings.Cut(before, " to "); is && strings.HasPrefix(s, end[:8]) && end[8:] == rest[8:] {
					out[i], s = from+" to "+rest, ""
				}
			}
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// TestAsk: the token goes where it belongs and nowhere else; what is wrong is said.
func TestAsk(t *testing.T) {
	asked := ""
	far := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirection was followed") }))
	defer far.Close()
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Authorization")
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, far.URL, http.StatusFound)
		case "/ok":
			fmt.Fprint(w, "[]")
		default:
			http.NotFound(w, r)
		}
	}))
	defer here.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	s := Source{URL: here.URL + "/ok", TokenFile: token, Now: now}
	if text, at, err := s.Ask(t.Context()); err != nil || string(text) != "[]" || !at.Equal(noon) || asked != "Bearer s3cret" {
		t.Error(string(text), at, err, asked)
	}
	s.Bare = true
	if _, _, err := s.Ask(t.Context()); err != nil || asked != "s3cret" {
		t.Error(err, asked)
	}
	for _, path := range []string{"/moved", "/gone"} {
		s.URL = here.URL + path
		if _, _, err := s.Ask(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Error(path, err)
		}
	}
	command := Source{Command: "printf 'a\\tb'", Now: now}
	if text, _, err := command.Ask(t.Context()); err != nil || string(text) != "a\tb" {
		t.Error(string(text), err)
	}
	command.Command = "echo no such node >&2; echo and more >&2; exit 2"
	if _, _, err := command.Ask(t.Context()); err == nil || err.Error() != "the command: exit status 2: no such node" {
		t.Errorf("a command that says why: %v", err)
	}
	command.Command = "exit 3"
	if _, _, err := command.Ask(t.Context()); err == nil {
		t.Error("a command that failed was taken")
	}
}

// TestRun: what can't be had is told, and asking goes on until it is told to stop.
func TestRun(t *testing.T) {
	var got []string
	p := newPoller(t, "open-oscar-server", &got)
	ctx, cancel := context.WithCancel(t.Context())
	tick := make(chan time.Time, 8)
	answers := []string{oscar("Ann 60"), "-", oscar("Ann 180")}
	asked, committed, warned := 0, 0, 0
	for range answers {
		tick <- noon
	}
	err := p.Run(ctx, tick, func(context.Context) ([]byte, time.Time, error) {
		if asked == len(answers) {
			cancel()
			return nil, noon, ctx.Err()
		}
		asked++
		if answers[asked-1] == "-" {
			return nil, noon, errors.New("away")
		}
		return []byte(answers[asked-1]), noon.Add(time.Duration(asked-1) * time.Minute), nil
	}, func(context.Context) error { committed++; return nil }, func(error) { warned++ })
	if err != nil || warned != 1 || committed != 4 || !slices.Contains(got, "11:59:00 login aim Ann") {
		t.Error(err, warned, committed, got)
	}
}

// FuzzTake: no answer of a server ends the process.
func FuzzTake(f *testing.F) {
	for _, text := range []string{oscar("Ann 60"), ejabberd("ann@x/home 600"), "[", `{"sessions":{}}`, `[[[[`, "", "null", `{"sessions":[null,1,"x"]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got []string
		for _, source := range profile.Names(profile.OfSnapshot) {
			p := newPoller(t, source, &got)
			_ = p.Take([]byte(text), noon)
			_ = p.Take(nil, noon.Add(time.Minute))
			if err := p.End(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
