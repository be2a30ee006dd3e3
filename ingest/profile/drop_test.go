package profile

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// whoAre are the kinds of account that Synapse's table of users tells, with the
// columns of each: user_type, is_guest, appservice_id, deactivated, admin.
func whoAre() map[string]string {
	return map[string]string{"": ",0,,0,0", "bot": "bot,0,,0,0", "support": "support,0,,0,0", "guest": ",1,,0,0", "bridged": ",0,irc,0,0", "deactivated": ",0,,1,0", "administrator": ",0,,0,1"}
}

// TestDroppedChangesNothing: who is dropped by a rule leaves what is seen of the
// others as it would be without a row of theirs, and the rule's count is of their rows.
func TestDroppedChangesNothing(t *testing.T) {
	dir := t.TempDir()
	kinds := slices.Sorted(maps.Keys(whoAre()))
	rapid.Check(t, func(r *rapid.T) {
		asked := map[string]bool{"deactivated": rapid.Bool().Draw(r, "deactivated"), "administrator": rapid.Bool().Draw(r, "administrator")}
		maps.DeleteFunc(asked, func(_ string, yes bool) bool { return !yes })
		users := []string{"name,user_type,is_guest,appservice_id,deactivated,admin"}
		all := []string{"user_id,device_id,timestamp,user_agent"}
		kept, dropped := slices.Clone(all), map[string]int{}
		for i, kind := range rapid.SliceOfN(rapid.SampledFrom(kinds), 1, 8).Draw(r, "accounts") {
			users = append(users, fmt.Sprintf("@u%d:x,%s", i, whoAre()[kind]))
			for _, day := range rapid.SliceOfN(rapid.IntRange(0, 40), 0, 4).Draw(r, "days") {
				agent := rapid.SampledFrom([]string{"Element/1.11 (iPhone; iOS 17.0)", "Mozilla/5.0 Firefox/130.0", "curl/8"}).Draw(r, "agent")
				row := fmt.Sprintf("@u%d:x,D%d,%d,%s", i, day%2, 1759276800000+int64(day)*86_400_000, agent)
				all = append(all, row)
				if kind == "" || (kind == "deactivated" || kind == "administrator") && !asked[kind] {
					kept = append(kept, row)
				} else {
					dropped[kind]++
				}
			}
		}
		o := Options{Joins: map[string]string{"users": tableAt(t, dir, "users.csv", users)}, Optional: asked}
		got, counts := read(t, "synapse", "UTC", o, tableAt(t, dir, "all.csv", all))
		want, none := read(t, "synapse", "UTC", o, tableAt(t, dir, "kept.csv", kept))
		if g, w := seenAs(got), seenAs(want); g != w {
			r.Fatalf("with those that are dropped\n%s\nwithout\n%s", g, w)
		}
		if !maps.Equal(counts.Dropped, dropped) || len(none.Dropped) > 0 {
			r.Fatalf("dropped are %v, want %v; of the others %v", counts.Dropped, dropped, none.Dropped)
		}
		for rule, n := range dropped {
			if said := fmt.Sprintf("dropped %s %d", rule, n); !strings.Contains(counts.String(), said) {
				r.Fatalf("%q is not said: %s", said, counts)
			}
		}
	})
}

func tableAt(t *testing.T, dir, name string, lines []string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// seenAs writes what was seen, without the lines that it stood on.
func seenAs(all []Seen) string {
	var lines []string
	for _, s := range all {
		lines = append(lines, string(s.AppendJSON(nil)))
	}
	return strings.Join(lines, "\n")
}
