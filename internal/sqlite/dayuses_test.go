package sqlite

import (
	"bytes"
	"encoding/hex"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rollcall"
)

func drawUses(rng *rand.Rand) (uses []entry) {
	for range 1 + rng.IntN(20) {
		e := entry{use: use{
			service:  []rollcall.ServiceID{"aim", "icq", rollcall.ServiceID(strings.Repeat("x", 64))}[rng.IntN(3)],
			location: rollcall.Home << rng.IntN(3), kind: rollcall.Login + rollcall.Kind(rng.IntN(3)),
		}}
		for range 1 + rng.IntN(4) {
			from := rng.IntN(rollcall.MaxMinute)
			e.minutes.AddRange(from, from+1+rng.IntN(200))
		}
		uses = append(uses, e)
	}
	return uses
}

func TestDayUsesIsCanonical(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		uses := drawUses(rng)
		var a, b, back dayUses
		for i := range uses {
			a.unite(uses[i].use, &uses[i].minutes)
		}
		for _, i := range append(rng.Perm(len(uses)), rng.Perm(len(uses))...) {
			b.unite(uses[i].use, &uses[i].minutes)
		}
		want := a.append(nil)
		if got := b.append(nil); !bytes.Equal(got, want) {
			t.Fatalf("another order gives\n%x, want\n%x", got, want)
		}
		if err := back.decode(want, names{}); err != nil || !slices.Equal(back, a) {
			t.Fatalf("%x comes back as %v, %v", want, back, err)
		}
	}
}

func TestDayUsesUniteTellsOfChange(t *testing.T) {
	var b dayUses
	var none, some rollcall.Minutes
	some.AddRange(1, 3)
	msn := use{"msn", rollcall.Home, rollcall.Use}
	if b.unite(msn, &none) || len(b) != 0 {
		t.Error("no minutes made an entry")
	}
	if !b.unite(msn, &some) || b.unite(msn, &some) || b.unite(msn, &none) {
		t.Error("unite reports another change than the first")
	}
}

// A day of aim at home, use, minutes 5..9 and 20, and msn at work, login and
// use, minute 0 and the last of a 25-hour day.
const goodUses = "01" + "03" + "0361696d" + "13" + "02" + "0505" + "0a01" +
	"036d736e" + "21" + "01" + "0001" + "00" + "23" + "01" + "db0b01"

func TestDayUsesBytes(t *testing.T) {
	var b dayUses
	for _, c := range []struct {
		use
		from, to int
	}{
		{use{"msn", rollcall.Work, rollcall.Use}, 1499, 1500},
		{use{"msn", rollcall.Work, rollcall.Login}, 0, 1},
		{use{"aim", rollcall.Home, rollcall.Use}, 20, 21},
		{use{"aim", rollcall.Home, rollcall.Use}, 5, 10},
	} {
		var m rollcall.Minutes
		m.AddRange(c.from, c.to)
		b.unite(c.use, &m)
	}
	if got := hex.EncodeToString(b.append(nil)); got != goodUses {
		t.Errorf("got %s, want %s", got, goodUses)
	}
}

// malformedUses are refused; they and goodUses seed the fuzz test.
var malformedUses = map[string]string{
	"nothing":                 "",
	"another version":         "02" + goodUses[2:],
	"no count":                "01",
	"no entries":              "0100",
	"a long count":            "018100" + "0361696d" + "13010505",
	"too many entries":        "01ffffffff0f" + "0361696d" + "13010505",
	"an entry missing":        "0102" + "0361696d" + "13010505",
	"bytes left over":         goodUses + "00",
	"cut short":               goodUses[:len(goodUses)-2],
	"no first service":        "010100" + "13010505",
	"a service of 65":         "010141" + strings.Repeat("61", 65) + "13010505",
	"a service cut short":     "0101ff6169",
	"a service said again":    "0102" + "0361696d" + "13010505" + "0361696d" + "23010505",
	"services out of order":   "0102" + "036d736e" + "13010505" + "0361696d" + "13010505",
	"uses out of order":       "0102" + "0361696d" + "13010505" + "00" + "12010505",
	"a use twice":             "0102" + "0361696d" + "13010505" + "00" + "13010505",
	"no location and kind":    "01010361696d",
	"two locations":           "0101" + "0361696d" + "33010505",
	"location 8":              "0101" + "0361696d" + "83010505",
	"a kind that counts none": "0101" + "0361696d" + "14010505",
	"no runs":                 "0101" + "0361696d" + "1300",
	"a run missing":           "0101" + "0361696d" + "13020505",
	"a run of nothing":        "0101" + "0361696d" + "13010500",
	"runs that touch":         "0101" + "0361696d" + "130205050005",
	"a run past the day":      "0101" + "0361696d" + "1301" + "c30e02",
	"a long gap":              "0101" + "0361696d" + "1301" + "850005",
	"a huge gap":              "0101" + "0361696d" + "1301" + "ffffffffffffffffff0105",
	"an endless uvarint":      "0101" + "0361696d" + "13" + strings.Repeat("ff", 12),
}

func TestDayUsesRefuses(t *testing.T) {
	for name, text := range malformedUses {
		src, err := hex.DecodeString(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b dayUses
		if err := b.decode(src, names{}); !errors.Is(err, errDayUses) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDayUses(f *testing.F) {
	for _, text := range append(slices.Collect(maps.Values(malformedUses)), goodUses) {
		src, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var b dayUses
		if err := b.decode(src, names{}); err != nil {
			return
		}
		if got := b.append(nil); !bytes.Equal(got, src) {
			t.Fatalf("%x is read, but written as %x", src, got)
		}
	})
}
