package archrules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// File is one parsed source file of the module.
type File struct {
	Path string // slash-separated, from the module's root
	AST  *ast.File

	set *token.FileSet
}

// Parse reads one source file. path says where in the module it stands.
func Parse(path string, source []byte) (File, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, path, source, parser.ParseComments)
	if err != nil {
		return File{}, fmt.Errorf("parse %s: %w", path, err)
	}
	return File{Path: path, AST: parsed, set: set}, nil
}

// Read parses every Go file of the module under root but those in hidden
// folders, testdata, node_modules and what is built.
func Read(root fs.FS) ([]File, error) {
	var files []File
	err := fs.WalkDir(root, ".", func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && skipped(at) {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(at) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(root, at)
		if err != nil {
			return err
		}
		file, err := Parse(at, source)
		files = append(files, file)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the module: %w", err)
	}
	return files, nil
}

func skipped(dir string) bool {
	name := path.Base(dir)
	return dir == "build" || dir == "bin" || dir == "dist" || name == "testdata" || name == "node_modules" ||
		(dir != "." && strings.HasPrefix(name, "."))
}

// Check gives every breach of every rule as "file:line: what is wrong", those
// of a file by itself first, in the order of the files.
func Check(files []File) []string {
	var breaches []string
	for _, f := range files {
		for _, r := range rules() {
			breaches = append(breaches, r(f)...)
		}
	}
	breaches = append(breaches, variables(files)...)
	for _, r := range []func([]File) []string{packageSizes, methodCounts, readingOrders} {
		breaches = append(breaches, r(files)...)
	}
	return breaches
}

// rule gives the breaches of one rule in one file.
type rule func(File) []string

func rules() []rule {
	return []rule{stages, downwards, adapters, rootImports, blankImports, cgo, inits, fileLength, funcLength, parameters, packageNames, names, sleeps}
}

// dir is the file's folder: "." at the root.
func (f File) dir() string { return path.Dir(f.Path) }

func (f File) isTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

func (f File) line(pos token.Pos) int { return f.set.Position(pos).Line }

// breach is one finding at a place in the file.
func (f File) breach(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: ", f.Path, f.line(pos)) + fmt.Sprintf(format, args...)
}

// funcs gives the functions and methods that the file declares.
func (f File) funcs() []*ast.FuncDecl {
	var found []*ast.FuncDecl
	for _, d := range f.AST.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			found = append(found, fn)
		}
	}
	return found
}

// importsPackage reports whether the file imports the package.
func (f File) importsPackage(path string) bool {
	return slices.ContainsFunc(f.AST.Imports, func(spec *ast.ImportSpec) bool { return importPath(spec) == path })
}

// importPath is what an import spec names, without its quotes.
func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, "\"`") }
