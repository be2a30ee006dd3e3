package hll

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// clickHouseState is a row of testdata/states.tsv.gz, which ClickHouse made:
// testdata/states.sql.
type clickHouseState struct {
	k, n   int
	fold   string
	kind   byte
	sha256 string // of the canonical bytes
	whole  []byte // a set as ClickHouse orders it, or nil
}

func (c clickHouseState) String() string { return fmt.Sprintf("K%d/%d/%s", c.k, c.n, c.fold) }

func clickHouseStates(t testing.TB) []clickHouseState {
	t.Helper()
	f, err := os.Open("testdata/states.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var states []clickHouseState
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		states = append(states, clickHouseRow(t, lines.Text()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return states
}

func clickHouseRow(t testing.TB, line string) clickHouseState {
	t.Helper()
	f := strings.Split(line, "\t")
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("row %.60q: %v", line, err)
		}
		return n
	}
	whole, err := hex.DecodeString(f[5])
	if err != nil {
		t.Fatalf("row %.60q: %v", line, err)
	}
	return clickHouseState{number(f[0]), number(f[1]), f[2], byte(number(f[3])), f[4], whole}
}

// ours adds the ids of a row in Rollcall's own code.
func (c clickHouseState) ours() *Sketch {
	s := New(c.k)
	if c.fold == "pairs" {
		s.AddPairs(uint64(c.n), 29_000_000, 29_000_000+int64(c.n))
		return s
	}
	s.AddSlice(upTo(uint64(c.n)))
	return s
}

// heldLonger reports whether ClickHouse still has a set where ours is
// registers: at exactly 2^(K-5) keys.
func (c clickHouseState) heldLonger() bool { return c.kind == typeMedium && c.n == 1<<(c.k-5) }

func TestStatesAreClickHouses(t *testing.T) {
	states := clickHouseStates(t)
	if len(states) < 300 {
		t.Fatalf("%d golden states", len(states))
	}
	large := map[string]bool{}
	for _, c := range states {
		if c.kind == typeLarge {
			large[c.sha256] = true
		}
	}
	var b []byte
	var last clickHouseState
	for _, c := range states {
		if b == nil || c.k != last.k || c.n != last.n || c.fold == "pairs" || last.fold == "pairs" {
			b = c.ours().Append(nil) // ours don't depend on how ids are folded
		}
		last = c
		sum := sha256.Sum256(b)
		got := hex.EncodeToString(sum[:])
		switch {
		case c.heldLonger() && c.fold != "pairs":
			if b[0] != typeLarge || !large[got] {
				t.Errorf("%v: not the registers that ClickHouse makes of these keys folded twice", c)
			}
		case !c.heldLonger() && got != c.sha256:
			t.Errorf("%v: %d bytes of type %d are not ClickHouse's", c, len(b), b[0])
		}
	}
}

func TestClickHousesSetsDecode(t *testing.T) {
	for _, c := range clickHouseStates(t) {
		if len(c.whole) == 0 {
			continue
		}
		want := c.ours()
		s, err := Decode(c.k, c.whole)
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		requireSame(t, c.String()+" decoded", want, s)
		into := New(c.k)
		if err := into.MergeState(c.whole); err != nil {
			t.Errorf("%v: %v", c, err)
		}
		requireSame(t, c.String()+" merged", want, into)
		if !c.heldLonger() && bytes.Equal(c.whole, s.Append(nil)) && c.n > smallKeys {
			t.Errorf("%v: ClickHouse's order is ours, so this tests nothing", c)
		}
	}
}
