package audience

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rollcall"
)

// frozen is a small month's diaries, two services, three persons.
func frozen() (body []byte, reader func(b []byte) *diaryReader) {
	days := []int32{0, 1440, 2940, 4380} // the second day has 25 hours
	doc := &Document{Starts: []int64{0, 1440, 2940, 4380}}
	f := &freezer{doc: doc}
	add := func(k diaryKey, runs ...dayRun) {
		f.list = append(f.list, loose{k, uint32(len(f.runs)), uint16(len(runs))})
		f.runs = append(f.runs, runs...)
	}
	add(diaryKey{0, 0, 1, whereOf(rollcall.Home, rollcall.Use)}, dayRun{0, 10}, dayRun{20, 30})
	add(diaryKey{0, 1, 0, whereOf(rollcall.Home, rollcall.Presence)}, dayRun{1490, 1500})
	add(diaryKey{0, 1, 0, whereOf(rollcall.Work, rollcall.Login)}, dayRun{5, 6})
	add(diaryKey{2, 2, 1, whereOf(rollcall.Work, rollcall.Use)}, dayRun{1439, 1440})
	return f.encode(), func(b []byte) *diaryReader { return &diaryReader{b: b, people: 3, services: 2, days: days, online: -1} }
}

func TestDiariesRoundTrip(t *testing.T) {
	body, reader := frozen()
	got, err := reader(body).read()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(got.list, got.runs); text !=
		"[{0 0 2 0 1 49} {0 2 1 1 0 33} {0 3 1 1 0 18} {2 4 1 2 1 50}] [{0 10} {20 30} {2930 2940} {1445 1446} {4379 4380}]" {
		t.Errorf("read %s", text)
	}
}

// TestDiariesOfOneKeyUnite: a store may give a diary in pieces.
func TestDiariesOfOneKeyUnite(t *testing.T) {
	k := diaryKey{0, 0, 0, whereOf(rollcall.Home, rollcall.Use)}
	whole := &freezer{list: []loose{{k, 0, 1}}, runs: []dayRun{{5, 20}}}
	pieces := &freezer{list: []loose{{k, 0, 1}, {k, 1, 1}}, runs: []dayRun{{10, 20}, {5, 12}}}
	equalBytes(t, "pieces", pieces.encode(), whole.encode())
}

// malformedDiaries: each is a sound body but for one thing.
func malformedDiaries() map[string][]byte {
	const home, use = 1, 3
	return map[string][]byte{
		"nothing":               {},
		"unknown version":       {2, 0},
		"no count":              {1},
		"count without diaries": {1, 1},
		"unknown person":        {1, 1, 3, 0, 0, home, use, 1, 0, 1},
		"unknown day":           {1, 1, 0, 3, 0, home, use, 1, 0, 1},
		"unknown service":       {1, 1, 0, 0, 2, home, use, 1, 0, 1},
		"no place":              {1, 1, 0, 0, 0, 0, use, 1, 0, 1},
		"elsewhere":             {1, 1, 0, 0, 0, 4, use, 1, 0, 1},
		"no kind":               {1, 1, 0, 0, 0, home, 0, 1, 0, 1},
		"a failed login":        {1, 1, 0, 0, 0, home, 5, 1, 0, 1},
		"no runs":               {1, 1, 0, 0, 0, home, use, 0},
		"more runs than bytes":  {1, 1, 0, 0, 0, home, use, 9, 0, 1},
		"empty run":             {1, 1, 0, 0, 0, home, use, 1, 0, 0},
		"runs that touch":       {1, 1, 0, 0, 0, home, use, 2, 0, 1, 0, 1},
		"run past its day":      {1, 1, 0, 0, 0, home, use, 1, 0xa0, 0x0b, 1},
		"the same diary twice":  {1, 2, 0, 0, 0, home, use, 1, 0, 1, 0, 0, 0, home, use, 1, 0, 1},
		"out of order":          {1, 2, 0, 1, 0, home, use, 1, 0, 1, 0, 0, 0, home, use, 1, 0, 1},
		"bytes left over":       {1, 0, 0},
		"an endless number":     {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	}
}

func TestDiariesRefused(t *testing.T) {
	body, reader := frozen()
	bad := malformedDiaries()
	for n := range body {
		bad[fmt.Sprintf("cut to %d bytes", n)] = body[:n]
	}
	for name, b := range bad {
		if _, err := reader(b).read(); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDiaries: whatever is read is written as the same bytes.
func FuzzDiaries(f *testing.F) {
	body, reader := frozen()
	f.Add(body)
	for _, b := range malformedDiaries() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := reader(bytes.Clone(b)).read()
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatalf("%x: %v is not ErrInvalid", b, err)
			}
			return
		}
		doc := &Document{Starts: []int64{0, 1440, 2940, 4380}}
		if again := frozenOf(doc, all); len(again) == len(b) && !bytes.Equal(again, b) {
			t.Fatalf("%x is written as %x", b, again)
		}
	})
}

