package panel

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPlaces(t *testing.T) {
	in := intervalsOf(1000)
	of := func(values []float64, se float64) []Place {
		return in.Places(len(values), func(i, j int) Estimate { return Estimate{values[i] - values[j], se} })
	}
	if got, want := of([]float64{10, 50, 30}, 1), []Place{{3, 3}, {1, 1}, {2, 2}}; !slices.Equal(got, want) {
		t.Errorf("far apart: %v, want %v", got, want)
	}
	if got, want := of([]float64{10, 10.1, 30}, 1), []Place{{2, 3}, {2, 3}, {1, 1}}; !slices.Equal(got, want) {
		t.Errorf("two together: %v, want %v", got, want)
	}
	if got, want := of([]float64{5, 5, 3}, 0), []Place{{1, 2}, {1, 2}, {3, 3}}; !slices.Equal(got, want) {
		t.Errorf("without error: %v, want %v", got, want)
	}
	// 2.0 SE tells one pair apart, but not one of three at once.
	if got, want := of([]float64{0, 2}, 1), []Place{{2, 2}, {1, 1}}; !slices.Equal(got, want) {
		t.Errorf("one pair: %v, want %v", got, want)
	}
	if got, want := of([]float64{0, 2, 1}, 1), []Place{{1, 3}, {1, 3}, {1, 3}}; !slices.Equal(got, want) {
		t.Errorf("three pairs: %v, want %v", got, want)
	}
	if got := of([]float64{7}, 1); !slices.Equal(got, []Place{{1, 1}}) {
		t.Errorf("one alone: %v", got)
	}
}

// A place holds the standard competition rank, and no pair that is tied is
// told apart.
func TestPlacesHoldTheRank(t *testing.T) {
	in := intervalsOf(300)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 10), 1, 12).Draw(t, "values")
		difference := func(i, j int) Estimate { return Estimate{values[i] - values[j], 1 + 0.1*math.Abs(values[i]-values[j])} }
		for i, p := range in.Places(len(values), difference) {
			rank, untied := 1, 0
			for j, x := range values {
				if x > values[i] {
					rank++
				}
				if j != i && !in.Tied(difference(i, j)) {
					untied++
				}
			}
			if rank < p.Low || rank > p.High {
				t.Fatalf("rank %d of %v is not in %v", rank, values, p)
			}
			if told := p.Low - 1 + len(values) - p.High; told > untied {
				t.Fatalf("%d are told apart from figure %d, %d are not tied with it", told, i, untied)
			}
		}
	})
}
