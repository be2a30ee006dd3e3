package main

import (
	"strings"
	"testing"
)

// TestOutputForm: the form is the one named, or the file's, and never another
// than the file's ending says; a terminal takes text only.
func TestOutputForm(t *testing.T) {
	for _, tt := range []struct {
		format, file string
		terminal     bool
		want, wrong  string
	}{
		{"", "", true, "table", ""},
		{"", "", false, "table", ""},
		{"", "a/b.CSV", true, "csv", ""},
		{"", "x.json", false, "json", ""},
		{"", "x.arrow", false, "arrow", ""},
		{"", "x.dat", false, "", "names no form"},
		{"parquet", "x.dat", true, "parquet", ""},
		{"csv", "", true, "csv", ""},
		{"json", "", true, "json", ""},
		{"parquet", "", false, "parquet", ""},
		{"xlsx", "", true, "", "is not for a terminal"},
		{"parquet", "", true, "", "is not for a terminal"},
		{"arrow", "", true, "", "is not for a terminal"},
		{"table", "x.xlsx", false, "", "contradict"},
		{"csv", "x.json", false, "", "contradict"},
		{"xlsx", "x.txt", false, "", "contradict"},
	} {
		got, err := (&output{Format: tt.format, Output: tt.file}).form(tt.terminal)
		if got != tt.want || (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("--format %q -o %q, terminal %v: %q, %v; want %q, %q", tt.format, tt.file, tt.terminal, got, err, tt.want, tt.wrong)
		}
	}
}
