package ingest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCodes holds the list to what stands in the source of whatever refuses events.
func TestCodes(t *testing.T) {
	codes, found := Codes(), 0
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) < len(codes) {
		t.Errorf("not in order, or one is there twice: %v", codes)
	}
	literal := regexp.MustCompile(`Code: "([a-z_]+)"`)
	for _, pattern := range []string{"*.go", "collect/tracker/*.go", "../event.go", "../internal/kafka/batch*.go", "../internal/jsondepth/*.go", "../internal/arrowipc/row.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range literal.FindAllStringSubmatch(string(text), -1) {
				found++
				if !strings.HasSuffix(file, "_test.go") && code[1] != "key" && !slices.Contains(codes, code[1]) { // an id of a key is no event's
					t.Errorf("%s: %s is not in the list", file, code[1])
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d codes were found: the test looks in the wrong place", found)
	}
}
