package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
	"go.yaml.in/yaml/v4"

	"rollcall/internal/jsondepth"
)

// The bounds of an expression: it has no loops, so these bound its time too.
const (
	maxExpression = 4 << 10
	maxNodes      = 500
	maxMemory     = 100_000 // values that one run may make
)

// Value is what a profile takes from a row: a field by its name, a constant, or
// an expression over the row's fields (github.com/expr-lang/expr). In YAML a
// bare text is a field's name; {constant: X} and {expression: X} are the others.
type Value struct {
	name     string   // of the field, as it is written
	field    []string // and its parts
	constant *string
	program  *vm.Program
	reads    map[string]bool // columns, or join.column
	either   [][]string      // of reads: those of which one is enough, since the next stands in for it
}

func (v *Value) empty() bool { return v.field == nil && v.constant == nil && v.program == nil }

// UnmarshalYAML reads a value.
func (v *Value) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return v.setField(node.Value)
	}
	if node.Kind != yaml.MappingNode || len(node.Content) != 2 {
		return errors.New("a value is a field's name, or one of {field: }, {constant: } and {expression: }")
	}
	key := node.Content[0].Value
	switch key {
	case "field":
		return v.setField(node.Content[1].Value)
	case "constant":
		v.constant = &node.Content[1].Value
		return nil
	case "expression":
		return v.setExpression(node.Content[1].Value)
	}
	return fmt.Errorf("%q is not field, constant or expression", key)
}

// said names the columns that the value is of, before what is wrong with it; "": none.
func (v *Value) said() string {
	names := slices.Sorted(maps.Keys(v.reads))
	if v.field != nil {
		names = []string{v.name}
	}
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += strconv.Quote(name)
	}
	if text == "" {
		return ""
	}
	return text + ": "
}

func (v *Value) setField(name string) error {
	if name == "" || len(name) > 256 {
		return errors.New("a field's name has 1 to 256 characters")
	}
	v.name, v.field = name, strings.Split(name, ".")
	v.reads = map[string]bool{v.field[0]: true, name: true}
	return nil
}

func (v *Value) setExpression(code string) error {
	if len(code) > maxExpression {
		return errors.New("an expression is at most 4 KiB long")
	}
	seen := &visitor{found: map[string]int{}}
	options := []expr.Option{
		expr.AllowUndefinedVariables(), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.Optimize(false),
		expr.Patch(seen),
		expr.Function("truth", func(a ...any) (any, error) { return truth(a[0]), nil }, new(func(any) bool)),
		expr.Function("text", func(a ...any) (any, error) { return text(a[0]), nil }, new(func(any) string)),
		expr.Function("member", func(a ...any) (any, error) { return member(a[0], text(a[1])) }, new(func(any, any) string)),
		expr.Function("before", func(a ...any) (any, error) { return before(text(a[0]), text(a[1])), nil }, new(func(any, any) string)),
		expr.Function("later", func(a ...any) (any, error) { return later(a[0], a[1]) }, new(func(any, any) any)),
	}
	for _, name := range []string{"lower", "upper", "trim", "int", "float", "len", "max", "min"} {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(code, options...)
	if err != nil {
		return fmt.Errorf("expression %q: %s", code, before(err.Error(), "\n")) // which it shows again in lines of its own
	}
	if seen.loops {
		return fmt.Errorf("expression %q: has a loop", code)
	}
	v.program, v.reads, v.either = program, seen.read(), seen.either
	return nil
}

// visitor notes what an expression reads, since nothing else of a row is kept.
type visitor struct {
	found  map[string]int // how often; less by one for each that is a function's name
	either [][]string     // of x ?? y
	loops  bool           // it asks something of each element of a list
}

func (v *visitor) read() map[string]bool {
	read := map[string]bool{}
	for name, n := range v.found {
		if n > 0 {
			read[name] = true
		}
	}
	return read
}

// Visit notes an identifier, and a member of one.
func (v *visitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		v.loops = true
	case *ast.IdentifierNode:
		v.found[n.Value]++
	case *ast.BinaryNode:
		if n.Operator == "??" {
			of := new(identifiers)
			ast.Walk(&n.Left, of)
			ast.Walk(&n.Right, of)
			v.either = append(v.either, of.names)
		}
	case *ast.CallNode:
		if of, isName := n.Callee.(*ast.IdentifierNode); isName {
			v.found[of.Value]--
		}
	case *ast.MemberNode:
		of, isName := n.Node.(*ast.IdentifierNode)
		if chain, ok := n.Node.(*ast.ChainNode); ok && !isName {
			of, isName = chain.Node.(*ast.IdentifierNode)
		}
		if member, ok := n.Property.(*ast.StringNode); ok && isName {
			v.found[of.Value+"."+member.Value]++
		}
	}
}

