package columns

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Row is what of a row tells which columns there are.
type Row struct {
	Header  []string                   // of the table that it stands in; nil where rows have none of their own
	Table   string                     // its name in a dump, or the pattern of a line
	Values  map[string]any             // of the columns that are read
	Members map[string]json.RawMessage // of an object, those that are not read too
}

// without gives the lacks whose column a row of an object's members doesn't have.
func (r *Row) without(all []*lack) []*lack {
	return slices.DeleteFunc(all, func(l *lack) bool {
		if _, ok := r.Members[l.column]; ok || within(r.Values, l.path) {
			return true
		}
		if l.like == "" {
			l.like = r.like(l.path)
		}
		return false
	})
}

// like gives a member that differs from a column in capitals, "_" and "-" alone.
func (r *Row) like(path []string) string {
	if _, ok := r.Members[path[0]]; !ok {
		return likeness(path[0], maps.Keys(r.Members))
	}
	at := r.Values[path[0]]
	for i, name := range path[1:] {
		object, ok := at.(map[string]any)
		if !ok {
			return ""
		}
		inside, ok := object[name]
		if !ok {
			if like := likeness(name, maps.Keys(object)); like != "" {
				return strings.Join(path[:i+1], ".") + "." + like
			}
			return ""
		}
		at = inside
	}
	return ""
}

// within reports whether an object has a member of a member.
func within(object map[string]any, path []string) bool {
	at, ok := object[path[0]]
	if !ok || len(path) == 1 {
		return ok
	}
	inside, ok := at.(map[string]any)
	return ok && within(inside, path[1:])
}
