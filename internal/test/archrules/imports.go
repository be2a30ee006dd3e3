package archrules

import (
	"slices"
	"strings"
)

// module is the name of the module, the prefix of its own import paths.
const module = "rollcall"

// within reports whether a folder is tree or below it.
func within(dir, tree string) bool { return dir == tree || strings.HasPrefix(dir, tree+"/") }

// library reports whether a folder stands in a stage's tree but belongs to
// everyone: the sketch and the panel's arithmetic are pure.
func library(dir string) bool {
	return within(dir, "aggregate/hll") || within(dir, "aggregate/idset") || within(dir, "aggregate/panel")
}

// stage names the stage that a folder belongs to; empty: none.
func stage(dir string) string {
	if library(dir) {
		return ""
	}
	if layer(dir) >= 0 {
		return "the stage that reports"
	}
	for _, s := range [...]string{"ingest", "aggregate", "api"} {
		if within(dir, s) {
			return s
		}
	}
	return ""
}

// layers are the packages of the stage that reports, in the order in which they
// build on each other.
func layers() []string {
	return []string{"aggregate/census", "aggregate/audience", "aggregate/calibrate", "aggregate/publish", "aggregate/replicate", "aggregate/coherence", "aggregate/report", "aggregate/markets", "aggregate/tablecheck"}
}

// layer gives a folder's place among the layers, or -1.
func layer(dir string) int {
	return slices.IndexFunc(layers(), func(l string) bool { return within(dir, l) })
}

// downwards: of the stage that reports, a package imports only those that stand
// before it.
func downwards(f File) []string {
	self := layer(f.dir())
	if self < 0 {
		return nil
	}
	var breaches []string
	for _, spec := range f.AST.Imports {
		dir, ok := own(importPath(spec))
		if ok && layer(dir) > self {
			breaches = append(breaches, f.breach(spec.Pos(), "%s imports %s, which builds on it", f.dir(), dir))
		}
	}
	return breaches
}

// own gives the folder of one of the module's own packages.
func own(importPath string) (dir string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// stages: a stage never imports another, nor a library a stage.
func stages(f File) []string {
	self := stage(f.dir())
	if self == "" && !library(f.dir()) {
		return nil
	}
	var breaches []string
	for _, spec := range f.AST.Imports {
		dir, ok := own(importPath(spec))
		if other := stage(dir); ok && other != "" && other != self {
			breaches = append(breaches, f.breach(spec.Pos(), "%s imports %s: stages meet only in cmd", f.dir(), dir))
		}
	}
	return breaches
}

// adapters: nothing under internal/ imports a stage, but the wiring and the
// programs that measure stages.
func adapters(f File) []string {
	if !within(f.dir(), "internal") || within(f.dir(), "internal/server") || within(f.dir(), "internal/bench") {
		return nil
	}
	var breaches []string
	for _, spec := range f.AST.Imports {
		if dir, ok := own(importPath(spec)); ok && stage(dir) != "" {
			breaches = append(breaches, f.breach(spec.Pos(), "%s imports the stage %s: it is the stage that declares what it needs", f.dir(), dir))
		}
	}
	return breaches
}

// rootImports: the vocabulary needs nothing but the standard library, whose
// import paths have no dot in their first element.
func rootImports(f File) []string {
	if f.dir() != "." || f.isTest() {
		return nil
	}
	var breaches []string
	for _, spec := range f.AST.Imports {
		first, _, _ := strings.Cut(importPath(spec), "/")
		if first == module || strings.Contains(first, ".") {
			breaches = append(breaches, f.breach(spec.Pos(), "the root imports %s: only the standard library", importPath(spec)))
		}
	}
	return breaches
}

// blankImports: nothing registers itself by being imported. The zones' data in
// cmd has no other way; embed registers nothing.
func blankImports(f File) []string {
	var breaches []string
	for _, spec := range f.AST.Imports {
		p := importPath(spec)
		allowed := p == "embed" || (p == "time/tzdata" && within(f.dir(), "cmd"))
		if spec.Name != nil && spec.Name.Name == "_" && !allowed {
			breaches = append(breaches, f.breach(spec.Pos(), "blank import of %s: dependencies are arguments", p))
		}
	}
	return breaches
}

// cgo: the product builds without a C compiler.
func cgo(f File) []string {
	var breaches []string
	for _, spec := range f.AST.Imports {
		if importPath(spec) == "C" {
			breaches = append(breaches, f.breach(spec.Pos(), "import \"C\": the product builds without cgo"))
		}
	}
	return breaches
}
