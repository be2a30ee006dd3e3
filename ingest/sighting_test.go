package ingest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollcall"
)

func TestSightingAppendJSON(t *testing.T) {
	at := time.Date(2002, 10, 3, 20, 22, 5, 120, time.FixedZone("", 2*3600))
	for want, s := range map[string]Sighting{
		`{}`: {},
		`{"time":"2002-10-03T18:22:05.00000012Z","until":"2002-10-03T18:52:05.00000012Z","market":"FR","service":"msn","account":"a<b>\"é@hotmail.com","kind":"presence","location":"home","client":"MSNP8","evidence":"CHG NLN","id":"E01","source":"meter-17"}`: {
			ID: "E01", Source: "meter-17", Time: at, Until: at.Add(30 * time.Minute), Market: "FR", Service: "msn",
			Location: rollcall.Home, Kind: rollcall.Presence, Account: `a<b>"é@hotmail.com`, Client: "MSNP8", Evidence: "CHG NLN",
		},
		`{"time":"2002-10-03T18:22:05.00000012Z","panel":"nn","panelist":"P0001","kind":"login_failed","location":"work","client":"a\n\ufffd"}`: {
			Time: at, Panel: "nn", Panelist: "P0001", Kind: rollcall.LoginFailed, Location: rollcall.Work, Client: "a\n\xff",
		},
	} {
		if got := string(s.AppendJSON([]byte("x"))); got != "x"+want {
			t.Errorf("got  %s\nwant x%s", got, want)
		}
	}
}

// TestSightingAsFields: what is appended is what encoding/json makes of the fields.
func TestSightingAsFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string {
			return rapid.OneOf(rapid.Just(""), rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, name)
		}
		f := Fields{
			Market: text("market"), Service: text("service"), Account: rapid.String().Draw(t, "account"), Panel: text("panel"), Panelist: rapid.String().Draw(t, "panelist"),
			Kind: rollcall.Use.String(), Location: rollcall.Work.String(), Platform: rollcall.Web.Stored(), Segment: text("segment"),
			Precision: rollcall.ToDay.String(), Client: text("client"), Evidence: text("evidence"), ID: text("id"), Source: text("source"),
		}
		s := Sighting{
			Market: rollcall.MarketID(f.Market), Service: rollcall.ServiceID(f.Service), Account: f.Account, Panel: rollcall.PanelID(f.Panel), Panelist: f.Panelist,
			Kind: rollcall.Use, Location: rollcall.Work, Platform: rollcall.Web, Segment: rollcall.SegmentID(f.Segment),
			Precision: rollcall.ToDay, Client: f.Client, Evidence: f.Evidence, ID: f.ID, Source: f.Source,
		}
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(f); err != nil {
			t.Fatal(err)
		}
		if got := string(s.AppendJSON(nil)) + "\n"; got != want.String() {
			t.Errorf("got  %swant %s", got, &want)
		}
		if got := string(f.JSON()) + "\n"; got != want.String() {
			t.Errorf("fields give  %swant %s", got, &want)
		}
	})
}

// TestNamesKeepTheirBytes: a name that is not UTF-8 is refused again when what was
// written is read, and not as a name that others would have too.
func TestNamesKeepTheirBytes(t *testing.T) {
	for _, name := range []string{"Ren\xe9", "\xff", "a\"\\\n\x00\xc3"} {
		account, panelist := Sighting{Account: name}, Sighting{Panel: "nn", Panelist: name}
		for written, field := range map[string]string{
			string(account.AppendJSON(nil)): "account", string((&Fields{Account: name}).JSON()): "account",
			string(panelist.AppendJSON(nil)): "panelist", string((&Fields{Panelist: name}).JSON()): "panelist",
		} {
			want := "line: is not a JSON event: field \"" + field + "\" is not UTF-8 text; write it in UTF-8"
			if _, err := ParseJSON([]byte(written)); err == nil || err.Error() != want {
				t.Errorf("%q is read as %v; want %s", written, err, want)
			}
		}
	}
}
