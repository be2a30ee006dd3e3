package ingest

import "testing"

// FuzzIsPlain holds what is found of eight signs at a time to a look at each.
func FuzzIsPlain(f *testing.F) {
	for _, name := range []string{"", "a", "a b", "someone@example.org", "someone@example.orG", "\x7f2345678", "12345678\x00", "é2345678901", "AZ[@", "12345678 ", "\u00801234567"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, last := range []byte{'A' - 1, 'Z'} {
			want := name != "" && len(name) <= 20
			for i := range len(name) {
				c := name[i]
				want = want && c > ' ' && c < 0x7f && (c <= last || c > 'Z')
			}
			if got := isPlain(name, 20, last); got != want {
				t.Errorf("%q, %q: %v", name, last, got)
			}
		}
	})
}
