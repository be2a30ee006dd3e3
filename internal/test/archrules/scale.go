package archrules

import (
	"go/ast"
	"slices"
	"strings"
)

// The sizes beyond which a package or a type holds two ideas: files without
// tests (an adapter's speak a foreign system, noun by noun), methods of a type
// (a store has some for each noun).
const (
	maxFiles        = 20
	maxAdapterFiles = 22
	maxMethods      = 30
	maxStoreMethods = 40
)

// product groups the files that are no tests by folder, in the files' order.
func product(files []File) (order []string, byDir map[string][]File) {
	byDir = map[string][]File{}
	for _, f := range files {
		if f.isTest() {
			continue
		}
		if byDir[f.dir()] == nil {
			order = append(order, f.dir())
		}
		byDir[f.dir()] = append(byDir[f.dir()], f)
	}
	return order, byDir
}

// packageSizes: a package of more files than one reads is two.
func packageSizes(files []File) []string {
	var breaches []string
	order, byDir := product(files)
	for _, dir := range order {
		most := maxFiles
		if within(dir, "internal") {
			most = maxAdapterFiles
		}
		if n := len(byDir[dir]); n > most {
			f := byDir[dir][0]
			breaches = append(breaches, f.breach(f.AST.Package, "%s has %d files without tests; at most %d: split it by the question it answers", dir, n, most))
		}
	}
	return breaches
}

// methodCounts: a type that can do everything is several.
func methodCounts(files []File) []string {
	var breaches []string
	order, byDir := product(files)
	for _, dir := range order {
		methods := map[string]int{}
		for _, f := range byDir[dir] {
			for _, fn := range f.funcs() {
				methods[receiver(fn)]++
			}
		}
		for _, f := range byDir[dir] {
			for _, spec := range typesOf(f) {
				most := maxMethods
				if strings.HasSuffix(spec.Name.Name, "Store") {
					most = maxStoreMethods
				}
				n := methods[spec.Name.Name]
				if of, ok := spec.Type.(*ast.InterfaceType); ok {
					n = of.Methods.NumFields()
				}
				if n > most {
					breaches = append(breaches, f.breach(spec.Pos(), "%s has %d methods; at most %d", spec.Name.Name, n, most))
				}
			}
		}
	}
	return breaches
}

// typesOf gives the types that a file declares.
func typesOf(f File) []*ast.TypeSpec {
	var types []*ast.TypeSpec
	for _, d := range f.AST.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range decl.Specs {
			if spec, ok := s.(*ast.TypeSpec); ok {
				types = append(types, spec)
			}
		}
	}
	return types
}

// receiver names the type of a method; "" of a function.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv.NumFields() == 0 {
		return ""
	}
	e := fn.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if generic, ok := e.(*ast.IndexExpr); ok {
		e = generic.X
	}
	if id := base(e); id != nil {
		return id.Name
	}
	return ""
}

// readingOrders: a package of more than six files says in which order to read
// them.
func readingOrders(files []File) []string {
	const few = 6
	var breaches []string
	order, byDir := product(files)
	for _, dir := range order {
		has := slices.ContainsFunc(byDir[dir], func(f File) bool { return strings.HasSuffix(f.Path, "/doc.go") || f.Path == "doc.go" })
		if n := len(byDir[dir]); n > few && !has {
			f := byDir[dir][0]
			breaches = append(breaches, f.breach(f.AST.Package, "%s has %d files and no doc.go with the order to read them in", dir, n))
		}
	}
	return breaches
}
