package archrules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestModule holds the module's own source to the rules.
func TestModule(t *testing.T) {
	files, err := Read(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, sure := range []string{"event.go", "internal/test/archrules/archrules.go"} {
		if !slices.ContainsFunc(files, func(f File) bool { return f.Path == sure }) {
			t.Fatalf("%s is not among the %d files read", sure, len(files))
		}
	}
	for _, breach := range Check(files) {
		t.Error(breach)
	}
}

// planted is one source with a breach in it, or, beside each breach, the
// nearest source that is allowed.
type planted struct {
	name, path, source string
	want               string // part of the only breach; empty: none
}

func checkPlanted(t *testing.T, tests []planted) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantBreach(t, tt.path, "package planted; "+tt.source, tt.want) })
	}
}

func TestPlantedStages(t *testing.T) {
	checkPlanted(t, []planted{
		{"a stage imports a stage", "ingest/a.go", `import "rollcall/aggregate"`, "ingest imports aggregate"},
		{"below a stage", "ingest/collect/web/a.go", `import "rollcall/api"`, "ingest/collect/web imports api"},
		{"below the other", "api/a.go", `import "rollcall/ingest/collect"`, "api imports ingest/collect"},
		{"the report imports its parent", "aggregate/report/a.go", `import "rollcall/aggregate"`, "imports aggregate"},
		{"the parent imports the report", "aggregate/a.go", `import "rollcall/aggregate/report"`, "imports aggregate/report"},
		{"the API imports the report", "api/a.go", `import "rollcall/aggregate/report"`, "imports aggregate/report"},
		{"a stage's test does", "ingest/a_test.go", `import "rollcall/aggregate"`, "ingest imports aggregate"},
		{"a library imports a stage", "aggregate/panel/a.go", `import "rollcall/aggregate"`, "imports aggregate"},
		{"a stage within itself", "ingest/collect/web/a.go", `import "rollcall/ingest"`, ""},
		{"a stage imports the libraries", "api/a.go", `import ("rollcall/aggregate/hll"; "rollcall/aggregate/panel/rake")`, ""},
		{"the report imports the libraries", "aggregate/report/a.go", `import ("rollcall/aggregate/hll"; "rollcall/aggregate/panel")`, ""},
		{"the report builds on publishing", "aggregate/report/a.go", `import ("rollcall/aggregate/audience"; "rollcall/aggregate/publish")`, ""},
		{"publishing builds on the report", "aggregate/publish/a.go", `import "rollcall/aggregate/report"`, "aggregate/publish imports aggregate/report, which builds on it"},
		{"the audience's parent imports it", "aggregate/a.go", `import "rollcall/aggregate/audience"`, "imports aggregate/audience"},
		{"a stage imports the root", "ingest/a.go", `import "rollcall"`, ""},
		{"a stage's namesake", "ingester/a.go", `import "rollcall/aggregate"`, ""},
		{"cmd wires", "cmd/rollcall/a.go", `import ("rollcall/aggregate"; "rollcall/api")`, ""},
	})
}

func TestPlantedImports(t *testing.T) {
	checkPlanted(t, []planted{
		{"an adapter imports a stage", "internal/sqlite/a.go", `import "rollcall/aggregate"`, "internal/sqlite imports the stage aggregate"},
		{"an adapter imports the report", "internal/sqlite/a.go", `import "rollcall/aggregate/report"`, "imports the stage aggregate/report"},
		{"an adapter imports a library", "internal/sqlite/a.go", `import "rollcall/aggregate/hll"`, ""},

		{"the root imports a module", "a.go", `import "example.org/x"`, "the root imports example.org/x"},
		{"the root imports its own", "a.go", `import "rollcall/aggregate/hll"`, "the root imports rollcall/aggregate/hll"},
		{"the root imports the standard library", "a.go", `import "net/netip"`, ""},
		{"the root's test imports a module", "a_test.go", `import "example.org/x"`, ""},

		{"a driver registers itself", "internal/sqlite/a.go", `import _ "modernc.org/sqlite"`, "blank import of modernc.org/sqlite"},
		{"zones outside cmd", "api/a.go", `import _ "time/tzdata"`, "blank import of time/tzdata"},
		{"zones in cmd", "cmd/rollcall/a.go", `import _ "time/tzdata"`, ""},
		{"a driver by name", "internal/sqlite/a.go", `import "modernc.org/sqlite"`, ""},
		{"embed", "schemas/a.go", `import _ "embed"`, ""},

		{"cgo", "internal/sqlite/a.go", `import "C"`, "without cgo"},
	})
}

