package archrules

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"unicode"
)

// refused are private metaphors: nobody could say from the name what the thing
// is. A name that has one among its words is a breach.
func refused() []string {
	return []string{
		"desk", "intake", "office", "shelf", "attic", "ledger", "book", "daybook", "tour", "tier", "crowd", "gathering",
		"tally", "guess", "turns", "room", "house", "lane",
	}
}

// refusedWord gives the refused word in a name; "": there is none. keep is
// refused alone, since keepAlive is a protocol's word.
func refusedWord(name string) string {
	if strings.EqualFold(name, "keep") {
		return "keep"
	}
	for _, word := range wordsOf(strings.ReplaceAll(strings.ReplaceAll(name, "ClickHouse", ""), "clickHouse", "")) {
		for _, no := range refused() {
			if word == no || word == no+"s" {
				return no
			}
		}
	}
	return ""
}

// wordsOf cuts a name at its capitals and what is no letter, in lower case.
func wordsOf(name string) []string {
	var b strings.Builder
	upper := true // the last rune was one
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r):
			r = ' '
		case unicode.IsUpper(r) && !upper:
			b.WriteByte(' ')
		}
		upper = unicode.IsUpper(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}

// names: what is declared has a plain name, be it a package, a file, a type, a
// function, a method, a field, a parameter or a variable.
func names(f File) []string {
	var breaches []string
	check := func(pos token.Pos, name string) {
		if no := refusedWord(name); no != "" {
			breaches = append(breaches, f.breach(pos, "%s: a newcomer can't tell what %q means", name, no))
		}
	}
	check(f.AST.Name.Pos(), f.AST.Name.Name)
	if base := path.Base(f.dir()); base != f.AST.Name.Name && base+"_test" != f.AST.Name.Name {
		check(f.AST.Name.Pos(), base)
	}
	check(f.AST.Package, strings.TrimSuffix(strings.TrimSuffix(path.Base(f.Path), ".go"), "_test"))
	ast.Inspect(f.AST, func(n ast.Node) bool {
		for _, id := range declares(n) {
			check(id.Pos(), id.Name)
		}
		return true
	})
	return breaches
}

// declares gives the names that one node of the source brings in.
func declares(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Lhs...)
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			return identifiers(n.Key, n.Value)
		}
	}
	return nil
}

func identifiers(of ...ast.Expr) []*ast.Ident {
	var ids []*ast.Ident
	for _, e := range of {
		if id, ok := e.(*ast.Ident); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
