package signs

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"rollcall"
	"rollcall/schemas"
)

const first = "service,sign,value,source,date\n"

func table(t *testing.T, rows string) *Table {
	t.Helper()
	list, err := Parse(strings.NewReader(first + rows))
	if err != nil {
		t.Fatal(err)
	}
	tab, err := New(list)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestNames(t *testing.T) {
	tab := table(t, "teams,name,teams.example,s,2026-01-02\nskype,name,example,s,2026-01-02\nnone,name,shared.example,s,2026-01-02\n"+
		"teams,name,both.example,s,2026-01-02\nskype,name,both.example,s,2026-01-02\n")
	for name, want := range map[string]rollcall.ServiceID{
		"teams.example": "teams", "A.Teams.Example.": "teams", "notteams.example": "skype", "example": "skype",
		"x.shared.example": "", "both.example": "", "y.both.example": "", "": "", "other": "", "xample": "",
	} {
		if got := tab.ByName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestBytesAndAddresses(t *testing.T) {
	tab := table(t, "whatsapp,bytes,5741.5@443+80,s,2026-01-02\nline,address,10.0.0.0/8,s,2026-01-02\nsignal,address,10.1.0.0/16,s,2026-01-02\nnone,address,10.1.2.0/24,s,2026-01-02\nline,address,2001:db8::/32,s,2026-01-02\n")
	for _, test := range []struct {
		head string
		port uint16
		want rollcall.ServiceID
		more bool
	}{
		{"WA\x15", 443, "whatsapp", false}, {"WA\xF5rest", 80, "whatsapp", false}, {"WA", 80, "", true}, {"WA\x16", 80, "", false}, {"WA\x15", 81, "", false}, {"", 443, "", true},
	} {
		if got, more := tab.ByBytes([]byte(test.head), test.port); got != test.want || more != test.more {
			t.Errorf("%q to %d: got %q %v, want %q %v", test.head, test.port, got, more, test.want, test.more)
		}
	}
	for address, want := range map[string]rollcall.ServiceID{"10.9.9.9": "line", "10.1.9.9": "signal", "10.1.2.9": "", "11.0.0.1": "", "2001:db8::5": "line", "2001:db9::5": ""} {
		if got := tab.ByAddress(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "another first line": "a,b,c,d,e\n", "too few": first + "x,name,y\n", "no date": first + "x,name,y,s,\n",
		"no source": first + "x,name,y,,2026-01-02\n", "unknown sign": first + "x,smell,y,s,2026-01-02\n", "bad prefix": first + "x,address,1.2.3/8,s,2026-01-02\n",
		"bad digits": first + "x,bytes,xyzw,s,2026-01-02\n", "one byte": first + "x,bytes,41,s,2026-01-02\n", "bad port": first + "x,bytes,4142@http,s,2026-01-02\n",
		"odd digits": first + "x,bytes,41424,s,2026-01-02\n", "bad service": first + "x y,name,y,s,2026-01-02\n",
	} {
		if _, err := Parse(strings.NewReader(file)); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every service of the built-in table is in the catalogue.
func TestBuiltIn(t *testing.T) {
	rows, err := Parse(strings.NewReader(schemas.Signatures))
	if err != nil {
		t.Fatal(err)
	}
	services, err := schemas.Services()
	if err != nil {
		t.Fatal(err)
	}
	known := map[rollcall.ServiceID]bool{None: true}
	for _, s := range services {
		known[s.ID] = true
	}
	for _, r := range rows {
		if !known[r.Service] {
			t.Errorf("%s is not in the catalogue", r.Service)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(first + "x,bytes,4.42@80+443,s,2026-01-02\n")
	f.Add(schemas.Signatures)
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := Parse(strings.NewReader(file))
		if err != nil {
			return
		}
		tab, err := New(rows)
		if err != nil {
			t.Fatal(err)
		}
		tab.ByName("a.b.c")
		tab.ByBytes([]byte("abc"), 443)
		tab.ByBytes([]byte(file), 5222)
		tab.ByDatagram([]byte(file), 443)
		tab.ByName(file)
		tab.ByALPN(file)
		tab.ByAddress(netip.MustParseAddr("10.0.0.1"))
	})
}