func TestPlantedShapes(t *testing.T) {
	checkPlanted(t, []planted{
		{"init", "ingest/a.go", `func init() {}`, "func init"},
		{"a method called init", "ingest/a.go", `type x int; func (x) init() {}`, ""},

		{"a file of 701 lines", "ingest/a.go", blank(701), "701 lines"},
		{"a file of 700 lines", "ingest/a.go", blank(700), ""},

		{"a function of 61 lines", "ingest/a.go", "func f() {" + blank(60) + "}", "f has 61 lines"},
		{"without its reason", "ingest/a.go", "// reason:\nfunc f() {" + blank(60) + "}", "f has 61 lines"},
		{"a test of 61 lines", "ingest/a_test.go", "func f() {" + blank(60) + "}", "f has 61 lines"},
		{"a function of 60 lines", "ingest/a.go", "func f() {" + blank(59) + "}", ""},
		{"a long comment", "ingest/a.go", strings.Repeat("// f\n", 60) + "func f() {}", ""},
		{"a reason", "ingest/a.go", "// f is long.\n// reason: one state table.\nfunc f() {" + blank(60) + "}", ""},

		{"seven parameters", "ingest/a.go", `func f(a, b, c int, d, e, g, h string) {}`, "f has 7 parameters"},
		{"six parameters", "ingest/a.go", `func f(a, b, c int, d, e, g string) {}`, ""},

		{"a sleeping test", "ingest/a_test.go", `import "time"; func f() { time.Sleep(1) }`, "time.Sleep in a test"},
		{"a test in fake time", "ingest/a_test.go", `import ("time"; "testing/synctest"); func f() { time.Sleep(1) }`, ""},
		{"sleeping elsewhere", "ingest/a.go", `import "time"; func f() { time.Sleep(1) }`, ""},
	})
	generated := "// Code generated by x. DO NOT EDIT.\npackage planted\nfunc f() {" + blank(800) + "}"
	wantBreach(t, "ingest/a.go", generated, "")
}

func TestPlantedVariables(t *testing.T) {
	checkPlanted(t, []planted{
		{"assigned", "ingest/a.go", `var x int; func f() { x = 1 }`, "x changes"},
		{"counted", "ingest/a.go", `var x int; func f() { x++ }`, "x changes"},
		{"an element", "ingest/a.go", `var x = map[int]int{}; func f() { x[1] = 2 }`, "x changes"},
		{"a field of an element", "ingest/a.go", `var x [2]struct{ y int }; func f() { (x[1]).y += 2 }`, "x changes"},
		{"its address", "ingest/a.go", `var x int; func f() *int { return &x }`, "x changes"},
		{"read", "ingest/a.go", `var x = [...]int{1}; func f() int { y := x[0]; return y }`, ""},
		{"a local of its name", "ingest/a.go", `var x int; func f(x int) { x = 1; y := &x; *y = 2 }`, ""},
		{"a field of its name", "ingest/a.go", `var x int; func f(a struct{ x int }) { a.x = 1 }`, ""},
	})
}

