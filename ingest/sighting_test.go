package ingest

import (
	"testing"
	"time"

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
