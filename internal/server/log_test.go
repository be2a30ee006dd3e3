package server

import (
	"testing"
	"time"

	"rollcall"
)

// TestDecodeSaysWhatIsWrong: a single event is refused for what the same line of a
// file is refused for, and what stood in a field is not quoted: it may be an account.
func TestDecodeSaysWhatIsWrong(t *testing.T) {
	p := newProcess(&Engine{Data: t.TempDir()}, quiet())
	if err := p.start(t.Context(), parts{}); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := changeableOf(p).AddMarket(t.Context(), rollcall.Market{ID: "FR", Zone: "Europe/Paris", Name: "France"}, false); err != nil {
		t.Fatal(err)
	}
	decode := decoder(p.converter(), p.catalogue.check)
	for fields, want := range map[string]string{
		`"market":"FR"`: "service: is missing",
		`"market":"FR","service":"ann@example.org"`: "service: has a character other than letters, digits, '.', '_' and '-'",
		`"market":"FR","service":"ann"`:             "service: is not known; add it with `rollcall service add`",
		`"market":"ann","service":"msn"`:            "market: is not known; add it with `rollcall market add`",
	} {
		line := `{"time":"2002-10-03T18:22:05Z","location":"home","kind":"use","account":"ann",` + fields + `}`
		if _, err := decode(nil, []byte(line), "application/json", time.Now(), true); err == nil || err.Error() != want {
			t.Errorf("%s: %v; want %s", fields, err, want)
		}
	}
}
