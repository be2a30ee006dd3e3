package ingest

import (
	"math/rand/v2"
	"testing"
)

// TestNumbers: a body's lines have the numbers that were written for them.
func TestNumbers(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var w Numbering
		want := make([]int, 1+rnd.IntN(60))
		at := 1 + rnd.IntN(5)
		for i := range want {
			want[i] = at
			w.Add(at)
			at = max(1, at+[]int{1, 1, 1, 1, 0, 2, 7, -3}[rnd.IntN(8)])
		}
		text := w.Take()
		n, err := ParseNumbers(text)
		if err != nil {
			t.Fatal(text, err)
		}
		for i := range want {
			if got := n.of(i + 1); got != want[i] {
				t.Fatalf("%s: line %d is %d, want %d", text, i+1, got, want[i])
			}
		}
		if w.Len() != 0 || w.Take() != "" {
			t.Fatal("what was taken is there again")
		}
	}
}

func TestParseNumbers(t *testing.T) {
	for text, want := range map[string]int{"": 5, "11-": 15, "11": 15, "3-4,9-": 11, "3,3,3,3,3": 3} {
		n, err := ParseNumbers(text)
		if err != nil || n.of(5) != want {
			t.Errorf("%q: line 5 is %d, want %d (%v)", text, n.of(5), want, err)
		}
	}
	for _, text := range []string{"0", "-", "5-4", "1,,2", "x", "1-x", "-4", "1;2", "99999999999999999999", "1-9223372036854775807,5", "9223372036854775807-"} {
		if n, err := ParseNumbers(text); err == nil {
			t.Errorf("%q was read as %v", text, n)
		}
	}
}
