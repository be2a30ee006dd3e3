package archrules

import (
	"go/ast"
	"go/token"
	"slices"
)

// variables gives the breaches of "no package variable that changes": every
// assignment to one, to a field or an element of one, and every address taken
// of one, in any file of its package. A pointer or a map that escapes by being
// passed on is not seen.
func variables(files []File) []string {
	packages := map[string][]File{}
	var order []string
	for _, f := range files {
		key := f.dir() + " " + f.AST.Name.Name
		if packages[key] == nil {
			order = append(order, key)
		}
		packages[key] = append(packages[key], f)
	}
	var breaches []string
	for _, key := range order {
		declared := packageVariables(packages[key])
		for _, f := range packages[key] {
			breaches = append(breaches, changes(f, declared)...)
		}
	}
	return breaches
}

// packageVariables gives the names of the variables that the files declare.
func packageVariables(files []File) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		for _, d := range f.AST.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, spec := range decl.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					names[name.Name] = true
				}
			}
		}
	}
	return names
}

// changes finds where one file changes one of the package's variables.
func changes(f File, declared map[string]bool) []string {
	var breaches []string
	changed := func(e ast.Expr) {
		if id := base(e); id != nil && declared[id.Name] && f.ofPackage(id) {
			breaches = append(breaches, f.breach(id.Pos(), "%s changes: what changes is a field or an argument", id.Name))
		}
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				changed(left)
			}
		case *ast.IncDecStmt:
			changed(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				changed(n.X)
			}
		}
		return true
	})
	return breaches
}

// base is the variable that an expression is a part of; nil: none.
func base(e ast.Expr) *ast.Ident {
	for {
		switch part := e.(type) {
		case *ast.Ident:
			return part
		case *ast.IndexExpr:
			e = part.X
		case *ast.SelectorExpr:
			e = part.X
		case *ast.StarExpr:
			e = part.X
		case *ast.ParenExpr:
			e = part.X
		default:
			return nil
		}
	}
}

// ofPackage reports whether a name means the package's, not a local's: the
// parser resolves it to a declaration at the file's top, or leaves it open for
// another file of the package.
func (f File) ofPackage(id *ast.Ident) bool {
	if id.Obj == nil {
		return slices.Contains(f.AST.Unresolved, id)
	}
	return f.AST.Scope.Lookup(id.Name) == id.Obj
}