func sampleDocument() *Document {
	return &Document{
		Format: documentVersion, Of: ofOctober, Market: rollcall.Market{ID: "FR", Name: "France", Zone: "Europe/Paris"},
		Services: []rollcall.Service{{ID: "aim", Name: "AIM"}, {ID: "msn", Name: "MSN"}},
		Starts:   make([]int64, 32), Exclusions: []rollcall.Exclusion{}, Before: []Pinned{}, Settings: DefaultSettings(),
	}
}

// TestDocumentIsCanonical: exclusions in any order give the same bytes.
func TestDocumentIsCanonical(t *testing.T) {
	at := time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC)
	one := rollcall.Exclusion{PanelMonth: ofOctober, Panelist: 1, Reason: "a", Time: at}
	two := rollcall.Exclusion{PanelMonth: ofOctober, Panelist: 2, Reason: "a", Time: at}
	a, b := sampleDocument(), sampleDocument()
	a.Exclusions, b.Exclusions = []rollcall.Exclusion{one, two}, []rollcall.Exclusion{two, one}
	x, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	equalBytes(t, "document", x, y)
	read, err := DecodeDocument(x)
	if err != nil {
		t.Fatal(err)
	}
	z, err := read.Encode()
	if err != nil {
		t.Fatal(err)
	}
	equalBytes(t, "document read again", z, x)
}

