package hll

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
)

// TestEngineMerges: a sketch of one half of some ids, made here, and one of the
// other half, made by ClickHouse, merged by ClickHouse, are the sketch that
// ClickHouse makes of them all, byte for byte; and so the other way round.
func TestEngineMerges(t *testing.T) {
	server := engines.ClickHouse(t)
	server.Query("CREATE TABLE ids (id UInt64, ours UInt8) ENGINE = MergeTree ORDER BY id")
	for _, k := range []int{12, 14, 16, 17} {
		t.Run(fmt.Sprint("K", k), func(t *testing.T) {
			limit := 1 << (k - 5)
			for _, n := range []int{0, 1, 16, 17, 40, limit - 1, limit, limit + 1, 20 * limit, 60000} {
				testEngineMerge(t, server, k, n)
			}
		})
	}
}

// testEngineMerge shares n random ids out, a few of them to both halves.
func testEngineMerge(t *testing.T, server *engines.ClickHouseServer, k, n int) {
	rng := rand.New(rand.NewPCG(uint64(k), uint64(n)))
	ours, all := New(k), New(k)
	var rows []string
	for range n {
		id, share := rng.Uint64(), rng.IntN(10)
		all.Add(id)
		if share <= 5 {
			ours.Add(id)
			rows = append(rows, fmt.Sprintf("(%d,1)", id))
		}
		if share >= 5 {
			rows = append(rows, fmt.Sprintf("(%d,0)", id))
		}
	}
	server.Query("TRUNCATE TABLE ids")
	if n > 0 {
		server.Query("INSERT INTO ids VALUES " + strings.Join(rows, ","))
	}
	whole := server.Query(fmt.Sprintf("SELECT hex(uniqCombined64State(%d)(id)) FROM ids", k))
	theirs := fmt.Sprintf("SELECT uniqCombined64State(%d)(id) AS state FROM ids WHERE NOT ours", k)
	cast := fmt.Sprintf("SELECT CAST(unhex('%x'), 'AggregateFunction(uniqCombined64(%d), UInt64)') AS state", ours.Append(nil), k)
	for _, order := range []string{cast + " UNION ALL " + theirs, theirs + " UNION ALL " + cast} {
		merged := server.Query(fmt.Sprintf("SELECT hex(uniqCombined64MergeState(%d)(state)) FROM (%s)", k, order))
		requireEngineState(t, all, whole, merged)
	}
	half, err := hex.DecodeString(server.Query("SELECT hex(state) FROM (" + theirs + ")"))
	if err != nil {
		t.Fatal(err)
	}
	if err := ours.MergeState(half); err != nil {
		t.Fatal(err)
	}
	requireSame(t, fmt.Sprintf("K %d, %d ids: ours merged with ClickHouse's half", k, n), all, ours)
}

// requireEngineState compares ClickHouse's merged state with its whole one and
// with want. Registers are compared as bytes, sets as sets, since ClickHouse
// keeps no order.
func requireEngineState(t *testing.T, want *Sketch, whole, merged string) {
	t.Helper()
	var states [2][]byte
	for i, text := range []string{whole, merged} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Decode(want.K(), b)
		if err != nil {
			t.Fatal(err)
		}
		requireSame(t, fmt.Sprintf("K %d: ClickHouse's state %d", want.K(), i), want, s)
		states[i] = b
	}
	if states[0][0] == typeLarge && states[1][0] == typeLarge && !slices.Equal(states[0], states[1]) {
		t.Errorf("K %d: ClickHouse's merged registers aren't the whole's", want.K())
	}
}

// pairs are golden: ids are kept in sketches for ever.
var pairs = []struct {
	v      uint64
	minute int64
	id     uint64
}{
	{0, 0, 4761183170873013810},
	{1, 1, 3531320592277199941},
	{42, 17232480, 17955063820021369465},
	{18446744073709551615, 29000000, 8582137398592408943},
	{9223372036854775808, 120000000, 922023257901603767},
	{81985529216486895, 17000000, 3226767386745088667},
}

func TestPairIDIsGolden(t *testing.T) {
	for _, c := range pairs {
		if got := PairID(c.v, c.minute); got != c.id {
			t.Errorf("PairID(%d, %d) = %d, want %d", c.v, c.minute, got, c.id)
		}
	}
}

// TestEnginePairID holds the golden ids to the SQL that they are said to be.
func TestEnginePairID(t *testing.T) {
	server := engines.ClickHouse(t)
	for _, c := range pairs {
		sql := fmt.Sprintf("SELECT intHash64(toUInt64(%d)) + toUInt64(%d) * 11400714819323198485", c.v, c.minute)
		if got, want := server.Query(sql), fmt.Sprint(c.id); got != want {
			t.Errorf("the pair of %d and minute %d is %s in SQL, want %s", c.v, c.minute, got, want)
		}
	}
}