// identifiers gives the names in a part of an expression.
type identifiers struct{ names []string }

// Visit notes an identifier.
func (i *identifiers) Visit(node *ast.Node) {
	if n, isName := (*node).(*ast.IdentifierNode); isName {
		i.names = append(i.names, n.Value)
	}
}

// of evaluates the value over a row. The error never quotes the row.
func (v *Value) of(row map[string]any, machine *vm.VM) (any, error) {
	switch {
	case v.constant != nil:
		return *v.constant, nil
	case v.program != nil:
		machine.MemoryBudget = maxMemory
		out, err := machine.Run(v.program, row)
		if err != nil {
			return nil, errors.New("the expression can't be worked out for the row" + v.kinds(row))
		}
		return out, nil
	case v.field == nil:
		return nil, nil
	}
	at, _ := inside(row, v.name, v.field)
	return at, nil
}

// inside gives what an object has by a name, which may have a dot, or by the name's
// parts in an object within it.
func inside(object map[string]any, name string, path []string) (at any, ok bool) {
	if whole, ok := object[name]; ok {
		return whole, true
	}
	at = object
	for _, part := range path {
		within, _ := at.(map[string]any)
		if at, ok = within[part]; !ok {
			return nil, false
		}
	}
	return at, true
}

// kinds says what kind of thing a row has in the columns that the value reads.
func (v *Value) kinds(row map[string]any) string {
	names := v.columns()
	for i, name := range names {
		kind := "a text"
		switch at, ok := inside(row, name, strings.Split(name, ".")); at := at.(type) {
		case nil:
			if kind = "empty"; !ok {
				kind = "not there"
			}
		case string:
			if at == "" {
				kind = "empty"
			}
		case bool:
			kind = "true or false"
		case map[string]any:
			kind = "an object"
		case []any:
			kind = "a list"
		default:
			kind = "a number"
		}
		names[i] = fmt.Sprintf("%q is %s", name, kind)
	}
	if len(names) == 0 {
		return ""
	}
	return ", where " + strings.Join(names, ", ")
}

// text gives a value as text; nothing is "".
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// truth reads 0/1, t/f, true/false and their like; nothing is false.
func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "t", "true", "1", "y", "yes":
			return true
		}
		return false
	}
	return v != nil && text(v) != "0"
}

// member gives one member of an object, which a column has as JSON text. Only that
// member is read.
func member(of any, name string) (string, error) {
	if object, ok := of.(map[string]any); ok {
		return text(object[name]), nil
	}
	object := text(of)
	if object == "" {
		return "", nil
	}
	var members map[string]json.RawMessage
	if err := jsondepth.Unmarshal([]byte(object), &members); err != nil {
		return "", errors.New("is not a JSON object")
	}
	raw, ok := members[name]
	if !ok {
		return "", nil
	}
	v, err := decode(raw)
	return text(v), err
}

// before gives the text before the first separator, or all of it.
func before(s, separator string) string {
	head, _, _ := strings.Cut(s, separator)
	return head
}

// later gives the later of two times in the usual forms, numbers being
// milliseconds; nothing is earlier than any.
func later(a, b any) (any, error) {
	usual := Instant{Unit: "ms"}
	x, err := usual.read(a, time.UTC, nil)
	y, failed := usual.read(b, time.UTC, nil)
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	if y.After(x) {
		return b, nil
	}
	return a, nil
}
