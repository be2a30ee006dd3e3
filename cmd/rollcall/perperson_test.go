package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPerPersonIsUTF8: a file in another encoding is refused by its name and line.
// On its way as JSON its letters would have become others, and the version's
// citation of the source with them.
func TestPerPersonIsUTF8(t *testing.T) {
	name := filepath.Join(t.TempDir(), "accounts.csv")
	write := func(line string) {
		if err := os.WriteFile(name, []byte("service,accounts_per_person,se,source,source_date\n"+line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("msn,1.25,0.05,Enqu\xeate,2002-06-30")
	c := closeCmd{Calibrate: []string{"msn"}, PerPerson: name}
	if err := c.calibrate(map[string]any{}); err == nil || err.Error() != name+" line 2: is not UTF-8 text" {
		t.Errorf("a line of Latin-1: %v", err)
	}
	write("msn,1.25,0.05,Enquête,2002-06-30")
	in := map[string]any{}
	if err := c.calibrate(in); err != nil || !strings.Contains(fmt.Sprint(in["accounts_per_person"]), "Enquête") {
		t.Errorf("a line of UTF-8: %v, %v", err, in)
	}
}
