package rollcall

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// mostNear is how many names an Unknown gives.
const mostNear = 3

// Nearest gives the known names that are most like a name that is not, best
// first, three at most: those that the fewest letters must be changed of.
// Capitals count as small letters.
func Nearest[T ~string](name string, known []T) []string {
	type candidate struct {
		name string
		far  int
	}
	var list []candidate
	for _, k := range known {
		list = append(list, candidate{string(k), distance(name, string(k))})
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(a.far-b.far, strings.Compare(a.name, b.name))
	})
	var names []string
	for _, c := range list[:min(mostNear, len(list))] {
		names = append(names, c.name)
	}
	return names
}

// Alike gives those of the nearest that may be meant: of which a third of the
// letters must be changed at most. Among ids of a user's own most are like none.
func Alike[T ~string](name string, known []T) []string {
	far := (len(letters(name)) + 1) / 3
	return slices.DeleteFunc(Nearest(name, known), func(near string) bool { return distance(name, near) > far })
}

// mostCompared is how much of a name is compared, in bytes: a user may type
// anything.
const mostCompared = 64

// distance is Levenshtein's: the letters that must be put in, left out or
// changed to make b of a.
func distance(a, b string) int {
	from, to := letters(a), letters(b)
	row := make([]int, len(to)+1) // of the letters of a so far
	for j := range row {
		row[j] = j
	}
	for i, x := range from {
		above := row[0]
		row[0] = i + 1
		for j, y := range to {
			changed := above
			if x != y {
				changed++
			}
			above = row[j+1]
			row[j+1] = min(changed, above+1, row[j]+1)
		}
	}
	return row[len(to)]
}

// letters gives a name's letters as they are compared.
func letters(name string) []rune {
	if len(name) > mostCompared {
		name = name[:mostCompared]
	}
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "?")
	}
	return []rune(strings.ToLower(name))
}
