package rollcall_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rollcall"
)

func TestNearest(t *testing.T) {
	known := []rollcall.ServiceID{"aim", "icq", "msn", "skype", "yahoo"}
	for name, want := range map[string]string{
		"msm":                       "msn aim icq",
		"MSN":                       "msn aim icq",
		"yaho":                      "yahoo aim icq",
		"skpye":                     "skype aim icq",
		"":                          "aim icq msn",
		"\xff\xfe":                  "aim icq msn",
		strings.Repeat("é", 10_000): "aim icq msn",
	} {
		if got := strings.Join(rollcall.Nearest(name, known), " "); got != want {
			t.Errorf("nearest to %.20q: %s, want %s", name, got, want)
		}
	}
	if got := rollcall.Nearest[string]("x", nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

func TestAlike(t *testing.T) {
	known := []rollcall.SegmentID{"2", "3", "agent_essai", "agent_modele", "x"}
	for name, want := range map[string]string{
		"nosuch": "", "agent_esai": "agent_essai", "Agent_Modèle": "agent_modele", "agent": "", "y": "", "X": "x", "": "",
	} {
		if got := strings.Join(rollcall.Alike(name, known), " "); got != want {
			t.Errorf("alike to %q: %s, want %s", name, got, want)
		}
	}
}

// TestNearestProperty: a known name is its own nearest, in whatever order the
// known ones are.
func TestNearestProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z0-9]{1,12}`), 1, 20, rapid.ID[string]).Draw(t, "known")
		name := rapid.SampledFrom(known).Draw(t, "name")
		near := rollcall.Nearest(name, known)
		slices.Reverse(known)
		if near[0] != name || !slices.Equal(near, rollcall.Nearest(name, known)) {
			t.Fatalf("nearest to %s: %v", name, near)
		}
	})
}