// malformedDocuments are sound documents but for one thing.
func malformedDocuments(t testing.TB) map[string][]byte {
	out := map[string][]byte{"nothing": nil, "a list": []byte("[]"), "two": []byte("{}{}"), "unknown field": []byte(`{"format":1,"extra":1}`)}
	for name, spoil := range map[string]func(d *Document){
		"format":           func(d *Document) { d.Format = 2 },
		"too few days":     func(d *Document) { d.Starts = d.Starts[:31] },
		"days that fall":   func(d *Document) { d.Starts[3] = -1 },
		"days too long":    func(d *Document) { d.Starts[31] = rollcall.MaxMinute + 1 },
		"services twisted": func(d *Document) { d.Services[0], d.Services[1] = d.Services[1], d.Services[0] },
		"services many":    func(d *Document) { d.Services = make([]rollcall.Service, MostServices+1) },
		"confidence":       func(d *Document) { d.Settings.Confidence = 1 },
		"limits":           func(d *Document) { d.Settings.Low = -1 },
	} {
		d := sampleDocument()
		spoil(d)
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

func TestDocumentRefused(t *testing.T) {
	for name, b := range malformedDocuments(t) {
		if _, err := DecodeDocument(b); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDocument(f *testing.F) {
	b, err := sampleDocument().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	for _, b := range malformedDocuments(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := DecodeDocument(b)
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatalf("%s: %v is not ErrInvalid", b, err)
			}
			return
		}
		if _, err := d.Encode(); err != nil {
			t.Fatalf("%s was read and can't be written: %v", b, err)
		}
	})
}

const soundRoster = `{"format":1,"key":"000000000000feed","columns":["sex"],"panelists":[` +
	`{"id":"0000000000000001","metered":1,"base_weight":1,"categories":["M"]},{"id":"0000000000000002","metered":3,"base_weight":2.5,"categories":["F"]}]}`

var malformedRosters = map[string]string{
	"nothing":              "",
	"format":               strings.Replace(soundRoster, `"format":1`, `"format":3`, 1),
	"households in 1":      strings.Replace(clusteredRoster, `"format":2`, `"format":1`, 1),
	"a household of 0":     strings.Replace(clusteredRoster, "00000000000000aa", "0000000000000000", 1),
	"key":                  strings.Replace(soundRoster, "feed", "zzzz", 1),
	"a number for an id":   strings.Replace(soundRoster, `"0000000000000001"`, `1`, 1),
	"the same person":      strings.Replace(soundRoster, "0000000000000001", "0000000000000002", 1),
	"out of order":         strings.Replace(soundRoster, "0000000000000001", "0000000000000003", 1),
	"elsewhere":            strings.Replace(soundRoster, `"metered":1`, `"metered":4`, 1),
	"no weight":            strings.Replace(soundRoster, `"base_weight":1`, `"base_weight":0`, 1),
	"too few categories":   strings.Replace(soundRoster, `["M"]`, `[]`, 1),
	"something after it":   soundRoster + "{}",
	"a field that is more": strings.Replace(soundRoster, `"format":1`, `"format":1,"name":"P1"`, 1),
}

// clusteredRoster is of version 2: one household of one stratum.
const clusteredRoster = `{"format":2,"key":"000000000000feed","columns":["sex"],"panelists":[` +
	`{"id":"0000000000000001","metered":1,"base_weight":1,"categories":["F"],"household":"00000000000000aa","stratum":"00000000000000bb"},` +
	`{"id":"0000000000000002","metered":3,"base_weight":2,"categories":["M"],"household":"00000000000000aa","stratum":"00000000000000bb"}]}`

func TestClusteredRosterObject(t *testing.T) {
	r, err := DecodeRoster([]byte(clusteredRoster))
	if err != nil {
		t.Fatal(err)
	}
	if p := r.Panelists[1]; p.Household != 0xaa || p.Stratum != 0xbb {
		t.Errorf("second panelist is %+v", p)
	}
	b, err := EncodeRoster(r)
	if err != nil {
		t.Fatal(err)
	}
	equalBytes(t, "roster", b, []byte(clusteredRoster))
}

func TestRosterObject(t *testing.T) {
	r, err := DecodeRoster([]byte(soundRoster))
	if err != nil {
		t.Fatal(err)
	}
	r.Panelists[0], r.Panelists[1] = r.Panelists[1], r.Panelists[0] // the file's order does not matter
	b, err := EncodeRoster(r)
	if err != nil {
		t.Fatal(err)
	}
	equalBytes(t, "roster", b, []byte(soundRoster))
	for name, text := range malformedRosters {
		if _, err := DecodeRoster([]byte(text)); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRoster(f *testing.F) {
	f.Add(soundRoster)
	f.Add(clusteredRoster)
	for _, text := range malformedRosters {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := DecodeRoster([]byte(text))
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatalf("%s: %v is not ErrInvalid", text, err)
			}
			return
		}
		b, err := EncodeRoster(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeRoster(b); err != nil {
			t.Fatalf("%s is written as %s: %v", text, b, err)
		}
	})
}

const soundUniverse = `{"format":1,"margins":[{"margin":"sex","category":"F","population":1000,"source":"study","source_date":"2002-06-30"}]}`

var malformedUniverses = map[string]string{
	"nothing":     "",
	"format":      strings.Replace(soundUniverse, `"format":1`, `"format":0`, 1),
	"no margin":   `{"format":1,"margins":[]}`,
	"no name":     strings.Replace(soundUniverse, `"sex"`, `""`, 1),
	"negative":    strings.Replace(soundUniverse, "1000", "-1", 1),
	"not finite":  strings.Replace(soundUniverse, "1000", "1e999", 1),
	"unknown":     strings.Replace(soundUniverse, `"format":1`, `"format":1,"x":0`, 1),
	"cut":         soundUniverse[:40],
	"two of them": soundUniverse + soundUniverse,
}

func TestUniverseObject(t *testing.T) {
	p, err := DecodeUniverse([]byte(soundUniverse))
	if err != nil {
		t.Fatal(err)
	}
	b, err := EncodeUniverse(p)
	if err != nil {
		t.Fatal(err)
	}
	equalBytes(t, "universe", b, []byte(soundUniverse))
	for name, text := range malformedUniverses {
		if _, err := DecodeUniverse([]byte(text)); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzUniverse(f *testing.F) {
	f.Add(soundUniverse)
	for _, text := range malformedUniverses {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := DecodeUniverse([]byte(text))
		if err != nil {
			if !errors.Is(err, rollcall.ErrInvalid) {
				t.Fatalf("%s: %v is not ErrInvalid", text, err)
			}
			return
		}
		if _, err := EncodeUniverse(p); err != nil {
			t.Fatal(err)
		}
	})
}

// frozenOf writes diaries down again.
func frozenOf(doc *Document, all diaries) []byte {
	f := newFreezer(doc, &rollcall.Roster{})
	days := doc.days()
	for _, d := range all.list {
		one := loose{diaryKey: diaryKey{d.person, d.day, uint16(d.service), d.where}, first: uint32(len(f.runs)), count: d.count}
		for _, r := range all.runs[d.first : d.first+uint32(d.count)] {
			f.runs = append(f.runs, dayRun{r.from - uint16(days[d.day]), r.to - uint16(days[d.day])})
		}
		f.list = append(f.list, one)
	}
	return f.encode()
}

var ofOctober = rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2002, time.October)}

func equalBytes(t *testing.T, what string, a, b []byte) {
	t.Helper()
	if !bytes.Equal(a, b) {
		t.Errorf("%s: the bytes differ:\n%s\n%s", what, a, b)
	}
}

// TestDaysThatDoNotExist: Samoa had no 30 December 2011.
func TestDaysThatDoNotExist(t *testing.T) {
	c, err := rollcall.Market{ID: "WS", Name: "Samoa", Zone: "Pacific/Apia"}.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	d := Document{Of: rollcall.PanelMonth{Month: rollcall.MonthOf(2011, time.December)}}
	d.Starts = Starts(c, d.Of.Month)
	for day, want := range map[int]int{28: 1440, 29: 0, 30: 1440} {
		if got := d.dayLength(day); got != want {
			t.Errorf("December %d has %d minutes, want %d", day+1, got, want)
		}
	}
}
