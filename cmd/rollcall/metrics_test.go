package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every metric is in docs/operating.md: its name is one text in the source, whole,
// so that it can be searched for there too.
func TestMetricsAreDocumented(t *testing.T) {
	doc := documents(t)["docs/operating.md"]
	names := metricNames(t, filepath.Join("..", ".."))
	if len(names) < 20 {
		t.Fatalf("the source has the metrics %v", names)
	}
	for _, name := range names {
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("docs/operating.md does not tell of %s", name)
		}
	}
}

// What to do at every alarm is in docs/troubleshooting.md.
func TestAlarmsHaveARemedy(t *testing.T) {
	all := documents(t)
	alarms := regexp.MustCompile("(?m)^\\| (`rollcall_[^|]*) \\| ([^|]+) \\|").FindAllStringSubmatch(all["docs/operating.md"], -1)
	names := 0
	for _, row := range alarms {
		if strings.TrimSpace(row[2]) == "" {
			continue
		}
		for _, name := range regexp.MustCompile("rollcall_[a-z_]+").FindAllString(row[1], -1) {
			if names++; !strings.Contains(all["docs/troubleshooting.md"], name) {
				t.Errorf("docs/troubleshooting.md does not say what to do at %s: %s", name, row[2])
			}
		}
	}
	if names < 20 {
		t.Errorf("docs/operating.md has %d alarms", names)
	}
}

var metricName = regexp.MustCompile(`^rollcall_[a-z]+(_[a-z]+)+$`)

// metricNames gives the metrics that the source names.
func metricNames(t *testing.T, root string) []string {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "build" || d.Name() == "node_modules" || d.Name() == "bench") {
			return errorOrSkip(err)
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && metricName.MatchString(text) {
					names[text] = true
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Subsystem" {
					t.Errorf("%s: a metric's name is put together; write it whole", path)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(names))
}

func errorOrSkip(err error) error {
	if err != nil {
		return err
	}
	return filepath.SkipDir
}
