package report

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestColumnsAreDocumented: docs/formats/report.md has the dictionary of the
// columns, line by line.
func TestColumnsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/report.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Columns() {
		if line := fmt.Sprintf("\n| `%s` | %s | %s | %s |\n", c.Name, c.Role, c.Unit, c.Definition); !strings.Contains(string(text), line) {
			t.Errorf("docs/formats/report.md lacks the line%s", line)
		}
	}
}
