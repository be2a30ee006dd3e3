package archrules

import (
	"go/ast"
	"path"
	"slices"
	"strings"
)

// The lengths that STYLE allows, in lines with both braces, and the parameters
// of one function.
const (
	maxFile       = 700
	maxFunc       = 60
	maxParameters = 6
)

// inits: no code runs because a package is linked in.
func inits(f File) []string {
	var breaches []string
	for _, fn := range f.funcs() {
		if fn.Name.Name == "init" && fn.Recv == nil {
			breaches = append(breaches, f.breach(fn.Pos(), "func init: dependencies are arguments"))
		}
	}
	return breaches
}

// fileLength: no file becomes a country; what a program wrote is not read.
func fileLength(f File) []string {
	if lines := f.line(f.AST.FileEnd); lines > maxFile && !ast.IsGenerated(f.AST) {
		return []string{f.breach(f.AST.FileEnd, "%d lines; at most %d", lines, maxFile)}
	}
	return nil
}

// funcLength: a function that must be long says why, in a line of its doc
// comment that begins "reason:".
func funcLength(f File) []string {
	if ast.IsGenerated(f.AST) {
		return nil
	}
	var breaches []string
	for _, fn := range f.funcs() {
		lines := f.line(fn.End()) - f.line(fn.Type.Func) + 1
		if lines > maxFunc && !reasoned(fn) {
			breaches = append(breaches, f.breach(fn.Type.Func, "%s has %d lines; over %d needs a \"reason:\" in its comment", fn.Name.Name, lines, maxFunc))
		}
	}
	return breaches
}

func reasoned(fn *ast.FuncDecl) bool {
	for line := range strings.Lines(fn.Doc.Text()) {
		if reason, ok := strings.CutPrefix(line, "reason:"); ok && strings.TrimSpace(reason) != "" {
			return true
		}
	}
	return false
}

// parameters: more than six are a struct that has no name yet.
func parameters(f File) []string {
	var breaches []string
	for _, fn := range f.funcs() {
		if n := fn.Type.Params.NumFields(); n > maxParameters {
			breaches = append(breaches, f.breach(fn.Type.Func, "%s has %d parameters; at most %d", fn.Name.Name, n, maxParameters))
		}
	}
	return breaches
}

// packageNames: a package is called after what it holds, not after being one.
func packageNames(f File) []string {
	drawers := []string{"util", "utils", "common", "helper", "helpers", "misc", "types", "models", "http"}
	name := strings.TrimSuffix(f.AST.Name.Name, "_test")
	if slices.Contains(drawers, name) || slices.Contains(drawers, path.Base(f.dir())) {
		return []string{f.breach(f.AST.Name.Pos(), "package %s in %s: name what it holds", name, f.dir())}
	}
	return nil
}

// sleeps: a test waits for a condition, or sleeps in the fake time of synctest.
func sleeps(f File) []string {
	if !f.isTest() || f.importsPackage("testing/synctest") {
		return nil
	}
	var breaches []string
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if called, ok := n.(*ast.SelectorExpr); ok && called.Sel.Name == "Sleep" {
			if pkg, ok := called.X.(*ast.Ident); ok && pkg.Name == "time" {
				breaches = append(breaches, f.breach(called.Pos(), "time.Sleep in a test: wait for the condition with a deadline"))
			}
		}
		return true
	})
	return breaches
}