func TestPlantedVariableOfAnotherFile(t *testing.T) {
	var files []File
	for path, source := range map[string]string{
		"ingest/a.go":      "package ingest; var x int",
		"ingest/b.go":      "package ingest; func f() { x = 1 }",
		"ingest/b_test.go": "package ingest_test; func f() { x := 1; x = 2; _ = x }",
		"api/a.go":         "package api; func f() { x := 1; x = 2; _ = x }",
	} {
		f, err := Parse(path, []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if got := Check(files); len(got) != 1 || !strings.HasPrefix(got[0], "ingest/b.go:1: x changes") {
		t.Fatalf("breaches %q; want the one of ingest/b.go", got)
	}
}

func TestPlantedPackageNames(t *testing.T) {
	tests := []struct{ path, name, want string }{
		{"ingest/a.go", "util", "package util in ingest"},
		{"ingest/a_test.go", "helpers_test", "package helpers in ingest"},
		{"internal/common/a.go", "commonly", "in internal/common"},
		{"api/http/a.go", "server", "in api/http"},
		{"ingest/a.go", "types", "package types"},
		{"ingest/a.go", "models", "package models"},
		{"ingest/a.go", "misc", "package misc"},
		{"internal/test/engines/a.go", "engines", ""},
	}
	for _, tt := range tests {
		t.Run(tt.path+" "+tt.name, func(t *testing.T) { wantBreach(t, tt.path, "package "+tt.name, tt.want) })
	}
}

func TestPlantedNames(t *testing.T) {
	checkPlanted(t, []planted{
		{"a type", "ingest/a.go", `type Desk struct{}`, `Desk: a newcomer can't tell what "desk" means`},
		{"a word of a type", "ingest/a.go", `type bigLedger int`, `"ledger"`},
		{"a function", "ingest/a.go", `func newShelf() {}`, `"shelf"`},
		{"a method", "ingest/a.go", `type x int; func (x) tallyAll() {}`, `"tally"`},
		{"a field", "ingest/a.go", `type x struct{ rooms int }`, `"room"`},
		{"a parameter", "ingest/a.go", `func f(crowd int) {}`, `"crowd"`},
		{"a receiver", "ingest/a.go", `type x int; func (lane x) f() {}`, `"lane"`},
		{"a result", "ingest/a.go", `func f() (keep bool) { return false }`, `"keep"`},
		{"a local", "ingest/a.go", `func f() { book := 1; _ = book }`, `"book"`},
		{"a range", "ingest/a.go", `func f() { for _, tour := range []int{} { _ = tour } }`, `"tour"`},
		{"a variable", "ingest/a.go", `var houseOf = 1`, `"house"`},
		{"a constant", "ingest/a.go", `const maxTurns = 1`, `"turns"`},
		{"a test's", "ingest/a_test.go", `func drawTier() {}`, `"tier"`},
		{"a file", "ingest/attic.go", ``, `"attic"`},
		{"a folder", "ingest/office/a.go", ``, `"office"`},
		{"an engine", "ingest/a.go", `func openClickHouse() { clickHouseAddr := 1; _ = clickHouseAddr }`, ""},
		{"a longer word", "ingest/a.go", `type bookmark int; func f() { planes, broom, tourist := 1, 2, 3; _, _, _ = planes, broom, tourist }`, ""},
		{"a protocol's word", "ingest/a.go", `const keepAlive = 1`, ""},
		{"another's name", "ingest/a.go", `import "example.org/x"; func f() { x.Desk() }`, ""},
		{"a flag's", "ingest/a.go", "type x struct{ Days string `name:\"keep\"` }", ""},
	})
	file, err := Parse("ingest/a.go", []byte("package gathering"))
	if err != nil {
		t.Fatal(err)
	}
	if got := Check([]File{file}); len(got) != 1 || !strings.Contains(got[0], `"gathering"`) {
		t.Errorf("a package called gathering: breaches %q", got)
	}
}

// checkPackage checks sources that make one package in dir, called a0.go,
// a1.go, ... and more, each "package planted".
func checkPackage(t *testing.T, dir string, sources int, more ...string) []string {
	t.Helper()
	var files []File
	for i := range sources {
		more = append(more, fmt.Sprintf("a%d.go", i))
	}
	for _, name := range more {
		f, err := Parse(dir+"/"+name, []byte("package planted"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return Check(files)
}

func TestPlantedPackageSizes(t *testing.T) {
	tests := []struct {
		name, dir string
		sources   int
		more      []string
		want      string // part of the only breach; empty: none
	}{
		{"21 files", "ingest", 20, []string{"doc.go"}, "ingest has 21 files without tests; at most 20"},
		{"20 files and a test", "ingest", 19, []string{"doc.go", "b_test.go"}, ""},
		{"an adapter of 23", "internal/tlsfile", 22, []string{"doc.go"}, "has 23 files without tests; at most 22"},
		{"an adapter of 22", "internal/tlsfile", 21, []string{"doc.go"}, ""},
		{"seven and no doc.go", "ingest", 7, nil, "ingest has 7 files and no doc.go"},
		{"six and no doc.go", "ingest", 6, []string{"b_test.go"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := checkPackage(t, tt.dir, tt.sources, tt.more...)
			if tt.want == "" && len(got) == 0 || len(got) == 1 && tt.want != "" && strings.Contains(got[0], tt.want) {
				return
			}
			t.Errorf("breaches %q; want one with %q, or none if that is empty", got, tt.want)
		})
	}
}

func TestPlantedMethods(t *testing.T) {
	methods := func(n int, receiver string) (source string) {
		for i := range n {
			source += fmt.Sprintf("func (%s) m%d() {}; ", receiver, i)
		}
		return source
	}
	signatures := func(n int) (source string) {
		for i := range n {
			source += fmt.Sprintf("m%d(); ", i)
		}
		return source
	}
	checkPlanted(t, []planted{
		{"31 methods", "ingest/a.go", "type view int; " + methods(31, "view"), "view has 31 methods; at most 30"},
		{"30 by pointer, one by value", "ingest/a.go", "type view int; func (view) f() {}; " + methods(30, "v *view"), "view has 31 methods"},
		{"of a generic type", "ingest/a.go", "type view[T any] struct{}; " + methods(31, "v *view[T]"), "view has 31 methods"},
		{"of an interface", "ingest/a.go", "type view interface{ " + signatures(31) + "}", "view has 31 methods"},
		{"30 methods", "ingest/a.go", "type view int; " + methods(30, "view"), ""},
		{"a store's 41", "ingest/a.go", "type Store int; " + methods(41, "Store"), "Store has 41 methods; at most 40"},
		{"a store's 40", "ingest/a.go", "type FactStore int; " + methods(40, "*FactStore"), ""},
	})
}

func TestReadSkipsWhatIsNotOurs(t *testing.T) {
	files, err := Read(fstest.MapFS{
		"a.go":                         {Data: []byte("package a")},
		"b/c/d.go":                     {Data: []byte("package c")},
		"b/c/d.txt":                    {Data: []byte("not Go")},
		"b/testdata/x.go":              {Data: []byte("not Go")},
		"build/x.go":                   {Data: []byte("not Go")},
		".cache/x.go":                  {Data: []byte("not Go")},
		"dashboards/node_modules/x.go": {Data: []byte("not Go")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	if want := []string{"a.go", "b/c/d.go"}; !slices.Equal(paths, want) {
		t.Fatalf("read %q; want %q", paths, want)
	}
}

func TestReadRefusesWhatIsNotGo(t *testing.T) {
	if _, err := Read(fstest.MapFS{"a.go": {Data: []byte("not Go")}}); err == nil {
		t.Fatal("a file that doesn't parse was read")
	}
}

// wantBreach checks one source alone: exactly one breach that holds want, or
// none where want is empty.
func wantBreach(t *testing.T, path, source, want string) {
	t.Helper()
	file, err := Parse(path, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	got := Check([]File{file})
	switch {
	case want == "" && len(got) == 0:
	case want != "" && len(got) == 1 && strings.HasPrefix(got[0], path+":") && strings.Contains(got[0], want):
	default:
		t.Fatalf("breaches %q; want one with %q, or none if that is empty", got, want)
	}
}

func blank(lines int) string { return strings.Repeat("\n", lines) }
