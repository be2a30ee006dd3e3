package archrules

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLinks(t *testing.T) {
	broken, read, err := Links(os.DirFS("../../.."))
	if err != nil || read < 10 {
		t.Fatalf("read %d documents: %v", read, err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}

func TestPlantedLinks(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"[a](docs/b.md)", ""},
		{"[a](docs/b.md#5-the-census-of-rollcallevents)", ""},
		{"[a](#top)", ""},
		{"[a](docs)", ""},
		{"[a](https://example.org/nothing)", ""},
		{"```\n[a](gone.md)\n```", ""},
		{"[a](gone.md)", "gone.md: is not there"},
		{"[a](b.md)", "b.md: is not there"},
		{"[a](docs/b.md#gone)", "has no such heading"},
		{"[a](docs#gone)", "has no such heading"},
		{"[a](#gone)", "has no such heading"},
		{"[a](../other.md)", "leads out of the module"},
	} {
		root := fstest.MapFS{
			"a.md":           {Data: []byte("# Top\n\n" + tt.text)},
			"docs/b.md":      {Data: []byte("## 5. The census, of `rollcall.events`\n\n[back](../a.md)")},
			"testdata/c.md":  {Data: []byte("[a](gone.md)")},
			"docs/notes.txt": {Data: []byte("[a](gone.md)")},
		}
		broken, read, err := Links(root)
		if err != nil || read != 2 {
			t.Fatalf("read %d: %v", read, err)
		}
		if got := strings.Join(broken, "\n"); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}
