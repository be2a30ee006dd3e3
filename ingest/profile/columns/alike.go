package columns

import (
	"fmt"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// likeness gives the least of the names that differ from a name in capitals, "_"
// and "-" alone; "": none does.
func likeness(name string, known iter.Seq[string]) string {
	like := ""
	for k := range known {
		if alike(k, name) && (like == "" || k < like) {
			like = k
		}
	}
	return like
}

// alike reports whether two names differ in capitals, "_" and "-" alone.
func alike(a, b string) bool {
	if a == b {
		return false
	}
	for {
		x, restOfA := letter(a)
		y, restOfB := letter(b)
		if x != y || x == noLetter {
			return x == y
		}
		a, b = restOfA, restOfB
	}
}

const noLetter = -1

// letter gives the first letter of a name as it is compared, and what is after it.
func letter(name string) (rune, string) {
	for name != "" {
		r, size := utf8.DecodeRuneInString(name)
		name = name[size:]
		if r != '_' && r != '-' && r != ' ' {
			return unicode.ToLower(r), name
		}
	}
	return noLetter, ""
}

// nearest says which names are nearest.
func nearest(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" (the nearest is %s)", names[0])
	}
	return fmt.Sprintf(" (the nearest are %s)", strings.Join(names, ", "))
}

// inList writes names as a list in a sentence.
func inList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
